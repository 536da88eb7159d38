"""The SQL statements of a plan: rows -> groups -> cells at each combination of levels -> the grid of all cells."""

from __future__ import annotations

from collections.abc import Iterable

from acequia.aggregate.dimensions import TOTAL, UNKNOWN, Dimension
from acequia.aggregate.levels import Levels
from acequia.aggregate.measures import MeasureSql
from acequia.aggregate.people import People, Told, Who
from acequia.aggregate.record_keys import Keyed
from acequia.engine.duck import literal, quoted
from acequia.period import Period

CELLS_OF_A_GRID = 20_000_000
GRID_TOO_LARGE = "the grid has too many cells"


class Statements:
    """Writes the statements of one plan; `k0`, `k1`, … are the `by` columns, `c` the contributor."""

    def __init__(
        self,
        dimensions: tuple[Dimension, ...],
        measures: tuple[MeasureSql, ...],
        asked: tuple[Who, ...],
        key_of: Iterable[str] | None = None,
    ) -> None:
        self.dimensions, self.measures, self.levels = dimensions, measures, Levels(dimensions)
        self.keys = self.levels.keys
        self.people = [People(number, who, self.levels, measures) for number, who in enumerate(asked)]
        # with `key_of`, the columns of a row, cells have the keys that their noise depends on
        self.keyed = None if key_of is None else Keyed(asked[0].column, self.levels, measures, key_of)

    def rows(self, where: str) -> list[str]:
        """The rows that the table is made of, reduced to what it needs; and the places of each value."""
        keys = [f"{_key(dim, quoted(dim.name))} AS k{d}" for d, dim in enumerate(self.dimensions)]
        contributor = [column for people in self.people for column in people.picked]
        inputs = [column for measure in self.measures for column in measure.inputs]
        own = self.keyed.picked if self.keyed else []
        columns = ", ".join([*keys, *contributor, *own, *inputs])
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
        everybody = self.people or [People(0, Who("", None), self.levels, self.measures)]
        statements = [people.grouped() for people in everybody]
        statements += self.keyed.statements() if self.keyed else []
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
            for number, depths in enumerate(self.levels.combinations)
        ]

    def _cells_at(self, depths: tuple[int, ...]) -> str:
        """Numbers, people, distinct counts and medians of the cells at these levels, computed apart, side by side."""
        parts = {f"d{m.i}": self._distinct(m, depths) for m in self.measures if m.distinct is not None}
        if any(m.kind == "median" for m in self.measures):
            parts["e"] = self._medians(depths)
        parts |= {people.alias: people.select(depths) for people in self.people}
        if self.keyed:
            parts[self.keyed.alias] = self.keyed.select(depths)
        joins = [f" LEFT JOIN ({select}) AS {part} ON {self._same('b', part)}" for part, select in parts.items()]
        keys = [f"b.{key} AS {key}" for key in self.keys]
        told = [f"{column.sql} AS {name}" for name, column in self._told().items()]
        columns = ", ".join([*keys, *self._depths(depths), *self._shown(), *told])
        return f"SELECT {columns} FROM ({self._numbers(depths)}) AS b{''.join(joins)}"

    def _shown(self) -> list[str]:
        """Each measure, from where it is computed."""
        shown = []
        for m in self.measures:
            if m.distinct is not None:
                shown.append(f"coalesce(d{m.i}.x, 0) AS m{m.i}")
            elif m.kind == "count_distinct":
                shown.append(f"who0.support{m.i} AS m{m.i}")  # a distinct count of the contributors themselves
            else:
                shown.append(f"{'e' if m.kind == 'median' else 'b'}.m{m.i} AS m{m.i}")
        return shown

    def _told(self) -> dict[str, Told]:
        """What disclosure control needs to know, from where it is computed, by its name here."""
        told = {"n": Told("cell:rows", "b.n", "0")}
        if not self.people:
            return told | {"contributors": Told("cell:contributors", "CAST(NULL AS BIGINT)", "NULL")}
        for m in self.measures:
            told[f"rows{m.i}"] = Told(f"rows:{m.name}", f"b.rows{m.i}", "0")
            for part in m.parts:
                exact = f"CAST(b.total{part.id} AS {part.type})"
                told[f"total{part.id}"] = Told(f"total:{part.name}", exact, "0")
        for people in self.people:
            told |= people.told()
        return told | (self.keyed.told() if self.keyed else {})

    def _numbers(self, depths: tuple[int, ...]) -> str:
        """What adds up over groups, whoever contributes."""
        shown = [f"{m.final} AS m{m.i}" for m in self.measures if m.kind not in ("count_distinct", "median")]
        rows = [f"CAST(sum(v{m.i}) AS BIGINT) AS rows{m.i}" for m in self.measures]
        parts = [part for m in self.measures for part in m.parts] if self.people else []
        totals = [f"sum({part.contribution}) AS total{part.id}" for part in parts]
        columns = ["CAST(sum(n) AS BIGINT) AS n", *shown, *rows, *totals]
        return f"{self.levels.at(depths, 'groups', columns)} HAVING count(*) > 0"

    def _distinct(self, measure: MeasureSql, depths: tuple[int, ...]) -> str:
        return self.levels.at(depths, f"distinct{measure.i}", ["count(DISTINCT x) AS x"])

    def _medians(self, depths: tuple[int, ...]) -> str:
        # plus zero: the middle of -0.0 and 0.0 depends on the order of rows otherwise
        medians = [f"quantile_cont(x{m.i}, 0.5) + 0 AS m{m.i}" for m in self.measures if m.kind == "median"]
        return self.levels.at(depths, "picked", medians)

    def _same(self, left: str, right: str) -> str:
        return " AND ".join([f"{left}.{key} IS NOT DISTINCT FROM {right}.{key}" for key in self.keys] or ["true"])

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
        return [*statements, *(self._zeros_at(depths) for depths in self.levels.combinations)]

    def _zeros_at(self, depths: tuple[int, ...]) -> str:
        keys, tables, where = self.levels.moved(depths, "grid")
        shown = {f"m{m.i}": f"CAST({m.zero} AS {m.type})" for m in self.measures}
        told = {name: column.zero for name, column in self._told().items()}
        zeros = [f"{zero} AS {name}" for name, zero in (shown | told).items()]
        columns = ", ".join([*keys, *self._depths(depths), *zeros])
        same = [self._same("cells", "z"), *(f"cells.{level} = z.{level}" for level in self._levels())]
        return (
            f"INSERT INTO cells SELECT * FROM (SELECT DISTINCT {columns} FROM {tables} WHERE {where}) AS z"
            f" WHERE NOT EXISTS (SELECT 1 FROM cells WHERE {' AND '.join(same)})"
        )

    def result(self, window: Period) -> str:
        """The cells under the agreement's names, in total order."""
        named = {"period": literal(window.label)}
        named |= {dim.name: f"cells.k{d}" for d, dim in enumerate(self.dimensions)}
        named |= {m.name: f"m{m.i}" for m in self.measures}
        tables = "cells"
        for d, dim in enumerate(self.dimensions):
            if dim.is_hierarchy:
                named[f"level:{dim.name}"] = f"CAST(level{d} AS BIGINT)"
                named |= {f"above:{dim.name}:{level}": self._above(d, level) for level in range(1, len(dim.levels))}
            if dim.has_places:
                tables += f" LEFT JOIN ({self._ways_up(d)}) AS w{d} ON w{d}.at = level{d} AND w{d}.l = cells.k{d}"
        named |= {column.name: sql for sql, column in self._told().items()}
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
