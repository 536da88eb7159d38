"""Whether needs are met: many at once by moves that serve many, the rest one by one.

Programs that serve many needs come first (each need is pushed up or down, in turns), since one of them settles what
hundreds of single ones would. Where a part is large, the moves around an unknown are tried before those of the whole
part. What is still open is decided by the least and the greatest value itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acequia.disclose.components import SAME, Flags, Numbers, Opened, Part, homes
from acequia.disclose.layers import Layer, Need
from acequia.disclose.moves import Seen, furthest, near, pushed

SMALL, LARGE = 600, 4000
"""Unknowns: up to there a part is taken at once; so many are tried around an unknown, before the whole part."""
LITTLE = 0.04
"""Rounds go on while one settles that part of what is open."""
CLOSE = 1e-6
"""Of a need, and of a whole number: a solver's tolerance."""


@dataclass(frozen=True)
class Needs:
    """Needs as arrays, one entry each, measured from the start of an opened layer.

    Attributes:
        unknown: which one.
        start: its number there.
        up, down: how far it must be able to go.
        width: how far in all.
        integers: how many whole numbers must lie between.
    """

    unknown: NDArray[np.int64]
    start: Numbers
    up: Numbers
    down: Numbers
    width: Numbers
    integers: NDArray[np.int64]

    @classmethod
    def of(cls, layer: Layer, opened: Opened, needs: Sequence[Need]) -> Needs:
        """Where a number is told by nobody, the attack ends no narrower than both sides together."""
        unknown = np.array([need.unknown for need in needs], dtype=np.int64)
        up, down, width = (np.array([getattr(need, name) for need in needs], dtype=float)
                           for name in ("up", "down", "width"))  # fmt: skip
        start, value = opened.start[unknown], layer.value[unknown]
        told = ~np.isnan(value)
        off = np.where(told, value - start, 0.0)
        least = np.where(width > 0, 2 * SAME * opened.size[unknown], 0.0)
        width = np.maximum(np.maximum(width, least), np.where(told, 0.0, up + down))
        return cls(unknown, start, np.where(told, np.maximum(up + off, 0.0), 0.0),
                   np.where(told, np.maximum(down - off, 0.0), 0.0), width,
                   np.array([need.integers for need in needs], dtype=np.int64))  # fmt: skip

    def only(self, chosen: NDArray[np.int64] | Flags) -> Needs:
        """Some of them, by position or mask."""
        return Needs(self.unknown[chosen], self.start[chosen], self.up[chosen], self.down[chosen], self.width[chosen],
                     self.integers[chosen])  # fmt: skip

    @property
    def span(self) -> Numbers:
        """How far in all each must be able to go, for certain: whole numbers need one less than their count."""
        off = np.abs(self.start - np.rint(self.start)) > CLOSE
        whole = np.where(self.integers > 0, self.integers - 1 + off, 0)
        return np.maximum(self.width, whole)

    def short(self, down: Numbers, up: Numbers) -> tuple[Flags, Flags]:
        """Which are not met yet below, and above, where each unknown can go from `down` to `up`, shape (n,)."""
        down, up = -down[self.unknown], up[self.unknown]
        loose = CLOSE * np.maximum(np.abs(self.start), 1) * SAME + CLOSE
        whole = np.floor(self.start + up + loose) - np.ceil(self.start - down - loose) + 1
        narrow = (up + down < self.width * (1 - CLOSE)) | (whole < self.integers)
        return narrow | (down < self.down * (1 - CLOSE)), narrow | (up < self.up * (1 - CLOSE))

    def unmet(self, down: Numbers, up: Numbers) -> Flags:
        """Which are not met."""
        below, above = self.short(down, up)
        return below | above


