"""Where cells lie, and the equations that everybody can write down between them.

A *shape* is what a release shows of itself: its `by` columns, the key of each row, and which value lies in which wider
one. Between the numbers of one additive measure hold, whatever is withheld:

- inside a release, along every column with a hierarchy: a cell is the sum of the cells below it (`inside`);
- between releases of the same rows: their margins on the columns that they share are equal (`balance`);
- between windows that are made of common pieces: a window's margin is the sum of those of its pieces (`balance`);
- between vintages: the later is the earlier and what came between, key by key (`match`).

A row that is not there is a true zero. Pairwise margins suffice: tables that agree on each pair's common margin have a
joint (signed) table, so that nothing else follows from them (Vorob'ev's condition is needed for non-negative ones only;
bounds from there are not looked for). Distinct counts do not add up, and have no equations here.

Pure: keys in, equations out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from scipy.sparse import csr_array

Key = tuple[Hashable, ...]
Equation = dict[int, float]
"""Unknown -> coefficient; the sum of coefficient times number is zero."""

TOTAL, UNKNOWN = "_T", "_U"


@dataclass(frozen=True)
class Shape:
    """Where the cells of one release lie.

    Attributes:
        by: its columns.
        keys: one per cell, a value per column of `by`.
        parents: for columns with a hierarchy, value -> the value of the next wider level that it counts to. Values of
            all levels are told apart by their names.
    """

    by: tuple[str, ...]
    keys: tuple[Key, ...]
    parents: Mapping[str, Mapping[Hashable, Hashable]] = field(default_factory=dict)

    @cached_property
    def place(self) -> dict[Key, int]:
        """The cell of each key."""
        return {key: cell for cell, key in enumerate(self.keys)}

    @cached_property
    def wide(self) -> tuple[frozenset[Hashable], ...]:
        """Per column, the values that have others below them; whatever is not in here is finest."""
        return tuple(frozenset(self.parents.get(by, {}).values()) for by in self.by)

    def is_leaf(self, key: Key) -> bool:
        """Whether a cell is of the finest level in every column."""
        return all(value not in wide for value, wide in zip(key, self.wide, strict=True))

    def above(self, key: Key) -> list[Key]:
        """The keys of the cells one level wider, one per column that has one."""
        found = []
        for d, by in enumerate(self.by):
            wider = self.parents.get(by, {})
            if key[d] in wider:
                found.append((*key[:d], wider[key[d]], *key[d + 1 :]))
        return found

    def depth(self, key: Key) -> int:
        """How many levels a cell is above the finest, over all columns."""
        return sum(self._height(d, value) for d, value in enumerate(key))

    def _height(self, d: int, value: Hashable) -> int:
        return self._heights[d].get(value, 0)

    @cached_property
    def _heights(self) -> tuple[dict[Hashable, int], ...]:
        found: list[dict[Hashable, int]] = []
        for by in self.by:
            heights: dict[Hashable, int] = {}
            wider = self.parents.get(by, {})
            for value in wider:
                at, high = value, 0
                while at in wider and high <= len(wider):
                    at, high = wider[at], high + 1
                    heights[at] = max(heights.get(at, 0), high)
            found.append(heights)
        return tuple(found)


@dataclass(frozen=True)
class Term:
    """A release in an equation: how often it counts (1 or -1), and the unknown of its first cell."""

    sign: float
    shape: Shape
    first: int = 0


def shape_of(made: pa.Table, by: Sequence[str], hierarchy: Mapping[str, Sequence[str]]) -> Shape:
    """The shape of restricted cells, from their columns `level:` and `above:`.

    A value whose place is unknown (`_U`) counts to no wider level but the grand total.
    """
    keys = tuple(zip(*(made.column(name).to_pylist() for name in by), strict=True)) if by else ((),) * made.num_rows
    parents = {}
    for name in by:
        if (depth := len(hierarchy.get(name, (name,)))) > 1:
            own, at = made.column(name).to_pylist(), made.column(f"level:{name}").to_pylist()
            wider = [made.column(f"above:{name}:{level}").to_pylist() for level in range(1, depth)]
            parents[name] = _parents(own, at, wider)
    return Shape(tuple(by), keys, parents)


def _parents(
    own: Sequence[Hashable], at: Sequence[int], wider: Sequence[Sequence[Hashable]]
) -> dict[Hashable, Hashable]:
    """Value -> next wider value, from each row's value, level and values at the wider levels."""
    parents: dict[Hashable, Hashable] = {}
    for row, (value, level) in enumerate(zip(own, at, strict=True)):
        for path in wider[level:]:
            if path[row] != UNKNOWN and path[row] != value:
                parents[value] = path[row]
                break
    return parents


