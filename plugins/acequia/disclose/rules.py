"""The rules for one cell, in the terms of the Handbook on Statistical Disclosure Control (ESSNet).

They need nothing but the numbers of the cell, exact ones. A cell of total X has the contributions x1 >= x2 >= … of its
contributors, who are grouped by holding before. A rule of concentration gives the *protection level* of an unsafe
cell: how far above (and below) X the public's interval must reach, so that nobody learns a contribution more closely
than the rule allows. The level is above zero exactly where the cell is unsafe.

Sources: Hundepool and others, Statistical Disclosure Control (2012), sections 4.2.1 (the rules; they are said as
inequalities of the sum of the other contributions) and 4.2.2 (what interval each rule asks for); the manual of
tau-ARGUS states the same levels. The (p, q) rule is the p% rule for attackers who know everybody's contribution to
within q percent before: only the ratio of p and q matters.
"""

from __future__ import annotations

from decimal import Context, Decimal

_EXACT = Context(prec=120)
"""Totals have 38 digits; the ordinary 28 would round them before they are compared."""
_HUNDRED, _NONE = Decimal(100), Decimal(0)


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
    return _applies(total, negative) and _EXACT.multiply(_HUNDRED, top) > _EXACT.multiply(k_pct, total)


def dominance_level(top: Decimal, total: Decimal, negative: bool, k_pct: Decimal) -> Decimal:
    """The protection level of the (n, k) rule: 100/k * (x1 + … + xn) - X, and 0 where the cell is safe.

    It is the total at which the same n contributors would hold k percent and no more.
    """
    if not dominated(top, total, negative, k_pct):
        return _NONE
    return _EXACT.subtract(_EXACT.divide(_EXACT.multiply(_HUNDRED, top), k_pct), total)


def inferred(
    first: Decimal, second: Decimal, total: Decimal, negative: bool, p_pct: Decimal, q_pct: Decimal = _HUNDRED
) -> bool:
    """(p, q) rule: q percent of (X - x1 - x2) < p percent of x1; with q = 100 the p% rule.

    The second largest contributor takes its own contribution off the total and knows the largest one to within what is
    left. Not applicable as for `dominated`. With one contributor x2 is 0, and whoever knows X knows x1.
    """
    rest = _EXACT.multiply(q_pct, _rest(first, second, total))
    return _applies(total, negative) and rest < _EXACT.multiply(p_pct, first)


def inference_level(
    first: Decimal, second: Decimal, total: Decimal, negative: bool, p_pct: Decimal, q_pct: Decimal = _HUNDRED
) -> Decimal:
    """The protection level of the (p, q) rule: p/q * x1 - (X - x1 - x2), and 0 where the cell is safe.

    With q = 100: p/100 * x1 - (X - x1 - x2).
    """
    if not inferred(first, second, total, negative, p_pct, q_pct):
        return _NONE
    largest = _EXACT.divide(_EXACT.multiply(p_pct, first), q_pct)
    return _EXACT.subtract(largest, _rest(first, second, total))


def _applies(total: Decimal, negative: bool) -> bool:
    return not negative and total > 0


def _rest(first: Decimal, second: Decimal, total: Decimal) -> Decimal:
    return _EXACT.subtract(_EXACT.subtract(total, first), second)


def rounded(count: int, base: int) -> int:
    """A count, rounded to the nearest multiple of the base, half up."""
    return (2 * count + base) // (2 * base) * base
