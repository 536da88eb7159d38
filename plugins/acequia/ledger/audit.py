"""Verifying the ledger: the chain, what was derived from it, the head, the receipts, the guards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger import certificates, head, models
from acequia.ledger.chain import FIRST, TOKEN, Entry, everything, hash_of
from acequia.ledger.database import reading
from acequia.ledger.keyring import Keyring
from acequia.ledger.projection import State, after, row_of
from acequia.ledger.receipts import folder_of, verify_receipt


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: at which entry, if it is at one."""

    kind: str
    what: str
    seq: int | None = None


@dataclass
class _Walk:
    """What was seen on the way along the chain."""

    findings: list[Finding] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=lambda: {0: FIRST})
    states: dict[str, State] = field(default_factory=dict)
    last: int = 0

    def found(self, kind: str, what: str, seq: int | None = None) -> None:
        self.findings.append(Finding(kind, what, seq))


def verify(engine: Engine, home: Path, signer: Keyring) -> list[Finding]:
    """Every finding. Entries that are added meanwhile do no harm: head and receipts are read before the chain.

    Entries are verified by signing them again: Ed25519 gives the same bytes, and it is faster than verifying.
    """
    walk = _Walk()
    told = list(_anchors(home, signer, walk))
    told += _head_anchor(home, signer, walk)
    with reading(engine) as connection:
        for entry in everything(connection):
            _check_entry(entry, signer, walk)
        _check_deliveries(connection, walk)
        _check_releases(connection, walk)
        _check_guards(connection, walk)
    for source, seq, digest in told:
        if seq > walk.last:
            walk.found(
                "tail_cut", f"entries were cut off: {source} names entry {seq}, the last one is {walk.last}", seq
            )
        elif walk.hashes.get(seq) != digest:
            walk.found("anchor_differs", f"the entry is not the one that {source} names", seq)
    if walk.last and not head.path_of(home).exists():
        walk.found("head_missing", "the signed head (ledger/head.jws) is missing; without it a cut tail may go unseen")
    return walk.findings


def _anchors(home: Path, signer: Keyring, walk: _Walk) -> Iterator[tuple[str, int, str]]:
    """What each receipt on disk says of the ledger."""
    yield from _certified(home, signer, walk)
    root = home / "receipts"
    for path in sorted(root.rglob("*.jws")):
        name = str(path.relative_to(root))
        try:
            claims = verify_receipt(path, signer.public).claims
            if path.parent != folder_of(home, DeliveryId.parse(claims["delivery"])):
                walk.found("receipt_wrong", f"receipt {name}: it belongs to another delivery than its folder's")
            yield f"receipt {name}", int(claims["ledger"]["seq"]), str(claims["ledger"]["hash"])
        except AcequiaError as error:
            walk.found("receipt_wrong", f"receipt {name}: {error.what}")


def _certified(home: Path, signer: Keyring, walk: _Walk) -> Iterator[tuple[str, int, str]]:
    """What each certificate on disk says of the ledger."""
    root = certificates.root_of(home)
    for path in sorted(root.rglob("*.jws")):
        name = str(path.relative_to(root))
        try:
            found = certificates.verify_certificate(path, signer.public).claims
            yield f"certificate {name}", int(found["ledger"]["seq"]), str(found["ledger"]["hash"])
        except AcequiaError as error:
            walk.found("certificate_wrong", f"certificate {name}: {error.what}")


def _head_anchor(home: Path, signer: Keyring, walk: _Walk) -> list[tuple[str, int, str]]:
    try:
        found = head.read(home, signer.public)
    except AcequiaError as error:
        walk.found("head_wrong", f"the signed head (ledger/head.jws): {error.what}")
        return []
    return [("the signed head", int(found["seq"]), str(found["hash"]))] if found else []


def _check_entry(entry: Entry, signer: Keyring, walk: _Walk) -> None:
    if entry.seq != walk.last + 1:
        missing = f"{walk.last + 1}" if entry.seq == walk.last + 2 else f"{walk.last + 1} to {entry.seq - 1}"
        walk.found("sequence_missing", f"entry {missing} is missing before this one", entry.seq)
    elif entry.prev_hash != walk.hashes[walk.last]:
        walk.found("link_broken", "it does not follow the entry before it", entry.seq)
    if entry.hash != hash_of(entry):
        walk.found("hash_differs", "its content was changed: it does not fit its hash", entry.seq)
    if entry.token != signer.sign(TOKEN, {"seq": entry.seq, "hash": entry.hash}):
        walk.found("signature_wrong", "it was not signed by this office", entry.seq)
    walk.hashes[entry.seq], walk.last = entry.hash, entry.seq
    if entry.delivery is not None:
        _add_up(entry, walk)


def _add_up(entry: Entry, walk: _Walk) -> None:
    try:
        walk.states[str(entry.delivery)] = after(walk.states.get(str(entry.delivery)), entry)
    except (AcequiaError, ValueError, LookupError, TypeError, AttributeError):
        walk.found("entry_unreadable", "its content makes no sense", entry.seq)


def _check_deliveries(connection: Connection, walk: _Walk) -> None:
    wanted = {name: row_of(state) for name, state in walk.states.items()}
    stored = {}
    for row in connection.execute(select(models.delivery)).mappings():
        stored[f"{row['partner']}.{row['feed']}.{row['period']}.v{row['version']}"] = dict(row)
    _compare("delivery", wanted, stored, walk)


def _check_releases(connection: Connection, walk: _Walk) -> None:
    wanted = {part.seq: asdict(part) for state in walk.states.values() for part in state.releases}
    stored = {row["seq"]: dict(row) for row in connection.execute(select(models.release)).mappings()}
    _compare("release", wanted, stored, walk)


def _compare(
    table: str, wanted: Mapping[Any, dict[str, Any]], stored: Mapping[Any, dict[str, Any]], walk: _Walk
) -> None:
    for key in sorted(wanted.keys() | stored.keys()):
        if key not in stored:
            walk.found("derived_differs", f"table {table}: the row of {key} is missing")
        elif key not in wanted:
            walk.found("derived_differs", f"table {table}: no entry gives reason for the row of {key}")
        elif stored[key] != wanted[key]:
            columns = [name for name, value in wanted[key].items() if stored[key][name] != value]
            walk.found("derived_differs", f"table {table}: {', '.join(columns)} of {key} is not what the entries say")


def _check_guards(connection: Connection, walk: _Walk) -> None:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entry' AND sql LIKE '%RAISE(ABORT%'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
        "WHERE tgrelid = 'entry'::regclass AND tgenabled <> 'D' AND prosrc LIKE '%RAISE EXCEPTION%'"
    )
    there = set(connection.execute(text(query)).scalars())
    for name in sorted({"entry_not_updated", "entry_not_deleted"} - there):
        walk.found("guard_missing", f"the trigger {name} is gone, switched off or does nothing")
