"""What a notice can be about: the agreement in force, its feeds, and the moments until which they are watched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from acequia.agreement.load import Signed
from acequia.agreement.model import Agreement, Feed
from acequia.notices.notice import Kind, Notice, Role
from acequia.period import Period


@dataclass(frozen=True)
class Subject:
    """One partner as the planner sees it, at one moment: every version of its agreement, the newest last.

    The newest says who is told. `first_seen` says since when a feed is looked after here; one that is not in it always
    was.
    """

    versions: tuple[Signed, ...]
    now: datetime
    first_seen: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def agreement(self) -> Agreement:
        """The newest version."""
        return self.versions[-1].agreement

    @property
    def since(self) -> datetime:
        """Before this moment nothing happened that is still worth telling, whichever feed it is about."""
        return self.now - timedelta(days=max(feed.delivery.watched_days for feed in self.agreement.feeds.values()))

    def feed(self, name: str) -> Feed | None:
        """The feed, as the newest version that has it says."""
        return next((one.agreement.feeds[name] for one in self.versions[::-1] if name in one.agreement.feeds), None)

    def watched_until(self, feed: Feed, period: Period) -> datetime:
        """Until when the period's delivery is looked for, in UTC."""
        last = period.end + timedelta(days=feed.delivery.watched_days)
        return datetime.combine(last, time(), feed.delivery.zone).astimezone(UTC)

    def is_fresh(self, feed: Feed, at: datetime) -> bool:
        """Whether something that happened then is still worth telling."""
        return at >= self.now - timedelta(days=feed.delivery.watched_days)

    def readers(self, feed: Feed, *tables: str) -> tuple[str, ...]:
        """The recipients of these tables who have an address, in the order of the agreement."""
        terms = self.agreement.terms
        chosen = [feed.tables[name] for name in tables if name in feed.tables]
        may = {name for table in chosen for name in (table.recipients or terms.recipients)}
        return tuple(name for name in terms.contacts.consumers if name in may)

    @property
    def language(self) -> str:
        """The language of its notices."""
        return self.agreement.notices.language or self.agreement.language

    def common(self) -> dict[str, Any]:
        """The facts that every notice has."""
        said = self.agreement
        return {
            "partner": said.partner,
            "name": said.name,
            "agreement_version": said.terms.version,
            "questions": said.terms.contacts.steward,
        }

    def today(self) -> date:
        """The day that it still is in some feed's zone: nothing is said to have ended before it has in all of them."""
        return min(self.now.astimezone(feed.delivery.zone).date() for feed in self.agreement.feeds.values())

    def of_period(
        self,
        kind: Kind,
        feed_name: str,
        period: str,
        number: object,
        at: datetime,
        facts: Mapping[str, Any],
        *roles: Role,
        recipients: tuple[str, ...] = (),
    ) -> Iterator[Notice]:
        """The notice for each role. Consumers are left out where none is concerned, nor any webhook of theirs."""
        feed = self.feed(feed_name)
        told = self.common() | {"feed": feed_name, "period": period} | dict(facts)
        if feed is not None:
            told["timezone"] = feed.delivery.timezone
        for role in roles:
            if role != "consumers" or recipients or "consumers" in self.agreement.notices.webhooks:
                concerned = recipients if role == "consumers" else ()
                yield Notice(
                    kind,
                    role,
                    self.agreement.partner,
                    feed_name,
                    period,
                    str(number),
                    at,
                    told,
                    self.language,
                    concerned,
                )

    def of_agreement(
        self, kind: Kind, feed: str, number: object, at: datetime, facts: Mapping[str, Any], *roles: Role
    ) -> Iterator[Notice]:
        """The same for what is about the agreement, or about all of a feed."""
        for role in roles:
            told = self.common() | dict(facts)
            yield Notice(kind, role, self.agreement.partner, feed, None, str(number), at, told, self.language)


def iso(moment: datetime) -> str:
    """As moments stand in facts: UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
