"""Lists of deliveries for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from acequia.ledger import models
from acequia.period import Period


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery. `status` is `corrected` where a later version of the period is accepted. Rows are counts of the
    partner's rows (None until accepted), cells and withheld those of the tables that it brought up to date.
    """

    partner: str
    feed: str
    period: str
    version: int
    rows_in: int | None
    rows_set_aside: int | None
    cells: int
    withheld: int
    tables: tuple[str, ...]
    status: str
    code: str | None
    reason: str | None
    who_acts: str | None
    what_to_do: str | None
    set_aside: dict[str, int]
    agreement_version: str
    finished: bool
    received_at: str
    raw_deleted_at: str | None
    protected_deleted_at: str | None
    sent_at: str
    arrival: str
    repeats: int
    last_repeat_at: str | None
    withdrawn_at: str | None
    signed_by: str | None

    def as_row(self) -> dict[str, Any]:
        """For printing: the columns that fit a line."""
        shown = asdict(self)
        return {name: shown[name] for name in _SHOWN} | {"tables": ", ".join(self.tables)}


_SHOWN = ("partner", "feed", "period", "version", "status", "code", "rows_in", "rows_set_aside", "cells", "withheld",
          "tables", "received_at")  # fmt: skip


def listed(connection: Connection, partner: str | None, feed: str | None) -> list[DeliveryRow]:
    """One row per delivery, in the order of partner, feed, period and version."""
    table = models.delivery
    wanted = select(table)
    if partner is not None:
        wanted = wanted.where(table.c.partner == partner)
    if feed is not None:
        wanted = wanted.where(table.c.feed == feed)
    rows = list(connection.execute(wanted).mappings())
    newest: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if row["status"] in ("accepted", "published"):
            key = (row["partner"], row["feed"], row["period"])
            newest[key] = max(newest.get(key, 0), row["version"])
    rows.sort(key=lambda row: (row["partner"], row["feed"], Period.parse(row["period"]), row["version"]))
    return [_row(dict(row), newest) for row in rows]


def _row(row: dict[str, Any], newest: dict[tuple[str, str, str], int]) -> DeliveryRow:
    corrected = row["version"] < newest.get((row["partner"], row["feed"], row["period"]), 0)
    told = {name: row[name] for name in DeliveryRow.__dataclass_fields__ if name in row}
    told |= {"set_aside": json.loads(row["set_aside"]), "tables": tuple(json.loads(row["tables"]))}
    told["rows_set_aside"] = None if row["rows_in"] is None else row["rows_in"] - row["rows_out"]
    if corrected and row["status"] in ("accepted", "published"):
        told["status"] = "corrected"
    return DeliveryRow(**told)
