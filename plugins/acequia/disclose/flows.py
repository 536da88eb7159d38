"""How far withheld numbers can move without an equation telling: the moves that hide a cell, found as linear programs.

A *move* is a change of the unknowns of one layer that keeps every equation. A need is met where the attacker's own
linear program finds room enough, and a move that makes the room shows that it is met: it stays valid for as long as
the cells that it uses stay withheld.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csc_array, csr_array

from acequia.disclose.layers import HIDDEN, Layer, Need

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

STILL = 1e-7
"""Of a need's size: what moves less than this does not move."""

FAR = 1e5
"""Times a need's size: no number needs to move further than this to hide it."""


@dataclass(frozen=True)
class Measure:
    """A layer, made ready: its equations by row and by column, and how far every unknown may move.

    Attributes:
        by_row: shape (m, n), the equations.
        by_column: the same, by column.
        down: shape (n,); how far it may fall where it is withheld, down to what it cannot be below.
        up: shape (n,); how far it may rise.
        seen_down: shape (n,); how far it may fall though it is published, because what is published is not exact.
        seen_up: shape (n,); how far it may rise then.
        cell: shape (n,), as in the layer.
        sole: shape (n,), as in the layer.
        needs: as in the layer.
    """

    by_row: csr_array
    by_column: csc_array
    down: Floats
    up: Floats
    seen_down: Floats
    seen_up: Floats
    cell: Integers
    sole: Integers
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Demand:
    """One direction of a need, for one attacker: the unknown must be able to rise by `up` and to fall by `down`, or to
    lie anywhere within `width`.
    """

    measure: int
    need: int
    unknown: int
    up: float
    down: float
    width: float
    to: int

    @property
    def size(self) -> float:
        """What to measure moves in."""
        return max(self.up, self.down, self.width)


def ready(layer: Layer) -> Measure:
    """Prepare a layer. Every value must be known."""
    by_row = csr_array(layer.equations, dtype=np.float64)
    down = np.maximum(layer.value - layer.lower, 0.0)
    up = np.maximum(layer.upper - layer.value, 0.0)
    return Measure(
        by_row=by_row,
        by_column=csc_array(by_row),
        down=down,
        up=up,
        seen_down=np.minimum(layer.slack, down),
        seen_up=np.minimum(layer.slack, up),
        cell=np.asarray(layer.cell, dtype=np.int64),
        sole=np.asarray(layer.sole, dtype=np.int64),
        needs=layer.needs,
    )


def room(measure: Measure, withheld: Mask, to: int = -1) -> tuple[Floats, Floats]:
    """How far every unknown may fall and rise, as an attacker sees it who is the only contributor of all of `to`."""
    free = measure.cell == HIDDEN
    there = measure.cell >= 0
    free[there] = withheld[measure.cell[there]]
    down = np.where(free, measure.down, measure.seen_down)
    up = np.where(free, measure.up, measure.seen_up)
    if to >= 0:
        own = measure.sole == to
        down[own] = up[own] = 0.0
    return down, up


def around(measure: Measure, unknown: int, rank: Floats, steps: int, most: int = 0) -> Integers:
    """The unknowns within so many equations of one, in order.

    Args:
        measure: the layer.
        unknown: where to start.
        rank: shape (n,); those of least rank are taken first where there are many; inf where one cannot move.
        steps: how many equations away.
        most: how many are taken of one equation at most; 0 for all.
    """
    seen, edge, rows = {unknown}, [unknown], set[int]()
    for _ in range(steps):
        new = _along(measure.by_column, edge, rank, 0) - rows
        rows |= new
        reached = _along(measure.by_row, sorted(new), rank, most) - seen
        seen |= reached
        edge = sorted(reached)
        if not edge:
            break
    return np.array(sorted(seen), dtype=np.int64)


def _along(matrix: csr_array | csc_array, lines: list[int], rank: Floats, most: int) -> set[int]:
    starts, places = matrix.indptr, matrix.indices
    found: set[int] = set()
    by_row = isinstance(matrix, csr_array)
    for line in lines:
        there = places[starts[line] : starts[line + 1]]
        if by_row:
            there = there[np.isfinite(rank[there])]
            if 0 < most < len(there):
                there = there[np.argsort(rank[there], kind="stable")[:most]]
        found.update(there.tolist())
    return found


@dataclass(frozen=True)
class Part:
    """The equations of some unknowns, all others staying as they are, by column: `starts`, `rows`, `data`."""

    columns: Integers
    used: Integers
    starts: Integers
    rows: Integers
    data: Floats

    def matrix(self, copies: int) -> csc_array:
        """Equations over rises then falls of the unknowns, `copies` times side by side on their own rows."""
        count, size = len(self.used), len(self.data)
        rows = np.concatenate([self.rows + copy * count for copy in range(copies) for _ in range(2)])
        data = np.concatenate([self.data, -self.data] * copies)
        starts = np.concatenate([[0], *(self.starts[1:] + size * number for number in range(2 * copies))])
        return csc_array((data, rows, starts), shape=(count * copies, 2 * copies * len(self.columns)))


