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
    connection: duckdb.DuckDBPyConnection, values: str, become: Callable[[list[str]], list[str]], target: Path
) -> str:
    """What every distinct value becomes, as a relation of `value` and `becomes`, one row per value.

    Args:
        connection: of the engine.
        values: SQL that yields one text column `value`; nulls are left out.
        become: given distinct texts in ascending order, what each becomes, in the same order.
        target: a Parquet file in scratch for the relation; the values lie beside it meanwhile.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = target.with_name(f"{target.name}.values")
    distinct = f"SELECT DISTINCT value FROM ({values}) WHERE value IS NOT NULL ORDER BY value"
    connection.execute(f"COPY ({distinct}) TO {literal(str(found))} (FORMAT parquet)")
    schema = pa.schema([("value", pa.string()), ("becomes", pa.string())])
    with pq.ParquetFile(found) as source, pq.ParquetWriter(target, schema) as writer:
        for batch in source.iter_batches(_BATCH):
            texts = batch.column(0).to_pylist()
            writer.write_batch(pa.record_batch([pa.array(texts, pa.string()), become(texts)], schema=schema))
    found.unlink()
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
