"""The SQL statements of a plan: rows -> groups -> cells at each combination of levels -> the grid of all cells."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from acequia.aggregate.dimensions import TOTAL, UNKNOWN, Dimension
from acequia.aggregate.measures import EXACT, MeasureSql
from acequia.engine.duck import literal, quoted
from acequia.period import Period

CELLS_OF_A_GRID = 20_000_000
GRID_TOO_LARGE = "the grid has too many cells"


@dataclass(frozen=True)
class Asked:
    """What disclosure control will ask of the cells: who contributes (None: every row by itself), whether contributors
    count at all, how many largest contributions are summed, and of which measures.
    """

    contributor: str | None
    counted: bool
    top: int
    looked_at: frozenset[str]


class _Source(NamedTuple):
    """Rows or groups with their keys moved up to some levels."""

    keys: list[str]
    tables: str
    where: str


class Statements:
    """Writes the statements of one plan; `k0`, `k1`, … are the `by` columns, `c` the contributor."""

    def __init__(self, dimensions: tuple[Dimension, ...], measures: tuple[MeasureSql, ...], asked: Asked) -> None:
        self.dimensions, self.measures, self.asked = dimensions, measures, asked
        self.keys = [f"k{d}" for d in range(len(dimensions))]
        self.combinations = list(product(*(range(len(dimension.levels)) for dimension in dimensions)))

    def rows(self, where: str) -> list[str]:
        """The rows that the table is made of, reduced to what it needs; and the places of each value."""
        keys = [f"{_key(dim, quoted(dim.name))} AS k{d}" for d, dim in enumerate(self.dimensions)]
        contributor = [f"{quoted(self.asked.contributor)} AS c"] if self.asked.contributor else []
        inputs = [column for measure in self.measures for column in measure.inputs]
        columns = ", ".join([*keys, *contributor, *inputs])
        statements = [f"CREATE TEMP VIEW picked AS SELECT {columns} FROM rows WHERE {where}"]
        for d, dim in enumerate(self.dimensions):
            if dim.has_places:
                columns = ", ".join(f"l{depth} VARCHAR" for depth in range(len(dim.levels)))
                statements.append(f"CREATE TEMP TABLE places{d} ({columns})")
                values = ", ".join(f"({', '.join(literal(value) for value in row)})" for row in dim.places)
                statements += [f"INSERT INTO places{d} VALUES {values}"] if values else []
        return statements

    def groups(self) -> list[str]:
        """One row per finest cell and contributor, or per finest cell where every row is a contributor of its own."""
        by = [*self.keys, *(["c"] if self.asked.contributor else [])]
        partials = [part for measure in self.measures for part in measure.partials]
        if self.asked.contributor is None:
            for measure in (m for m in self._looked_at() if m.kind == "sum"):
                partials.append(f"max(x{measure.i}, {self.asked.top}) AS p{measure.i}")
                partials.append(f"bool_or(x{measure.i} < 0) AS g{measure.i}")
        columns = ", ".join([*by, "count(*) AS n", *partials])
        statements = [f"CREATE TEMP TABLE groups AS SELECT {columns} FROM picked {_group_by(by)} HAVING count(*) > 0"]
        for measure in self.measures:
            if measure.distinct is not None:
                columns = ", ".join([*self.keys, f"x{measure.i} AS x"])
                statements.append(
                    f"CREATE TEMP TABLE distinct{measure.i} AS SELECT DISTINCT {columns} FROM picked"
                    f" WHERE q{measure.i} AND x{measure.i} IS NOT NULL"
                )
        return statements

    def cells(self) -> list[str]:
        """One row per cell at every combination of levels."""
        return [
            f"{'CREATE TEMP TABLE cells AS' if number == 0 else 'INSERT INTO cells'} {self._cells_at(depths)}"
            for number, depths in enumerate(self.combinations)
        ]

    def _cells_at(self, depths: tuple[int, ...]) -> str:
        """Numbers, people, distinct counts and medians of the cells at these levels, computed apart, side by side."""
        parts = {f"d{m.i}": self._distinct(m, depths) for m in self.measures if m.distinct is not None}
        if any(m.kind == "median" for m in self.measures):
            parts["e"] = self._medians(depths)
        if self.asked.counted:
            parts["p"] = self._people(depths)
        joins = [f" LEFT JOIN ({select}) AS {part} ON {self._same('b', part)}" for part, select in parts.items()]
        keys = [f"b.{key} AS {key}" for key in self.keys]
        columns = ", ".join([*keys, *self._depths(depths), *self._shown(), *self._told()])
        return f"SELECT {columns} FROM ({self._numbers(depths)}) AS b{''.join(joins)}"

    def _shown(self) -> list[str]:
        """Each measure, from where it is computed."""
        shown = []
        for m in self.measures:
            if m.distinct is not None:
                shown.append(f"coalesce(d{m.i}.x, 0) AS m{m.i}")
            elif m.kind == "count_distinct":
                shown.append(f"p.support{m.i} AS m{m.i}")  # a distinct count of the contributors themselves
            else:
                shown.append(f"{'e' if m.kind == 'median' else 'b'}.m{m.i} AS m{m.i}")
        return shown

    def _told(self) -> list[str]:
        """What disclosure control needs to know, from where it is computed."""
        if not self.asked.counted:
            return ["b.n AS n", "CAST(NULL AS BIGINT) AS contributors"]
        told = ["b.n AS n", "p.contributors AS contributors"]
        for m in self.measures:
            told += [f"b.rows{m.i} AS rows{m.i}", f"p.support{m.i} AS support{m.i}"]
            if m.name in self.asked.looked_at:
                exact = "DECIMAL(38,0)" if m.integer else EXACT
                told += [f"CAST({part}{m.i} AS {exact}) AS {part[2:]}{m.i}" for part in ("p.top", "b.total")]
                told.append(f"coalesce(p.negative{m.i}, false) AS negative{m.i}")
        return told

    def _numbers(self, depths: tuple[int, ...]) -> str:
        """What adds up over groups, whoever contributes."""
        shown = [f"{m.final} AS m{m.i}" for m in self.measures if m.kind not in ("count_distinct", "median")]
        rows = [f"CAST(sum(v{m.i}) AS BIGINT) AS rows{m.i}" for m in self.measures]
        totals = [f"sum({m.contribution}) AS total{m.i}" for m in self._looked_at()]
        columns = ["CAST(sum(n) AS BIGINT) AS n", *shown, *rows, *totals]
        return f"{self._at(depths, 'groups', columns)} HAVING count(*) > 0"

    def _people(self, depths: tuple[int, ...]) -> str:
        """Who contributes to a cell and to each number of it, and how much the largest give."""
        if self.asked.contributor is None:
            return self._rows_as_people(depths)
        source, looked_at = self._moved(depths, "groups"), self._looked_at()
        inner = [f"v{m.i} > 0 AS f{m.i}" for m in self.measures] + [f"{m.contribution} AS x{m.i}" for m in looked_at]
        grouped = ""
        if any(depths):
            # a contributor of several finest cells is one contributor of the wider cell
            inner = [f"bool_or(v{m.i} > 0) AS f{m.i}" for m in self.measures]
            inner += [f"sum({m.contribution}) AS x{m.i}" for m in looked_at]
            grouped = _group_by([*self.keys, "c"])
        columns = ["count(c) AS contributors", *(f"count(c) FILTER (f{m.i}) AS support{m.i}" for m in self.measures)]
        for m in looked_at:
            n = self.asked.top
            columns.append(f"{f'max(x{m.i})' if n == 1 else f'list_sum(max(x{m.i}, {n}))'} AS top{m.i}")
            columns.append(f"bool_or(x{m.i} < 0) AS negative{m.i}")
        select = ", ".join([*source.keys, "c", *inner])
        people = f"SELECT {select} FROM {source.tables} WHERE {source.where} {grouped}"
        return f"SELECT {', '.join([*self.keys, *columns])} FROM ({people}) {_group_by(self.keys)}"

    def _rows_as_people(self, depths: tuple[int, ...]) -> str:
        columns = ["CAST(sum(n) AS BIGINT) AS contributors"]
        columns += [f"CAST(sum(v{m.i}) AS BIGINT) AS support{m.i}" for m in self.measures]
        for m in self._looked_at():
            tops, n = f"flatten(list(p{m.i}) FILTER (p{m.i} IS NOT NULL))", self.asked.top
            of_sum = f"list_sum(list_reverse_sort({tops})[1:{n}]) AS top{m.i}"
            columns.append(f"least({n}, sum(n{m.i})) AS top{m.i}" if m.kind == "count" else of_sum)
            columns.append(f"{'false' if m.kind == 'count' else f'bool_or(g{m.i})'} AS negative{m.i}")
        return self._at(depths, "groups", columns)

    def _distinct(self, measure: MeasureSql, depths: tuple[int, ...]) -> str:
        return self._at(depths, f"distinct{measure.i}", ["count(DISTINCT x) AS x"])

    def _medians(self, depths: tuple[int, ...]) -> str:
        # plus zero: the middle of -0.0 and 0.0 depends on the order of rows otherwise
        medians = [f"quantile_cont(x{m.i}, 0.5) + 0 AS m{m.i}" for m in self.measures if m.kind == "median"]
        return self._at(depths, "picked", medians)

    def _at(self, depths: tuple[int, ...], table: str, columns: list[str]) -> str:
        keys, tables, where = self._moved(depths, table)
        return f"SELECT {', '.join([*keys, *columns])} FROM {tables} WHERE {where} {_group_by(self.keys)}"

    def _moved(self, depths: tuple[int, ...], table: str) -> _Source:
        """Rows or groups with their keys moved up to these levels."""
        keys, joins, where = [], "", ["true"]
        for d, depth in enumerate(depths):
            if depth and not self.dimensions[d].totals[depth]:
                joins += f" LEFT JOIN places{d} ON places{d}.l0 = {table}.k{d}"
                # what is unknown has its finest cell; a wider one would have the same key
                where.append(f"{self._value(d, f'places{d}', depth)} <> {literal(UNKNOWN)}")
            keys.append(f"{self._value(d, f'places{d}', depth) if depth else f'{table}.k{d}'} AS k{d}")
        return _Source(keys, f"{table}{joins}", " AND ".join(where))

    def _value(self, d: int, places: str, level: int) -> str:
        """The value at a wider level, out of a table of places."""
        if self.dimensions[d].totals[level]:
            return literal(TOTAL)
        return f"coalesce({places}.l{level}, {literal(UNKNOWN)})"

    def _same(self, left: str, right: str) -> str:
        return " AND ".join([f"{left}.{key} IS NOT DISTINCT FROM {right}.{key}" for key in self.keys] or ["true"])

    def _looked_at(self) -> list[MeasureSql]:
        return [m for m in self.measures if m.name in self.asked.looked_at]

    def _levels(self) -> list[str]:
        return [f"level{d}" for d, dim in enumerate(self.dimensions) if dim.is_hierarchy]

    def _depths(self, depths: tuple[int, ...]) -> list[str]:
        return [f"{depth} AS level{d}" for d, depth in enumerate(depths) if self.dimensions[d].is_hierarchy]

    def grid(self) -> list[str]:
        """Cells without rows: every combination of known values that has none yet."""
        values = []
        for d, dim in enumerate(self.dimensions):
            if dim.known is None:
                values.append(f"(SELECT DISTINCT k{d} FROM groups WHERE k{d} IS NOT NULL)")
            else:
                texts = ", ".join(f"({literal(value)})" for value in dim.known)
                empty = f"SELECT CAST(NULL AS {dim.sql_type}) AS k{d} WHERE false"
                listed = f"SELECT {_key(dim, f'CAST(v.k AS {dim.of_type})')} AS k{d} FROM (VALUES {texts}) AS v(k)"
                values.append(f"({listed if dim.known else empty})")
        of_all = " CROSS JOIN ".join(f"{value} AS g{d}" for d, value in enumerate(values)) or "(SELECT 1)"
        too_many = f"CASE WHEN count(*) > {CELLS_OF_A_GRID} THEN error({literal(GRID_TOO_LARGE)}) END"
        sizes = f"SELECT {too_many} FROM (SELECT 1 FROM {of_all} LIMIT {CELLS_OF_A_GRID + 1})"
        statements = [sizes, f"CREATE TEMP TABLE grid AS SELECT {', '.join(self.keys) or '1'} FROM {of_all}"]
        return [*statements, *(self._zeros_at(depths) for depths in self.combinations)]

    def _zeros_at(self, depths: tuple[int, ...]) -> str:
        keys, tables, where = self._moved(depths, "grid")
        shown = {f"m{m.i}": f"CAST({m.zero} AS {m.type})" for m in self.measures}
        told = {"n": "0", "contributors": "0" if self.asked.counted else "NULL"}
        told |= {name: "false" if name.startswith("negative") else "0" for name in self._names_told()}
        zeros = [f"{zero} AS {name}" for name, zero in (shown | told).items()]
        columns = ", ".join([*keys, *self._depths(depths), *zeros])
        same = [self._same("cells", "z"), *(f"cells.{level} = z.{level}" for level in self._levels())]
        return (
            f"INSERT INTO cells SELECT * FROM (SELECT DISTINCT {columns} FROM {tables} WHERE {where}) AS z"
            f" WHERE NOT EXISTS (SELECT 1 FROM cells WHERE {' AND '.join(same)})"
        )

    def _names_told(self) -> dict[str, str]:
        """What disclosure control is told of each measure: the column here, in the order of `_told`, and its name."""
        told = {}
        for m in self.measures if self.asked.counted else ():
            looked_at = m.name in self.asked.looked_at
            for word in ("rows", "support", *(("top", "total", "negative") * looked_at)):
                told[f"{word}{m.i}"] = f"{word}:{m.name}"
        return told

    def result(self, window: Period) -> str:
        """The cells under the agreement's names, in total order."""
        named = {"period": literal(window.label)}
        named |= {dim.name: f"cells.k{d}" for d, dim in enumerate(self.dimensions)}
        named |= {m.name: f"m{m.i}" for m in self.measures}
        named |= {"cell:rows": "n", "cell:contributors": "contributors"}
        tables = "cells"
        for d, dim in enumerate(self.dimensions):
            if dim.is_hierarchy:
                named[f"level:{dim.name}"] = f"CAST(level{d} AS BIGINT)"
                named |= {f"above:{dim.name}:{level}": self._above(d, level) for level in range(1, len(dim.levels))}
            if dim.has_places:
                tables += f" LEFT JOIN ({self._ways_up(d)}) AS w{d} ON w{d}.at = level{d} AND w{d}.l = cells.k{d}"
        named |= {name: column for column, name in self._names_told().items()}
        columns = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in named.items())
        order = ", ".join(f"{key} ASC NULLS LAST" for key in [*(f"cells.{key}" for key in self.keys), *self._levels()])
        return f"SELECT {columns} FROM {tables} ORDER BY {order or 'n'}"

    def _above(self, d: int, level: int) -> str:
        """The value of a cell at a wider level; at its own level and below, its own."""
        if self.dimensions[d].totals[level]:
            return literal(TOTAL)
        return f"coalesce(w{d}.a{level}, {literal(UNKNOWN)})"

    def _ways_up(self, d: int) -> str:
        """One row per value at any level, with its values at the wider ones."""
        depths = range(len(self.dimensions[d].levels))
        return " UNION ALL ".join(
            f"SELECT DISTINCT {depth} AS at, l{depth} AS l,"
            f" {', '.join(f'l{max(level, depth)} AS a{level}' for level in depths[1:])} FROM places{d}"
            for depth in depths
        )


def _key(dim: Dimension, sql: str) -> str:
    """A grouping value in one form: plus zero, since -0.0 and 0.0 are one group of which any member may speak."""
    sql = f"({sql} + 0)" if dim.of_type == "DOUBLE" else f"CAST({sql} AS {dim.of_type})"
    return sql if dim.sql_type == dim.of_type else f"CAST({sql} AS {dim.sql_type})"


def _group_by(columns: list[str]) -> str:
    return f"GROUP BY {_numbers(columns)}" if columns else ""


def _numbers(columns: list[str]) -> str:
    """Columns by their place: some are literals, which GROUP BY does not take by name."""
    return ", ".join(str(number + 1) for number in range(len(columns)))
