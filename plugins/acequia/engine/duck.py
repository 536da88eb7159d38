"""The one way in which rooms open DuckDB: bounded memory, spilling to scratch, nothing fetched from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def connect(memory_limit: str, scratch: Path, *, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that spills below `scratch`. Close it before the scratch folder goes.

    Times are UTC or naive, whatever the machine's zone. Extensions are neither downloaded nor loaded: what is built in
    (Parquet, JSON, ICU) is all there is. Results never depend on the number of threads, which is that of the machine.

    Args:
        memory_limit: as DuckDB writes it, such as `4GB`.
        scratch: a folder of this process alone, since spilled blocks hold protected rows in clear.
        threads: for tests and benchmarks.
    """
    import duckdb

    spill = scratch / "spill"
    spill.mkdir(parents=True, exist_ok=True, mode=0o700)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
    }
    if threads is not None:
        config["threads"] = str(threads)
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