def inside(shape: Shape, first: int = 0) -> list[Equation]:
    """For each cell and column with cells below it: they add up to it."""
    below: dict[tuple[int, int], list[int]] = {}
    for cell, key in enumerate(shape.keys):
        for d, by in enumerate(shape.by):
            wider = shape.parents.get(by, {})
            if key[d] not in wider:
                continue
            above = shape.place.get((*key[:d], wider[key[d]], *key[d + 1 :]))
            if above is not None:
                below.setdefault((above, d), []).append(cell)
    return [{first + above: -1.0, **{first + cell: 1.0 for cell in cells}} for (above, _), cells in below.items()]


def margin(shape: Shape, columns: Sequence[str], first: int = 0) -> dict[Key, list[int]]:
    """The cells that add up to a release's margin on some of its columns, at their finest level: by value of these.

    Along the other columns those cells are taken that nothing is above, which together are everything.
    """
    at = [shape.by.index(column) for column in columns]
    found: dict[Key, list[int]] = {}
    for cell, key in enumerate(shape.keys):
        if all(
            value not in shape.wide[d] if d in at else value not in shape.parents.get(shape.by[d], {})
            for d, value in enumerate(key)
        ):
            found.setdefault(tuple(key[d] for d in at), []).append(first + cell)
    return found


def balance(terms: Iterable[Term], columns: Sequence[str] | None = None) -> list[Equation]:
    """The margins of several releases, with their signs, add up to zero, for each value of the columns they share.

    Two tables of the same rows: one with 1, one with -1. A month and its pieces: -1 for the month, 1 for each.
    """
    terms = list(terms)
    common = list(columns) if columns is not None else shared(term.shape for term in terms)
    equations: dict[Key, Equation] = {}
    for term in terms:
        for key, cells in margin(term.shape, common, term.first).items():
            equation = equations.setdefault(key, {})
            for cell in cells:
                equation[cell] = equation.get(cell, 0.0) + term.sign
    return [equations[key] for key in sorted(equations, key=repr)]


def shared(shapes: Iterable[Shape]) -> list[str]:
    """The columns that all have, in the order of the first."""
    shapes = list(shapes)
    return [by for by in shapes[0].by if all(by in other.by for other in shapes)]


def match(terms: Iterable[Term]) -> list[Equation]:
    """Releases of the same columns, cell by cell at every level: with their signs they add up to zero."""
    equations: dict[Key, Equation] = {}
    by: tuple[str, ...] | None = None
    for term in terms:
        by = by or term.shape.by
        order = [term.shape.by.index(column) for column in by]
        for cell, key in enumerate(term.shape.keys):
            equations.setdefault(tuple(key[d] for d in order), {})[term.first + cell] = term.sign
    return [equations[key] for key in sorted(equations, key=repr)]


def matrix(equations: Sequence[Equation], unknowns: int) -> csr_array:
    """The equations as a sparse matrix of shape (len(equations), unknowns)."""
    import numpy as np
    from scipy.sparse import csr_array

    starts = np.cumsum([0, *(len(equation) for equation in equations)])
    columns = np.fromiter((cell for equation in equations for cell in sorted(equation)), np.int64, starts[-1])
    numbers = np.fromiter((equation[cell] for equation in equations for cell in sorted(equation)), float, starts[-1])
    return csr_array((numbers, columns, starts), shape=(len(equations), unknowns))
