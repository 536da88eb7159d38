"""Release certificates: for each release of a table, what stands behind it, signed; for the office, not for the public.

One for each `published` entry of the ledger: the table and its content, the deliveries with the agreement that each was
accepted under, the disclosure rules with the cells that they withheld, how well the protected rows tell people apart
(`protect.risk`), and how many planted people the gate found. Made of ledger entries alone, as receipts are, so that it
can be made again byte for byte. A compact JWS, `typ` acequia-release+jwt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger.chain import Entry
from acequia.ledger.keyring import Keyring
from acequia.ledger.projection import state_of
from acequia.ledger.receipts import Verified
from acequia.ledger.signing import Jwks, claims_of, read_jwks, type_of, write_whole

TYPE = "acequia-release+jwt"
_WANTED = {"iat", "kind", "table", "period", "content_sha256", "deliveries", "disclosure", "ledger"}


def root_of(home: Path) -> Path:
    """Where the certificates are."""
    return home / "certificates"


def place_of(home: Path, entry: Entry) -> Path:
    """The file of a `published` entry's certificate."""
    said = entry.said
    return (
        root_of(home) / str(entry.partner) / str(said["table"]) / str(said["period"]) / f"{entry.seq:08d}-release.jws"
    )


def issue(home: Path, ring: Keyring, entries: Sequence[Entry], of: Callable[[DeliveryId], Sequence[Entry]],
          notes: Sequence[Entry] = ()) -> list[Path]:  # fmt: skip
    """Write the certificates of a delivery's releases that are missing.

    Args:
        home: ACEQUIA_HOME.
        ring: Holds the installation's keys.
        entries: The entries of the delivery that published.
        of: The entries of any delivery that stands behind a release.
        notes: The entries about planted people (kind `canary`), in order.

    Raises:
        AcequiaError: `ledger_broken` if a certificate on disk is another than the ledger gives reason for.
    """
    jwks, written = ring.public, []
    for entry in entries:
        if entry.kind == "published":
            path = place_of(home, entry)
            if not path.exists():
                write_whole(path, ring.for_entry(entry.seq).sign(TYPE, claims(entry, of, notes)))
            _require_of(path, entry, jwks)
            written.append(path)
    return written


def claims(entry: Entry, of: Callable[[DeliveryId], Sequence[Entry]], notes: Sequence[Entry] = ()) -> dict[str, Any]:
    """What the certificate of a `published` entry says."""
    said = entry.said
    return {
        "iss": "acequia",
        "iat": int(entry.moment.timestamp()),
        "kind": "release",
        "table": f"{entry.partner}.{said['table']}",
        "feed": entry.feed,
        "period": said["period"],
        "provisional": said["provisional"],
        "content_sha256": said["content_sha256"],
        "snapshot_id": str(said["snapshot_id"]),  # 64 bits: JSON numbers lose the last of them in many languages
        "disclosure": {"rules": said["rules"], "cells": said["cells"], "cells_withheld": said["withheld"]},
        "deliveries": [_behind(DeliveryId.parse(name), entry.seq, of) for name in said["deliveries"]],
        "canary": _found(entry, notes),
        "ledger": {"seq": entry.seq, "hash": entry.hash},
    }


def _behind(delivery: DeliveryId, seq: int, of: Callable[[DeliveryId], Sequence[Entry]]) -> dict[str, Any]:
    """A delivery as it stood when the table went out."""
    entries = [entry for entry in of(delivery) if entry.seq < seq]
    state = state_of(entries)
    accepted = [entry for entry in entries if entry.kind == "accepted"]
    if state is None or not accepted:
        raise AcequiaError("ledger_broken", "a release names a delivery that was not accepted", where=str(delivery))
    return {
        "delivery": str(delivery),
        "content_sha256": state.content_sha256,
        "agreement": {"version": state.agreement_version, "sha256": state.agreement_sha256},
        "rows": accepted[-1].said["count"],
        "risk": accepted[-1].said.get("risk"),
    }


def _found(entry: Entry, notes: Sequence[Entry]) -> Mapping[str, Any] | None:
    """What the last search for planted people before the release found, if there was one."""
    about = [
        note for note in notes if (note.partner, note.feed) == (entry.partner, entry.feed) and note.seq < entry.seq
    ]
    return about[-1].said if about else None


def is_certificate(path: Path) -> bool:
    """Whether a file says of itself that it is a certificate; `verify_certificate` tells whether that is true."""
    return type_of(path.read_bytes().decode("ascii", "replace")) == TYPE


def verify_certificate(path: Path, jwks: Path | Jwks) -> Verified:
    """Verify a certificate offline, with the public key alone.

    Raises:
        AcequiaError: `receipt_invalid`, with what is wrong.
    """
    content = path.read_bytes()
    keys = read_jwks(jwks) if isinstance(jwks, Path) else jwks
    found, key_id = claims_of(content.decode("ascii", "replace"), TYPE, keys)
    if _WANTED - found.keys():
        raise AcequiaError("receipt_invalid", "this is not valid: claims are missing", where=path.name)
    chain = f"it names entry {found['ledger']['seq']} of the ledger"
    return Verified(found, key_id, hashlib.sha256(content).hexdigest(), chain)


def _require_of(path: Path, entry: Entry, jwks: Jwks) -> None:
    try:
        found = verify_certificate(path, jwks)
    except AcequiaError as error:
        raise AcequiaError("ledger_broken", f"a certificate was tampered with: {error.what}", where=path.name) from None
    if found.claims["ledger"] != {"seq": entry.seq, "hash": entry.hash}:
        raise AcequiaError("ledger_broken", "a certificate is not the one of its entry", where=path.name)
