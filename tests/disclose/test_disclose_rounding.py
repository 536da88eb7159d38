"""Controlled rounding: totals stay sums, no count goes further than it must, and the same table is rounded alike."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.disclose.control import disclose
from acequia.disclose.rounding import controlled
from acequia.disclose.rules import rounded
from acequia.flow import Disclosed
from tests.aggregate.made_feeds import a_feed, a_reference, cells_of, frame, protected

Equations = list[dict[int, float]]


def with_margins(parts: np.ndarray[Any, Any]) -> tuple[list[int | None], Equations]:
    """A table with every margin, and the equations between its cells."""
    counts = parts
    for axis in range(parts.ndim):
        counts = np.concatenate([counts, counts.sum(axis=axis, keepdims=True)], axis=axis)
    places, equations = np.arange(counts.size).reshape(counts.shape), []
    for axis in range(parts.ndim):
        for rest in itertools.product(*(range(size) for d, size in enumerate(counts.shape) if d != axis)):
            *line, total = (int(cell) for cell in places[(*rest[:axis], slice(None), *rest[axis:])])
            equations.append({total: -1.0, **dict.fromkeys(line, 1.0)})
    return [int(count) for count in counts.ravel()], equations


def add_up(counts: Any, equations: Equations) -> bool:
    return all(sum(by * int(counts[cell]) for cell, by in equation.items()) == 0 for equation in equations)


sizes = st.integers(1, 4)
tables = st.tuples(sizes, sizes, st.integers(2, 12), st.integers(0, 2**32)).map(
    lambda drawn: (np.random.default_rng(drawn[3]).poisson(6, drawn[:2]), drawn[2])
)


@settings(max_examples=60, deadline=None)
@given(tables)
def test_two_columns_add_up_within_the_base(drawn: tuple[np.ndarray[Any, Any], int]) -> None:
    parts, base = drawn
    counts, equations = with_margins(parts)
    rounding = controlled(counts, equations, base)
    exact = np.array(counts, dtype=int)
    assert add_up(rounding.counts, equations)
    assert (rounding.further, rounding.apart) == (0, 0)
    assert (rounding.counts % base == 0).all()
    assert (rounding.counts >= 0).all()
    assert (np.abs(rounding.counts - exact) < base).all()  # so that a multiple of the base stays


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 7))
def test_the_sum_of_changes_is_the_least_there_is(seed: int, base: int) -> None:
    counts, equations = with_margins(np.random.default_rng(seed).poisson(5, (2, 2)))
    exact = np.array(counts, dtype=int)
    options = [sorted({count // base * base, -(-count // base) * base}) for count in exact.tolist()]
    # the four parts decide; the totals follow
    parts = [0, 1, 3, 4]
    best = None
    for chosen in itertools.product(*(options[cell] for cell in parts)):
        total, _ = with_margins(np.array(chosen).reshape(2, 2))
        if all(value in allowed for value, allowed in zip(total, options, strict=True)):
            moved = int(np.abs(np.array(total, dtype=int) - exact).sum())
            best = moved if best is None else min(best, moved)
    assert int(np.abs(controlled(counts, equations, base).counts - exact).sum()) == best


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([3, 5]))
def test_three_columns_add_up_however_far_they_must_go(seed: int, base: int) -> None:
    counts, equations = with_margins(np.random.default_rng(seed).poisson(4, (3, 3, 3)))
    rounding = controlled(counts, equations, base)
    assert rounding.apart == 0
    assert add_up(rounding.counts, equations)
    assert (np.abs(rounding.counts - np.array(counts)) < rounding.reach * base).all()


def test_where_the_next_multiples_do_not_add_up_counts_go_further() -> None:
    # three pairs out of three cells of 1: each pair is 2, a multiple that would stay, so one of each pair goes up
    counts: list[int | None] = [1, 1, 1, 2, 2, 2]
    equations: Equations = [{0: 1, 1: 1, 3: -1}, {1: 1, 2: 1, 4: -1}, {0: 1, 2: 1, 5: -1}]
    rounding = controlled(counts, equations, 2)
    assert (rounding.further, rounding.apart, rounding.reach) == (6, 0, 2)
    assert add_up(rounding.counts, equations)
    assert (np.abs(rounding.counts - np.array([1, 1, 1, 2, 2, 2])) < 4).all()


def test_what_cannot_add_up_at_all_is_rounded_by_itself_and_said() -> None:
    # a hundred cells of 1 that everybody knows to be equal: all of them 0 or all of them 10, and in all about 100
    counts: list[int | None] = [*([1] * 100), 100]
    equal: Equations = [{cell: 1, cell + 1: -1} for cell in range(99)]
    rounding = controlled(counts, [*equal, {100: -1, **dict.fromkeys(range(100), 1.0)}], 10)
    assert (rounding.further, rounding.apart) == (0, 101)
    assert rounding.counts.tolist() == [*([0] * 100), 100]


def test_only_the_part_that_cannot_be_rounded_goes_further() -> None:
    cycle: Equations = [{0: 1, 1: 1, 3: -1}, {1: 1, 2: 1, 4: -1}, {0: 1, 2: 1, 5: -1}]
    counts: list[int | None] = [1, 1, 1, 2, 2, 2, 7, 8, 15]
    rounding = controlled(counts, [*cycle, {6: 1, 7: 1, 8: -1}], 2)
    assert rounding.further == 6
    assert all(abs(int(now) - was) < 2 for now, was in zip(rounding.counts[6:], (7, 8, 15), strict=True))


def test_a_withheld_cell_binds_nobody() -> None:
    equations: Equations = [{0: 1, 1: 1, 2: -1}]
    assert controlled([2, None, 4], equations, 5).counts.tolist() == [0, -1, 5]
    assert controlled([2, 2, 4], equations, 5).counts.tolist() in ([5, 0, 5], [0, 5, 5])


@pytest.mark.parametrize("count", range(23))
def test_alone_it_is_conventional_rounding(count: int) -> None:
    assert controlled([count], [], 5).counts.tolist() == [rounded(count, 5)]
    assert controlled([count, 3], [{0: 1, 1: 1}], 5).counts.tolist() == [rounded(count, 5), 5]  # no true equation


def test_the_same_table_is_rounded_alike_and_not_by_the_order_of_equations() -> None:
    counts, equations = with_margins(np.random.default_rng(7).poisson(9, (12, 9)))
    first = controlled(counts, equations, 5).counts.tolist()
    assert controlled(counts, equations, 5).counts.tolist() == first
    twice = controlled(counts, [*equations, *equations], 5).counts.tolist()
    assert twice == first


def test_zeros_stay_zeros() -> None:
    counts, equations = with_margins(np.random.default_rng(3).poisson(0.5, (6, 6, 3)))
    after = controlled(counts, equations, 3).counts
    assert all(now == 0 for now, was in zip(after.tolist(), counts, strict=True) if was == 0)


# tables


PEOPLE = [
    {"district": district, "person": f"{district} {number}", "day": 1}
    for district, many in (("Gaborone", 33), ("Lobatse", 18), ("Maun", 24), ("Kasane", 13))
    for number in range(many)
]
ROUNDED: dict[str, Any] = {
    "by": ("district",),
    "hierarchy": {"district": ("country", "region", "district")},
    "measures": {"rows_count": {"count": "rows"}, "people_count": {"count_distinct": "person"}},
}


def told(folder: Path, rows: list[dict[str, Any]], **protect: Any) -> tuple[Disclosed, dict[str, dict[str, Any]]]:
    a_reference(folder)
    agreed = {"contributor": "person", "min_contributors": 3, "round_to": 5, "rounding": "controlled", **protect}
    feed = a_feed(tables={"t": {**ROUNDED, "protect": agreed}})
    cells = cells_of(folder, feed, feed.tables["t"], (protected(folder, frame(rows)),))
    disclosed = disclose(cells, feed.tables["t"], out=folder / "disclosed.parquet")
    return disclosed, {row["district"]: row for row in pq.read_table(disclosed.path).to_pylist()}


def test_totals_of_a_table_stay_sums(tmp_path: Path) -> None:
    disclosed, rows = told(tmp_path, PEOPLE)
    of = {name: row["rows_count"] for name, row in rows.items()}
    assert of["_T"] == of["North"] + of["South"]
    assert of["North"] == of["Maun"] + of["Kasane"]
    assert of["South"] == of["Gaborone"] + of["Lobatse"]
    assert all(value % 5 == 0 for value in of.values())
    assert all(abs(of[name] - many) < 5 for name, many in (("Gaborone", 33), ("Maun", 24), ("_T", 88)))
    assert disclosed.rules["controlled_rounding"] == {}  # every cell to a next multiple


def test_distinct_counts_do_not_add_up_and_are_rounded_by_themselves(tmp_path: Path) -> None:
    _, rows = told(tmp_path, PEOPLE)
    exact = {"Gaborone": 33, "Lobatse": 18, "Maun": 24, "Kasane": 13, "North": 37, "South": 51, "_T": 88}
    for name in ("people_count", "contributors_count"):
        assert {place: row[name] for place, row in rows.items()} == {p: rounded(n, 5) for p, n in exact.items()}


def test_a_withheld_cell_leaves_the_other_totals_sums(tmp_path: Path) -> None:
    _, rows = told(tmp_path, [row for row in PEOPLE if row["district"] != "Kasane"] + PEOPLE[-2:])
    open_ = {name for name, row in rows.items() if row["withheld_because"] is None}
    of = {name: row["rows_count"] for name, row in rows.items()}
    assert of["Kasane"] is None
    for total, parts in (("_T", ("North", "South")), ("South", ("Gaborone", "Lobatse")), ("North", ("Maun", "Kasane"))):
        if {total, *parts} <= open_:
            assert of[total] == sum(of[part] for part in parts)
