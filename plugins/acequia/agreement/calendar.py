"""When deliveries are due."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.errors import AcequiaError
from acequia.period import Period


def holidays(reference: Path, name: str | None) -> frozenset[date]:
    """The days of `holidays_<name>.csv` (columns `date`, `name`) among the reference tables; none without a name.

    Errors: `reference_missing`, also when the file is not such a table.
    """
    if name is None:
        return frozenset()
    file = reference / f"holidays_{name}.csv"
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return frozenset(date.fromisoformat(row["date"].strip()) for row in csv.DictReader(opened))
    except FileNotFoundError:
        raise AcequiaError("reference_missing", f"there is no {file.name} among the reference tables") from None
    except (KeyError, ValueError, AttributeError, csv.Error):
        raise AcequiaError(
            "reference_missing", f"{file.name} is not a table of `date` (2026-11-21) and `name`"
        ) from None


def due_at(delivery: Delivery, period: Period) -> datetime:
    """The latest moment at which the delivery is in time: hours after the period's end, in the feed's time zone.

    The hours are elapsed ones, so a change to or from summer time in between does not move the moment.
    """
    end = datetime.combine(period.end, time(), delivery.zone)
    return datetime.fromtimestamp(end.timestamp() + delivery.due_within_hours * 3600, delivery.zone)


def expected(delivery: Delivery, first: date, last: date, days_off: frozenset[date] = frozenset()) -> Iterator[Period]:
    """The periods for which a delivery is due, out of those that end between two days (both included), in order."""
    period = Period.holding(delivery.period, first)
    while period.last_day <= last:
        if period.last_day >= first and delivery.is_due(period, days_off):
            yield period
        period = period.next()
