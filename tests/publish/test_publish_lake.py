"""Tables in the lake: created, added to, restated, repeated, evolved."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.agreement.load import Signed
from acequia.errors import AcequiaError
from acequia.publish import housekeeping
from acequia.publish.content import digest, typed
from acequia.publish.lake import Lake, open_lake
from acequia.settings import Settings
from tests.publish import cells
from tests.publish.cells import NAME, cell, day, disclosed


def test_publishing_creates_the_table_with_what_the_agreement_says(lake: Lake, publish, signed: Signed) -> None:
    published = publish("2026-03-01")
    assert (published.table, published.period, published.changed) == (NAME, "2026-03-01", True)
    table = lake.load(NAME)
    assert published.snapshot_id == table.current_snapshot().snapshot_id
    docs = {field.name: field.doc for field in table.schema().fields}
    assert docs["distance_km_sum"] == "Distance driven, in all. Unit: km."
    assert docs["started_hour"].startswith("Hour in which the trip began.")
    assert docs["trips_count"] == "How many rows of the delivery count to it."
    assert all(docs.values())
    assert not any(field.required for field in table.schema().fields)
    properties = table.properties
    assert properties["acequia.agreement"] == "1.0"
    assert properties["acequia.agreement-sha256"] == signed.sha256
    assert properties["comment"] == "One row per district and hour."
    assert properties["acequia.recipients"] == "ministry_of_transport"
    assert properties["commit.retry.num-retries"] == "20"


def test_the_snapshot_says_what_was_published(lake: Lake, publish) -> None:
    published = publish("2026-03-01")
    facts = dict(lake.load(NAME).current_snapshot().summary.additional_properties)
    assert facts["acequia.delivery"] == "kalahari_cabs.trips.2026-03-01.v1"
    assert facts["acequia.period"] == "2026-03-01"
    assert facts["acequia.agreement"] == "1.0"
    assert facts["acequia.content-sha256"] == published.content_sha256
    assert facts["acequia.disclosure"] == '{"rules":["dominance","min_contributors"],"withheld":{"min_contributors":1}}'
    assert len(facts["acequia.run"]) == 36


def test_the_rows_come_back_as_they_were_handed_over(lake: Lake, publish) -> None:
    publish("2026-03-02")
    publish("2026-03-01")
    assert lake.read(NAME).to_pylist() == [*day("2026-03-01"), *day("2026-03-02")]
    assert lake.read(NAME, period="2026-03-02").to_pylist() == day("2026-03-02")


def test_the_same_content_again_changes_nothing(lake: Lake, publish, home: Path) -> None:
    first = publish("2026-03-01")
    publish("2026-03-02")
    before = _bytes(home / "lake")
    again = publish("2026-03-01", list(reversed(day("2026-03-01"))))
    assert again == first.model_copy(update={"changed": False})
    assert _bytes(home / "lake") == before


def test_the_same_content_changes_nothing_when_its_snapshot_has_expired(lake: Lake, publish, home: Path) -> None:
    first = publish("2026-03-01")
    last = publish("2026-03-02")
    housekeeping.expire(lake, NAME, dt.timedelta(0), now=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
    before = _bytes(home / "lake")
    again = publish("2026-03-01")
    assert (again.changed, again.snapshot_id) == (False, last.snapshot_id)
    assert again.content_sha256 == first.content_sha256
    assert _bytes(home / "lake") == before


def test_a_restatement_replaces_its_period_exactly(lake: Lake, publish) -> None:
    publish("2026-03-01")
    publish("2026-03-02")
    corrected = [cell("Gaborone", 6, 99, "2026-03-01"), cell("Serowe", 8, 7, "2026-03-01")]
    published = publish("2026-03-01", corrected, version=2)
    assert published.changed
    assert lake.read(NAME).to_pylist() == [*corrected, *day("2026-03-02")]
    back = publish("2026-03-01", version=3)
    assert back.changed
    assert lake.read(NAME, period="2026-03-01").to_pylist() == day("2026-03-01")


def test_a_period_without_a_cell_is_published_once(lake: Lake, publish) -> None:
    publish("2026-03-01")
    first = publish("2026-03-02", [])
    again = publish("2026-03-02", [])
    assert (first.changed, again.changed) == (True, False)
    housekeeping.expire(lake, NAME, dt.timedelta(0), now=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
    assert not publish("2026-03-02", []).changed
    assert publish("2026-03-03", []).changed


def test_a_new_measure_is_added_and_an_old_one_stays_null(lake: Lake, publish, tmp_path: Path) -> None:
    publish("2026-03-01")
    newer = cells.signed(tmp_path / "agreements", "1.1", "drivers_count: {count_distinct: driver_id, unit: drivers}")
    schema = cells.SCHEMA.append(pa.field("drivers_count", pa.int32()))
    rows = [cell("Gaborone", 6, 10, "2026-03-02", drivers_count=4)]
    publish("2026-03-02", rows, terms=newer, schema=schema)
    seen = {row["period"]: row for row in lake.read(NAME).to_pylist()}
    assert seen["2026-03-01"]["drivers_count"] is None
    assert seen["2026-03-02"]["drivers_count"] == 4
    assert lake.table(NAME).properties["acequia.agreement"] == "1.1"
    assert not publish("2026-03-01").changed, "the old content is still the same content"
    publish("2026-03-03")
    assert lake.read(NAME, period="2026-03-03")["drivers_count"].null_count == 4


def test_whole_numbers_fit_a_column_of_doubles_and_not_the_other_way(lake: Lake, publish, tmp_path: Path) -> None:
    whole = cells.SCHEMA.set(4, pa.field("distance_km_sum", pa.int64()))
    publish("2026-03-01")
    publish("2026-03-02", [cell("Maun", 6, 2, "2026-03-02")], schema=whole)
    assert lake.read(NAME, period="2026-03-02")["distance_km_sum"].to_pylist() == [3.0]
    assert not publish("2026-03-02", [cell("Maun", 6, 2, "2026-03-02")], schema=whole).changed
    terms = cells.signed(tmp_path / "agreements", "2.0", "fare: {sum: distance_km}")
    extra = cells.SCHEMA.append(pa.field("fare", pa.int64()))
    publish("2026-03-03", [cell("Maun", 6, 2, "2026-03-03", fare=4)], terms=terms, schema=extra)
    extra = cells.SCHEMA.append(pa.field("fare", pa.float64()))
    with pytest.raises(AcequiaError, match="fare was published as long and would now be double") as caught:
        publish("2026-03-04", [cell("Maun", 6, 2, "2026-03-04", fare=4.5)], terms=terms, schema=extra)
    assert caught.value.code == "agreement_invalid"
    assert "2026-03-04" not in lake.table(NAME).periods


def test_a_narrow_column_is_widened(lake: Lake, publish) -> None:
    """A table made by another engine may hold 32 bits; Iceberg widens those."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import FloatType, IntegerType, NestedField

    lake.catalog.create_namespace(cells.PARTNER)
    narrow = Schema(
        NestedField(1, "trips_count", IntegerType(), required=False),
        NestedField(2, "distance_km_sum", FloatType(), required=False),
    )
    lake.catalog.create_table((cells.PARTNER, cells.TABLE), narrow, location=f"{lake.warehouse}/{NAME}")
    publish("2026-03-01")
    types = {field.name: str(field.field_type) for field in lake.load(NAME).schema().fields}
    assert (types["trips_count"], types["distance_km_sum"]) == ("long", "double")
    assert lake.read(NAME).select(cells.SCHEMA.names).to_pylist() == day("2026-03-01")


