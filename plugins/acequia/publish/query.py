"""SQL over curated tables, for people who are not trusted with the machine: only reading, only tables, bounded."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from acequia.engine.duck import connect, quoted
from acequia.errors import AcequiaError
from acequia.publish.files import storing
from acequia.scratch import scratch_folder

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from sqlglot import exp

    from acequia.publish.lake import Lake

MAX_ROWS, TIMEOUT_S = 1_000_000, 60.0
_ROW_MAKERS = {"UNNEST", "RANGE", "GENERATE_SERIES", "GENERATESERIES", "EXPLODINGGENERATESERIES"}
_TELLTALE = {"CURRENT_SETTING", "GETENV", "WRITE_LOG", "PRAGMA"}


def query(
    lake: Lake,
    sql: str,
    namespaces: Collection[str] | None = None,
    *,
    limit: int | None = None,
    max_rows: int = MAX_ROWS,
    timeout_s: float = TIMEOUT_S,
    as_of: dt.datetime | None = None,
) -> pa.Table:
    """The answer to one SELECT (DuckDB's SQL) over `<partner>.<table>` as they stand; of these `namespaces` only.

    The SQL runs in an empty DuckDB that cannot reach files or the network and cannot be told otherwise; what it names
    is handed in. With `limit`, only so many first rows of the answer; with `as_of`, the tables as they stood then.

    Raises:
        AcequiaError: `usage` for anything but one SELECT, a wrong name inside it, more than `max_rows` rows of answer
            or more than `timeout_s` seconds; `unknown_name` for a table that the lake does not hold.
    """
    names = tables_named(sql)
    with storing("query"):
        loaded = {name: _rows(lake, name, namespaces, as_of) for name in sorted(names)}
    with scratch_folder(lake.home / "scratch") as scratch:
        connection = connect(lake.memory_limit, scratch)
        try:
            _hand_in(connection, loaded)
            return _answer(connection, sql, limit, max_rows, timeout_s)
        finally:
            connection.close()


def tables_named(sql: str) -> set[str]:
    """The lake tables that a SELECT names, as `<partner>.<table>`; `usage` for any other statement."""
    import duckdb
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = [statement for statement in sqlglot.parse(sql, read="duckdb") if statement is not None]
        kinds = [statement.type.name for statement in duckdb.extract_statements(sql)]
    except (SqlglotError, duckdb.Error, RecursionError):
        raise AcequiaError("usage", "this is not a SELECT that DuckDB understands") from None
    if len(parsed) != 1 or kinds != ["SELECT"] or not isinstance(parsed[0], exp.Query):
        raise AcequiaError("usage", "only one SELECT can be asked")
    statement = parsed[0]
    if any(True for _ in statement.find_all(exp.DDL, exp.DML, exp.Command, exp.Into, exp.Pragma, exp.Set)):
        raise AcequiaError("usage", "only reading is allowed")
    _refuse_functions(statement)
    return {name for table in statement.find_all(exp.Table) if (name := _name(table, statement))}


def _refuse_functions(statement: exp.Expression) -> None:
    from sqlglot import exp

    for call in statement.find_all(exp.Anonymous, exp.Func):
        name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).upper()
        if name in _TELLTALE:
            raise AcequiaError("usage", f"the function {name.lower()} is not available here")


def _name(table: exp.Table, statement: exp.Expression) -> str | None:
    """The table's full name; None for what the query itself defines or generates."""
    from sqlglot import exp

    if not isinstance(table.this, exp.Identifier):
        kind = table.this.name if isinstance(table.this, exp.Anonymous) else table.this.key
        if kind.upper() in _ROW_MAKERS:
            return None
        raise AcequiaError("usage", "only tables of the lake can be read: functions that read files are not available")
    if table.catalog or not table.db:
        if not table.catalog and table.name.lower() in {cte.alias.lower() for cte in statement.find_all(exp.CTE)}:
            return None
        raise AcequiaError("usage", "name tables as <partner>.<table>; see `acequia tables`")
    return f"{table.db}.{table.name}".lower()


def _rows(lake: Lake, name: str, namespaces: Collection[str] | None, as_of: dt.datetime | None) -> pa.Table:
    """The table as it stands, or stood. One that may not be seen is answered like one that is not there."""
    unknown = AcequiaError("unknown_name", f"the lake has no table {name} for you; see `acequia tables`")
    if namespaces is not None and name.split(".")[0] not in namespaces:
        raise unknown
    try:
        found = lake.load(name)
    except AcequiaError:
        raise unknown from None
    return found.scan().to_arrow() if as_of is None else lake.read(name, as_of=as_of)


def _hand_in(connection: duckdb.DuckDBPyConnection, loaded: dict[str, pa.Table]) -> None:
    connection.execute("SET python_enable_replacements = false")
    for number, (name, rows) in enumerate(loaded.items()):
        namespace, table = name.split(".")
        connection.register(f"lake_{number}", rows)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(namespace)}")
        connection.execute(f"CREATE VIEW {quoted(namespace)}.{quoted(table)} AS FROM lake_{number}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _answer(
    connection: duckdb.DuckDBPyConnection, sql: str, limit: int | None, max_rows: int, timeout_s: float
) -> pa.Table:
    import duckdb
    import pyarrow as pa

    with _at_most(connection, timeout_s) as late:
        try:
            return _bounded(connection.sql(sql).to_arrow_reader(50_000), limit, max_rows)
        except (duckdb.Error, pa.ArrowException) as error:
            if late.is_set():
                raise AcequiaError("usage", f"the query took over {timeout_s:g} s: ask for less") from None
            raise AcequiaError("usage", _why(error)) from None


def _bounded(reader: pa.RecordBatchReader, limit: int | None, max_rows: int) -> pa.Table:
    import pyarrow as pa

    batches, rows = [], 0
    for batch in reader:
        rows += batch.num_rows
        if limit is not None and rows >= limit:
            batches.append(batch.slice(0, batch.num_rows - rows + limit))
            break
        if rows > max_rows:
            raise AcequiaError("usage", f"the answer has over {max_rows} rows: aggregate, or add a LIMIT")
        batches.append(batch)
    return pa.Table.from_batches(batches, schema=reader.schema)


@contextmanager
def _at_most(connection: duckdb.DuckDBPyConnection, timeout_s: float) -> Iterator[threading.Event]:
    late = threading.Event()

    def stop() -> None:
        late.set()
        connection.interrupt()

    timer = threading.Timer(timeout_s, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _why(error: Exception) -> str:
    """Binder and parser errors speak of names in the query, and help; others may quote values, so only their kind."""
    import duckdb

    if isinstance(error, duckdb.BinderException | duckdb.ParserException | duckdb.CatalogException):
        return str(error).splitlines()[0][:300]
    return f"DuckDB could not answer it ({type(error).__name__})"
