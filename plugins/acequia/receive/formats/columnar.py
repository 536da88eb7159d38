"""Parquet: typed columns, whose types may drift from file to file; the gate reads each by what was agreed."""

# ruff: noqa: S608  (statements are built from positions, and from texts through `literal`)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.columns import Column
from acequia.agreement.delivery import FormatOptions
from acequia.engine.duck import literal
from acequia.errors import AcequiaError
from acequia.receive.formats.header import positions
from acequia.receive.formats.opened import ROW, Arriving, Opened, header_repeated, kind_of
from acequia.receive.formats.unpack import unpacked_at_most

if TYPE_CHECKING:
    import duckdb

_MAGIC, _SMALLEST = b"PAR1", 12


def open_parquet(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    agreed: Mapping[str, Column],
    *,
    bytes_at_most: int,
    rows_at_most: int,
) -> Opened:
    """Open a Parquet file.

    Raises:
        AcequiaError: `file_empty`, `file_truncated` (no footer), `file_unreadable`, `archive_bomb` (by the sizes that
            the footer states), `rows_outside_range` (more rows than are agreed, which encode to almost nothing), or
            what the columns are refused for.
    """
    import duckdb

    _refuse_cut_off(path)
    try:
        arrived = _top_level(connection, path)
        _refuse_bombs(connection, path, bytes_at_most, rows_at_most)
        found = positions(arrived, agreed)
        relation = text_or_typed(path, len(arrived))
        kinds = [kind_of(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
    except duckdb.Error:
        raise AcequiaError("file_unreadable", "the Parquet file's description cannot be read") from None
    columns = {}
    for name, place in found.items():
        kind = kinds[place]
        if kind is None:
            raise AcequiaError("file_unreadable", f"column {name} holds lists or records; one value is agreed")
        columns[name] = Arriving(f"a{place}", kind)
    return Opened(relation=relation, numbered=relation, columns=columns, explain=_explain)


def open_cells(path: Path, found: Mapping[str, int], width: int, options: FormatOptions) -> Opened:
    """Open the texts of a workbook's cells, which were written to a Parquet file in scratch."""
    relation = text_or_typed(path, width)
    columns = {
        name: Arriving(f"a{place}", "text", options.null_values, dates_are_iso=True) for name, place in found.items()
    }
    return Opened(
        relation=relation,
        numbered=relation,
        columns=columns,
        explain=_explain,
        troubles=(header_repeated(columns),),
    )


def names_of(connection: duckdb.DuckDBPyConnection, path: Path) -> Sequence[str]:
    """The names of the columns.

    Raises:
        AcequiaError: `file_empty`, `file_truncated`, `file_unreadable`.
    """
    _refuse_cut_off(path)
    return _top_level(connection, path)


def text_or_typed(path: Path, width: int) -> str:
    """The file's columns by position, and the number of each row."""
    aliases = ", ".join([*(f"a{n}" for n in range(width)), "place"])
    reader = (
        f"read_parquet({literal(str(path))}, binary_as_string=true, file_row_number=true, hive_partitioning=false) "
        f"AS rows({aliases})"
    )
    return f"(SELECT *, place + 1 AS {ROW} FROM {reader})"


def _refuse_cut_off(path: Path) -> None:
    size = path.stat().st_size
    if not size:
        raise AcequiaError("file_empty", "the file holds nothing")
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if head != _MAGIC:
        raise AcequiaError("file_unreadable", "the file is not Parquet")
    if tail != _MAGIC or size < _SMALLEST:
        raise AcequiaError("file_truncated", "the Parquet file is cut off: its footer is missing")


def _top_level(connection: duckdb.DuckDBPyConnection, path: Path) -> Sequence[str]:
    rows = connection.execute("SELECT name, coalesce(num_children, 0) FROM parquet_schema(?)", [str(path)]).fetchall()
    found, place = [], 1
    while place < len(rows):
        found.append(str(rows[place][0]))
        place = _after(rows, place)
    return found


def _after(rows: Sequence[tuple[str, int]], place: int) -> int:
    """The place after an element of the schema and all below it."""
    below = 1
    while below:
        below += rows[place][1] - 1
        place += 1
    return place


def _refuse_bombs(connection: duckdb.DuckDBPyConnection, path: Path, bytes_at_most: int, rows_at_most: int) -> None:
    (unpacked,) = connection.execute(
        "SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata(?)", [str(path)]
    ).fetchall()[0]
    at_most = unpacked_at_most(path.stat().st_size, bytes_at_most)
    if unpacked > at_most:
        raise AcequiaError("archive_bomb", f"the file unpacks to more than {at_most} bytes")
    (rows,) = connection.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchall()[0]
    if rows > rows_at_most:
        raise AcequiaError("rows_outside_range", f"the file states {rows} rows; the agreement allows {rows_at_most}")


def _explain(_: duckdb.DuckDBPyConnection, text: str) -> AcequiaError:
    if "string encoding" in text:
        return AcequiaError("encoding_wrong", "a text column of the Parquet file is not UTF-8")
    return AcequiaError("file_unreadable", "the Parquet file is damaged: it cannot be read to its end")
