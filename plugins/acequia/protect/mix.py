"""What a delivery is made of: how often each agreed value of a kept column comes, and how often a column is empty.

Small, and of agreed values alone, so that it can be kept when the protected rows are deleted.
"""

# ruff: noqa: S608  (statements are built from the agreement's column names, quoted, and from paths through `literal`)

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.model import Feed
from acequia.engine.duck import literal, quoted
from acequia.flow import Mix

if TYPE_CHECKING:
    import duckdb

VALUES_AT_MOST = 100


def measure_mix(connection: duckdb.DuckDBPyConnection, rows: Path, feed: Feed) -> dict[str, Mix]:
    """Protected column -> its mix, for every column that may be empty or holds agreed values (`one_of`) as they are.

    Of more than 100 agreed values only the empty ones are counted: the ledger keeps what this returns.
    """
    reader = f"read_parquet({literal(str(rows))}, hive_partitioning = false)"
    found: dict[str, Mix] = {}
    for name, key in feed.kept.items():
        column = feed.columns[key]
        source = feed.columns[column.from_] if column.from_ else column
        listed = column.one_of is not None and len(column.one_of) <= VALUES_AT_MOST and column.treat == "keep"
        if listed:
            grouped = connection.execute(
                f"SELECT CAST({quoted(name)} AS VARCHAR), count(*) FROM {reader} GROUP BY 1 ORDER BY 1"
            ).fetchall()
            values = {str(value): int(many) for value, many in grouped if value is not None}
            found[name] = Mix(empty=sum(int(many) for value, many in grouped if value is None), values=values)
        elif source.may_be_null:
            one = connection.execute(f"SELECT count(*) - count({quoted(name)}) FROM {reader}").fetchone()
            found[name] = Mix(empty=int(one[0]) if one else 0)
    return found
