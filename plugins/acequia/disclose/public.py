"""What the public knows: releases as their files tell them, and the system of equations that anybody can write down.

Nothing in here reads what the office knows, and nothing of the suppression is used: it is the other side.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from acequia.disclose.layers import HIDDEN, Layer
from acequia.errors import AcequiaError
from acequia.period import Period

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Key = tuple[str, ...]
CONTRIBUTORS = "contributors_count"
NOISE = {"cell_key", "differential_privacy"}
MOST_CELLS = 500_000
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Quantity:
    """What a number measures; equal ones can be compared and added up, whatever table they stand in."""

    kind: str
    of: str
    where: str

    @property
    def adds_up(self) -> bool:
        """Whether the number of a total is the sum of those of its parts."""
        return self.kind in ("rows", "sum")


@dataclass(frozen=True)
class Told:
    """One release as it is told: the key of each cell, its numbers (NaN where there is none), why it is withheld.

    `parents` holds for each column the value above each value; `lower` what each number cannot be below.
    """

    id: str
    table: str
    period: Period | None
    by: tuple[str, ...]
    parents: Mapping[str, Mapping[str, str]]
    keys: tuple[Key, ...]
    numbers: Mapping[str, np.ndarray[Any, Any]]
    because: tuple[str | None, ...]
    quantities: Mapping[str, Quantity]
    lower: Mapping[str, float]
    slack: Mapping[str, float]
    at_least: int = 0
    current: bool = True
    rules: tuple[str, ...] = ()
    feed: str = ""

    @property
    def withheld(self) -> list[bool]:
        """Whether each cell is withheld."""
        return [reason is not None for reason in self.because]


def told(rows: pa.Table, structure: Mapping[str, Any], *, id: str, table: str, period: str, current: bool) -> Told:  # noqa: A002
    """A release out of its rows and its public structure."""
    by = tuple(column["name"] for column in structure["by"])
    quantities, lower, slack = {}, {}, {}
    base = structure.get("rounding", {})
    measures = [*structure["measures"]]
    if "contributors" in structure:
        measures.append({"name": CONTRIBUTORS, **structure["contributors"], "at_least": 0})
    noisy = NOISE & set(structure.get("rules", ()))  # numbers that do not add up, and nothing withheld
    for measure in () if noisy else measures:
        name, kind = measure["name"], measure["kind"]
        if kind in ("rows", "distinct", "sum") and name in rows.column_names:
            quantities[name] = Quantity(kind, "rows" if kind == "rows" else measure["of"], measure.get("where", ""))
            lower[name] = float(measure.get("at_least", -math.inf))
            slack[name] = _off(base, kind) if kind != "sum" else 0.0
    return Told(
        id=id,
        table=table,
        period=Period.parse(period),
        by=by,
        parents={column["name"]: column.get("parents", {}) for column in structure["by"]},
        keys=_keys(rows, by),
        numbers={name: _numbers(rows, name) for name in quantities},
        because=tuple(_because(rows)),
        quantities=quantities,
        lower=lower,
        slack=slack,
        at_least=int(structure.get("min_contributors", 0)),
        current=current,
        rules=tuple(structure.get("rules", ())),
        feed=structure.get("feed", ""),
    )


def _off(rounding: Mapping[str, Any], kind: str) -> float:
    """How far a rounded count can be from the true one: half the base; nearly all of it, or of twice of it, where sums
    are kept, which those of different people are not.
    """
    base = float(rounding.get("base", 0))
    controlled = base and kind == "rows" and rounding.get("method") == "controlled"
    return base * float(rounding.get("reach", 1)) - 1 if controlled else base / 2


def _keys(rows: pa.Table, by: Sequence[str]) -> tuple[Key, ...]:
    columns = [[as_code(value) for value in rows.column(name).to_pylist()] for name in by]
    return tuple(zip(*columns, strict=True)) if columns else ((),) * rows.num_rows


def as_code(value: Any) -> str:
    """A value of a key as text; a null is the empty text."""
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _numbers(rows: pa.Table, name: str) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.array([math.nan if value is None else float(value) for value in rows.column(name).to_pylist()], float)


def _because(rows: pa.Table) -> Iterator[str | None]:
    for status, reason in zip(
        rows.column("cell_status").to_pylist(), rows.column("withheld_because").to_pylist(), strict=True
    ):
        yield (reason or "withheld") if status == "withheld" else None


@dataclass
class System:
    """All cells of some releases, numbered, with the equations of each quantity.

    `cells` names each cell: the place of its release, and its row. `layers` has one layer per quantity, `names` for
    each of its unknowns the measure that tells it. `rests` are unknowns that no release tells: the layer, the unknown,
    and between what it lies.
    """

    releases: tuple[Told, ...]
    cells: list[tuple[int, int]] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    names: list[list[str]] = field(default_factory=list)
    rests: list[tuple[int, int, str]] = field(default_factory=list)

    def withheld(self) -> np.ndarray[Any, Any]:
        """Which cells are withheld. Shape (cells,)."""
        import numpy as np

        return np.array([self.releases[place].because[row] is not None for place, row in self.cells], bool)


def system(releases: Sequence[Told], *, linked: bool = True) -> System:
    """The equations between the numbers of these releases, as anybody can write them down.

    Within a release every total is the sum of its parts (a number of different people is at most that). Between
    releases of one window, or of windows inside another, the sums over what they have no column for are equal, where
    what is published does not say otherwise; of several vintages of one table and window, only the standing one.
    With `linked` false only what holds within each release.

    Raises:
        AcequiaError: `usage` where there are more cells than can be looked at in one go.
    """
    if sum(len(one.keys) for one in releases) > MOST_CELLS:
        raise AcequiaError("usage", f"more than {MOST_CELLS:,} cells: give one table, or one period")
    made = System(tuple(releases))
    first: list[int] = []
    for place, one in enumerate(releases):
        first.append(len(made.cells))
        made.cells.extend((place, row) for row in range(len(one.keys)))
    found = sorted({q for one in releases for q in one.quantities.values()}, key=lambda q: (q.kind, q.of, q.where))
    for quantity in found:
        builder = _Builder(quantity, releases, first)
        made.layers.append(builder.layer(linked=linked))
        made.rests.extend((len(made.layers) - 1, *rest) for rest in builder.rests)
        made.names.append(builder.names)
    return made


class _Builder:
    """Collects the unknowns and equations of one quantity."""

    def __init__(self, quantity: Quantity, releases: Sequence[Told], first: Sequence[int]) -> None:
        self.quantity, self.releases, self.first = quantity, releases, first
        self.value: list[float] = []
        self.lower: list[float] = []
        self.slack: list[float] = []
        self.cell: list[int] = []
        self.names: list[str] = []
        self.equations: list[list[tuple[int, float]]] = []
        self.unknown: dict[tuple[int, int], int] = {}
        self.rests: list[tuple[int, str]] = []

    def layer(self, *, linked: bool) -> Layer:
        """All of it, as one layer."""
        import numpy as np
        from scipy.sparse import csr_array

        holds = [place for place in range(len(self.releases)) if self._cells_of(place)]
        for place in holds:
            self._within(place)
        if linked:
            standing = [place for place in holds if self.releases[place].current]
            self._tables(standing)
            self._windows(standing)
        rows = [n for n, equation in enumerate(self.equations) for _ in equation]
        columns = [unknown for equation in self.equations for unknown, _ in equation]
        factors = [factor for equation in self.equations for _, factor in equation]
        shape = (len(self.equations), len(self.value))
        return Layer(
            name=_named(self.quantity),
            equations=csr_array((factors, (rows, columns)), shape=shape, dtype=float),
            value=np.array(self.value, float),
            lower=np.array(self.lower, float),
            upper=np.full(len(self.value), np.inf),
            cell=np.array(self.cell, np.int64),
            slack=np.array(self.slack, float),
            integer=self.quantity.kind in ("rows", "distinct"),
            needs=(),
            sole=np.full(len(self.value), -1, np.int64),
        )

    def _cells_of(self, place: int) -> str | None:
        """Number the cells of a release; the name of the measure that tells this quantity, if one does.

        Two measures of one quantity tell the same; the more exact one counts.
        """
        one = self.releases[place]
        names = [name for name, quantity in one.quantities.items() if quantity == self.quantity]
        if not names:
            return None
        name = min(names, key=lambda known: one.slack[known])
        for row, value in enumerate(one.numbers[name]):
            hidden = one.because[row] is not None
            self.unknown[place, row] = len(self.value)
            slack = 0.0 if hidden or not math.isfinite(value) else one.slack[name]
            self._add(value if math.isfinite(value) else (math.nan if hidden else 0.0), one.lower[name],
                      slack, self.first[place] + row, name)  # fmt: skip
        return name

    def _add(self, value: float, lower: float, slack: float, cell: int, name: str) -> int:
        self.value.append(value)
        self.lower.append(lower)
        self.slack.append(slack)
        self.cell.append(cell)
        self.names.append(name)
        return len(self.value) - 1

    def _free(self, lower: float) -> int:
        return self._add(math.nan, lower, 0.0, HIDDEN, "")

    def _within(self, place: int) -> None:
        """Every total is the sum of its parts, along each column with levels."""
        one = self.releases[place]
        at = {key: row for row, key in enumerate(one.keys)}
        for column, name in enumerate(one.by):
            above = one.parents.get(name, {})
            parts: dict[Key, list[int]] = defaultdict(list)
            for row, key in enumerate(one.keys):
                if key[column] in above:
                    parts[(*key[:column], above[key[column]], *key[column + 1 :])].append(row)
            for key, rows in parts.items():
                if key in at:
                    self._equal([self.unknown[place, at[key]]], [self.unknown[place, row] for row in rows])

    def _equal(self, total: list[int], parts: list[int]) -> None:
        equation = [*((unknown, 1.0) for unknown in total), *((unknown, -1.0) for unknown in parts)]
        if not self.quantity.adds_up and len(parts) > 1:
            equation.append((self._free(0.0), 1.0))  # who is in several parts is counted once in the total
            for part in parts:  # and a total is no less than any part
                self.equations.append([(total[0], 1.0), (part, -1.0), (self._free(0.0), -1.0)])
        self.equations.append(equation)

    def _tables(self, places: Sequence[int]) -> None:
        """Other tables over the same window."""
        for one, other in combinations(places, 2):
            left, right = self.releases[one], self.releases[other]
            if left.table != right.table and _same(left.period, right.period):
                self._link([one], other)

    def _windows(self, places: Sequence[int]) -> None:
        """Tables over shorter windows against those over a longer one that holds them."""
        if not self.quantity.adds_up:
            return
        for long in places:
            window = self.releases[long].period
            shorter: dict[tuple[str, str], list[int]] = defaultdict(list)
            for place in places:
                period = self.releases[place].period
                if window and period and period.kind != window.kind and _is_within(period, window):
                    shorter[self.releases[place].table, period.kind].append(place)
            for group in shorter.values():
                self._link(group, long)

    def _link(self, group: Sequence[int], other: int) -> None:
        """The sums over all columns but the common ones are equal, unless what is published shows that they are not."""
        one = self.releases[group[0]]
        common = [name for name in one.by if name in self.releases[other].by]
        left: dict[Key, list[int]] = defaultdict(list)
        for place in group:
            for key, unknowns in self._margin(place, common).items():
                left[key] += unknowns
        right = self._margin(other, common)
        pairs = [(left.get(key, []), right.get(key, [])) for key in sorted(left.keys() | right.keys())]
        if not self.quantity.adds_up:
            pairs = [pair for pair in pairs if len(pair[0]) == len(pair[1]) == 1]
        differ = [self._differ(*pair) for pair in pairs]
        if True in differ:
            if not _same(one.period, self.releases[other].period):
                self._partly(pairs, f"{self.releases[other].id} without {one.table}")
            return
        for some, same in pairs:
            self._equal_sums(some, same)

    def _equal_sums(self, some: list[int], same: list[int]) -> None:
        self.equations.append([*((n, 1.0) for n in some), *((n, -1.0) for n in same)])

    def _partly(self, pairs: list[tuple[list[int], list[int]]], between: str) -> None:
        """The shorter windows are only a part of the longer one: the rest is not below zero."""
        lowest = min((self.lower[n] for pair in pairs for side in pair for n in side), default=0.0)
        if lowest < 0 or any(self._beyond(*pair) for pair in pairs):
            return
        for some, same in pairs:
            rest = self._free(0.0)
            self.rests.append((rest, between))
            self.equations.append([*((n, 1.0) for n in some), *((n, -1.0) for n in same), (rest, 1.0)])

    def _differ(self, some: list[int], same: list[int]) -> bool | None:
        """Whether two sums that are both published differ by more than rounding explains; None if not both are."""
        gap, room = self._gap(some, same)
        return None if math.isnan(gap) else abs(gap) > room

    def _beyond(self, some: list[int], same: list[int]) -> bool:
        gap, room = self._gap(some, same)
        return not math.isnan(gap) and gap > room

    def _gap(self, some: list[int], same: list[int]) -> tuple[float, float]:
        values = [math.fsum(self.value[n] for n in side) for side in (some, same)]
        room = math.fsum(self.slack[n] for side in (some, same) for n in side)
        return values[0] - values[1], room + TOLERANCE * (1 + abs(values[1]))

    def _margin(self, place: int, common: Sequence[str]) -> dict[Key, list[int]]:
        """The unknowns of the finest cells, by their values in the common columns."""
        one = self.releases[place]
        wider = [set(one.parents.get(name, {}).values()) for name in one.by]
        chosen = [one.by.index(name) for name in common]
        found: dict[Key, list[int]] = defaultdict(list)
        for row, key in enumerate(one.keys):
            if not any(value in above for value, above in zip(key, wider, strict=True)):
                found[tuple(key[column] for column in chosen)].append(self.unknown[place, row])
        return found


def _named(quantity: Quantity) -> str:
    return " ".join(part for part in (quantity.kind, quantity.of if quantity.of != "rows" else "",
                                      f"where {quantity.where}" if quantity.where else "") if part)  # fmt: skip


def _same(one: Period | None, other: Period | None) -> bool:
    return one is not None and one == other


def related(periods: Iterable[Period], window: Period) -> set[Period]:
    """The periods that a window is linked with: those in it, those that it is in, and what is in these, and so on."""
    known, found, ask = set(periods), {window}, [window]
    while ask:
        one = ask.pop()
        near = {other for other in known - found if _is_within(one, other) or _is_within(other, one)}
        found |= near
        ask += sorted(near)
    return found


_LENGTHS = ("day", "week", "month", "quarter", "year")


def _is_within(part: Period, window: Period) -> bool:
    return _LENGTHS.index(part.kind) < _LENGTHS.index(window.kind) and part.within(window.kind) == window
