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
            if dim.places:
                columns = ", ".join(f"l{depth}" for depth in range(len(dim.levels)))
                values = ", ".join(f"({', '.join(literal(value) for value in row)})" for row in dim.places)
                statements.append(f"CREATE TEMP TABLE places{d} AS FROM (VALUES {values}) AS v({columns})")
        return statements

    def groups(self) -> list[str]:
        """One row per finest cell and contributor, or per finest cell where every row is a contributor of its own."""
        by = [*self.keys, *(["c"] if self.asked.contributor else [])]
        partials = [part for measure in self.measures for part in measure.partials]
        if self.asked.contributor is None:
            for measure in self._summed_by_row():
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
        base, shown, joins = self._base(depths), [], []
        for m in self.measures:
            if m.distinct is not None:
                shown.append(f"coalesce(d{m.i}.x, 0) AS m{m.i}")
                joins.append(f" LEFT JOIN ({self._distinct(m, depths)}) AS d{m.i} ON {self._same('b', f'd{m.i}')}")
            else:
                shown.append(f"{'e' if m.kind == 'median' else 'b'}.m{m.i} AS m{m.i}")
        if any(m.kind == "median" for m in self.measures):
            joins.append(f" LEFT JOIN ({self._medians(depths)}) AS e ON {self._same('b', 'e')}")
        columns = ", ".join([*(f"b.{name}" for name in self._leading()), *shown, *(f"b.{c}" for c in self._closing())])
        return f"SELECT {columns} FROM ({base}) AS b{''.join(joins)}"

    def _base(self, depths: tuple[int, ...]) -> str:
        """Everything that groups can tell of the cells at these levels."""
        source = self._moved(depths, "groups")
        keys, tables, where = source
        if self.asked.contributor is not None and any(depths):
            # a contributor of several finest cells is one contributor of the wider cell
            inner = ", ".join([*keys, "c", "sum(n) AS n", *(part for m in self.measures for part in m.summed)])
            by = _group_by([*self._moved_keys(), "c"])
            keys, tables, where = self._moved_keys(), f"(SELECT {inner} FROM {tables} WHERE {where} {by})", "true"
        levels = [f"{depth} AS level{d}" for d, depth in enumerate(depths) if self.dimensions[d].is_hierarchy]
        shown = [f"{self._shown(m)} AS m{m.i}" for m in self.measures if m.distinct is None and m.kind != "median"]
        told = [part for measure in self.measures for part in self._told(measure)]
        columns = ", ".join([*keys, *levels, *shown, "sum(n) AS n", self._contributors(), *told])
        by = _group_by(self._moved_keys())
        return f"SELECT {columns} FROM {tables} WHERE {where} {by} HAVING count(*) > 0"

    def _shown(self, measure: MeasureSql) -> str:
        return self._support(measure) if measure.kind == "count_distinct" else measure.final

    def _contributors(self) -> str:
        if not self.asked.counted:
            return "CAST(NULL AS BIGINT) AS contributors"
        return f"{'CAST(sum(n) AS BIGINT)' if self.asked.contributor is None else 'count(c)'} AS contributors"

    def _support(self, measure: MeasureSql) -> str:
        by_column = self.asked.contributor is not None
        return f"count(c) FILTER (v{measure.i} > 0)" if by_column else f"CAST(sum(v{measure.i}) AS BIGINT)"

    def _told(self, measure: MeasureSql) -> list[str]:
        """What disclosure control needs to know of one measure."""
        if not self.asked.counted:
            return []
        i = measure.i
        told = [f"CAST(sum(v{i}) AS BIGINT) AS rows{i}", f"{self._support(measure)} AS support{i}"]
        if measure.name not in self.asked.looked_at:
            return told
        exact = "DECIMAL(38,0)" if measure.integer else EXACT
        top, negative = self._largest(measure)
        total = f"sum({measure.contribution})"
        return [
            *told,
            f"CAST({top} AS {exact}) AS top{i}",
            f"CAST({total} AS {exact}) AS total{i}",
            f"coalesce({negative}, false) AS negative{i}",
        ]

    def _largest(self, measure: MeasureSql) -> tuple[str, str]:
        """The sum of the n largest contributions, and whether one is below zero."""
        i, n, contribution = measure.i, self.asked.top, measure.contribution
        if self.asked.contributor is not None:
            largest = f"max({contribution})" if n == 1 else f"list_sum(max({contribution}, {n}))"
            return largest, f"bool_or({contribution} < 0)"
        if measure.kind == "count":
            return f"least({n}, sum(n{i}))", "false"
        tops = f"flatten(list(p{i}) FILTER (p{i} IS NOT NULL))"
        return f"list_sum(list_reverse_sort({tops})[1:{n}])", f"bool_or(g{i})"

    def _distinct(self, measure: MeasureSql, depths: tuple[int, ...]) -> str:
        return self._at(depths, f"distinct{measure.i}", ["count(DISTINCT x) AS x"])

    def _medians(self, depths: tuple[int, ...]) -> str:
        # plus zero: the middle of -0.0 and 0.0 depends on the order of rows otherwise
        medians = [f"quantile_cont(x{m.i}, 0.5) + 0 AS m{m.i}" for m in self.measures if m.kind == "median"]
        return self._at(depths, "picked", medians)

    def _at(self, depths: tuple[int, ...], table: str, columns: list[str]) -> str:
        keys, tables, where = self._moved(depths, table)
        return f"SELECT {', '.join([*keys, *columns])} FROM {tables} WHERE {where} {_group_by(self._moved_keys())}"

    def _moved_keys(self) -> list[str]:
        return [*self.keys, *self._above()]

    def _moved(self, depths: tuple[int, ...], table: str) -> _Source:
        """Keys moved up to these levels, with the wider levels beside them."""
        keys, above, joins, where = [], [], "", ["true"]
        for d, (dim, depth) in enumerate(zip(self.dimensions, depths, strict=True)):
            if dim.places:
                joins += f" LEFT JOIN places{d} ON places{d}.l0 = {table}.k{d}"
            at = [self._value(d, table, level) for level in range(len(dim.levels))]
            if depth and not dim.totals[depth]:
                # what is unknown has its finest cell; a wider one would have the same key
                where.append(f"{at[depth]} <> {literal(UNKNOWN)}")
            keys.append(f"{at[depth]} AS k{d}")
            above += [f"{at[max(level, depth)]} AS a{d}_{level}" for level in range(1, len(dim.levels))]
        return _Source([*keys, *above], f"{table}{joins}", " AND ".join(where))

    def _value(self, d: int, source: str, level: int) -> str:
        if level == 0:
            return f"{source}.k{d}"
        if self.dimensions[d].totals[level]:
            return literal(TOTAL)
        return f"coalesce(places{d}.l{level}, {literal(UNKNOWN)})"

    def _above(self) -> list[str]:
        return [f"a{d}_{level}" for d, dim in enumerate(self.dimensions) for level in range(1, len(dim.levels))]

    def _same(self, left: str, right: str) -> str:
        return " AND ".join([f"{left}.{key} IS NOT DISTINCT FROM {right}.{key}" for key in self.keys] or ["true"])

    def _summed_by_row(self) -> list[MeasureSql]:
        return [m for m in self.measures if m.kind == "sum" and m.name in self.asked.looked_at]

    def _levels(self) -> list[str]:
        return [f"level{d}" for d, dim in enumerate(self.dimensions) if dim.is_hierarchy]

    def _leading(self) -> list[str]:
        return [*self.keys, *self._above(), *self._levels()]

    def _closing(self) -> list[str]:
        told = []
        for measure in self.measures if self.asked.counted else ():
            looked_at = measure.name in self.asked.looked_at
            told += [f"{word}{measure.i}" for word in ("rows", "support", *(("top", "total", "negative") * looked_at))]
        return ["n", "contributors", *told]

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
        levels = [f"{depth} AS level{d}" for d, depth in enumerate(depths) if self.dimensions[d].is_hierarchy]
        zeros = [f"CAST({m.zero} AS {m.type}) AS m{m.i}" for m in self.measures]
        contributors = f"CAST({'0' if self.asked.counted else 'NULL'} AS BIGINT) AS contributors"
        told = [f"{'false' if name.startswith('negative') else '0'} AS {name}" for name in self._closing()[2:]]
        columns = ", ".join([*keys, *levels, *zeros, "0 AS n", contributors, *told])
        same = [self._same("cells", "z"), *(f"cells.{level} = z.{level}" for level in self._levels())]
        return (
            f"INSERT INTO cells SELECT * FROM (SELECT DISTINCT {columns} FROM {tables} WHERE {where}) AS z"
            f" WHERE NOT EXISTS (SELECT 1 FROM cells WHERE {' AND '.join(same)})"
        )

    def result(self, window: Period) -> str:
        """The cells under the agreement's names, in total order."""
        columns = [f"{literal(window.label)} AS period"]
        columns += [f"k{d} AS {quoted(dim.name)}" for d, dim in enumerate(self.dimensions)]
        columns += [f"m{m.i} AS {quoted(m.name)}" for m in self.measures]
        columns += [
            "CAST(n AS BIGINT) AS {}".format(quoted("cell:rows")),
            f"contributors AS {quoted('cell:contributors')}",
        ]
        for d, dim in enumerate(self.dimensions):
            if dim.is_hierarchy:
                columns.append(f"CAST(level{d} AS BIGINT) AS {quoted(f'level:{dim.name}')}")
                columns += [
                    f"a{d}_{level} AS {quoted(f'above:{dim.name}:{level}')}" for level in range(1, len(dim.levels))
                ]
        for name in self._closing()[2:]:
            word = name.rstrip("0123456789")
            columns.append(f"{name} AS {quoted(f'{word}:{self.measures[int(name[len(word) :])].name}')}")
        order = ", ".join(f"{key} ASC NULLS LAST" for key in [*self.keys, *self._levels()]) or "n"
        return f"SELECT {', '.join(columns)} FROM cells ORDER BY {order}"


def _key(dim: Dimension, sql: str) -> str:
    """A grouping value in one form: plus zero, since -0.0 and 0.0 are one group of which any member may speak."""
    sql = f"({sql} + 0)" if dim.of_type == "DOUBLE" else f"CAST({sql} AS {dim.of_type})"
    return sql if dim.sql_type == dim.of_type else f"CAST({sql} AS {dim.sql_type})"


def _group_by(columns: list[str]) -> str:
    return f"GROUP BY {_numbers(columns)}" if columns else ""


def _numbers(columns: list[str]) -> str:
    """Columns by their place: some are literals, which GROUP BY does not take by name."""
    return ", ".join(str(number + 1) for number in range(len(columns)))
