"""What is left of uploads that nobody took: gone after the days for which raw files are kept.

What was taken goes together with the raw files of its delivery (`deletion.delete_raw`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.ledger.book import Ledger
from acequia.receive.sources.uploaded import forget
from acequia.receive.uploads import FOLDER, Kept, shelves


def clear(home: Path, ledger: Ledger, partner: str, feed: str, terms: Delivery, *, kept_days: int, today: date) -> int:
    """Delete uploads that were never completed, and deliveries that nobody looks for any more. Returns how many files.

    Args:
        home: ACEQUIA_HOME.
        ledger: knows which deliveries were taken.
        partner: the partner's id.
        feed: the feed's id.
        terms: how the feed is delivered.
        kept_days: for how many days raw files are kept.
        today: the day (UTC) for which it is asked.
    """
    gone = 0
    for period, shelf in shelves(home / FOLDER, partner, feed):
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
