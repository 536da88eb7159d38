"""Since when this installation looks after a feed: what was due before, nobody here was asked to await.

An installation that is set up for an agreement that has run for years is not to write of every period of it. A feed's
promises count from the day of its first delivery here, or from the first round that knew it, which the ledger notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from acequia.agreement.load import Signed
from acequia.ledger import telling
from acequia.ledger.book import Ledger
from acequia.ledger.chain import Draft, Place

KIND = "feed_seen"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def first_seen(ledger: Ledger, partner: str) -> Mapping[str, datetime]:
    """The moment by feed; a feed that neither a round nor a delivery brought up is left out."""
    found = telling.first_received(ledger.engine, partner)
    for entry in telling.noted(ledger.engine, partner, (KIND,), _EVER):
        found[str(entry.feed)] = min(entry.moment, found.get(str(entry.feed), entry.moment))
    return found


def note_new(ledger: Ledger, agreements: Sequence[Sequence[Signed]]) -> None:
    """Note the feeds that are new here, each once."""
    drafts = []
    for versions in agreements:
        partner = versions[-1].agreement.partner
        known = first_seen(ledger, partner)
        feeds = dict.fromkeys(name for signed in versions for name in signed.agreement.feeds)
        drafts += [
            (Place(partner, name), Draft(KIND, f"{KIND}:{partner}.{name}", {})) for name in feeds if name not in known
        ]
    if drafts:
        telling.note_each(ledger, drafts)
