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

from acequia.disclose.flows import Mask
from acequia.disclose.heuristic import Choice, by_linear_programs
from acequia.disclose.intervals import exposed
from acequia.disclose.layers import KNOWN, Exposed, Layer, Pattern, Problem

REPAIRS = 4
"""How often a pattern that does not serve is chosen again with wider needs."""


def suppress(problem: Problem) -> Pattern:
    """Choose which cells to withhold besides.

    The same problem gives the same pattern: every limit is a number of rounds, none a time.

    Raises:
        AcequiaError: `tables_contradict` where the values break the equations.
    """
    start = problem.withheld
    if not exposed(problem.layers, start):
        return Pattern(start.copy(), "none", 0.0, 0.0, {"unmet": 0})
    problem = replace(problem, layers=[_complete(layer) for layer in problem.layers])
    facts: dict[str, Any] = {"programs": 0, "repairs": 0}
    found = _by_programs(problem, facts)
    if found is None:
        return _everything(problem, facts)
    return _pattern(problem, found, "linear_program", 0.0, facts)


def _by_programs(problem: Problem, facts: dict[str, Any]) -> Mask | None:
    """The pattern of linear programs, made wider where the attack still finds a need unmet; None if it stays so."""
    more: dict[tuple[int, int], float] = {}
    for _ in range(REPAIRS):
        choice = by_linear_programs(problem, more)
        facts["programs"] += choice.solved
        if choice.hopeless:
            return None
        left = exposed(problem.layers, choice.withheld)
        if not left:
            return choice.withheld
        facts["repairs"] += 1
        for key in _which(choice, problem, left):
            more[key] = 2 * more.get(key, 0.0) + (1.0 if problem.layers[key[0]].integer else 1e-6)
    return None


def _which(choice: Choice, problem: Problem, left: tuple[Exposed, ...]) -> set[tuple[int, int]]:
    names = {layer.name: at for at, layer in enumerate(problem.layers)}
    return {(names[one.layer], problem.layers[names[one.layer]].needs.index(one.need)) for one in left}


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
