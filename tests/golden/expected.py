"""The expected cells of golden deliveries as CSV. `python -m tests.golden.expected` writes them anew: read them."""

from __future__ import annotations

import csv
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.golden.independent import cells
from tests.golden.partners import FEEDS

GOLDEN = Path(__file__).parent


def delivery_of(partner: str, feed: str) -> Path | None:
    """The golden file of a feed, named after its period."""
    found = [path for path in (GOLDEN / partner / feed).glob("2*") if path.suffix in (".csv", ".jsonl")]
    return found[0] if found else None


def computed(partner: str, feed: str, table: str) -> list[dict[str, str]]:
    """The cells that plain Python makes of the golden delivery, as text."""
    gate, tables = FEEDS[partner, feed]
    file = delivery_of(partner, feed)
    assert file is not None
    return [{name: text(value) for name, value in row.items()} for row in cells(gate(file), tables[table])]


def text(value: Any) -> str:
    """Numbers to ten digits, times to the second, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, Fraction | float):
        return f"{float(value):.10g}"
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def write() -> None:
    """Write the expected cells of every table."""
    for (partner, feed), (_, tables) in FEEDS.items():
        for table in tables:
            rows = computed(partner, feed, table)
            with (GOLDEN / partner / feed / f"expected-{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    write()
