"""How fast a column is pseudonymised at the gate, and the memory that it takes: rows per second of CPU, of which one in
five has a value of its own. From the staged column in Parquet to the pseudonyms in Parquet.

Usage: python bench/pseudonyms.py [ROWS [MEMORY_LIMIT [WAY...]]]      (default 10,000,000, 2GB and every way)
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from acequia.agreement.privacy import Kind
from acequia.engine.duck import connect, literal
from acequia.protect.distinct import replaced
from acequia.protect.forms import form_of
from acequia.protect.pseudonyms import pseudonyms
from acequia.protect.same_format import codes

KEY = bytes(range(32))  # of a benchmark
WAYS: dict[str, Callable[[Kind | None], Any]] = {
    "text": lambda _: pseudonyms(KEY),
    "phone": lambda holds: pseudonyms(KEY, form_of(holds, "BW")),
    "national_id": lambda holds: pseudonyms(KEY, form_of(holds, "UY")),
    "same_format": lambda _: codes(KEY, form_of(None, "BW"), whole_numbers=False),
}
HOLDS: dict[str, Kind | None] = {"phone": "phone", "national_id": "national_id"}


def made(place: Path, rows: int, scratch: Path) -> None:
    """Made-up numbers of Botswana, in E.164: each five times on average, in no order."""
    subscribers = max(rows // 5, 1)
    number = f"'+267' || CAST(71000000 + hash(i) % {subscribers} AS VARCHAR)"
    with closing(connect("2GB", scratch)) as connection:
        _write(connection, f"SELECT {number} AS t0 FROM range({rows}) AS of(i)", place)  # noqa: S608


def coded(connection: Any, staged: Path, become: Any, scratch: Path) -> None:
    """What the gate does for a column of pseudonyms; it also sorts all columns by their rows, once."""
    relation = f"read_parquet({literal(str(staged))})"
    values = f"SELECT t0 AS value FROM {relation}"  # noqa: S608 - of a path
    found = replaced(connection, values, become, scratch / "becomes.parquet", ordered=False)
    _write(
        connection,
        f"SELECT m.becomes FROM {relation} AS rows LEFT JOIN {found} AS m ON m.value = rows.t0",  # noqa: S608
        scratch / "coded.parquet",
    )


def _write(connection: Any, query: str, place: Path) -> None:
    options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880"
    connection.execute(f"COPY ({query}) TO {literal(str(place))} ({options})")


@contextmanager
def timed(what: str, rows: int) -> Iterator[None]:
    """Say how long the block took of CPU, all threads together, and of the clock."""
    began, began_cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    sys.stdout.write(f"  {what:<12} {rows / cpu:>10,.0f} rows/s of CPU, {rows / wall:>10,.0f} by the clock\n")


def main(rows: int, memory_limit: str, ways: list[str]) -> None:
    """Make the numbers, then time these ways of coding them, on one core."""
    sys.stdout.write(f"pseudonyms: {rows:,} rows, one in five with a value of its own\n")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        staged = scratch / "staged.parquet"
        made(staged, rows, scratch)
        for name in ways:
            become = WAYS[name](HOLDS.get(name))
            with closing(connect(memory_limit, scratch, threads=1)) as connection, timed(name, rows):
                coded(connection, staged, become, scratch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    sys.stdout.write(f"  peak memory {peak:.2f} GiB, of which DuckDB may use {memory_limit}\n")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 10_000_000, given[1] if len(given) > 1 else "2GB", given[2:] or list(WAYS))
