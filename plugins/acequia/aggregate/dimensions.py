"""The columns that a table groups by: their levels, and the values that they can have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path

from acequia.agreement.columns import Column, Lookup, TruncateTo
from acequia.agreement.model import Feed
from acequia.agreement.tables import Table
from acequia.engine.expressions import SQL_TYPES, kind_of
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.protect.reference import ReferenceTable, read_reference

TOTAL, UNKNOWN = "_T", "_U"
"""SDMX's codes for the total of all and for unknown."""


@dataclass(frozen=True)
class Dimension:
    """A `by` column.

    `levels` are named from the column itself (the finest) to the widest. `places` is one row per value with its value
    at each level, for columns with wider levels than the grand total. `known` are the values that a grid of all cells
    holds, as texts; None where only the rows can tell. `of_type` is the type of the rows' column, `sql_type` that of
    the cells' column: a total is the text `_T`, so whatever has totals is text.
    """

    name: str
    of_type: str
    sql_type: str
    levels: tuple[str, ...]
    totals: tuple[bool, ...]
    places: tuple[tuple[str, ...], ...]
    known: tuple[str, ...] | None

    @property
    def is_hierarchy(self) -> bool:
        """Whether wider levels are published too."""
        return len(self.levels) > 1

    @property
    def has_places(self) -> bool:
        """Whether there are wider levels than the grand total."""
        return not all(self.totals[1:])


def dimension(
    name: str, feed: Feed, table: Table, types: Mapping[str, str], reference: Path, window: Period, *, place: str
) -> Dimension:
    """One `by` column of a table, with what the agreement and the reference tables say of it.

    Raises:
        AcequiaError: `agreement_invalid` (no such column, a level that is none) or `reference_missing`.
    """
    if name not in types:
        raise AcequiaError("agreement_invalid", f"{place}.by: there is no column `{name}`. Columns: {', '.join(types)}")
    kind = kind_of(types[name])
    if kind is None:
        raise AcequiaError("agreement_invalid", f"{place}.by: `{name}` is of a type that cannot be grouped by")
    column = feed.columns.get(feed.kept.get(name, ""))
    lookup = column.treat if column is not None and isinstance(column.treat, Lookup) else None
    needed = lookup is not None and (name in table.hierarchy or table.cells == "all")
    source = read_reference(reference, lookup.table) if lookup is not None and needed else None
    levels = tuple(reversed(table.hierarchy.get(name, (name,))))
    totals, places = _levels(levels, source, lookup, place=f"{place}.hierarchy.{name}")
    return Dimension(
        name=name,
        of_type=SQL_TYPES[kind],
        sql_type="VARCHAR" if len(levels) > 1 else SQL_TYPES[kind],
        levels=levels,
        totals=totals,
        places=places,
        known=_known(name, column, source, lookup, feed, window) if table.cells == "all" else None,
    )


def values_of(name: str, feed: Feed, table: Table, reference: Path) -> frozenset[str] | None:
    """The values that a `by` column can have at any of its levels; None where only the rows can tell."""
    column = feed.columns.get(feed.kept.get(name, ""))
    if column is None or (feed.transform is not None and name not in feed.kept):
        return None
    found = {TOTAL} if name in table.hierarchy else set()
    if isinstance(column.treat, Lookup):
        source = read_reference(reference, column.treat.table)
        levels = [level for level in table.hierarchy.get(name, ()) if level in source.columns]
        columns = [_column(source, column.treat.value), *(_column(source, level) for level in levels)]
        return frozenset(found.union({UNKNOWN}, *columns))
    if column.one_of is not None and column.treat == "keep":
        return frozenset(found | {_as_text(value) for value in column.one_of})
    return None


