"""What every format opens to: a relation of the agreed columns in the order of the file, and what would refuse it.

Columns are named by position (`a0`, `a1`, …), so that no name of a partner's file ever becomes part of a statement, and
names that differ only in case stay apart.
"""

# ruff: noqa: S608  (statements are built from positions, and from texts through `literal`)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from acequia.engine.duck import literal
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    import duckdb

Kind = Literal["text", "integer", "float", "decimal", "boolean", "date", "timestamp", "zoned", "other"]
ROW = "row_number_in_file"


@dataclass(frozen=True)
class Arriving:
    """One agreed column as it arrives: SQL to read it, its kind, and how its texts are written.

    `nulls` are the texts that stand for null; `dates_are_iso` says that dates may be ISO 8601 beside the agreed
    `parse`, since a workbook keeps them as dates.
    """

    sql: str
    kind: Kind
    nulls: tuple[str, ...] = ()
    decimal_comma: bool = False
    dates_are_iso: bool = False


@dataclass(frozen=True)
class Trouble:
    """A condition on one row that refuses the whole file; `error` is given the number of the first such row."""

    when: str
    error: Callable[[duckdb.DuckDBPyConnection, int], AcequiaError]


@dataclass(frozen=True)
class Opened:
    """One file, opened and not yet read. Rows are counted from 1, the header apart.

    `relation` is SQL that yields `a0`, `a1`, … in the order of the file; `numbered` yields the same and the row's
    number as `row_number_in_file`. `columns` holds the agreed columns that arrived. `explain` says why reading failed.
    """

    relation: str
    numbered: str
    columns: Mapping[str, Arriving]
    explain: Callable[[duckdb.DuckDBPyConnection, str], AcequiaError]
    troubles: tuple[Trouble, ...] = ()


def stage(connection: duckdb.DuckDBPyConnection, opened: Opened, select: Callable[[str], str], target: Path) -> int:
    """Read the file once, in order, and write what `select` makes of each row to a Parquet file.

    Args:
        connection: of the engine.
        opened: the file.
        select: given a relation, SQL that yields one row per row of it, and passes its column `trouble` on.
        target: where the rows go; the number of a row in it is the number of the row in the file, less 1.

    Returns:
        How many rows there are.

    Raises:
        AcequiaError: the file is refused: it cannot be read to its end, or one of its `troubles` is met.
    """
    import duckdb

    cases = " ".join(f"WHEN {trouble.when} THEN {n}" for n, trouble in enumerate(opened.troubles))
    trouble = f"CAST(CASE {cases} END AS UTINYINT)" if cases else "CAST(NULL AS UTINYINT)"
    query = select(f"(SELECT *, {trouble} AS trouble FROM {opened.relation})")
    try:
        done = connection.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet)").fetchone()
    except duckdb.OutOfMemoryException:
        raise AcequiaError("engine_failed", "the memory limit is too low to read the file") from None
    except duckdb.Error as failure:
        raise opened.explain(connection, str(failure)) from None
    _refuse_troubled(connection, opened, target)
    return int(done[0]) if done else 0


def _refuse_troubled(connection: duckdb.DuckDBPyConnection, opened: Opened, target: Path) -> None:
    if not opened.troubles:
        return
    first = connection.execute(
        "SELECT trouble, file_row_number + 1 FROM read_parquet(?, file_row_number=true, hive_partitioning=false) "
        "WHERE trouble IS NOT NULL ORDER BY file_row_number LIMIT 1",
        [str(target)],
    ).fetchone()
    if first:
        raise opened.troubles[first[0]].error(connection, int(first[1]))


def header_repeated(columns: Mapping[str, Arriving]) -> Trouble:
    """Rows in which every column holds its own name."""
    same = " AND ".join(f"trim({column.sql}) = {literal(name)}" for name, column in columns.items())
    return Trouble(
        same or "false",
        lambda _, row: AcequiaError("header_repeated", f"the header is repeated inside the data, in row {row}"),
    )


def kind_of(duckdb_type: str) -> Kind | None:
    """The kind of a DuckDB type; None for nested types."""
    name = duckdb_type.upper()
    if name.endswith("]") or name.startswith(("STRUCT", "MAP", "UNION", "VARIANT")):
        return None
    name = name.split("(")[0]
    if name.startswith("TIMESTAMP"):
        return "zoned" if "TIME ZONE" in name else "timestamp"
    return _KINDS.get(name, "other")


_KINDS: dict[str, Kind] = {
    "VARCHAR": "text",
    "ENUM": "text",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "integer"),
    "FLOAT": "float",
    "DOUBLE": "float",
    "DECIMAL": "decimal",
    "BOOLEAN": "boolean",
    "DATE": "date",
}


@contextmanager
def in_file(number: int, of: int) -> Iterator[None]:
    """Say in refusals which file is meant, by its place in the delivery: a file's name may hold anything."""
    try:
        yield
    except AcequiaError as error:
        if of == 1:
            raise
        raise AcequiaError(error.code, f"file {number} of {of}: {error.what}", where=error.where) from None


def unreadable(what: str) -> Callable[[duckdb.DuckDBPyConnection, str], AcequiaError]:
    """The plain explanation, where the format has no better one."""
    return lambda _connection, _text: AcequiaError("file_unreadable", what)
