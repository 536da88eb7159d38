"""Everything that is due to be told about one partner at one moment, told already or not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from acequia.ledger.chain import Entry
from acequia.ledger.projection import Release
from acequia.notices.awaited import awaited
from acequia.notices.happened import happened
from acequia.notices.notice import EVERY_FEED, Endpoint, Notice
from acequia.notices.subject import Subject
from acequia.promises.board import Promise

ENDING_DAYS = (90, 60, 30, 7)


def plan(
    subject: Subject,
    promises: Iterable[Promise],
    news: Sequence[Entry] = (),
    notes: Iterable[Entry] = (),
    releases: Sequence[Release] = (),
) -> list[Notice]:
    """The notices, in the order in which they became due; their keys differ.

    Args:
        subject: the partner, and the moment.
        promises: its periods as they stand at that moment (`promises.board`).
        news: entries of its deliveries (`ledger.telling.news`).
        notes: entries about its feeds.
        releases: publications of its tables.
    """
    found = [*ending(subject), *happened(subject, news, notes, releases), *awaited(subject, promises)]
    return sorted(found, key=lambda notice: (notice.at, notice.key))


def ending(subject: Subject) -> Iterator[Notice]:
    """The agreement ends in 90, 60, 30, 7 days, or has ended. After an outage only the nearest of these is told."""
    ends_on = subject.agreement.terms.expires_on
    left = (ends_on - subject.today()).days
    facts = {"ends_on": ends_on.isoformat()}
    if left < 0:
        if (subject.now - subject.since).days >= -left:
            at = _midnight(ends_on + timedelta(days=1))
            yield from subject.of_agreement("ended", EVERY_FEED, ends_on, at, facts, "partner", "steward", "dpo")
        return
    within = [days for days in ENDING_DAYS if left <= days]
    if within:
        days, number = within[-1], f"{ends_on}.{within[-1]}"
        at = _midnight(ends_on - timedelta(days=days))
        facts |= {"within_days": days}  # type: ignore[dict-item]
        yield from subject.of_agreement("ending", EVERY_FEED, number, at, facts, "partner", "steward", "dpo")


def endpoints(subject: Subject, notice: Notice) -> Iterator[Endpoint]:
    """Where a notice goes: to the role's address, or to those of the consumers concerned, and to the role's webhook."""
    contacts, webhooks = subject.agreement.terms.contacts, subject.agreement.notices.webhooks
    partner, role = notice.partner, notice.role
    if role == "consumers":
        for name in notice.recipients:
            yield Endpoint("mail", role, partner, contacts.consumers[name], name)
    else:
        yield Endpoint("mail", role, partner, getattr(contacts, role))
    if role != "dpo" and role in webhooks:
        yield Endpoint("webhook", role, partner, webhooks[role])


def _midnight(day: object) -> datetime:
    return datetime.combine(day, time(), UTC)  # type: ignore[arg-type]
