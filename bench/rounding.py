"""What controlled rounding costs: seconds for tables of two and three columns with their margins.

Usage: python bench/rounding.py [ROWS COLUMNS]      (default 300 100: one such table, and smaller ones of three columns)
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


def main() -> None:
    """Round, and say how long it took and how far counts moved."""
    asked = tuple(int(size) for size in sys.argv[1:3])
    for sizes in (asked,) if asked else ((30, 10), (300, 100), (10, 10, 10), (20, 20, 5), (30, 20, 10)):
        counts, equations = table(sizes)
        started = time.perf_counter()
        rounding = controlled(counts, equations, BASE)
        seconds = time.perf_counter() - started
        moved = int(np.abs(rounding.counts - np.array(counts)).sum())
        alone = sum(abs((2 * count + BASE) // (2 * BASE) * BASE - count) for count in counts)
        size = " x ".join(str(size) for size in sizes)
        print(
            f"{size}: {len(counts):,} cells, {len(equations):,} equations, {seconds:.2f} s, moved {moved:,} in all"
            f" (each for itself: {alone:,}), further {rounding.further}, apart {rounding.apart}"
        )


if __name__ == "__main__":
    main()
