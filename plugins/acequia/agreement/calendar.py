"""When deliveries are due."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from acequia.agreement.delivery import Delivery
from acequia.errors import AcequiaError
from acequia.period import Period


class DaysOff(frozenset[date]):
    """The holidays of a calendar, which holds whole years. Asking for a day of another year is an error
    (`calendar_ended`): a table that ended in silence would make every later holiday a missing delivery.
    """

    name = ""

    @cached_property
    def years(self) -> range:
        """The years that the calendar holds."""
        years = [day.year for day in self]
        return range(min(years), max(years) + 1) if years else range(0)

    def __contains__(self, day: object) -> bool:
        """Whether the day is a holiday."""
        if super().__contains__(day):
            return True
        if isinstance(day, date) and self.name and day.year not in self.years:
            held = f"{self.years[0]} to {self.years[-1]}" if self.years else "no year"
            raise AcequiaError("calendar_ended", f"holidays_{self.name}.csv holds {held}, and {day.year} is asked for")
        return False


def holidays(reference: Path, name: str | None) -> frozenset[date]:
    """The days of `holidays_<name>.csv` (columns `date`, `name`) among the reference tables; none without a name.

    Errors: `reference_missing`, also when the file is not such a table; `calendar_ended` later, when it is asked about
    a year that it does not hold.
    """
    if name is None:
        return frozenset()
    file = reference / f"holidays_{name}.csv"
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            found = DaysOff(date.fromisoformat(row["date"].strip()) for row in csv.DictReader(opened))
    except FileNotFoundError:
        raise AcequiaError("reference_missing", f"there is no {file.name} among the reference tables") from None
    except (KeyError, ValueError, AttributeError, csv.Error):
        raise AcequiaError(
            "reference_missing", f"{file.name} is not a table of `date` (2026-11-21) and `name`"
        ) from None
    found.name = name
    return found


def due_at(delivery: Delivery, period: Period) -> datetime:
    """The latest moment at which the delivery is in time: hours after the period's end, in the feed's time zone."""
    return elapsed(period.end, delivery.timezone, delivery.due_within_hours)


def elapsed(day: date, timezone: str, hours: int) -> datetime:
    """So many hours after a day begins in a zone. A change to or from summer time in between does not move it."""
    zone = ZoneInfo(timezone)
    return datetime.fromtimestamp(datetime.combine(day, time(), zone).timestamp() + hours * 3600, zone)


def expected(delivery: Delivery, first: date, last: date, days_off: frozenset[date] = frozenset()) -> Iterator[Period]:
    """The periods for which a delivery is due, out of those that end between two days (both included), in order."""
    period = Period.holding(delivery.period, first)
    while period.last_day <= last:
        if period.last_day >= first and delivery.is_due(period, days_off):
            yield period
        period = period.next()
