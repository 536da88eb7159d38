"""The cheapest pattern, by cutting planes: Fischetti and Salazar (2000), "Models and algorithms for optimizing cell
suppression in tabular data with linear constraints".

The master problem chooses cells; for each need the attacker's linear program says whether the choice serves. Where it
does not, its dual prices give an inequality that every pattern that serves must keep (a *cut*): the withheld cells,
each weighed by how much room it gives at these prices, must come up to the protection level. Fractional choices are
cut off first, then whole ones. Every limit is a number of rounds, nodes or programs, so that the same problem gives the
same pattern on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from acequia.disclose.flows import Demand, Floats, Integers, Mask, Measure, around, furthest, room
from acequia.disclose.heuristic import Choice
from acequia.disclose.layers import Problem

NODES = 3000
"""Branches of one master problem at most."""

HINT = 0.02
"""How open cells are seen by the attacker's program while cuts are sought: nearly, so that its prices see them too."""

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

    def solve(self, *, whole: bool, most: float) -> tuple[Floats | None, float]:
        """The cheapest choice, and a lower bound on the cost of any; None where no choice is below `most`."""
        starts = np.concatenate([[0], np.cumsum([len(cells) for cells, _, _ in self.rows])])
        count = len(self.cost)
        matrix = csr_array(
            (
                np.concatenate([weights for _, weights, _ in self.rows]),
                np.concatenate([cells for cells, _, _ in self.rows]),
                starts,
            ),
            shape=(len(self.rows), count),
        )
        rules = [LinearConstraint(matrix, np.array([least for _, _, least in self.rows]), np.inf)]
        if whole and np.isfinite(most):
            rules.append(LinearConstraint(csr_array(self.cost[None, :]), -np.inf, most))
        options = {"node_limit": NODES, "mip_rel_gap": 1e-6} if whole else {}
        solved = milp(
            self.cost, constraints=rules, bounds=Bounds(0, 1), integrality=np.full(count, int(whole)), options=options
        )
        if solved.x is None:
            bound = solved.mip_dual_bound if whole else None
            return None, most if solved.status == 2 else float(bound if bound is not None else 0.0)
        return np.asarray(solved.x), float(solved.mip_dual_bound if whole else solved.fun)


@dataclass
class Search:
    """Cutting planes for one problem, beginning with a pattern that serves."""

    choice: Choice
    problem: Problem
    best: Mask
    programs_at_most: int
    bound: float = 0.0
    programs: int = 0
    rounds: int = 0
    cuts: int = 0
    proven: bool = False

    def __post_init__(self) -> None:
        self.open = np.flatnonzero(~self.problem.fixed)
        self.index = np.full(len(self.problem.fixed), -1, dtype=np.int64)
        self.index[self.open] = np.arange(len(self.open))
        self.master = Master(np.asarray(self.problem.cost[self.open], dtype=np.float64))
        self.whole = bool(np.all(self.master.cost == np.round(self.master.cost)))
        self.upper = self._cost_of(self.best)

    def _cost_of(self, withheld: Mask) -> float:
        return float(self.problem.cost[withheld & ~self.problem.withheld & ~self.problem.fixed].sum())

    def run(self) -> None:
        """Cut until the least cost is proven or the limit is reached."""
        for cut in self._seeds():
            self.master.add(*cut)
        if not self.master.rows:
            return
        for whole in (False, True):
            while not self.proven and self.programs < self.programs_at_most:
                self.rounds += 1
                if not self._round(whole=whole):
                    break

    def _round(self, *, whole: bool) -> bool:
        """One choice and the cuts that it breaks; whether there is a reason for another round."""
        chosen, bound = self.master.solve(whole=whole, most=self.upper - self._step() if whole else np.inf)
        self.bound = max(self.bound, min(bound, self.upper))
        if self.bound > self.upper - self._step() + 1e-6 or (whole and chosen is None):
            self.proven = self.bound > self.upper - self._step() + 1e-6
            self.bound = self.upper if self.proven else self.bound
            return False
        if chosen is None:
            return False
        added = self._separate(np.round(chosen) if whole else chosen)
        if whole and not added and self.programs < self.programs_at_most:
            self.best = self.problem.withheld.copy()
            self.best[self.open[chosen > 0.5]] = True
            self.upper = self._cost_of(self.best)
            self.proven = self.bound > self.upper - self._step() + 1e-6
            self.bound = self.upper if self.proven else self.bound
            return not self.proven
        return added > 0

    def _step(self) -> float:
        """By how much a cheaper pattern is cheaper at least."""
        return 1.0 if self.whole else 1e-6 * max(self.upper, 1.0)

    def _demands(self) -> Iterator[Demand]:
        """Each need, as everybody and as the sole contributors near it see it."""
        for at, measure in enumerate(self.choice.measures):
            for number, need in enumerate(measure.needs):
                demand = self.choice.demand(at, number, -1)
                if demand.size <= 0:
                    continue
                yield demand
                own = measure.sole[need.unknown]
                for to in sorted(self.choice.watched.get((at, number), ())):
                    if to != own:
                        yield self.choice.demand(at, number, to)

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

    def _separate(self, chosen: Floats) -> int:
        """Add the cuts that a choice breaks; how many."""
        added = 0
        whole = np.all((chosen < 1e-9) | (chosen > 1 - 1e-9))
        serves = chosen > 1 - 1e-9
        for demand in self._demands():
            if self.programs >= self.programs_at_most:
                break
            if whole and self._proven_by(demand, serves):
                continue
            for cells, weights in self._broken(demand, chosen):
                added += self.master.add(cells, weights)
        self.cuts += added
        return added

    def _proven_by(self, demand: Demand, serves: Mask) -> bool:
        key = (demand.measure, demand.need)
        for proof in self.choice.proofs.get(key, ()):
            cells = [self.index[cell] for cell in proof.cells if self.index[cell] >= 0]
            if (demand.to < 0 or demand.to not in proof.soles) and serves[cells].all():
                return True
        return False

    def _broken(self, demand: Demand, chosen: Floats) -> Iterator[tuple[Integers, Floats]]:
        """The cuts of one need that a choice breaks."""
        prices: dict[int, Floats] = {}
        for sign, wanted in ((1, demand.up), (-1, demand.down)):
            if wanted > 0 or demand.width > 0:
                prices[sign] = self._attack(demand, sign, chosen)
        yield from self._cuts(demand, prices, chosen)

    def _attack(self, demand: Demand, sign: int, chosen: Floats) -> Floats:
        """Dual prices of the attacker's program under a (fractional) choice."""
        self.programs += 1
        measure = self.choice.measures[demand.measure]
        share = self._share(measure, np.maximum(chosen, HINT))
        down, up = room(measure, self.choice.allowed, demand.to)
        size = demand.size
        # no number need move further than a few times the level while prices are sought; the cut itself counts in full
        bounds = (np.minimum(down, 4 * size) * share, np.minimum(up, 4 * size) * share)
        rank = np.where((bounds[0] > 0) | (bounds[1] > 0), 1.0, np.inf)
        columns = around(measure, demand.unknown, rank, 10**6)
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
