"""What the leak scan costs on top of the gate, in CPU: a Parquet delivery of 12 columns, five of them kept text.

Usage: python bench/leaks.py [ROWS]      (default 1,000,000)
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from workshop import PERIOD, workshop

from acequia.agreement.model import Feed
from acequia.protect import gate

KEPT = {"type": "string", "treat": "keep"}
COLUMNS: dict[str, dict[str, Any]] = {
    "document": {"type": "string", "treat": "pseudonym", "holds": "national_id"},
    "phone": {"type": "string", "treat": "pseudonym", "holds": "phone"},
    "holder": {"type": "string", "treat": "drop"},
    "sold_at": {"type": "timestamp", "treat": {"truncate_to": "day"}, "as": "sold_on"},
    "ean": {**KEPT, "may_hold": ("card",), "keep_because": "a product's code names nobody"},
    "product": KEPT,
    "shop": KEPT,
    "till": KEPT,
    "kind": {**KEPT, "one_of": ("sale", "return")},
    "quantity": {"type": "integer", "treat": "keep"},
    "price": {"type": "number", "treat": "keep"},
    "note": {"type": "string", "treat": "scrub_text", "required": False},
}
_WORDS = ("yerba", "leche", "pan", "arroz", "aceite", "harina", "queso", "jugo", "agua", "dulce", "fideos", "tomate")


def table(rows: int) -> pa.Table:
    """Receipt lines: 200,000 customers and 20,000 products to the million; a note on one row in twenty, of which one in
    twenty names a phone.
    """
    rng = np.random.default_rng(20261116)
    people, things = rng.integers(0, rows // 5 + 1, rows), rng.integers(0, max(rows // 50, 10), rows)
    products = [f"{_WORDS[n % 12]} {_WORDS[n // 12 % 12]} {n % 997} g" for n in range(max(rows // 50, 10))]
    noted = rng.random(rows) < 0.05
    notes = [
        (f"avisar al 09{n % 9_000_000:07d}" if n % 20 == 0 else f"{_WORDS[n % 12]} {n % 5000} sin stock")
        if there
        else None
        for n, there in enumerate(noted)
    ]
    return pa.table(
        {
            "document": [f"{7_000_000 + n:08d}" for n in people],
            "phone": [f"+5989{n % 10_000_000:07d}" for n in people],
            "holder": ["nobody"] * rows,
            "sold_at": pa.array(np.datetime64(PERIOD, "s") + rng.integers(0, 86_400, rows).astype("timedelta64[s]")),
            "ean": [f"773{n:010d}" for n in things],
            "product": pa.array(products).take(pa.array(things)),
            "shop": [f"Sucursal {n}" for n in rng.integers(0, 60, rows)],
            "till": [f"C{n:03d}" for n in rng.integers(0, 900, rows)],
            "kind": pa.array(["sale", "return"]).take(pa.array((rng.random(rows) < 0.01).astype(np.int64))),
            "quantity": rng.integers(1, 30, rows),
            "price": rng.integers(100, 99_999, rows) / 100,
            "note": pa.array(notes, pa.string()),
        }
    )


def agreed_feed() -> Feed:
    """A daily feed of such rows."""
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "{period}.parquet"},
                "format": "parquet",
                "schedule": "0 6 * * *",
                "timezone": "America/Montevideo",
                "period": "day",
                "due_within_hours": 30,
            },
            "columns": COLUMNS,
            "rows": {"period_column": "sold_at"},
            "tables": {
                "lines": {
                    "describe": "One row per shop.",
                    "by": ("shop",),
                    "measures": {"lines_count": {"count": "rows"}},
                    "protect": {"contributor": "document", "min_contributors": 10},
                }
            },
        }
    )


def main(rows: int) -> None:
    """One small run to load everything, then the one that counts, with the scan timed apart."""
    spent: list[float] = []
    scan = gate.scan

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        try:
            return scan(*args, **kwargs)
        finally:
            spent.append(time.process_time() - began)

    gate.scan = timed
    for many in (1000, rows):
        with workshop() as here:
            plain = here.folder / "sent.parquet"
            pq.write_table(table(many), plain)
            raw = here.land(plain, "lines")
            began = time.process_time()
            here.protect(raw, agreed_feed(), country="UY", language="es")
            whole = time.process_time() - began
    rest = whole - spent[-1]
    sys.stdout.write(
        f"leak scan: {rows:,} rows of 12 columns, 5 of them kept text: {spent[-1]:.2f} s of CPU on top of {rest:.2f} s "
        f"({100 * spent[-1] / rest:.0f} %)\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
