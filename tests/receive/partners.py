"""Partners of each kind, against real servers, and one call that receives from them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acequia.agreement.delivery import Delivery
from acequia.flow import Arrived
from acequia.period import Period
from acequia.receive.arrive import look, receive
from acequia.receive.connections import Connection
from acequia.receive.landing import Landing

DAY = Period.parse("2026-11-21")


@dataclass(frozen=True)
class Partner:
    """One partner: `put(path, content)` leaves a file at the source, `source(path)` is the agreement's words for it."""

    put: Callable[[str, bytes], None]
    source: Callable[[str], dict[str, Any]]
    connection: Connection | None

    def terms(self, path: str, **more: Any) -> Delivery:
        return terms(self.source(path), **more)

    def send(self, folder: str, files: Mapping[str, bytes], manifest: Mapping[str, Any] | None = None) -> None:
        for name, content in files.items():
            self.put(f"{folder}/{name}", content)
        if manifest is not None:
            self.put(f"{folder}/manifest.json", json.dumps(manifest).encode())


def terms(source: dict[str, Any], **more: Any) -> Delivery:
    usual = {"format": "csv", "schedule": "0 6 * * *", "timezone": "Africa/Gaborone", "period": "day",
             "due_within_hours": 30, "settle_seconds": 0}  # fmt: skip
    return Delivery.model_validate({"source": source, **usual, **more})


def manifest_of(files: Mapping[str, bytes], **more: Any) -> dict[str, Any]:
    listed = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    return {"files": listed, **more}


@dataclass(frozen=True)
class Office:
    """Our side: landing and scratch of one test."""

    home: Path
    landing: Landing

    def receive(
        self, agreed: Delivery, connection: Connection | None = None, period: Period = DAY, **more: Any
    ) -> Arrived:
        scratch = self.home / "scratch" / secrets.token_hex(4)
        scratch.mkdir(parents=True)
        asked = {"landing": self.landing, "scratch": scratch, **more}
        arrived = receive(agreed, **self._asked(connection, period), **asked)
        assert not [left for left in scratch.rglob("*") if left.is_file()], "plain or sealed bytes are left in scratch"
        return arrived

    def look(self, agreed: Delivery, connection: Connection | None = None, period: Period = DAY) -> str | None:
        return look(agreed, **self._asked(connection, period))

    def opened(self, arrived: Arrived) -> dict[str, bytes]:
        """What landing holds of a delivery, decrypted, by the names that are kept beside it."""
        content, names = {}, self.as_sent(arrived)["files"] if arrived.files else []
        for file in arrived.files:
            target = self.home / "opened"
            self.landing.fetch(file.stored, target)
            name = names[int(file.stored.rpartition("/")[2].partition(".")[0]) - 1]
            content[name] = target.read_bytes()
            assert (file.bytes, file.sha256) == (len(content[name]), hashlib.sha256(content[name]).hexdigest())
        return content

    def as_sent(self, arrived: Arrived) -> dict[str, Any]:
        """The names of the files and the manifests, as landing keeps them; of several, the last."""
        folder = arrived.files[0].stored.rpartition("/")[0]
        target = self.home / "names"
        self.landing.fetch(self.landing.list(f"{folder}/_names.")[-1], target)
        return json.loads(target.read_text())

    def _asked(self, connection: Connection | None, period: Period) -> dict[str, Any]:
        def connect(_: str) -> Connection:
            assert connection is not None
            return connection

        inbox = self.home / "inbox"
        return {"partner": "pula", "feed_name": "events", "period": period, "connect": connect, "inbox": inbox}