@pytest.mark.parametrize(
    ("code", "says", "rows"),
    [
        ("internal", "another period", [cell("Maun", 6, 2, "2026-03-02")]),
        ("internal", "same cell", [cell("Maun", 6, 2, "2026-03-01"), cell("Maun", 6, 3, "2026-03-01")]),
        ("internal", "status", [cell("Maun", 6, 2, "2026-03-01", cell_status="fine")]),
        ("internal", "status", [cell("Maun", 6, 2, "2026-03-01", cell_status=None)]),
        ("release_stopped", "1 numbers", [cell("Maun", 6, None, "2026-03-01", distance_km_sum=2.5)]),
        ("release_stopped", "1 numbers", [cell("Maun", 6, None, "2026-03-01", contributors_count=2)]),
    ],
)
def test_cells_that_are_not_sound_are_not_published(lake: Lake, publish, code: str, says: str, rows: list) -> None:
    with pytest.raises(AcequiaError, match=says) as caught:
        publish("2026-03-01", rows)
    assert caught.value.code == code
    assert lake.tables() == []


def test_cells_that_changed_after_they_were_handed_over_are_not_published(
    lake: Lake, signed: Signed, tmp_path: Path
) -> None:
    handed = disclosed(tmp_path, "2026-03-01", day("2026-03-01"))
    Path(handed.path).write_bytes(Path(handed.path).read_bytes() + b" ")
    with pytest.raises(AcequiaError, match="not the file"):
        lake.publish(handed, signed, cells.FEED)
    Path(handed.path).unlink()
    with pytest.raises(AcequiaError, match="gone"):
        lake.publish(handed, signed, cells.FEED)


def test_columns_other_than_the_agreements_are_not_published(publish) -> None:
    schema = cells.SCHEMA.append(pa.field("driver_name", pa.string()))
    with pytest.raises(AcequiaError, match="other columns") as caught:
        publish("2026-03-01", [cell("Maun", 6, 5, "2026-03-01", driver_name="x")], schema=schema)
    assert "driver_name" not in str(caught.value)


