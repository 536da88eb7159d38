"""Receipts: what the office tells a partner, signed, each naming the one before; verified with the public key alone.

A receipt is made of ledger entries and of nothing else, its time included, so that it can be made again byte for byte.
The format is a compact JWS (RFC 7515), `alg` Ed25519, `typ` acequia-receipt+jwt; a file holds the token, nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger.chain import Entry
from acequia.ledger.claims import Planned, plan
from acequia.ledger.keyring import Keyring
from acequia.ledger.signing import Jwks, claims_of, read_jwks, write_whole

TYPE = "acequia-receipt+jwt"
NAME = re.compile(r"(\d{2,})-([a-z_]+)\.jws")


@dataclass(frozen=True)
class Verified:
    """A receipt that is what it says; `chain` says in words how far back the receipts before it were followed."""

    claims: Mapping[str, Any]
    key_id: str
    sha256: str
    chain: str = "its chain was not looked at"
    links: int = 0


def keys_path(home: Path) -> Path:
    """Where the public keys are."""
    return home / "keys" / "receipts.jwks.json"


def folder_of(home: Path, delivery: DeliveryId) -> Path:
    """Where a delivery's receipts are."""
    return home / "receipts" / delivery.folder


def issue(home: Path, ring: Keyring, versions: Sequence[Sequence[Entry]]) -> list[Path]:
    """Write every receipt of these versions of a period that is missing; the last version's, in order.

    Args:
        home: ACEQUIA_HOME.
        ring: Holds the keys for receipts.
        versions: The entries of version 1, 2, … of the period.

    Raises:
        AcequiaError: `ledger_broken` if a receipt on disk is another than the ledger gives reason for.
    """
    written: list[tuple[Planned, str]] = []
    before: list[tuple[Planned, str]] = []
    for entries in versions:
        before, written = written, []
        for part in plan(entries):
            prev = written[-1][1] if written else _last_before(before, part.entry.seq)
            path = folder_of(home, DeliveryId.parse(str(part.entry.delivery))) / part.name
            written.append((part, _write_once(path, part, prev, ring)))
    return [folder_of(home, DeliveryId.parse(str(part.entry.delivery))) / part.name for part, _ in written]


def verify_receipt(path: Path, jwks: Path | Jwks, *, chain: bool = True) -> Verified:
    """Verify a receipt offline, and with `chain` every receipt before it that lies beside it.

    Args:
        path: The receipt's file.
        jwks: The office's public keys: a JWK set, or its file.
        chain: Follow the chain back as far as the files are there. A gap is an error; a chain whose earlier part was
            never kept is not, and `Verified.chain` says so.

    Raises:
        AcequiaError: `receipt_invalid`, with what is wrong.
    """
    keys = read_jwks(jwks) if isinstance(jwks, Path) else jwks
    found = _verified(path, keys)
    if not chain:
        return found
    earlier = [receipt for _, receipt in _followed(path, found, keys)]
    whole = (earlier or [found])[-1].claims["prev"] is None
    said = f"it follows {len(earlier)} others, back to the first" if earlier else "it is the first of its chain"
    if not whole:
        said = f"it follows {len(earlier)} others that are here, and more that are not"
    return Verified(found.claims, found.key_id, found.sha256, said, len(earlier))


def _last_before(written: Sequence[tuple[Planned, str]], seq: int) -> str | None:
    """The first receipt of a version names the last one that the version before it had by then."""
    earlier = [digest for part, digest in written if part.entry.seq < seq]
    return earlier[-1] if earlier else None


def _write_once(path: Path, part: Planned, prev: str | None, ring: Keyring) -> str:
    """Write a receipt unless it is there; its SHA-256."""
    if not path.exists():
        write_whole(path, ring.for_entry(part.entry.seq).sign(TYPE, {**part.claims, "prev": prev}))
    try:
        found = _verified(path, ring.public)
    except AcequiaError as error:
        raise AcequiaError("ledger_broken", f"a receipt was tampered with: {error.what}", where=path.name) from None
    if found.claims["ledger"] != part.claims["ledger"] or found.claims["prev"] != prev:
        raise AcequiaError(
            "ledger_broken", "a receipt is not the one that the ledger gives reason for", where=path.name
        )
    return found.sha256


def _verified(path: Path, jwks: Jwks) -> Verified:
    content = path.read_bytes()
    claims, key_id = claims_of(content.decode("ascii", "replace"), TYPE, jwks)
    if _WANTED - claims.keys():
        raise AcequiaError("receipt_invalid", "this is not valid: claims are missing", where=path.name)
    name = NAME.fullmatch(path.name)
    if name and (int(name[1]), name[2]) != (claims["number"], claims["step"]):
        raise AcequiaError(
            "receipt_invalid", "this is not valid: it is another step than its name says", where=path.name
        )
    return Verified(claims, key_id, hashlib.sha256(content).hexdigest())


_WANTED = {"iat", "number", "step", "delivery", "partner", "feed", "period", "version", "ledger", "prev"}


def _followed(path: Path, found: Verified, jwks: Jwks) -> Iterator[tuple[Path, Verified]]:
    """The receipts before this one, nearest first, each verified, until the first or until they are not here."""
    while found.claims["prev"] is not None:
        look = _one_before if found.claims["number"] > 1 else _of_version_before
        before = look(path, found, jwks)
        if before is None:
            return
        yield before
        path, found = before


def _one_before(path: Path, found: Verified, jwks: Jwks) -> tuple[Path, Verified] | None:
    number = int(found.claims["number"]) - 1
    beside = {int(match[1]): other for other in path.parent.iterdir() if (match := NAME.fullmatch(other.name))}
    if number not in beside:
        if any(other < number for other in beside):
            raise AcequiaError("receipt_invalid", f"receipt {number} is missing between those that are here")
        return None
    before = _verified(beside[number], jwks)
    same_delivery = before.claims["delivery"] == found.claims["delivery"]
    if not same_delivery or before.sha256 != found.claims["prev"]:
        raise AcequiaError("receipt_invalid", f"it does not follow {beside[number].name}, which lies before it")
    return beside[number], before


def _of_version_before(path: Path, found: Verified, jwks: Jwks) -> tuple[Path, Verified] | None:
    version = int(found.claims["version"]) - 1
    folder = path.parent.with_name(f"v{version}")
    if path.parent.name != f"v{version + 1}" or not folder.is_dir():
        return None
    there = sorted(other for other in folder.iterdir() if NAME.fullmatch(other.name))
    for other in there:
        if hashlib.sha256(other.read_bytes()).hexdigest() == found.claims["prev"]:
            return other, _verified(other, jwks)
    if not there:
        return None
    raise AcequiaError("receipt_invalid", f"it does not follow any receipt of version {version}, which lies beside it")