def part(measure: Measure, columns: Integers) -> Part:
    """The equations of these unknowns."""
    starts, places = measure.by_column.indptr, measure.by_column.indices
    lengths = (starts[columns + 1] - starts[columns]).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    at = np.arange(ends[-1]) + np.repeat(starts[columns] - ends[:-1], lengths)
    used, rows = np.unique(places[at], return_inverse=True)
    return Part(columns, used.astype(np.int64), ends, rows.astype(np.int64), measure.by_column.data[at])


def symmetric(
    measure: Measure, piece: Part, bounds: tuple[Floats, Floats], price: Floats, demand: Demand
) -> list[Floats] | None:
    """The cheapest move that meets a demand both as it is and turned round; None where there is none.

    Half the size of `cheapest`, and good enough wherever numbers can fall as far as they need to rise.
    """
    columns, size = piece.columns, demand.size
    far = np.minimum(np.minimum(bounds[0][columns], bounds[1][columns]) / size, FAR)
    at = int(np.searchsorted(columns, demand.unknown))
    if far[at] < 1 - 1e-9:
        return None
    count = len(columns)
    low, high = np.zeros(2 * count), np.concatenate([far, far])
    low[at], high[at + count] = min(1.0, far[at]), 0.0
    equations = piece.matrix(1)
    rows = [LinearConstraint(equations, 0.0, 0.0)] if equations.shape[0] else []
    solved = milp(np.tile(price[columns], 2), constraints=rows, bounds=Bounds(low, high))
    if solved.x is None:
        return None
    move = np.asarray(solved.x)[:count] - np.asarray(solved.x)[count:]
    return [move, -move]


def cheapest(
    measure: Measure, piece: Part, bounds: tuple[Floats, Floats], price: tuple[Floats, Floats], demand: Demand
) -> list[Floats] | None:
    """The cheapest moves that meet a demand: one up, one down, either of which may be none.

    Args:
        measure: the layer.
        piece: the unknowns that may move, k of them, and their equations.
        bounds: shape (n,) each; how far each may fall and rise.
        price: shape (n,) each; of one unit (of the demand's size) of fall and of rise.
        demand: what must be possible.

    Returns:
        Moves, each of shape (k,), in units of the demand's size; None where there are none.
    """
    size, columns = demand.size, piece.columns
    fall, rise = (np.minimum(side[columns] / size, FAR) for side in bounds)
    at, count = int(np.searchsorted(columns, demand.unknown)), len(columns)
    both = ((demand.up, 0), (demand.down, 1))
    ways = [(amount / size, side) for amount, side in both if amount > 0 or demand.width > 0]
    low, high = np.zeros(2 * count * len(ways)), np.concatenate([rise, fall] * len(ways))
    for number, (amount, side) in enumerate(ways):
        own, other = at + count * (2 * number + side), at + count * (2 * number + 1 - side)
        if amount > high[own] * (1 + 1e-9):
            return None
        low[own], high[other] = min(amount, high[own]), 0.0
    equations = piece.matrix(len(ways))
    rows = [LinearConstraint(equations, 0.0, 0.0)] if equations.shape[0] else []
    if demand.width > 0:
        apart = csr_array(([1.0, 1.0], ([0, 0], [at, at + 3 * count])), shape=(1, len(low)))
        rows.append(LinearConstraint(apart, demand.width / size, np.inf))
    cost = np.tile(np.concatenate([price[1][columns], price[0][columns]]), len(ways))
    solved = milp(cost, constraints=rows, bounds=Bounds(low, high))
    if solved.x is None:
        return None
    halves = np.asarray(solved.x).reshape(len(ways), 2, count)
    return [half[0] - half[1] for half in halves]


def furthest(
    measure: Measure, columns: Integers, bounds: tuple[Floats, Floats], unknown: int, sign: int, size: float
) -> tuple[Floats, Floats]:
    """The attacker's linear program: how far one unknown can move, and the prices of the equations that say why.

    Returns:
        The move, shape (k,), in units of `size`; the dual price of each equation, shape (m,).
    """
    fall = np.minimum(bounds[0][columns] / size, FAR)
    rise = np.minimum(bounds[1][columns] / size, FAR)
    at = int(np.searchsorted(columns, unknown))
    piece = part(measure, columns)
    prices = np.zeros(measure.by_row.shape[0])
    aim = np.zeros(len(columns))
    aim[at] = -float(sign)
    if not len(piece.used):
        move = np.zeros(len(columns))
        move[at] = rise[at] if sign > 0 else -fall[at]
        return move, prices
    equations = csc_array((piece.data, piece.rows, piece.starts), shape=(len(piece.used), len(columns)))
    solved = linprog(aim, A_eq=equations, b_eq=np.zeros(len(piece.used)), bounds=np.c_[-fall, rise], method="highs")
    if solved.x is None:
        return np.zeros(len(columns)), prices
    prices[piece.used] = np.asarray(solved.eqlin.marginals)
    return np.asarray(solved.x), prices
