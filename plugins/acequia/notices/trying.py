"""What is being tried again, on disk: since when, how often, when next; and what was given up.

Losing the file harms nothing: everything is then tried at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

GAPS_MINUTES = (1, 5, 15, 60, 120, 240, 480, 720, 1440)
GIVEN_UP_AFTER = timedelta(days=5)
_FORGOTTEN_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class Tries:
    """Tries at one endpoint or message that failed, the last of them with `what`. Moments are ISO 8601, in UTC."""

    count: int
    first_at: str
    next_at: str
    what: str


@dataclass(frozen=True)
class GivenUp:
    """How many messages to an endpoint were given up, and when the last one was."""

    count: int
    last_at: str
    what: str


class Trying:
    """The record of tries. Not for two at once: whoever holds it holds the lock of the round."""

    def __init__(self, path: Path, now: datetime) -> None:
        self._path, self._now = path, now
        said = _read(path)
        self.failing = {name: Tries(**tries) for name, tries in said.get("failing", {}).items()}
        self.given_up = {name: GivenUp(**told) for name, told in said.get("given_up", {}).items()}

    def may(self, name: str) -> bool:
        """Whether it is time to try it, for the first time or again. A clock that was wrong holds nothing up."""
        tries = self.failing.get(name)
        if tries is None:
            return True
        wait = datetime.fromisoformat(tries.next_at) - self._now
        return wait <= timedelta(0) or wait > timedelta(minutes=GAPS_MINUTES[-1])

    def failed(self, name: str, what: str, at_most_minutes: int = GAPS_MINUTES[-1]) -> Tries:
        """A try failed; the next one follows after a longer gap."""
        before = self.failing.get(name)
        count = before.count + 1 if before else 1
        gap = min(GAPS_MINUTES[min(count, len(GAPS_MINUTES)) - 1], at_most_minutes)
        first = min(before.first_at, _text(self._now)) if before else _text(self._now)
        self.failing[name] = Tries(count, first, _text(self._now + timedelta(minutes=gap)), what)
        return self.failing[name]

    def succeeded(self, *names: str) -> None:
        """It works again."""
        for name in names:
            self.failing.pop(name, None)

    def is_hopeless(self, *names: str) -> bool:
        """Whether one of them has been failing for so long that its old messages are given up."""
        firsts = [datetime.fromisoformat(self.failing[name].first_at) for name in names if name in self.failing]
        return any(self._now - first >= GIVEN_UP_AFTER for first in firsts)

    def give_up(self, endpoint: str, message: str, what: str) -> None:
        """One message to an endpoint is tried no more."""
        before = self.given_up.get(endpoint)
        self.given_up[endpoint] = GivenUp(before.count + 1 if before else 1, _text(self._now), what)
        self.failing.pop(message, None)

    def save(self) -> None:
        """Write it, whole or not at all. What was given up long ago is forgotten; the ledger remembers."""
        keep = _text(self._now - _FORGOTTEN_AFTER)
        said = {
            "failing": {name: asdict(tries) for name, tries in sorted(self.failing.items()) if tries.next_at >= keep},
            "given_up": {name: asdict(told) for name, told in sorted(self.given_up.items()) if told.last_at >= keep},
        }
        if not any(said.values()) and not self._path.exists():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = self._path.with_suffix(".partial")
        staged.write_text(json.dumps(said, indent=1), encoding="utf-8")
        staged.replace(self._path)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
