"""What is left of uploads that nobody took: gone after the days for which raw files are kept.

What was taken goes together with the raw files of its delivery (`deletion.delete_raw`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from acequia.receive.sources.uploaded import forget
from acequia.receive.uploads import FOLDER, Kept, shelves
from acequia.work import Work


def clear(work: Work, today: date) -> int:
    """Delete uploads that were never completed, and deliveries that nobody looks for any more.

    Args:
        work: the feed.
        today: the day (UTC) for which it is asked.

    Returns:
        How many files went.
    """
    kept_days, terms = work.signed.agreement.terms.raw_kept_days, work.feed.delivery
    partner, feed, ledger = work.partner, work.feed_name, work.ledger
    gone = 0
    for period, shelf in shelves(work.settings.home / FOLDER, partner, feed):
        for kept in shelf.waiting():
            if _is_old([kept], kept_days, today):
                gone += shelf.drop(kept.upload)
        rows = [row for row in ledger.deliveries(partner, feed) if row.period == period.label]
        if rows and rows[-1].status == "withdrawn":
            gone += forget(shelf, ledger.arrivals(partner, feed, period))
        delivered = shelf.delivered()
        unwatched = today > period.last_day + timedelta(days=terms.watched_days)
        if unwatched and _is_old(delivered, kept_days, today):
            gone += shelf.forget()
    return gone


def _is_old(files: Iterable[Kept], kept_days: int, today: date) -> bool:
    newest = max((kept.at for kept in files), default=None)
    return newest is not None and today >= datetime.fromtimestamp(newest, UTC).date() + timedelta(days=kept_days)
