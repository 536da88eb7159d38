"""CSV and its kin: strict about the number of values in a row, so that nothing shifts unseen."""

# ruff: noqa: S608  (statements are built from positions, and from texts through `literal`)

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.columns import Column
from acequia.agreement.delivery import FormatOptions
from acequia.engine.duck import connect, literal
from acequia.errors import AcequiaError
from acequia.receive.formats.header import positions, unnamed_positions
from acequia.receive.formats.opened import ROW, Arriving, Opened, header_repeated
from acequia.receive.formats.text import PlainText, unified
from acequia.receive.formats.unpack import CHUNK

if TYPE_CHECKING:
    import duckdb

_HEADER_AT_MOST = 1 << 20
_EMPTY_AT_MOST = 10_000
_MEMORY = "256MB"
_NO_NULL = "\x1a\x1a no text is null \x1a\x1a"  # the reader wants at least one


def open_delimited(
    connection: duckdb.DuckDBPyConnection,
    text: PlainText,
    agreed: Mapping[str, Column],
    options: FormatOptions,
    scratch: Path,
) -> Opened:
    """Open a CSV file. Values are text as written; the agreed null texts are null, quoted or not.

    Raises:
        AcequiaError: `file_empty`, `file_unreadable`, or what the header is refused for.
    """
    first, empty = first_record(text.path, options)
    found = positions(first, agreed) if options.header else unnamed_positions(len(first), agreed)
    path, width = text.path, len(first)
    if empty:
        # The engine counts lines in its own way where they are empty, or end in different ways.
        path = _without(path, empty, scratch / f"{path.name}.rows")
        text = replace(text, path=path)
    if text.mixed and not _reads(connection, _reader(path, width, options)):
        # Line ends that differ are legal inside quotes, where they are data; elsewhere they are made alike.
        path = unified(text, scratch / f"{path.name}.lines").path
    reader = _reader(path, width, options)
    if _ends_empty(path, options):
        _refuse_wide_rows(connection, path, width, empty, options)
    columns = {
        name: Arriving(f"a{place}", "text", options.null_values, options.decimal_comma) for name, place in found.items()
    }
    return Opened(
        relation=reader,
        numbered=f"(SELECT *, row_number() OVER () AS {ROW} FROM {reader})",
        columns=columns,
        explain=lambda _connection, _text: _first_bad_line(path, reader, empty),
        troubles=(header_repeated(columns),),
    )


def first_record(path: Path, options: FormatOptions) -> tuple[list[str], int]:
    """The first record that holds something, and how many lines stand before it.

    Raises:
        AcequiaError: `file_empty`, `file_unreadable`.
    """
    before = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = iter(lambda: file.readline(_HEADER_AT_MOST), "")
            records = csv.reader(lines, delimiter=options.delimiter, quotechar=options.quote, strict=True)
            for record in islice(records, _EMPTY_AT_MOST):
                if any(value.strip() for value in record):
                    return record, before
                before = records.line_num
    except csv.Error:
        raise AcequiaError(
            "file_unreadable", "the first line cannot be read with the agreed delimiter and quote"
        ) from None
    raise AcequiaError("file_empty", "the file holds no line with content, or only after very many without")


def _without(path: Path, lines: int, target: Path) -> Path:
    """A copy of the file without its first lines."""
    with path.open(encoding="utf-8-sig", newline="") as file, target.open("w", encoding="utf-8", newline="") as copy:
        for _ in range(lines):
            file.readline(_HEADER_AT_MOST)
        while chunk := file.read(CHUNK):
            copy.write(chunk)
    return target


