"""The chain: each entry carries the SHA-256 of the one before, and a signature of its own hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, insert, select

from acequia.flow import DeliveryId
from acequia.ledger import models
from acequia.ledger.signing import ENTRY, Signer, canonical

if TYPE_CHECKING:
    from acequia.ledger.keyring import Keyring

FIRST = "0" * 64  # what the first entry names as the hash before it
TOKEN = ENTRY


@dataclass(frozen=True)
class Draft:
    """What is about to be recorded. `key` is its natural key: the same fact always has the same one."""

    kind: str
    key: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """What an entry is about: a delivery, or a feed (with a window or an epoch as its period), or the office (None)."""

    partner: str | None
    feed: str | None
    period: str | None = None
    delivery: str | None = None

    @classmethod
    def of(cls, delivery: DeliveryId) -> Place:
        """The place of a delivery."""
        return cls(delivery.partner, delivery.feed, delivery.period, str(delivery))


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `body` is canonical JSON; `at` is in UTC."""

    seq: int
    at: str
    kind: str
    key: str
    partner: str | None
    feed: str | None
    period: str | None
    delivery: str | None
    body: str
    prev_hash: str
    hash: str
    token: str

    @property
    def said(self) -> dict[str, Any]:
        """The body as values."""
        return dict(json.loads(self.body))

    @property
    def moment(self) -> datetime:
        """When, as a value."""
        return datetime.fromisoformat(self.at)

    def as_row(self) -> dict[str, Any]:
        """For printing: what happened, without the proof."""
        return {"seq": self.seq, "at": self.at, "kind": self.kind, "delivery": self.delivery, **self.said}


def hash_of(entry: Entry) -> str:
    """SHA-256 over the canonical JSON of everything but `hash` and `token`."""
    told = {name: value for name, value in asdict(entry).items() if name not in ("hash", "token")}
    return hashlib.sha256(canonical(told).encode()).hexdigest()


def append(connection: Connection, signer: Signer | Keyring, draft: Draft, place: Place, at: datetime) -> Entry:
    """Add the next entry. The caller holds the ledger's lock (`database.writing`)."""
    signer.catch_up(connection)
    last = connection.execute(
        select(models.entry.c.seq, models.entry.c.hash).order_by(models.entry.c.seq.desc()).limit(1)
    ).first()
    blank = Entry(
        seq=last.seq + 1 if last else 1,
        at=at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        kind=draft.kind,
        key=draft.key,
        partner=place.partner,
        feed=place.feed,
        period=place.period,
        delivery=place.delivery,
        body=canonical(draft.body),
        prev_hash=last.hash if last else FIRST,
        hash="",
        token="",
    )
    digest = hash_of(blank)
    signed = signer.sign(TOKEN, {"seq": blank.seq, "hash": digest})
    entry = Entry(**{**asdict(blank), "hash": digest, "token": signed})
    connection.execute(insert(models.entry).values(**asdict(entry)))
    return entry


def last_token(connection: Connection) -> str | None:
    """The token of the last entry; None while there is none."""
    found = connection.execute(select(models.entry.c.token).order_by(models.entry.c.seq.desc()).limit(1))
    return found.scalar()


def last_seq(connection: Connection) -> int:
    """The number of the last entry; 0 while there is none."""
    return connection.execute(select(models.entry.c.seq).order_by(models.entry.c.seq.desc()).limit(1)).scalar() or 0


def by_key(connection: Connection, key: str) -> Entry | None:
    """The entry of that natural key."""
    found = connection.execute(select(models.entry).where(models.entry.c.key == key)).mappings().first()
    return entry_of(found) if found else None


def entry_of(row: RowMapping) -> Entry:
    """A row of the table as a value."""
    return Entry(**row)


def of_delivery(connection: Connection, delivery: DeliveryId) -> list[Entry]:
    """The entries of one delivery, in order."""
    found = select(models.entry).where(models.entry.c.delivery == str(delivery)).order_by(models.entry.c.seq)
    return [entry_of(row) for row in connection.execute(found).mappings()]


def is_told(connection: Connection, key: str) -> bool:
    """Whether a fact is on record."""
    return connection.execute(select(models.entry.c.seq).where(models.entry.c.key == key)).first() is not None


def without_delivery(connection: Connection, kinds: Sequence[str]) -> list[Entry]:
    """The entries of these kinds, which are about feeds and no delivery, in order."""
    found = select(models.entry).where(models.entry.c.delivery.is_(None), models.entry.c.kind.in_(kinds))
    return [entry_of(row) for row in connection.execute(found.order_by(models.entry.c.seq)).mappings()]


def everything(connection: Connection) -> Iterator[Entry]:
    """All entries, in order; as many as a ledger of years holds, so never all at once."""
    wanted = select(models.entry).order_by(models.entry.c.seq)
    for row in connection.execute(wanted, execution_options={"yield_per": 1000}).mappings():
        yield entry_of(row)
