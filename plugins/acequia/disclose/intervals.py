"""What the public can work out of withheld numbers: the attack that disclosure control must withstand.

An attacker knows the equations, what is published, and what is known of every number before (counts are not negative).
All that is left possible is a polytope, and what can be said of one number is its least and its greatest value there:
two linear programs (Fischetti and Salazar, 2000, call it the attacker's subproblem; the Handbook on Statistical
Disclosure Control the audit of a pattern).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from acequia.disclose.layers import HIDDEN, Exposed, Interval, Layer, Need
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def intervals(layer: Layer, withheld: NDArray[np.bool_], wanted: Sequence[int]) -> list[Interval]:
    """What the public can work out of unknowns.

    Args:
        layer: a measure; `value` may be NaN where nothing is published.
        withheld: shape (cells,); which cells of the pattern are not published.
        wanted: the unknowns, by number.

    Returns:
        For each one wanted the least and greatest value that agrees with all that is published, whole numbers where
        the layer has such; `-inf` or `inf` where there is none.

    Raises:
        AcequiaError: `tables_contradict` where no numbers agree with what is published.
    """
    low, high = bounds(layer, withheld)
    return [_interval(layer, low, high, unknown) for unknown in wanted]


def exposed(layers: Sequence[Layer], withheld: NDArray[np.bool_], *, knowing: bool = True) -> tuple[Exposed, ...]:
    """Every need that is not met: for everybody, and where `knowing` for every sole contributor, who knows all cells of
    which it is the only contributor.

    Raises:
        AcequiaError: `tables_contradict`.
    """
    found = []
    for layer in layers:
        low, high = bounds(layer, withheld)
        found += _exposed_to(layer, low, high, -1)
        for who in np.unique(layer.sole[layer.sole >= 0]) if knowing else ():
            own = (layer.sole == who) & ~np.isnan(layer.value)
            known = _exposed_to(layer, np.where(own, layer.value, low), np.where(own, layer.value, high), int(who))
            seen = {one.need.unknown for one in found if one.layer == layer.name and one.to == -1}
            found += [one for one in known if layer.sole[one.need.unknown] != who and one.need.unknown not in seen]
    return tuple(found)


def exactly_known(layer: Layer, withheld: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which unknowns are fixed by what is published. Shape (n,)."""
    found = intervals(layer, withheld, range(len(layer.value)))
    return np.array([one.high - one.low <= 1e-9 * max(1.0, abs(one.high)) for one in found], dtype=bool)


def smallest_relative_interval(layer: Layer, withheld: NDArray[np.bool_]) -> float:
    """The least (high - low) / ((high + low) / 2) over withheld cells: from public data alone. `inf` where none is."""
    wanted = np.flatnonzero((layer.cell >= 0) & withheld[np.maximum(layer.cell, 0)])
    found = intervals(layer, withheld, [int(unknown) for unknown in wanted])
    return min((relative(one) for one in found), default=np.inf)


def relative(interval: Interval) -> float:
    """How wide an interval is against its middle; 0 where it is one number, 2 where it begins at zero."""
    if not np.isfinite([interval.low, interval.high]).all():
        return np.inf
    middle = abs(interval.high + interval.low) / 2
    return (
        float((interval.high - interval.low) / middle) if middle else (0.0 if interval.high == interval.low else np.inf)
    )


def met(layer: Layer, need: Need, low: float, high: float) -> bool:
    """Whether an interval is wide enough."""
    value = layer.value[need.unknown]
    sure = 1e-6 * max(need.up, need.down, need.width, 1e-9)
    if np.isnan(value):
        wide = high - low >= need.up + need.down - sure
    else:
        wide = low <= value - need.down + sure and high >= value + need.up - sure
    whole = np.floor(high + 1e-6) - np.ceil(low - 1e-6) + 1 >= need.integers
    return bool(wide and whole and high - low >= need.width - sure)


def bounds(layer: Layer, withheld: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is known of each unknown on its own, before equations. Shapes (n,)."""
    hidden = np.where(layer.cell >= 0, withheld[np.maximum(layer.cell, 0)], layer.cell == HIDDEN)
    shown = ~hidden & ~np.isnan(layer.value)
    slack = layer.slack
    low = np.where(shown, np.maximum(layer.lower, layer.value - slack), layer.lower)
    high = np.where(shown, np.minimum(layer.upper, layer.value + slack), layer.upper)
    return low, high


def _interval(layer: Layer, low: NDArray[np.float64], high: NDArray[np.float64], unknown: int) -> Interval:
    return Interval(_extreme(layer, low, high, unknown, 1.0), _extreme(layer, low, high, unknown, -1.0))


def _extreme(layer: Layer, low: NDArray[np.float64], high: NDArray[np.float64], unknown: int, sign: float) -> float:
    goal = np.zeros(len(low))
    goal[unknown] = sign
    solved = linprog(goal, A_eq=layer.equations, b_eq=np.zeros(layer.equations.shape[0]),
                     bounds=np.column_stack([low, high]), method="highs-ds")  # fmt: skip
    if solved.status == 3:
        return -np.inf * sign
    if solved.status == 2:
        raise AcequiaError("tables_contradict", f"no numbers agree with what is published of {layer.name}")
    if solved.status != 0:
        return float(layer.value[unknown])
    best = float(solved.x[unknown])
    if not layer.integer:
        return best
    return float(np.ceil(best - 1e-6) if sign > 0 else np.floor(best + 1e-6))


def _exposed_to(layer: Layer, low: NDArray[np.float64], high: NDArray[np.float64], to: int) -> list[Exposed]:
    found = []
    for need in layer.needs:
        known = _interval(layer, low, high, need.unknown)
        if not met(layer, need, known.low, known.high):
            found.append(Exposed(layer.name, need, known, to))
    return found
