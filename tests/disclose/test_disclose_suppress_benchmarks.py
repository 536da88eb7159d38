"""On published tables no more cells are withheld besides than tau-ARGUS withholds, and every cell stays hidden."""

from __future__ import annotations

from collections.abc import Callable

import benchmark_tables
import numpy as np
import pytest
from benchmark_tables import Benchmark

from acequia.disclose.heuristic import by_linear_programs
from acequia.disclose.intervals import exposed
from acequia.disclose.suppress import suppress

LEAST = {"insee": 58, "activity_by_size": 2, "region_by_gender": 3}


@pytest.fixture(params=benchmark_tables.BENCHMARKS, ids=lambda make: make.__name__)
def benchmark(request: pytest.FixtureRequest) -> Benchmark:
    make: Callable[[], Benchmark] = request.param
    return make()


def test_the_numbers_are_those_of_the_source(benchmark: Benchmark) -> None:
    assert len(benchmark.cells) == {"insee": 414, "activity_by_size": 12, "region_by_gender": 15}[benchmark.name]
    assert len(benchmark.pattern) == benchmark.withheld_besides
    assert not benchmark.pattern & set(benchmark.unsafe)
    # what the attack says of a pattern that is known to serve is a test of the attack too
    assert not exposed(benchmark.problem().layers, benchmark.theirs())


def test_no_more_is_withheld_than_by_tau_argus(benchmark: Benchmark) -> None:
    problem = benchmark.problem()
    pattern = suppress(problem)
    besides = int((pattern.withheld & ~problem.withheld).sum())
    assert pattern.method == "exact"
    assert besides == pattern.cost == pattern.bound == LEAST[benchmark.name] <= benchmark.withheld_besides
    assert not exposed(problem.layers, pattern.withheld)


def test_the_scalable_method_alone_withholds_about_as_many(benchmark: Benchmark) -> None:
    problem = benchmark.problem()
    choice = by_linear_programs(problem)
    assert int((choice.withheld & ~problem.withheld).sum()) <= 1.05 * benchmark.withheld_besides
    assert not exposed(problem.layers, choice.withheld)


def test_the_same_table_gives_the_same_pattern(benchmark: Benchmark) -> None:
    first, again = (by_linear_programs(benchmark.problem()).withheld for _ in range(2))
    assert np.array_equal(first, again)
