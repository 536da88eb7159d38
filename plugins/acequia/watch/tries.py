"""What was tried and did not end: how long until it is tried again. Losing this file loses only patience."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from acequia.settings import Settings


@dataclass(frozen=True)
class Patience:
    """How long a coming is left to whoever may be at it already: a new one, and one that another may take long with;
    and how long it is between tries (doubling, to a day).
    """

    first: timedelta = timedelta(0)
    slow: timedelta = timedelta(0)
    again: timedelta = timedelta(minutes=15)

    def before(self, tries: int, *, slow: bool) -> timedelta:
        """How long to wait after the last try, or since it was seen first."""
        if tries:
            return min(self.again * float(2 ** min(tries - 1, 20)), timedelta(days=1))
        return self.slow if slow else self.first


@dataclass(frozen=True)
class Try:
    """One coming of one period: since when it is known here, how often it was tried, and when it was last."""

    arrival: str
    since: str
    tries: int = 0
    last: str = ""


@dataclass
class Tries:
    """The record of one watcher, by feed and period."""

    file: Path
    known: dict[str, Try] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, name: str) -> Tries:
        """What is on file under that name; nothing if that cannot be read."""
        file = settings.home / "watch" / f"{name}.json"
        try:
            told = json.loads(file.read_bytes())
            return cls(file, {key: Try(**one) for key, one in told.items()})
        except (OSError, ValueError, TypeError, AttributeError):
            return cls(file)

    def number(self, key: str, arrival: str, now: datetime, patience: Patience, *, slow: bool) -> int | None:
        """Which try of this coming would be the next, from 1 on; None while it is too early for it."""
        one = self.known.get(key)
        if one is None or one.arrival != arrival:
            one = self.known[key] = Try(arrival, now.isoformat())
        waited = now - datetime.fromisoformat(one.last or one.since)
        return one.tries + 1 if waited >= patience.before(one.tries, slow=slow) else None

    def tried(self, key: str, now: datetime) -> None:
        """It was tried once more."""
        self.known[key] = replace(self.known[key], tries=self.known[key].tries + 1, last=now.isoformat())

    def ended(self, key: str) -> None:
        """Nothing is left to do."""
        self.known.pop(key, None)

    def keep(self, keys: Collection[str]) -> None:
        """Forget all others, and write the file, whole or not at all."""
        self.known = {key: one for key, one in self.known.items() if key in keys}
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = self.file.with_name(f"{self.file.name}.{os.getpid()}.partial")
        staged.write_text(json.dumps({key: asdict(one) for key, one in sorted(self.known.items())}), encoding="utf-8")
        staged.replace(self.file)
