"""What a round works with: the record of tries, the ledger, and what it did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from acequia.ledger.book import Ledger
from acequia.ledger.chain import Draft, Place
from acequia.ledger.telling import note_each
from acequia.notices.notice import Due
from acequia.notices.trying import GIVEN_UP_AFTER, Trying
from acequia.receive.connections import Resolver
from acequia.settings import Settings


def folder_of(settings: Settings) -> Path:
    """Where notices keep what they need: the outbox, what is under way, what is tried again."""
    return settings.home / "notices"


@dataclass
class Told:
    """What a round did: how many notices it told (`written` of them to the outbox), gave up, left for later; and why.

    `busy`: another round was under way, so that this one did nothing.
    """

    told: int = 0
    written: int = 0
    given_up: int = 0
    left: int = 0
    troubles: list[str] = field(default_factory=list)
    busy: bool = False


@dataclass
class Round:
    """One round, at one moment."""

    settings: Settings
    ledger: Ledger
    connect: Resolver
    now: datetime
    say: Callable[[str], None]
    trying: Trying
    done: Told = field(default_factory=Told)

    @property
    def folder(self) -> Path:
        """Where notices keep what they need."""
        return folder_of(self.settings)

    def note(self, notes: Sequence[tuple[Place, Draft]]) -> None:
        """Enter in the ledger what was told."""
        note_each(self.ledger, notes)

    def give_up(self, endpoint: str, dues: Sequence[Due], *names: str, what: str) -> list[Due]:
        """Give up those that are old, if one of the names has been failing for long. Those that are left."""
        if not self.trying.is_hopeless(*names):
            return list(dues)
        old = [due for due in dues if self.now - due.notice.at >= GIVEN_UP_AFTER]
        self.note([(due.notice.place, due.draft("given_up", "")) for due in old])
        for due in old:
            self.trying.give_up(endpoint, due.key, what)
        self.done.given_up += len(old)
        return [due for due in dues if due not in old]
