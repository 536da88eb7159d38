"""The cells of the golden deliveries, computed a second time: plain Python, row by row, without the rooms' code.

Nothing here reads an agreement. What the agreements of the demo partners say is written out once more by hand, so that
a mistake in the language, in the engine or in an agreement shows as a difference. Fractions keep every number exact.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

Row = dict[str, Any]
Value = Callable[[Row], Any]
REFERENCE = Path(__file__).resolve().parents[2] / "config" / "reference"


@dataclass(frozen=True)
class Wanted:
    """One table as a person would read it in the agreement. A measure is its kind and one or two functions of a row."""

    by: tuple[str, ...]
    measures: Mapping[str, tuple[Any, ...]]
    contributor: str
    least: int
    dominance: tuple[int, int, tuple[str, ...] | None] | None = None
    base: int = 1
    total_over: str | None = None
    where: Value = field(default=lambda row: True)
    grid: Mapping[str, Iterable[Any]] | None = None


def cells(rows: list[Row], wanted: Wanted) -> list[Row]:
    """One row per cell, with what is published of it, in the order of the keys."""
    rows = [row for row in rows if wanted.where(row)]
    keys = {tuple(row[name] for name in wanted.by) for row in rows}
    if wanted.grid:
        keys |= set(product(*(wanted.grid[name] for name in wanted.by)))
    found = {key: cell(key, [row for row in rows if tuple(row[n] for n in wanted.by) == key], wanted) for key in keys}
    if wanted.total_over:
        add_totals(found, rows, wanted)
    return [found[key] for key in sorted(found)]


def add_totals(found: dict[tuple[Any, ...], Row], rows: list[Row], wanted: Wanted) -> None:
    """For each combination of the other keys the total over one; withheld with any of its parts, and where total and
    part together would tell how many are in no other part, and these are too few.
    """
    place = wanted.by.index(wanted.total_over or "")
    totals: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple("_T" if n == place else row[name] for n, name in enumerate(wanted.by))
        totals.setdefault(key, []).append(row)
    for key, members in totals.items():
        parts = [part for own, part in found.items() if all(a == b or b == "_T" for a, b in zip(own, key, strict=True))]
        total = cell(key, members, wanted)
        tells = any(part["cell_status"] == "withheld" for part in parts)
        tells = tells or any(0 < left < wanted.least for left in besides(members, wanted))
        if total["cell_status"] == "published" and tells:
            total = withheld(total, wanted, "secondary")
        found[key] = total


def besides(members: list[Row], wanted: Wanted) -> Iterator[int]:
    """For each part of a total how many people of the total are not in it."""
    for part in {row[wanted.total_over or ""] for row in members}:
        inside = [row for row in members if row[wanted.total_over or ""] == part]
        yield people_in(members, wanted) - people_in(inside, wanted)


def cell(key: tuple[Any, ...], rows: list[Row], wanted: Wanted) -> Row:
    """One cell: its key, its measures, and what is withheld of it."""
    measures = {name: measured(rows, how) for name, how in wanted.measures.items()}
    people = people_in(rows, wanted)
    counts = {name for name, how in wanted.measures.items() if how[0] in ("count", "distinct")}
    shown = {name: rounded(value, wanted.base) if name in counts else value for name, value in measures.items()}
    made = {
        **dict(zip(wanted.by, key, strict=True)),
        **shown,
        "contributors_count": rounded(people, wanted.base),
        "cell_status": "published" if rows else "zero",
        "withheld_because": None,
    }
    if not rows:
        return made
    if any(behind and people_in(behind, wanted) < wanted.least for behind in supports(rows, wanted)):
        return withheld(made, wanted, "min_contributors")
    return withheld(made, wanted, "dominance") if dominated(rows, wanted) else made


def people_in(rows: list[Row], wanted: Wanted) -> int:
    """How many different contributors; nobody is counted for a row without one."""
    return len({row[wanted.contributor] for row in rows} - {None})


def supports(rows: list[Row], wanted: Wanted) -> Iterator[list[Row]]:
    """The rows of the cell, and those behind each measure that has a condition of its own."""
    yield rows
    for kind, of, *more in wanted.measures.values():
        if kind == "count":
            yield [row for row in rows if of(row)]
        elif kind == "mean" and more:
            yield [row for row in rows if more[0](row)]


def withheld(made: Row, wanted: Wanted, because: str) -> Row:
    """The cell with its key and nothing else."""
    gone = dict.fromkeys((*wanted.measures, "contributors_count"))
    return {**made, **gone, "cell_status": "withheld", "withheld_because": because}


def measured(rows: list[Row], how: tuple[Any, ...]) -> Any:
    """A measure over the rows of a cell."""
    kind, of, *more = how
    if kind == "count":
        return sum(1 for row in rows if of(row))
    if kind == "distinct":
        return len({of(row) for row in rows} - {None})
    if kind == "sum":
        return sum((Fraction(str(of(row))) for row in rows), Fraction())
    if kind == "ratio":
        below = sum((Fraction(str(more[0](row))) for row in rows), Fraction())
        return sum((Fraction(str(of(row))) for row in rows), Fraction()) / below if below else None
    values = [Fraction(str(of(row))) for row in rows if not more or more[0](row)]
    if not values:
        return None
    return median(values) if kind == "median" else sum(values, Fraction()) / len(values)


def dominated(rows: list[Row], wanted: Wanted) -> bool:
    """Whether the n largest contributors hold more than k percent of a total."""
    if wanted.dominance is None:
        return False
    n, k, only = wanted.dominance
    for name, (kind, of, *_) in wanted.measures.items():
        if kind not in ("count", "sum") or (only is not None and name not in only):
            continue
        shares: dict[Any, Fraction] = {}
        for row in rows:
            part = Fraction(str(of(row))) if kind == "sum" else Fraction(int(of(row)))
            shares[row[wanted.contributor]] = shares.get(row[wanted.contributor], Fraction()) + part
        total = sum(shares.values(), Fraction())
        if total > 0 and min(shares.values()) >= 0 and 100 * sum(sorted(shares.values())[-n:], Fraction()) > k * total:
            return True
    return False


def rounded(count: int, base: int) -> int:
    """To the nearest multiple, half up."""
    return (2 * count + base) // (2 * base) * base


def band(value: int, edges: tuple[int, ...]) -> str:
    """`<first`, `low..high` with the lower edge inside, `last+`."""
    if value < edges[0]:
        return f"<{edges[0]}"
    return next((f"{a}..{b}" for a, b in zip(edges, edges[1:], strict=False) if a <= value < b), f"{edges[-1]}+")


def looked_up(table: str, value: str) -> dict[str, str]:
    """Key -> value of a reference table; the caller gives `_U` to what is not there."""
    with (REFERENCE / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    key = next(iter(rows[0]))
    return {row[key]: row[value] for row in rows}


def in_zone(text: str, hours: int) -> datetime:
    """A moment with an offset as wall time so many hours from UTC; one without stays."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(timezone(timedelta(hours=hours))).replace(tzinfo=None) if moment.tzinfo else moment


def csv_rows(path: Path) -> list[Row]:
    """The rows, with None for nothing."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]


def json_rows(path: Path) -> list[Row]:
    """One object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def every(row: Row) -> bool:
    """For counts of all rows."""
    return True
