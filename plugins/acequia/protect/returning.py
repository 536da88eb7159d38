"""The file of rows that were set aside, as it goes out to the partner and as it comes back corrected.

It holds `_file`, `_row`, `_reason`, then the agreed columns as text. In CSV (UTF-8, quoted) a null is empty and an
empty text is `""`; when it comes back, both are the same, since spreadsheets make no difference.
"""

# ruff: noqa: S608  (statements are built from names and texts that are quoted)

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.engine.duck import literal, quoted
from acequia.errors import AcequiaError
from acequia.protect.corrected import FILE, ROW

if TYPE_CHECKING:
    import duckdb

REASON = "_reason"
_HEADER_AT_MOST = 1 << 20
_DELIMITERS = (",", ";", "\t")


def reasons(connection: duckdb.DuckDBPyConnection, aside: Path) -> dict[str, int]:
    """Rows by reason."""
    found = connection.execute(f"SELECT {REASON}, count(*) FROM {_read(aside)} GROUP BY ALL ORDER BY ALL").fetchall()
    return {str(reason): int(rows) for reason, rows in found}


def write_out(connection: duckdb.DuckDBPyConnection, aside: Path, out: Path) -> None:
    """Write the rows that were set aside as CSV or Parquet, by the ending of `out`."""
    rows = f"SELECT * FROM {_read(aside)} ORDER BY {FILE}, {ROW}"
    texts = ", ".join(quoted(name) for name in (REASON, *_agreed(connection, aside)))
    csv_options = f"FORMAT csv, HEADER, FORCE_QUOTE ({texts})"
    options = csv_options if out.suffix == ".csv" else "FORMAT parquet, COMPRESSION zstd"
    connection.execute(f"COPY ({rows}) TO {literal(str(out))} ({options})")


def read_back(connection: duckdb.DuckDBPyConnection, aside: Path, source: Path, target: Path) -> int:
    """Read a file of corrections and write the rows that differ from what was set aside to `target`, in order.

    Args:
        connection: of the engine.
        aside: what was handed out.
        source: what came back, CSV or Parquet.
        target: a Parquet file of `_file`, `_row` and the agreed columns.

    Returns:
        How many rows were corrected.

    Raises:
        AcequiaError: `correction_invalid`, without a value: other columns, a number of a row that was not set aside or
            stands twice or is none, nothing corrected, or not to be read.
    """
    import duckdb

    agreed = _agreed(connection, aside)
    try:
        rows = _rows(connection, source, (FILE, ROW, REASON, *agreed))
        texts = "".join(f", CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in agreed)
        number = f"TRY_CAST({FILE} AS UINTEGER) AS {FILE}, TRY_CAST({ROW} AS BIGINT) AS {ROW}"
        connection.execute(f"CREATE TEMP TABLE came_back AS SELECT {number}{texts} FROM {rows}")
    except duckdb.Error:
        raise AcequiaError("correction_invalid", "the file of corrections cannot be read to its end") from None
    _refuse_numbers(connection, aside)
    differ = " OR ".join(f"coalesce(b.{quoted(n)}, '') <> coalesce(a.{quoted(n)}, '')" for n in agreed)
    own = "".join(f", b.{quoted(name)}" for name in agreed)
    done = connection.execute(
        f"COPY (SELECT b.{FILE}, b.{ROW}{own} FROM came_back AS b JOIN {_read(aside)} AS a USING ({FILE}, {ROW}) "
        f"WHERE {differ or 'false'} ORDER BY ALL) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    rows_corrected = int(done[0]) if done else 0
    if not rows_corrected:
        raise AcequiaError("correction_invalid", "no value was corrected")
    return rows_corrected


def _refuse_numbers(connection: duckdb.DuckDBPyConnection, aside: Path) -> None:
    both = f"{FILE}, {ROW}"
    wrong = {
        "row(s) hold no number of a file and a row": f"FROM came_back WHERE {FILE} IS NULL OR {ROW} IS NULL",
        "number(s) of a row stand twice": f"FROM (SELECT 1 FROM came_back GROUP BY {both} HAVING count(*) > 1)",
        "row(s) were not set aside": f"FROM came_back ANTI JOIN {_read(aside)} USING ({both})",
    }
    for what, query in wrong.items():
        (rows,) = connection.execute(f"SELECT count(*) {query}").fetchall()[0]
        if rows:
            raise AcequiaError("correction_invalid", f"{rows} {what}")


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, hive_partitioning=false)"


def _agreed(connection: duckdb.DuckDBPyConnection, aside: Path) -> tuple[str, ...]:
    names = [row[0] for row in connection.execute(f"DESCRIBE FROM {_read(aside)}").fetchall()]
    return tuple(name for name in names if name not in (FILE, ROW, REASON))


def _rows(connection: duckdb.DuckDBPyConnection, source: Path, wanted: tuple[str, ...]) -> str:
    """SQL of the rows that came back; their columns are those that went out, in any order."""
    with source.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    if is_parquet:
        _require(tuple(row[0] for row in connection.execute(f"DESCRIBE FROM {_read(source)}").fetchall()), wanted)
        return _read(source)
    header, delimiter = _header(source, wanted)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    return (
        f"read_csv({literal(str(source))}, header=true, auto_detect=false, columns={{{columns}}}, "
        f"delim={literal(delimiter)}, quote='\"', escape='\"', nullstr='', allow_quoted_nulls=false, strict_mode=true)"
    )


def _header(source: Path, wanted: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The names in the first line, and what stands between them: spreadsheets write `;` in half of the world."""
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline(_HEADER_AT_MOST)
    except UnicodeDecodeError:
        raise AcequiaError("correction_invalid", "the file of corrections is not UTF-8") from None
    for delimiter in _DELIMITERS:
        found = tuple(next(csv.reader([line], delimiter=delimiter), []))
        if sorted(found) == sorted(wanted):
            return found, delimiter
    raise AcequiaError("correction_invalid", "its columns are not those of the file that was handed out")


def _require(found: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    if sorted(found) != sorted(wanted):
        raise AcequiaError("correction_invalid", "its columns are not those of the file that was handed out")
