"""Tables of others for the auditor: Parquet or CSV; withheld by a null or a status, totals by a code or a file."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from acequia.disclose.public import Key, Quantity, Told, as_code
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 200_000_000
MOST_ROWS = 500_000
MOST = 1e30  # of a number: sums of larger ones are beyond what programs can tell apart
TOTALS = ("_T", "Total", "TOTAL", "total", "")
HIDDEN_MARKS = frozenset({"", ":", ".", "..", "...", "c", "C", "x", "X", "s", "S", "*", "-", "NA", "null"})
HIDDEN_STATUS = frozenset({"withheld", "suppressed", "confidential", "primary", "secondary", "c", "C", "x", "X"})
AMBIGUOUS_STATUS = frozenset("sSuUdDmMnN")
"""Withheld with one office or program, open with another: `s` is safe in sdcTable, suppressed elsewhere."""


@dataclass(frozen=True)
class Asked:
    """How to read a table of somebody else.

    Attributes:
        by: the columns whose values make a cell.
        values: the columns with numbers.
        status: a column that says which cells are withheld, besides those without a number.
        withheld: the codes in it that mean withheld; the usual ones if there are none.
        hierarchy: per column a CSV file with a value and the one above it on each line.
        total: the code of the total of all; None for the usual ones.
        rounded_to: the base of rounding; 0 where numbers are exact.
    """

    by: tuple[str, ...]
    values: tuple[str, ...]
    status: str | None = None
    hierarchy: Mapping[str, Path] = field(default_factory=dict)
    total: str | None = None
    rounded_to: float = 0.0
    withheld: tuple[str, ...] = ()


def read(path: Path, asked: Asked) -> Told:
    """Read a table as the public sees it.

    Raises:
        AcequiaError: `usage`, with what does not fit. The message holds names of columns, never a value.
    """
    rows = _rows(path)
    columns = [*asked.by, *asked.values, *([asked.status] if asked.status else [])]
    for name in columns:
        if name not in rows.column_names:
            _refuse(f"there is no column {name!r}; columns: {', '.join(rows.column_names[:50])}", path)
    if len(set(columns)) != len(columns):
        _refuse("a column is given twice", path)
    if strange := sorted(set(asked.hierarchy) - set(asked.by)):
        _refuse(f"a hierarchy is given for {strange[0]!r}, which is not in --by", path)
    keys: tuple[Key, ...] = tuple(
        zip(*([as_code(value) for value in rows.column(name).to_pylist()] for name in asked.by), strict=True)
    ) if asked.by else ((),) * rows.num_rows  # fmt: skip
    if len(set(keys)) != len(keys):
        _refuse("two rows describe the same cell: give every column that tells cells apart to --by", path)
    if asked.total is not None and not any(asked.total in key for key in keys):
        _refuse("no column of --by holds the code that --total names", path)
    numbers = {name: _numbers(rows, name, path) for name in asked.values}
    because = _because(rows, asked, numbers, path)
    return _told(path, asked, keys, numbers, because)


def _told(
    path: Path, asked: Asked, keys: tuple[Key, ...], numbers: dict[str, list[float]], because: tuple[str | None, ...]
) -> Told:
    import numpy as np

    negative = {name: any(number < 0 for number in column) for name, column in numbers.items()}
    whole = {name: all(math.isnan(n) or n == int(n) for n in column) for name, column in numbers.items()}
    return Told(
        id=path.name,
        table=path.stem,
        period=None,
        by=asked.by,
        parents={name: _parents(name, {key[place] for key in keys}, asked) for place, name in enumerate(asked.by)},
        keys=keys,
        numbers={name: np.array(column, float) for name, column in numbers.items()},
        because=because,
        quantities={name: Quantity("rows" if whole[name] else "sum", name, "") for name in numbers},
        lower={name: -math.inf if negative[name] else 0.0 for name in numbers},
        slack=dict.fromkeys(numbers, asked.rounded_to / 2),
    )


def _rows(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    if not path.is_file():
        _refuse("there is no such file", path)
    if path.stat().st_size > MOST_BYTES:
        _refuse(f"the file is larger than {MOST_BYTES // 1_000_000} MB", path)
    try:
        if path.suffix.lower() == ".parquet":
            if pq.ParquetFile(path).metadata.num_rows > MOST_ROWS:
                _refuse(f"the table has more than {MOST_ROWS:,} rows", path)
            rows = pq.read_table(path)
        else:
            as_read = pyarrow.csv.ConvertOptions(column_types=_texts(path), strings_can_be_null=False)
            rows = pyarrow.csv.read_csv(path, convert_options=as_read)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError, csv.Error):
        _refuse("it can be read neither as Parquet nor as CSV in UTF-8, with commas and all lines alike", path)
    if not 0 < rows.num_rows <= MOST_ROWS:
        _refuse(f"the table has no row, or more than {MOST_ROWS:,}", path)
    if len(set(rows.column_names)) != len(rows.column_names):
        _refuse("two columns have one name", path)
    return rows


def _texts(path: Path) -> dict[str, pa.DataType]:
    """Every column of a CSV as text: codes such as 01 stay as they are."""
    import pyarrow as pa

    with path.open(encoding="utf-8-sig", newline="") as file:
        return dict.fromkeys(next(csv.reader(file), []), pa.string())


def _numbers(rows: pa.Table, name: str, path: Path) -> list[float]:
    found = []
    for value in rows.column(name).to_pylist():
        try:
            hidden = value is None or (isinstance(value, str) and value.strip() in HIDDEN_MARKS)
            number = math.nan if hidden else float(value)
        except (TypeError, ValueError):
            _refuse(f"column {name!r} holds something that is no number", path)
        if abs(number) > MOST:
            _refuse(f"column {name!r} holds a number that is not finite, or beyond {MOST:.0e}", path)
        found.append(number)
    return found


def _because(
    rows: pa.Table, asked: Asked, numbers: Mapping[str, Sequence[float]], path: Path
) -> tuple[str | None, ...]:
    """A cell is withheld with all of its numbers: where one is missing, or the status says so."""
    status: list[Any] = rows.column(asked.status).to_pylist() if asked.status else [None] * rows.num_rows
    missing = [any(math.isnan(column[row]) for column in numbers.values()) for row in range(rows.num_rows)]
    codes = {str(one) for one in status if one is not None}
    if not asked.withheld and codes & AMBIGUOUS_STATUS:
        _refuse("codes of --status mean different things in different places: name the withheld by --withheld", path)
    if not codes.issuperset(asked.withheld):
        _refuse("the column of --status does not hold every code of --withheld", path)
    hidden = HIDDEN_STATUS if not asked.withheld else asked.withheld
    said = [str(one) if one is not None and str(one) in hidden else None for one in status]
    return tuple(word or ("withheld" if gone else None) for word, gone in zip(said, missing, strict=True))


def _parents(name: str, values: set[str], asked: Asked) -> dict[str, str]:
    """Value -> the value above, from the file, and from the code of the total."""
    above = _file(name, asked.hierarchy[name]) if name in asked.hierarchy else {}
    if above and values.isdisjoint(above):
        _refuse(f"it holds no value of column {name!r}", asked.hierarchy[name])
    totals = TOTALS if asked.total is None else (asked.total,)
    total = next((code for code in totals if code in values and code not in above.values()), None)
    if total is not None and total not in above:
        tops = (values | set(above.values())) - set(above) - {total}
        above |= dict.fromkeys(tops, total)
    _require_tree(name, above)
    return dict(sorted(above.items()))


def _file(name: str, path: Path) -> dict[str, str]:
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        _refuse("there is no such file, or it is too large", path)
    above: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line in csv.reader(file):
                if len(line) < 2:
                    _refuse("every line must hold a value and the one above it", path)
                if above.setdefault(line[0], line[1]) != line[1]:
                    _refuse(f"a value of {name!r} lies in two others", path)
    except (UnicodeDecodeError, csv.Error):
        _refuse("it cannot be read as CSV", path)
    return above


def _require_tree(name: str, above: Mapping[str, str]) -> None:
    for value in above:
        at, steps = value, 0
        while at in above:
            at, steps = above[at], steps + 1
            if steps > len(above):
                raise AcequiaError("usage", f"the hierarchy of {name!r} goes round in a circle")


def _refuse(what: str, path: Path) -> NoReturn:
    raise AcequiaError("usage", what, where=path.name)
