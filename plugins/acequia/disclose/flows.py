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
from scipy.sparse import csc_array, csr_array, hstack

from acequia.disclose.layers import HIDDEN, KNOWN, Layer, Need

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


def around(measure: Measure, unknown: int, movable: Mask, steps: int) -> Integers:
    """The movable unknowns within so many equations of one, in order."""
    seen, edge = {unknown}, [unknown]
    rows: set[int] = set()
    for _ in range(steps):
        new = _along(measure.by_column, edge) - rows
        rows |= new
        reached = {int(at) for at in _along(measure.by_row, sorted(new)) if movable[at]} - seen
        seen |= reached
        edge = sorted(reached)
        if not edge:
            break
    return np.array(sorted(seen), dtype=np.int64)


def _along(matrix: csr_array | csc_array, lines: list[int]) -> set[int]:
    starts, places = matrix.indptr, matrix.indices
    found: set[int] = set()
    for line in lines:
        found.update(places[starts[line] : starts[line + 1]].tolist())
    return found


def part(measure: Measure, columns: Integers) -> csc_array:
    """The equations of these unknowns, all others staying as they are."""
    taken = csr_array(measure.by_column[:, columns])
    used = np.diff(taken.indptr) > 0
    return csc_array(taken[used])


def cheapest(
    measure: Measure, columns: Integers, bounds: tuple[Floats, Floats], price: tuple[Floats, Floats], demand: Demand
) -> list[Floats] | None:
    """The cheapest moves that meet a demand: one up, one down, either of which may be none.

    Args:
        measure: the layer.
        columns: shape (k,); the unknowns that may move.
        bounds: shape (n,) each; how far each may fall and rise.
        price: shape (n,) each; of one unit (of the demand's size) of fall and of rise.
        demand: what must be possible.

    Returns:
        Moves, each of shape (k,), in units of the demand's size; None where there are none.
    """
    size, down, up = demand.size, bounds[0][columns], bounds[1][columns]
    fall, rise = np.minimum(down / size, FAR), np.minimum(up / size, FAR)
    at = int(np.searchsorted(columns, demand.unknown))
    equations, count = part(measure, columns), len(columns)
    signed = hstack([equations, -equations], format="csc")
    ways = []
    for amount, sign in ((demand.up, 1), (demand.down, -1)):
        if amount > 0 or demand.width > 0:
            ways.append((amount / size, sign))
    joint = csc_array(_diagonal(signed, len(ways)))
    low, high = np.zeros(2 * count * len(ways)), np.concatenate([rise, fall] * len(ways))
    for number, (amount, sign) in enumerate(ways):
        own, other = at + 2 * count * number, at + 2 * count * number + count
        if sign < 0:
            own, other = other, own
        if amount > high[own] * (1 + 1e-9):
            return None
        low[own], high[other] = min(amount, high[own]), 0.0
    constraints = [LinearConstraint(joint, 0.0, 0.0)] if joint.shape[0] else []
    if demand.width > 0:
        apart = np.zeros((1, len(low)))
        apart[0, at], apart[0, at + 3 * count] = 1.0, 1.0
        constraints.append(LinearConstraint(csr_array(apart), demand.width / size, np.inf))
    cost = np.tile(np.concatenate([price[1][columns], price[0][columns]]), len(ways))
    solved = milp(cost, constraints=constraints, bounds=Bounds(low, high))
    if solved.x is None:
        return None
    halves = np.asarray(solved.x).reshape(len(ways), 2, count)
    return [half[0] - half[1] for half in halves]


def _diagonal(block: csc_array, times: int) -> csc_array:
    if times == 1:
        return block
    empty = csc_array(block.shape)
    from scipy.sparse import vstack

    return vstack([hstack([block, empty]), hstack([empty, block])], format="csc")


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
    taken = csr_array(measure.by_column[:, columns])
    used = np.flatnonzero(np.diff(taken.indptr) > 0)
    prices = np.zeros(measure.by_row.shape[0])
    aim = np.zeros(len(columns))
    aim[at] = -float(sign)
    if not len(used):
        move = np.zeros(len(columns))
        move[at] = rise[at] if sign > 0 else -fall[at]
        return move, prices
    solved = linprog(aim, A_eq=taken[used], b_eq=np.zeros(len(used)), bounds=np.c_[-fall, rise], method="highs")
    if solved.x is None:
        return np.zeros(len(columns)), prices
    prices[used] = np.asarray(solved.eqlin.marginals)
    return np.asarray(solved.x), prices


__all__ = [
    "FAR",
    "KNOWN",
    "STILL",
    "Demand",
    "Measure",
    "around",
    "cheapest",
    "furthest",
    "part",
    "ready",
    "room",
]
