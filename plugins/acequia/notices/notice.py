"""A notice: one thing that one party is to be told, with a key of its own, so that it is told once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from acequia.ledger.chain import Draft, Place

Kind = Literal["before_due", "late", "missing", "delayed", "accepted", "refused", "repeated", "published", "restated",
               "removed", "withdrawn", "paused", "resumed", "ending", "ended", "test"]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
Role = Literal["partner", "steward", "dpo", "consumers"]
EVERY_FEED = "*"

# What is said of every notice: the agreement's partner, its full name and version, and where questions go.
COMMON = frozenset({"partner", "name", "agreement_version", "questions"})
_OF_PERIOD = frozenset({"feed", "period", "timezone"})


@dataclass(frozen=True)
class About:
    """What a kind of notice is about: its facts beside `COMMON`, whose move it is, and the fact that says until when.

    `who_acts` may be a fact of the notice itself, then it is named so.
    """

    facts: frozenset[str]
    who_acts: Literal["partner", "steward", "nobody"] = "nobody"
    until: str | None = None


def _of(*facts: str) -> frozenset[str]:
    return _OF_PERIOD | set(facts)


ABOUT: Mapping[Kind, About] = {
    "before_due": About(_of("due_at"), "partner", "due_at"),
    "late": About(_of("due_at", "missing_from"), "partner", "missing_from"),
    "missing": About(_of("due_at", "missing_from", "watched_until", "time"), "partner", "watched_until"),
    "delayed": About(_of("due_at", "tables")),
    "accepted": About(_of("version", "rows_in", "rows_set_aside", "differences", "warnings")),
    "refused": About(
        _of("version", "code", "reason", "drift", "checks", "what_to_do", "watched_until"), "partner", "watched_until"
    ),
    "repeated": About(_of("version", "stands")),
    "published": About(_of("table", "cells", "withheld", "provisional")),
    "restated": About(_of("table", "cells", "changes")),
    "removed": About(_of("table")),
    "withdrawn": About(_of("version", "because")),
    "paused": About(frozenset({"feed", "because"}), "steward"),
    "resumed": About(frozenset({"feed", "because"})),
    "ending": About(frozenset({"ends_on", "within_days"}), "steward", "ends_on"),
    "ended": About(frozenset({"ends_on"}), "steward"),
    "test": About(frozenset({"to"})),
}


@dataclass(frozen=True)
class Notice:
    """One thing to be told. `at` is when it became due to be told; `number` tells it from others of its kind and place.

    `recipients` are the consumers that it concerns, out of the agreement's; empty for other roles. `facts` are counts,
    labels and moments (ISO 8601, UTC), never a cell value; those of its kind stand in `ABOUT`.
    """

    kind: Kind
    role: Role
    partner: str
    feed: str
    period: str | None
    number: str
    at: datetime
    facts: Mapping[str, Any]
    language: str
    recipients: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The natural key: the same thing always has the same one."""
        return "/".join([self.kind, self.partner, self.feed, self.period or "-", self.number, self.role])

    @property
    def place(self) -> Place:
        """Where it stands in the ledger."""
        return Place(self.partner, self.feed, self.period)


@dataclass(frozen=True)
class Endpoint:
    """Where a notice goes: an address, or a connection for a webhook. `recipient` is set for a consumer's address."""

    channel: Literal["mail", "webhook"]
    role: Role
    partner: str
    target: str
    recipient: str = ""

    @property
    def name(self) -> str:
        """As it is written for the people who run the installation."""
        return f"{self.recipient or self.role} of {self.partner} by {self.channel}"


@dataclass(frozen=True)
class Due:
    """A notice that is to be told at one endpoint, and was not."""

    notice: Notice
    endpoint: Endpoint

    @property
    def key(self) -> str:
        """The natural key of the ledger's entry that says that it was told."""
        end = self.endpoint
        return "/".join(["notice", self.notice.key, end.channel, *([end.recipient] if end.recipient else [])])

    def draft(self, outcome: Literal["told", "given_up", "written"], message: str) -> Draft:
        """What is recorded once it is told: to whom and how, in which message, and no text."""
        said = {
            "kind": self.notice.kind,
            "to": self.endpoint.recipient or self.notice.role,
            "by": self.endpoint.channel,
            "number": self.notice.number,
            "outcome": outcome,
            "message": message,
        }
        return Draft("notice", self.key, said)

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        notice, end = self.notice, self.endpoint
        return {
            "kind": notice.kind,
            "partner": notice.partner,
            "feed": notice.feed,
            "period": notice.period,
            "number": notice.number,
            "to": end.recipient or notice.role,
            "by": end.channel,
            "at": notice.at.isoformat(timespec="seconds"),
        }
