"""What is left unknown of a layer once all that is easily worked out is taken away, in parts that do not touch.

Everything is measured from a point that agrees with all that is published (the true numbers where we have them): a move
away from it must satisfy `equations @ move = 0` and stay within bounds, so no move at all is always possible, and noise
in the last digits of published sums cannot make a system contradictory. Bounds are tightened equation by equation until
nothing changes (the shuttle algorithm of Buzzigoli and Giusti, 1999; in optimisation, bound propagation), which settles
most of what a single equation gives away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csgraph, csr_array, eye_array, hstack

from acequia.disclose.layers import HIDDEN, Layer
from acequia.errors import AcequiaError

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

SWEEPS = 50
NOISE = 1e-12
"""Of the sum of what stands in an equation: the last digits of floating-point sums."""
CONTRADICTION = 1e-7
"""From here on a difference is no noise: published numbers do not add up."""
SAME = 1e-9
"""An unknown that can move by less than this part of its size is exactly known."""


@dataclass(frozen=True)
class Part:
    """Unknowns that hang together by equations.

    Attributes:
        unknowns: shape (k,), ascending; their numbers in the layer.
        equations: shape (m, k); `equations @ move = 0`.
        down: shape (k,), <= 0; how far each can go below the start.
        up: shape (k,), >= 0.
        size: shape (k,), > 0; how large each number is, to tell noise from a move.
        whole: whether start and moves are whole numbers.
    """

    unknowns: NDArray[np.int64]
    equations: csr_array
    down: Numbers
    up: Numbers
    size: Numbers
    whole: bool


@dataclass(frozen=True)
class Opened:
    """A layer under attack.

    Attributes:
        start: shape (n,); numbers that agree with all that is published.
        down, up: shape (n,); no move of an unknown goes further.
        size: shape (n,); as in a part.
        parts: what is not settled.
    """

    start: Numbers
    down: Numbers
    up: Numbers
    size: Numbers
    parts: tuple[Part, ...]


def homes(parts: Sequence[Part], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each unknown of a layer its part, -1 where it is settled, and its column there. Shapes (n,)."""
    home, column = np.full(count, -1), np.zeros(count, dtype=np.int64)
    for number, part in enumerate(parts):
        home[part.unknowns], column[part.unknowns] = number, np.arange(len(part.unknowns))
    return home, column


def bounds(layer: Layer, withheld: Flags) -> tuple[Numbers, Numbers]:
    """What is known of each unknown on its own, before equations. Shapes (n,)."""
    hidden = np.where(layer.cell >= 0, withheld[np.maximum(layer.cell, 0)], layer.cell == HIDDEN)
    shown = ~hidden & ~np.isnan(layer.value)
    low = np.where(shown, np.maximum(layer.lower, layer.value - layer.slack), layer.lower)
    high = np.where(shown, np.minimum(layer.upper, layer.value + layer.slack), layer.upper)
    return low, high


def opened(layer: Layer, withheld: Flags) -> Opened:
    """What the public still has to find out of a layer.

    Raises:
        AcequiaError: `tables_contradict`.
    """
    low, high = bounds(layer, withheld)
    crossed = low > high
    if (low - high > CONTRADICTION * np.maximum(np.abs(layer.value), 1))[crossed].any():
        raise _contradiction(layer)
    high = np.maximum(low, high)
    start, low, high = _agreeing(layer, low, high)
    size = _sizes(start)
    whole = layer.integer and bool((np.abs(start - np.rint(start)) < 1e-6).all())
    every = Part(np.arange(len(start)), layer.equations, np.minimum(low - start, 0.0), np.maximum(high - start, 0.0),
                 size, whole)  # fmt: skip
    down, up, parts = settled(every)
    return Opened(start, down, up, size, parts)


