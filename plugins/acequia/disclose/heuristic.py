"""Choosing what to withhold besides by linear programs, one need after another, and opening again what is not needed.

After Kelly, Golden and Assad (1992) and Castro (2002): for each need that is not met yet, the cheapest moves that meet
it, where what is withheld already costs nothing; the cells that they use are withheld. Every need keeps the moves that
show that it is met (its *proofs*), so that only the needs whose proofs use a cell are looked at when it is opened.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
    Program,
    around,
    both_ways,
    cheapest,
    furthest,
    part,
    ready,
    room,
    turned,
)
from acequia.disclose.layers import Problem

FREE = 1e-4
"""What it costs to use a cell that is withheld anyway, against the cheapest other: moves stay short."""

EVERYBODY = -1
"""The attacker who is no sole contributor."""

ENOUGH = 2
"""Whole numbers that must stay possible to a sole contributor."""

CAPPED = 1 - 1e-6
"""How much of what is possible at all is asked for."""

STEPS = ((2, 8), (3, 8), (4, 40), (10**6, 0))
"""Within how many equations of a cell its protection is looked for first, and among how many cells of each."""

AGAIN = ((3, 8),)
"""The same for a cell that is to be opened again in a large table: one that is needed from further away stays."""

THOROUGH = 300_000
"""Numbers in all programs so far, up to which a table is not large."""


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
        self.caps: dict[tuple[int, int, int], tuple[float, float]] = {}
        self.solved = 0
        self.work = 0
        self.where = [_places(measure.cell) for measure in self.measures]
        self.numbers = [_places(np.array([need.unknown for need in measure.needs])) for measure in self.measures]
        self.wanted = [
            frozenset(need.unknown for at, need in enumerate(measure.needs) if self.demand(number, at, -1).size > 0)
            for number, measure in enumerate(self.measures)
        ]
        self.hopeless: set[tuple[int, int]] = set()
        price = np.where(self.problem.fixed, 0.0, self.problem.cost)
        self.least = float(price[price > 0].min(initial=1.0))
        self.ways = [room(measure, self.allowed) for measure in self.measures]
        self._begin()

    def _begin(self) -> None:
        """Work out what depends on what is withheld, by layer: room, and prices with inf where nothing can move."""
        self.rooms = [room(measure, self.withheld) for measure in self.measures]
        self.prices: list[Floats] = []
        for measure, (down, up) in zip(self.measures, self.ways, strict=True):
            price = np.full(len(measure.cell), FREE * self.least)
            there = measure.cell >= 0
            cells = measure.cell[there]
            price[there] = np.where(self.withheld[cells], FREE * self.least, self.problem.cost[cells])
            self.prices.append(np.where((down > 0) | (up > 0), price, np.inf))

    def _set(self, cell: int, state: bool) -> None:
        """Withhold a cell, or open it again."""
        self.withheld[cell] = state
        price = FREE * self.least if state else float(self.problem.cost[cell])
        for at, measure in enumerate(self.measures):
            for unknown in self.where[at].get(cell, ()):
                self.rooms[at][0][unknown] = measure.down[unknown] if state else measure.seen_down[unknown]
                self.rooms[at][1][unknown] = measure.up[unknown] if state else measure.seen_up[unknown]
                if np.isfinite(self.prices[at][unknown]):
                    self.prices[at][unknown] = price

    def needs(self) -> list[tuple[int, int]]:
        """All needs, the largest of each layer first: what protects them protects smaller ones too."""
        order = []
        for at, measure in enumerate(self.measures):
            ranked = sorted(range(len(measure.needs)), key=lambda n: (-self.demand(at, n, -1).size, n))
            order += [(at, number) for number in ranked]
        return [key for key in order if self.demand(*key, -1).size > 0]

    def demand(self, at: int, number: int, to: int) -> Demand:
        """What a need asks for, as moves, of one attacker; no more than what is possible at all."""
        need = self.measures[at].needs[number]
        # to a sole contributor a count need only not be known exactly (`singletons`)
        integers = min(need.integers, ENOUGH) if to >= 0 else need.integers
        width = max(need.width, integers - 1.0) + self.more.get((at, number), 0.0)
        up, down = max(need.up, 0.0), max(need.down, 0.0)
        if (at, number, to) in self.caps:
            most_up, most_down = self.caps[at, number, to]
            up, down, width = min(up, most_up), min(down, most_down), min(width, most_up + most_down)
        return Demand(at, number, need.unknown, up, down, 0.0 if width <= up + down else width, to)

    def size(self, key: tuple[int, int]) -> float:
        """How large a need is."""
        return self.demand(*key, EVERYBODY).size

    def protect(self) -> None:
        """Withhold until every need is met that can be met."""
        for key in self.needs():
            self.meet(key)

    def meet(self, key: tuple[int, int]) -> bool:
        """Withhold what one need asks for."""
        for to in self._attackers(key):
            found = self._proof(key, to, now=False)
            if found is None:
                self._cap(key, to)
                found = self._proof(key, to, now=False)
            if found is None:
                self.hopeless.add(key)
                return False
            for cell in sorted(found.cells):
                if not self.withheld[cell]:
                    self._set(cell, state=True)
            self._keep(key, found)
        return True

    def unmet(self, key: tuple[int, int]) -> int | None:
        """To whom a need is not met by what is withheld; None where it is met, with proofs kept."""
        for to in self._attackers(key):
            found = self._proof(key, to, now=True)
            if found is None:
                return to
            self._keep(key, found)
        return None

    def restart(self, pool: Mapping[tuple[int, int], Sequence[Proof]]) -> None:
        """Forget all proofs but those of a pool that hold for what is withheld."""
        self._begin()
        shown = set(np.flatnonzero(self.withheld).tolist())
        self.proofs.clear()
        self.users.clear()
        for key, proofs in pool.items():
            for proof in proofs:
                if proof.cells <= shown:
                    self._keep(key, proof)

    def _cap(self, key: tuple[int, int], to: int) -> None:
        """Ask for no more than what is there when everything is withheld: whoever gave most of a total knows that it
        is no less than that, and what is public for good stays so.
        """
        measure, demand = self.measures[key[0]], self.demand(*key, to)
        bounds = room(measure, self.allowed, to)
        columns = around(measure, demand.unknown, bounds, bounds[0], 10**6)
        at = int(np.searchsorted(columns, demand.unknown))
        self.solved += 2
        most = [
            abs(furthest(measure, columns, bounds, demand.unknown, sign, demand.size)[0][at]) * demand.size * CAPPED
            for sign in (1, -1)
        ]
        self.caps[key[0], key[1], to] = (most[0], most[1])

    def _attackers(self, key: tuple[int, int]) -> Iterable[int]:
        """Who is left to be kept from knowing: everybody, then each sole contributor whose cells all proofs use."""
        if not self.proofs[key]:
            yield EVERYBODY
        own = int(self.measures[key[0]].sole[self.measures[key[0]].needs[key[1]].unknown])
        while self.proofs[key]:
            left = frozenset.intersection(*(proof.soles for proof in self.proofs[key])) - {own}
            if not left:
                return
            yield min(left)

    def _keep(self, key: tuple[int, int], proof: Proof) -> None:
        self.proofs[key].append(proof)
        for cell in proof.cells:
            self.users[cell].add(key)

    def _share(self, key: tuple[int, int], columns: Integers, moves: list[Floats], proof: Proof) -> None:
        """Keep moves as the proof of other needs of the layer, too, that they happen to meet."""
        size = self.demand(*key, -1).size
        up = np.maximum(np.max(moves, axis=0), 0.0) * size
        down = np.maximum(-np.min(moves, axis=0), 0.0) * size
        for place in np.flatnonzero((up > 0) | (down > 0)).tolist():
            for number in self.numbers[key[0]].get(int(columns[place]), ()):
                other = self.demand(key[0], number, -1)
                enough = up[place] >= other.up and down[place] >= other.down
                if enough and up[place] + down[place] >= other.width and not self.proofs[key[0], number]:
                    self._keep((key[0], number), proof)

    def _proof(self, key: tuple[int, int], to: int, *, now: bool) -> Proof | None:
        """The cheapest moves that meet a need for one attacker: with what is withheld `now`, or all that may be."""
        measure, demand = self.measures[key[0]], self.demand(*key, to)
        if demand.size <= 0:
            return Proof(frozenset(), frozenset())
        before = -1
        for steps, most in STEPS:
            found = self._near(key, to, steps, most, now=now)
            if found is None:
                return None
            piece, bounds = found
            if len(piece.columns) == before:
                continue
            before = len(piece.columns)
            self.work += before
            moves = self._moves(measure, piece, bounds, self.prices[key[0]][piece.columns], demand)
            if moves is not None:
                proof = self._used(measure, piece.columns, moves, demand)
                if to < 0:
                    self._share(key, piece.columns, moves, proof)
                return proof
        return None

    def _near(
        self, key: tuple[int, int], to: int, steps: int, most: int, *, now: bool
    ) -> tuple[Part, tuple[Floats, Floats]] | None:
        """The numbers near a need's and how far they can move for one attacker; None where its own cannot."""
        at, unknown = key[0], self.measures[key[0]].needs[key[1]].unknown
        down, up = self.rooms[at] if now else self.ways[at]
        if not (down[unknown] > 0 or up[unknown] > 0):
            return None
        columns = around(self.measures[at], unknown, (down, up), self.prices[at], steps, most)
        fall, rise = down[columns], up[columns]
        if to >= 0:
            own = self.measures[at].sole[columns] == to
            fall[own] = rise[own] = 0.0
        return part(self.measures[at], columns), (fall, rise)

    def _moves(
        self, measure: Measure, piece: Part, bounds: tuple[Floats, Floats], price: Floats, demand: Demand
    ) -> list[Floats] | None:
        best = self._solve(piece, bounds, price, demand, None)
        if best is None:
            return None
        cost = self._cost(measure, piece.columns, best, demand)
        for _ in range(2):
            if cost <= self.least:
                break
            # a cell costs the same however little it moves: what moves little is made dear (Candes and others 2008)
            moved = np.max(np.abs(best), axis=0)
            other = self._solve(piece, bounds, price, demand, moved)
            if other is None or (new := self._cost(measure, piece.columns, other, demand)) >= cost:
                break
            best, cost = other, new
        return best

    def _solve(
        self, piece: Part, bounds: tuple[Floats, Floats], price: Floats, demand: Demand, moved: Floats | None
    ) -> list[Floats] | None:
        """The cheapest moves of one demand; dear is what moved little before, or has little room."""
        fall, rise = (
            price / (np.clip(side / demand.size, STILL, 1.0) if moved is None else moved + 0.05) for side in bounds
        )
        ways = []
        if not demand.width and demand.up > 0 and demand.down > 0:
            ways.append(turned(piece, bounds, np.maximum(fall, rise), demand))
        ways.append(both_ways(piece, bounds, (fall, rise), demand))
        for program in ways:
            if program is not None:
                self.solved += 1
                found = cheapest([program])
                if found is not None:
                    return found[0]
        return None

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
            self._set(cell, state=False)
            if self._plain(cell) or not self._without(cell):
                self._set(cell, state=True)

    def _plain(self, cell: int) -> bool:
        """Whether some need is plainly not met without a cell: an equation is left with one number that can move."""
        for at, measure in enumerate(self.measures):
            if self.where[at].get(cell) and _pinned(measure, self.rooms[at], self.where[at][cell], self.wanted[at]):
                return True
        return False

    def _without(self, cell: int) -> bool:
        """Whether all needs whose proofs use a cell can be met with what is still withheld; keeps the new proofs."""
        keys = sorted(self.users.get(cell, ()))
        kept = {key: self.proofs[key] for key in keys}
        for key in keys:
            self.proofs[key] = [proof for proof in self.proofs[key] if cell not in proof.cells]
        if not self._proven_again(keys):
            self.proofs.update(kept)
            return False
        self.users.pop(cell, None)
        for key in keys:
            for other in frozenset[int]().union(*(proof.cells for proof in self.proofs[key])):
                self.users[other].add(key)
        return True

    def _proven_again(self, keys: Sequence[tuple[int, int]]) -> bool:
        while asked := [(key, to) for key in keys for to in itertools.islice(self._attackers(key), 1)]:
            hopeless = [key for key, to in asked if self.demand(*key, to).size <= 0]
            for key in hopeless:  # as in `_proof`: there is nothing to ask for
                self.proofs[key].append(Proof(frozenset(), frozenset()))
            if hopeless:
                continue
            found = self._together(asked)
            if found is None:
                return False
            for (key, _), proof in zip(asked, found, strict=True):
                self.proofs[key].append(proof)
        return True

    def _together(self, asked: Sequence[tuple[tuple[int, int], int]]) -> list[Proof] | None:
        """Proofs of several demands with what is withheld, in one program; None where one of them has none."""
        for steps, most in STEPS if self.work <= THOROUGH else AGAIN:
            programs = [self._among_withheld(key, to, steps, most) for key, to in asked]
            good = [program for program in programs if program is not None]
            if len(good) == len(asked):
                self.solved += 1
                moves = cheapest(good)
                if moves is not None:
                    return [
                        self._used(self.measures[key[0]], program.piece.columns, own, self.demand(*key, to))
                        for (key, to), program, own in zip(asked, good, moves, strict=True)
                    ]
        return None

    def _among_withheld(self, key: tuple[int, int], to: int, steps: int, most: int) -> Program | None:
        found = self._near(key, to, steps, most, now=True)
        if found is None:
            return None
        piece, bounds = found
        self.work += len(piece.columns)
        even = np.ones(len(piece.columns))
        return both_ways(piece, bounds, (even, even), self.demand(*key, to))

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


def _pinned(measure: Measure, room: tuple[Floats, Floats], start: list[int], wanted: frozenset[int]) -> bool:
    """Whether numbers that follow from one equation at a time, beginning with those of `start`, are wanted hidden."""
    edge, gone = list(start), set(start)
    while edge:
        rows = measure.by_column.indices[_span(measure.by_column, edge.pop())]
        for row in rows.tolist():
            there = measure.by_row.indices[_span(measure.by_row, row)]
            left = set(there[(room[0][there] > 0) | (room[1][there] > 0)].tolist()) - gone
            if len(left) == 1:
                if left & wanted:
                    return True
                gone |= left
                edge += left
    return False


def _span(matrix: csr_array | csc_array, line: int) -> slice:
    return slice(int(matrix.indptr[line]), int(matrix.indptr[line + 1]))


def by_linear_programs(problem: Problem, more: dict[tuple[int, int], float] | None = None) -> Choice:
    """A pattern that meets every need that can be met, with nothing in it that can be opened on its own."""
    choice = Choice(problem, more)
    choice.protect()
    choice.reopen(choice.dearest_first())
    return choice
