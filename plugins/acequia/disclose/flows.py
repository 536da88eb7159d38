"""How far withheld numbers can move without an equation telling: the moves that hide a cell, found as linear programs.

A *move* is a change of the unknowns of one layer that keeps every equation. A need is met where the attacker's own
linear program finds room enough, and a move that makes the room shows that it is met: it stays valid for as long as
the cells that it uses stay withheld.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def around(
    measure: Measure, unknown: int, bounds: tuple[Floats, Floats], rank: Floats, steps: int, most: int = 0
) -> Integers:
    """The unknowns within so many equations of one that can move, in order.

    Args:
        measure: the layer.
        unknown: where to start.
        bounds: shape (n,) each; how far each may fall and rise.
        rank: shape (n,); those of least rank are taken first where there are many.
        steps: how many equations away.
        most: how many are taken of one equation at most; 0 for all.
    """
    seen, edge, rows = {unknown}, [unknown], set[int]()
    for _ in range(steps):
        new = _lines(measure.by_column, edge) - rows
        rows |= new
        reached: set[int] = set()
        for row in sorted(new):
            there = measure.by_row.indices[measure.by_row.indptr[row] : measure.by_row.indptr[row + 1]]
            there = there[(bounds[0][there] > 0) | (bounds[1][there] > 0)]
            if 0 < most < len(there):
                there = there[np.argsort(rank[there], kind="stable")[:most]]
            reached.update(there.tolist())
        edge = sorted(reached - seen)
        seen |= reached
        if not edge:
            break
    return np.array(sorted(seen), dtype=np.int64)


def _lines(by_column: csc_array, columns: list[int]) -> set[int]:
    starts, rows = by_column.indptr, by_column.indices
    found: set[int] = set()
    for column in columns:
        found.update(rows[starts[column] : starts[column + 1]].tolist())
    return found


@dataclass(frozen=True)
class Part:
    """The equations of some unknowns, all others staying as they are, by column: `starts`, `rows`, `data`."""

    columns: Integers
    used: Integers
    starts: Integers
    rows: Integers
    data: Floats


def part(measure: Measure, columns: Integers) -> Part:
    """The equations of these unknowns."""
    starts, places = measure.by_column.indptr, measure.by_column.indices
    lengths = (starts[columns + 1] - starts[columns]).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    at = np.arange(ends[-1]) + np.repeat(starts[columns] - ends[:-1], lengths)
    used, rows = np.unique(places[at], return_inverse=True)
    return Part(columns, used.astype(np.int64), ends, rows.astype(np.int64), measure.by_column.data[at])


@dataclass(frozen=True)
class Program:
    """The linear program of one demand: moves as rises then falls of the unknowns of a part, one pair for each way.

    A move up and a move down are sought together, each of which may be none; or one that serves turned round too.
    """

    piece: Part
    at: int
    ways: int
    turned: bool
    cost: Floats
    low: Floats
    high: Floats
    apart: float

    @property
    def rows(self) -> int:
        """How many equations it has."""
        return self.ways * len(self.piece.used) + int(self.apart > 0)

    def entries(self) -> tuple[Integers, Integers, Floats]:
        """Its equations as rows, columns and values."""
        piece, count = self.piece, len(self.piece.columns)
        column = np.repeat(np.arange(count), np.diff(piece.starts))
        blocks = [(way, side) for way in range(self.ways) for side in range(2)]
        rows = [piece.rows + way * len(piece.used) for way, _ in blocks]
        columns = [column + count * (2 * way + side) for way, side in blocks]
        values = [piece.data * (1 - 2 * side) for _, side in blocks]
        if self.apart > 0:
            rows.append(np.full(2, self.rows - 1))
            columns.append(np.array([self.at, self.at + 3 * count]))
            values.append(np.ones(2))
        return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)

    def moves(self, solved: Floats) -> list[Floats]:
        """The moves of a solution, each of shape (k,)."""
        halves = solved.reshape(self.ways, 2, len(self.piece.columns))
        found = [half[0] - half[1] for half in halves]
        return [found[0], -found[0]] if self.turned else found


def both_ways(
    piece: Part, bounds: tuple[Floats, Floats], price: tuple[Floats, Floats], demand: Demand
) -> Program | None:
    """The program of a demand, up and down; None where the unknown itself has no such room.

    Args:
        piece: the unknowns that may move, k of them, and their equations.
        bounds: shape (k,) each; how far each may fall and rise.
        price: shape (k,) each; of one unit (of the demand's size) of fall and of rise.
        demand: what must be possible.
    """
    size, columns = demand.size, piece.columns
    fall, rise = (np.minimum(side / size, FAR) for side in bounds)
    at, count = int(np.searchsorted(columns, demand.unknown)), len(columns)
    sides = ((demand.up, 0), (demand.down, 1))
    ways = [(amount / size, side) for amount, side in sides if amount > 0 or demand.width > 0]
    low, high = np.zeros(2 * count * len(ways)), np.concatenate([rise, fall] * len(ways))
    for number, (amount, side) in enumerate(ways):
        own, other = at + count * (2 * number + side), at + count * (2 * number + 1 - side)
        if amount > high[own] * (1 + 1e-9):
            return None
        low[own], high[other] = min(amount, high[own]), 0.0
    cost = np.tile(np.concatenate([price[1], price[0]]), len(ways))
    return Program(piece, at, len(ways), False, cost, low, high, demand.width / size)


def turned(piece: Part, bounds: tuple[Floats, Floats], price: Floats, demand: Demand) -> Program | None:
    """The program of a move that meets a demand both as it is and turned round; None where there is no such room.

    Half the size of `both_ways`, and good enough wherever numbers can fall as far as they need to rise.
    """
    columns, count = piece.columns, len(piece.columns)
    far = np.minimum(np.minimum(*bounds) / demand.size, FAR)
    at = int(np.searchsorted(columns, demand.unknown))
    if far[at] < 1 - 1e-9:
        return None
    low, high = np.zeros(2 * count), np.concatenate([far, far])
    low[at], high[at + count] = min(1.0, far[at]), 0.0
    return Program(piece, at, 1, True, np.tile(price, 2), low, high, 0.0)


def cheapest(programs: Sequence[Program]) -> list[list[Floats]] | None:
    """Solve programs side by side: the moves of each, in units of its demand; None where one of them has none."""
    starts = np.concatenate([[0], np.cumsum([program.rows for program in programs])])
    sides = np.concatenate([[0], np.cumsum([len(program.cost) for program in programs])])
    entries = [program.entries() for program in programs]
    rows = np.concatenate([found[0] + start for found, start in zip(entries, starts, strict=False)])
    columns = np.concatenate([found[1] + side for found, side in zip(entries, sides, strict=False)])
    least, most = np.zeros(starts[-1]), np.zeros(starts[-1])
    for program, end in zip(programs, starts[1:], strict=True):
        if program.apart > 0:
            least[end - 1], most[end - 1] = program.apart, np.inf
    values = np.concatenate([found[2] for found in entries])
    matrix = csc_array((values, (rows, columns)), shape=(int(starts[-1]), int(sides[-1])))
    solved = milp(
        np.concatenate([program.cost for program in programs]),
        constraints=[LinearConstraint(matrix, least, most)] if len(least) else [],
        bounds=Bounds(
            np.concatenate([program.low for program in programs]),
            np.concatenate([program.high for program in programs]),
        ),
    )
    if solved.x is None:
        return None
    found = np.asarray(solved.x)
    return [
        program.moves(found[side : side + len(program.cost)]) for program, side in zip(programs, sides, strict=False)
    ]


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