def settled(part: Part) -> tuple[Numbers, Numbers, tuple[Part, ...]]:
    """Tightened bounds of a part's moves, and what is left of it, in parts that do not touch.

    Only what cannot move by the least number's noise is taken to stand still: the little that a huge number can move
    may be all that a small one beside it needs.
    """
    still = 0.5 if part.whole else SAME * float(part.size.min(initial=1.0))
    free = np.flatnonzero(part.up - part.down > still)
    down, up = np.zeros(len(part.up)), np.zeros(len(part.up))
    inner = part.equations[:, free].tocoo()
    rhs = np.zeros(part.equations.shape[0])
    down[free], up[free] = tightened(inner, rhs, rhs, part.down[free], part.up[free], part.whole)
    down, up = np.minimum(down, 0.0), np.maximum(up, 0.0)
    left = np.flatnonzero(up - down > still)
    parts = []
    for columns, rows in connected(part.equations[:, left]):
        chosen = left[columns]
        parts.append(Part(part.unknowns[chosen], part.equations[rows][:, chosen], down[chosen], up[chosen],
                          part.size[chosen], part.whole))  # fmt: skip
    return down, up, tuple(parts)


def connected(equations: csr_array) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Columns and rows of each connected part, by the first column."""
    rows, columns = equations.shape
    if not columns:
        return []
    inner = equations.tocoo()
    graph = coo_array((np.ones(len(inner.data)), (inner.row + columns, inner.col)), shape=(rows + columns,) * 2)
    count, label = csgraph.connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.searchsorted(label[order], np.arange(1, count)))
    found = [(group[group < columns], group[group >= columns] - columns) for group in groups]
    return sorted((one for one in found if len(one[0])), key=lambda one: int(one[0][0]))


def tightened(
    equations: coo_array, rhs: Numbers, noise: Numbers, low: Numbers, high: Numbers, whole: bool
) -> tuple[Numbers, Numbers]:
    """Bounds after each equation has been asked what the others leave for one unknown, again and again."""
    order = np.lexsort((equations.row, equations.col))
    entries = _Entries(equations.row[order], equations.col[order], equations.data[order])
    for _ in range(SWEEPS if len(order) else 0):
        lower, upper = entries.implied(rhs, noise, low, high)
        if whole:
            lower, upper = np.ceil(lower - 1e-6), np.floor(upper + 1e-6)
        lower, upper = np.maximum(low, lower), np.minimum(high, upper)
        with np.errstate(invalid="ignore"):
            gained = np.fmax(lower - low, high - upper) > 0.01 * np.fmax(high - low, 1e-300)
        gained |= (np.isinf(low) & np.isfinite(lower)) | (np.isinf(high) & np.isfinite(upper))
        low, high = lower, upper
        if not gained.any():
            break
    return low, high


class _Entries:
    """The entries of equations, column by column."""

    def __init__(self, row: NDArray[Any], column: NDArray[Any], factor: Numbers) -> None:
        self.row, self.column, self.factor = row, column, factor
        self.columns, self.begin = np.unique(column, return_index=True)

    def implied(self, rhs: Numbers, noise: Numbers, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
        """Bounds on every unknown that one equation gives; infinite where none does."""
        ends = self.factor * low[self.column], self.factor * high[self.column]
        rising = self.factor > 0
        most = self._others(np.where(rising, ends[1], ends[0]), len(rhs), np.inf)
        least = self._others(np.where(rising, ends[0], ends[1]), len(rhs), -np.inf)
        given, off = rhs[self.row], noise[self.row]
        one, other = (given - most - off) / self.factor, (given - least + off) / self.factor
        lower, upper = np.full(len(low), -np.inf), np.full(len(low), np.inf)
        if len(self.columns):
            lower[self.columns] = np.maximum.reduceat(np.minimum(one, other), self.begin)
            upper[self.columns] = np.minimum.reduceat(np.maximum(one, other), self.begin)
        return lower, upper

    def _others(self, ends: Numbers, rows: int, beyond: float) -> Numbers:
        """What all others of its equation can come to, for each entry, loosened by the noise of adding up."""
        finite = np.isfinite(ends)
        value = np.where(finite, ends, 0.0)
        unbounded = np.bincount(self.row, ~finite, rows)[self.row] - ~finite
        total = np.bincount(self.row, value, rows)[self.row] - value
        off = 1e-14 * np.bincount(self.row, np.abs(value), rows)[self.row]
        return np.where(unbounded > 0, beyond, total + np.copysign(off, beyond))


def _agreeing(layer: Layer, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Numbers that agree with all that is published, and bounds: the true ones, where they are known."""
    given = np.nan_to_num(layer.value)
    total = abs(layer.equations) @ np.abs(given)
    true = not np.isnan(layer.value).any() and (np.abs(layer.equations @ given) <= SAME * total + 1e-9).all()
    spare = CONTRADICTION * np.maximum(np.abs(given), 1)
    if true and (given >= low - spare).all() and (given <= high + spare).all():
        return given, low, high
    return _found(layer, low, high)


