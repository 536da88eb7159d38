"""What the choice of further cells costs, and how good it is, as tables grow.

Usage: python bench/suppression.py [CELLS ...]      (default 200 450 1500 6000 25000 100000)

For each size: how many cells, unsafe ones and needs there are; how many cells each method withholds besides, in how
many seconds; the lower bound where there is one; and how long the attack takes that verifies it.
"""

from __future__ import annotations

import sys
import time

import tables

from acequia.disclose.heuristic import by_linear_programs
from acequia.disclose.intervals import exposed
from acequia.disclose.layers import Problem
from acequia.disclose.suppress import suppress

SHAPES = {
    200: ((3, 3), (3, 3), 3, 1_500),
    450: ((4, 4), (4, 3), 4, 3_000),
    1_500: ((4, 4, 3), (4, 3), 4, 4_200),
    6_000: ((5, 6, 5), (6, 4), 4, 18_000),
    25_000: ((8, 8, 8), (7, 5), 4, 80_000),
    100_000: ((12, 12, 14), (7, 5), 4, 300_000),
}


def main() -> None:
    """Print one line for each size and method."""
    asked = [int(size) for size in sys.argv[1:]] or sorted(SHAPES)
    print(f"{'cells':>8} {'unsafe':>7} {'needs':>7} {'method':<16} {'besides':>8} {'bound':>8} {'seconds':>8}")
    for size in asked:
        regions, activities, sizes, records = SHAPES[size]
        problem = tables.generated(regions, activities, sizes, records=records)
        _line(problem, "heuristic", *_heuristic(problem))
        if size <= 25_000:
            started = time.perf_counter()
            pattern = suppress(problem)
            _line(problem, f"suppress: {pattern.method}", pattern.cost, pattern.bound, time.perf_counter() - started)


def _heuristic(problem: Problem) -> tuple[float, float, float]:
    started = time.perf_counter()
    choice = by_linear_programs(problem)
    taken = time.perf_counter() - started
    if len(problem.withheld) <= 25_000:
        started = time.perf_counter()
        left = exposed(problem.layers, choice.withheld)
        print(f"         attack: {len(left)} needs unmet, {time.perf_counter() - started:.1f} s")
    return float((choice.withheld & ~problem.withheld).sum()), 0.0, taken


def _line(problem: Problem, method: str, cost: float, bound: float, seconds: float) -> None:
    needs = sum(len(layer.needs) for layer in problem.layers)
    counts = f"{len(problem.withheld):>8} {int(problem.withheld.sum()):>7} {needs:>7}"
    print(f"{counts} {method:<16} {cost:>8.0f} {bound:>8.1f} {seconds:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
