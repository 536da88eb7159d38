"""The pattern of further cells: as cheap as the best of all patterns, and no need is left unmet."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from acequia.disclose.heuristic import by_linear_programs
from acequia.disclose.intervals import exposed
from acequia.disclose.layers import KNOWN, Layer, Need, Problem
from acequia.disclose.suppress import suppress

HEURISTIC_WITHIN = 1.25
"""What the scalable method costs at most on average, times the least cost."""


def layer_of(inner: np.ndarray, needs: list[Need], *, name: str = "sum", **changes: object) -> Layer:
    """A table of two ways with its margins; numbered row by row, each margin last."""
    full = np.concatenate([inner, inner.sum(axis=0, keepdims=True)])
    full = np.concatenate([full, full.sum(axis=1, keepdims=True)], axis=1).astype(float)
    ids = np.arange(full.size).reshape(full.shape)
    lines = [*ids, *ids.T]
    rows = [row for row, line in enumerate(lines) for _ in line]
    signs = [1.0 if place < len(line) - 1 else -1.0 for line in lines for place in range(len(line))]
    equations = csr_array((signs, (rows, np.concatenate(lines))), shape=(len(lines), full.size))
    count = full.size
    made = Layer(
        name=name,
        equations=equations,
        value=full.ravel(),
        lower=np.zeros(count),
        upper=np.full(count, np.inf),
        cell=np.arange(count),
        slack=np.zeros(count),
        integer=False,
        needs=tuple(needs),
        sole=np.full(count, -1),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def problem_of(*layers: Layer, withheld: list[int], cost: np.ndarray | None = None) -> Problem:
    count = len(layers[0].value)
    start = np.zeros(count, dtype=bool)
    start[withheld] = True
    return Problem(list(layers), start, start.copy(), np.ones(count) if cost is None else cost)


def brute_force(problem: Problem, most: int = 6) -> float:
    """The least cost of any pattern, by trying all of them, the cheapest first."""
    free = np.flatnonzero(~problem.fixed).tolist()
    sets = itertools.chain.from_iterable(itertools.combinations(free, size) for size in range(most + 1))
    for more in sorted(sets, key=lambda cells: (problem.cost[list(cells)].sum(), cells)):
        withheld = problem.withheld.copy()
        withheld[list(more)] = True
        if not exposed(problem.layers, withheld):
            return float(problem.cost[list(more)].sum())
    pytest.fail("no pattern serves")


@st.composite
def small_problems(draw: st.DrawFn) -> Problem:
    inner = np.array(draw(st.lists(st.integers(0, 30), min_size=6, max_size=6))).reshape(2, 3)
    unsafe = draw(st.lists(st.sampled_from([0, 1, 2, 4, 5, 6]), min_size=1, max_size=2, unique=True))
    kind = draw(st.sampled_from(["levels", "whole", "sole"]))
    layer = layer_of(inner, [])
    x = layer.value
    needs = [
        Need(at, integers=5) if kind == "whole" else Need(at, up=0.3 * x[at], down=0.3 * x[at], width=0.5)
        for at in sorted(unsafe)
    ]
    sole = np.full(len(x), -1)
    if kind == "sole":
        sole[unsafe] = draw(st.lists(st.integers(0, 1), min_size=len(unsafe), max_size=len(unsafe)))
    cost = np.array(draw(st.lists(st.integers(1, 4), min_size=len(x), max_size=len(x))), dtype=float)
    layer = replace(layer, needs=tuple(needs), integer=kind == "whole", sole=sole)
    return problem_of(layer, withheld=unsafe, cost=cost)


@settings(max_examples=12, deadline=None)
@given(small_problems())
def test_no_pattern_is_cheaper(problem: Problem) -> None:
    pattern = suppress(problem)
    assert not exposed(problem.layers, pattern.withheld)
    assert pattern.cost == pytest.approx(brute_force(problem))
    assert pattern.bound <= pattern.cost + 1e-6


def random_problem(seed: int, shape: tuple[int, int] = (7, 6)) -> Problem:
    random = np.random.default_rng(seed)
    layer = layer_of(random.poisson(12, shape), [])
    inner = [row * (shape[1] + 1) + column for row in range(shape[0]) for column in range(shape[1])]
    unsafe = sorted(random.choice(inner, 6, replace=False).tolist())
    needs = tuple(Need(at, up=0.3 * layer.value[at], down=0.3 * layer.value[at]) for at in unsafe)
    return problem_of(replace(layer, needs=needs), withheld=unsafe)


def test_the_scalable_method_is_near_the_least_cost() -> None:
    problems = [random_problem(seed) for seed in range(8)]
    least = [suppress(problem) for problem in problems]
    assert {pattern.method for pattern in least} == {"exact"}
    quick = [by_linear_programs(problem).withheld & ~problem.withheld for problem in problems]
    assert sum(int(more.sum()) for more in quick) <= HEURISTIC_WITHIN * sum(pattern.cost for pattern in least)


def test_nothing_is_withheld_where_nothing_is_unsafe() -> None:
    pattern = suppress(problem_of(layer_of(np.ones((2, 2)), []), withheld=[]))
    assert (pattern.method, pattern.cost, int(pattern.withheld.sum())) == ("none", 0.0, 0)


def test_one_pattern_serves_all_measures() -> None:
    inner = np.array([[3, 20, 30], [20, 20, 20], [30, 20, 10]])
    counts = layer_of(inner, [Need(0, integers=10)], name="rows", integer=True)
    # in the sum the cheap rectangle of the counts cannot move: two of its corners are nothing
    worth = np.array([[40.0, 90, 50], [0, 80, 70], [60, 10, 90]])
    sums = layer_of(worth, [Need(0, up=12.0, down=12.0)])
    pattern = suppress(problem_of(counts, sums, withheld=[0]))
    assert pattern.method == "exact"
    assert pattern.cost == 3
    assert not exposed([counts, sums], pattern.withheld)
    assert not pattern.withheld[4]


def test_a_cell_of_nothing_gives_no_room_to_fall() -> None:
    layer = layer_of(np.array([[5, 5, 5], [5, 0, 5], [5, 5, 5]]), [Need(0, up=2.0, down=2.0)])
    pattern = suppress(problem_of(layer, withheld=[0]))
    # the rectangle over the empty cell would let the unsafe one rise, but not fall
    assert not pattern.withheld[5]


def test_a_sole_contributor_does_not_learn_its_neighbour() -> None:
    inner = np.array([[5, 5, 5], [5, 5, 5], [5, 5, 5]])
    needs = [Need(0, up=2.0, down=2.0), Need(1, up=2.0, down=2.0)]
    # two in one row and two in another would do for the public, but each knows its own and sees the other
    everybody = layer_of(inner, needs)
    alone = replace(everybody, sole=np.where(np.arange(16) < 2, np.arange(16), -1))
    assert suppress(problem_of(everybody, withheld=[0, 1])).cost == 2
    pattern = suppress(problem_of(alone, withheld=[0, 1]))
    assert pattern.cost > 2
    assert not exposed([alone], pattern.withheld)


def test_what_is_public_for_good_stays_public() -> None:
    layer = layer_of(np.full((3, 3), 9), [Need(0, up=3.0, down=3.0)])
    problem = problem_of(layer, withheld=[0])
    problem.fixed[[1, 4]] = True
    pattern = suppress(problem)
    assert not pattern.withheld[[1, 4]].any()
    assert not exposed([layer], pattern.withheld)


def test_what_nothing_can_hide_costs_no_other_cell_and_is_counted() -> None:
    layer = layer_of(np.full((2, 2), 9), [Need(0, up=3.0, down=3.0), Need(4, up=3.0, down=3.0)])
    known = replace(layer, cell=np.where(np.isin(np.arange(9), [1, 2]), KNOWN, np.arange(9)))
    pattern = suppress(problem_of(known, withheld=[0, 4]))
    # the first row tells its first cell for good; the second cell is in need of a rectangle without it, or its margins
    assert pattern.facts["unmet"] == 1
    assert not pattern.withheld.all()
    assert {one.need.unknown for one in exposed([known], pattern.withheld)} == {0}


def test_dear_cells_stay_open_where_others_do() -> None:
    layer = layer_of(np.full((4, 4), 9), [Need(0, up=3.0, down=3.0)])
    cost = np.ones(25)
    cost[1] = cost[5] = 50.0
    pattern = suppress(problem_of(layer, withheld=[0], cost=cost))
    assert not pattern.withheld[[1, 5]].any()


def test_the_same_problem_gives_the_same_pattern() -> None:
    problem = random_problem(3)
    first, again = suppress(problem), suppress(problem)
    assert first.withheld.tobytes() == again.withheld.tobytes()
    assert first.facts == again.facts
