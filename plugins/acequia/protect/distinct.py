"""Work on distinct values: what costs much per value is done once for each, then joined to the rows.

On ten million rows this is four times faster than a function called for each row; where Presidio is the function, 250
times.
"""

# ruff: noqa: S608  (statements are built from positions, and from texts through `literal`)

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.engine.duck import literal

if TYPE_CHECKING:
    import duckdb

_BATCH = 1 << 16


def replaced(
    connection: duckdb.DuckDBPyConnection,
    values: str,
    become: Callable[[list[str]], list[str]],
    target: Path,
    *,
    ordered: bool = True,
) -> str:
    """What every distinct value becomes, as a relation of `value` and `becomes`, one row per value.

    Args:
        connection: of the engine.
        values: SQL that yields one text column `value`; nulls are left out.
        become: given distinct texts, what each becomes, in the same order.
        target: a Parquet file in scratch for the relation.
        ordered: hand the texts over in ascending order; where each is looked at alone, that is work for nothing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = "ORDER BY value" if ordered else ""
    distinct = connection.sql(f"SELECT DISTINCT value FROM ({values}) WHERE value IS NOT NULL {order}")
    schema = pa.schema([("value", pa.string()), ("becomes", pa.string())])
    # It is read once and deleted: what makes Parquet small would only cost time.
    with pq.ParquetWriter(target, schema, compression="none", use_dictionary=False, write_statistics=False) as writer:
        for batch in distinct.to_arrow_reader(_BATCH):
            texts = batch.column(0).cast(pa.string())
            made = pa.array(become(texts.to_pylist()), pa.string())
            writer.write_batch(pa.record_batch([texts, made], schema=schema))
    return relation(target)


def written(becomes: Mapping[str, str], target: Path) -> str:
    """The same relation for a mapping that is known already."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"value": pa.array(becomes.keys(), pa.string()), "becomes": pa.array(becomes.values(), pa.string())}
    pq.write_table(pa.table(columns), target)
    return relation(target)


def relation(path: Path) -> str:
    """A Parquet file in scratch, as SQL."""
    return f"read_parquet({literal(str(path))}, hive_partitioning=false)"
