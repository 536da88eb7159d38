"""How long the attack takes that every release is audited with, by the number of cells.

Usage: python bench/audit.py [CELLS ...]     (default 200 1500 6000 25000 100000)

Generated tables of three dimensions with hierarchies, of which some 17 % of the cells are sensitive (fewer than
`THRESHOLD` contributors), in four measures: rows, contributors and two sums. The pattern is made by withholding the
corners of a cube around each sensitive cell (the hypercube method), so that nearly all needs are met, which is what an
auditor sees. Printed by size: the seconds until everybody's attack is settled, those with the attack of every sole
contributor, those for the least and greatest value of every withheld cell, and how many needs are not met. Seconds are
those of the clock, then of the CPU. Above `ALL_SOLE` and `ALL_ENDS` cells the last two are left out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from acequia.disclose.intervals import exposed, intervals
from acequia.disclose.layers import Layer, Need

THRESHOLD, RANGE = 8, 0.3
ALL_ENDS, ALL_SOLE = 10_000, 30_000
TRIED = 12
SHAPES = {
    200: ((3, 4), (9,), ()),
    1500: ((4, 5), (9,), (5,)),
    6000: ((5, 8), (4, 5), (5,)),
    25000: ((6, 5, 4), (5, 5), (4,)),
    100000: ((8, 8, 5), (5, 7), (5,)),
}


class Tree:
    """A dimension: a total, and below it so many parts of each node, level by level."""

    def __init__(self, branches: tuple[int, ...]) -> None:
        self.parent, level = [-1], [0]
        for branch in branches:
            below = [(node, len(self.parent) + at) for at, node in enumerate(np.repeat(level, branch).tolist())]
            self.parent += [node for node, _ in below]
            level = [number for _, number in below]
        self.leaves = level
        self.adds = np.zeros((len(self.parent), len(level)))
        for at, leaf in enumerate(level):
            node = leaf
            while node >= 0:
                self.adds[node, at], node = 1, self.parent[node]

    def parts(self, node: int) -> list[int]:
        """What adds up to a node."""
        return [at for at, parent in enumerate(self.parent) if parent == node]

    def beside(self, node: int) -> list[int]:
        """What adds up with a node; the total itself, which has nothing beside it."""
        parent = self.parent[node]
        return [other for other in self.parts(parent) if other != node] if parent >= 0 else [node]


def rolled(trees: list[Tree], leaves: NDArray[np.float64]) -> NDArray[np.float64]:
    """All margins of a table."""
    for axis, tree in enumerate(trees):
        leaves = np.moveaxis(np.tensordot(tree.adds, leaves, axes=(1, axis)), 0, axis)
    return leaves


def equations(trees: list[Tree], cells: NDArray[np.int64]) -> csr_array:
    """Every node is the sum of its parts, in each dimension."""
    rows, columns, factors = [], [], []
    for axis, tree in enumerate(trees):
        for node in range(len(tree.parent)):
            parts = tree.parts(node)
            if parts:
                whole = np.take(cells, [node], axis=axis)
                lines = np.concatenate([whole, np.take(cells, parts, axis=axis)], axis=axis)
                lines = np.moveaxis(lines, axis, -1).reshape(-1, 1 + len(parts))
                rows.append(np.repeat(np.arange(len(lines)), 1 + len(parts)))
                columns.append(lines.ravel())
                factors.append(np.tile([-1.0] + [1.0] * len(parts), len(lines)))
    offset, shifted = 0, []
    for row in rows:
        shifted.append(row + offset)
        offset += int(row.max()) + 1
    entries = (np.concatenate(shifted), np.concatenate(columns))
    return csr_array((np.concatenate(factors), entries), shape=(offset, cells.size))


def generated(shape: tuple[tuple[int, ...], ...]) -> tuple[list[Layer], NDArray[np.bool_]]:
    """Four measures of one table, and a pattern that protects nearly all of it."""
    random = np.random.default_rng(5)
    trees = [Tree(branches) for branches in shape]
    leaves = tuple(len(tree.leaves) for tree in trees)
    people = np.floor(np.exp(random.normal(3.0, 1.4, leaves))) * (random.random(leaves) > 0.05)
    many = [people + np.floor(people * random.exponential(2, leaves)), people]
    many += [np.round(people * np.exp(random.normal(6, 0.8, leaves)), 2) for _ in range(2)]
    values = [rolled(trees, one) for one in many]
    count = values[1]
    cells = np.arange(count.size).reshape(count.shape)
    unsafe = (count > 0) & (count < THRESHOLD)
    sole = np.where(count == 1, cells, -1).ravel()
    adds = equations(trees, cells)
    layers = []
    for at, value in enumerate(one.ravel() for one in values):
        needs = tuple(
            Need(int(n), integers=THRESHOLD) if at < 2 else Need(int(n), up=RANGE * value[n], down=RANGE * value[n])
            for n in np.flatnonzero(unsafe)
        )
        none = np.zeros(value.size)
        layers.append(Layer(("rows", "contributors", "first", "second")[at], adds, value, none, none + np.inf,
                            cells.ravel(), none, at < 2, needs, sole))  # fmt: skip
    withheld = unsafe.copy()
    for cell in map(tuple, np.argwhere(unsafe).tolist()):
        best = min(cubes(trees, cell, values, withheld), default=None, key=lambda one: one[0])
        if best is not None:
            withheld[best[1]] = True
    return layers, withheld.ravel()


def cubes(
    trees: list[Tree], cell: tuple[int, ...], values: list[NDArray[np.float64]], withheld: NDArray[np.bool_]
) -> Iterator[tuple[float, tuple[NDArray[np.int64], ...]]]:
    """Cubes around a cell whose other corners can give or take what it needs, and what they cost."""
    beside = [tree.beside(node) for tree, node in zip(trees, cell, strict=True)]
    for other in islice(product(*beside), TRIED):
        corners = np.array(list(product(*(sorted({a, b}) for a, b in zip(cell, other, strict=True)))))
        rest = tuple(corners[(corners != cell).any(axis=1)].T)
        asked = [THRESHOLD if at < 2 else RANGE * one[cell] for at, one in enumerate(values)]
        enough = [one[rest].min(initial=np.inf) > need for one, need in zip(values, asked, strict=True)]
        yield float((values[1][rest] * ~withheld[rest]).sum()) + 1e9 * (not all(enough)), rest


def timed(what: Callable[[], Any]) -> tuple[str, Any]:
    """Seconds of the clock and of the CPU, and the result."""
    clock, busy = time.perf_counter(), time.process_time()
    result = what()
    return f"{time.perf_counter() - clock:8.1f} {time.process_time() - busy:7.1f}", result


def line(size: int) -> str:
    """The measurements of one size."""
    layers, withheld = generated(SHAPES[size])
    cells = f"{len(withheld):7} {len(layers[0].needs):9} {int(withheld.sum()):8}"
    everybody, found = timed(lambda: exposed(layers, withheld, knowing=False))
    ends = sole = " " * 16
    if size <= ALL_SOLE:
        sole, found = timed(lambda: exposed(layers, withheld))
    if size <= ALL_ENDS:
        wanted = np.flatnonzero(withheld).tolist()
        ends, _ = timed(lambda: [intervals(layer, withheld, wanted) for layer in layers])
    return f"{cells} |  {everybody} |  {sole} |  {ends} | {len(found)}"


def main() -> None:
    """Print one line for each size."""
    print("  cells sensitive withheld |  everybody  (CPU) |  each sole  (CPU) |   all ends  (CPU) | unmet")
    for size in [int(size) for size in sys.argv[1:]] or SHAPES:
        print(line(size), flush=True)


if __name__ == "__main__":
    main()
