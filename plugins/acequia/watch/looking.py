"""What is new at the sources: everything that lies there, compared with what the ledger knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal

from croniter import croniter

from acequia.agreement.delivery import Delivery
from acequia.agreement.load import Broken, Signed, in_force, load_all, versions
from acequia.errors import AcequiaError
from acequia.ledger.book import Ledger
from acequia.ledger.listing import DeliveryRow
from acequia.pauses import paused
from acequia.period import Period
from acequia.promises.board import ending_between
from acequia.receive.connections import Resolver
from acequia.receive.looking import look_at
from acequia.settings import Settings

BY_SCHEDULE = "by-schedule"  # what stands for an arrival where a source tells none


@dataclass(frozen=True)
class Coming:
    """Something to run: new at the source, due by its schedule (a sql source), or begun and not ended."""

    partner: str
    feed: str
    period: Period
    arrival: str
    why: Literal["new", "by_schedule", "unfinished"]

    @property
    def key(self) -> str:
        """How it is called in records: `pula_mobile.events 2026-11-21`."""
        return f"{self.partner}.{self.feed} {self.period}"


@dataclass
class Seen:
    """What a look found. `troubles` say what kept a partner or feed from being looked at, by codes."""

    comings: list[Coming] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    looked_at: int = 0


@dataclass(frozen=True)
class Eyes:
    """What a look needs: places, the ledger, connections, and the moment."""

    settings: Settings
    ledger: Ledger
    connect: Resolver
    now: datetime


def look_around(eyes: Eyes, partner: str | None = None) -> Seen:
    """Look at every running feed of every partner, or of one. One that is broken, or out of reach, harms no other."""
    seen = Seen()
    for found in load_all(eyes.settings.partners):
        name = found.path.stem
        if partner not in (None, name):
            continue
        with telling(name, seen.troubles):
            if isinstance(found, Broken):
                raise found.error
            _look_at_partner(eyes, versions(eyes.settings.partners, name), seen)
    seen.comings.sort(key=lambda one: (one.partner, one.feed, one.period))
    return seen


def _look_at_partner(eyes: Eyes, known: Sequence[Signed], seen: Seen) -> None:
    partner = known[0].agreement.partner
    for feed in dict.fromkeys(feed for signed in known for feed in signed.agreement.feeds):
        where = f"{partner}.{feed}"
        with telling(where, seen.troubles):
            if paused(eyes.ledger, partner, feed):
                seen.paused.append(where)
                continue
            rows = _rows(eyes.ledger, partner, feed)
            for signed in known:
                if feed in signed.agreement.feeds:
                    periods = [
                        period for period in watched(signed, feed, eyes.now) if in_force(known, period) is signed
                    ]
                    seen.looked_at += len(periods)
                    seen.comings += _look_at_feed(eyes, signed, feed, periods, rows)


def watched(signed: Signed, feed: str, now: datetime) -> list[Period]:
    """The periods that are over and still looked for, in order: due or not, as long as the agreement covers them."""
    terms, told = signed.agreement.feeds[feed].delivery, signed.agreement.terms
    today = now.astimezone(terms.zone).date()
    first = max(today - timedelta(days=terms.watched_days), told.holds_from)
    last = min(today - timedelta(days=1), told.expires_on)
    if first > last:
        return []
    return [period for period in ending_between(terms, first, last) if period.start >= told.holds_from]


def _look_at_feed(
    eyes: Eyes, signed: Signed, feed: str, periods: list[Period], rows: dict[str, DeliveryRow]
) -> Iterator[Coming]:
    terms, partner = signed.agreement.feeds[feed].delivery, signed.agreement.partner
    if terms.source.type == "sql":
        yield from _by_schedule(eyes, partner, feed, terms, periods, rows)
        return
    varies = "{" in getattr(terms.source, "path", "{")
    for period, arrival in look_at(
        terms,
        partner=partner,
        feed_name=feed,
        periods=periods if varies else _likely(terms, periods, rows),
        connect=eyes.connect,
        inbox=eyes.settings.home / "inbox" / partner,
    ):
        row = rows.get(period.label)
        known = not varies and any(arrival == other.arrival for other in rows.values())
        if row is not None and is_unfinished(row) and arrival in (None, row.arrival):
            yield Coming(partner, feed, period, row.arrival, "unfinished")
        elif arrival and not known and (row is None or arrival not in eyes.ledger.arrivals(partner, feed, period)):
            yield Coming(partner, feed, period, arrival, "new")


def _likely(terms: Delivery, periods: list[Period], rows: dict[str, DeliveryRow]) -> list[Period]:
    """Where the path is the same for every period: the last one that is over; and, where manifests say which period
    they are about, those of which nothing came.
    """
    told = terms.manifest != "none"
    return [period for period in periods if period == periods[-1] or (told and period.label not in rows)]


def _by_schedule(
    eyes: Eyes, partner: str, feed: str, terms: Delivery, periods: list[Period], rows: dict[str, DeliveryRow]
) -> Iterator[Coming]:
    """A source that tells no arrivals is asked when the schedule says so, until something stands."""
    for period in periods:
        row = rows.get(period.label)
        if row is not None and is_unfinished(row):
            yield Coming(partner, feed, period, BY_SCHEDULE, "unfinished")
        elif (row is None or row.status == "refused") and scheduled_at(terms, period) <= eyes.now:
            yield Coming(partner, feed, period, BY_SCHEDULE, "by_schedule")


def scheduled_at(terms: Delivery, period: Period) -> datetime:
    """The first moment of the schedule after the period, in the feed's zone."""
    over = datetime.combine(period.end, time(), terms.zone)
    moment: datetime = croniter(terms.schedule, over - timedelta(seconds=1)).get_next(datetime)
    return moment


def is_unfinished(row: DeliveryRow) -> bool:
    """Whether a delivery was begun and not ended: a run was killed, paused, or stopped by an error of ours."""
    return row.status == "received" or (row.status in ("accepted", "published") and not row.finished)


def _rows(ledger: Ledger, partner: str, feed: str) -> dict[str, DeliveryRow]:
    """The newest version of each period."""
    return {row.period: row for row in ledger.deliveries(partner, feed)}


@contextmanager
def telling(where: str, troubles: list[str]) -> Iterator[None]:
    """One's trouble stops no other. An unforeseen error shows its kind alone."""
    try:
        yield
    except AcequiaError as error:
        troubles.append(f"{where}: {error.code}")
    except Exception as error:  # noqa: BLE001
        troubles.append(f"{where}: {type(error).__name__}")


__all__ = ["BY_SCHEDULE", "Coming", "Eyes", "Seen", "is_unfinished", "look_around", "scheduled_at", "watched"]
