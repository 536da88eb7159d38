"""Hierarchical linked tables of any size, generated: what suppression and audit are measured on.

Two tables of one set of records share the regions: region by activity, and region by size class. Regions have three
levels below the country, activities two. Contributions are log-normal, so that some cells are dominated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from acequia.disclose.layers import Layer, Need, Problem

THRESHOLD, P_PCT, RANGE_PCT = 4, 10.0, 30.0


@dataclass(frozen=True)
class Tree:
    """A hierarchy: for each leaf its path from the leaf to the top, as numbers of nodes; and each node's parts."""

    paths: NDArray[np.int64]
    parts: dict[int, list[int]]

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return int(self.paths.max()) + 1


def tree(*branches: int) -> Tree:
    """A hierarchy in which every node has so many parts, level by level."""
    parts: dict[int, list[int]] = {}
    level, count = [(0,)], 1
    for branch in branches:
        below = []
        for path in level:
            parts[path[0]] = list(range(count, count + branch))
            below += [(node, *path) for node in parts[path[0]]]
            count += branch
        level = below
    return Tree(np.array(level), parts)


@dataclass(frozen=True)
class Cells:
    """The cells of a table, by number: how many contribute, how much, and the two largest contributions."""

    count: NDArray[np.float64]
    total: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    sole: NDArray[np.int64]


def generated(
    regions: tuple[int, ...] = (4, 4, 3),
    activities: tuple[int, ...] = (4, 3),
    sizes: int = 4,
    *,
    records: int = 9000,
    seed: int = 1,
) -> Problem:
    """Two linked tables as a problem of three measures: rows, contributors (each is one row) and a sum."""
    random = np.random.default_rng(seed)
    place, trade, size = tree(*regions), tree(*activities), tree(sizes)
    weights = [random.dirichlet(np.full(len(one.paths), 1.5)) for one in (place, trade, size)]
    drawn = [
        random.choice(len(one.paths), records, p=weight)
        for one, weight in zip((place, trade, size), weights, strict=True)
    ]
    worth = np.round(random.lognormal(6, 1.2, records))
    wide = place.nodes * trade.nodes
    number = [
        (p[:, None, :] * (trade.nodes) + t[:, :, None]).reshape(records, -1)
        for p, t in ((place.paths[drawn[0]], trade.paths[drawn[1]]),)
    ][0]
    other = (place.paths[drawn[0]][:, None, :] * sizes + (size.paths[drawn[2]][:, :1, None] - 1)).reshape(records, -1)
    cells = _cells(np.concatenate([number, wide + other], axis=1), worth, wide + place.nodes * sizes)
    rows = _lines(place, trade.nodes, 0, range(trade.nodes)) + _across(place.nodes, trade, 0)
    rows += _lines(place, sizes, wide, range(sizes))
    rows += [(p * trade.nodes, [wide + p * sizes + s for s in range(sizes)]) for p in range(place.nodes)]
    return _problem(cells, rows)


def _lines(down: Tree, width: int, start: int, across: range) -> list[tuple[int, list[int]]]:
    return [
        (start + node * width + at, [start + part * width + at for part in parts])
        for node, parts in down.parts.items()
        for at in across
    ]


def _across(height: int, over: Tree, start: int) -> list[tuple[int, list[int]]]:
    return [
        (start + at * over.nodes + node, [start + at * over.nodes + part for part in parts])
        for at in range(height)
        for node, parts in over.parts.items()
    ]


def _cells(number: NDArray[np.int64], worth: NDArray[np.float64], count: int) -> Cells:
    cell = number.ravel()
    who = np.repeat(np.arange(len(worth)), number.shape[1])
    value = worth[who]
    order = np.lexsort((who, -value, cell))
    cell, who, value = cell[order], who[order], value[order]
    starts = np.searchsorted(cell, np.arange(count))
    members = np.diff(np.append(starts, len(cell)))
    padded = np.append(value, [0.0, 0.0])
    first = np.where(members > 0, padded[np.minimum(starts, len(value))], 0.0)
    second = np.where(members > 1, padded[np.minimum(starts + 1, len(value))], 0.0)
    sole = np.where(members == 1, np.append(who, -1)[np.minimum(starts, len(who))], -1)
    total = np.bincount(cell, value, count)
    return Cells(members.astype(float), total, first, second, sole)


def _problem(cells: Cells, rows: list[tuple[int, list[int]]]) -> Problem:
    count = len(cells.count)
    entries = [(row, at, sign) for row, (total, parts) in enumerate(rows) for at, sign in _signed(total, parts)]
    row, column, sign = zip(*entries, strict=True)
    equations = csr_array((sign, (row, column)), shape=(len(rows), count))
    few = (cells.count > 0) & (cells.count < THRESHOLD)
    level = P_PCT / 100 * cells.first - (cells.total - cells.first - cells.second)
    dominated = (level > 0) & (cells.count > 0)
    unsafe = few | dominated
    counted, summed = [], []
    for at in np.flatnonzero(unsafe).tolist():
        counted.append(Need(at, integers=THRESHOLD) if few[at] else Need(at, width=1.0))
        spread = max(RANGE_PCT / 100 * cells.total[at] if few[at] else 0.0, level[at])
        summed.append(Need(at, up=spread, down=min(spread, cells.total[at])))

    def layer(name: str, value: NDArray[np.float64], needs: list[Need], *, integer: bool) -> Layer:
        return Layer(
            name=name,
            equations=equations,
            value=value,
            lower=np.zeros(count),
            upper=np.full(count, np.inf),
            cell=np.arange(count),
            slack=np.zeros(count),
            integer=integer,
            needs=tuple(needs),
            sole=cells.sole,
        )

    layers = [
        layer("rows", cells.count, counted, integer=True),
        layer("contributors", cells.count, counted, integer=True),
        layer("sum", cells.total, summed, integer=False),
    ]
    return Problem(layers, unsafe, unsafe.copy(), np.ones(count))


def _signed(total: int, parts: list[int]) -> list[tuple[int, float]]:
    return [(total, -1.0), *((part, 1.0) for part in parts)]
