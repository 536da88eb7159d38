"""States of generated calendars and stories equal those of the independent oracle."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from acequia.agreement.calendar import due_at
from acequia.agreement.delivery import WEEKDAYS, Delivery
from acequia.period import Period
from acequia.promises.states import LACKING, Due, Version, stand
from tests.promises import oracle

KINDS = ("day", "week", "month", "quarter", "year")
DAYS = some.dates(date(2024, 1, 1), date(2035, 12, 31))


def moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


@pytest.mark.parametrize("zone", oracle.ZONES)
def test_the_oracle_knows_its_zones(zone: str) -> None:
    """Its hand-written rules against the zone's own table, every six hours of twelve years."""
    told, known = oracle.ZONES[zone], ZoneInfo(zone)
    for epoch in range(oracle._epoch(2024, 1, 1), oracle._epoch(2036, 1, 1), 6 * 3600):
        offset = moment(epoch).astimezone(known).utcoffset()
        assert offset is not None and told(epoch) == offset.total_seconds(), moment(epoch)


@some.composite
def agreed(draw: Any) -> tuple[oracle.Terms, Delivery, date]:
    """Terms for the oracle, the same for the product, and a day of the period that is asked about."""
    kind, zone, day = draw(some.sampled_from(KINDS)), draw(some.sampled_from(sorted(oracle.ZONES))), draw(DAYS)
    near = [day + timedelta(days=n) for n in range(-10, 11)]
    free = frozenset(draw(some.lists(some.sampled_from(near), max_size=15)))
    weekdays = (
        tuple(draw(some.lists(some.sampled_from(WEEKDAYS), min_size=1, unique=True))) if kind == "day" else WEEKDAYS
    )
    terms = oracle.Terms(
        kind=kind,
        zone=zone,
        due_within_hours=draw(some.integers(1, 24 * 40)),
        grace_hours=draw(some.integers(0, 24 * 20)),
        starts=draw(some.sampled_from([date(2020, 1, 1), day - timedelta(days=3), day, day + timedelta(days=1)])),
        ends=draw(some.sampled_from([date(2040, 1, 1), day - timedelta(days=1), day, day + timedelta(days=5)])),
        weekdays=weekdays,
        free=free,
    )  # fmt: skip
    delivery = Delivery(
        source={"type": "folder", "path": "x-{period}.csv"},
        format="csv",
        schedule="0 6 * * *",
        timezone=zone,
        period=kind,
        due_within_hours=terms.due_within_hours,
        grace_hours=terms.grace_hours,
        **({"weekdays": weekdays} if kind == "day" else {}),
    )  # fmt: skip
    return terms, delivery, day


def due_by_the_product(terms: oracle.Terms, delivery: Delivery, period: Period) -> Due:
    half = len(terms.free) // 2  # some by the calendar of holidays, some by "nothing due"
    days = sorted(terms.free)
    delivery = delivery.model_copy(update={"nothing_due": tuple(days[:half])})
    covered = period.start >= terms.starts and period.last_day <= terms.ends
    if not covered or not delivery.is_due(period, frozenset(days[half:])):
        return Due(None)
    return Due(due_at(delivery, period).astimezone(UTC), timedelta(hours=delivery.grace_hours))


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(agreed(), some.sampled_from([-(10**6), -1, 0, 1, 10**6]), some.booleans())
def test_nothing_came(made: tuple[oracle.Terms, Delivery, date], beside: int, grace: bool) -> None:
    """Moments beside the two limits tell whether they are the same to the second."""
    terms, delivery, day = made
    days, period = oracle.period_days(terms.kind, day), Period.holding(delivery.period, day)
    assert (days[0], days[-1], oracle.label(terms.kind, days[0])) == (period.start, period.last_day, period.label)
    due, expected = due_by_the_product(terms, delivery, period), terms.due(days)
    assert (due.at and due.at.timestamp()) == expected
    now = (expected or oracle.day_begins(terms.zone, day)) + grace * terms.grace_hours * 3600 + beside
    assert stand(due, (), moment(now)).state == oracle.tell(terms, days, (), now).state


@dataclass
class Book:
    """Keeps versions as the ledger does, from deeds."""

    versions: list[Version] = field(default_factory=list)

    def write(self, deed: oracle.Deed) -> None:
        getattr(self, deed.what)(deed, moment(deed.seen))

    def sent(self, deed: oracle.Deed, at: datetime) -> None:
        fresh = Version(len(self.versions) + 1, moment(deed.sent), at, "none")
        self.versions.append(fresh)
        self.decided(deed, at)

    def decided(self, deed: oracle.Deed, at: datetime) -> None:
        if deed.fate == "taken":
            self._newest(decision="accepted", accepted_at=self.versions[-1].accepted_at or at)
        elif deed.fate == "turned_away":
            self._newest(decision="refused", code=deed.code)

    read_otherwise = decided
    fate = decided

    def again(self, deed: oracle.Deed, at: datetime) -> None:
        self._newest(repeats=self.versions[-1].repeats + 1, repeated_at=at)

    def withdrawn(self, deed: oracle.Deed, at: datetime) -> None:
        self._newest(decision="withdrawn")

    def _newest(self, **changes: Any) -> None:
        self.versions[-1] = replace(self.versions[-1], **changes)


CODES = sorted(LACKING) + ["checks_failed", "column_missing", "checksum_differs"]


@some.composite
def stories(draw: Any, around: float) -> list[oracle.Deed]:
    deeds: list[oracle.Deed] = []
    seen, newest = around - 10**6, "nothing"
    for _ in range(draw(some.integers(1, 7))):
        seen += draw(some.integers(1, 500_000))
        can = {"nothing": ["sent"], "open": ["sent", "again", "fate"], "taken": ["sent", "again", "withdrawn", "read"],
               "turned_away": ["sent", "again", "withdrawn"], "withdrawn": ["sent"]}[newest]  # fmt: skip
        what = draw(some.sampled_from(can))
        fate = draw(some.sampled_from(["taken", "turned_away", "open"] if what == "sent" else ["taken", "turned_away"]))
        code = draw(some.sampled_from(CODES))
        if what in ("sent", "fate"):
            sent = seen - draw(some.sampled_from([0, 0, 1, 200_000, 10**6]))
            sent = draw(some.sampled_from([sent, min(around, seen), min(around + 1, seen)]))
            deeds.append(oracle.Deed(what, seen, sent, fate, code))
            newest = fate
        elif what == "read":
            deeds.append(oracle.Deed("read_otherwise", seen, 0, "turned_away", code))
            newest = "turned_away"
        else:
            deeds.append(oracle.Deed(what, seen))
            newest = "withdrawn" if what == "withdrawn" else newest
    return deeds


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(agreed(), some.data())
def test_every_story(made: tuple[oracle.Terms, Delivery, date], data: Any) -> None:
    terms, delivery, day = made
    days, period = oracle.period_days(terms.kind, day), Period.holding(delivery.period, day)
    due = due_by_the_product(terms, delivery, period)
    deeds = data.draw(stories(terms.due(days) or oracle.day_begins(terms.zone, day)))
    book = Book()
    for number, deed in enumerate(deeds, 1):
        book.write(deed)
        told = oracle.tell(terms, days, deeds[:number], deed.seen)
        found = stand(due, book.versions, moment(deed.seen + 5))
        assert found.state == told.state, (deeds[:number], found)
        assert (found.stands, found.punctuality, found.decided) == (told.stands, told.punctuality, told.decided)
        assert found.newest_refused == told.newest_refused
        assert sum(version.repeats for version in book.versions) == told.repeats
