"""The keys of rows and groups, moved up to wider levels."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from acequia.aggregate.dimensions import TOTAL, UNKNOWN, Dimension
from acequia.engine.duck import literal


class Source(NamedTuple):
    """Rows or groups with their keys moved up to some levels."""

    keys: list[str]
    tables: str
    where: str


class Levels:
    """The `by` columns `k0`, `k1`, … of one plan, and every combination of their levels."""

    def __init__(self, dimensions: tuple[Dimension, ...]) -> None:
        self.dimensions = dimensions
        self.keys = [f"k{d}" for d in range(len(dimensions))]
        self.combinations = list(product(*(range(len(dimension.levels)) for dimension in dimensions)))

    def at(self, depths: tuple[int, ...], table: str, columns: list[str]) -> str:
        """Select these columns of rows or groups, by their keys at these levels."""
        keys, tables, where = self.moved(depths, table)
        return f"SELECT {', '.join([*keys, *columns])} FROM {tables} WHERE {where} {group_by(self.keys)}"

    def moved(self, depths: tuple[int, ...], table: str) -> Source:
        """Rows or groups with their keys moved up to these levels."""
        keys, joins, where = [], "", ["true"]
        for d, depth in enumerate(depths):
            if depth and not self.dimensions[d].totals[depth]:
                joins += f" LEFT JOIN places{d} ON places{d}.l0 = {table}.k{d}"
                # what is unknown has its finest cell; a wider one would have the same key
                where.append(f"{self._value(d, f'places{d}', depth)} <> {literal(UNKNOWN)}")
            keys.append(f"{self._value(d, f'places{d}', depth) if depth else f'{table}.k{d}'} AS k{d}")
        return Source(keys, f"{table}{joins}", " AND ".join(where))

    def _value(self, d: int, places: str, level: int) -> str:
        """The value at a wider level, out of a table of places."""
        if self.dimensions[d].totals[level]:
            return literal(TOTAL)
        return f"coalesce({places}.l{level}, {literal(UNKNOWN)})"


def group_by(columns: list[str]) -> str:
    """Columns by their place: some are literals, which GROUP BY does not take by name."""
    return f"GROUP BY {', '.join(str(number + 1) for number in range(len(columns)))}" if columns else ""
