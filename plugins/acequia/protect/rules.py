"""The rules of a feed as SQL: which rows break which, and under which reason each of those is set aside.

A row is judged on its raw values, before any treatment. It is set aside for the first rule that it breaks, in this
order: `type`, `null`, `range`, `set`, `pattern`, `outside_period`; within a rule, in the order of the columns. The last
reason, `duplicate`, is found among the rows that break none.
"""

# ruff: noqa: S608  (statements are built from positions, numbers, and texts through `literal`)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from acequia.agreement.columns import Column, ColumnType
from acequia.agreement.model import Feed
from acequia.engine.duck import literal
from acequia.period import Period
from acequia.protect.parsing import SQL_TYPE, Manner, given, typed
from acequia.receive.formats.opened import Arriving

if TYPE_CHECKING:
    import duckdb

DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Rule:
    """One rule on one arriving column; `broken` is SQL over the columns that `Reading` names."""

    column: str
    name: str
    broken: str

    @property
    def reason(self) -> str:
        """What a row is set aside for."""
        return self.name if self.name == "outside_period" else f"{self.name}:{self.column}"


@dataclass(frozen=True)
class Reading:
    """One arriving column read by an agreed type: `given` and `value` are names of SQL columns, before and after."""

    name: str
    column: Column
    place: int
    manner: Manner

    @property
    def given(self) -> str:
        """The column of values as they were given, null where a text stands for null."""
        return f"g{self.place}"

    @property
    def value(self) -> str:
        """The column of values in the agreed type; null where null was given, and where they cannot be read."""
        return f"t{self.place}"


@dataclass(frozen=True)
class Judge:
    """A feed's columns and rules, compiled for one period."""

    readings: Mapping[str, Reading]
    rules: tuple[Rule, ...]

    def judged(self, relation: str, columns: Mapping[str, Arriving]) -> str:
        """SQL of a relation with `g…`, `t…` for every agreed column, and `reason`: the first broken rule's number."""
        givens, values = [], []
        for name, reading in self.readings.items():
            arriving = columns.get(name, _ABSENT)
            givens.append(f"{given(reading.column.type, arriving)} AS {reading.given}")
            value = typed(reading.column.type, reading.given, arriving, reading.manner)
            values.append(f"CAST({value} AS {SQL_TYPE[reading.column.type]}) AS {reading.value}")
        cases = " ".join(f"WHEN {rule.broken} THEN {number}" for number, rule in enumerate(self.rules))
        reason = f"CASE {cases} END" if cases else "NULL"
        return (
            f"(SELECT *, CAST({reason} AS USMALLINT) AS reason FROM (SELECT *, {', '.join(values)} "
            f"FROM (SELECT *, {', '.join(givens)} FROM {relation})))"
        )


_ABSENT = Arriving("CAST(NULL AS VARCHAR)", "text")


def compiled(feed: Feed, period: Period, connection: duckdb.DuckDBPyConnection) -> Judge:
    """The feed's rules for one period. The engine is asked which agreed time formats read an offset."""
    readings = {
        name: Reading(name, column, place, _manner(feed, column, connection))
        for place, (name, column) in enumerate(feed.arriving.items())
    }
    rules = [rule for kind in _RULES for reading in readings.values() for rule in kind(reading)]
    if feed.rows.period_column is not None:
        rules.append(_outside_period(readings[feed.rows.period_column], period))
    return Judge(readings, tuple(rules))


def _manner(feed: Feed, column: Column, connection: duckdb.DuckDBPyConnection) -> Manner:
    zone = feed.delivery.timezone
    if column.parse is None:
        return Manner(zone)
    query = f"SELECT typeof(try_strptime('', {literal(column.parse)}))"
    (kind,) = connection.execute(query).fetchall()[0]
    return Manner(zone, column.parse, parses_offset="TIME ZONE" in kind)


def _type(reading: Reading) -> Iterator[Rule]:
    if reading.column.type != "string":
        yield Rule(reading.name, "type", f"({reading.given} IS NOT NULL AND {reading.value} IS NULL)")


def _null(reading: Reading) -> Iterator[Rule]:
    if not reading.column.may_be_null:
        yield Rule(reading.name, "null", f"({reading.given} IS NULL)")


def _range(reading: Reading) -> Iterator[Rule]:
    if reading.column.between is not None:
        low, high = (None if end is None else constant(reading.column.type, end) for end in reading.column.between)
        ends = [
            *([f"{reading.value} < {low}"] if low is not None else []),
            *([f"{reading.value} > {high}"] if high is not None else []),
        ]
        yield Rule(reading.name, "range", f"({' OR '.join(ends)})")


def _set(reading: Reading) -> Iterator[Rule]:
    if reading.column.one_of is not None:
        values = ", ".join(constant(reading.column.type, value) for value in reading.column.one_of)
        yield Rule(reading.name, "set", f"({reading.value} NOT IN ({values}))")


def _pattern(reading: Reading) -> Iterator[Rule]:
    if reading.column.matches is not None:
        pattern = literal(reading.column.matches)
        yield Rule(reading.name, "pattern", f"(NOT regexp_full_match({reading.value}, {pattern}))")


_RULES: tuple[Callable[[Reading], Iterator[Rule]], ...] = (_type, _null, _range, _set, _pattern)


def _outside_period(reading: Reading, period: Period) -> Rule:
    # A row without a time cannot be shown to lie inside; one whose time cannot be read breaks `type` already.
    start, end = (constant("timestamp", datetime(day.year, day.month, day.day)) for day in (period.start, period.end))  # noqa: DTZ001
    inside = f"{reading.value} >= {start} AND {reading.value} < {end}"
    return Rule(reading.name, "outside_period", f"(NOT coalesce({inside}, {reading.given} IS NOT NULL))")


def constant(column_type: ColumnType, value: Any) -> str:
    """A value of the agreement as SQL of the column's type."""
    if column_type in ("integer", "number") and not isinstance(value, bool):
        whole = isinstance(value, int) and abs(value) < 2**63
        return f"CAST({value} AS BIGINT)" if whole else f"CAST({float(value)!r} AS DOUBLE)"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date):  # a datetime is one, too
        value = value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return f"CAST({literal(str(value))} AS {SQL_TYPE[column_type]})"
