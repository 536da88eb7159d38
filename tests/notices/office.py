"""An office with one partner, a clock that is set by hand, and deeds as the pipeline tells them to the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from acequia.agreement.load import Signed, versions
from acequia.errors import AcequiaError
from acequia.flow import Count, DeliveryId, Disclosed, LandedFile, Published
from acequia.ledger.book import Ledger
from acequia.notices.gather import due
from acequia.notices.notice import Due, Notice
from acequia.notices.send import Told, send_due
from acequia.period import Period
from acequia.receive.connections import Connection
from acequia.settings import Settings

PARTNER, FEED, TABLE = "nandu_bus", "rides", "rides_by_line"
MADE_BY = hashlib.sha256(b"terms").hexdigest()

AGREEMENT = """
partner: nandu_bus
name: Ñandú Bus S.A.
country: UY
language: en
terms:
  version: "1.0"
  legal_basis: a law
  purposes: [official_statistics]
  signed_on: 2026-03-01
  expires_on: 2027-12-31
  raw_kept_days: 14
  protected_kept_days: 400
  contacts:
    partner: data@nandu.example
    steward: steward@office.example
    dpo: dpo@office.example
    consumers: {ministry_of_transport: data@transport.example, central_bank: bank@central.example}
  recipients: [ministry_of_transport, central_bank]
notices: {before_due_hours: 6}
feeds:
  rides:
    delivery:
      source: {type: folder, connection: nandu_folder, path: "{period}/*.csv"}
      format: csv
      schedule: "0 6 * * *"
      timezone: America/Montevideo
      period: day
      due_within_hours: 12
      grace_hours: 24
      watched_days: 60
    columns:
      card: {type: string, treat: pseudonym}
      line: {type: string, treat: keep, one_of: [a, b]}
    tables:
      rides_by_line:
        describe: One row per line.
        by: [line]
        measures: {rides_count: {count: rows}}
        protect: {contributor: card, min_contributors: 10}
        recipients: [ministry_of_transport]
"""


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 17, 3, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def set(self, text: str) -> datetime:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return self.now

    def go(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@dataclass
class Office:
    """Everything that a round needs."""

    settings: Settings
    ledger: Ledger
    clock: Clock
    connections: dict[str, Connection] = field(default_factory=dict)

    def agree(self, **changes: Any) -> None:
        """Write the agreement, with other values at `part__key` (`notices`, `terms__expires_on`)."""
        said = yaml.safe_load(AGREEMENT)
        for place, value in changes.items():
            *above, last = place.split("__")
            part = said
            for name in above:
                part = part[name]
            part[last] = value
        self.settings.partners.mkdir(parents=True, exist_ok=True)
        (self.settings.partners / f"{PARTNER}.yaml").write_text(yaml.safe_dump(said, allow_unicode=True))

    @property
    def versions(self) -> tuple[Signed, ...]:
        return versions(self.settings.partners, PARTNER)

    def connect(self, name: str) -> Connection:
        if name not in self.connections:
            raise AcequiaError("connection_unknown", f"there is no connection {name}")
        return self.connections[name]

    def due(self) -> list[Due]:
        """What is due now and was not told."""
        troubles: list[str] = []
        found = due(self.settings, self.ledger, [self.versions], self.clock(), troubles)
        assert troubles == []
        return found

    def kinds(self) -> list[tuple[str, str | None, str]]:
        """The same as kind, period and to whom, without the channel."""
        return sorted({(one.notice.kind, one.notice.period, one.notice.role) for one in self.due()}, key=str)

    def notices(self, kind: str) -> list[Notice]:
        found = {one.notice.key: one.notice for one in self.due() if one.notice.kind == kind}
        return list(found.values())

    def send(self) -> Told:
        return send_due(self.settings, self.ledger, connect=self.connect)

    # What the pipeline tells

    def arrived(self, period: str, content: str = "A", arrival: str = "") -> DeliveryId:
        folder = f"{PARTNER}/{FEED}/{period}/{sha(content)[:16]}"
        file = LandedFile(stored=f"{folder}/1.age", bytes=len(content), sha256=sha(content))
        return self.ledger.register(
            PARTNER,
            FEED,
            Period.parse(period),
            content_sha256=sha(content),
            agreement_version="1.0",
            agreement_sha256=self.versions[-1].sha256,
            files=(file,),
            arrival=sha(arrival or f"{period} {content}"),
        )

    def accepted(self, period: str, content: str = "A", *, made_by: str = MADE_BY, **told: Any) -> DeliveryId:
        delivery = self.arrived(period, content)
        count = Count(rows_in=1234, rows_out=1230, set_aside={"null:card": 4})
        self.ledger.accept(delivery, count=count, made_by=made_by, **told)
        return delivery

    def refused(self, period: str, content: str = "A", code: str = "checks_failed") -> DeliveryId:
        delivery = self.arrived(period, content)
        self.ledger.refuse(delivery, code=code, reason="2 of 9 checks failed", who_acts="partner", made_by=MADE_BY)
        return delivery

    def published(
        self,
        delivery: DeliveryId,
        window: str = "",
        *,
        content: str = "",
        provisional: bool = False,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        disclosed = Disclosed(
            table=TABLE,
            period=window or delivery.period,
            deliveries=(delivery,),
            path="/nowhere/disclosed.parquet",
            sha256=sha("disclosed"),
            cells=1200,
            withheld={"min_contributors": 2},
            provisional=provisional,
            rules={"min_contributors": 10},
        )
        digest = sha(content or f"{delivery} {window}")
        release = Published(
            table=TABLE, period=disclosed.period, snapshot_id=int(digest[:8], 16), changed=True, content_sha256=digest
        )
        self.ledger.published(delivery, disclosed, release, changes)
        self.ledger.finish(delivery)


CHANGES = {
    "before_sha256": sha("before"),
    "cells": {
        "before": 1200, "after": 1201, "added": 2, "removed": 1, "changed": 14, "unchanged": 1180,
        "newly_withheld": 3, "opened": 2, "still_withheld": 0,
    },
    "measures": {
        "rides_count": {"cells": 1197, "total_before": 1000, "total_after": 1012, "largest_relative_change": 0.125}
    },
}  # fmt: skip


def letters(folder: Path) -> list[Path]:
    return sorted((folder / "notices" / "outbox").glob("*.eml"))
