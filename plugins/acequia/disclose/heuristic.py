"""Choosing what to withhold besides by linear programs, one need after another, and opening again what is not needed.

After Kelly, Golden and Assad (1992) and Castro (2002): for each need that is not met yet, the cheapest moves that meet
it, where what is withheld already costs nothing; the cells that they use are withheld. Every need keeps the moves that
show that it is met (its *proofs*), so that only the needs whose proofs use a cell are looked at when it is opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array

from acequia.disclose.flows import (
    STILL,
    Demand,
    Floats,
    Integers,
    Mask,
    Measure,
    Part,
    around,
    cheapest,
    part,
    ready,
    room,
    symmetric,
)
from acequia.disclose.layers import Problem

FREE = 1e-4
"""What it costs to use a cell that is withheld anyway, against the cheapest other: moves stay short."""

STEPS = ((2, 60), (4, 60), (10**6, 0))
"""Within how many equations of a cell its protection is looked for first, and among how many cells of each."""


@dataclass(frozen=True)
class Proof:
    """Moves that meet a need while `cells` are withheld, for everybody but the sole contributors in `soles`."""

    cells: frozenset[int]
    soles: frozenset[int]


class Choice:
    """A pattern in the making."""

    def __init__(self, problem: Problem, more: dict[tuple[int, int], float] | None = None) -> None:
        """Start with what is withheld in any case.

        Args:
            problem: what is to be solved; every value known.
            more: by layer and need, how much wider than asked for it is made (what whole numbers need besides).
        """
        self.problem = problem
        self.measures = [ready(layer) for layer in problem.layers]
        self.withheld: Mask = problem.withheld.copy()
        self.allowed: Mask = problem.withheld | ~problem.fixed
        self.proofs: dict[tuple[int, int], list[Proof]] = defaultdict(list)
        self.users: dict[int, set[tuple[int, int]]] = defaultdict(set)
        self.more = more or {}
        self.solved = 0
        self.where = [_places(measure.cell) for measure in self.measures]
        self.wanted = [
            frozenset(need.unknown for at, need in enumerate(measure.needs) if self.demand(number, at, -1).size > 0)
            for number, measure in enumerate(self.measures)
        ]
        self.hopeless: set[tuple[int, int]] = set()
        self.watched: dict[tuple[int, int], set[int]] = defaultdict(set)
        price = np.where(self.problem.fixed, 0.0, self.problem.cost)
        self.least = float(price[price > 0].min(initial=1.0))

    def needs(self) -> list[tuple[int, int]]:
        """All needs, the largest of each layer first: what protects them protects smaller ones too."""
        order = []
        for at, measure in enumerate(self.measures):
            ranked = sorted(range(len(measure.needs)), key=lambda n: (-self.demand(at, n, -1).size, n))
            order += [(at, number) for number in ranked]
        return [key for key in order if self.demand(*key, -1).size > 0]

    def demand(self, at: int, number: int, to: int) -> Demand:
        """What a need asks for, as moves."""
        need = self.measures[at].needs[number]
        whole = float(need.integers - 1) if need.integers > 1 else 0.0
        width = max(need.width, whole) + self.more.get((at, number), 0.0)
        if need.integers <= 1 and not width and not need.up and not need.down:
            return Demand(at, number, need.unknown, 0.0, 0.0, 0.0, to)
        width = 0.0 if width <= need.up + need.down else width
        return Demand(at, number, need.unknown, max(need.up, 0.0), max(need.down, 0.0), width, to)

    def protect(self) -> None:
        """Withhold until every need is met that can be met."""
        for key in self.needs():
            self.meet(key)

    def meet(self, key: tuple[int, int]) -> bool:
        """Withhold what one need asks for."""
        for to in self._attackers(key):
            found = self._proof(key, to, self.allowed)
            if found is None:
                self.hopeless.add(key)
                return False
            for cell in sorted(found.cells):
                self.withheld[cell] = True
            self._keep(key, found)
        return True

    def _attackers(self, key: tuple[int, int]) -> Iterable[int]:
        """Who is left to be kept from knowing: everybody, then each sole contributor whose cells all proofs use."""
        if not self.proofs[key]:
            yield -1
        own = int(self.measures[key[0]].sole[self.measures[key[0]].needs[key[1]].unknown])
        while self.proofs[key]:
            left = frozenset.intersection(*(proof.soles for proof in self.proofs[key])) - {own}
            if not left:
                return
            self.watched[key].add(min(left))
            yield min(left)

    def _keep(self, key: tuple[int, int], proof: Proof) -> None:
        self.proofs[key].append(proof)
        for cell in proof.cells:
            self.users[cell].add(key)

    def _proof(self, key: tuple[int, int], to: int, may: Mask) -> Proof | None:
        """The cheapest moves that meet a need for one attacker, using cells that may be (or are) withheld."""
        measure, demand = self.measures[key[0]], self.demand(*key, to)
        bounds = room(measure, may, to)
        fixed = self._fixed_costs(measure)
        rank = np.where((bounds[0] > 0) | (bounds[1] > 0), fixed, np.inf)
        if not np.isfinite(rank[demand.unknown]):
            return None
        before = -1
        for steps, most in STEPS:
            columns = around(measure, demand.unknown, rank, steps, most)
            if len(columns) == before:
                continue
            before = len(columns)
            moves = self._moves(measure, part(measure, columns), bounds, fixed, demand)
            if moves is not None:
                return self._used(measure, columns, moves, demand)
        return None

    def _moves(
        self, measure: Measure, piece: Part, bounds: tuple[Floats, Floats], fixed: Floats, demand: Demand
    ) -> list[Floats] | None:
        best = self._solve(measure, piece, bounds, fixed, demand, None)
        if best is None:
            return None
        cost = self._cost(measure, piece.columns, best, demand)
        for _ in range(2):
            if cost <= self.least:
                break
            # a cell costs the same however little it moves: what moves little is made dear (Candes and others 2008)
            moved = np.zeros(len(fixed))
            moved[piece.columns] = np.max(np.abs(best), axis=0)
            other = self._solve(measure, piece, bounds, fixed, demand, moved)
            if other is None or (new := self._cost(measure, piece.columns, other, demand)) >= cost:
                break
            best, cost = other, new
        return best

    def _solve(
        self,
        measure: Measure,
        piece: Part,
        bounds: tuple[Floats, Floats],
        fixed: Floats,
        demand: Demand,
        moved: Floats | None,
    ) -> list[Floats] | None:
        fall, rise = (
            fixed / (np.clip(side / demand.size, STILL, 1.0) if moved is None else moved + 0.05) for side in bounds
        )
        self.solved += 1
        if not demand.width and demand.up > 0 and demand.down > 0:
            found = symmetric(measure, piece, bounds, np.maximum(fall, rise), demand)
            if found is not None:
                return found
            self.solved += 1
        return cheapest(measure, piece, bounds, (fall, rise), demand)

    def _fixed_costs(self, measure: Measure) -> Floats:
        fixed = np.full(len(measure.cell), FREE * self.least)
        there = measure.cell >= 0
        cells = measure.cell[there]
        fixed[there] = np.where(self.withheld[cells], FREE * self.least, self.problem.cost[cells])
        return fixed

    def _cost(self, measure: Measure, columns: Integers, moves: Sequence[Floats], demand: Demand) -> float:
        used = self._used(measure, columns, moves, demand)
        return float(sum(self.problem.cost[cell] for cell in sorted(used.cells) if not self.withheld[cell]))

    @staticmethod
    def _used(measure: Measure, columns: Integers, moves: Sequence[Floats], demand: Demand) -> Proof:
        size = demand.size
        far = np.zeros(len(columns), dtype=bool)
        stirred = far.copy()
        for move in moves:
            far |= (move > measure.seen_up[columns] / size + STILL) | (
                -move > measure.seen_down[columns] / size + STILL
            )
            stirred |= np.abs(move) > STILL
        cells, soles = measure.cell[columns[far]], measure.sole[columns[stirred]]
        return Proof(frozenset(cells[cells >= 0].tolist()), frozenset(soles[soles >= 0].tolist()))

    def reopen(self, order: Sequence[int]) -> None:
        """Open again what is not needed: each cell that was withheld besides, if every need can do without it."""
        for cell in order:
            if not self.withheld[cell] or self.problem.fixed[cell] or self.problem.withheld[cell]:
                continue
            self.withheld[cell] = False
            if self._plain(cell):
                self.withheld[cell] = True
                continue
            kept: dict[tuple[int, int], list[Proof]] = {}
            if not all(self._without(key, cell, kept) for key in sorted(self.users[cell])):
                self.withheld[cell] = True
                self.proofs.update(kept)
                continue
            for key in self.users.pop(cell, set()):
                for proof in self.proofs[key]:
                    for other in proof.cells:
                        self.users[other].add(key)

    def _plain(self, cell: int) -> bool:
        """Whether some need is plainly not met without a cell: an equation is left with one number that can move."""
        for measure, where, wanted in zip(self.measures, self.where, self.wanted, strict=True):
            down, up = room(measure, self.withheld)
            if where.get(cell) and _pinned(measure, (down > 0) | (up > 0), where[cell], wanted):
                return True
        return False

    def _without(self, key: tuple[int, int], cell: int, kept: dict[tuple[int, int], list[Proof]]) -> bool:
        """Whether a need can be met with what is still withheld; what was its proof before is kept in `kept`."""
        kept[key] = self.proofs[key]
        self.proofs[key] = [proof for proof in self.proofs[key] if cell not in proof.cells]
        for to in self._attackers(key):
            found = self._proof(key, to, self.withheld)
            if found is None:
                return False
            self.proofs[key] = [*self.proofs[key], found]
        return True

    def dearest_first(self) -> list[int]:
        """The order in which cells are opened again: the dearest first, then the last in order."""
        own = np.flatnonzero(self.withheld & ~self.problem.withheld & ~self.problem.fixed)
        return sorted(own.tolist(), key=lambda cell: (-float(self.problem.cost[cell]), -cell))


def _places(cell: Integers) -> dict[int, list[int]]:
    places: dict[int, list[int]] = defaultdict(list)
    for unknown, at in enumerate(cell.tolist()):
        if at >= 0:
            places[at].append(unknown)
    return dict(places)


def _pinned(measure: Measure, free: Mask, start: list[int], wanted: frozenset[int]) -> bool:
    """Whether numbers that follow from one equation at a time, beginning with those of `start`, are wanted hidden."""
    free = free.copy()
    edge = list(start)
    free[edge] = False
    while edge:
        rows = measure.by_column.indices[_span(measure.by_column, edge.pop())]
        for row in rows.tolist():
            there = measure.by_row.indices[_span(measure.by_row, row)]
            left = there[free[there]]
            if len(left) == 1:
                if int(left[0]) in wanted:
                    return True
                free[left[0]] = False
                edge.append(int(left[0]))
    return False


def _span(matrix: csr_array | csc_array, line: int) -> slice:
    return slice(int(matrix.indptr[line]), int(matrix.indptr[line + 1]))


def by_linear_programs(problem: Problem, more: dict[tuple[int, int], float] | None = None) -> Choice:
    """A pattern that meets every need that can be met, with nothing in it that can be opened on its own."""
    choice = Choice(problem, more)
    choice.protect()
    choice.reopen(choice.dearest_first())
    return choice
