"""Totals that would give a withheld cell away."""

from __future__ import annotations

from acequia.disclose.secondary import Address, complementary

GABORONE = Address((0,), (("Gaborone", "South", "_T"),))
LOBATSE = Address((0,), (("Lobatse", "South", "_T"),))
MAUN = Address((0,), (("Maun", "North", "_T"),))
SOUTH, NORTH, ALL = Address((1,), (("South", "_T"),)), Address((1,), (("North", "_T"),)), Address((2,), (("_T",),))
TREE = [GABORONE, LOBATSE, MAUN, SOUTH, NORTH, ALL]


def test_nothing_withheld_nothing_more() -> None:
    assert complementary(TREE, [False] * 6) == [False] * 6


def test_every_total_above_is_withheld_and_no_other() -> None:
    assert complementary(TREE, [True, False, False, False, False, False]) == [False, False, False, True, False, True]


def test_a_withheld_region_needs_no_more_where_a_district_below_is_withheld() -> None:
    assert complementary(TREE, [True, False, False, True, False, False]) == [False, False, False, False, False, True]


def test_a_region_withheld_on_its_own_takes_what_adds_up_to_it() -> None:
    assert complementary(TREE, [False, False, False, True, False, False]) == [True, True, False, False, False, True]


def test_totals_over_two_columns() -> None:
    cells = [Address((a, b), (("Maun", "_T")[a:], ("call", "_T")[b:])) for a in (0, 1) for b in (0, 1)]
    other = Address((0, 0), (("Lobatse", "_T"), ("sms", "_T")))
    assert complementary([*cells, other], [True, False, False, False, False]) == [False, True, True, True, False]
    assert complementary([*cells, other], [False, True, False, False, False]) == [True, False, True, True, False]


def test_no_cells() -> None:
    assert complementary([], []) == []
