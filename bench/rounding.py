"""What controlled rounding costs: seconds for tables of two and three columns with their margins, and for districts in
regions by hours in parts of the day.

Usage: python bench/rounding.py [ROWS COLUMNS]      (default: 300 x 100 and the others)
"""

from __future__ import annotations

import itertools
import sys
import time

import numpy as np

from acequia.disclose.rounding import controlled

BASE = 5


def table(sizes: tuple[int, ...], seed: int = 1) -> tuple[list[int], list[dict[int, float]]]:
    """Counts of a table with every margin, and the equations between them."""
    counts = np.random.default_rng(seed).poisson(7, sizes)
    for axis in range(len(sizes)):
        counts = np.concatenate([counts, counts.sum(axis=axis, keepdims=True)], axis=axis)
    places = np.arange(counts.size).reshape(counts.shape)
    equations = []
    for axis in range(len(sizes)):
        for rest in itertools.product(*(range(size) for d, size in enumerate(counts.shape) if d != axis)):
            line = [int(cell) for cell in places[(*rest[:axis], slice(None), *rest[axis:])]]
            equations.append({line[-1]: -1.0, **dict.fromkeys(line[:-1], 1.0)})
    return [int(count) for count in counts.ravel()], equations


def hierarchies(
    sizes: tuple[tuple[int, int], tuple[int, int]], seed: int = 1
) -> tuple[list[int], list[dict[int, float]]]:
    """Counts of a table of two columns, each with that many values in that many groups and a total, fully crossed."""
    trees = [_tree(values, groups) for values, groups in sizes]
    counts = np.random.default_rng(seed).poisson(7, [values for values, _ in sizes])
    for axis, tree in enumerate(trees):
        for parts in tree.values():
            total = counts.take(parts, axis=axis).sum(axis=axis, keepdims=True)
            counts = np.concatenate([counts, total], axis=axis)
    places, equations = np.arange(counts.size).reshape(counts.shape), []
    for axis, tree in enumerate(trees):
        lines = np.moveaxis(places, axis, 0)
        for total, parts in tree.items():
            for other in range(lines.shape[1]):
                equations.append({int(lines[total, other]): -1.0, **{int(lines[part, other]): 1.0 for part in parts}})
    return [int(count) for count in counts.ravel()], equations


def _tree(values: int, groups: int) -> dict[int, list[int]]:
    """Place of each group and of the total -> places of its parts."""
    members = [[int(value) for value in part] for part in np.array_split(np.arange(values), groups)]
    return {**{values + group: part for group, part in enumerate(members)},
            values + groups: list(range(values, values + groups))}  # fmt: skip


def main() -> None:
    """Round, and say how long it took and how far counts moved."""
    asked = tuple(int(size) for size in sys.argv[1:3])
    for sizes in (asked,) if asked else ((30, 10), (300, 100), (10, 10, 10), (20, 20, 5), (30, 20, 10)):
        _measure(" x ".join(str(size) for size in sizes), *table(sizes))
    for districts, regions in () if asked else ((200, 10), (1_000, 30), (2_000, 50)):
        name = f"{districts} in {regions} x 24 in 4"
        _measure(name, *hierarchies(((districts, regions), (24, 4))))


def _measure(name: str, counts: list[int], equations: list[dict[int, float]]) -> None:
    started = time.perf_counter()
    rounding = controlled(counts, equations, BASE)
    seconds = time.perf_counter() - started
    moved = int(np.abs(rounding.counts - np.array(counts)).sum())
    alone = sum(abs((2 * count + BASE) // (2 * BASE) * BASE - count) for count in counts)
    print(
        f"{name}: {len(counts):,} cells, {len(equations):,} equations, {seconds:.2f} s, moved {moved:,} in all"
        f" (each for itself: {alone:,}), further {rounding.further}, apart {rounding.apart}"
    )


if __name__ == "__main__":
    main()
