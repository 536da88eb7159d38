"""What the report on like rows costs: seconds and memory beside the rows that it looks at.

Usage: python bench/risk.py [ROWS]      (default 1,000,000; five rows a person, 7,200 combinations of four columns)
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from acequia.agreement.model import Feed
from acequia.engine.duck import connect, literal
from acequia.protect.risk import measure

TYPES = {"msisdn": "string", "started_hour": "timestamp", "district": "string", "kind": "string", "age_band": "string",
         "amount": "number"}  # fmt: skip
COLUMNS = {
    "msisdn": {"type": "string", "treat": "pseudonym"},
    "started_hour": {"type": "timestamp", "treat": {"truncate_to": "hour"}},
    "district": {"type": "string", "treat": "keep", "keep_because": "a district names nobody"},
    "kind": {"type": "string", "treat": "keep"},
    "age_band": {"type": "integer", "treat": {"band": (18.0, 30.0, 45.0, 65.0)}},
    "amount": {"type": "number", "treat": "keep"},
}


def agreed_feed() -> Feed:
    """Calls of a day with a pseudonym and four columns that tell people apart."""
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "{period}.csv"},
                "format": "csv",
                "schedule": "0 6 * * *",
                "timezone": "UTC",
                "period": "day",
                "due_within_hours": 24,
                "rows_between": (1, 100_000_000),
            },
            "columns": COLUMNS,
            "privacy": {"sensitive": ("amount",)},
            "tables": {
                "calls": {
                    "describe": "One row per district.",
                    "by": ("district",),
                    "measures": {"calls_count": {"count": "rows"}},
                    "protect": {"contributor": "msisdn", "min_contributors": 10},
                }
            },
        }
    )


def write_rows(path: Path, rows: int, scratch: Path) -> None:
    """Protected rows as the gate writes them."""
    with connect("2GB", scratch) as connection:
        connection.execute(
            f"COPY (SELECT md5(hash(i * 7919 % {rows // 5})::VARCHAR) AS msisdn, TIMESTAMP '2026-11-16 00:00:00' + "  # noqa: S608
            "to_hours((hash(i, 1) % 24)::BIGINT) AS started_hour, 'district ' || (hash(i, 2) % 20) AS district, "
            "['call', 'sms', 'data'][1 + (hash(i, 3) % 3)::BIGINT] AS kind, (hash(i, 4) % 5)::VARCHAR AS age_band, "
            f"(hash(i, 5) % 100)::DOUBLE AS amount FROM range({rows}) AS t(i)) TO {literal(str(path))} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )


def main() -> None:
    """Print the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_rows(folder / "rows.parquet", rows, folder)
        with connect("2GB", folder) as connection:
            wall, cpu = time.perf_counter(), time.process_time()
            found = measure(connection, folder / "rows.parquet", agreed_feed(), TYPES)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:,} rows, {found.people:,} people, {found.classes:,} classes: {wall:.1f} s wall, {cpu:.1f} s CPU, "
          f"peak {peak:,.0f} MB; k {found.k}, trails {[(t.points, t.people, t.unique) for t in found.trails]}")  # noqa: T201  # fmt: skip


if __name__ == "__main__":
    main()
