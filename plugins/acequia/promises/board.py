"""The board: one row per feed and period between two days, with the promise that was made and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from acequia.agreement.calendar import due_at, holidays
from acequia.agreement.delivery import Delivery
from acequia.agreement.load import Signed, in_force
from acequia.ledger.acceptance import accepted_at
from acequia.ledger.book import Ledger
from acequia.ledger.listing import DeliveryRow
from acequia.pauses import paused
from acequia.period import Period
from acequia.promises.states import Due, Punctuality, Standing, State, Version, stand


@dataclass(frozen=True)
class Promise:
    """One feed and period. Moments are in UTC; `due_at` and `missing_from` are None where nothing is due.

    `sent_at`, `received_at` and `code` are of the version that the state speaks of, `first_sent_at` is of the first one
    that arrived; all None while nothing did. `stands` is the version whose rows count. `repeats` counts how often bytes
    that were known came again.
    """

    partner: str
    feed: str
    period: Period
    state: State
    due_at: datetime | None
    missing_from: datetime | None
    punctuality: Punctuality | None
    sent_at: datetime | None
    first_sent_at: datetime | None
    received_at: datetime | None
    stands: int | None
    versions: int
    repeats: int
    code: str | None
    decided: bool
    newest_refused: bool
    paused: bool
    agreement_version: str

    @property
    def hours_late(self) -> float | None:
        """By how many hours the first version came after it was due; None if it came in time, or not at all."""
        if self.punctuality != "late" or self.due_at is None or self.first_sent_at is None:
            return None
        return (self.first_sent_at - self.due_at) / timedelta(hours=1)

    def as_row(self) -> dict[str, Any]:
        """For printing: labels and moments as text."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        moments = {name: value.isoformat() for name, value in row.items() if isinstance(value, datetime)}
        return row | moments | {"period": self.period.label}


def board(
    agreements: Iterable[Sequence[Signed]], reference: Path, book: Ledger, first: date, last: date, now: datetime
) -> list[Promise]:
    """Every period whose last day lies between two days (both included), by partner, feed and period.

    Args:
        agreements: the versions of each partner's agreement, in the order in which they hold.
        reference: the folder of reference tables, with the calendars of holidays.
        book: the ledger.
        first: the first of the days.
        last: the last of the days.
        now: the moment for which the states are asked.

    Raises:
        AcequiaError: `calendar_ended` where a calendar of holidays does not reach; `reference_missing` without one.
    """
    found: list[Promise] = []
    for versions in agreements:
        for name in dict.fromkeys(name for signed in versions for name in signed.agreement.feeds):
            known = Known.of(book, versions[0].agreement.partner, name)
            found += of_feed(versions, name, reference, known, first, last, now)
    return sorted(found, key=lambda one: (one.partner, one.feed, one.period))


@dataclass(frozen=True)
class Known:
    """What the ledger knows of a feed: its versions by period, in their order, and whether it is paused."""

    versions: Mapping[str, Sequence[Version]]
    paused: bool = False

    @classmethod
    def of(cls, book: Ledger, partner: str, feed: str) -> Known:
        """Ask the ledger."""
        accepted = accepted_at(book.engine, partner, feed)
        versions: dict[str, list[Version]] = {}
        for row in book.deliveries(partner, feed):
            versions.setdefault(row.period, []).append(version_of(row, accepted))
        return cls(versions, paused(book, partner, feed) is not None)


def version_of(row: DeliveryRow, accepted: Mapping[tuple[str, int], datetime]) -> Version:
    """A row of the ledger as a version; `accepted` says when which was first accepted, by period and number."""
    decisions = {"received": "none", "refused": "refused", "withdrawn": "withdrawn"}
    received = _moment(row.received_at)
    return Version(
        number=row.version,
        sent_at=min(_moment(row.sent_at), received),
        received_at=received,
        decision=decisions.get(row.status, "accepted"),  # type: ignore[arg-type]
        accepted_at=accepted.get((row.period, row.version)),
        code=row.code,
        repeats=row.repeats,
        repeated_at=_moment(row.last_repeat_at) if row.last_repeat_at else None,
    )


def of_feed(
    versions: Sequence[Signed], name: str, reference: Path, known: Known, first: date, last: date, now: datetime
) -> Iterator[Promise]:
    """The promises of one feed, for periods that end between two days, each by the version that holds for it."""
    for signed in versions:
        if name not in signed.agreement.feeds:
            continue
        terms = signed.agreement.feeds[name].delivery
        days_off = holidays(reference, terms.calendar)
        for period in ending_between(terms, first, last):
            if in_force(versions, period) is signed:
                due = due_of(signed, terms, period, days_off)
                standing = stand(due, known.versions.get(period.label, ()), now)
                yield _promise(signed, name, period, due, standing, known)


def due_of(signed: Signed, terms: Delivery, period: Period, days_off: frozenset[date]) -> Due:
    """What the calendar says of a period, under the version that holds for it."""
    told = signed.agreement.terms
    covered = told.holds_from <= period.start and period.last_day <= told.expires_on
    if not covered or not terms.is_due(period, days_off):
        return Due(None)
    return Due(due_at(terms, period).astimezone(UTC), timedelta(hours=terms.grace_hours))


def ending_between(terms: Delivery, first: date, last: date) -> Iterator[Period]:
    """The periods of a feed whose last day lies between two days, both included, due or not."""
    period = Period.holding(terms.period, first)
    while period.last_day <= last:
        yield period
        period = period.next()


def _promise(signed: Signed, name: str, period: Period, due: Due, standing: Standing, known: Known) -> Promise:
    versions, told = known.versions.get(period.label, ()), standing.version
    return Promise(
        partner=signed.agreement.partner,
        feed=name,
        period=period,
        state=standing.state,
        due_at=due.at,
        missing_from=due.missing_from,
        punctuality=standing.punctuality,
        sent_at=told.sent_at if told else None,
        first_sent_at=versions[0].sent_at if versions else None,
        received_at=told.received_at if told else None,
        stands=standing.stands,
        versions=len(versions),
        repeats=sum(version.repeats for version in versions),
        code=told.code if told else None,
        decided=standing.decided,
        newest_refused=standing.newest_refused,
        paused=known.paused,
        agreement_version=signed.agreement.terms.version,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
