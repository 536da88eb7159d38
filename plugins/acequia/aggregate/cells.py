"""Runs a table's plan over the protected rows of a window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.aggregate.plan import compile_table
from acequia.aggregate.record_keys import has_keys, register, secret_of
from acequia.aggregate.rows import NOT_WHOLE, open_rows
from acequia.aggregate.statements import GRID_TOO_LARGE
from acequia.agreement.model import Feed
from acequia.agreement.tables import Table
from acequia.engine.duck import connect
from acequia.engine.parquet import write_parquet
from acequia.errors import AcequiaError
from acequia.flow import Cells, Protected
from acequia.period import Period

if TYPE_CHECKING:
    import pyarrow as pa


def aggregate(
    table_name: str,
    table: Table,
    feed: Feed,
    protected: tuple[Protected, ...],
    window: Period,
    *,
    provisional: bool,
    reference: Path,
    memory_limit: str,
    scratch: Path,
    out: Path,
    threads: int | None = None,
    record_keys: bytes | None = None,
) -> Cells:
    """Compute the cells of one table and window from the protected rows of its deliveries, read together.

    Writes one row per cell to `out`, as Parquet with the columns that `plan` describes: unrounded, nothing withheld,
    restricted. Rows are in the order of the `by` columns; the same rows in any order, with any number of threads, give
    the same bytes. No rows give no cells (with `cells: all` a grid of zeros) and a Parquet with the same columns.

    Sums are exact: every value is rounded to twelve decimals (nine from 8192 on), then added as a decimal. Medians are
    exact: the middle value, or halfway between the two in the middle.

    A table with cell keys needs the partner's secret, `record_keys`.

    Raises:
        AcequiaError: `engine_failed` for a value or sum of 1e26 or more, one that is no number, a sum of whole numbers
            beyond 64 bits, or where memory or disk give out; `agreement_invalid` and `reference_missing` for what
            `acequia check` finds too.
    """
    where = f"{table_name} {window}"
    with as_engine_failure(where), connect(memory_limit, scratch, threads=threads) as connection:
        types = open_rows(connection, feed, [Path(part.path) for part in protected])
        keyed = has_keys(table)
        if keyed:
            register(connection, secret_of(record_keys, where))
        plan = compile_table(table_name, table, feed, types, window, reference, keyed=keyed)
        for statement in plan.statements:
            connection.execute(statement)
        rows: pa.Table = connection.sql(plan.result).to_arrow_table()
    return Cells(
        table=table_name,
        period=window.label,
        deliveries=tuple(part.delivery for part in protected),
        path=str(out),
        sha256=write_parquet(rows, out),
        cells=rows.num_rows,
        provisional=provisional,
    )


@contextmanager
def as_engine_failure(where: str) -> Iterator[None]:
    """Say what failed without the engine's own words, which may hold values."""
    import duckdb

    try:
        yield
    except (duckdb.ConversionException, duckdb.OutOfRangeException):
        what = "a value or a sum is not finite, or too large to be added exactly"
        raise AcequiaError("engine_failed", what, where=where, do="Look at the ranges of the columns.") from None
    except duckdb.OutOfMemoryException:
        raise AcequiaError("engine_failed", "memory or the disk for spilling gave out", where=where) from None
    except duckdb.Error as error:
        known = next((text for text in (GRID_TOO_LARGE, NOT_WHOLE) if text in str(error)), "")
        what = known or f"the engine stopped with {type(error).__name__}"
        raise AcequiaError("engine_failed", what, where=where) from None
