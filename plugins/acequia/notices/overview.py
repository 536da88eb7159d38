"""What became of notices, for the people who run the installation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from acequia.errors import AcequiaError
from acequia.ledger.book import Ledger
from acequia.notices import mail
from acequia.notices.letters import pending
from acequia.notices.round import folder_of
from acequia.notices.trying import Trying
from acequia.receive.connections import Resolver
from acequia.settings import Settings


def look(settings: Settings, connect: Resolver, now: datetime) -> tuple[str, str]:
    """For `acequia doctor`: a state (well, look, wrong), and what was found."""
    folder = folder_of(settings)
    trying = Trying(folder / "trying.json", now)
    given_up = [f"{told.count:,} given up for the {name} ({told.what})" for name, told in trying.given_up.items()]
    ends = {name: tries for name, tries in trying.failing.items() if "/" not in name}  # those with one are messages
    failing = [f"{name} fails since {tries.first_at[:16]} ({tries.what})" for name, tries in ends.items()]
    under_way = len(list(pending(folder)))
    waiting = [f"{under_way:,} letters are under way"] if under_way else []
    try:
        host = connect(mail.CONNECTION).host
        found = f"by {host}"
    except AcequiaError as error:
        if error.code != "connection_unknown":
            raise
        found = f"no connection {mail.CONNECTION}: messages are written to {folder / 'outbox'}"
        return "look", "; ".join([found, *failing, *given_up])
    return "look" if failing or given_up else "well", "; ".join([found, *failing, *given_up, *waiting])


def told(ledger: Ledger, partner: str | None = None) -> Iterator[dict[str, Any]]:
    """What was told, the newest last."""
    for entry in ledger.notes("notice"):
        if partner in (None, entry.partner):
            said = entry.said
            yield {
                "at": entry.at,
                "kind": said["kind"],
                "partner": entry.partner,
                "feed": entry.feed,
                "period": entry.period,
                "number": said["number"],
                "to": said["to"],
                "by": said["by"],
                "outcome": said["outcome"],
                "message": said["message"],
            }
