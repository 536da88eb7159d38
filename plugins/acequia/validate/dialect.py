"""One DuckDB connection as SQLAlchemy sees a PostgreSQL: as much of it as Great Expectations asks for.

Great Expectations writes PostgreSQL's SQL, which DuckDB reads, but for what stands below. The published driver for
DuckDB reflects tables through PostgreSQL's system tables, which DuckDB has only in part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import UserDefinedType

if TYPE_CHECKING:
    from sqlalchemy import Engine

_SCHEME = "acequia_duckdb"


def engine_over(connection: duckdb.DuckDBPyConnection) -> Engine:
    """An engine whose every connection is this one; who opened it closes it."""
    registry.register(_SCHEME, __name__, "DuckDialect")
    return create_engine(f"{_SCHEME}://", creator=lambda: _Connection(connection), poolclass=StaticPool)


class _Cursor:
    """Holds all rows from the start: Great Expectations returns the connection before it fetches."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self.description: Any = None
        self.rowcount = -1
        self.arraysize = 1

    def execute(self, statement: str, parameters: Any = ()) -> None:
        done = self._connection.execute(statement, list(parameters or ()))
        self.description = done.description
        self._rows = done.fetchall() if self.description else []

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        taken, self._rows = self._rows[: size or 1], self._rows[size or 1 :]
        return taken

    def fetchall(self) -> list[tuple[Any, ...]]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        self._rows = []


class _Connection:
    """What SQLAlchemy's pool holds. Only reads happen here, so commit, rollback and close have nothing to do."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection)

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


class _Driver:
    """The module of a database driver, as far as SQLAlchemy looks into it."""

    apilevel, threadsafety, paramstyle = "2.0", 1, "qmark"
    Error = DatabaseError = duckdb.Error
    ProgrammingError = duckdb.ProgrammingError


class _Compiler(PGCompiler):
    def visit_custom_op_binary(self, element: Any, operator: Any, **kwargs: Any) -> str:
        """PostgreSQL's `~` finds a pattern anywhere; DuckDB's `~` wants it to cover the whole text."""
        if operator.opstring not in ("~", "!~"):
            return str(super().visit_custom_op_binary(element, operator, **kwargs))  # type: ignore[no-untyped-call]
        left, right = self.process(element.left, **kwargs), self.process(element.right, **kwargs)
        return f"{'NOT ' if operator.opstring == '!~' else ''}regexp_matches({left}, {right})"


class _Preparer(PGIdentifierPreparer):
    def _requires_quotes(self, value: str) -> bool:
        """Quote every name: DuckDB reserves other words than PostgreSQL."""
        return True


class _Named(UserDefinedType[Any]):
    """A column's type under DuckDB's own name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


class DuckDialect(PGDialect):
    """PostgreSQL's dialect, with tables looked up where DuckDB describes them."""

    driver = "acequia"
    default_paramstyle = "qmark"
    supports_statement_cache = False
    statement_compiler = _Compiler
    preparer = _Preparer

    @classmethod
    def import_dbapi(cls) -> Any:
        """The driver."""
        return _Driver

    def initialize(self, connection: Any) -> None:
        """Ask nothing of the server."""
        self.default_schema_name = "main"
        self.server_version_info = (16,)

    def create_connect_args(self, url: Any) -> Any:
        """The connection is given, not made."""
        return (), {}

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Names and types of a table or view, in its order."""
        described = connection.exec_driver_sql(
            "select column_name, data_type from information_schema.columns where table_name = ? "
            "order by ordinal_position",
            (str(table_name),),
        )
        return [{"name": name, "type": _Named(kind), "nullable": True, "default": None} for name, kind in described]

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Views over Parquet have no keys."""
        return {"constrained_columns": [], "name": None}

    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> bool:
        """Whether the table or view is there."""
        return bool(self.get_columns(connection, table_name))
