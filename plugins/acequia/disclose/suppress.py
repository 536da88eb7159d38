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
from acequia.disclose.flows import Mask
from acequia.disclose.heuristic import Choice, by_linear_programs
from acequia.disclose.intervals import exposed
from acequia.disclose.layers import KNOWN, Exposed, Layer, Pattern, Problem

CELLS = 4000
"""Up to so many cells that may be withheld the least cost is sought; beyond, a good one."""

PROGRAMS = 3000
"""So many linear programs the search for the least cost may solve."""

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
    facts: dict[str, Any] = {"programs": 0, "repairs": 0}
    choice = _by_programs(problem, facts)
    if choice is None:
        return _everything(problem, facts)
    found = _pattern(problem, choice.withheld, "linear_program", 0.0, facts)
    return _by_cuts(problem, choice, found, facts) if _is_small(problem) else found


def _is_small(problem: Problem) -> bool:
    return int((~problem.fixed).sum()) <= CELLS


def _by_programs(problem: Problem, facts: dict[str, Any]) -> Choice | None:
    """The pattern of linear programs, made wider where the attack still finds a need unmet; None if it stays so."""
    more: dict[tuple[int, int], float] = {}
    for _ in range(REPAIRS):
        choice = by_linear_programs(problem, more)
        facts["programs"] += choice.solved
        if choice.hopeless:
            return None
        left = exposed(problem.layers, choice.withheld)
        if not left:
            return choice
        facts["repairs"] += 1
        for key in sorted({key for key, _ in _which(problem, left)}):
            more[key] = 2 * more.get(key, 0.0) + (1.0 if problem.layers[key[0]].integer else 1e-6)
    return None


def _by_cuts(problem: Problem, choice: Choice, found: Pattern, facts: dict[str, Any]) -> Pattern:
    """A cheaper pattern than the one of linear programs, or the proof that there is none, within the limits."""
    bound = 0.0
    for _ in range(REPAIRS):
        search = Search(choice, problem, found.withheld, PROGRAMS)
        search.run()
        facts["programs"] += search.programs
        facts["rounds"] = facts.get("rounds", 0) + search.rounds
        if not choice.more:
            bound = max(bound, search.bound)
        left = exposed(problem.layers, search.best)
        if not left:
            # what was made wider for whole numbers is no proof that nothing cheaper serves
            method = "exact" if search.proven else "linear_program"
            return _pattern(problem, search.best, method, bound, facts)
        facts["repairs"] += 1
        for key, to in _which(problem, left):
            if to >= 0 and to not in choice.watched[key]:
                choice.watched[key].add(to)
            else:
                choice.more[key] = 2 * choice.more.get(key, 0.0) + (1.0 if problem.layers[key[0]].integer else 1e-6)
    return replace(found, bound=bound, facts=dict(facts))


def _which(problem: Problem, left: tuple[Exposed, ...]) -> list[tuple[tuple[int, int], int]]:
    names = {layer.name: at for at, layer in enumerate(problem.layers)}
    return sorted(((names[one.layer], problem.layers[names[one.layer]].needs.index(one.need)), one.to) for one in left)


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
