"""Expiry, compaction, removal of orphans, and erasure proven on the bytes of the disk."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from acequia.errors import AcequiaError
from acequia.publish import housekeeping
from acequia.publish.housekeeping import Compacted
from acequia.publish.lake import Lake
from tests.publish.cells import NAME, PARTNER, TABLE, cell, day, days

NOW = dt.timedelta(0)


def later() -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)


def test_expiry_forgets_old_snapshots_and_keeps_the_rows(lake: Lake, publish) -> None:
    for label in days(3):
        publish(label)
    assert housekeeping.expire(lake, NAME, dt.timedelta(days=1)) == 0
    assert housekeeping.expire(lake, NAME, NOW, now=later()) == 2
    assert len(lake.history(NAME)) == 1
    assert lake.read(NAME).num_rows == 12


def test_compaction_puts_small_files_together_by_year_when_it_helps(lake: Lake, publish) -> None:
    labels = [*days(2, "2026-12-30"), *days(5, "2027-01-01")]
    for label in labels:
        publish(label)
    before = lake.read(NAME)
    assert housekeeping.compact(lake, NAME) == Compacted(7, 7), "seven files are not worth it"
    assert housekeeping.compact(lake, NAME, at_least=4) == Compacted(7, 3)
    assert lake.read(NAME).equals(before)
    assert housekeeping.compact(lake, NAME, at_least=4) == Compacted(3, 3)
    assert lake.history(NAME)[-1].what == "compacted"
    assert not publish(labels[0]).changed
    publish(labels[3], [cell("Maun", 6, 4, labels[3])], version=2)
    assert lake.read(NAME, period=labels[3]).to_pylist() == [cell("Maun", 6, 4, labels[3])]
    assert lake.read(NAME).num_rows == before.num_rows - 3
    assert lake.read(NAME, period=labels[4]).to_pylist() == day(labels[4])


def test_orphans_go_when_they_are_old_enough_and_nothing_else_does(lake: Lake, publish, home: Path) -> None:
    publish("2026-03-01")
    publish("2026-03-02")
    place = home / "lake" / "warehouse" / PARTNER / TABLE
    before = set(place.rglob("*"))
    loose = [place / "data" / "left.parquet", place / "metadata" / "left.metadata.json"]
    for path in loose:
        path.write_bytes(b"left by a killed writer")
    unfinished = home / "lake" / "open" / PARTNER / TABLE / "2026-03-02" / ".release-abc.partial" / "data.csv"
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"half")
    young = housekeeping.collect_orphans(lake, NAME, dt.timedelta(hours=1))
    assert young == housekeeping.Collected(files=0, bytes=0, release_files=1)
    assert not unfinished.parent.exists()
    assert housekeeping.collect_orphans(lake, NAME, NOW) == housekeeping.Collected(files=2, bytes=46)
    assert set(place.rglob("*")) == before
    assert lake.read(NAME).num_rows == 8
    assert housekeeping.collect_orphans(lake, NAME, NOW).files == 0


def test_a_night_keeps_a_table_small(lake: Lake, publish, home: Path) -> None:
    for label in days(8):
        publish(label)
    for label in days(3):
        publish(label, [cell("Maun", 6, 4, label)], version=2)
    kept = lake.keep(NAME, snapshots_older_than=NOW, orphans_older_than=NOW)
    assert kept.snapshots_expired > 10
    assert kept.compacted
    lake.keep(NAME, snapshots_older_than=NOW, orphans_older_than=NOW)
    place = home / "lake" / "warehouse" / PARTNER / TABLE
    assert len(list((place / "data").iterdir())) == 1
    assert len(list((place / "metadata").glob("*.metadata.json"))) <= 21
    assert lake.read(NAME).num_rows == 3 + 5 * 4


def planted(place: Path, needle: str) -> list[str]:
    """The files that hold a text, whatever they are compressed with."""
    found = []
    for path in sorted(place.rglob("*")):
        if not path.is_file():
            continue
        raw = path.read_bytes()
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            raw += json.dumps(table.to_pylist(), default=str, ensure_ascii=False).encode()
        elif path.suffix == ".avro":
            raw += b"".join(avro_blocks(raw))
        if needle.encode() in raw:
            found.append(path.relative_to(place).as_posix())
    return found


def avro_blocks(raw: bytes) -> list[bytes]:
    """The unpacked blocks of an Avro file: where Iceberg keeps each data file's lowest and highest values."""
    at = 4

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = raw[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)

    def text() -> bytes:
        nonlocal at
        size = number()
        at += size
        return raw[at - size : at]

    metadata = {}
    while count := number():
        for _ in range(count):
            key = text()
            metadata[key] = text()
    at += 16
    blocks = []
    while at < len(raw):
        number()
        block = text()
        blocks.append(zlib.decompress(block, -15) if metadata.get(b"avro.codec") == b"deflate" else block)
        at += 16
    return blocks


