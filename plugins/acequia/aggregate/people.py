"""Who stands behind a cell and behind each number of it, and how much the largest of them give, as SQL.

There can be several kinds: a table's contributors, and the further units of `protect.also`, each counted by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from acequia.aggregate.levels import Levels, group_by
from acequia.aggregate.measures import MeasureSql, PartSql
from acequia.engine.duck import quoted


@dataclass(frozen=True)
class Who:
    """One kind of those who stand behind a cell, and what disclosure control asks of them.

    Attributes:
        prefix: of their columns in the cells: empty, or `also0:`, `also1:`, ….
        column: that tells one from another; None where every row is another one.
        top: how many of the largest contributions are summed.
        tops: of which measures.
        pairs: the measures of which the two largest contributions are told.
    """

    prefix: str
    column: str | None
    top: int = 0
    tops: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()


class Told(NamedTuple):
    """A column for disclosure control: its name in the cells, its SQL, and what a cell without rows has."""

    name: str
    sql: str
    zero: str


class People:
    """Writes what is asked of one kind; `number` is its place, 0 for the contributors themselves."""

    def __init__(self, number: int, who: Who, levels: Levels, measures: tuple[MeasureSql, ...]) -> None:
        self.number, self.who, self.levels, self.measures = number, who, levels, measures
        self.key = "c" if number == 0 else f"c{number}"
        self.groups = "groups" if number == 0 else f"groups{number}"
        self.alias = f"who{number}"

    @property
    def picked(self) -> list[str]:
        """Their column among the rows that a table is made of."""
        return [f"{quoted(self.who.column)} AS {self.key}"] if self.who.column is not None else []

    def grouped(self) -> str:
        """One row per finest cell and one of them, or per finest cell where every row is one of its own."""
        keys = self.levels.keys
        by = keys if self.who.column is None else [*keys, f"{self.key} AS c"]
        partials = [part for measure in self.measures for part in measure.partials]
        if self.who.column is None:
            for measure, part in self._parts():
                if part.added is not None:
                    if self._largest(measure):
                        partials.append(f"max({part.added}, {self._largest(measure)}) AS p{part.id}")
                    partials.append(f"bool_or({part.added} < 0) AS g{part.id}")
        columns = ", ".join([*by, "count(*) AS n", *partials])
        return f"CREATE TEMP TABLE {self.groups} AS SELECT {columns} FROM picked {group_by(by)} HAVING count(*) > 0"

    def select(self, depths: tuple[int, ...]) -> str:
        """Per cell at these levels: `contributors`, `sole`, and what is told of each measure."""
        if self.who.column is None:
            return self._rows_as_people(depths)
        source = self.levels.moved(depths, self.groups)
        inner = [f"v{m.i} > 0 AS f{m.i}" for m in self.measures]
        inner += [f"{part.contribution} AS x{part.id}" for _, part in self._parts()]
        grouped = ""
        if any(depths):
            # a contributor of several finest cells is one contributor of the wider cell
            inner = [f"bool_or(v{m.i} > 0) AS f{m.i}" for m in self.measures]
            inner += [f"sum({part.contribution}) AS x{part.id}" for _, part in self._parts()]
            grouped = group_by([*self.levels.keys, "c"])
        columns = [
            "count(c) AS contributors",
            "CASE WHEN count(c) = 1 THEN md5(CAST(any_value(c) AS VARCHAR)) END AS sole",
        ]
        columns += [f"count(c) FILTER (f{m.i}) AS support{m.i}" for m in self.measures]
        for measure, part in self._parts():
            columns += self._concentrated(measure, part, f"max(x{part.id}, {self._largest(measure)})")
            columns.append(f"bool_or(x{part.id} < 0) AS negative{part.id}")
        select = ", ".join([*source.keys, "c", *inner])
        people = f"SELECT {select} FROM {source.tables} WHERE {source.where} {grouped}"
        return f"SELECT {', '.join([*self.levels.keys, *columns])} FROM ({people}) {group_by(self.levels.keys)}"

    def _rows_as_people(self, depths: tuple[int, ...]) -> str:
        finest = ", ".join(f"coalesce(CAST({self.groups}.{key} AS VARCHAR), '')" for key in self.levels.keys) or "''"
        columns = ["CAST(sum(n) AS BIGINT) AS contributors"]
        columns.append(f"CASE WHEN sum(n) = 1 THEN md5(any_value(concat_ws(chr(31), {finest}))) END AS sole")
        columns += [f"CAST(sum(v{m.i}) AS BIGINT) AS support{m.i}" for m in self.measures]
        for measure, part in self._parts():
            if part.added is None:  # every row counts as one
                ones = (
                    f"list_resize(CAST([] AS BIGINT[]), least({self._largest(measure)}, sum(n{measure.i}))::BIGINT, 1)"
                )
                columns += self._concentrated(measure, part, ones)
                columns.append(f"false AS negative{part.id}")
            else:
                largest = f"list_reverse_sort(flatten(list(p{part.id}) FILTER (p{part.id} IS NOT NULL)))"
                columns += self._concentrated(measure, part, largest)
                columns.append(f"bool_or(g{part.id}) AS negative{part.id}")
        return self.levels.at(depths, self.groups, columns)

    def _concentrated(self, measure: MeasureSql, part: PartSql, largest: str) -> list[str]:
        """The largest contributions, out of a list of them, the largest first."""
        columns = []
        if measure.name in self.who.tops:
            columns.append(f"list_sum(({largest})[1:{self.who.top}]) AS top{part.id}")
        if measure.name in self.who.pairs:
            columns += [f"({largest})[1] AS first{part.id}", f"({largest})[2] AS second{part.id}"]
        return columns

    def told(self) -> dict[str, Told]:
        """The columns of a cell, by their names in SQL."""
        kind, alias, told = self.number, self.alias, {}
        own = self.who.prefix
        told[f"contributors_{kind}"] = Told(f"{own or 'cell:'}contributors", f"{alias}.contributors", "0")
        told[f"sole_{kind}"] = Told(f"{own}sole", f"{alias}.sole", "NULL")
        for m in self.measures:
            told[f"support{m.i}_{kind}"] = Told(f"{own}support:{m.name}", f"{alias}.support{m.i}", "0")
        for measure, part in self._parts():
            words = ["top"] if measure.name in self.who.tops else []
            words += ["first", "second"] if measure.name in self.who.pairs else []
            for word in words:
                exact = f"CAST({alias}.{word}{part.id} AS {part.type})"
                told[f"{word}{part.id}_{kind}"] = Told(f"{own}{word}:{part.name}", exact, "0")
            below = f"coalesce({alias}.negative{part.id}, false)"
            told[f"negative{part.id}_{kind}"] = Told(f"{own}negative:{part.name}", below, "false")
        return told

    def _parts(self) -> list[tuple[MeasureSql, PartSql]]:
        return [(measure, part) for measure in self.measures for part in measure.parts]

    def _largest(self, measure: MeasureSql) -> int:
        """How many of the largest contributions are needed."""
        top = self.who.top if measure.name in self.who.tops else 0
        return max(top, 2) if measure.name in self.who.pairs else top