def test_a_withdrawn_period_is_gone_and_can_come_back(lake: Lake, publish) -> None:
    publish("2026-03-01")
    publish("2026-03-02")
    assert lake.withdraw(NAME, "2026-03-01", "sent by mistake") == lake.load(NAME).current_snapshot().snapshot_id
    assert lake.table(NAME).periods == ("2026-03-02",)
    assert lake.withdraw(NAME, "2026-03-01", "sent by mistake") is None
    assert b'"withdrawn"' in lake.files.read(f"open/{cells.PARTNER}/{cells.TABLE}/2026-03-01/latest.json")
    assert publish("2026-03-01").changed
    assert lake.table(NAME).periods == ("2026-03-01", "2026-03-02")
    assert b'"published"' in lake.files.read(f"open/{cells.PARTNER}/{cells.TABLE}/2026-03-01/latest.json")


def test_readers_that_know_only_the_path_find_the_newest_metadata(lake: Lake, publish, home: Path) -> None:
    from pyiceberg.table import StaticTable

    publish("2026-03-01")
    publish("2026-03-02")
    place = home / "lake" / "warehouse" / cells.PARTNER / cells.TABLE
    assert StaticTable.from_metadata(str(place)).scan().to_arrow().num_rows == 8


def test_the_path_of_the_lake_may_hold_spaces_but_no_signs_of_urls(tmp_path: Path, signed: Signed) -> None:
    home = tmp_path / "my lake ñ [1]"
    settings = Settings.from_environment({"ACEQUIA_HOME": str(home)})
    lake = open_lake(settings)
    lake.publish(disclosed(tmp_path, "2026-03-01", day("2026-03-01")), signed, cells.FEED)
    assert lake.read(NAME).num_rows == 4
    lake.close()
    with pytest.raises(AcequiaError, match="path of the lake"):
        open_lake(Settings.from_environment({"ACEQUIA_HOME": str(tmp_path / "lake#1")}))


def test_a_lake_that_cannot_be_written_says_so_and_can_be_tried_again(home: Path, publish) -> None:
    home.mkdir(parents=True)
    (home / "lake").write_text("a file where a folder should be")
    with pytest.raises(AcequiaError) as caught:
        publish("2026-03-01")
    assert (caught.value.code, caught.value.retryable) == ("store_unreachable", True)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    lake = Lake("postgresql+psycopg2://u:hush@h/d", "s3://b", tmp_path, {"s3.secret-access-key": "hush"})
    assert "hush" not in repr(lake) + repr(lake.files)


VALUES = st.one_of(st.none(), st.floats(allow_nan=False, width=64), st.integers(-(2**40), 2**40).map(float))


@given(st.lists(st.tuples(st.text(max_size=3), VALUES), max_size=8), st.randoms())
def test_content_is_named_by_what_the_rows_say(pairs: list[tuple[str, float | None]], shuffle) -> None:
    """Order, further columns of nulls and the width of whole numbers do not matter; any other value does."""
    rows = pa.table({"k": [k for k, _ in pairs], "v": pa.array([v for _, v in pairs], pa.float64())})
    mixed = list(pairs)
    shuffle.shuffle(mixed)
    other = pa.table(
        {"v": pa.array([v for _, v in mixed], pa.float64()), "k": [k for k, _ in mixed], "n": pa.nulls(len(mixed))}
    )
    assert digest(rows) == digest(other)
    if all(v is None or v.is_integer() and abs(v) < 2**53 for _, v in pairs):
        assert digest(rows) == digest(rows.set_column(1, "v", rows["v"].cast(pa.int64())))
    if pairs:
        assert digest(rows) != digest(rows.slice(1))
        changed = pa.array([*rows["k"].to_pylist()[:-1], rows["k"][-1].as_py() + "x"])
        assert digest(rows) != digest(rows.set_column(0, "k", changed))


def test_a_column_that_the_lake_cannot_keep_is_refused(signed: Signed) -> None:
    spec = signed.agreement.feed(cells.FEED).tables[cells.TABLE]
    with pytest.raises(AcequiaError, match="district has a type"):
        typed(pa.table({"district": [[1, 2]]}), spec, "here")
    with pytest.raises(AcequiaError, match="trips_count holds values"):
        typed(pa.table({"trips_count": ["many"]}), spec, "here")


def _bytes(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_the_parameters_of_the_rules_are_nowhere_in_the_lake(publish, home: Path) -> None:
    """Whoever knows k can bound the largest contributor of a withheld cell."""
    publish("2026-03-01")
    assert not [path for path in (home / "lake").rglob("*") if path.is_file() and b"k_pct" in path.read_bytes()]
