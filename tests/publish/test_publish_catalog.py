"""Reading the lake: what tables there are, their history and vintages, and questions in SQL that may do no harm."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.errors import AcequiaError
from acequia.publish import housekeeping
from acequia.publish.lake import Lake, open_lake
from acequia.publish.query import query, tables_named
from acequia.settings import Settings
from tests.publish import cells
from tests.publish.cells import NAME, cell, day


def test_the_tables_tell_what_they_hold(lake: Lake, publish) -> None:
    assert lake.tables() == []
    publish("2026-03-01")
    publish("2026-03-03", [cell("Maun", 6, 4, "2026-03-03", provisional=True)], provisional=True)
    (info,) = lake.tables()
    assert info == lake.table(NAME)
    assert (info.name, info.namespace, info.rows) == (NAME, cells.PARTNER, 5)
    assert info.periods == ("2026-03-01", "2026-03-03")
    assert info.provisional_periods == ("2026-03-03",)
    assert info.withheld_share == 1 / 5
    assert info.describe == "One row per district and hour."
    assert [column.role for column in info.columns] == ["period", *["key"] * 2, *["measure"] * 2, *["status"] * 5]
    assert info.as_row()["withheld_pct"] == 20.0
    assert lake.tables([]) == []
    assert lake.tables([cells.PARTNER]) == [info]


@pytest.mark.parametrize("name", ["kalahari_cabs.other", "nobody.trips"])
def test_a_table_that_is_not_there_is_said_to_be_unknown(lake: Lake, name: str) -> None:
    for act in (lake.table, lake.history, lake.read):
        with pytest.raises(AcequiaError) as caught:
            act(name)
        assert caught.value.code == "unknown_name"
    for wrong in ("trips", "a.b.c", "a/../b.c", ""):
        with pytest.raises(AcequiaError) as caught:
            lake.read(wrong)
        assert caught.value.code == "usage"


def test_history_has_one_entry_for_each_change(lake: Lake, publish) -> None:
    first = publish("2026-03-01")
    publish("2026-03-02")
    second = publish("2026-03-01", [cell("Maun", 6, 4, "2026-03-01")], version=2)
    lake.withdraw(NAME, "2026-03-02", "sent by mistake")
    history = lake.history(NAME)
    assert [(one.what, one.period, one.rows) for one in history] == [
        ("published", "2026-03-01", 4),
        ("published", "2026-03-02", 8),
        ("published", "2026-03-01", 5),
        ("withdrawn", "2026-03-02", 1),
    ]
    assert (history[0].snapshot_id, history[2].snapshot_id) == (first.snapshot_id, second.snapshot_id)
    assert history[2].delivery == "kalahari_cabs.trips.2026-03-01.v2"
    assert [one.committed_at for one in history] == sorted(one.committed_at for one in history)


def test_a_vintage_is_the_table_as_it_stood(lake: Lake, publish) -> None:
    first = publish("2026-03-01")
    time.sleep(0.01)
    between = dt.datetime.now(dt.UTC)
    time.sleep(0.01)
    publish("2026-03-01", [cell("Maun", 6, 4, "2026-03-01")], version=2)
    assert lake.read(NAME, snapshot=first.snapshot_id).to_pylist() == day("2026-03-01")
    assert lake.read(NAME, as_of=between).to_pylist() == day("2026-03-01")
    assert lake.read(NAME, as_of=dt.datetime.now(dt.UTC)).to_pylist() == [cell("Maun", 6, 4, "2026-03-01")]
    for wrong, code in (
        ({"as_of": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "unknown_name"),
        ({"snapshot": 1}, "unknown_name"),
        ({"as_of": dt.datetime(2020, 1, 1)}, "usage"),  # noqa: DTZ001 - that is what is wrong with it
        ({"as_of": between, "snapshot": 1}, "usage"),
    ):
        with pytest.raises(AcequiaError) as caught:
            lake.read(NAME, **wrong)
        assert caught.value.code == code


def test_no_moment_shows_the_table_without_a_period_that_was_being_replaced(lake: Lake, publish) -> None:
    publish("2026-03-01")
    publish("2026-03-01", [cell("Maun", 6, 4, "2026-03-01")], version=2)
    for snapshot in lake.load(NAME).metadata.snapshots:
        moment = dt.datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=dt.UTC)
        assert lake.read(NAME, as_of=moment).num_rows > 0


def test_a_vintage_that_has_expired_is_said_to_be_in_the_releases(lake: Lake, publish) -> None:
    publish("2026-03-01")
    then = dt.datetime.now(dt.UTC)
    time.sleep(0.01)
    publish("2026-03-02")
    housekeeping.expire(lake, NAME, dt.timedelta(0), now=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
    with pytest.raises(AcequiaError, match="open releases"):
        lake.read(NAME, as_of=then)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Two days, for the tests that only read."""
    folder = tmp_path_factory.mktemp("filled")
    lake = open_lake(Settings.from_environment({"ACEQUIA_HOME": str(folder / "home")}))
    for label, trips in (("2026-03-01", 10), ("2026-03-02", 20)):
        lake.publish(cells.disclosed(folder, label, day(label, trips)), cells.signed(folder), cells.FEED)
    yield lake
    lake.close()


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (f"SELECT sum(trips_count)::INT AS n FROM {NAME}", [{"n": 33 + 63}]),
        (f"FROM {NAME} SELECT district WHERE trips_count = 21;", [{"district": "Gaborone"}]),
        (f"SELECT max(period) AS p FROM {NAME.upper()}", [{"p": "2026-03-02"}]),
        (f"WITH a AS (SELECT * FROM {NAME}) SELECT count(*) AS n FROM a JOIN {NAME} b USING (period)", [{"n": 32}]),
        (f"SELECT 1 AS n UNION ALL SELECT count(*) FROM {NAME} ORDER BY n", [{"n": 1}, {"n": 8}]),
        (f"SELECT count(*) AS n FROM (FROM {NAME} LIMIT 3) AS x, range(2) AS r(i)", [{"n": 6}]),
        ("SELECT unnest([3, 4]) AS n", [{"n": 3}, {"n": 4}]),
        (f'SELECT count(*) AS n FROM "kalahari_cabs"."{cells.TABLE}"', [{"n": 8}]),
        ("SELECT ';DROP TABLE x' AS n -- ; nothing", [{"n": ";DROP TABLE x"}]),
    ],
)
def test_a_question_is_answered(filled: Lake, sql: str, rows: list[dict]) -> None:
    assert filled.query(sql).to_pylist() == rows


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM 'https://example.org/x.parquet'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM parquet_scan('x')",
        "SELECT * FROM sqlite_scan('a', 'b')",
        "FROM query('SELECT 1')",
        "FROM query_table(['x'])",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM lake_0",
        "SELECT * FROM other.schema.table_name",
        "SELECT current_setting('temp_directory')",
        "SELECT getenv('HOME')",
        f"COPY (SELECT * FROM {NAME}) TO '/tmp/acequia_test.csv'",
        "ATTACH '/tmp/acequia_test.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "RESET lock_configuration",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "EXPORT DATABASE '/tmp/acequia_test'",
        "CHECKPOINT",
        "EXPLAIN SELECT 1",
        "CREATE TABLE x AS SELECT 1",
        f"DROP VIEW {NAME}",
        f"INSERT INTO {NAME} SELECT * FROM {NAME}",
        f"DELETE FROM {NAME}",
        f"UPDATE {NAME} SET trips_count = 0",
        "PREPARE a AS SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; ATTACH '/tmp/acequia_test.db'",
        "",
        ";",
        "-- nothing",
        "hello",
        "SELECT 'unclosed",
        "SELECT " + "(" * 3000,
    ],
)
def test_anything_but_reading_tables_is_refused(filled: Lake, sql: str) -> None:
    with pytest.raises(AcequiaError) as caught:
        filled.query(sql)
    assert caught.value.code in ("usage", "unknown_name")
    assert not list(Path("/tmp").glob("acequia_test*"))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/acequia_test.csv'",
        "ATTACH '/tmp/acequia_test.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM filled",
    ],
)
def test_the_engine_itself_cannot_do_it_either(filled: Lake, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a parser overlooks, the connection's own settings refuse."""
    monkeypatch.setattr("acequia.publish.query.tables_named", lambda _: set())
    with pytest.raises(AcequiaError) as caught:
        filled.query(sql)
    assert caught.value.code == "usage"
    assert not list(Path("/tmp").glob("acequia_test*"))


def test_only_the_namespaces_that_a_reader_may_see_are_there(filled: Lake) -> None:
    assert filled.query(f"FROM {NAME}", [cells.PARTNER]).num_rows == 8
    with pytest.raises(AcequiaError) as hidden:
        filled.query(f"FROM {NAME}", ["another_partner"])
    with pytest.raises(AcequiaError) as absent:
        filled.query("FROM nobody.trips", ["another_partner"])
    assert str(hidden.value).replace(NAME, "X") == str(absent.value).replace("nobody.trips", "X")


def test_only_the_tables_that_are_named_are_read() -> None:
    assert tables_named("SELECT 1") == set()
    assert tables_named("WITH q AS (FROM a.b) SELECT (SELECT max(x) FROM c.d) FROM q, a.b") == {"a.b", "c.d"}


def test_answers_are_bounded(filled: Lake) -> None:
    assert filled.query(f"FROM {NAME}", limit=3).num_rows == 3
    assert filled.query(f"FROM {NAME}", limit=8).num_rows == 8
    assert filled.query(f"FROM {NAME}", limit=0).num_rows == 0
    assert filled.query(f"FROM {NAME}", max_rows=8).num_rows == 8
    with pytest.raises(AcequiaError, match="over 7 rows"):
        filled.query(f"FROM {NAME}", max_rows=7)
    started = time.monotonic()
    with pytest.raises(AcequiaError, match=r"took over 0\.2 s"):
        query(
            filled,
            "SELECT count(*) FROM range(100000000) a, range(1000000) b WHERE a.range * b.range = 7",
            timeout_s=0.2,
        )
    assert time.monotonic() - started < 5


def test_what_is_wrong_is_said_without_quoting_values(filled: Lake) -> None:
    with pytest.raises(AcequiaError, match='Referenced column "nope"'):
        filled.query(f"SELECT nope FROM {NAME}")
    with pytest.raises(AcequiaError) as caught:
        filled.query(f"SELECT district::INT FROM {NAME}")
    assert "Gaborone" not in str(caught.value)
    assert "ConversionException" in str(caught.value)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader_of_sql(sql: str) -> None:
    try:
        tables_named(sql)
    except AcequiaError as error:
        assert error.code in ("usage", "unknown_name")
