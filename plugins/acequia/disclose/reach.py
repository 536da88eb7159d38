"""Making a system smaller without changing what it asks: unknowns that equal others, needs beyond anybody's reach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from acequia.disclose.geometry import Equation, matrix
from acequia.disclose.layers import HIDDEN, Interval, Layer, Need, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def once(equations: Sequence[Equation]) -> list[Equation]:
    """Each equation once."""
    return list({tuple(sorted(equation.items())): equation for equation in equations if equation}.values())


def within(need: Need, value: NDArray[np.float64], lower: NDArray[np.float64]) -> Need:
    """A need with no more below than there is room for."""
    room = float(value[need.unknown] - lower[need.unknown])
    return Need(need.unknown, need.up, max(0.0, min(need.down, room)), need.width, need.integers)


def merged(layer: Layer) -> Layer:
    """The same layer with fewer unknowns: one that nobody publishes, and that equals another, is that other one."""
    rows = layer.equations.tocsr()
    equations: list[Equation] = [
        dict(zip(rows.indices[start:end].tolist(), rows.data[start:end].tolist(), strict=True))
        for start, end in zip(rows.indptr[:-1].tolist(), rows.indptr[1:].tolist(), strict=True)
    ]
    same = _same(layer, equations)
    needs: dict[int, Need] = {}
    for need in layer.needs:
        unknown = _root(same, need.unknown)
        needs[unknown] = _both(replace(need, unknown=unknown), needs.get(unknown))
    lower = layer.lower.copy()
    for unknown in same:
        lower[_root(same, unknown)] = max(lower[_root(same, unknown)], lower[unknown])
    left = [_moved(equation, same) for equation in equations]
    widths = tuple(within(need, layer.value, lower) for need in needs.values())
    return replace(layer, equations=matrix(once(left), len(layer.value)), lower=lower, needs=widths)


def _same(layer: Layer, equations: Sequence[Equation]) -> dict[int, int]:
    """Hidden unknown -> the one that it equals."""
    same: dict[int, int] = {}
    for equation in equations:
        if sorted(equation.values()) == [-1.0, 1.0]:
            one, other = sorted(_root(same, unknown) for unknown in equation)
            hidden = next((unknown for unknown in (other, one) if layer.cell[unknown] == HIDDEN), None)
            if hidden is not None and one != other:
                same[hidden] = one if hidden == other else other
    return same


def _root(same: Mapping[int, int], unknown: int) -> int:
    while unknown in same:
        unknown = same[unknown]
    return unknown


def _moved(equation: Equation, same: Mapping[int, int]) -> Equation:
    moved: Equation = {}
    for unknown, number in equation.items():
        root = _root(same, unknown)
        moved[root] = moved.get(root, 0.0) + number
    return {unknown: number for unknown, number in moved.items() if number}


def beside(layer: Layer, own: int) -> Layer:
    """The layer with the needs alone that the first `own` cells, those to decide on, can have to do with."""
    import numpy as np
    from scipy.sparse.csgraph import connected_components

    joined = abs(layer.equations.T @ layer.equations)
    group = connected_components(joined, directed=False)[1]
    near = np.unique(group[(layer.cell >= 0) & (layer.cell < own)])
    return replace(layer, needs=tuple(need for need in layer.needs if group[need.unknown] in near))


def within_reach(problem: Problem) -> tuple[Problem, int] | None:
    """The problem with no more asked for than withholding everything would give, and how many needs ask for more; None
    where what is withheld already serves.

    What earlier releases told, under other rules or before anybody looked, cannot be taken back.
    """
    # it needs scipy, which is imported where it is used
    from acequia.disclose.intervals import exposed

    unmet = {(one.layer, one.need) for one in exposed(problem.layers, problem.withheld)}
    if not unmet:
        return None
    # what is met already stays met when more is withheld
    asked = [
        replace(layer, needs=tuple(need for need in layer.needs if (layer.name, need) in unmet))
        for layer in problem.layers
    ]
    short: dict[tuple[str, Need], list[Interval]] = {}
    for one in exposed(asked, problem.withheld | ~problem.fixed):
        short.setdefault((one.layer, one.need), []).append(one.known)
    layers = [
        replace(layer, needs=tuple(_reduced(need, layer, short.get((layer.name, need), [])) for need in layer.needs))
        for layer in problem.layers
    ]
    return replace(problem, layers=layers), len(short)


def _reduced(need: Need, layer: Layer, known: Sequence[Interval]) -> Need:
    value = float(layer.value[need.unknown])
    for one in known:
        low, high = max(one.low, -1e18), min(one.high, 1e18)
        whole = math.floor(high + 1e-6) - math.ceil(low - 1e-6) + 1
        need = Need(
            need.unknown,
            max(0.0, min(need.up, high - value)),
            max(0.0, min(need.down, value - low)),
            max(0.0, min(need.width, high - low)),
            max(0, min(need.integers, int(whole))),
        )
    return need


def _both(one: Need, other: Need | None) -> Need:
    if other is None:
        return one
    return Need(
        one.unknown, max(one.up, other.up), max(one.down, other.down), max(one.width, other.width),
        max(one.integers, other.integers),
    )  # fmt: skip
