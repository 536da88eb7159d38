"""Rules of concentration: published examples, boundaries, and levels against exact fractions.

The examples are those of the Handbook on Statistical Disclosure Control, section 4.2.1, and of the tests of the R
package GaussSuppression (Statistics Norway), which follows it.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.disclose.rules import dominance_level, dominated, inference_level, inferred

GAUSS = {
    "v1": (100,), "v2": (90, 10), "v3": (80, 20), "v4": (70, 30), "v5": (80, 10, 10), "v6": (70, 10, 10, 10),
    "v7": (60, 20, 10, 10),
}  # fmt: skip
GAUSS_MORE = {
    "v1": (100,), "v2": (90, 10), "v3": (80, 20), "v4": (70, 30), "v5": (50, 25, 25), "v6": (40, 20, 20, 20),
    "v7": (25, 25, 25, 25),
}  # fmt: skip
NUMBERS = st.decimals(0, 10**12, places=9, allow_nan=False) | st.integers(0, 20).map(Decimal)
PERCENT = st.decimals("0.01", 100, places=2, allow_nan=False)


def by_dominance(cells: dict[str, tuple[int, ...]], *rules: tuple[int, int]) -> list[str]:
    return [
        name
        for name, parts in cells.items()
        if any(dominated(Decimal(sum(parts[:n])), Decimal(sum(parts)), False, Decimal(k)) for n, k in rules)
    ]


def test_two_hold_more_than_90_percent_of_four_cells() -> None:
    assert by_dominance(GAUSS, (2, 90)) == ["v1", "v2", "v3", "v4"]  # v5 is 90 percent, and no more


def test_two_rules_together() -> None:
    assert by_dominance(GAUSS_MORE, (1, 80)) == ["v1", "v2"]
    assert by_dominance(GAUSS_MORE, (1, 80), (2, 70)) == ["v1", "v2", "v3", "v4", "v5"]


def test_the_handbooks_first_example() -> None:
    first, second, total = Decimal(50_000), Decimal(49_000), Decimal(100_000)
    assert not dominated(first, total, False, Decimal(90))
    assert not inferred(first, second, total, False, Decimal(2))  # the second estimates 51,000, two percent too much
    assert inferred(first, second, total, False, Decimal("2.01"))
    assert inference_level(first, second, total, False, Decimal(10)) == 5_000 - 1_000


def test_the_handbooks_second_example() -> None:
    first, second, total = Decimal(52_000), Decimal(50_000), Decimal(110_000)
    assert not inferred(first, second, total, False, Decimal(10))
    assert not inferred(first, second, total, False, Decimal("15.38"))  # 8,000 of 52,000 are 15.385 percent
    assert inferred(first, second, total, False, Decimal("15.39"))
    assert dominated(first + second, total, False, Decimal("90.90909090909090909090909091"))
    level = dominance_level(first + second, total, False, Decimal("90.9090909090909090909090909"))
    assert float(level) == pytest.approx(2_200)  # 110/100 * 102,000 - 110,000


def test_one_or_two_companies_are_known_to_each_other() -> None:
    assert inference_level(Decimal(70), Decimal(0), Decimal(70), False, Decimal(10)) == 7
    assert inference_level(Decimal(70), Decimal(30), Decimal(100), False, Decimal(10)) == 7


def test_prior_knowledge_counts() -> None:
    parts = Decimal(100), Decimal(50), Decimal(165)
    assert not inferred(*parts, False, Decimal(10))
    assert inference_level(*parts, False, Decimal(10), Decimal(50)) == 20 - 15  # 10/50 is a p of 20 percent


@pytest.mark.parametrize("total", [0, -5])
def test_a_total_of_zero_or_less_and_negative_contributions_have_no_shares(total: int) -> None:
    assert dominance_level(Decimal(5), Decimal(total), False, Decimal(50)) == 0
    assert inference_level(Decimal(5), Decimal(0), Decimal(total), False, Decimal(50)) == 0
    assert dominance_level(Decimal(99), Decimal(100), True, Decimal(50)) == 0
    assert inference_level(Decimal(99), Decimal(1), Decimal(100), True, Decimal(50)) == 0


@given(st.lists(NUMBERS, min_size=1, max_size=12), st.integers(1, 4), PERCENT)
def test_dominance_is_cured_by_its_level_and_by_nothing_less(parts: list[Decimal], n: int, k: Decimal) -> None:
    parts = sorted(parts, reverse=True)
    top, total = sum(parts[:n], Decimal(0)), sum(parts, Decimal(0))
    share = Fraction(k) / 100
    unsafe = total > 0 and Fraction(top) > share * Fraction(total)
    assert dominated(top, total, False, k) is unsafe
    level = Fraction(dominance_level(top, total, False, k))
    wanted = Fraction(top) / share - Fraction(total) if unsafe else Fraction(0)
    assert abs(level - wanted) <= abs(wanted) * Fraction(1, 10**30)


@given(st.lists(NUMBERS, min_size=1, max_size=12), PERCENT, PERCENT)
def test_nobody_can_infer_more_than_agreed(parts: list[Decimal], p: Decimal, q: Decimal) -> None:
    """Every contributor estimates every other's contribution; the rule of the two largest is right for all."""
    parts = sorted(parts, reverse=True)
    total, second = sum(parts, Decimal(0)), parts[1] if len(parts) > 1 else Decimal(0)
    p_of_q = Fraction(p) / Fraction(q)
    others = [(Fraction(total) - Fraction(one) - Fraction(own), Fraction(one))
              for i, one in enumerate(parts) for j, own in enumerate([*parts, Decimal(0)]) if i != j]  # fmt: skip
    unsafe = total > 0 and any(rest < p_of_q * one for rest, one in others)
    assert inferred(parts[0], second, total, False, p, q) is unsafe
    level = Fraction(inference_level(parts[0], second, total, False, p, q))
    wanted = max((p_of_q * one - rest for rest, one in others), default=Fraction(0)) if unsafe else Fraction(0)
    assert abs(level - max(wanted, Fraction(0))) <= abs(wanted) * Fraction(1, 10**30) + Fraction(1, 10**60)
