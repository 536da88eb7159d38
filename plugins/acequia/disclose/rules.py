"""The rules for one cell, in the terms of the Handbook on Statistical Disclosure Control (ESSNet).

They need nothing but the numbers of the cell, exact ones.
"""

from __future__ import annotations

from decimal import Decimal


def too_few(rows: int, contributors: int, at_least: int) -> bool:
    """Minimum frequency: a number rests on rows, but on fewer contributors than agreed.

    Rows whose contributor is unknown count as nobody, so a cell of such rows alone is too few.
    """
    return rows > 0 and contributors < at_least


def dominated(top: Decimal, total: Decimal, negative: bool, k_pct: Decimal) -> bool:
    """(n, k) rule: x1 + … + xn > k percent of X, for the n largest contributions and the total X of a cell.

    Not applicable where a contribution is below zero (shares mean nothing there; the frequency rule decides) or where
    the total is zero.
    """
    return not negative and total > 0 and 100 * top > k_pct * total


def rounded(count: int, base: int) -> int:
    """A count, rounded to the nearest multiple of the base, half up."""
    return (2 * count + base) // (2 * base) * base
