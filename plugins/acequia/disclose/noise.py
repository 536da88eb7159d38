"""Noise on whole numbers by OpenDP: what it costs, how wide it must be, and drawing it.

Discrete Laplace noise (Ghosh, Roughgarden and Sundararajan 2012), sampled exactly (Canonne, Kamath and Steinke 2020).
Each draw is another: whoever needs the same numbers again keeps them, as `acequia.spending` does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from acequia.errors import AcequiaError

_HIGHEST_THRESHOLD = 2**40


def share_of(epsilon: float, parts: int) -> float:
    """The largest equal share whose exact sum over all parts is no more than the whole."""
    share = epsilon / parts
    while Fraction(share) * parts > Fraction(epsilon):
        share = math.nextafter(share, 0)
    return share


def scale_for(moved: int, epsilon: float) -> float:
    """The scale of discrete Laplace noise for numbers that one contributor moves by so much in all (L1 distance).

    It is moved / epsilon, or the next number above it for which OpenDP's privacy map keeps to epsilon.
    """
    scale = moved / epsilon
    while _laplace(scale).map(moved) > epsilon:
        scale = math.nextafter(scale, math.inf)
    return scale


@cache
def threshold_for(scale: float, cells: int, delta: float) -> int:
    """The lowest threshold at which cells that only one contributor is in, up to `cells` of them, are published with a
    chance of no more than delta, by OpenDP's privacy map.

    Raises:
        AcequiaError: `release_stopped` if there is none: delta is too small for this epsilon.
    """

    def serves(threshold: int) -> bool:
        return bool(_threshold(scale, threshold).map((cells, cells, 1))[1] <= delta)

    low, high = 1, 2
    while not serves(high):
        low, high = high, 2 * high
        if high > _HIGHEST_THRESHOLD:
            raise AcequiaError("release_stopped", "no threshold serves so small a delta")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if serves(middle) else (middle, high)
    return high


def _opendp() -> Any:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    return dp


def _laplace(scale: float) -> Any:
    dp = _opendp()
    domain, metric = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    return dp.m.make_laplace(domain, metric, scale=scale)


def _threshold(scale: float, threshold: int) -> Any:
    dp = _opendp()
    domain = dp.map_domain(dp.atom_domain(T="i64"), dp.atom_domain(T="i64"))
    metric = dp.l01inf_distance(dp.absolute_distance(T="i64"))
    return dp.m.make_laplace_threshold(domain, metric, scale=scale, threshold=threshold)


def with_noise(exact: Sequence[int], moved: int, epsilon: float) -> list[int]:
    """The numbers with discrete Laplace noise; one contributor moves all of them together by at most `moved`."""
    measurement = _laplace(scale_for(moved, epsilon))
    return [int(number) for number in measurement(list(exact))] if exact else []


def above_threshold(exact: Sequence[int], cells: int, epsilon: float, delta: float) -> dict[int, int]:
    """Place -> noisy number, of the numbers above 0 that are above the threshold with their noise.

    Args:
        exact: how many contributors each cell has; it tells of them that a cell is there at all.
        cells: in how many of them one contributor is at most.
        epsilon: what the noisy numbers may cost.
        delta: the chance with which a contributor's own cells may be told.
    """
    scale = scale_for(cells, epsilon)
    threshold = threshold_for(scale, cells, delta)
    measurement = _threshold(scale, threshold)
    spent = measurement.map((cells, cells, 1))
    if spent[0] > epsilon or spent[1] > delta:
        raise AcequiaError("internal", "the noise would cost more than was agreed")
    counted = {place: number for place, number in enumerate(exact) if number > 0}
    found = measurement(counted) if counted else {}
    # OpenDP 0.16 also releases what is equal to its threshold, which its privacy map leaves out (opendp/opendp#2922):
    # measured, a lone contributor's cell came through 1.6 times as often as the map says
    return {int(place): int(number) for place, number in found.items() if number > threshold}
