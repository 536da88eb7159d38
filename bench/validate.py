"""How fast a delivery is judged: rows a second through Great Expectations on DuckDB, with 20 checks and Data Docs.

    python bench/validate.py [rows ...]

Prints one line per size; asserts nothing, since machines differ. CPU seconds are the numbers to compare.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "plugins"))

ROWS = """
SELECT md5((i * 7919 % 200000)::VARCHAR) AS who, TIMESTAMP '2026-11-16' + INTERVAL (i % 24) HOUR AS started_hour,
    'district ' || (i % 26) AS district, (i * 31 % 86400)::BIGINT AS duration_s,
    ['call', 'sms', 'data'][1 + i % 3] AS kind, CASE WHEN i % 20 = 0 THEN 'a note' END AS note
FROM range({rows}) t(i)
"""
FEED = """
delivery:
  source: {type: folder, path: "{period}/*.csv"}
  format: csv
  schedule: "0 6 * * *"
  timezone: Africa/Gaborone
  period: day
  due_within_hours: 30
columns:
  who:        {type: string,    treat: pseudonym}
  started_at: {type: timestamp, treat: {truncate_to: hour}, as: started_hour}
  cell_id:    {type: string,    treat: {lookup: cell_to_district}, as: district}
  duration_s: {type: integer,   treat: keep, between: [0, 86400]}
  kind:       {type: string,    treat: keep, one_of: [call, sms, data]}
  note:       {type: string,    treat: scrub_text, required: false}
tables:
  by_kind: {describe: One row per kind., by: [kind], measures: {n: {count: rows}}, protect: {none_because: a benchmark}}
"""


def frozen(value: Any) -> Any:
    """Lists as tuples, which is how agreements are held."""
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def main(sizes: list[int]) -> None:
    """Judge a made-up delivery of each size twice: the first run pays for the import."""
    import duckdb
    import yaml

    from acequia.agreement.model import Feed
    from acequia.flow import Count, DeliveryId, Protected
    from acequia.validate.verdict import validate

    feed = Feed.model_validate(frozen(yaml.safe_load(FEED)))
    print(f"{'rows':>10} {'run':>6} {'wall s':>8} {'CPU s':>8} {'rows/s of CPU':>14} {'peak MB':>8}")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        for rows in sizes:
            path = Path(folder) / str(rows) / "protected.parquet"
            path.parent.mkdir()
            duckdb.sql(ROWS.format(rows=rows)).write_parquet(str(path))
            delivery = DeliveryId(partner="bench", feed="events", period="2026-11-16", version=1)
            count = Count(rows_in=rows, rows_out=rows)
            protected = Protected(delivery=delivery, path=str(path), sha256="", columns={}, count=count)
            for run in ("first", "again"):
                wall, cpu = time.perf_counter(), time.process_time()
                validated = validate(
                    protected, feed, expectations=Path("none"), docs=Path(folder) / "docs", memory_limit="2GB"
                )
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                said = f"{rows:>10,} {run:>6} {wall:>8.2f} {cpu:>8.2f} {rows / cpu:>14,.0f} {peak:>8,.0f}"
                print(said if validated.passed else f"{said}  FAILED")  # noqa: T201


if __name__ == "__main__":
    main([int(given) for given in sys.argv[1:]] or [100_000, 1_000_000])
