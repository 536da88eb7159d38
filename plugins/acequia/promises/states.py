"""The state of one period of one feed: a pure question to the calendar, to what the ledger knows, and to the moment.

Nothing that ran or did not run counts: an outage of ours makes no partner late, and the states of the days before are
right in the moment after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

State = Literal["not_due", "expected", "on_time", "late", "missing", "partial", "duplicate", "corrected", "refused",
                "withdrawn"]  # fmt: skip
STATES: tuple[State, ...] = get_args(State)
Punctuality = Literal["on_time", "late"]

# Refusals that say: not all of it is there. The partner has to add something, rather than to change something.
LACKING = frozenset({"file_not_sent", "file_truncated", "file_empty", "manifest_missing"})


@dataclass(frozen=True)
class Due:
    """What the calendar says of one period; `at` is None where nothing is due. Moments know their zone."""

    at: datetime | None
    grace: timedelta = timedelta(0)

    @property
    def missing_from(self) -> datetime | None:
        """When the grace is over: a delivery that is not there after this moment is missing."""
        return None if self.at is None else self.at + self.grace

    def judge(self, moment: datetime) -> Punctuality:
        """Whether something sent at that moment was in time. What was not due cannot be late."""
        return "on_time" if self.at is None or moment <= self.at else "late"


@dataclass(frozen=True)
class Version:
    """One version of a period's delivery, as the ledger knows it.

    `accepted_at`: when it first passed every check, also if it was replaced, withdrawn or refused by another reading of
    the agreement since. `repeated_at` is the last time that the very same bytes were sent again.
    """

    number: int
    sent_at: datetime
    received_at: datetime
    decision: Literal["none", "accepted", "refused", "withdrawn"]
    accepted_at: datetime | None = None
    code: str | None = None
    repeats: int = 0
    repeated_at: datetime | None = None

    @property
    def is_repeated(self) -> bool:
        """Whether bytes that counted already were sent again. What follows a refusal is no repetition: its manifest,
        say, was corrected.
        """
        return self.repeated_at is not None and self.accepted_at is not None and self.repeated_at > self.accepted_at


@dataclass(frozen=True)
class Standing:
    """Where a period stands. `version` is the one that the state speaks of, None where nothing arrived.

    `stands` is the version whose rows count; `punctuality` that of the first version that arrived, also if it was
    refused: later ones are corrections. `decided` is False while a version has arrived and is not judged yet.
    """

    state: State
    version: Version | None
    stands: int | None
    punctuality: Punctuality | None
    decided: bool
    newest_refused: bool


def stand(due: Due, versions: Sequence[Version], now: datetime) -> Standing:
    """Where the period stands at a moment.

    Args:
        due: what the calendar says.
        versions: what arrived, in the order of version numbers.
        now: the moment that is asked about.
    """
    if not versions:
        return Standing(_awaited(due, now), None, None, None, decided=True, newest_refused=False)
    newest = versions[-1]
    standing = _standing(versions)
    told = standing or newest
    return Standing(
        state=_arrived(due, versions, standing),
        version=told,
        stands=standing.number if standing and standing.decision == "accepted" else None,
        punctuality=due.judge(versions[0].sent_at),
        decided=newest.decision != "none",
        newest_refused=newest.decision == "refused" and standing is not None,
    )


def _awaited(due: Due, now: datetime) -> State:
    if due.at is None or due.missing_from is None:
        return "not_due"
    if now <= due.at:
        return "expected"
    return "late" if now <= due.missing_from else "missing"


def _standing(versions: Sequence[Version]) -> Version | None:
    """The latest version that was ever accepted, if it still is or was withdrawn: one that was replaced never comes
    back, also when the version that replaced it is refused under a later reading of the agreement.
    """
    accepted = [version for version in versions if version.accepted_at]
    return accepted[-1] if accepted and accepted[-1].decision in ("accepted", "withdrawn") else None


def _arrived(due: Due, versions: Sequence[Version], standing: Version | None) -> State:
    if standing is None:
        return _undecided(due, versions[-1])
    if standing.decision == "withdrawn":
        return "withdrawn"
    # What was refused after it changes nothing of what stands; what may still be accepted does.
    if standing.is_repeated and versions[-1].decision != "none":
        return "duplicate"
    if sum(version.accepted_at is not None for version in versions) > 1:
        return "corrected"
    return due.judge(standing.sent_at)


def _undecided(due: Due, newest: Version) -> State:
    """Nothing stands: the newest version is refused, withdrawn before it ever counted, or not judged yet."""
    if newest.decision == "withdrawn":
        return "withdrawn"
    if newest.decision == "refused":
        return "partial" if newest.code in LACKING else "refused"
    return due.judge(newest.sent_at)
