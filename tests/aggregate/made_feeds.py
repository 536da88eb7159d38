"""Feeds and protected rows that the tests of aggregate and disclose make up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from acequia.aggregate.cells import aggregate
from acequia.agreement.model import Feed
from acequia.agreement.tables import Table
from acequia.flow import Cells, Count, DeliveryId, Protected
from acequia.period import Period

REFERENCE = """cell,district,region
C1,Gaborone,South
C2,Gaborone,South
C3,Lobatse,South
C4,Maun,North
C5,Kasane,North
"""
COLUMNS: dict[str, Any] = {
    "at": {"type": "timestamp", "treat": "keep"},
    "person": {"type": "string", "treat": "pseudonym", "required": False},
    "cell": {"type": "string", "treat": {"lookup": "places"}, "as": "district"},
    "kind": {"type": "string", "treat": "keep", "one_of": ("call", "sms", "data"), "required": False},
    "hour": {"type": "integer", "treat": "keep"},
    "amount": {"type": "number", "treat": "keep", "required": False},
    "quantity": {"type": "integer", "treat": "keep", "required": False},
    "is_late": {"type": "boolean", "treat": "keep", "required": False},
}
SCHEMA = pa.schema(
    [
        ("at", pa.timestamp("us")),
        ("person", pa.string()),
        ("district", pa.string()),
        ("kind", pa.string()),
        ("hour", pa.int64()),
        ("amount", pa.float64()),
        ("quantity", pa.int64()),
        ("is_late", pa.bool_()),
    ]
)


def a_feed(*, columns: dict[str, Any] | None = None, tables: dict[str, Any], **more: Any) -> Feed:
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "x.csv"},
                "format": "csv",
                "schedule": "0 5 * * *",
                "timezone": "Africa/Gaborone",
                "period": "day",
                "due_within_hours": 24,
            },
            "columns": COLUMNS if columns is None else columns,
            "tables": {name: {"describe": "One row per cell.", **table} for name, table in tables.items()},
            **more,
        }
    )


def a_reference(folder: Path, text: str = REFERENCE) -> Path:
    (folder / "reference").mkdir(exist_ok=True)
    (folder / "reference" / "places.csv").write_text(text, encoding="utf-8")
    return folder / "reference"


def protected(
    folder: Path, rows: pd.DataFrame | pa.Table, *, day: int = 1, schema: pa.Schema | None = SCHEMA
) -> Protected:
    if isinstance(rows, pd.DataFrame):
        rows = pa.Table.from_pandas(rows, schema=schema, preserve_index=False)
    path = folder / f"protected{day}.parquet"
    pq.write_table(rows, path)
    return Protected(
        delivery=DeliveryId(partner="pula", feed="events", period=f"2026-11-{day:02d}", version=1),
        path=str(path),
        sha256="0" * 64,
        columns={},
        count=Count(rows_in=rows.num_rows, rows_out=rows.num_rows),
    )


def cells_of(
    folder: Path, feed: Feed, table: Table, parts: tuple[Protected, ...], *, name: str = "cells", **more: Any
) -> Cells:
    defaults: dict[str, Any] = {"provisional": False, "reference": folder / "reference", "memory_limit": "1GB"}
    window = Period.parse("2026-11-01" if table.over == "delivery" else "2026-11")
    return aggregate(
        "t", table, feed, parts, window, scratch=folder, out=folder / f"{name}.parquet", **{**defaults, **more}
    )


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows of `SCHEMA`, null where nothing is said."""
    return pa.Table.from_pylist([{name: row.get(name) for name in SCHEMA.names} for row in rows], SCHEMA).to_pandas(
        types_mapper=pd.ArrowDtype
    )
