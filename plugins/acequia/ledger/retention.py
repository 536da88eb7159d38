"""What has been kept for as long as was agreed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, RowMapping, select

from acequia.flow import DeliveryId
from acequia.ledger import models
from acequia.period import Period


def due(
    connection: Connection, what: Literal["raw", "protected"], partner: str, feed: str, today: date, kept_days: int
) -> tuple[DeliveryId, ...]:
    """Deliveries whose bytes of that kind came `kept_days` or more ago (days in UTC) and are there still.

    Versions of a period with the same content share their raw bytes: they are due together, with the youngest. A
    delivery of today that is neither accepted nor refused is being worked on, and is due tomorrow at the earliest.
    """
    table = models.delivery
    found = connection.execute(select(table).where(table.c.partner == partner, table.c.feed == feed)).mappings()
    shared: dict[tuple[str, ...], list[RowMapping]] = defaultdict(list)
    for row in found:
        if row[f"{what}_deleted_at"] is None:
            own = row["content_sha256"] if what == "raw" else str(row["version"])
            shared[row["period"], own].append(row)
    rows = [row for group in shared.values() if all(_is_due(r, what, today, kept_days) for r in group) for row in group]
    rows.sort(key=lambda row: (Period.parse(row["period"]), row["version"]))
    return tuple(DeliveryId(partner=partner, feed=feed, period=row["period"], version=row["version"]) for row in rows)


def _is_due(row: RowMapping, what: str, today: date, kept_days: int) -> bool:
    since = datetime.fromisoformat(row[f"{what}_since"]).date()
    open_yet = row["status"] == "received" and today <= since
    return today >= since + timedelta(days=kept_days) and not open_yet
