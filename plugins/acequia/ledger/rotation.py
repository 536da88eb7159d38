"""Changing the key that signs: the old one makes way for the new one in the ledger, and signs nothing from then on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from acequia.errors import AcequiaError
from acequia.ledger import chain, head
from acequia.ledger.chain import Draft, Place
from acequia.ledger.database import reading, writing
from acequia.ledger.introductions import INTRODUCTION
from acequia.ledger.keyring import CHANGED, DESTROYED, TAKEN_UP, Keyring, handing_over, name_of
from acequia.ledger.receipts import keys_path
from acequia.ledger.signing import Signer, key_id_of, read_jwks

if TYPE_CHECKING:
    from acequia.ledger.book import Ledger

_OFFICE = Place(None, None)


@dataclass(frozen=True)
class Rotated:
    """The key that is in force now, and the last entry that the one before it may sign."""

    number: int
    key_id: str
    old_key_id: str
    last_seq: int


def rotate(ledger: Ledger, *, because: str, who: str, lost: bool = False) -> Rotated:
    """Make a new signing key and hand over to it. Killed anywhere, it can be run again, and is finished then.

    Receipts that are still missing are signed first, so that the old key is not needed for anything any more.

    Args:
        ledger: the ledger whose key it is.
        because: why, for the ledger.
        who: who does it, for the ledger.
        lost: the old key is gone: the new one signs the handing over by itself. Only this installation's own
            `ledger verify` can vouch for such a key; partners must be given it by a way that they trust.

    Raises:
        AcequiaError: `usage` if there is no ledger yet, or if a key is said to be lost that is there; `key_missing`,
            with what to do, if the old key is gone, or where the key store cannot make keys.
    """
    ring = ledger.signer
    with reading(ledger.engine) as connection:
        ring.learn(connection)
        if chain.last_token(connection) is None:
            raise AcequiaError("usage", "nothing is signed yet: the first key is made with the first delivery")
        if not lost:
            ring.catch_up(connection)
        elif _is_there(ring, connection):
            raise AcequiaError("usage", f"the key {name_of(ring.number)} is not lost: rotate it without --lost")
    wanted = ring.number + 1
    if not lost:
        ledger.write_receipts()
    new = Signer(ledger.keys.secret(name_of(wanted)))
    with writing(ledger.engine) as connection:
        ring.learn(connection)
        if ring.number < wanted:  # else another process has done it meanwhile
            _hand_over(ledger, connection, wanted, new, {"because": because, "who": who}, lost=lost)
            ring.learn(connection)
        token = str(chain.last_token(connection))
    if lost:
        head.forget_unless_known(ledger.home, ring.public)
    head.show(ledger.home, token, ring)
    ledger.offer_keys()
    before, now = ring.known[-2:]
    return Rotated(now.number, now.key_id, before.key_id, int(before.last_seq or 0))


def destroy_old(ledger: Ledger) -> tuple[str, ...]:
    """Destroy the signing keys that are not in force any more, and note it. What they signed stays verifiable.

    Returns:
        The names of the keys that went now.
    """
    ring, gone = ledger.signer, []
    with reading(ledger.engine) as connection:
        ring.catch_up(connection)
    ledger.write_receipts()
    for key in ring.known[:-1]:
        name = name_of(key.number)
        if ledger.keys.state(name) != "absent":
            if ledger.keys.state(name) != "destroyed":
                gone.append(name)
            ledger.keys.destroy(name)
            ledger.note(
                _OFFICE, Draft(DESTROYED, f"{DESTROYED}/{key.number}", {"number": key.number, "kid": key.key_id})
            )
    return tuple(gone)


def _is_there(ring: Keyring, connection: Connection) -> bool:
    """Whether the key that signed the last entry is in the key store."""
    signer = ring.kept(ring.number)
    return signer is not None and signer.key_id == key_id_of(str(chain.last_token(connection)))


def _hand_over(
    ledger: Ledger, connection: Connection, number: int, new: Signer, said: dict[str, str], *, lost: bool
) -> None:
    """Two entries in one transaction: the old key's last, and the new one's first. A lost key signs nothing."""
    ring, at = ledger.signer, ledger.clock()
    last = chain.last_seq(connection) + (0 if lost else 1)
    old = _old_of(ledger.home, connection) if lost else {"kid": ring.current.key_id, "x": ring.current.x}
    names = {"kid": new.key_id, "x": new.x}
    claims = {"iss": "acequia", "iat": int(at.timestamp()), "number": number, **names, "first_seq": last + 1,
              "retires": old["kid"], "last_seq": last}  # fmt: skip
    body: dict[str, Any] = {
        "number": number, "old": old, "new": names, "last_seq": last, "first_seq": last + 1, "lost": lost,
        "introduction": "" if lost else ring.current.sign(INTRODUCTION, claims), **said,
    }  # fmt: skip
    chain.append(connection, new if lost else ring.current, Draft(CHANGED, handing_over(number), body), _OFFICE, at)
    taken = Draft(TAKEN_UP, f"{TAKEN_UP}/{number}", {"number": number, "kid": new.key_id})
    chain.append(connection, new, taken, _OFFICE, ledger.clock())


def _old_of(home: Path, connection: Connection) -> dict[str, str]:
    """What is known of a key that is gone: its id from the last entry, its public half from the file of public keys."""
    key_id = key_id_of(str(chain.last_token(connection)))
    with suppress(AcequiaError):
        for key in read_jwks(keys_path(home))["keys"]:
            if key.get("kid") == key_id:
                return {"kid": str(key_id), "x": str(key["x"])}
    return {"kid": str(key_id), "x": ""}
