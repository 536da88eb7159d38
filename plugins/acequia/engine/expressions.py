"""The expressions of agreements (`where`, measures): a small closed language, checked before any row is read.

It holds columns, numbers, texts, true, false, null, `date '…'` and `timestamp '…'`; + - * / %; comparisons, and, or,
not, is null, in, between, like; case, if, coalesce, nullif, greatest, least; abs, round, floor, ceil; lower, upper,
trim, left, length, starts_with; date_trunc, extract, hour(…) and its kin, date_diff; cast. Nothing else: no subquery,
aggregate, window, file or table function, comment or second statement.

It differs from SQL where SQL surprises: `/` always divides as numbers and gives null for a zero divisor, `%` likewise;
a cast that fails gives null; `weekday` is ISO's (1 is Monday); numbers and texts cannot be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from acequia.engine.duck import quoted
from acequia.engine.functions import FUNCTIONS
from acequia.engine.operators import OPERATORS
from acequia.engine.writer import Kind, Refused, Writer
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    import duckdb

SQL_TYPES: dict[Kind, str] = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "null": "VARCHAR",
}
_INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)


@dataclass(frozen=True)
class Compiled:
    """An expression as SQL: every name quoted, every operation in brackets.

    `columns` are the ones it reads, in order of appearance; `kind` is the type of its result in the words of the
    agreement, or `null` for the bare null; `sql_type` the same in DuckDB's words.
    """

    sql: str
    columns: tuple[str, ...]
    kind: Kind

    @property
    def sql_type(self) -> str:
        """DuckDB's name of the result type."""
        return SQL_TYPES[self.kind]


def compile_expression(text: str, columns: Mapping[str, str], *, place: str) -> Compiled:
    """Check an expression against the columns that it may read, and write it as DuckDB SQL.

    Args:
        text: as it stands in the agreement.
        columns: name -> DuckDB type of the rows' columns.
        place: where the expression stands, such as `tables.trips.where`; named in errors.

    Raises:
        AcequiaError: `agreement_invalid`, with the place, what is wrong, and the columns that there are.
    """
    try:
        kinds = {name: kind for name, sql_type in columns.items() if (kind := kind_of(sql_type)) is not None}
        writer = Writer(kinds, OPERATORS | FUNCTIONS)
        part = writer.write(_parse(text))
        _bind(part.sql, columns)
    except RecursionError:
        raise AcequiaError("agreement_invalid", f"{place}: the expression is nested too deeply") from None
    except Refused as refused:
        raise AcequiaError("agreement_invalid", f"{place}: {refused}. Columns: {', '.join(columns)}") from None
    return Compiled(part.sql, tuple(writer.used), part.kind)


def kind_of(sql_type: str) -> Kind | None:
    """The agreement's word for a DuckDB type; None where it has none (such columns cannot be used)."""
    name = sql_type.upper().split("(")[0].strip()
    if name in _INTEGERS:
        return "integer"
    if name in ("FLOAT", "DOUBLE", "DECIMAL") and not sql_type.endswith("]"):
        return "number"
    known: dict[str, Kind] = {"VARCHAR": "string", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp"}
    return known.get(name)


def _parse(text: str) -> Any:
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.tokens import TokenType

    try:
        tokens = sqlglot.tokenize(text, read="duckdb")
        if any(token.comments for token in tokens) or not tokens:
            raise Refused("an expression holds no comment, and is not empty")
        if any(token.token_type == TokenType.SEMICOLON for token in tokens):
            raise Refused("an expression holds no semicolon")
        return sqlglot.parse_one(text, read="duckdb")
    except (SqlglotError, AttributeError, LookupError, TypeError, ValueError):
        # the parser trips over some texts that are no SQL (`show all`, `hour('' => a)`)
        raise Refused("cannot be read as an expression") from None


def _bind(sql: str, columns: Mapping[str, str]) -> None:
    """Let the engine have the last word, on an empty relation of the same types."""
    import duckdb

    empty = ", ".join(f"CAST(NULL AS {sql_type}) AS {quoted(name)}" for name, sql_type in columns.items())
    try:
        _binder().cursor().execute(f"SELECT {sql} FROM (SELECT {empty or '1'}) AS rows WHERE false")  # noqa: S608
    except duckdb.Error:
        raise Refused("cannot be computed from these columns") from None


@cache
def _binder() -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(":memory:", config={"threads": 1, "autoload_known_extensions": "false"})
