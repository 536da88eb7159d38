"""Moves of unknowns that nothing published speaks against, found by linear programs, and what they show.

Each move that is found, whatever it was sought for, shows of every unknown how far it can go; the set of moves is
convex, so all between the furthest two is possible as well. A move counts only as far as it stands clear of the noise
with which it keeps the equations, and a program that fails shows nothing: an attack is never taken to have failed
because we could not carry it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, csr_array

from acequia.disclose.components import Numbers, Part

CLEAR = 1e3
"""A move counts where it is that many times what the equations miss by."""
SOME = 1e-3
"""Of its size: a goal is no less, for the sake of the solver. Short of it a move is noted as well."""
PRESOLVED = 600
"""Columns: below, a solver's own preparation takes longer than it saves."""
FAR = 1e4
"""Times the largest number of a part: further than this is without end."""


@dataclass(frozen=True)
class Seen:
    """How far each unknown was seen to go. `down` and `up` have shape (n,), one entry per unknown of the layer."""

    down: Numbers
    up: Numbers

    @classmethod
    def nothing(cls, count: int) -> Seen:
        """No move has been seen."""
        return cls(np.zeros(count), np.zeros(count))

    def note(self, part: Part, move: Numbers) -> None:
        """Take in a move of a part."""
        missed = np.abs(part.equations @ move)
        clear = CLEAR * (float(missed.max()) if len(missed) else 0.0)
        kept = np.where(np.abs(move) > clear, move, 0.0)
        self.down[part.unknowns] = np.minimum(self.down[part.unknowns], kept)
        self.up[part.unknowns] = np.maximum(self.up[part.unknowns], kept)


def furthest(part: Part, seen: Seen, column: int, sign: float, enough: float = np.inf) -> None:
    """Move one unknown as far as it goes, or as far as is enough; what is found is noted.

    Where nothing bounds it, the move goes to `far` away.
    """
    unit = _unit(part, column)
    enough = min(max(enough, SOME * part.size[column]), far(part))
    goal = np.zeros(len(part.up))
    goal[column] = -sign
    down, up = part.down / unit, part.up / unit
    if sign > 0:
        up[column] = min(up[column], enough / unit)
    else:
        down[column] = max(down[column], -enough / unit)
    _note(part, seen, _solved(goal, part.equations, down, up), unit)


def far(part: Part) -> float:
    """Where a move goes that has no end: beyond all numbers of the part."""
    ends = np.concatenate([part.size, part.up, -part.down])
    return FAR * float(ends[np.isfinite(ends)].max())


def pushed(part: Part, seen: Seen, columns: NDArray[np.int64], signs: Numbers, goals: Numbers) -> None:
    """Move many unknowns at once, each one up or down to its goal if that can be: the more of all goals, the better."""
    unit = float(2.0 ** np.rint(np.log2(np.median(part.size[columns]))))
    count, width = len(columns), len(part.up)
    goals = np.maximum(goals, SOME * part.size[columns])
    share = csr_array((-signs * unit / goals, (np.arange(count), columns)), shape=(count, width))
    reached = csr_array((np.ones(count), (np.arange(count), np.arange(count))), shape=(count, count))
    goal = np.concatenate([np.zeros(width), -np.ones(count)])
    least, most = np.zeros(count), np.ones(count)
    inequalities = block_array([[share, reached]], format="csr")
    equations = block_array([[part.equations, csr_array((part.equations.shape[0], count))]], format="csr")
    found = _solved(goal, equations, np.concatenate([part.down / unit, least]),
                    np.concatenate([part.up / unit, most]), inequalities)  # fmt: skip
    _note(part, seen, None if found is None else found[:width], unit)


def without(part: Part, known: NDArray[np.bool_]) -> Part:
    """The part for one who knows some of its unknowns: they do not move."""
    return Part(part.unknowns, part.equations, np.where(known, 0.0, part.down), np.where(known, 0.0, part.up),
                part.size, part.whole)  # fmt: skip


def near(part: Part, column: int, at_most: int) -> Part:
    """The unknowns around one, along equations; the others stand still, so that its moves are moves of the part."""
    if len(part.unknowns) <= at_most:
        return part
    by_column = part.equations.T.tocsr()
    taken, rows, edge = {column}, set[int](), [column]
    while edge and len(taken) < at_most:
        through = [int(row) for one in edge for row in _line(by_column, one) if int(row) not in rows]
        rows.update(through)
        edge = sorted({int(one) for row in through for one in _line(part.equations, row)} - taken)
        edge = edge[: at_most - len(taken)]
        taken.update(edge)
    chosen = np.array(sorted(taken))
    inner = part.equations[:, chosen]
    inner = inner[np.flatnonzero(np.diff(inner.indptr))]
    return Part(part.unknowns[chosen], inner, part.down[chosen], part.up[chosen], part.size[chosen], part.whole)


def _line(matrix: csr_array, line: int) -> NDArray[np.int64]:
    found: NDArray[np.int64] = matrix.indices[matrix.indptr[line] : matrix.indptr[line + 1]]
    return found


def _unit(part: Part, column: int) -> float:
    return float(2.0 ** np.rint(np.log2(max(part.size[column], SOME * SOME * float(np.median(part.size))))))


def _note(part: Part, seen: Seen, found: Numbers | None, unit: float) -> None:
    if found is not None:
        seen.note(part, np.clip(found * unit, part.down, part.up))


def _solved(
    goal: Numbers, equations: csr_array, low: Numbers, high: Numbers, inequalities: csr_array | None = None
) -> Numbers | None:
    """The solution of a linear program, by `milp` without whole numbers: it asks half of what `linprog` does."""
    limits = [LinearConstraint(equations, 0.0, 0.0)]
    if inequalities is not None:
        limits.append(LinearConstraint(inequalities, -np.inf, 0.0))
    for presolve in (len(goal) > PRESOLVED, len(goal) <= PRESOLVED):
        solved = milp(goal, constraints=limits, bounds=Bounds(low, high), options={"presolve": presolve})
        if solved.status == 0:
            found: Numbers = solved.x
            return found
    return None
