"""The protected rows of a window as one relation, whatever the agreement said when each delivery came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.columns import Column
from acequia.agreement.model import Feed
from acequia.engine.duck import literal, quoted
from acequia.engine.expressions import SQL_TYPES, kind_of
from acequia.engine.transforms import load
from acequia.engine.writer import Kind
from acequia.errors import AcequiaError
from acequia.protect.treatments import TREATMENTS, Place

if TYPE_CHECKING:
    import duckdb

NOT_WHOLE = "a number of an earlier delivery is not whole"


def protected_kinds(feed: Feed) -> dict[str, Kind]:
    """The columns of protected rows as the agreement makes them: name -> type."""
    return {name: _kind(feed.columns[key]) for name, key in feed.kept.items()}


def _kind(column: Column) -> Kind:
    some = Place("NULL", "NULL", defaultdict(lambda: "NULL"))
    treated = TREATMENTS[column.treatment](column, some)
    return column.type if treated is None else treated.type


def apart(before: Feed, after: Feed) -> tuple[str, ...]:
    """The columns that both versions of a feed keep, and whose types cannot be joined in one window."""
    old, new = protected_kinds(before), protected_kinds(after)
    return tuple(name for name in new if name in old and not _joinable({old[name], new[name]}, new[name]))


def empty_rows(connection: duckdb.DuckDBPyConnection, feed: Feed) -> dict[str, str]:
    """A view `rows` without rows, of the types that the agreement makes. Returns its columns, name -> DuckDB type."""
    columns = [f"CAST(NULL AS {SQL_TYPES[kind]}) AS {quoted(name)}" for name, kind in protected_kinds(feed).items()]
    connection.execute(f"CREATE TEMP VIEW protected AS SELECT {', '.join(columns)} WHERE false")
    return _transformed(connection, feed)


def open_rows(connection: duckdb.DuckDBPyConnection, feed: Feed, paths: Sequence[Path]) -> dict[str, str]:
    """A view `rows` over the protected Parquet of several deliveries, after the feed's transform.

    A column that an earlier version of the agreement did not have is null there; whole numbers beside others become
    what the agreement now says. Returns its columns, name -> DuckDB type.

    Raises:
        AcequiaError: `agreement_invalid` where a column changed its type in a way that cannot be joined.
    """
    by_columns: dict[tuple[tuple[str, str], ...], list[Path]] = defaultdict(list)
    for path in sorted(paths):
        by_columns[tuple(_described(connection, f"read_parquet({literal(str(path))})").items())].append(path)
    agreed = protected_kinds(feed)
    kinds = {name: _joined(name, kind, [dict(columns).get(name) for columns in by_columns])
             for name, kind in agreed.items()}  # fmt: skip
    parts = []
    for columns, files in by_columns.items():
        found = dict(columns)
        selected = ", ".join(f"{_cast(name, found.get(name), kind)} AS {quoted(name)}" for name, kind in kinds.items())
        listed = ", ".join(literal(str(path)) for path in files)
        parts.append(f"SELECT {selected} FROM read_parquet([{listed}])")
    connection.execute(f"CREATE TEMP VIEW protected AS {' UNION ALL '.join(parts)}")
    return _transformed(connection, feed)


def _transformed(connection: duckdb.DuckDBPyConnection, feed: Feed) -> dict[str, str]:
    select = "SELECT * FROM protected" if feed.transform is None else load(feed.transform)("protected")
    connection.execute(f"CREATE TEMP VIEW rows AS {select}")
    return _described(connection, "rows")


def _described(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE FROM {relation}").fetchall()}


def _joined(name: str, agreed: Kind, found: Sequence[str | None]) -> Kind:
    """The type of a column over deliveries: their own where they have one, else what the agreement now says."""
    kinds = {kind_of(sql_type) for sql_type in found if sql_type is not None}
    if len(kinds) == 1:
        only = next(iter(kinds))
        if only is not None:
            return only
    if None in kinds or not _joinable(kinds, agreed):
        raise AcequiaError(
            "agreement_invalid",
            f"column `{name}` changed its type between deliveries of one window",
            do="Give the column another name in the new version of the agreement, or start the table anew.",
        )
    return agreed if agreed in kinds or agreed == "string" else "number" if "number" in kinds else agreed


def _joinable(kinds: Set[Kind | None], agreed: Kind) -> bool:
    alike: tuple[set[Kind | None], ...] = ({"integer", "number"}, {"timestamp", "date"})
    return len(kinds) == 1 or any(kinds <= some for some in alike) or agreed == "string"


def _cast(name: str, sql_type: str | None, kind: Kind) -> str:
    if sql_type is None:
        return f"CAST(NULL AS {SQL_TYPES[kind]})"
    column = quoted(name)
    if kind == "integer" and kind_of(sql_type) == "number":
        whole = f"CASE WHEN {column} = trunc({column}) THEN {column} ELSE error({literal(NOT_WHOLE)}) END"
        return f"CASE WHEN {column} IS NOT NULL THEN CAST({whole} AS BIGINT) END"
    return f"CAST({column} AS {SQL_TYPES[kind]})"
