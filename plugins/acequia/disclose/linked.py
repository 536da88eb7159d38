"""From the cells of a release, and of those that it can be compared with, to the system that suppression solves.

The cells of the new release are the only ones to decide on; earlier releases that are public stay as they are. Pieces
(rows by the releases that they are in, `aggregate.pieces`) are unknowns that nobody publishes: what one release tells
beside another is a piece, or a sum of them. So vintages, windows of other lengths and other tables are one case.

Of distinct counts, which do not add up, these equations are written: a cell is the sum of those below it less what they
have in common (nothing, where that is true); and of two cells or releases of which one holds the other, the difference
is the number of people who are in the wider one alone.

Equations that do not hold of the true numbers are left out: nobody can rely on them (a transform that makes other rows
of a month than of its days, values that are missing).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from acequia.agreement.protection import Protection
from acequia.agreement.tables import Table
from acequia.disclose.geometry import Equation, Key, Shape, inside, margin, matrix, shape_of
from acequia.disclose.layers import HIDDEN, Layer, Need, Problem
from acequia.disclose.primary import Part, Primary, judge
from acequia.disclose.reach import beside, merged, once, within

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Definition = tuple[str, str, str, str]
CLOSE = 1e-7
NEARLY = 0.01
"""Of a number: what was kept back for its comparison with others may not become known more closely."""


@dataclass(frozen=True)
class Release:
    """One release, with its restricted cells.

    Attributes:
        table: as agreed when it was made.
        made: the cells, with the columns that `aggregate.plan` describes.
        open: whether each cell's numbers are public; None for the release that is to be decided on.
        deliveries: the names of what it is made of.
        compared: the cells that were withheld for what they would have told beside others, and so must stay unknown.
    """

    table: Table
    made: pa.Table
    open: NDArray[np.bool_] | None = None
    deliveries: frozenset[str] = frozenset()
    compared: frozenset[int] = frozenset()

    @cached_property
    def shape(self) -> Shape:
        """Where its cells lie."""
        return shape_of(self.made, self.table.by, self.table.hierarchy)

    @cached_property
    def primary(self) -> Primary:
        """What the rules say of its cells."""
        return judge(self.made, self.table)

    @cached_property
    def parts(self) -> dict[Definition, Part]:
        """What its numbers are, by definition; the number of rows only where it is published."""
        found: dict[Definition, Part] = {}
        for part in self.primary.parts:
            if part.measure is not None or part.layer == "contributors":
                found.setdefault((*part.definition, self.table.where or ""), part)
        return found

    def layer_of(self, definition: Definition) -> str | None:
        """The layer of its primary with this definition."""
        part = self.parts.get(definition)
        return None if part is None else part.layer


@dataclass(frozen=True)
class Piece:
    """Rows that are in exactly these releases, as cells of a table by the columns that the releases share."""

    release: Release
    within: frozenset[int]


@dataclass(frozen=True)
class Difference:
    """What two vintages of one window differ by, where rows came and went: `of` is made of all those rows together."""

    of: Release
    earlier: int


@dataclass(frozen=True)
class Links:
    """What the new release, number 0, can be compared with: earlier releases 1, 2, … and the pieces of all."""

    earlier: tuple[Release, ...] = ()
    pieces: tuple[Piece, ...] = ()
    differences: tuple[Difference, ...] = ()
    vintages: frozenset[int] = field(default_factory=frozenset)

    @property
    def deliveries(self) -> frozenset[str]:
        """What all are made of."""
        return frozenset(name for one in self.earlier for name in one.deliveries)


@dataclass(frozen=True)
class System:
    """The problem, and how its cells lie: those of the new release are the first ones."""

    problem: Problem
    told: tuple[bool, ...]
    """Per cell of the new release, whether it alone would tell what an earlier release keeps back."""


def system(new: Release, links: Links, cost: NDArray[np.float64]) -> System:
    """The system of a new release.

    Args:
        new: the release to decide on.
        links: what it can be compared with.
        cost: shape (cells of `new`,); what it costs to withhold each.
    """
    import numpy as np

    releases = (new, *links.earlier)
    sizes = [len(one.shape.keys) for one in releases]
    own, cells = sizes[0], sum(sizes)
    starts = tuple(np.cumsum([0, *sizes]).tolist())
    layers = tuple(_Assembly(definition, releases, links, starts).layer() for definition in new.parts)
    withheld, fixed = np.zeros(cells, dtype=bool), np.ones(cells, dtype=bool)
    withheld[:own] = new.primary.unsafe
    for one, start in zip(links.earlier, starts[1:], strict=False):
        withheld[start : start + len(one.shape.keys)] = ~_open(one)
    told = _tells(layers, withheld, own)
    withheld[:own] |= told
    fixed[:own] = withheld[:own]
    costs = np.concatenate([np.maximum(cost, 1e-9), np.ones(cells - own)])
    layers = tuple(beside(merged(layer), own) for layer in layers if layer.equations.shape[0] and layer.needs)
    return System(Problem(layers, withheld, fixed, costs), tuple(bool(tells) for tells in told))


def _open(one: Release) -> NDArray[np.bool_]:
    import numpy as np

    return np.ones(len(one.shape.keys), dtype=bool) if one.open is None else one.open


def _tells(layers: Sequence[Layer], withheld: NDArray[np.bool_], own: int) -> NDArray[np.bool_]:
    """Which cells of the new release, with what is public already, would tell a number that must stay unknown.

    One equation with one number that is not public and has a need, one new cell, and else what is public.
    """
    import numpy as np

    told = np.zeros(own, dtype=bool)
    for layer in layers:
        needs = {need.unknown: need for need in layer.needs if not 0 <= layer.cell[need.unknown] < own}
        rows = layer.equations.tocsr()
        for at in range(rows.shape[0] if needs else 0):
            columns = rows.indices[rows.indptr[at] : rows.indptr[at + 1]]
            cells = layer.cell[columns]
            hidden = columns[(cells == HIDDEN) | ((cells >= own) & withheld[np.maximum(cells, 0)])]
            new = cells[(cells >= 0) & (cells < own)]
            if len(new) == 1 and len(hidden) == 1 and not withheld[new[0]] and int(hidden[0]) in needs:
                shown = columns[columns != hidden[0]]
                told[new[0]] |= not _stays(layer, needs[int(hidden[0])], float(layer.slack[shown].sum()))
    return told


def _stays(layer: Layer, need: Need, slack: float) -> bool:
    """Whether a need is met by what rounding leaves open alone."""
    from acequia.disclose.intervals import met

    value = float(layer.value[need.unknown])
    return met(layer, need, max(value - slack, float(layer.lower[need.unknown])), value + slack)


class _Assembly:
    """One layer as it comes together. Its unknowns: the cells of all releases, the pieces, then whatever is between."""

    def __init__(
        self, definition: Definition, releases: Sequence[Release], links: Links, starts: Sequence[int]
    ) -> None:
        self.definition, self.releases, self.links, self.starts = definition, releases, links, starts
        self.kind, self.at_least = definition[0], _threshold(releases[0].table)
        self.value: list[float] = []
        self.lower: list[float] = []
        self.cell: list[int] = []
        self.slack: list[float] = []
        self.sole: list[int] = []
        self.needs: list[Need] = []
        self.equations: list[Equation] = []
        self.whole = True
        self.names: dict[str, int] = {}
        self.first = [self._add(one, starts[number]) for number, one in enumerate(releases)]

    def _add(self, one: Release, start: int | None) -> int:
        """The cells of one release (their pattern begins at `start`) or piece as unknowns, with their needs."""
        first, layer = len(self.value), one.layer_of(self.definition)
        count = len(one.shape.keys)
        self.cell += [HIDDEN] * count if start is None else range(start, start + count)
        self.slack += [0.0 if start is None else _slack(one.table, self.kind)] * count
        primary = one.primary
        self.sole += [-1 if who < 0 else self.names.setdefault(primary.soles[who], len(self.names))
                      for who in primary.sole.tolist()]  # fmt: skip
        if layer is None:
            self.value += [0.0] * count
            self.lower += [float("-inf")] * count
            self.cell[first:] = [HIDDEN] * count
            return first
        self.value += [0.0 if value != value else float(value) for value in primary.value[layer]]
        self.lower += primary.lower[layer].tolist()
        self.whole = self.whole and primary.whole[layer]
        self.needs += primary.needs(layer, first)
        self.needs += [self._not_known(first + cell) for cell in sorted(one.compared) if not primary.unsafe[cell]]
        return first

    def _not_known(self, unknown: int) -> Need:
        """That a number does not become known, to a hundredth of it."""
        return Need(unknown, width=NEARLY * abs(self.value[unknown]), integers=2 if self.whole else 0)

    def layer(self) -> Layer:
        """The layer, with every equation that holds."""
        for number, one in enumerate(self.releases):
            if one.layer_of(self.definition) is not None:
                self._inside(one, self.first[number])
        if self.kind == "distinct":
            self._nested()
        else:
            self._tables()
            self._pieces()
        return self._made()

    def _inside(self, one: Release, first: int) -> None:
        equations = inside(one.shape, first)
        if self.kind != "distinct":
            self._hold(equations)
            return
        for equation in equations:
            common = sum(number * self.value[unknown] for unknown, number in equation.items())
            if common <= 0:
                self._hold([equation])
            else:
                self.equations.append({**equation, self._unknown(common): -1.0})
            if first == self.first[0]:
                self._beside(equation, common)

    def _beside(self, equation: Equation, common: float) -> None:
        """Each part of a cell, and the people of the cell who are in none but others."""
        wider = next(unknown for unknown, number in equation.items() if number < 0)
        parts = [unknown for unknown, number in equation.items() if number > 0]
        for part in parts:
            others = [other for other in parts if other != part]
            if len(others) == 1 and common <= 0:
                continue  # they are the other part, which has a need of its own
            self._alone(wider, part, sole=self.sole[others[0]] if len(others) == 1 else -1)

    def _alone(self, wider: int, part: int, sole: int = -1) -> None:
        """The people of a wider cell or release who are not in the other: few of them must stay unknown."""
        few = self.value[wider] - self.value[part]
        if 1 <= abs(few) < self.at_least:
            unknown = self._unknown(few, lower=0.0 if few > 0 else float("-inf"))
            self.sole[unknown] = sole
            self.needs.append(Need(unknown, integers=self.at_least))
            self.equations.append({wider: 1.0, part: -1.0, unknown: -1.0})

    def _nested(self) -> None:
        """Releases of the same columns of which one holds all that the other is made of, or that are vintages."""
        new = self.releases[0]
        for number, one in enumerate(self.releases[1:], 1):
            nested = new.deliveries <= one.deliveries or one.deliveries <= new.deliveries
            if one.layer_of(self.definition) is None or not (nested or number in self.links.vintages):
                continue
            if sorted(one.shape.by) != sorted(new.shape.by):
                self._same_distinct(number, one)
                continue
            order = [one.shape.by.index(by) for by in new.shape.by]
            there = {tuple(key[d] for d in order): cell for cell, key in enumerate(one.shape.keys)}
            at = [new.shape.by.index(by) for by in one.shape.by]
            for cell, key in enumerate(new.shape.keys):
                other = there.get(key)
                if other is None or tuple(key[d] for d in at) not in one.shape.place:
                    continue
                if new.deliveries == one.deliveries:
                    self._hold([{self.first[0] + cell: 1.0, self.first[number] + other: -1.0}])
                elif one.deliveries <= new.deliveries or number in self.links.vintages:
                    self._alone(self.first[0] + cell, self.first[number] + other)
                else:
                    self._alone(self.first[number] + other, self.first[0] + cell)

    def _same_distinct(self, number: int, one: Release) -> None:
        """Of two tables of the same rows: a cell that is one cell in both, since nothing else is beside it."""
        if self.releases[0].deliveries != one.deliveries:
            return
        for mine, other in self._margins(number, one):
            if len(mine) == 1 and len(other) == 1:
                self._hold([{mine[0]: 1.0, other[0]: -1.0}])

    def _tables(self) -> None:
        """Other tables, and other vintages, of exactly the same rows: their common margins are equal."""
        for number, one in enumerate(self.releases[1:], 1):
            same = self.releases[0].deliveries == one.deliveries and one.layer_of(self.definition) is not None
            for mine, other in self._margins(number, one) if same else ():
                self._hold([{**dict.fromkeys(mine, 1.0), **dict.fromkeys(other, -1.0)}])

    def _margins(self, number: int, one: Release) -> Iterator[tuple[list[int], list[int]]]:
        new = self.releases[0]
        columns = [by for by in new.shape.by if by in one.shape.by]
        mine = margin(new.shape, columns, self.first[0])
        other = margin(one.shape, columns, self.first[number])
        for key in dict.fromkeys((*mine, *other)):
            yield mine.get(key, []), other.get(key, [])

    def _pieces(self) -> None:
        """Every release is the sum of its pieces, on the columns that those are by."""
        by_columns: dict[tuple[str, ...], list[tuple[Piece, int]]] = {}
        for piece in self.links.pieces:
            if piece.release.layer_of(self.definition) is not None:
                first = self._add(piece.release, None)
                self._inside(piece.release, first)
                by_columns.setdefault(tuple(piece.release.table.by), []).append((piece, first))
        for columns, pieces in by_columns.items():
            for number, one in enumerate(self.releases):
                if one.layer_of(self.definition) is not None and set(columns) <= set(one.shape.by):
                    self._sum_of_pieces(number, one, columns, pieces)
        for difference in self.links.differences:
            self._difference(difference)

    def _sum_of_pieces(
        self, number: int, one: Release, columns: tuple[str, ...], pieces: Sequence[tuple[Piece, int]]
    ) -> None:
        mine: Mapping[Key, list[int]] = margin(one.shape, columns, self.first[number])
        equations: dict[Key, Equation] = {key: dict.fromkeys(cells, 1.0) for key, cells in mine.items()}
        wide = self._wide(one, columns, self.first[number])
        equations.update(wide)
        for piece, first in pieces:
            if number not in piece.within:
                continue
            for key, cells in margin(piece.release.shape, columns, first).items():
                equations.setdefault(key, {}).update(dict.fromkeys(cells, -1.0))
            for key, equation in self._wide(piece.release, columns, first).items():
                if key in wide:
                    wide[key].update(dict.fromkeys(equation, -1.0))
        self._hold(list(equations.values()))

    @staticmethod
    def _wide(one: Release, columns: tuple[str, ...], first: int) -> dict[Key, Equation]:
        """The cells above the finest level, where a release has exactly these columns."""
        if sorted(columns) != sorted(one.shape.by):
            return {}
        order = [one.shape.by.index(by) for by in columns]
        return {
            tuple(key[d] for d in order): {first + cell: 1.0}
            for cell, key in enumerate(one.shape.keys)
            if not one.shape.is_leaf(key)
        }

    def _difference(self, difference: Difference) -> None:
        """New less earlier, key by key, where rows came and went: few people behind those rows must stay unknown."""
        new, one, of = self.releases[0], self.releases[difference.earlier], difference.of
        layer = of.layer_of(self.definition)
        if layer is None or one.layer_of(self.definition) is None:
            return
        primary = of.primary
        for cell, key in enumerate(of.shape.keys):
            mine, other = new.shape.place.get(key), one.shape.place.get(key)
            if mine is None or other is None or not primary.unsafe[cell]:
                continue
            mine, other = self.first[0] + mine, self.first[difference.earlier] + other
            apart = self.value[mine] - self.value[other]
            if apart == 0:
                continue  # what came and went is the same here: rows that differ in other columns, perhaps
            unknown = self._unknown(apart, lower=float("-inf"))
            up, down = float(primary.up[layer][cell]), float(primary.down[layer][cell])
            width, whole = float(primary.width[layer][cell]), int(primary.integers[layer][cell])
            if up or down or width or whole:
                self.needs.append(Need(unknown, up, down, width, whole))
            self.equations.append({mine: 1.0, other: -1.0, unknown: -1.0})

    def _unknown(self, value: float, lower: float = 0.0) -> int:
        self.value.append(value)
        self.lower.append(lower)
        self.cell.append(HIDDEN)
        self.slack.append(0.0)
        self.sole.append(-1)
        return len(self.value) - 1

    def _hold(self, equations: Sequence[Equation]) -> None:
        """Keep the equations that are true."""
        for equation in equations:
            parts = [number * self.value[unknown] for unknown, number in equation.items()]
            if abs(sum(parts)) <= CLOSE * max(1.0, *(abs(part) for part in parts)):
                self.equations.append(equation)

    def _made(self) -> Layer:
        import numpy as np

        count = len(self.value)
        value, lower = np.array(self.value, dtype=float), np.array(self.lower, dtype=float)
        lower = np.where(value < lower, -np.inf, lower)
        return Layer(
            name=" ".join(part for part in self.definition if part),
            equations=matrix(once(self.equations), count),
            value=value,
            lower=lower,
            upper=np.full(count, np.inf),
            cell=np.array(self.cell, dtype=np.int64),
            slack=np.array(self.slack, dtype=float),
            integer=self.whole,
            needs=tuple(within(need, value, lower) for need in self.needs),
            sole=np.array(self.sole, dtype=np.int64),
        )


def _threshold(table: Table) -> int:
    return table.protect.min_contributors if isinstance(table.protect, Protection) else 0


def _slack(table: Table, kind: str) -> float:
    """How far a published count can be from the true one."""
    base = table.protect.round_to if isinstance(table.protect, Protection) else None
    return base / 2 if base and kind in ("rows", "distinct") else 0.0
