"""A database as a source: PostgreSQL as partners run it, SQLite where a file is all there is."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.receive.connections import Connection
from acequia.receive.sources import sql
from acequia.receive.sources.columns import Column, as_text, kind_of
from tests.receive.partners import terms

MONTH = Period.parse("2026-11")
QUERY = "SELECT * FROM trips WHERE at >= :period_start AND at < :period_end"


def agreed(query: str = QUERY, **more):
    more = {"format": "parquet", "period": "month", **more}
    return terms({"type": "sql", "connection": "c", "query": query}, **more)


def fill(url: str, rows: int, seed: int = 0) -> None:
    numbers = list(range(rows))
    random.Random(seed).shuffle(numbers)
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as session:
        session.exec_driver_sql("DROP TABLE IF EXISTS trips")
        session.exec_driver_sql("CREATE TABLE trips (id BIGINT, at TIMESTAMP, fare NUMERIC(10,2), name TEXT)")
        trips = sa.table("trips", sa.column("id"), sa.column("at"), sa.column("fare"), sa.column("name"))
        start = datetime.fromisoformat("2026-10-31 23:00")
        session.execute(
            sa.insert(trips),
            [{"id": n, "at": start + timedelta(hours=n), "fare": n / 4, "name": f"n{n % 7}"} for n in numbers],
        )


def extract(office, arrived):
    (file,) = arrived.files
    office.landing.fetch(file.stored, office.home / "extract.parquet")
    return pq.read_table(office.home / "extract.parquet")


def code_of(office, terms_, connection) -> str:
    with pytest.raises(AcequiaError) as raised:
        office.receive(terms_, connection, MONTH)
    return raised.value.code


def test_the_rows_of_the_period_as_one_ordered_parquet_file(office, postgres_url):
    fill(postgres_url, 1000)
    connection = Connection(url=postgres_url)
    assert office.look(agreed(), connection, MONTH)
    table = extract(office, office.receive(agreed(), connection, MONTH))
    assert table.column_names == ["id", "at", "fare", "name"]
    assert table["id"].to_pylist() == list(range(1, 721))
    assert table["fare"].to_pylist()[:3] == [0.25, 0.5, 0.75]
    assert table["at"].to_pylist()[0] == datetime.fromisoformat("2026-11-01")


def test_the_same_rows_give_the_same_bytes_in_whatever_order_and_chunks_they_come(office, postgres_url, monkeypatch):
    found = set()
    for seed, chunk in ((1, 50_000), (2, 97), (3, 400)):
        monkeypatch.setattr(sql, "ROWS_A_CHUNK", chunk)
        fill(postgres_url, 1000, seed)
        found.add(office.receive(agreed(), Connection(url=postgres_url), MONTH).content_sha256)
    assert len(found) == 1


def test_a_month_without_rows_is_missing(office, postgres_url):
    fill(postgres_url, 1)
    connection = Connection(url=postgres_url)
    assert not office.look(agreed(), connection, MONTH)
    assert code_of(office, agreed(), connection) == "delivery_missing"


def test_postgres_writes_its_casts_with_colons(office, postgres_url):
    fill(postgres_url, 1000)
    query = "SELECT id FROM trips WHERE at >= :period_start::date AND at < :period_end::timestamp"
    assert extract(office, office.receive(agreed(query), Connection(url=postgres_url), MONTH)).num_rows == 720


def test_types_of_postgres(office, postgres_url):
    query = """
      SELECT 1::smallint AS a, 2.5::real AS b, 3::numeric AS c, 12345678901234567890::numeric AS d, true AS e,
        '2026-11-02'::date AS f, '2026-11-02 10:00'::timestamp AS g, '2026-11-02 10:00+02'::timestamptz AS h,
        '{"b": 1, "a": [2]}'::jsonb AS i, '\\x00ff'::bytea AS j, null::text AS k, '1 day'::interval AS l,
        '0f0e0d0c-0000-4000-8000-000000000000'::uuid AS m
      WHERE :period_start < :period_end
    """
    (row,) = extract(office, office.receive(agreed(query), Connection(url=postgres_url), MONTH)).to_pylist()
    instant = datetime(2026, 11, 2, 8, tzinfo=UTC)
    local = datetime.fromisoformat("2026-11-02 10:00")
    assert row == {"a": 1, "b": 2.5, "c": 3, "d": "12345678901234567890", "e": True, "f": date(2026, 11, 2),
                   "g": local, "h": instant, "i": '{"a": [2], "b": 1}', "j": "00ff", "k": None, "l": "86400.0",
                   "m": "0f0e0d0c-0000-4000-8000-000000000000"}  # fmt: skip


def test_a_reader_reads_and_nobody_writes(office, postgres_server):
    url = postgres_server.database("sql_source")
    fill(url, 1000)
    reader = postgres_server.reader("sql_source", "sql_source_reader")
    assert office.receive(agreed(), reader, MONTH).refusal is None
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as session:
        session.exec_driver_sql("CREATE SEQUENCE numbers")
    writing = "SELECT nextval('numbers') FROM trips WHERE at >= :period_start AND at < :period_end"
    assert code_of(office, agreed(writing), Connection(url=url)) == "agreement_invalid"
    hidden = "SELECT * FROM pg_authid WHERE :period_start < :period_end"
    assert code_of(office, agreed(hidden), reader) == "source_denied"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "guessed"}, "source_denied"),
        ({"username": "somebody"}, "source_denied"),
        ({"database": "another"}, "source_denied"),
        ({"port": 1}, "source_unreachable"),
        ({"drivername": "postgresql+nodriver"}, "connection_invalid"),
    ],
)
def test_logins_that_fail(office, postgres_url, change, code):
    url = sa.make_url(postgres_url).set(**change).render_as_string(hide_password=False)
    assert code_of(office, agreed(), Connection(url=url)) == code


def test_queries_that_cannot_be_run_do_not_repeat_what_the_database_says(office, postgres_url):
    fill(postgres_url, 1000)
    for query in (
        "SELECT nothing FROM trips WHERE at >= :period_start AND at < :period_end",
        "SELECT name::int FROM trips WHERE at >= :period_start AND at < :period_end",
        "SELECT id, fare AS id FROM trips WHERE at >= :period_start AND at < :period_end",
    ):
        with pytest.raises(AcequiaError) as raised:
            office.receive(agreed(query), Connection(url=postgres_url), MONTH)
        assert raised.value.code == "agreement_invalid"
        assert "n1" not in str(raised.value)


def test_an_extract_larger_than_agreed_is_not_taken(office, postgres_url):
    fill(postgres_url, 1000)
    arrived = office.receive(agreed(bytes_at_most=1000), Connection(url=postgres_url), MONTH)
    assert arrived.refusal[0] == "file_too_large"
    assert arrived.files == ()


def test_sqlite(office, tmp_path):
    url = f"sqlite:///{tmp_path / 'trips.db'}"
    fill(url, 1000)
    table = extract(office, office.receive(agreed(), Connection(url=url), MONTH))
    assert table["id"].to_pylist() == list(range(1, 721))


@pytest.mark.parametrize("name", ["2026-11.parquet", "2026-11/part-1.parquet", "extract-of-november.parquet"])
def test_an_extract_given_by_hand(office, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"PAR1")
    arrived = office.receive(agreed(), period=MONTH, from_dir=tmp_path)
    assert [file.bytes for file in arrived.files] == [4]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, Decimal("2")], "integer"),
        ([1, Decimal("2.5")], "number"),
        ([Decimal("NaN")], "number"),
        ([2**63 - 1], "integer"),
        ([2**63], "text"),
        ([True, 1], "text"),
        ([1.0, 2], "number"),
        ([datetime.fromisoformat("2026-01-01"), datetime(2026, 1, 1, tzinfo=UTC)], "text"),
        ([date(2026, 1, 1)], "date"),
        ([uuid.UUID(int=1)], "text"),
    ],
)
def test_kinds_of_values(values, kind):
    assert kind_of(values) == kind


def test_a_column_whose_chunks_differ():
    column = Column("c")
    for values, kind in (([None], "text"), ([1], "integer"), ([2.5], "number"), (["x"], "text")):
        column.read(values)
        assert column.kind == kind
    assert as_text(memoryview(b"\x01")) == "01"


@given(st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62), st.decimals(-1000, 1000, places=2))))
def test_a_column_of_numbers_is_of_one_type_whatever_the_chunks(values):
    whole, parts = Column("c"), Column("c")
    whole.read(values)
    for value in values:
        parts.read([value])
    assert whole.kind == parts.kind