def _reader(path: Path, width: int, options: FormatOptions, more: str = "null_padding=false") -> str:
    columns = ", ".join(f"'a{n}': 'VARCHAR'" for n in range(width))
    nulls = ", ".join(literal(text) for text in options.null_values or (_NO_NULL,))
    quote = literal(options.quote)
    return (
        f"read_csv({literal(str(path))}, auto_detect=false, header={str(options.header).lower()}, "
        f"delim={literal(options.delimiter)}, quote={quote}, escape={quote}, nullstr=[{nulls}], "
        f"columns={{{columns}}}, strict_mode=true, compression='none', hive_partitioning=false, {more})"
    )


def _ends_empty(path: Path, options: FormatOptions) -> bool:
    """Whether any line ends with an empty value."""
    delimiter, quote = options.delimiter.encode(), options.quote.encode()
    ends = [delimiter + value for value in (b"", quote + quote)]
    cut = [end + line for end in ends for line in (b"\n", b"\r")]
    held, longest = b"", max(map(len, cut)) - 1
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            held += chunk
            if any(end in held for end in cut):
                return True
            held = held[-longest:]
    return held.endswith(tuple(ends))


def _refuse_wide_rows(
    connection: duckdb.DuckDBPyConnection, path: Path, width: int, before: int, options: FormatOptions
) -> None:
    """The engine lets empty values pass behind the last column, though they may be a row that slipped to the left.

    So the file is read with one column more, into which only such a value can fall: there, null means absent, since no
    text is read as null.
    """
    import duckdb

    plain = options.model_copy(update={"null_values": ()})
    reader = _reader(path, width + 1, plain, "null_padding=true, parallel=false")
    wide = f"SELECT row FROM (SELECT a{width}, row_number() OVER () AS row FROM {reader}) WHERE a{width} IS NOT NULL"
    try:
        first = connection.execute(f"{wide} ORDER BY row LIMIT 1").fetchone()
    except duckdb.Error as failure:
        raise _named(str(failure), before) from None
    if first:
        raise AcequiaError("file_unreadable", f"row {int(first[0])} {_TOO_WIDE}")


def _reads(connection: duckdb.DuckDBPyConnection, reader: str) -> bool:
    import duckdb

    try:
        connection.execute(f"SELECT count(COLUMNS(*)) FROM {reader}").fetchall()
    except duckdb.Error:
        return False
    return True


def _first_bad_line(path: Path, reader: str, before: int) -> AcequiaError:
    """Read once more, in one thread, to say which line is the first that breaks the rules; never what it holds.

    The engine's table of rejected lines would be the better source, but it has an entry for each value too many, with
    the whole line: a line of commas fills the memory.
    """
    import duckdb

    with connect(_MEMORY, path.parent, threads=1) as own:
        try:
            own.execute(f"SELECT count(COLUMNS(*)) FROM {reader}").fetchall()
        except duckdb.Error as failure:
            return _named(str(failure), before)
    return AcequiaError("file_unreadable", _NOT_TO_ITS_END)


def _named(failure: str, before: int) -> AcequiaError:
    """A number and one of our own words out of the engine's; the rest of them quotes the line."""
    line = re.match(r"Invalid Input Error: CSV Error on Line: (\d+)$", failure, re.MULTILINE)
    if line is None:
        return AcequiaError("file_unreadable", _NOT_TO_ITS_END)
    told = [(found.start(), word) for sign, word in _REJECTED for found in re.finditer(sign, failure, re.MULTILINE)]
    said = max(told)[1] if told else "cannot be read"
    if widths := re.findall(r"^Expected Number of Columns: (\d+) Found: (\d+)$", failure, re.MULTILINE):
        expected, found = map(int, widths[-1])
        said = _TOO_WIDE if found > expected else "holds fewer values than there are columns"
    return AcequiaError("file_unreadable", f"line {int(line[1]) + before} {said}")


_NOT_TO_ITS_END = "the file cannot be read to its end with the agreed delimiter and quote"
_TOO_WIDE = "holds more values than there are columns"
_REJECTED = (
    (r"^Value with unterminated quote found", "holds a quote that is not closed"),
    (r"^Maximum line size of", "is too long"),
)
