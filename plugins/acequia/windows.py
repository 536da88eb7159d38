"""Which windows of its tables a delivery brings up to date, and which version of the agreement decides in each.

Questions to the agreement's versions, the calendar and the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import get_args

from acequia.agreement.calendar import holidays
from acequia.agreement.load import Signed, in_force
from acequia.agreement.tables import Table
from acequia.flow import DeliveryId
from acequia.period import Period, PeriodKind
from acequia.work import Work

_BY_LENGTH: tuple[PeriodKind, ...] = get_args(PeriodKind)


def to_release(work: Work, delivery: DeliveryId) -> Iterator[tuple[str, Period, bool]]:
    """The tables and windows that this delivery brings up to date, each with whether it is provisional.

    A table over a longer window may be one that only a later version of the agreement has: it decides in its windows.
    """
    for name, table in work.feed.tables.items():
        if table.over == "delivery":
            yield name, delivery.of_period(), False
    came = {part.of_period() for part in (*work.ledger.accepted(work.partner, work.feed_name), delivery)}
    released = cache(lambda name: work.ledger.released_windows(work.partner, name))
    for kind in spans(work):
        for window in sorted({part.within(kind) for part in came}):
            for name, table in under(work, window, came).feed.tables.items():
                if table.over == kind:
                    yield from _if_due(work, table, name, window, delivery, window.label in released(name))


def spans(work: Work) -> tuple[PeriodKind, ...]:
    """The kinds of windows longer than a delivery, out of every version's tables, the shortest first."""
    feeds = [one.agreement.feeds[work.feed_name] for one in versions(work) if work.feed_name in one.agreement.feeds]
    kinds = {table.over for feed in feeds for table in feed.tables.values()}
    return tuple(kind for kind in _BY_LENGTH if kind in kinds)


def under(work: Work, window: Period, came: Iterable[Period] | None = None) -> Work:
    """The work under the version that decides in a window: the newest in force for a delivery that came for it.

    So no version shapes a table before it holds for something in it. Where nothing came, it is the newest in force.
    `came` are the periods of the accepted deliveries, for whoever knows them already.
    """
    known = versions(work)
    if len(known) == 1:
        return replace(work, signed=known[0])
    if came is None:
        came = [part.of_period() for part in work.ledger.accepted(work.partner, work.feed_name)]
    inside = [part for part in came if _is_within(part, window)]
    holding = [in_force(known, part) for part in inside] or [one for one in known if any(_parts(work, one, window))]
    holding = [one for one in holding if work.feed_name in one.agreement.feeds]
    return replace(work, signed=max(holding, key=lambda one: one.agreement.terms.holds_from)) if holding else work


def _is_within(part: Period, window: Period) -> bool:
    return _BY_LENGTH.index(part.kind) <= _BY_LENGTH.index(window.kind) and part.within(window.kind) == window


def versions(work: Work) -> tuple[Signed, ...]:
    """The agreement's versions, in the order in which they hold."""
    return work.versions or (work.signed,)


def _parts(work: Work, version: Signed, window: Period) -> Iterator[Period]:
    """The delivery periods of a window for which this version is in force, if it has the feed."""
    feed = version.agreement.feeds.get(work.feed_name)
    if feed is None or _BY_LENGTH.index(feed.delivery.period) > _BY_LENGTH.index(window.kind):
        return
    first, last = version.agreement.terms.holds_from, version.agreement.terms.expires_on
    for part in window.parts(feed.delivery.period):
        if first <= part.start <= last and in_force(versions(work), part) is version:
            yield part


def _if_due(
    work: Work, table: Table, name: str, window: Period, delivery: DeliveryId, released: bool
) -> Iterator[tuple[str, Period, bool]]:
    """A table over a longer window is released once the window is closed, then again whenever one of its deliveries is
    corrected. A window is closed when every due period in it is accepted; or, after its end and grace, when a delivery
    of its last due period or of a later one is. Housekeeping closes what is left.
    """
    own = delivery.of_period().within(window.kind)
    closed = released or (window <= own and is_closed(work, window))
    if window == own and (closed or table.release == "each_delivery"):
        yield name, window, not closed
    elif window < own and closed and not released:
        yield name, window, False


def is_closed(work: Work, window: Period) -> bool:
    """Whether everything due in the window is accepted, or can be expected no more."""
    due = sorted(_due(work, window))
    accepted = [Period.parse(part.period) for part in work.ledger.accepted(work.partner, work.feed_name)]
    if set(due) <= set(accepted):
        return bool(due)
    terms = under(work, window).feed.delivery
    return work.ledger.is_past(window.end, terms) and any(part >= due[-1] for part in accepted)


def _due(work: Work, window: Period) -> Iterator[Period]:
    """The periods of a window for which a delivery is due, each by the version that is in force for it."""
    for version in versions(work):
        if parts := tuple(_parts(work, version, window)):
            terms = version.agreement.feed(work.feed_name).delivery
            days_off = holidays(work.settings.reference, terms.calendar)
            yield from (part for part in parts if terms.is_due(part, days_off))
