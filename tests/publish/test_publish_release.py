"""The open release: whole, immutable, the same rows in Parquet and CSV, and a dictionary that fits them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.errors import AcequiaError
from acequia.publish.lake import Lake, open_lake
from acequia.publish.release import as_csv
from acequia.settings import Settings
from tests.publish import cells
from tests.publish.cells import PARTNER, TABLE, cell, day


@pytest.fixture
def release(publish, home: Path) -> Path:
    return home / "lake" / publish("2026-03-01").release


def test_a_release_is_whole_and_named_by_its_content(publish, home: Path) -> None:
    published = publish("2026-03-01")
    assert published.release == f"open/{PARTNER}/{TABLE}/2026-03-01/release-{published.content_sha256[:12]}"
    folder = home / "lake" / published.release
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.txt",
        "SHA256SUMS",
        "data.csv",
        "data.parquet",
        "datapackage.json",
    ]
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    assert json.loads((folder.parent / "latest.json").read_text()) == {
        "table": cells.NAME,
        "period": "2026-03-01",
        "status": "published",
        "release": folder.name,
        "content_sha256": published.content_sha256,
        "snapshot_id": str(published.snapshot_id),
        "provisional": False,
    }


def test_parquet_and_csv_hold_the_same_rows(release: Path) -> None:
    table = pq.read_table(release / "data.parquet")
    assert table.to_pylist() == day("2026-03-01")
    assert _read_csv((release / "data.csv").read_bytes()) == [
        {name: _as_text(value) for name, value in row.items()} for row in table.to_pylist()
    ]


def test_the_csv_is_what_other_readers_take(release: Path) -> None:
    import pandas as pd

    raw = (release / "data.csv").read_bytes()
    assert raw.startswith(b"period,district,started_hour,trips_count,distance_km_sum,contributors_count,cell_status,")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 5
    assert b'\r\n2026-03-01,"Molepolole, east",2026-03-01T06:00:00,12,18.0,6,published,,false,' in raw
    frame = pd.read_csv(release / "data.csv")
    assert frame["trips_count"].sum() == 10 + 11 + 12
    assert frame["cell_status"].value_counts()["withheld"] == 1


def test_the_dictionary_describes_every_column_and_the_files(release: Path, lake: Lake) -> None:
    package = json.loads((release / "datapackage.json").read_text())
    csv_part, parquet = package["resources"]
    for part in (csv_part, parquet):
        content = (release / part["path"]).read_bytes()
        assert part["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert csv_part["bytes"] == (release / "data.csv").stat().st_size
    assert "bytes" not in parquet
    fields = {field["name"]: field for field in csv_part["schema"]["fields"]}
    assert list(fields) == cells.SCHEMA.names
    assert all(field["description"] for field in fields.values())
    assert fields["distance_km_sum"] == {
        "name": "distance_km_sum",
        "type": "number",
        "description": "Distance driven, in all.",
        "unit": "km",
    }
    assert {name: field["type"] for name, field in fields.items() if name in ("started_hour", "provisional")} == {
        "started_hour": "datetime",
        "provisional": "boolean",
    }
    assert "min_contributors" in [code["value"] for code in fields["withheld_because"]["categories"]]
    assert csv_part["schema"]["primaryKey"] == ["period", "district", "started_hour"]
    lineage = package["acequia"]["lineage"]
    assert lineage["deliveries"] == ["kalahari_cabs.trips.2026-03-01.v1"]
    assert lineage["agreement"] == "1.0"
    assert lineage["snapshot_id"] == str(lake.load(cells.NAME).current_snapshot().snapshot_id)
    assert package["acequia"]["recipients"] == ["ministry_of_transport"]


def test_the_footer_of_the_parquet_file_holds_ids_alone(release: Path) -> None:
    metadata = pq.read_metadata(release / "data.parquet").metadata
    assert set(metadata) == {
        b"ARROW:schema",
        b"acequia.agreement",
        b"acequia.agreement_sha256",
        b"acequia.content_sha256",
        b"acequia.deliveries",
        b"acequia.period",
        b"acequia.table",
    }


def test_the_readme_says_what_a_reader_needs(release: Path) -> None:
    text = (release / "README.txt").read_text()
    for said in ("One row per district and hour.", "Kalahari Cabs", "number, km", "withheld: ", "sha256sum -c"):
        assert said in text


def test_a_repeat_writes_nothing_and_a_correction_is_another_release(publish, home: Path) -> None:
    first = publish("2026-03-01")
    folder = home / "lake" / first.release
    before = {path.name: path.stat().st_mtime_ns for path in (*folder.iterdir(), folder.parent / "latest.json")}
    publish("2026-03-01")
    assert {p.name: p.stat().st_mtime_ns for p in (*folder.iterdir(), folder.parent / "latest.json")} == before
    second = publish("2026-03-01", [cell("Maun", 6, 50, "2026-03-01")], version=2)
    assert sorted(p.name for p in folder.parent.iterdir()) == sorted(
        ["latest.json", folder.name, Path(second.release).name]
    )
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}.items() <= before.items()
    assert json.loads((folder.parent / "latest.json").read_text())["content_sha256"] == second.content_sha256
    publish("2026-03-01")
    assert json.loads((folder.parent / "latest.json").read_text())["content_sha256"] == first.content_sha256
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}.items() <= before.items()


def test_the_files_of_a_release_are_read_only(release: Path) -> None:
    assert not [path for path in release.iterdir() if path.stat().st_mode & 0o222]


def test_the_same_content_is_the_same_bytes_in_every_lake(publish, home: Path, signed, tmp_path: Path) -> None:
    first = home / "lake" / publish("2026-03-01").release
    other = open_lake(Settings.from_environment({"ACEQUIA_HOME": str(tmp_path / "other")}))
    handed = cells.disclosed(tmp_path, "2026-03-01", list(reversed(day("2026-03-01"))))
    second = tmp_path / "other" / "lake" / other.publish(handed, signed, cells.FEED).release
    other.close()
    for name in ("data.parquet", "data.csv", "README.txt"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    packages = [json.loads((folder / "datapackage.json").read_text()) for folder in (first, second)]
    assert packages[0]["acequia"]["lineage"].pop("snapshot_id") != packages[1]["acequia"]["lineage"].pop("snapshot_id")
    assert packages[0] == packages[1]


def test_erased_content_does_not_come_back(lake: Lake, publish) -> None:
    publish("2026-03-01")
    lake.erase(cells.NAME, period="2026-03-01", because="case 7")
    with pytest.raises(AcequiaError, match="was erased") as caught:
        publish("2026-03-01")
    assert caught.value.code == "release_stopped"
    assert publish("2026-03-01", [cell("Maun", 6, 50, "2026-03-01")], version=2).changed


VALUE = st.one_of(
    st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5), st.just(""), st.just(" a ")
)


@given(st.lists(st.tuples(VALUE, st.floats(allow_nan=False), st.booleans()), min_size=1, max_size=6))
def test_every_text_and_number_survives_the_csv(rows: list[tuple[Any, float, bool]]) -> None:
    table = pa.table(
        {
            "text": pa.array([row[0] for row in rows], pa.string()),
            "number": pa.array([row[1] for row in rows], pa.float64()),
            "flag": pa.array([row[2] for row in rows], pa.bool_()),
        }
    )
    raw = as_csv(table)
    got = _read_csv(raw)
    assert [(row["text"], float(row["number"]), row["flag"]) for row in got] == [
        (text or "", number, str(flag).lower()) for text, number, flag in rows
    ]
    back = pa_csv.read_csv(
        pa.BufferReader(raw),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=table.schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )
    assert back["text"].to_pylist() == table["text"].to_pylist(), "a null and an empty text stay two things"


def _read_csv(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
