"""How fast the gate is: rows per second from a landed CSV file to protected Parquet, and the memory that it takes.

Usage: python bench/protect.py [ROWS]      (default 1,000,000; eight columns, one of them a pseudonym)
"""

from __future__ import annotations

import gzip
import random
import resource
import sys
import time
from collections.abc import Iterator

from workshop import PERIOD, workshop

from acequia.agreement.model import Feed

COLUMNS = {
    "msisdn": {"type": "string", "treat": "pseudonym"},
    "imei": {"type": "string", "treat": "drop"},
    "started_at": {"type": "timestamp", "treat": {"truncate_to": "hour"}, "as": "started_hour"},
    "cell_id": {"type": "string", "treat": {"lookup": "cell_to_district"}, "as": "district"},
    "duration_s": {"type": "integer", "treat": "keep", "between": (0, 86400)},
    "kind": {"type": "string", "treat": "keep", "one_of": ("call", "sms", "data")},
    "amount": {"type": "number", "treat": {"round_to": 0.5}},
    "age": {"type": "integer", "treat": {"band": (18.0, 30.0, 45.0, 65.0)}, "as": "age_band"},
}


def lines(rows: int) -> Iterator[str]:
    """Made-up call records: five calls a subscriber, 500 cells."""
    rng = random.Random(20261116)
    yield ",".join(COLUMNS) + "\n"
    for _ in range(rows):
        clock = f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
        yield (
            f"+26771{rng.randrange(max(rows // 5, 1)):07d},{rng.randrange(10**14, 10**15)},{PERIOD} {clock},"
            f"C{rng.randrange(500):03d},{rng.randrange(7200)},{rng.choice(('call', 'sms', 'data'))},"
            f"{rng.randrange(10**5) / 100},{rng.randrange(16, 90)}\n"
        )


def agreed_feed() -> Feed:
    """A daily feed of such records."""
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
            "columns": COLUMNS,
            "rows": {"period_column": "started_at"},
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


def main(rows: int) -> None:
    """Make the records, then time the gate alone."""
    with workshop() as here:
        plain = here.folder / "sent.csv.gz"
        with gzip.open(plain, "wt", encoding="utf-8", compresslevel=6) as file:
            file.writelines(lines(rows))
        raw = here.land(plain, "calls")
        began, began_cpu = time.perf_counter(), time.process_time()
        protected = here.protect(raw, agreed_feed(), country="BW", language="en")
        wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"protect: {protected.count.rows_out:,} rows of CSV.gz in {wall:.1f} s ({protected.count.rows_out / wall:,.0f} "
        f"rows/s, {cpu:.1f} s of CPU, peak {peak:,.0f} MB)\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
