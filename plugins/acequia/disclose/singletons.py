"""What a sole contributor works out, who knows every cell of which it is the only contributor.

The literature calls such a cell a singleton: whoever stands alone behind a withheld cell subtracts it, so that two
withheld cells in a line protect each other from everybody but from the one behind the first (Handbook on Statistical
Disclosure Control, on singletons and multiple singletons; the tau-ARGUS manual on singleton detection). Published
methods ask that it cannot work out another cell exactly. Here the attack itself is run again for each sole contributor,
with its cells fixed, and the needs of all other cells count as follows:

- a number of whole things (`integers`) may not become exactly known: at least two must stay possible. What the minimum
  number of contributors guards against is to single out somebody; to narrow a count of people down is no more than what
  the contributor knows of itself.
- a sum must keep its whole protection (`up`, `down`): its protection levels are there against competitors, and sole
  contributors are such.
- where only exactness counts (`width`) it does so here.

Cells behind which stands the contributor itself are its own, and need nothing from it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acequia.disclose.components import Flags, Part, settled
from acequia.disclose.layers import Layer
from acequia.disclose.moves import Seen, without
from acequia.disclose.proofs import Needs, proven

ENOUGH = 2
"""Whole numbers that must stay possible to a sole contributor."""


def lessened(needs: Needs) -> Needs:
    """What must hold against a sole contributor."""
    return replace(needs, integers=np.minimum(needs.integers, ENOUGH))


def exposed_to(layer: Layer, part: Part, needs: Needs) -> list[tuple[int, int]]:
    """Who works out too much in a part: pairs of a sole contributor and the position of a need, in order.

    Many contributors are tried together first: what is safe from all of them at once is safe from each. Those are
    grouped in two ways, so that cells of two contributors in one group are apart in the other.
    """
    sole = np.where(part.up - part.down > 0, layer.sole[part.unknowns], -1)
    people = np.unique(sole[sole >= 0])
    here = np.flatnonzero(np.isin(needs.unknown, part.unknowns))
    if not len(people) or not len(here):
        return []
    mine = lessened(needs.only(here))
    owner = layer.sole[mine.unknown]
    unsafe = people[:, None] != owner[None, :]
    side = int(np.ceil(np.sqrt(len(people))))
    index = np.arange(len(people))
    for grouping in (index // side, index % side) if side > 1 else ():
        for group in range(side):
            members = np.flatnonzero(grouping == group)
            _tried(part, mine, np.isin(sole, people[members]), members, unsafe, len(layer.sole), last=False)
    for who in range(len(people)):
        _tried(part, mine, sole == people[who], np.array([who]), unsafe, len(layer.sole), last=True)
    return [(int(people[who]), int(here[need])) for who, need in zip(*np.nonzero(unsafe), strict=True)]


def _tried(
    part: Part, needs: Needs, known: Flags, members: NDArray[np.int64], unsafe: Flags, count: int, *, last: bool
) -> None:
    """Strike from `unsafe` what is safe from all members together."""
    open_needs = np.flatnonzero(unsafe[members].any(axis=0) & ~np.isin(needs.unknown, part.unknowns[known]))
    if not len(open_needs):
        return
    seen = Seen.nothing(count)
    inner = settled(without(part, known))[2]
    mine = needs.only(open_needs)
    proven(inner, mine, seen, last=last)
    safe = open_needs[~mine.unmet(seen.down, seen.up)]
    unsafe[np.ix_(members, safe)] = False