@pytest.mark.parametrize("compacted", [False, True])
def test_erased_rows_are_gone_from_every_file(lake: Lake, publish, home: Path, compacted: bool) -> None:
    """Planted: a place that only one day holds. First in an old version alone, then with a restatement that has it."""
    secret = "Ghanzi-xyzzy"
    for label in days(4):
        publish(label)
    publish("2026-03-03", [*day("2026-03-03"), cell(secret, 9, 8, "2026-03-03")], version=2)
    publish("2026-03-04", [cell(secret, 9, 8, "2026-03-04")], version=2)
    publish("2026-03-04", version=3)
    if compacted:
        housekeeping.compact(lake, NAME, at_least=3)
    root = home / "lake"
    before = planted(root, secret)
    assert any(path.endswith(".avro") for path in before), "the test looks into manifests"
    assert any(path.startswith("warehouse") and path.endswith(".parquet") for path in before)
    assert any(path.endswith("data.csv") for path in before)
    erased = lake.erase(NAME, where={"district": secret}, because="case 7")
    assert planted(root, secret) == []
    assert (erased.rows, erased.rows_left, erased.periods) == (1, 0, ("2026-03-03", "2026-03-04"))
    assert erased.files > 0
    assert erased.snapshots > 6
    assert erased.release_files == 2 * 5 + 1, "two releases, and the pointer to the one that counted"
    assert lake.read(NAME).to_pylist() == [row for label in days(4) for row in day(label)]
    tombstone = json.loads((root / "open" / PARTNER / TABLE / "2026-03-03" / "tombstone.json").read_text())
    assert tombstone["because"] == ["case 7"]
    assert len(tombstone["content_sha256"]) == 1
    pointer = json.loads((root / "open" / PARTNER / TABLE / "2026-03-04" / "latest.json").read_text())
    assert pointer["status"] == "published", "the release that counts never held it"
    assert [entry.what for entry in lake.history(NAME)] == ["erased"]
    again = lake.erase(NAME, where={"district": secret}, because="case 7")
    assert (again.rows, again.release_files, again.periods) == (0, 0, ())


def test_a_whole_period_can_be_erased(lake: Lake, publish, home: Path) -> None:
    publish("2026-03-01", [cell("Ghanzi-xyzzy", 9, 8, "2026-03-01")])
    publish("2026-03-02")
    erased = lake.erase(NAME, period="2026-03-01", because="case 8")
    assert (erased.rows, erased.rows_left, erased.periods) == (1, 0, ("2026-03-01",))
    assert planted(home / "lake", "Ghanzi-xyzzy") == []
    assert lake.table(NAME).periods == ("2026-03-02",)
    folder = home / "lake" / "open" / PARTNER / TABLE / "2026-03-01"
    assert [path.name for path in folder.iterdir()] == ["tombstone.json"]


def test_files_of_a_killed_writer_are_erased_too(lake: Lake, publish, home: Path) -> None:
    publish("2026-03-01", [cell("Ghanzi-xyzzy", 9, 8, "2026-03-01")])
    place = home / "lake" / "warehouse" / PARTNER / TABLE / "data"
    (file,) = place.iterdir()
    (place / "left.parquet").write_bytes(file.read_bytes())
    half = home / "lake" / "open" / PARTNER / TABLE / "2026-03-01" / ".release-abc.partial" / "data.csv"
    half.parent.mkdir()
    half.write_bytes(b"Ghanzi-xyzzy")
    lake.erase(NAME, where={"district": "Ghanzi-xyzzy", "trips_count": 8}, because="case 9")
    assert planted(home / "lake", "Ghanzi-xyzzy") == []


def test_an_erasure_must_say_what(lake: Lake, publish) -> None:
    publish("2026-03-01")
    for wrong in ({}, {"where": {"driver": "x"}}):
        with pytest.raises(AcequiaError) as caught:
            lake.erase(NAME, because="case 7", **wrong)
        assert caught.value.code == "usage"
    assert lake.read(NAME).num_rows == 4
    none = lake.erase(NAME, period="2026-05-01", because="case 7")
    assert (none.rows, none.release_files) == (0, 0)
    assert lake.read(NAME).num_rows == 4
    assert lake.files.listing(f"open/{PARTNER}/{TABLE}/2026-05-01") == []
