"""Excel workbooks, read row by row."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from acequia.agreement.columns import Column
from acequia.agreement.delivery import FormatOptions
from acequia.errors import AcequiaError
from acequia.receive.formats.apart import BYTES_A_SECOND, SECONDS, apart
from acequia.receive.formats.columnar import open_cells
from acequia.receive.formats.header import positions, unnamed_positions
from acequia.receive.formats.opened import Opened
from acequia.receive.formats.unpack import ZIP, open_zip, unpacked_at_most

_HELD_AT_MOST = 256 * 2**20  # all parts but the sheets are held in memory while a workbook is read
_STYLES_AT_MOST = 10 * 2**20  # Excel has 65,490 cell formats at most; each costs the library a hundred times its text
_BATCH = 10_000
_ROWS_AT_MOST, _CELLS_AT_MOST = 2**20, 200_000_000  # the former is what Excel can hold

Row = tuple[str | None, ...]


def open_sheet(
    path: Path, agreed: Mapping[str, Column], options: FormatOptions, target: Path, *, bytes_at_most: int
) -> Opened:
    """Open a sheet: the agreed one, or the first. Cells become text as in a CSV file; formulas become their values.

    Empty rows after the last filled one are not rows. The library holds much of a workbook in memory, and XML has many
    ways to ask for more, so it is read in a process of its own.

    Raises:
        AcequiaError: `file_empty`, `file_truncated`, `archive_bomb`, `file_unreadable`, or what the header is refused
            for.
    """
    _refuse_bombs(path, bytes_at_most)
    seconds = SECONDS + path.stat().st_size / BYTES_A_SECOND
    found, width = apart(staged, path, agreed, options, target, scratch=target.parent, seconds=seconds)
    return open_cells(target, found, width, options)


def staged(
    path: Path, agreed: Mapping[str, Column], options: FormatOptions, target: Path
) -> tuple[dict[str, int], int]:
    """Write the texts of a sheet's cells to a Parquet file.

    Returns:
        The places of the agreed columns that arrived, and how many columns there are.
    """
    rows = _rows(path, options)
    first = _first(rows)
    width, names = len(first), [cell or "" for cell in first]
    found = positions(names, agreed) if options.header else unnamed_positions(width, agreed)
    _stage(_numbered(rows, None if options.header else first), width, options, target)
    return found, width


def names_of(path: Path, options: FormatOptions) -> list[str]:
    """The first row that holds something, as texts."""
    return [cell or "" for cell in _first(_rows(path, options))]


def _first(rows: Iterator[Row]) -> Row:
    """The first row that holds something, up to its last filled cell."""
    first = next((row for row in rows if any(row)), None)
    if first is None:
        raise AcequiaError("file_empty", "the sheet holds nothing")
    return first[: max(place for place, cell in enumerate(first) if cell is not None) + 1]


def _refuse_bombs(path: Path, bytes_at_most: int) -> None:
    size = path.stat().st_size
    if not size:
        raise AcequiaError("file_empty", "the file holds nothing")
    with path.open("rb") as file:
        if file.read(4) not in ZIP:
            raise AcequiaError("file_unreadable", "the file is not an Excel workbook (.xlsx), or it is encrypted")
        with closing(open_zip(file)) as archive:
            parts = archive.infolist()
    # zipfile never unpacks more of a part than its directory states, so what is stated is a bound.
    at_most = unpacked_at_most(size, bytes_at_most)
    held = sum(part.file_size for part in parts if not part.filename.startswith("xl/worksheets/"))
    if sum(part.file_size for part in parts) > at_most or held > _HELD_AT_MOST:
        raise AcequiaError("archive_bomb", f"the workbook unpacks to more than {min(at_most, _HELD_AT_MOST)} bytes")
    if any(part.file_size > _STYLES_AT_MOST for part in parts if part.filename.endswith("styles.xml")):
        raise AcequiaError("archive_bomb", f"the workbook's styles unpack to more than {_STYLES_AT_MOST} bytes")


def _rows(path: Path, options: FormatOptions) -> Iterator[Row]:
    """Every row of the sheet as texts. The library's errors may quote cells, so none is passed on."""
    from openpyxl import load_workbook

    warnings.simplefilter("ignore")
    try:
        with (
            path.open("rb") as file,
            closing(load_workbook(file, read_only=True, data_only=True, keep_links=False)) as book,
        ):
            if options.sheet is not None and options.sheet not in book.sheetnames:
                raise AcequiaError("file_unreadable", "the workbook has no sheet of the agreed name")
            sheet = book[options.sheet] if options.sheet is not None else book.worksheets[0]
            sheet.reset_dimensions()  # some writers state them wrongly, which would cut columns off
            cells = 0
            for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
                cells += len(row)
                if number > _ROWS_AT_MOST or cells > _CELLS_AT_MOST:
                    what = f"the sheet has more than {_ROWS_AT_MOST:,} rows, or {_CELLS_AT_MOST:,} cells"
                    raise AcequiaError("file_unreadable", what)
                yield tuple(map(_text, row))
    except (AcequiaError, MemoryError):
        raise
    except Exception:
        raise AcequiaError("file_unreadable", "the workbook cannot be read to its end") from None


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _numbered(rows: Iterator[Row], first: Row | None) -> Iterator[Row]:
    """The data rows, without the empty ones at the end."""
    empty = 0
    if first is not None:
        yield first
    for row in rows:
        if not any(row):
            empty += 1
            continue
        yield from iter([()] * empty)
        empty = 0
        yield row


def _stage(rows: Iterator[Row], width: int, options: FormatOptions, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(f"a{n}", pa.string()) for n in range(width)])
    nulls = set(options.null_values)
    batch: list[list[str | None]] = []
    with pq.ParquetWriter(target, schema) as writer:
        for number, row in enumerate(rows, start=1):
            if any(row[width:]):
                raise AcequiaError("file_unreadable", f"row {number} holds more values than there are columns")
            batch.append([None if cell in nulls else cell for cell in (*row, *[None] * width)[:width]])
            if len(batch) == _BATCH:
                writer.write_batch(_as_batch(batch, schema))
                batch = []
        writer.write_batch(_as_batch(batch, schema))


def _as_batch(rows: list[list[str | None]], schema: Any) -> Any:
    import pyarrow as pa

    arrays = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(schema))]
    return pa.record_batch(arrays, schema=schema)
