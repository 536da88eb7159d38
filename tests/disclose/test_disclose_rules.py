"""Each rule at its boundary."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.disclose.rules import dominated, rounded, too_few


@pytest.mark.parametrize(
    ("rows", "contributors", "withheld"),
    [(9, 9, True), (10, 10, False), (11, 11, False), (1, 1, True), (0, 0, False), (50, 9, True), (50, 0, True)],
)
def test_ten_contributors_are_enough(rows: int, contributors: int, withheld: bool) -> None:
    assert too_few(rows, contributors, 10) is withheld


@pytest.mark.parametrize(
    ("top", "total", "k_pct", "withheld"),
    [
        ("50", "100", "50", False),
        ("50.000000001", "100", "50", True),
        ("100", "100", "100", False),
        ("1", "3", "33.3", True),
        ("1", "3", "33.4", False),
        ("0.1", "0.2", "50", False),  # a half, which floats would not say exactly
        ("0", "0", "50", False),
        ("99999999999999999999.999999999", "100000000000000000000", "99.999", True),
    ],
)
def test_more_than_k_percent_dominates(top: str, total: str, k_pct: str, withheld: bool) -> None:
    assert dominated(Decimal(top), Decimal(total), False, Decimal(k_pct)) is withheld


def test_shares_mean_nothing_beside_negative_contributions() -> None:
    assert not dominated(Decimal(99), Decimal(100), True, Decimal(50))
    assert not dominated(Decimal(5), Decimal(-100), False, Decimal(50))


@pytest.mark.parametrize(
    ("count", "base", "told"),
    [(0, 5, 0), (2, 5, 0), (3, 5, 5), (7, 5, 5), (8, 5, 10), (4, 10, 0), (5, 10, 10), (15, 10, 20), (1, 2, 2),
     (1, 3, 0), (2, 3, 3), (17, 1, 17)],
)  # fmt: skip
def test_counts_are_rounded_half_up(count: int, base: int, told: int) -> None:
    assert rounded(count, base) == told


@given(st.integers(0, 10**15), st.integers(2, 10**6))
def test_rounding_moves_by_half_a_base_at_most(count: int, base: int) -> None:
    told = rounded(count, base)
    assert told % base == 0
    assert -base < 2 * (count - told) < base or 2 * (told - count) == base
