"""Parquet: typed columns, whose types may drift from file to file; the gate reads each by what was agreed."""

# ruff: noqa: S608  (statements are built from positions, and from texts through `literal`)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.columns import Column
from acequia.agreement.delivery import FormatOptions
from acequia.engine.duck import connect, literal
from acequia.errors import AcequiaError
from acequia.receive.formats.apart import apart
from acequia.receive.formats.header import positions
from acequia.receive.formats.opened import ROW, Arriving, Opened, header_repeated, kind_of
from acequia.receive.formats.unpack import unpacked_at_most

if TYPE_CHECKING:
    import duckdb

_MAGIC, _SMALLEST = b"PAR1", 12
_FOOTER_AT_MOST = 64 * 2**20
_ROWS_A_BYTE, _FEW_ROWS = 100, 1_000_000  # a column in which no two rows differ takes next to nothing
_VALUE_AT_MOST, _TEXT_A_ROW = 2_000_000, 1000  # the former is what a line of a CSV file may hold
_MEMORY, _SECONDS = "1GB", 600


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
        texts = {place: name for name, place in found.items() if kinds[place] == "text"}
        _refuse_long_texts(connection, path, arrived, texts, bytes_at_most)
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
        file.seek(max(0, size - 8))
        tail = file.read(8)
    if head != _MAGIC:
        raise AcequiaError("file_unreadable", "the file is not Parquet")
    if tail[-4:] != _MAGIC or size < _SMALLEST:
        raise AcequiaError("file_truncated", "the Parquet file is cut off: its footer is missing")
    if int.from_bytes(tail[:4], "little") > _FOOTER_AT_MOST:  # all of it is held in memory
        raise AcequiaError("file_unreadable", "the Parquet file's description is too large")


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
    (rows,) = connection.execute(
        "SELECT greatest((SELECT max(num_rows) FROM parquet_file_metadata($path)), (SELECT sum(rows) FROM (SELECT "
        "max(row_group_num_rows) AS rows FROM parquet_metadata($path) GROUP BY row_group_id)), 0)",
        {"path": str(path)},
    ).fetchall()[0]
    if rows > rows_at_most:
        raise AcequiaError("rows_outside_range", f"the file states {rows} rows; the agreement allows {rows_at_most}")
    if rows > max(_FEW_ROWS, _ROWS_A_BYTE * path.stat().st_size):
        raise AcequiaError("archive_bomb", "the file states more rows than its size can hold")


def _refuse_long_texts(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    arrived: Sequence[str],
    texts: Mapping[int, str],
    bytes_at_most: int,
) -> None:
    """One long text in a dictionary, or the changes from one to the next, can stand for gigabytes in a small file.

    Dictionaries stay as they are while lengths are added up. Changes have to be written out, a page at a time, however
    long: that is done in a process of its own. `texts` are the agreed columns of texts, by their places.
    """
    query = "SELECT path_in_schema FROM parquet_metadata(?) WHERE contains(encodings, 'DELTA_BYTE_ARRAY')"
    changes = {name for (name,) in connection.execute(query, [str(path)]).fetchall()}
    apart_ = [place for place in texts if arrived[place] in changes]
    rest = [place for place in texts if place not in apart_]
    relation = text_or_typed(path, len(arrived))
    sizes = _sizes(connection, relation, rest) if rest else {}
    if apart_:
        sizes |= apart(_sizes_apart, path, relation, apart_, scratch=path.parent, seconds=_SECONDS)
    for place, (rows, whole, longest) in sizes.items():
        if longest > _VALUE_AT_MOST:
            what = f"column {texts[place]} holds a value of more than {_VALUE_AT_MOST:,} bytes"
            raise AcequiaError("file_unreadable", what)
        if whole > max(unpacked_at_most(path.stat().st_size, bytes_at_most), _TEXT_A_ROW * rows):
            raise AcequiaError("archive_bomb", f"column {texts[place]} unpacks to {whole:,} bytes")


def _sizes(
    connection: duckdb.DuckDBPyConnection, relation: str, places: Sequence[int]
) -> dict[int, tuple[int, int, int]]:
    """Of each column: the rows, the bytes of all its texts, and of the longest."""
    said = ", ".join(f"coalesce(sum(strlen(a{n})), 0), coalesce(max(strlen(a{n})), 0)" for n in places)
    (row,) = connection.execute(f"SELECT count(*), {said} FROM {relation}").fetchall()
    return {place: (int(row[0]), int(row[2 * n + 1]), int(row[2 * n + 2])) for n, place in enumerate(places)}


def _sizes_apart(path: Path, relation: str, places: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    import duckdb

    with closing(connect(_MEMORY, path.parent, threads=1)) as connection:
        try:
            return _sizes(connection, relation, places)
        except duckdb.Error:
            raise AcequiaError("file_unreadable", "the texts of the Parquet file cannot be read") from None


def _explain(_: duckdb.DuckDBPyConnection, text: str) -> AcequiaError:
    if "string encoding" in text:
        return AcequiaError("encoding_wrong", "a text column of the Parquet file is not UTF-8")
    return AcequiaError("file_unreadable", "the Parquet file is damaged: it cannot be read to its end")
