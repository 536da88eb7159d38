"""Rows of a database, as one Parquet file: `extract.parquet`.

The rows are read in one read-only transaction, in chunks, and written in a total order, so that the same rows give the
same bytes. A column's type is what its values are: see `columns.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from acequia.engine.duck import connect, literal, quoted
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.receive.connections import Connection
from acequia.receive.sources.columns import Column
from acequia.receive.sources.source import Found, Listing, too_large

if TYPE_CHECKING:
    from sqlalchemy import Connection as Session
    from sqlalchemy import CursorResult, Engine

EXTRACT = "extract.parquet"
ROWS_A_CHUNK = 50_000
STATEMENT_TIMEOUT_S = 1800
MEMORY_LIMIT = "1GB"  # the sort spills to scratch beyond it


@dataclass(frozen=True)
class QueriedRows:
    """The rows that the query gives for the period."""

    engine: Engine
    query: str
    period: Period
    atomic: bool = True

    def listing(self) -> Listing:
        """One file, when there is at least one row."""
        with self._result() as result:
            there = result.fetchone() is not None
        return Listing((Found(EXTRACT, "", EXTRACT, EXTRACT, None, ""),) if there else ())

    def fetch(self, found: Found, target: Path, at_most: int) -> None:
        """Write all rows as Parquet."""
        with TemporaryDirectory(dir=target.parent) as parts:
            with self._result() as result:
                names = list(result.keys())
                if len(set(names)) != len(names):
                    raise AcequiaError("agreement_invalid", "the source's query names a column twice")
                columns = [Column(name) for name in names]
                written = _write_parts(result, columns, Path(parts), at_most)
            if not written:
                raise AcequiaError("delivery_missing", "the query gives no rows for the period any more")
            _sort(Path(parts), columns, target)
        if target.stat().st_size > at_most:
            raise too_large(at_most)

    @contextmanager
    def _result(self) -> Iterator[CursorResult[Any]]:
        from sqlalchemy import text

        # `:name::date` is PostgreSQL's cast; SQLAlchemy would read another name out of it.
        query = re.sub(r":(period_start|period_end)::", r":\1 ::", self.query)
        days: tuple[Any, Any] = (self.period.start, self.period.end)
        if self.engine.dialect.name == "sqlite":  # which has no dates, only their text
            days = (days[0].isoformat(), days[1].isoformat())
        with _naming_errors(), _reading(self.engine) as session:
            yield session.execute(text(query), {"period_start": days[0], "period_end": days[1]})


@contextmanager
def queried_rows(connection: Connection, query: str, period: Period) -> Iterator[QueriedRows]:
    """Open the database, and close it when the block ends."""
    from sqlalchemy import NullPool, create_engine, make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    connection.require("url")
    try:
        url = make_url(str(connection.url))
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg2")
        timeout = {"connect_timeout": 15} if url.get_backend_name() in ("postgresql", "mysql", "mariadb") else {}
        engine = create_engine(url, poolclass=NullPool, connect_args=timeout, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise AcequiaError("connection_invalid", "url is not an SQLAlchemy URL whose driver is installed") from None
    try:
        yield QueriedRows(engine, query, period)
    finally:
        engine.dispose()


@contextmanager
def _reading(engine: Engine) -> Iterator[Session]:
    """A transaction that cannot write, where the database has such; rolled back at the end."""
    name, milliseconds = engine.dialect.name, STATEMENT_TIMEOUT_S * 1000
    with engine.connect() as session:
        if name == "postgresql":
            session = session.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
            session.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
        elif name in ("mysql", "mariadb"):
            session.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            session.exec_driver_sql(
                f"SET SESSION max_execution_time = {milliseconds}"
                if name == "mysql"
                else f"SET SESSION max_statement_time = {STATEMENT_TIMEOUT_S}"
            )
            session.rollback()  # what was set holds from the next transaction on
        elif name == "sqlite":
            session.exec_driver_sql("PRAGMA query_only = ON")
        yield session.execution_options(stream_results=True, yield_per=ROWS_A_CHUNK)
        session.rollback()


def _write_parts(result: CursorResult[Any], columns: Sequence[Column], parts: Path, at_most: int) -> int:
    """Write each chunk to a file of its own; how many there are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number, size = 0, 0
    for number, rows in enumerate(result.partitions(ROWS_A_CHUNK), start=1):
        arrays = [column.read([row[place] for row in rows]) for place, column in enumerate(columns)]
        names = [f"c{place}" for place in range(len(columns))]
        file = parts / f"{number:08d}.parquet"
        pq.write_table(pa.Table.from_arrays(arrays, names), file, compression="zstd")
        size += file.stat().st_size
        if size > at_most:
            raise too_large(at_most)
    return number


def _sort(parts: Path, columns: Sequence[Column], target: Path) -> None:
    """Bring all chunks to the types that fit every one of them, and the rows into order."""
    chosen = ", ".join(f"{column.cast(f'c{place}')} AS {quoted(column.name)}" for place, column in enumerate(columns))
    files = f"read_parquet({literal(str(parts / '*.parquet'))}, union_by_name = true)"
    with connect(MEMORY_LIMIT, parts) as duck:
        duck.execute(
            f"COPY (SELECT {chosen} FROM {files} ORDER BY ALL) TO {literal(str(target))}"  # noqa: S608 - quoted above
            " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
        )


@contextmanager
def _naming_errors() -> Iterator[None]:
    """Name what the database said by its SQLSTATE. Its words may hold values."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise _named(error) from None


def _named(error: Any) -> AcequiaError:
    state = str(getattr(error.orig, "pgcode", None) or getattr(error.orig, "sqlstate", None) or "")
    said = str(error.orig).lower()  # a refused login has no SQLSTATE with some drivers; it is read, never repeated
    logins = ("authentication failed", "access denied", "no pg_hba.conf entry", "login failed", "does not exist")
    if state in ("28000", "28P01", "42501", "3D000") or (not state and any(words in said for words in logins)):
        return AcequiaError("source_denied", "the database refuses the login, or its right to read")
    if state[:2] in ("", "08", "53", "57", "58", "40", "HY"):
        return AcequiaError("source_unreachable", f"the database does not answer{f' ({state})' if state else ''}")
    return AcequiaError("agreement_invalid", f"the database cannot run the source's query (SQLSTATE {state})")