def _found(layer: Layer, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Numbers that agree with all that is published, where nobody tells the true ones."""
    fixed = low == high
    start = np.where(fixed, low, 0.0)
    rhs = -(layer.equations @ start)
    scale = abs(layer.equations) @ np.abs(start)
    free = np.flatnonzero(~fixed)
    inner = layer.equations[:, free]
    held = np.diff(inner.indptr) == 0
    if (np.abs(rhs[held]) > CONTRADICTION * scale[held] + SAME).any():
        raise _contradiction(layer)
    lower, upper = tightened(inner.tocoo(), rhs, NOISE * scale, low[free], high[free], layer.integer)
    low, high = low.copy(), high.copy()
    low[free], high[free] = _uncrossed(layer, lower, upper, abs(inner).T @ scale)
    for columns, rows in connected(inner):
        chosen = free[columns]
        start[chosen] = _point(layer, inner[rows][:, columns], rhs[rows], low[chosen], high[chosen], scale[rows])
    return start, low, high


def _uncrossed(layer: Layer, low: Numbers, high: Numbers, scale: Numbers) -> tuple[Numbers, Numbers]:
    crossed = low > high
    if (low - high > CONTRADICTION * scale + 1e-6)[crossed].any():
        raise _contradiction(layer)
    low, high = low.copy(), high.copy()
    low[crossed] = high[crossed] = (low[crossed] + high[crossed]) / 2
    return low, high


def _point(layer: Layer, equations: csr_array, rhs: Numbers, low: Numbers, high: Numbers, scale: Numbers) -> Numbers:
    """One solution of a part, within bounds; what it misses by is noise, or the tables contradict."""
    rows, columns = equations.shape
    finite = np.concatenate([np.abs(rhs), [1e-300]])
    unit = 2.0 ** np.rint(np.log2(max(float(np.median(finite[finite > 0])), 1.0)))
    miss = hstack([equations, eye_array(rows), -eye_array(rows)], format="csr")
    goal = np.concatenate([np.zeros(columns), np.ones(2 * rows)])
    limits = np.vstack([np.column_stack([low, high]) / unit, np.tile([0.0, np.inf], (2 * rows, 1))])
    solved = linprog(goal, A_eq=miss, b_eq=rhs / unit, bounds=limits, method="highs-ds")
    if solved.x is None or solved.status != 0:
        raise _contradiction(layer)
    point: Numbers = np.clip(solved.x[:columns] * unit, low, high)
    point = np.where(np.abs(point) < SAME * unit, np.clip(0.0, low, high), point)
    if (np.abs(equations @ point - rhs) > CONTRADICTION * (scale + abs(equations) @ np.abs(point)) + 1e-6).any():
        raise _contradiction(layer)
    return point


def _sizes(start: Numbers) -> Numbers:
    """How large each number is; a zero counts as large as the smallest number that is no noise."""
    number = np.abs(start)
    present = number[number > NOISE * number.max(initial=0.0)]
    if not len(present):
        return np.ones(len(start))
    return np.where(number > NOISE * number.max(), number, float(present.min()))


def _contradiction(layer: Layer) -> AcequiaError:
    return AcequiaError("tables_contradict", f"no numbers agree with what is published of {layer.name}")
