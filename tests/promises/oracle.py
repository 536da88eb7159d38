"""What every promise should be, told independently: no line of the product, its own zones, its own calendar.

It knows partners' deeds in the order in which we saw them, and tells the story; the product looks at versions.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

HOUR = 3600
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ONE_DAY = timedelta(days=1)


# Zones: seconds from UTC, by rules written down by hand. Epoch seconds in, offset out.


def _epoch(year: int, month: int, day: int, hour: int = 0) -> int:
    return calendar.timegm((year, month, day, hour, 0, 0))


def _sunday(year: int, month: int, not_before: int) -> int:
    """The day of the month of the first Sunday that is not before a day."""
    return next(d for d in range(not_before, not_before + 7) if date(year, month, d).weekday() == 6)


def _year(epoch: int) -> int:
    return (datetime(1970, 1, 1) + timedelta(seconds=epoch)).year  # noqa: DTZ001


def new_york(epoch: int) -> int:
    year = _year(epoch)
    begins = _epoch(year, 3, _sunday(year, 3, 8), 7)
    ends = _epoch(year, 11, _sunday(year, 11, 1), 6)
    return (-4 if begins <= epoch < ends else -5) * HOUR


def madrid(epoch: int) -> int:
    year = _year(epoch)
    begins = _epoch(year, 3, _sunday(year, 3, 25), 1)
    ends = _epoch(year, 10, _sunday(year, 10, 25), 1)
    return (2 if begins <= epoch < ends else 1) * HOUR


def santiago(epoch: int) -> int:
    """Summer time ends on the first Sunday of April from the 2nd on, begins on that of September, both at midnight."""
    year = _year(epoch)
    ends = _epoch(year, 4, _sunday(year, 4, 2), 3)
    begins = _epoch(year, 9, _sunday(year, 9, 2), 4)
    return (-4 if ends <= epoch < begins else -3) * HOUR


def always(hours: float) -> Callable[[int], int]:
    return lambda _: int(hours * HOUR)


ZONES: dict[str, Callable[[int], int]] = {
    "America/New_York": new_york,
    "Europe/Madrid": madrid,
    "America/Santiago": santiago,
    "Asia/Kathmandu": always(5.75),
    "Africa/Gaborone": always(2),
    "America/Montevideo": always(-3),
    "Pacific/Kiritimati": always(14),
    "Pacific/Pago_Pago": always(-11),
}


def day_begins(zone: str, day: date) -> int:
    """The first second of a local day: where midnight does not exist, the first one after it."""
    offset, noon_utc = ZONES[zone], _epoch(day.year, day.month, day.day, 12)
    moment = noon_utc - 36 * HOUR
    step = 15 * 60
    while moment + offset(moment) < _epoch(day.year, day.month, day.day):
        moment += step
    return moment


# The calendar, day by day.


def period_days(kind: str, day: date) -> list[date]:
    """The days of the period that holds a day."""
    belongs: Callable[[date], object] = {
        "day": lambda d: d,
        "week": lambda d: d.isocalendar()[:2],
        "month": lambda d: (d.year, d.month),
        "quarter": lambda d: (d.year, (d.month - 1) // 3),
        "year": lambda d: d.year,
    }[kind]
    first = day
    while belongs(first - ONE_DAY) == belongs(day):
        first -= ONE_DAY
    days = [first]
    while belongs(days[-1] + ONE_DAY) == belongs(day):
        days.append(days[-1] + ONE_DAY)
    return days


def label(kind: str, first: date) -> str:
    return {
        "day": f"{first:%Y-%m-%d}",
        "week": f"{first:%G-W%V}",
        "month": f"{first:%Y-%m}",
        "quarter": f"{first:%Y}-Q{1 + (first.month - 1) // 3}",
        "year": f"{first:%Y}",
    }[kind]


@dataclass(frozen=True)
class Terms:
    """What was agreed about a feed, as plain values."""

    kind: str
    zone: str
    due_within_hours: int
    grace_hours: int
    starts: date
    ends: date
    weekdays: Sequence[str] = WEEK
    free: frozenset[date] = frozenset()

    def due(self, days: Sequence[date]) -> int | None:
        """The last second in time, or None when nothing is due for these days."""
        if days[0] < self.starts or days[-1] > self.ends:
            return None
        for day in days:
            if day not in self.free and f"{day:%A}".lower() in self.weekdays:
                return day_begins(self.zone, days[-1] + ONE_DAY) + self.due_within_hours * HOUR
        return None


# The story.


@dataclass(frozen=True)
class Deed:
    """`seen` and `sent` are epoch seconds. `what`: sent, again, withdrawn, decided, read_otherwise; `fate` of what was
    sent or decided: taken, turned_away (with a code), open.
    """

    what: str
    seen: float
    sent: float = 0.0
    fate: str = "taken"
    code: str = ""


@dataclass
class Told:
    """Where a period stands."""

    state: str
    stands: int | None = None
    versions: int = 0
    repeats: int = 0
    punctuality: str | None = None
    decided: bool = True
    newest_refused: bool = False
    due: int | None = None


@dataclass
class _Story:
    due: int | None
    told: Told = field(default_factory=lambda: Told("-"))
    sent_of: dict[int, float] = field(default_factory=dict)
    taken: int = 0
    last_taken: int = 0
    held: str = ""  # the state before something came that is not judged yet
    taken_back: bool = False

    def in_time(self, sent: float) -> str:
        return "on_time" if self.due is None or sent <= self.due else "late"

    def sent(self, deed: Deed) -> None:
        told = self.told
        told.versions += 1
        self.sent_of[told.versions] = deed.sent
        if told.versions == 1:
            told.punctuality = self.in_time(deed.sent)
        self.fate(deed)

    def fate(self, deed: Deed) -> None:
        told, sent = self.told, self.sent_of[self.told.versions]
        told.decided, told.newest_refused = deed.fate != "open", False
        if deed.fate == "taken":
            self.taken += 1
            told.stands = self.last_taken = told.versions
            self.taken_back, self.held = False, ""
            told.state = "corrected" if self.taken > 1 else self.in_time(sent)
        elif self.taken_back:
            told.state = "withdrawn"
            told.newest_refused = deed.fate == "turned_away"
        elif told.stands is not None:
            told.newest_refused = deed.fate == "turned_away"
            told.state, self.held = self.held or told.state, ""
            if deed.fate == "open":
                self.held = told.state
                told.state = "corrected" if self.taken > 1 else self.in_time(self.sent_of[told.stands])
        elif deed.fate == "open":
            told.state = self.in_time(sent)
        else:
            lacks = ("file_not_sent", "file_truncated", "file_empty", "manifest_missing")
            told.state = "partial" if deed.code in lacks else "refused"

    def again(self, _: Deed) -> None:
        self.told.repeats += 1
        if self.told.stands == self.told.versions:
            self.told.state = "duplicate"

    def withdrawn_again(self, _: Deed) -> None:
        """Bytes that were taken back come once more; they stay so."""
        self.told.repeats += 1

    def withdrawn(self, _: Deed) -> None:
        """The newest one is taken back: for good, if it ever counted."""
        told = self.told
        told.newest_refused, told.decided = False, True
        if self.last_taken == told.versions:
            told.stands, self.taken_back = None, True
        if told.stands is None:
            told.state = "withdrawn"

    def withdrawn_all(self, _: Deed) -> None:
        """Every version is taken back."""
        told = self.told
        told.newest_refused, told.decided, told.stands = False, True, None
        self.taken_back = self.taken > 0
        told.state = "withdrawn"

    def read_otherwise(self, deed: Deed) -> None:
        """What stood, and is the newest, is turned away under another reading of the agreement."""
        self.told.stands = None
        self.fate(deed)


def tell(terms: Terms, days: Sequence[date], deeds: Iterable[Deed], now: float) -> Told:
    """Where the period of these days stands, after deeds in the order in which they were seen."""
    due = terms.due(days)
    story = _Story(due)
    happened = [deed for deed in deeds if deed.seen <= now]
    for deed in happened:
        getattr(story, deed.what)(deed)
    if not happened:
        if due is None:
            story.told.state = "not_due"
        elif now <= due:
            story.told.state = "expected"
        else:
            story.told.state = "late" if now <= due + terms.grace_hours * HOUR else "missing"
    story.told.due = due
    return story.told
