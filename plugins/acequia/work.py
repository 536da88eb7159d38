"""What the steps work with: one feed and period, its agreement, and the stores that are open for it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from acequia import __version__
from acequia.agreement.load import Signed, in_force
from acequia.agreement.model import Feed
from acequia.agreement.treatments import Lookup
from acequia.canary import record as canary
from acequia.flow import DeliveryId
from acequia.keys import KeyStore
from acequia.ledger.book import Ledger
from acequia.lineage.events import Lineage
from acequia.period import Period
from acequia.protect import language as reading
from acequia.publish.lake import Lake
from acequia.receive.connections import Resolver
from acequia.receive.landing import Landing
from acequia.scratch import scratch_folder
from acequia.settings import Settings


@dataclass(frozen=True)
class Work:
    """One feed and period, with everything that the steps need. Build it with `opening.open_work`."""

    settings: Settings
    signed: Signed
    feed_name: str
    period: Period
    connect: Resolver
    keys: KeyStore
    landing: Landing
    lake: Lake
    ledger: Ledger
    lineage: Lineage
    say: Callable[[str], None]
    versions: tuple[Signed, ...] = ()

    def at(self, period: Period) -> Work:
        """The same feed for another of its periods, under the version of the agreement that is in force for that one.

        Raises:
            AcequiaError: `unknown_name` if that version has no such feed.
        """
        signed = in_force(self.versions or (self.signed,), period)
        signed.agreement.feed(self.feed_name)
        return replace(self, signed=signed, period=period)

    @property
    def feed(self) -> Feed:
        """The feed as agreed."""
        return self.signed.agreement.feed(self.feed_name)

    @property
    def partner(self) -> str:
        """The partner's id."""
        return self.signed.agreement.partner

    @property
    def made_by(self) -> str:
        """A digest of all that decides a step's result: change any of it, and steps are done again.

        The feed as agreed, the reference tables that it looks things up in, its own checks, the code of its transform,
        and what reads its free text.
        """
        agreement = self.signed.agreement
        texts = any(column.treatment == "scrub_text" for column in self.feed.columns.values())
        said = {
            "feed": self.feed.model_dump(mode="json"),
            "about": [agreement.terms.version, agreement.country, agreement.language, __version__],
            "texts": reading.identity(agreement.language) if texts else "",
            "files": {str(place): _digest(place) for place in self._read_beside()},
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def read_for_numbers(self) -> dict[str, str]:
        """Name -> digest of the files beside the agreement that decide its tables' numbers: lookups and transform."""
        return {place.name: _digest(place) for place in self._read_for_numbers()}

    def _read_beside(self) -> Iterator[Path]:
        """The files beside the agreement that its steps read."""
        own = self.settings.expectations / self.partner / self.feed_name
        yield from (path for path in sorted(own.glob("*")) if path.is_file())
        yield from self._read_for_numbers()

    def _read_for_numbers(self) -> Iterator[Path]:
        tables = {column.treat.table for column in self.feed.columns.values() if isinstance(column.treat, Lookup)}
        yield from (self.settings.reference / f"{table}.csv" for table in sorted(tables))
        if self.feed.transform is not None:
            found = importlib.util.find_spec(f"transforms.{self.feed.transform.partition('.')[0]}")
            if found is not None and found.origin is not None:
                yield Path(found.origin)

    def folder(self, delivery: DeliveryId) -> Path:
        """The delivery's place in the workspace."""
        return self.settings.workspace / delivery.folder

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for plain bytes, gone when the step ends, or at the next step if this process is killed."""
        with scratch_folder(self.settings.workspace / ".plain") as folder:
            yield folder

    @property
    def planted(self) -> canary.Subject:
        """The feed as the search for planted people sees it."""
        return canary.Subject(
            signed=self.signed,
            feed_name=self.feed_name,
            made_by=self.made_by,
            landing=self.landing,
            ledger=self.ledger,
            reference=self.settings.reference,
            memory_limit=self.settings.memory_limit,
            scratch=self.scratch,
            holds_for=lambda period: in_force(self.versions or (self.signed,), period) is self.signed,
        )


def _digest(place: Path) -> str:
    return hashlib.sha256(place.read_bytes()).hexdigest() if place.is_file() else ""
