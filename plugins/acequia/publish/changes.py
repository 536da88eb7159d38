"""What a new vintage of a table's period changed, from the public rows of both: nothing else goes into it.

Of withheld cells it holds counts alone. A total is taken over cells that are public in both vintages, so that whoever
holds the two releases can work it out, and nobody learns more.
"""

# ruff: noqa: S608  (statements are built from positions, and from names that are quoted)

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from acequia.agreement.tables import CountDistinct, CountRows, Sum, Table
from acequia.engine.duck import quoted
from acequia.publish.files import Files
from acequia.publish.release import as_json, period_folder, release_name

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FILE = "changes.json"


def between(connection: duckdb.DuckDBPyConnection, before: pa.Table, after: pa.Table, table: Table) -> dict[str, Any]:
    """The changes from one vintage to the next, both as they were released.

    Args:
        connection: an engine that holds nothing else.
        before: the rows of the release before.
        after: those of the release that counts.
        table: as agreed now.

    Returns:
        `cells`: how many there were and are, how many were added, removed, changed, left unchanged, newly withheld,
        opened, or stayed withheld; `measures`: by name the `cells` that hold a number in both, the largest relative
        change of one (0.1 is ten percent; None where none can be told), and for counts and sums the total of both.
    """
    connection.register("before_rows", before)
    connection.register("after_rows", after)
    joined = _joined(before, after, table)
    measures = [name for name in table.measures if name in before.column_names and name in after.column_names]
    return {
        "cells": {"before": before.num_rows, "after": after.num_rows, **_cells(connection, joined, measures)},
        "measures": {name: _measure(connection, joined, name, table) for name in measures},
    }


def _joined(before: pa.Table, after: pa.Table, table: Table) -> str:
    """The cells of both side by side. Where the agreement changed what a cell is, none is the same."""
    keys = [*table.by]
    comparable = all(key in rows.column_names for key in keys for rows in (before, after))
    same = [f"CAST(b.{quoted(key)} AS VARCHAR) IS NOT DISTINCT FROM CAST(a.{quoted(key)} AS VARCHAR)" for key in keys]
    on = " AND ".join(same) or "true" if comparable else "false"
    return (
        "(SELECT b, a, b.cell_status AS was, a.cell_status AS is_now "
        f"FROM before_rows AS b FULL OUTER JOIN after_rows AS a ON {on})"
    )


def _cells(connection: duckdb.DuckDBPyConnection, joined: str, measures: list[str]) -> dict[str, int]:
    numbers = [*measures, "contributors_count"]
    differ = " OR ".join(["was <> is_now", *(f"b.{quoted(n)} IS DISTINCT FROM a.{quoted(n)}" for n in numbers)])
    public = "was <> 'withheld' AND is_now <> 'withheld'"
    kinds = {
        "added": "was IS NULL",
        "removed": "is_now IS NULL",
        "changed": f"{public} AND ({differ})",
        "unchanged": f"{public} AND NOT ({differ})",
        "newly_withheld": "was <> 'withheld' AND is_now = 'withheld'",
        "opened": "was = 'withheld' AND is_now <> 'withheld'",
        "still_withheld": "was = 'withheld' AND is_now = 'withheld'",
    }
    counted = ", ".join(f"count(*) FILTER ({when})" for when in kinds.values())
    row = connection.execute(f"SELECT {counted} FROM {joined}").fetchone() or ()
    return dict(zip(kinds, row, strict=True))


def _measure(connection: duckdb.DuckDBPyConnection, joined: str, name: str, table: Table) -> dict[str, Any]:
    """Of cells public in both alone: a withheld cell holds no number, and one that was opened is not compared."""
    own = quoted(name)
    pairs = connection.execute(
        f"SELECT b.{own}, a.{own} FROM {joined} WHERE b.{own} IS NOT NULL AND a.{own} IS NOT NULL"
    ).fetchall()
    relative = [abs(new - old) / abs(old) for old, new in pairs if old]
    told: dict[str, Any] = {"cells": len(pairs)}
    if isinstance(table.measures[name], CountRows | CountDistinct | Sum):
        told |= {"total_before": _total(old for old, _ in pairs), "total_after": _total(new for _, new in pairs)}
    return told | {"largest_relative_change": max(relative, default=None)}


def _total(numbers: Any) -> int | float:
    """The exact total, so that the order of cells says nothing."""
    listed = list(numbers)
    return sum(listed) if all(isinstance(number, int) for number in listed) else math.fsum(listed)


def released(files: Files, partner: str, table: str, period: str, content_sha256: str) -> pa.Table | None:
    """The rows of a release; None where it was erased."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = files.read(f"{period_folder(partner, table, period)}/{release_name(content_sha256)}/data.parquet")
    return None if content is None else pq.read_table(pa.BufferReader(content))


def tell(files: Files, name: str, period: str, before: str, after: str, changed: Mapping[str, Any]) -> None:
    """Write `changes.json` beside `latest.json`: how the release that counts differs from the one before it.

    Args:
        files: of the lake.
        name: `<partner>.<table>`.
        period: of the table.
        before: the content hash of the release before.
        after: that of the release that counts.
        changed: what `between` found.
    """
    partner, table = name.split(".")
    told = {
        "table": name,
        "period": period,
        "release": release_name(after),
        "content_sha256": after,
        "compared_with": {"release": release_name(before), "content_sha256": before},
        **changed,
    }
    path, content = f"{period_folder(partner, table, period)}/{FILE}", as_json(told)
    if files.read(path) != content:
        files.write(path, content)
