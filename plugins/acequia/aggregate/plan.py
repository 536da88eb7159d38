"""Compiles one table of the agreement to SQL: pure text, for whatever rows come.

The plan works in stages, since one large query costs twice the time (measured): rows -> groups (one row per finest cell
and contributor, with exact partial sums) -> one row per cell at each combination of levels -> the grid of all cells.
It reads a view `rows` and writes temporary tables; `result` selects the cells in their final order.

Columns of the cells: `period`, the `by` columns, the measures (not yet rounded or withheld), and what disclosure
control needs. A colon keeps its columns apart from the agreement's names:

- `cell:rows`, `cell:contributors` (null where the table has no contributor);
- per column with a hierarchy `level:<by>` (0 is the finest) and `above:<by>:<level>`, the value at each wider level;
- per measure `rows:<m>` and `support:<m>`: the rows and contributors that this one number rests on;
- per number that adds up, exactly: `total:<m>` of a row count and a sum, of the sum behind a mean (its number of values
  is `rows:<m>`), `total:<m>:of` and `total:<m>:to` behind a ratio; with each `negative:<m>…`, whether a contribution is
  below zero;
- per measure that a dominance rule looks at `top:<m>` (the sum of the n largest contributions), that the p% rule looks
  at `first:<m>` and `second:<m>` (the two largest; null where there are fewer);
- `sole`: of a cell with one contributor, who that is, as a digest that is the same in every table with this contributor
  column; null in other cells. Where every row is a contributor of its own it tells the finest cell;
- per further unit of `protect.also`, from 0: `also0:contributors`, `also0:sole`, `also0:support:<m>`, and as above
  `also0:negative:<m>`, `also0:top:<m>`, `also0:first:<m>`, `also0:second:<m>`;
- with cell keys `cell:key`, and per measure `key:<m>` and `most:<m>`: the key of its records, and the rows of its
  largest contributor (see `record_keys`).

Tables without protection have none of these but the first ones and the levels.
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

from acequia.aggregate.dimensions import Dimension, dimension, values_of
from acequia.aggregate.measures import MeasureSql, compile_measure, condition
from acequia.aggregate.people import Who
from acequia.aggregate.private import Bounded, private_problems, terms_of
from acequia.aggregate.rows import empty_rows
from acequia.aggregate.statements import GRID_TOO_LARGE, Statements
from acequia.agreement.model import Feed
from acequia.agreement.protectable import unprotected
from acequia.agreement.protection import Protection, Unit
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
    name: str,
    table: Table,
    feed: Feed,
    types: Mapping[str, str],
    window: Period,
    reference: Path,
    *,
    keyed: bool = False,
) -> Plan:
    """The plan of a table for rows of these columns (name -> DuckDB type, after the feed's transform).

    With `keyed` its cells have keys, for which `record_keys.register` must have been called on the connection.

    Raises:
        AcequiaError: `agreement_invalid` or `reference_missing`, with the place: the first thing that does not fit.
    """
    place = f"tables.{name}"
    asked = asked_of(table, types, place=place)
    dimensions = tuple(dimension(by, feed, table, types, reference, window, place=place) for by in table.by)
    measures = tuple(
        compile_measure(
            i, m, measure, types, place=f"{place}.measures.{m}", rows_are=asked[0].column if asked else None
        )
        for i, (m, measure) in enumerate(table.measures.items())
    )  # fmt: skip
    where = "true" if table.where is None else condition(table.where, types, f"{place}.where")
    if terms_of(table):
        bounded = Bounded(dimensions, measures, asked)
        of_each = bounded.bounded(table, where, f"{name}/{window.label}/")
        return Plan(dimensions, measures, tuple(of_each), bounded.private_result(table, window))
    write = Statements(dimensions, measures, asked, types if keyed else None)
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
        partial(_require_cells, table, feed, reference, place=f"{place}.protect.secondary.keep_open"),
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
    if isinstance(table.protect, Protection):
        found += [f"{place}.{misfit}" for misfit in unprotected(table.protect, table.measures)]
    found += private_problems(name, table, feed, types, reference, window)
    return list(dict.fromkeys(found))  # a reference table that is missing may be missed twice


def _require_cells(table: Table, feed: Feed, reference: Path, *, place: str) -> None:
    """Important cells are ones that there can be: a slip would leave them without what was agreed."""
    kept_open = table.protect.secondary.keep_open if isinstance(table.protect, Protection) else {}
    for column, values in kept_open.items():
        known = values_of(column, feed, table, reference)
        for value in values:
            if known is not None and value not in known:
                said = f"{place}.{column}: {value} is no value that the column or a level of it can have"
                raise AcequiaError("agreement_invalid", said)


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


def asked_of(table: Table, types: Mapping[str, str], *, place: str) -> tuple[Who, ...]:
    """Who contributes, and what rules of concentration look at; nobody where the table is not protected.

    Raises:
        AcequiaError: `agreement_invalid`: no such contributor.
    """
    protect = table.protect
    if not isinstance(protect, Protection):
        return ()
    place = f"{place}.protect"
    found = [_who("", protect, table, types, place=place)]
    found += [
        _who(f"also{number}:", unit, table, types, place=f"{place}.also.{number}")
        for number, unit in enumerate(protect.also)
    ]
    return tuple(found)


def _who(prefix: str, unit: Protection | Unit, table: Table, types: Mapping[str, str], *, place: str) -> Who:
    each_row = isinstance(unit, Protection) and unit.contributor == "rows"
    if not each_row and unit.contributor not in types:
        said = f"{place}.contributor: there is no column `{unit.contributor}`. Columns: {', '.join(types)}"
        raise AcequiaError("agreement_invalid", said)
    top = unit.dominance.n if unit.dominance is not None else 0
    tops, pairs = (frozenset(table.looked_at(rule)) for rule in (unit.dominance, unit.p_percent))
    return Who(prefix, None if each_row else unit.contributor, top, tops, pairs)
