"""Cells that would give a withheld one away.

Now: the conservative protection of totals, which needs no optimisation. A table publishes its sums at several levels,
so whoever knows a total and all but one of its parts knows that part. Hence every wider cell above a withheld one is
withheld as well. It withholds more than it must, and it looks at one table and period alone.

`complementary` is the place of complementary suppression: over all tables of a feed and period with their hierarchies
and every earlier release that is still public, a small set of further cells such that each withheld one stays uncertain
by its protection level. Its result is the same: one more decision per cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Address:
    """Where a cell lies: for each `by` column its level (0 is the finest), and its values from there to the widest.

    A column without hierarchy has level 0 and one value.
    """

    levels: tuple[int, ...]
    values: tuple[tuple[object, ...], ...]

    @property
    def key(self) -> tuple[tuple[int, object], ...]:
        """The cell itself: level and value for each column."""
        return tuple((level, values[0]) for level, values in zip(self.levels, self.values, strict=True))

    def above(self) -> list[tuple[tuple[int, object], ...]]:
        """The keys of all wider cells that this one counts to."""
        paths = [
            [(level + step, value) for step, value in enumerate(values)]
            for level, values in zip(self.levels, self.values, strict=True)
        ]
        return [key for key in product(*paths) if key != self.key]


def complementary(addresses: Sequence[Address], primary: Sequence[bool]) -> list[bool]:
    """Which further cells are withheld, given which ones are on their own account. One entry per cell, in order.

    Upwards, every cell above a withheld one. Downwards, where a cell is withheld on its own account and all below it
    are open, they are withheld with it, since they add up to it; that happens only with negative contributions, when a
    rule applies to a total and not to its parts.
    """
    above = [address.above() for address in addresses]
    withheld = _upwards(addresses, above, list(primary))
    covered = {key for index, keys in enumerate(above) if withheld[index] for key in keys}
    exposed = {address.key for address, own in zip(addresses, primary, strict=True)
               if own and any(address.levels) and address.key not in covered}  # fmt: skip
    if exposed:
        below = [own or bool(exposed & set(keys)) for own, keys in zip(withheld, above, strict=True)]
        withheld = _upwards(addresses, above, below)
    return [now and not own for now, own in zip(withheld, primary, strict=True)]


def _upwards(
    addresses: Sequence[Address], above: Sequence[list[tuple[tuple[int, object], ...]]], withheld: list[bool]
) -> list[bool]:
    wider = {key for index, keys in enumerate(above) if withheld[index] for key in keys}
    return [own or address.key in wider for own, address in zip(withheld, addresses, strict=True)]
