"""Writing what the office hands out: receipts, certificates, and the public keys that verify them."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from acequia.flow import DeliveryId
from acequia.ledger import certificates, chain, receipts
from acequia.ledger.chain import Entry
from acequia.ledger.claims import plan
from acequia.ledger.database import reading
from acequia.ledger.keyring import Keyring
from acequia.ledger.signing import as_file, write_whole


@dataclass(frozen=True)
class Issuer:
    """Signs what the ledger gives reason for, and writes it below `home`."""

    engine: Engine
    home: Path
    ring: Keyring

    def receipts(self, delivery: DeliveryId) -> list[Path]:
        """Write every receipt of the period that is missing, up to this version; this version's, in order."""
        with reading(self.engine) as connection:
            self.ring.catch_up(connection)
            versions = [_entries(connection, part) for part in _versions(delivery)]
        self.offer_keys()
        return receipts.issue(self.home, self.ring, versions)

    def certificates(self, delivery: DeliveryId) -> list[Path]:
        """Write the certificates of everything that the delivery published, if they are missing."""
        with reading(self.engine) as connection:
            self.ring.catch_up(connection)
            entries, notes = _entries(connection, delivery), chain.without_delivery(connection, ("canary",))
            self.offer_keys()
            return certificates.issue(
                self.home, self.ring, entries, lambda other: chain.of_delivery(connection, other), notes
            )

    def is_complete(self, delivery: DeliveryId) -> bool:
        """Whether every receipt of the period up to this version is there."""
        with reading(self.engine) as connection:
            planned = [(part, plan(_entries(connection, part))) for part in _versions(delivery)]
        return all((receipts.folder_of(self.home, part) / one.name).exists() for part, told in planned for one in told)

    def offer_keys(self) -> None:
        """Write the file of public keys, if it is not there or says something else than the ledger."""
        path = receipts.keys_path(self.home)
        if path.exists() and path.read_bytes() == as_file(self.ring.published).encode():
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (path.parent / f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with reading(self.engine) as connection:  # only now: whoever writes last knows every key
                self.ring.catch_up(connection)
            write_whole(path, as_file(self.ring.published))


def _versions(delivery: DeliveryId) -> Iterator[DeliveryId]:
    return (delivery.model_copy(update={"version": version}) for version in range(1, delivery.version + 1))


def _entries(connection: Connection, delivery: DeliveryId) -> list[Entry]:
    return chain.of_delivery(connection, delivery)
