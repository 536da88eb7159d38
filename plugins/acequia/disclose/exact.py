"""The cheapest pattern, by cutting planes: Fischetti and Salazar (2000), "Models and algorithms for optimizing cell
suppression in tabular data with linear constraints".

The master problem chooses cells; for each need the attacker's linear program says whether the choice serves. Where it
does not, its dual prices give an inequality that every pattern that serves must keep (a *cut*): the withheld cells,
each weighed by how much room it gives at these prices, must come up to the protection level. It begins with the cuts of
single equations, which come near the least cost already; every choice is mended with further cells until it serves, so
that there is a pattern at every moment. Every limit is a number of rounds, branches or numbers, so that the same
problem gives the same pattern on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from acequia.disclose.flows import Demand, Floats, Integers, Mask, Measure, around, furthest, room
from acequia.disclose.heuristic import EVERYBODY, Choice, Proof
from acequia.disclose.layers import Problem

NODES = 500
"""Branches of one master problem at most."""

NUDGE = 1e-5
"""How much dearer a cell is that the best pattern so far leaves open: choices that are as good stay near it."""

PROOFS = 8
"""How many proofs of a need are kept over the rounds."""

HINT = 0.02
"""How open cells are seen by the attacker's program while cuts are sought: nearly, so that its prices see them too."""

NEAR = ((3, 40), (10**6, 0))
"""Within how many equations prices are sought, and among how many numbers of each: nearby, then everywhere."""

BROKEN = 1e-4
"""By how much of its right side a cut must be broken to be added."""


@dataclass
class Master:
    """The choice of cells under the cuts so far: `coefficients @ w >= 1`, one row each."""

    cost: Floats
    rows: list[tuple[Integers, Floats, float]] = field(default_factory=list)
    known: set[tuple[bytes, bytes]] = field(default_factory=set)

    def add(self, cells: Integers, weights: Floats, least: float = 1.0) -> bool:
        """Add a cut; whether it is new."""
        name = (cells.tobytes(), np.round(weights, 9).tobytes())
        if name in self.known:
            return False
        self.known.add(name)
        self.rows.append((cells, weights, least))
        return True

    def solve(self, kept: Mask, most: float) -> tuple[Floats | None, float]:
        """The cheapest choice, of those as good the one nearest to `kept`, and a lower bound on the cost of any.

        The choice is None where there is none that costs `most` or less.
        """
        count = len(self.cost)
        starts = np.concatenate([[0], np.cumsum([len(cells) for cells, _, _ in self.rows])])
        weights = np.concatenate([weights for _, weights, _ in self.rows])
        matrix = csr_array(
            (weights, np.concatenate([cells for cells, _, _ in self.rows]), starts), shape=(len(self.rows), count)
        )
        least = np.array([least for _, _, least in self.rows])
        solved = milp(
            self.cost * np.where(kept, 1.0, 1.0 + NUDGE),
            constraints=[
                LinearConstraint(matrix, least, np.inf),
                LinearConstraint(csr_array(self.cost[None, :]), -np.inf, most),
            ],
            bounds=Bounds(0, 1),
            integrality=np.ones(count),
            options={"node_limit": NODES, "mip_rel_gap": NUDGE},
        )
        if solved.status == 2:
            return None, most + 1e9
        bound = 0.0 if solved.mip_dual_bound is None else float(solved.mip_dual_bound) / (1 + NUDGE)
        return None if solved.x is None else np.asarray(solved.x), bound


Key = tuple[int, int]


