"""A measure of the agreement as SQL: what each row gives, what a contributor gives to a cell, what the cell shows.

Numbers are made exact before they are added: each value is rounded (half away from zero) to twelve decimals below 8192
and to nine from there on, and summed as DECIMAL(38,12), so that sums depend on no order, thread or engine. What does
not fit (1e26 and more) stops the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from acequia.agreement.tables import CountDistinct, CountRows, Mean, Median, Ratio, Sum
from acequia.engine.duck import quoted
from acequia.engine.expressions import Compiled, compile_expression
from acequia.errors import AcequiaError

Kind = Literal["count", "count_distinct", "sum", "mean", "median", "ratio"]
AnyMeasure = CountRows | CountDistinct | Sum | Mean | Median | Ratio
EXACT, COARSER = "DECIMAL(38,12)", "DECIMAL(38,9)"


@dataclass(frozen=True)
class PartSql:
    """An exact number behind a measure that adds up over rows: a count, a sum, either sum of a ratio.

    `id` makes its column names in SQL, `name` those in the cells; `contribution` is it of a group of rows, `added` of a
    row (None for a count); `whole` where it has no decimals.
    """

    id: str
    name: str
    contribution: str
    added: str | None
    whole: bool

    @property
    def type(self) -> str:
        """The exact type of its totals."""
        return "DECIMAL(38,0)" if self.whole else EXACT


@dataclass(frozen=True)
class MeasureSql:
    """The SQL of one measure; `i` is its place in the table, which makes its column names.

    Rows hold `q{i}` (the row counts for it), `x{i}` (the value, null where q is false) and for ratios `y{i}`. Groups of
    rows hold `n{i}` (rows that count), `v{i}` (rows with a value), `s{i}` and `t{i}` (exact sums).
    """

    i: int
    name: str
    kind: Kind
    integer: bool
    inputs: tuple[str, ...]
    distinct: str | None = None
    whole: tuple[bool, ...] = ()

    @property
    def type(self) -> str:
        """The published type."""
        return "BIGINT" if self.integer else "DOUBLE"

    @property
    def has_sums(self) -> bool:
        """Whether groups hold exact sums of it."""
        return self.kind in ("sum", "mean", "ratio")

    @property
    def partials(self) -> tuple[str, ...]:
        """What is kept of a group of rows."""
        i = self.i
        found = [f"count(*) FILTER (q{i}) AS n{i}"]
        if self.kind == "count":
            found.append(f"count(*) FILTER (q{i}) AS v{i}")
        elif self.kind == "ratio":
            found.append(f"count(*) FILTER (x{i} IS NOT NULL OR y{i} IS NOT NULL) AS v{i}")
        else:
            found.append(f"count(x{i}) AS v{i}")
        if self.has_sums:
            found.append(f"sum(x{i}) AS s{i}")
        if self.kind == "ratio":
            found.append(f"sum(y{i}) AS t{i}")
        return tuple(found)

    @property
    def parts(self) -> tuple[PartSql, ...]:
        """The exact numbers behind it that add up."""
        i = self.i
        if self.kind == "count":
            return (PartSql(f"{i}", self.name, f"CAST(n{i} AS HUGEINT)", None, True),)
        if self.kind == "ratio":
            of = PartSql(f"{i}", f"{self.name}:of", f"s{i}", f"x{i}", self.whole[0])
            return of, PartSql(f"{i}y", f"{self.name}:to", f"t{i}", f"y{i}", self.whole[1])
        return (PartSql(f"{i}", self.name, f"s{i}", f"x{i}", self.whole[0]),) if self.has_sums else ()

    @property
    def final(self) -> str:
        """What a cell shows, over its groups; null where there is nothing to show."""
        i = self.i
        if self.kind == "count":
            return f"CAST(coalesce(sum(n{i}), 0) AS BIGINT)"
        if self.kind == "sum":
            # no row counts: a true zero; rows count but have no value: unknown
            shown = f"CAST(sum(s{i}) AS BIGINT)" if self.integer else _double(f"sum(s{i})")
            return f"CASE WHEN sum(n{i}) = 0 THEN CAST(0 AS {self.type}) ELSE {shown} END"
        if self.kind == "mean":
            return f"{_double(f'sum(s{i})')} / nullif(sum(v{i}), 0)"
        if self.kind == "ratio":
            return f"CASE WHEN sum(t{i}) <> 0 THEN {_double(f'sum(s{i})')} / {_double(f'sum(t{i})')} END"
        raise AssertionError(self.kind)

    @property
    def zero(self) -> str:
        """What a cell without rows shows."""
        return "0" if self.kind in ("count", "count_distinct", "sum") else "NULL"


def compile_measure(
    i: int, name: str, measure: AnyMeasure, types: Mapping[str, str], *, place: str, rows_are: str | None
) -> MeasureSql:
    """Compile a measure for rows of these columns.

    Args:
        i: its place in the table.
        name: as the agreement calls it.
        measure: as agreed.
        types: the rows' columns, name -> DuckDB type.
        place: such as `tables.trips.measures.fare_mean`, for errors.
        rows_are: the contributor's column; a distinct count of it needs no work of its own.

    Raises:
        AcequiaError: `agreement_invalid` with the place.
    """
    where = None if measure.where is None else condition(measure.where, types, f"{place}.where")
    counts = "true" if where is None else f"coalesce({where}, false)"
    inputs = [f"{counts} AS q{i}"]
    if isinstance(measure, CountRows):
        return MeasureSql(i, name, "count", True, tuple(inputs))
    if isinstance(measure, CountDistinct):
        column = measure.count_distinct
        if column not in types:
            raise AcequiaError("agreement_invalid", f"{place}: there is no column `{column}`. Columns: {_list(types)}")
        inputs.append(_filtered(where, quoted(column), f"x{i}"))
        return MeasureSql(i, name, "count_distinct", True, tuple(inputs), None if column == rows_are else column)
    if isinstance(measure, Ratio):
        of = _number(measure.ratio.of, types, f"{place}.ratio.of")
        to = _number(measure.ratio.to, types, f"{place}.ratio.to")
        inputs += [_filtered(where, _exact(of), f"x{i}"), _filtered(where, _exact(to), f"y{i}")]
        return MeasureSql(i, name, "ratio", False, tuple(inputs), whole=(of.kind != "number", to.kind != "number"))
    kind, text = _text(measure)
    value = _number(text, types, f"{place}.{kind}")
    shown = f"CAST({value.sql} AS DOUBLE)" if kind == "median" else _exact(value)
    inputs.append(_filtered(where, shown, f"x{i}"))
    whole = value.kind != "number"
    return MeasureSql(i, name, kind, kind == "sum" and whole, tuple(inputs), whole=(whole,))


def _text(measure: Sum | Mean | Median) -> tuple[Kind, str]:
    if isinstance(measure, Sum):
        return "sum", measure.sum
    return ("mean", measure.mean) if isinstance(measure, Mean) else ("median", measure.median)


def condition(text: str, types: Mapping[str, str], place: str) -> str:
    """A `where` as SQL."""
    compiled = compile_expression(text, types, place=place)
    if compiled.kind not in ("boolean", "null"):
        raise AcequiaError("agreement_invalid", f"{place}: is not true or false. Columns: {_list(types)}")
    return compiled.sql


def _number(text: str, types: Mapping[str, str], place: str) -> Compiled:
    compiled = compile_expression(text, types, place=place)
    if compiled.kind not in ("integer", "number", "boolean", "null"):
        raise AcequiaError("agreement_invalid", f"{place}: is not a number. Columns: {_list(types)}")
    return compiled


def _filtered(where: str | None, sql: str, alias: str) -> str:
    return f"{sql} AS {alias}" if where is None else f"CASE WHEN {where} THEN {sql} END AS {alias}"


def _exact(value: Compiled) -> str:
    """A value that can be added without rounding; true counts as 1."""
    if value.kind != "number":
        return f"CAST({value.sql} AS HUGEINT)"
    # a double times 1e12 (1e9) below 2^13 (2^23) is within half a unit of the decimal that was meant; above, its
    # shortest text is it
    return (
        f"CASE WHEN abs({value.sql}) < 8192 THEN CAST({value.sql} AS {EXACT})"
        f" WHEN abs({value.sql}) < 8388608 THEN CAST(CAST({value.sql} AS {COARSER}) AS {EXACT})"
        f" ELSE CAST(CAST(CAST({value.sql} AS VARCHAR) AS {COARSER}) AS {EXACT}) END"
    )


def _double(sql: str) -> str:
    """The nearest double: the engine's own cast of large decimals rounds twice."""
    return f"CAST(CAST({sql} AS VARCHAR) AS DOUBLE)"


def _list(types: Mapping[str, str]) -> str:
    return ", ".join(types)
