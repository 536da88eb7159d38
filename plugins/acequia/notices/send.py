"""One round: everything that is due to be told, and was not, to everyone whom it concerns.

A notice is entered in the ledger once it was sent. Killed in between, it is sent once more, with the same Message-ID or
webhook-id. What is entered is never sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from acequia.ledger.book import Ledger
from acequia.notices.first_seen import note_new
from acequia.notices.gather import Agreements, due, every_agreement
from acequia.notices.hooks import post_hooks
from acequia.notices.letters import send_letters
from acequia.notices.lock import only_one
from acequia.notices.notice import Due
from acequia.notices.round import Round, Told, folder_of
from acequia.notices.trying import Trying
from acequia.receive.connections import Resolver, resolver
from acequia.settings import Settings


def send_due(
    settings: Settings,
    ledger: Ledger,
    agreements: Agreements | None = None,
    *,
    connect: Resolver | None = None,
    now: datetime | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Told:
    """Tell what is due, over all partners. Whom we cannot reach is told by a later round; nothing is raised for it.

    Args:
        settings: places.
        ledger: what happened, and what was told.
        agreements: the versions of each partner's agreement; by default all that there are.
        connect: finds connections.
        now: the moment; by default that of the ledger's clock.
        say: hears what is done.
    """
    with only_one(folder_of(settings)) as alone:
        if not alone:
            return Told(busy=True)
        moment = now or ledger.clock()
        trying = Trying(folder_of(settings) / "trying.json", moment)
        current = Round(settings, ledger, connect or resolver(settings), moment, say, trying)
        found = _found(current, agreements)
        try:
            send_letters(current, [one for one in found if one.endpoint.channel == "mail"])
            post_hooks(current, [one for one in found if one.endpoint.channel == "webhook"])
        finally:
            trying.save()
        return current.done


def list_due(settings: Settings, ledger: Ledger, now: datetime | None = None) -> tuple[list[Due], list[str]]:
    """What a round would tell now, and what kept some from being seen."""
    troubles: list[str] = []
    agreements = every_agreement(settings, troubles)
    return due(settings, ledger, agreements, now or ledger.clock(), troubles), troubles


def _found(current: Round, agreements: Agreements | None) -> list[Due]:
    troubles = current.done.troubles
    chosen = every_agreement(current.settings, troubles) if agreements is None else agreements
    note_new(current.ledger, chosen)
    return due(current.settings, current.ledger, chosen, current.now, troubles)


__all__ = ["Told", "list_due", "send_due"]
