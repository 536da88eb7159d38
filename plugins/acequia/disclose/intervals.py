"""What the public can work out of withheld numbers: the attack that disclosure control must withstand.

An attacker knows the equations, what is published, and what is known of every number before (counts are not negative).
All that is left possible is a polytope, and what can be said of one number is its least and its greatest value there:
two linear programs (Fischetti and Salazar, 2000, call it the attacker's subproblem; the Handbook on Statistical
Disclosure Control the audit of a pattern).

Whole numbers: bounds of counts are whole, and so is what each equation leaves for one count. Attacks that need more of
whole numbers than that (several equations at once without a fraction) are not covered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acequia.disclose.components import SAME, Opened, homes, opened
from acequia.disclose.layers import Exposed, Interval, Layer, Need
from acequia.disclose.moves import Seen, far, furthest
from acequia.disclose.proofs import CLOSE, Needs, proven
from acequia.disclose.singletons import exposed_to

EVERYBODY = -1


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
    attack = opened(layer, withheld)
    seen = Seen.nothing(len(attack.start))
    place = _places(attack, wanted)
    return [_interval(layer, attack, seen, int(unknown), place) for unknown in wanted]


def exposed(layers: Sequence[Layer], withheld: NDArray[np.bool_], *, knowing: bool = True) -> tuple[Exposed, ...]:
    """Every need that is not met: for everybody, and where `knowing` for every sole contributor.

    What must hold against a sole contributor, and why, stands in `singletons`. What is exposed to everybody is not told
    again for each of them.

    Raises:
        AcequiaError: `tables_contradict`.
    """
    return tuple(one for layer in layers for one in _exposed(layer, withheld, knowing=knowing))


def exactly_known(layer: Layer, withheld: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which unknowns are fixed by what is published. Shape (n,).

    Raises:
        AcequiaError: `tables_contradict`.
    """
    attack = opened(layer, withheld)
    seen = Seen.nothing(len(attack.start))
    left = [int(unknown) for part in attack.parts for unknown in part.unknowns]
    asked = [Need(one, integers=2) if layer.integer else Need(one, width=SAME * attack.size[one]) for one in left]
    needs = Needs.of(layer, attack, asked)
    proven(attack.parts, needs, seen)
    known = np.ones(len(attack.start), dtype=bool)
    known[needs.unknown] = needs.unmet(seen.down, seen.up)
    return known


def smallest_relative_interval(layer: Layer, withheld: NDArray[np.bool_]) -> float:
    """The least `relative` interval of a withheld cell's number, from public data alone; 2 at most, and where none is.

    A wider interval is never relatively narrower, so what was seen of each number bounds its own from below, and only
    those that can still be the least are worked out.

    Raises:
        AcequiaError: `tables_contradict`.
    """
    attack = opened(layer, withheld)
    wanted = np.flatnonzero((layer.cell >= 0) & withheld[np.maximum(layer.cell, 0)])
    seen = Seen.nothing(len(attack.start))
    spans = 0.5 * attack.size[wanted]
    needs = [Need(int(unknown), width=float(span)) for unknown, span in zip(wanted, spans, strict=True)]
    proven(attack.parts, Needs.of(layer, attack, needs), seen, last=False)
    least, place = 2.0, _places(attack, wanted.tolist())
    for unknown in sorted(wanted.tolist(), key=lambda one: relative(_seen(layer, attack, seen, one))):
        if relative(_seen(layer, attack, seen, unknown)) < least:
            least = min(least, relative(_interval(layer, attack, seen, unknown, place)))
    return least


def relative(interval: Interval) -> float:
    """How wide an interval is against its middle: 0 where it is one number, 2 where it begins at or below zero."""
    width = interval.high - interval.low
    middle = (abs(interval.high) + abs(interval.low)) / 2
    if not np.isfinite(middle):
        return 2.0
    return float(width / middle) if middle else 0.0


