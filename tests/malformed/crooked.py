"""A partner whose deliveries are crooked: one feed for each format, with the same columns of every type."""

from __future__ import annotations

from pathlib import Path

import yaml

from acequia.agreement.load import load
from acequia.agreement.model import Feed

PARTNER, PERIOD = "crooked", "2026-11-10"
FORMATS = ("csv", "parquet", "xlsx", "jsonl")
NAMES = ("id", "n", "x", "at", "day", "ok", "note")
HEADER = ",".join(NAMES)
ROWS = 40
BYTES_AT_MOST = 200_000_000

_COLUMNS = {
    "id": {"type": "string", "treat": "pseudonym"},
    "n": {"type": "integer", "treat": "keep", "between": [0, 1000]},
    "x": {"type": "number", "treat": "keep"},
    "at": {"type": "timestamp", "treat": {"truncate_to": "hour"}, "as": "hour"},
    "day": {"type": "date", "treat": {"truncate_to": "month"}, "as": "month"},
    "ok": {"type": "boolean", "treat": "keep", "required": False},
    "note": {"type": "string", "treat": "drop", "required": False},
}
_TABLE = {
    "describe": "One row per hour.",
    "by": ["hour"],
    "measures": {"rows_count": {"count": "rows"}, "n_sum": {"sum": "n"}, "x_sum": {"sum": "x"}},
    "protect": {"contributor": "id", "min_contributors": 3},
    "recipients": ["office"],
}


def agreement() -> dict:
    feeds = {}
    for form in FORMATS:
        feeds[form] = {
            "delivery": {
                "source": {"type": "folder", "path": f"{form}/{{period}}*"},
                "format": form,
                "schedule": "0 6 * * *",
                "timezone": "Africa/Gaborone",
                "period": "day",
                "due_within_hours": 30,
                "settle_seconds": 0,
                "rows_between": [1, 100_000],
                "bytes_at_most": BYTES_AT_MOST,
            },
            "columns": _COLUMNS,
            "rows": {"set_aside_at_most_pct": 10},
            "tables": {f"hours_{form}": _TABLE},
        }
    return {
        "partner": PARTNER,
        "name": "Crooked Ltd",
        "country": "BW",
        "terms": {
            "version": "1.0",
            "legal_basis": "A test",
            "purposes": ["official_statistics"],
            "signed_on": "2026-01-01",
            "expires_on": "2030-01-01",
            "raw_kept_days": 14,
            "protected_kept_days": 400,
            "contacts": {"partner": "p@partner.example", "steward": "s@office.example", "dpo": "d@office.example"},
            "recipients": ["office"],
        },
        "feeds": feeds,
    }


def config(folder: Path) -> Path:
    """The agreement's file in a new folder of configuration."""
    path = folder / "config" / "partners" / f"{PARTNER}.yaml"
    path.parent.mkdir(parents=True)
    (folder / "config" / "reference").mkdir()
    (folder / "config" / "expectations").mkdir()
    path.write_text(yaml.safe_dump(agreement(), sort_keys=False))
    return path


def feed(path: Path, form: str) -> Feed:
    return load(path).agreement.feed(form)


def row(number: int) -> list[str]:
    """A sound row, as CSV has it."""
    return [f"p{number:03}", str(number % 100), f"{number / 4}", f"2026-11-10 {number % 24:02}:15:00", "2026-11-10",
            "true" if number % 2 else "false", f"note {number}"]  # fmt: skip


def rows(count: int = ROWS) -> list[list[str]]:
    return [row(number) for number in range(count)]
