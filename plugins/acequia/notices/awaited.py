"""Notices about what has not come: a reminder, late, missing, and missing still. Pure.

Of a period that is missing only the newest reminder is due, so that an outage of ours ends in one message, not in many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from acequia.agreement.model import Feed
from acequia.notices.notice import Notice
from acequia.notices.subject import Subject, iso
from acequia.promises.board import Promise

GAPS_DAYS = (0, 1, 3, 7, 14, 30)
THEN_EVERY_DAYS = 30


def awaited(subject: Subject, promises: Iterable[Promise]) -> Iterator[Notice]:
    """What is due to be told of periods of which nothing has arrived. Paused feeds are not reminded, nor is
    anyone of what was due before the feed was looked after here.
    """
    for promise in promises:
        feed = subject.feed(promise.feed)
        if feed is None or promise.versions or promise.paused or promise.due_at is None:
            continue
        if promise.due_at < subject.first_seen.get(promise.feed, promise.due_at):
            continue
        if subject.now >= subject.watched_until(feed, promise.period):
            continue
        if promise.state == "expected":
            yield from _before_due(subject, feed, promise, promise.due_at)
        elif promise.state == "late" and promise.missing_from is not None:
            facts = {"due_at": iso(promise.due_at), "missing_from": iso(promise.missing_from)}
            label = promise.period.label
            yield from subject.of_period("late", promise.feed, label, 1, promise.due_at, facts, "partner", "steward")
        elif promise.state == "missing" and promise.missing_from is not None:
            yield from _missing(subject, feed, promise, promise.due_at, promise.missing_from)


def _before_due(subject: Subject, feed: Feed, promise: Promise, due_at: datetime) -> Iterator[Notice]:
    hours = subject.agreement.notices.before_due_hours
    # Before the period is over nobody could send its delivery.
    remind_at = due_at - timedelta(hours=min(hours, feed.delivery.due_within_hours))
    if hours and subject.now >= remind_at:
        facts = {"due_at": iso(due_at)}
        yield from subject.of_period("before_due", promise.feed, promise.period.label, 1, remind_at, facts, "partner")


def _missing(
    subject: Subject, feed: Feed, promise: Promise, due_at: datetime, missing_from: datetime
) -> Iterator[Notice]:
    days = reminders(subject.now - missing_from)
    facts = {
        "due_at": iso(due_at),
        "missing_from": iso(missing_from),
        "watched_until": iso(subject.watched_until(feed, promise.period)),
        "time": len(days),
    }
    at, label = missing_from + timedelta(days=days[-1]), promise.period.label
    yield from subject.of_period("missing", promise.feed, label, len(days), at, facts, "partner", "steward")
    tables = list(feed.tables)
    delayed = {"due_at": iso(due_at), "tables": tables}
    readers = subject.readers(feed, *tables)
    yield from subject.of_period(
        "delayed", promise.feed, label, 1, missing_from, delayed, "consumers", recipients=readers
    )


def reminders(missing_for: timedelta) -> list[int]:
    """After how many days each reminder was due that is due by now: 0, 1, 3, 7, 14, 30, 60, 90 and so on."""
    days = [gap for gap in GAPS_DAYS if timedelta(days=gap) <= missing_for]
    next_one = GAPS_DAYS[-1] + THEN_EVERY_DAYS
    while timedelta(days=next_one) <= missing_for:
        days.append(next_one)
        next_one += THEN_EVERY_DAYS
    return days or [0]