def met(layer: Layer, need: Need, low: float, high: float) -> bool:
    """Whether an interval is wide enough for a need."""
    nothing = np.zeros(len(layer.value))
    value = float(layer.value[need.unknown])
    middle = low if np.isnan(value) and np.isfinite(low) else np.nan_to_num(value)
    start, down, up = nothing.copy(), nothing.copy(), nothing.copy()
    start[need.unknown], down[need.unknown], up[need.unknown] = middle, low - middle, high - middle
    there = Opened(start, down, up, np.maximum(np.abs(start), 1.0), ())
    return not Needs.of(layer, there, [need]).unmet(down, up)[0]


def _exposed(layer: Layer, withheld: NDArray[np.bool_], *, knowing: bool) -> list[Exposed]:
    attack = opened(layer, withheld)
    seen = Seen.nothing(len(attack.start))
    needs = Needs.of(layer, attack, layer.needs)
    proven(attack.parts, needs, seen)
    bad = needs.unmet(seen.down, seen.up)
    found = [_told(layer, attack, seen, int(one), EVERYBODY) for one in np.flatnonzero(bad)]
    if not knowing:
        return found
    good = np.flatnonzero(~bad)
    rest = needs.only(good)
    pairs = [(who, int(good[one])) for part in attack.parts for who, one in exposed_to(layer, part, rest)]
    knower = {who: opened(_knowing(layer, attack, who), withheld) for who in sorted({who for who, _ in pairs})}
    for who, one in sorted(pairs):
        found.append(_told(layer, knower[who], Seen.nothing(len(attack.start)), one, who))
    return found


def _knowing(layer: Layer, attack: Opened, who: int) -> Layer:
    """The layer as a sole contributor sees it."""
    own = layer.sole == who
    value = np.where(own, attack.start, layer.value)
    return replace(layer, value=value, lower=np.where(own, value, layer.lower), upper=np.where(own, value, layer.upper))


def _told(layer: Layer, attack: Opened, seen: Seen, position: int, to: int) -> Exposed:
    need = layer.needs[position]
    known = _interval(layer, attack, seen, need.unknown, _places(attack, [need.unknown]))
    return Exposed(layer.name, need, known, to)


def _places(attack: Opened, wanted: Sequence[int]) -> dict[int, tuple[int, int]]:
    """The part and the column of each unknown that is not settled."""
    home, column = homes(attack.parts, len(attack.start))
    return {unknown: (int(home[unknown]), int(column[unknown])) for unknown in wanted if home[unknown] >= 0}


def _interval(layer: Layer, attack: Opened, seen: Seen, unknown: int, place: Mapping[int, tuple[int, int]]) -> Interval:
    """The least and the greatest value. Where bounds alone are reached already, no program is solved."""
    if unknown not in place:
        return _seen(layer, attack, seen, unknown)
    part, at = attack.parts[place[unknown][0]], place[unknown][1]
    close = SAME * part.size[at]
    if seen.down[unknown] > part.down[at] + close:
        furthest(part, seen, at, -1.0)
    if seen.up[unknown] < part.up[at] - close:
        furthest(part, seen, at, 1.0)
    end = far(part) / 2
    ends = (end if np.isinf(part.down[at]) else np.inf, end if np.isinf(part.up[at]) else np.inf)
    return _seen(layer, attack, seen, unknown, ends)


def _seen(
    layer: Layer, attack: Opened, seen: Seen, unknown: int, ends: tuple[float, float] = (np.inf, np.inf)
) -> Interval:
    """As an interval, what was seen; without end where that is so far."""
    start = float(attack.start[unknown])
    low = -np.inf if seen.down[unknown] <= -ends[0] else start + float(seen.down[unknown])
    high = np.inf if seen.up[unknown] >= ends[1] else start + float(seen.up[unknown])
    if not layer.integer:
        return Interval(low, high)
    loose = CLOSE * (1 + SAME * abs(start))
    return Interval(float(np.ceil(low - loose)) + 0.0, float(np.floor(high + loose)) + 0.0)