def _levels(
    levels: tuple[str, ...], source: ReferenceTable | None, lookup: Lookup | None, *, place: str
) -> tuple[tuple[bool, ...], tuple[tuple[str, ...], ...]]:
    totals = [False] * len(levels)
    columns: list[tuple[str, ...]] = (
        [_column(source, lookup.value)] if source is not None and lookup is not None else [()]
    )
    for depth, level in enumerate(levels[1:], 1):
        if source is not None and level in source.columns:
            columns.append(_column(source, level))
        elif depth == len(levels) - 1:
            totals[depth] = True
            columns.append((TOTAL,) * len(columns[0]))
        else:
            there = f"reference table {source.name}" if source else "a reference table: the column has no lookup"
            raise AcequiaError("agreement_invalid", f"{place}: level `{level}` is no column of {there}")
    if len(levels) == 1:
        return tuple(totals), ()
    places = sorted({row for row in zip(*columns, strict=True) if row[0] not in ("", UNKNOWN)})
    _require_codes(levels, totals, places, place)
    _require_tree(levels, places, place)
    return tuple(totals), () if len(levels) == 2 and totals[1] else tuple(places)


def _require_codes(levels: tuple[str, ...], totals: list[bool], places: list[tuple[str, ...]], place: str) -> None:
    """No value is one of the codes that every table has."""
    for depth, level in enumerate(levels):
        taken = {row[depth] for row in places} & ({UNKNOWN} if totals[depth] else {TOTAL, UNKNOWN})
        if taken:
            said = f"{place}: `{level}` has the value `{min(taken)}`, which stands for the total or the unknown of all"
            raise AcequiaError("agreement_invalid", said, do="Give it another code in the reference table.")


def _column(source: ReferenceTable, name: str | None) -> tuple[str, ...]:
    source.lookup(name)  # says what is wrong where there is no such column
    place = 1 if name is None else source.columns.index(name)
    return tuple(row[place] for row in source.rows)


def _require_tree(levels: tuple[str, ...], places: list[tuple[str, ...]], place: str) -> None:
    """Each value lies in one value of the next level, and no value names two levels: else totals would be wrong."""
    if any("" in row for row in places):
        raise AcequiaError("agreement_invalid", f"{place}: a row of the reference table leaves a level empty")
    for depth, (lower, upper) in enumerate(pairwise(levels)):
        above: dict[str, set[str]] = defaultdict(set)
        for row in places:
            above[row[depth]].add(row[depth + 1])
        if any(len(found) > 1 for found in above.values()):
            raise AcequiaError("agreement_invalid", f"{place}: a value of `{lower}` lies in more than one `{upper}`")
    named = [{row[depth] for row in places} for depth in range(len(levels))]
    for (lower, names), (upper, other_names) in combinations(zip(levels, named, strict=True), 2):
        if names & other_names:
            raise AcequiaError(
                "agreement_invalid",
                f"{place}: `{lower}` and `{upper}` have a value of the same name",
                do="Give the values of one level other names in the reference table, such as `Montevideo (city)`.",
            )


def _known(
    name: str,
    column: Column | None,
    source: ReferenceTable | None,
    lookup: Lookup | None,
    feed: Feed,
    window: Period,
) -> tuple[str, ...] | None:
    if source is not None and lookup is not None:
        return tuple(sorted(set(source.lookup(lookup.value).values()) - {UNKNOWN}))
    if column is None:
        return None
    if column.one_of is not None and column.treat == "keep":
        return tuple(sorted({_as_text(value) for value in column.one_of}))
    key = feed.kept[name]
    if isinstance(column.treat, TruncateTo) and feed.rows.period_column == (column.from_ or key):
        return _times(column.treat.truncate_to, feed, window)
    return None


def _times(unit: str, feed: Feed, window: Period) -> tuple[str, ...] | None:
    """The hours or days of the window, as far as the local clock shows them: one without rows is a zero, too."""
    if unit not in ("hour", "day"):
        return None
    step = timedelta(hours=1) if unit == "hour" else timedelta(days=1)
    moment, times = datetime.combine(window.start, datetime.min.time()), []
    end = datetime.combine(window.end, datetime.min.time())
    while moment < end:
        aware = moment.replace(tzinfo=feed.delivery.zone)
        if unit == "day" or datetime.fromtimestamp(aware.timestamp(), feed.delivery.zone).hour == moment.hour:
            times.append(moment.isoformat(sep=" "))  # an hour that clocks skip has no cell
        moment += step
    return tuple(times)


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