def proven(parts: Sequence[Part], needs: Needs, seen: Seen, *, last: bool = True) -> None:
    """Look for moves until each need is met or cannot be; what is found is noted in `seen`.

    Args:
        parts: of the layer.
        needs: those in question.
        seen: where moves are noted, shape (n,).
        last: whether single programs decide what is left. Without them a need that is not met may still be one that
            can be.
    """
    if not len(needs.unknown):
        return
    home = homes(parts, len(seen.down))[0][needs.unknown]
    order = np.argsort(home, kind="stable")
    numbers, begin = np.unique(home[order], return_index=True)
    for number, here in zip(numbers, np.split(order, begin[1:]), strict=True):
        if number >= 0:
            part, mine = parts[number], needs.only(here)
            _decided(part, mine.only(_possible(part, mine)), seen, last=last)


def _possible(part: Part, needs: Needs) -> Flags:
    """Those that bounds alone do not rule out."""
    columns = np.searchsorted(part.unknowns, needs.unknown)
    down, up = -part.down[columns], part.up[columns]
    loose = CLOSE * part.size[columns]
    possible: Flags = (up + loose >= needs.up) & (down + loose >= needs.down) & (up + down + loose >= needs.span)
    return possible


def _decided(part: Part, needs: Needs, seen: Seen, *, last: bool) -> None:
    if len(part.unknowns) <= SMALL:
        _rounds(part, needs, seen)
    else:
        _around(part, needs, seen, SMALL)
        if len(part.unknowns) > LARGE:
            _around(part, needs, seen, LARGE)
        else:
            _rounds(part, needs, seen)
    if last:
        _singly(part, needs, seen)


def _around(part: Part, needs: Needs, seen: Seen, at_most: int) -> None:
    """For each unknown whose need is open, all those around it at once."""
    for position in range(len(needs.unknown)):
        one = needs.only(np.array([position]))
        if one.unmet(seen.down, seen.up)[0]:
            inner = near(part, int(np.searchsorted(part.unknowns, one.unknown[0])), at_most)
            here = needs.only(np.isin(needs.unknown, inner.unknowns))
            _rounds(inner, here, seen)


def _rounds(part: Part, needs: Needs, seen: Seen) -> None:
    """Push needs up and down in turns, by a fixed sequence of chance, while that settles a share of them."""
    draw = np.random.default_rng(len(part.unknowns))
    poor = 0
    while poor < 2:
        below, above = needs.short(seen.down, seen.up)
        missing = np.flatnonzero(below | above)
        if not len(missing):
            return
        open_sides = int(below.sum() + above.sum())
        mine, below, above = needs.only(missing), below[missing], above[missing]
        rising = np.where(below & above, draw.random(len(missing)) < 0.5, above)
        for side in (rising, np.where(below & above, ~rising, rising)):
            goals = np.maximum(np.where(side, mine.up, mine.down), mine.span)
            pushed(part, seen, np.searchsorted(part.unknowns, mine.unknown), np.where(side, 1.0, -1.0), goals)
        below, above = needs.short(seen.down, seen.up)
        poor += int(below.sum() + above.sum()) > (1 - LITTLE) * open_sides


def _singly(part: Part, needs: Needs, seen: Seen) -> None:
    """Decide what is open by how far an unknown goes."""
    for position in range(len(needs.unknown)):
        one = needs.only(np.array([position]))
        column = int(np.searchsorted(part.unknowns, one.unknown[0]))
        for sign, goal in ((1.0, one.up), (-1.0, one.down)):
            below, above = one.short(seen.down, seen.up)
            if (above if sign > 0 else below)[0]:
                enough = max(float(goal[0]), float(one.span[0]))
                if len(part.unknowns) > LARGE:
                    furthest_near(part, seen, column, sign, enough)
                below, above = one.short(seen.down, seen.up)
                if (above if sign > 0 else below)[0]:
                    furthest(part, seen, column, sign, enough)


def furthest_near(part: Part, seen: Seen, column: int, sign: float, enough: float) -> None:
    """As `furthest`, by moves of the unknowns around alone."""
    inner = near(part, column, SMALL)
    furthest(inner, seen, int(np.searchsorted(inner.unknowns, part.unknowns[column])), sign, enough)
