"""Pausing: a partner, or one of its feeds, stops at once and goes on when somebody says so; the ledger knows who."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from acequia.errors import AcequiaError
from acequia.ledger.book import Ledger
from acequia.ledger.chain import Draft, Entry, Place

KINDS = ("paused", "resumed")
EVERY_FEED = "*"


@dataclass(frozen=True)
class Pause:
    """One partner, or one feed of it (`*` is all of them), is paused."""

    partner: str
    feed: str
    since: str
    who: str
    because: str

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def pauses(ledger: Ledger) -> list[Pause]:
    """All that is paused now, in the order of partner and feed."""
    return sorted(
        (_pause(said[-1]) for said in _told(ledger).values() if said[-1].kind == "paused"),
        key=lambda pause: (pause.partner, pause.feed),
    )


def paused(ledger: Ledger, partner: str, feed: str) -> Pause | None:
    """What holds the feed, if anything does: its own pause, or its partner's."""
    told = _told(ledger)
    for place in ((partner, feed), (partner, EVERY_FEED)):
        if place in told and told[place][-1].kind == "paused":
            return _pause(told[place][-1])
    return None


def require_running(ledger: Ledger, partner: str, feed: str) -> None:
    """Stop where the feed is paused.

    Raises:
        AcequiaError: `feed_paused`.
    """
    if found := paused(ledger, partner, feed):
        raise AcequiaError("feed_paused", f"it is paused since {found.since}", where=f"{partner}.{feed}")


def pause(ledger: Ledger, partner: str, feed: str = EVERY_FEED, *, who: str, because: str) -> bool:
    """Pause a feed, or every feed of a partner; whether that changed anything."""
    return _tell(ledger, "paused", Place(partner, feed), {"who": who, "because": because})


def resume(ledger: Ledger, partner: str, feed: str = EVERY_FEED, *, who: str, because: str) -> bool:
    """Let go on what was paused under the same name; whether that changed anything.

    A feed that was paused by itself stays so when its partner is resumed.
    """
    return _tell(ledger, "resumed", Place(partner, feed), {"who": who, "because": because})


def _tell(ledger: Ledger, kind: str, place: Place, body: dict[str, str]) -> bool:
    said = _told(ledger).get((str(place.partner), str(place.feed)), [])
    last = said[-1].kind if said else "resumed"
    if last == kind:
        return False
    # Two who say it at once say it once: the number is the same for both.
    ledger.note(place, Draft(kind, f"{kind}/{place.partner}.{place.feed}/{len(said) + 1}", body))
    return True


def _told(ledger: Ledger) -> dict[tuple[str, str], list[Entry]]:
    told: dict[tuple[str, str], list[Entry]] = {}
    for entry in ledger.notes(*KINDS):
        told.setdefault((str(entry.partner), str(entry.feed)), []).append(entry)
    return told


def _pause(entry: Entry) -> Pause:
    said = entry.said
    return Pause(str(entry.partner), str(entry.feed), entry.at, said["who"], said["because"])