@dataclass
class Search:
    """Cutting planes for one problem, beginning with a pattern that serves.

    Attributes:
        choice: that pattern, and what shows that it serves.
        problem: what is to be solved.
        rounds_at_most: how many choices of the master problem are looked at.
        work_at_most: how many numbers the attackers' programs may have, together.
        best: the cheapest pattern so far.
        bound: no pattern that serves costs less.
    """

    choice: Choice
    problem: Problem
    rounds_at_most: int
    work_at_most: int
    bound: float = 0.0
    programs: int = 0
    work: int = 0
    rounds: int = 0
    proven: bool = False

    def __post_init__(self) -> None:
        self.open = np.flatnonzero(~self.problem.fixed)
        self.index = np.full(len(self.problem.fixed), -1, dtype=np.int64)
        self.index[self.open] = np.arange(len(self.open))
        self.master = Master(np.asarray(self.problem.cost[self.open], dtype=np.float64))
        self.best = self.choice.withheld.copy()
        self.upper = self._cost_of(self.best)
        self.step = next((1 / of for of in (1, 2, 4, 10) if _are_whole(self.master.cost * of)), 1e-6 * self.upper)
        self.pool: dict[Key, list[Proof]] = {}
        self._remember()

    def _cost_of(self, withheld: Mask) -> float:
        return float(self.problem.cost[withheld & ~self.problem.withheld & ~self.problem.fixed].sum())

    def run(self) -> None:
        """Cut until the least cost is proven or a limit is reached."""
        for cut in self._seeds():
            self.master.add(*cut)
        while self.master.rows and not self.proven and self.spent() < self.work_at_most:
            if self.rounds >= self.rounds_at_most:
                break
            self.rounds += 1
            if not self._round():
                break

    def spent(self) -> int:
        """How many numbers the programs had so far, the choice's own too."""
        return self.work + self.choice.work

    def _round(self) -> bool:
        """One choice, the cuts that it breaks, and what it becomes when it is mended; whether to go on."""
        kept = self.best[self.open]
        chosen, bound = self.master.solve(kept, self.upper - self.step)
        self._bound_is(bound)
        if chosen is None or self.proven:
            return False
        self._take(chosen)
        failing = self._failing()
        added = self._cut_off(failing, chosen)
        self._mend(failing)
        self._bound_is(self.bound)
        return added > 0

    def _bound_is(self, bound: float) -> None:
        self.bound = max(self.bound, min(bound, self.upper))
        if self.bound > self.upper - self.step * (1 - 1e-3):
            self.proven, self.bound = True, self.upper

    def _take(self, chosen: Floats) -> None:
        """Go on from a choice, with the proofs that hold for it."""
        self.choice.withheld = self.problem.withheld.copy()
        self.choice.withheld[self.open[chosen > 0.5]] = True
        self.choice.restart(self.pool)

    def _failing(self) -> list[tuple[Key, int]]:
        """The needs that a choice leaves unmet, with an attacker each."""
        failing = []
        for key in self.choice.needs():
            to = self.choice.unmet(key)
            if to is not None:
                failing.append((key, to))
        self._remember()
        return failing

    def _remember(self) -> None:
        for key, proofs in self.choice.proofs.items():
            old = self.pool.get(key, [])
            self.pool[key] = (old + [proof for proof in proofs if proof not in old])[-PROOFS:]

    def _cut_off(self, failing: list[tuple[Key, int]], chosen: Floats) -> int:
        added = 0
        for key, to in failing:
            if self.spent() >= self.work_at_most:
                break
            demand = self.choice.demand(*key, to)
            added += sum(self.master.add(*cut) for cut in self._broken(demand, np.round(chosen)))
        return added

    def _mend(self, failing: list[tuple[Key, int]]) -> None:
        """Make a choice serve, and keep it if it is cheaper than the best so far."""
        if not all(self.choice.meet(key) for key, _ in failing):
            return
        if failing:
            self.choice.reopen(self.choice.dearest_first())
            self._remember()
        cost = self._cost_of(self.choice.withheld)
        if cost < self.upper - 1e-9:
            self.best, self.upper = self.choice.withheld.copy(), cost

    def _demands(self) -> Iterator[Demand]:
        """Each need as everybody sees it."""
        for key in self.choice.needs():
            yield self.choice.demand(*key, EVERYBODY)

    def _seeds(self) -> Iterator[tuple[Integers, Floats, float]]:
        """What single equations say: a number that must move needs another one beside it."""
        for demand in self._demands():
            measure = self.choice.measures[demand.measure]
            start, end = measure.by_column.indptr[demand.unknown : demand.unknown + 2]
            for place in range(start, end):
                prices = np.zeros(measure.by_row.shape[0])
                prices[measure.by_column.indices[place]] = 1 / measure.by_column.data[place]
                for cut in self._cuts(demand, {1: -prices, -1: prices}, None):
                    yield (*cut, 1.0)
        yield from self._bridges()

    def _bridges(self) -> Iterator[tuple[Integers, Floats, float]]:
        """A cell alone in an equation follows from it, and protects nothing: nobody need pay for it."""
        rows: dict[int, set[frozenset[int]]] = {}
        for measure in self.choice.measures:
            here = self._alone(measure)
            at = np.where(measure.cell >= 0, self.index[measure.cell], -1)
            for cell in set(at[at >= 0].tolist()):
                found = here.get(cell, set())
                # a cell that follows in one layer may still be of use in another
                rows[cell] = rows[cell] & found if cell in rows else found
        for cell in sorted(rows):
            for others in sorted(rows[cell], key=sorted):
                cells = np.array(sorted(others), dtype=np.int64)
                yield cells, np.where(cells == cell, -1.0, 1.0), 0.0

    def _alone(self, measure: Measure) -> dict[int, set[frozenset[int]]]:
        """By open cell, the open cells of each equation in which nothing else can move."""
        down, up = room(measure, self.problem.withheld)
        sure = (down > 0) | (up > 0)
        may = ~sure & (measure.cell >= 0) & ((measure.down > 0) | (measure.up > 0))
        may &= self.index[measure.cell] >= 0
        rows: dict[int, set[frozenset[int]]] = {}
        for row in range(measure.by_row.shape[0]):
            members = measure.by_row.indices[measure.by_row.indptr[row] : measure.by_row.indptr[row + 1]]
            if not sure[members].any():
                cells = self.index[measure.cell[members[may[members]]]].tolist()
                for cell in cells:
                    if cells.count(cell) == 1:
                        rows.setdefault(cell, set()).add(frozenset(cells))
        return rows

    def _broken(self, demand: Demand, chosen: Floats) -> list[tuple[Integers, Floats]]:
        """The cuts of one need that a choice breaks: sought nearby, and among all numbers where that does not do."""
        found: list[tuple[Integers, Floats]] = []
        for steps, most in NEAR:
            prices = {}
            for sign, wanted in ((1, demand.up), (-1, demand.down)):
                if wanted > 0 or demand.width > 0:
                    prices[sign] = self._attack(demand, sign, chosen, steps, most)
            found = list(self._cuts(demand, prices, chosen))
            if found:
                break
        return found

    def _attack(self, demand: Demand, sign: int, chosen: Floats, steps: int, most: int) -> Floats:
        """Dual prices of the attacker's program under a (fractional) choice."""
        measure = self.choice.measures[demand.measure]
        share = self._share(measure, np.maximum(chosen, HINT))
        down, up = room(measure, self.choice.allowed, demand.to)
        size = demand.size
        # no number need move further than a few times the level while prices are sought; the cut itself counts in full
        bounds = (np.minimum(down, 4 * size) * share, np.minimum(up, 4 * size) * share)
        columns = around(measure, demand.unknown, bounds, -share, steps, most)
        self.programs += 1
        self.work += len(columns)
        return furthest(measure, columns, bounds, demand.unknown, sign, size)[1]

    def _share(self, measure: Measure, chosen: Floats) -> Floats:
        share = np.ones(len(measure.cell))
        at = np.where(measure.cell >= 0, self.index[measure.cell], -1)
        share[at >= 0] = chosen[at[at >= 0]]
        return share

    def _cuts(
        self, demand: Demand, prices: dict[int, Floats], chosen: Floats | None
    ) -> Iterator[tuple[Integers, Floats]]:
        """The cuts that prices give, of those that `chosen` breaks (all where it is None)."""
        parts = {sign: self._weights(demand, sign, price) for sign, price in prices.items()}
        for sign, wanted in ((1, demand.up), (-1, demand.down)):
            if sign in parts and wanted > 0:
                yield from self._cut(*parts[sign], wanted / demand.size, chosen)
        if demand.width > 0 and len(parts) == 2:
            both = parts[1][0] + parts[-1][0]
            yield from self._cut(both, parts[1][1] + parts[-1][1], demand.width / demand.size, chosen)

    def _weights(self, demand: Demand, sign: int, prices: Floats) -> tuple[Floats, float]:
        """How much room each open cell gives at these prices, and how much there is anyway."""
        measure = self.choice.measures[demand.measure]
        down, up = room(measure, self.choice.allowed, demand.to)
        sure_down, sure_up = room(measure, self.problem.withheld, demand.to)
        # the program's least -sign*d has these prices: sign*d is `left @ d` for every d that keeps the equations
        left = measure.by_column.T @ prices
        left[demand.unknown] += sign
        left[np.abs(left) < 1e-9] = 0.0
        size = demand.size
        with np.errstate(invalid="ignore"):
            gives = np.where(left > 0, left * (up / size), np.where(left < 0, -left * (down / size), 0.0))
            sure = np.where(left > 0, left * (sure_up / size), np.where(left < 0, -left * (sure_down / size), 0.0))
        more = np.where(np.isinf(sure), 0.0, gives - np.where(np.isinf(sure), 0.0, sure))
        weights = np.zeros(len(self.open))
        at = np.where(measure.cell >= 0, self.index[measure.cell], -1)
        np.add.at(weights, at[at >= 0], more[at >= 0])
        return weights, float(sure.sum())

    def _cut(
        self, weights: Floats, sure: float, wanted: float, chosen: Floats | None
    ) -> Iterator[tuple[Integers, Floats]]:
        rest = wanted - sure
        if not rest > 1e-7:
            return
        cells = np.flatnonzero(weights > 1e-9)
        share = np.minimum(weights[cells] / rest, 1.0)
        if len(cells) and (chosen is None or float(share @ chosen[cells]) < 1 - BROKEN):
            yield cells, share


def _are_whole(numbers: Floats) -> bool:
    return bool(np.all(np.abs(numbers - np.round(numbers)) < 1e-9))
