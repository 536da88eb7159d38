"""How fast rows become cells: rows per second from protected Parquet to cells and on to the published table, and the
memory that it takes.

Usage: python bench/aggregate.py [ROWS …]      (default 1,000,000 and 10,000,000; memory limited to 4 GB)

Each run is a process of its own, so that peak memory is its own. The table is the one of the mobile example: 200
districts in 10 regions by 24 hours with totals, one distinct count, two sums, a ratio, a median, dominance.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from acequia.aggregate.cells import aggregate
from acequia.agreement.model import Feed
from acequia.disclose.control import disclose
from acequia.engine.duck import connect
from acequia.flow import Count, DeliveryId, Protected
from acequia.period import Period

PROTECT = {"contributor": "msisdn", "min_contributors": 15, "dominance": {"n": 2, "k_pct": 50}, "round_to": 5}
MEASURES: dict[str, Any] = {
    "subscribers_count": {"count_distinct": "msisdn"},
    "events_count": {"count": "rows"},
    "duration_s_sum": {"sum": "duration_s"},
    "amount_sum": {"sum": "amount"},
    "price": {"ratio": {"of": "amount", "to": "duration_s / 60"}},
}
TABLES: dict[str, Any] = {
    "flat": {"by": ("district", "hour"), "measures": MEASURES},
    "totals": {"by": ("district", "hour"), "measures": MEASURES,
               "hierarchy": {"district": ("country", "region", "district")}},
    "median": {"by": ("district", "hour"), "measures": {**MEASURES, "duration_s_median": {"median": "duration_s"}}},
}  # fmt: skip


def agreed_feed() -> Feed:
    """A daily feed of events, five a subscriber."""
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "{period}.csv.gz"},
                "format": "csv",
                "schedule": "0 6 * * *",
                "timezone": "Africa/Gaborone",
                "period": "day",
                "due_within_hours": 30,
            },
            "columns": {
                "msisdn": {"type": "string", "treat": "pseudonym"},
                "cell_id": {"type": "string", "treat": {"lookup": "places"}, "as": "district"},
                "started_at": {"type": "timestamp", "treat": {"part": "hour"}, "as": "hour"},
                "duration_s": {"type": "integer", "treat": "keep"},
                "amount": {"type": "number", "treat": "keep"},
            },
            "tables": {
                name: {"describe": "Of the bench.", "protect": PROTECT, **table} for name, table in TABLES.items()
            },
        }
    )


def make(rows: int, folder: Path) -> Protected:
    """Protected rows, made of hashes: the same for the same number."""
    path = folder / "protected.parquet"
    reference = "".join(f"C{number},D{number},R{number % 10}\n" for number in range(200))
    (folder / "places.csv").write_text(f"cell,district,region\n{reference}", encoding="utf-8")
    with connect("4GB", folder) as connection:
        connection.execute(
            f"""COPY (
                SELECT md5((hash(n) % {max(rows // 5, 1)})::VARCHAR) AS msisdn,
                       'D' || (hash(n + 1) % 200)::VARCHAR AS district,
                       (hash(n + 2) % 24)::BIGINT AS hour,
                       (hash(n + 3) % 3600 + 1)::BIGINT AS duration_s,
                       (hash(n + 4) % 100000)::DOUBLE / 100 AS amount
                FROM range({rows}) AS t(n)
            ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"""  # noqa: S608
        )
    delivery = DeliveryId(partner="bench", feed="events", period="2026-11-16", version=1)
    counted = Count(rows_in=rows, rows_out=rows)
    return Protected(delivery=delivery, path=str(path), sha256="", columns={}, count=counted)


def measure(name: str, protected: Protected, folder: Path) -> None:
    """One table, in this process: prints one line."""
    feed = agreed_feed()
    before, began = time.process_time(), time.perf_counter()
    cells = aggregate(name, feed.tables[name], feed, (protected,), Period.parse("2026-11-16"), provisional=False,
                      reference=folder, memory_limit="4GB", scratch=folder, out=folder / "cells.parquet")  # fmt: skip
    wall, cpu = time.perf_counter() - began, time.process_time() - before
    began = time.perf_counter()
    disclose(cells, feed.tables[name], out=folder / "disclosed.parquet")
    telling = time.perf_counter() - began
    rows, peak = protected.count.rows_in, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:>12,} rows  {name:<7} {cells.cells:>6,} cells  aggregate {wall:6.2f} s ({cpu:6.2f} s CPU, "
          f"{rows / wall:>12,.0f} rows/s)  disclose {telling:5.2f} s  peak {peak:6,.0f} MB")  # fmt: skip


def main() -> None:
    """Every table at every size."""
    for rows in [int(text.replace(",", "")) for text in sys.argv[1:]] or [1_000_000, 10_000_000]:
        with tempfile.TemporaryDirectory() as place:
            protected = make(rows, Path(place))
            for name in TABLES:
                process = multiprocessing.get_context("spawn").Process(
                    target=measure, args=(name, protected, Path(place))
                )
                process.start()
                process.join()


if __name__ == "__main__":
    main()
