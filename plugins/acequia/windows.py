"""Which windows of its tables a delivery brings up to date. Questions to the agreement, the calendar and the ledger."""

from __future__ import annotations

from acequia.agreement.calendar import holidays
from acequia.agreement.tables import Table
from acequia.flow import DeliveryId
from acequia.period import Period
from acequia.work import Work


def windows_to_release(work: Work, table: Table, name: str, delivery: DeliveryId) -> list[tuple[Period, bool]]:
    """The windows of a table that this delivery brings up to date, each with whether it is provisional.

    A table over a longer window is released once the window is closed, then again whenever one of its deliveries is
    corrected. A window is closed when every due period in it is accepted; or, after its end and grace, when a delivery
    of its last due period or of a later one is. Housekeeping closes what is left.
    """
    period = delivery.of_period()
    if table.over == "delivery":
        return [(period, False)]
    released = work.ledger.released_windows(work.partner, name)
    own = period.within(table.over)
    earlier = {
        Period.parse(part.period).within(table.over) for part in work.ledger.accepted(work.partner, work.feed_name)
    }
    due: list[tuple[Period, bool]] = []
    for window in sorted(earlier | {own}):
        closed = window.label in released or is_closed(work, window)
        if window == own and (closed or table.release == "each_delivery"):
            due.append((window, not closed))
        elif window < own and closed and window.label not in released:
            due.append((window, False))
    return due


def is_closed(work: Work, window: Period) -> bool:
    """Whether everything due in the window is accepted, or can be expected no more."""
    terms, delivery = work.feed.delivery, work.signed.agreement.terms
    days_off = holidays(work.settings.reference, terms.calendar)
    due = [
        part
        for part in window.parts(terms.period)
        if terms.is_due(part, days_off) and part.start <= delivery.expires_on
    ]
    accepted = [Period.parse(part.period) for part in work.ledger.accepted(work.partner, work.feed_name)]
    if set(due) <= set(accepted):
        return bool(due)
    return work.ledger.is_past(window.end, terms) and any(part >= due[-1] for part in accepted)
