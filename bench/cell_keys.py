"""What cell keys cost: seconds for record keys of many contributors and for the cells of many rows, with and without.

Usage: python bench/cell_keys.py [ROWS [CONTRIBUTORS]]      (default 5,000,000 and 1,000,000)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from acequia.aggregate.cells import aggregate
from acequia.aggregate.record_keys import record_key
from acequia.agreement.model import Feed
from acequia.disclose.cell_key import p_table, perturbed
from acequia.disclose.control import disclose
from acequia.engine.duck import connect
from acequia.flow import Cells, Count, DeliveryId, Protected
from acequia.period import Period

SECRET = bytes(32)
PROTECT: dict[str, Any] = {"contributor": "msisdn", "min_contributors": 10}
NOISE = {"noise_at_most": 5, "variance": 2.5, "never": 2}


def agreed(protect: dict[str, Any]) -> Feed:
    """Events with a pseudonym and a district."""
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "{period}.csv"},
                "format": "csv",
                "schedule": "0 6 * * *",
                "timezone": "UTC",
                "period": "day",
                "due_within_hours": 24,
                "rows_between": (1, 1_000_000_000),
            },
            "columns": {
                "msisdn": {"type": "string", "treat": "pseudonym"},
                "district": {"type": "string", "treat": "keep", "keep_because": "a district names nobody"},
            },
            "tables": {
                "t": {
                    "describe": "One row per district.",
                    "by": ("district",),
                    "measures": {"events_count": {"count": "rows"}, "people_count": {"count_distinct": "msisdn"}},
                    "protect": protect,
                }
            },
        }
    )


def write_rows(path: Path, rows: int, contributors: int, scratch: Path) -> Protected:
    """Protected rows of so many contributors in 200 districts."""
    with connect("4GB", scratch) as connection:
        numbers = connection.sql("SELECT i FROM range(?) AS t(i)", params=[rows])
        people = f"md5(CAST(hash(i * 7) % {contributors} AS VARCHAR)) AS msisdn"
        numbers.select(f"{people}, 'district ' || (hash(i) % 200) AS district").write_parquet(str(path))
    delivery = DeliveryId(partner="pula", feed="events", period="2026-11-01", version=1)
    return Protected(delivery=delivery, path=str(path), sha256="", columns={}, count=Count(rows_in=rows, rows_out=rows))


def cells(folder: Path, feed: Feed, part: Protected) -> Cells:
    """The cells, as the pipeline makes them."""
    return aggregate(
        "t",
        feed.tables["t"],
        feed,
        (part,),
        Period.parse("2026-11-01"),
        provisional=False,
        reference=folder,
        memory_limit="4GB",
        scratch=folder,
        out=folder / "cells.parquet",
        record_keys=SECRET,
    )


def main() -> None:
    """Measure the parts, then the whole."""
    rows, contributors = [int(asked) for asked in sys.argv[1:]] + [5_000_000, 1_000_000][len(sys.argv) - 1 :]
    started = time.perf_counter()
    for number in range(contributors):
        record_key(SECRET, f"{number:032x}")
    print(f"{contributors:,} record keys by themselves: {time.perf_counter() - started:.2f} s")
    started = time.perf_counter()
    table = p_table(100, 99.0, 4)
    print(f"the largest p-table: {time.perf_counter() - started:.2f} s")
    started = time.perf_counter()
    for number in range(100_000):
        perturbed(50, number, 1, table)
    print(f"100,000 counts perturbed: {time.perf_counter() - started:.2f} s")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        part = write_rows(folder / "rows.parquet", rows, contributors, folder)
        for name, protect in (("without", PROTECT), ("with", {**PROTECT, "cell_key": NOISE})):
            feed = agreed(protect)
            started = time.perf_counter()
            disclose(cells(folder, feed, part), feed.tables["t"], out=folder / "disclosed.parquet")
            print(f"{rows:,} rows to a published table {name} cell keys: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
