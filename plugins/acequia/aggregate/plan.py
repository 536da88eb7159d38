"""Compiles one table of the agreement to SQL: pure text, for whatever rows come.

The plan works in stages, since one large query costs twice the time (measured): rows -> groups (one row per finest cell
and contributor, with exact partial sums) -> one row per cell at each combination of levels -> the grid of all cells.
It reads a view `rows` and writes temporary tables; `result` selects the cells in their final order.

Columns of the cells: `period`, the `by` columns, the measures (not yet rounded or withheld), and what disclosure
control needs. A colon keeps its columns apart from the agreement's names:

- `cell:rows`, `cell:contributors` (null where the table has no contributor);
- per column with a hierarchy `level:<by>` (0 is the finest) and `above:<by>:<level>`, the value at each wider level;
- per measure `rows:<m>` and `support:<m>`: the rows and contributors that this one number rests on;
- per measure that a dominance rule looks at `top:<m>` (sum of the n largest contributions), `total:<m>` and
  `negative:<m>` (whether a contribution is below zero).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from acequia.aggregate.dimensions import Dimension, dimension
from acequia.aggregate.measures import MeasureSql, compile_measure, condition
from acequia.aggregate.rows import empty_rows
from acequia.aggregate.statements import GRID_TOO_LARGE, Asked, Statements
from acequia.agreement.model import Feed
from acequia.agreement.protection import Protection
from acequia.agreement.tables import Table
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from acequia.period import Period

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Plan:
    """The stages of one table. `statements` run in order; `result` is the last SELECT."""

    dimensions: tuple[Dimension, ...]
    measures: tuple[MeasureSql, ...]
    statements: tuple[str, ...]
    result: str


def compile_table(
    name: str, table: Table, feed: Feed, types: Mapping[str, str], window: Period, reference: Path
) -> Plan:
    """The plan of a table for rows of these columns (name -> DuckDB type, after the feed's transform).

    Raises:
        AcequiaError: `agreement_invalid` or `reference_missing`, with the place: the first thing that does not fit.
    """
    place = f"tables.{name}"
    asked = asked_of(table, types, place=place)
    dimensions = tuple(dimension(by, feed, table, types, reference, window, place=place) for by in table.by)
    measures = tuple(
        compile_measure(
            i, m, measure, types, place=f"{place}.measures.{m}", rows_are=asked.contributor
        )
        for i, (m, measure) in enumerate(table.measures.items())
    )  # fmt: skip
    where = "true" if table.where is None else condition(table.where, types, f"{place}.where")
    write = Statements(dimensions, measures, asked)
    statements = (*write.rows(where), *write.groups(), *write.cells(), *(write.grid() if table.cells == "all" else ()))
    return Plan(dimensions, measures, statements, write.result(window))


def problems(feed: Feed, reference: Path) -> list[str]:
    """What of a feed's tables cannot be computed, each with its place, such as `tables.trips.by: …`; empty if all can.

    Everything is bound to an empty relation of the types that the agreement makes: no row is read.
    """
    import duckdb

    with TemporaryDirectory() as scratch, connect("1GB", Path(scratch), threads=1) as connection:
        try:
            types = empty_rows(connection, feed)
        except AcequiaError as error:
            return [f"transform: {error.what}"]
        except duckdb.Error as error:
            missing = re.search(r'column "(\w+)" not found', str(error))
            needs = f": it needs a column `{missing[1]}`" if missing else ""
            return [f"transform: {feed.transform} cannot read these columns{needs}. Columns: {', '.join(feed.kept)}"]
        found = []
        for name, table in feed.tables.items():
            wrong = _table_problems(name, table, feed, types, reference)
            found += wrong or _dry_run(connection, name, table, feed, types, reference)
    return found


def _table_problems(name: str, table: Table, feed: Feed, types: Mapping[str, str], reference: Path) -> list[str]:
    """Every part of a table by itself, so that all errors are told at once."""
    place, window = f"tables.{name}", _some_window(table, feed)
    checks: list[Callable[[], object]] = [
        *(partial(dimension, by, feed, table, types, reference, window, place=place) for by in table.by),
        partial(asked_of, table, types, place=place),
        *(
            partial(compile_measure, 0, m, measure, types, place=f"{place}.measures.{m}", rows_are=None)
            for m, measure in table.measures.items()
        ),
    ]
    if table.where is not None:
        checks.append(partial(condition, table.where, types, f"{place}.where"))
    found = []
    for check in checks:
        try:
            check()
        except AcequiaError as error:
            found.append(error.what if error.what.startswith(place) else f"{place}: {error.what}")
    return found


def _dry_run(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: Table,
    feed: Feed,
    types: Mapping[str, str],
    reference: Path,
) -> list[str]:
    import duckdb

    connection.begin()
    try:
        plan = compile_table(name, table, feed, types, _some_window(table, feed), reference)
        for statement in (*plan.statements, plan.result):
            connection.execute(statement)
    except duckdb.Error as error:
        large = GRID_TOO_LARGE in str(error)
        return [f"tables.{name}: {GRID_TOO_LARGE if large else 'its parts do not fit together'}"]
    finally:
        connection.rollback()
    return []


def _some_window(table: Table, feed: Feed) -> Period:
    return Period.holding(feed.delivery.period if table.over == "delivery" else table.over, date(2026, 1, 15))


def asked_of(table: Table, types: Mapping[str, str], *, place: str) -> Asked:
    """Who contributes, and what a dominance rule looks at.

    Raises:
        AcequiaError: `agreement_invalid`: no such contributor, or a measure that contributions do not add up to.
    """
    protect = table.protect
    if not isinstance(protect, Protection):
        return Asked(None, False, 0, frozenset())
    contributor = None if protect.contributor == "rows" else protect.contributor
    if contributor is not None and contributor not in types:
        raise AcequiaError(
            "agreement_invalid",
            f"{place}.protect.contributor: there is no column `{contributor}`. Columns: {', '.join(types)}",
        )
    if protect.dominance is None:
        return Asked(contributor, True, 0, frozenset())
    additive = [name for name, measure in table.measures.items() if {"sum", "count"} & measure.model_fields_set]
    wrong = sorted(set(protect.dominance.of or ()) - set(additive))
    if wrong:
        raise AcequiaError(
            "agreement_invalid",
            f"{place}.protect.dominance.of: {', '.join(wrong)} is no sum or row count, so no share of it can be told",
        )
    looked_at = frozenset(additive if protect.dominance.of is None else protect.dominance.of)
    return Asked(contributor, True, protect.dominance.n, looked_at)
