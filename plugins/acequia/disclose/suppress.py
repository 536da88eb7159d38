"""Which further cells are withheld, so that no withheld number can be worked out: the choice, and its proof.

Whatever chose a pattern, the auditor's attack (`intervals.exposed`) decides whether it serves. Where it does not, a
stronger method is tried, at last everything that is not settled is withheld.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from acequia.disclose.exact import Search
from acequia.disclose.flows import Demand, Mask
from acequia.disclose.heuristic import Choice, by_linear_programs
from acequia.disclose.intervals import exposed
from acequia.disclose.layers import KNOWN, Exposed, Layer, Pattern, Problem

WORK = 300_000
"""How much the search for the least cost may do: the numbers that can move, over all linear programs."""

SHARE = 0.4
"""Of that work, how much the pattern to begin with may have taken, or the least cost is not sought."""

ROUNDS = 40
"""How many choices of cells the search for the least cost looks at."""

REPAIRS = 4
"""How often a pattern that does not serve is chosen again with wider needs."""


def suppress(problem: Problem) -> Pattern:
    """Choose which cells to withhold besides.

    The same problem gives the same pattern: every limit is a number of programs, rounds or nodes, none a time.

    Raises:
        AcequiaError: `tables_contradict` where the values break the equations.
    """
    start = problem.withheld
    if not exposed(problem.layers, start):
        return Pattern(start.copy(), "none", 0.0, 0.0, {"unmet": 0})
    problem = replace(problem, layers=[_complete(layer) for layer in problem.layers])
    facts: dict[str, Any] = {"programs": 0, "rounds": 0, "repairs": 0}
    more: dict[tuple[int, int], float] = {}
    bound = 0.0
    for _ in range(REPAIRS):
        choice = by_linear_programs(problem, more)
        if choice.hopeless:
            break
        search = _cheaper(problem, choice)
        bound = bound if more else search.bound
        facts["programs"] += choice.solved + search.programs
        facts["rounds"] += search.rounds
        left = _left(problem, choice, search.best)
        if not left:
            facts["unmet"] = len(choice.caps)
            # what was made wider for whole numbers is no proof that nothing cheaper serves
            method = "exact" if search.proven and not more else "linear_program"
            return _pattern(problem, search.best, method, bound, facts)
        facts["repairs"] += 1
        for key in sorted({key for key, _ in left}):
            more[key] = 2 * more.get(key, 0.0) + (1.0 if problem.layers[key[0]].integer else 1e-6 * choice.size(key))
    return _everything(problem, facts)


def _cheaper(problem: Problem, choice: Choice) -> Search:
    """Look for the least cost, where the pattern of linear programs took little enough work."""
    search = Search(choice, problem, ROUNDS, WORK)
    if choice.work <= WORK * SHARE:
        search.run()
    return search


def _left(problem: Problem, choice: Choice, withheld: Mask) -> tuple[tuple[tuple[int, int], int], ...]:
    """The needs that a pattern leaves unmet though they could be met, and to whom: by layer, number and attacker."""
    names = {layer.name: at for at, layer in enumerate(problem.layers)}
    found = set()
    for one in exposed(problem.layers, withheld):
        at = names[one.layer]
        key = (at, problem.layers[at].needs.index(one.need))
        if (*key, one.to) not in choice.caps or not _as_wide(choice.demand(*key, one.to), problem.layers[at], one):
            found.add((key, one.to))
    return tuple(sorted(found))


def _as_wide(demand: Demand, layer: Layer, one: Exposed) -> bool:
    """Whether an interval is as wide as it can be made at all."""
    value, near = float(layer.value[one.need.unknown]), 1e-6 * demand.size
    up, down = one.known.high - value + near, value - one.known.low + near
    return up >= demand.up and down >= demand.down and up + down >= demand.width


def _everything(problem: Problem, facts: dict[str, Any]) -> Pattern:
    withheld = problem.withheld | ~problem.fixed
    facts["unmet"] = len(exposed(problem.layers, withheld))
    return _pattern(problem, withheld, "everything", 0.0, facts)


def _pattern(problem: Problem, withheld: Mask, method: str, bound: float, facts: dict[str, Any]) -> Pattern:
    more = withheld & ~problem.withheld
    return Pattern(withheld, method, float(problem.cost[more].sum()), bound, {"unmet": 0, **facts})


def _complete(layer: Layer) -> Layer:
    """The layer with numbers that agree with the equations where a value is not known to us either."""
    gaps = np.isnan(layer.value)
    if not gaps.any():
        return layer
    value: NDArray[np.float64] = np.where(gaps, 0.0, layer.value)
    rest = -(layer.equations @ value)
    columns = layer.equations.tocsc()[:, np.flatnonzero(gaps)]
    limits = np.c_[layer.lower[gaps], layer.upper[gaps]]
    solved = linprog(np.zeros(int(gaps.sum())), A_eq=columns, b_eq=rest, bounds=limits, method="highs")
    value[gaps] = np.zeros(int(gaps.sum())) if solved.x is None else solved.x
    lost = layer.cell.copy()
    if solved.x is None:
        lost[gaps] = KNOWN
    return replace(layer, value=value, cell=lost)
