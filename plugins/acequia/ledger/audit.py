"""Verifying the ledger: the chain, what was derived from it, the head, the receipts, the public keys, the guards."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from acequia.errors import AcequiaError
from acequia.ledger import certificates, head, models
from acequia.ledger.chain import FIRST, Entry, everything, hash_of
from acequia.ledger.claims import Story
from acequia.ledger.database import reading
from acequia.ledger.keyring import Keyring
from acequia.ledger.office import UNREADABLE, Turn, trusted
from acequia.ledger.projection import row_of
from acequia.ledger.receipts import keys_path
from acequia.ledger.signing import as_file, read_jwks
from acequia.ledger.witnesses import Witnesses, digest_of, place_of

_A_MOMENT_S = 1.0  # between an entry and its receipt, in a process that runs beside us


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: at which entry, if it is at one."""

    kind: str
    what: str
    seq: int | None = None


@dataclass
class _Walk:
    """What was seen on the way along the chain."""

    turn: Turn
    findings: list[Finding] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=lambda: {0: FIRST})
    stories: dict[str, Story] = field(default_factory=dict)
    planned: dict[str, tuple[str, int]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    last: int = 0

    def found(self, kind: str, what: str, seq: int | None = None) -> None:
        self.findings.append(Finding(kind, what, seq))


def verify(
    engine: Engine, home: Path, ring: Keyring, *, against: tuple[Path, ...] = (), whole: bool = False
) -> list[Finding]:
    """Every finding. Entries that are added meanwhile do no harm: head and receipts are read before the chain.

    Args:
        engine: the ledger's database.
        home: ACEQUIA_HOME.
        ring: the signing keys.
        against: heads, receipts or certificates that were kept elsewhere. Only they tell when the whole ledger, with
            all that lies beside it, was put back to an earlier state.
        whole: find receipts that are missing, too; the last ones of a step that was killed may be.
    """
    files = sorted((home / "receipts").rglob("*.jws")), sorted(certificates.root_of(home).rglob("*.jws"))
    _learn(engine, ring)  # after the files were listed: whoever signed them is known by now
    beside = Witnesses(home, trusted(ring, keys_path(home)))
    beside.look(*files, against)
    walk = _Walk(Turn(ring, beside.jwks), [Finding(kind, what) for kind, what in beside.wrong])
    try:
        _walk_along(engine, walk)
    except AcequiaError as error:
        if error.code != "ledger_broken":
            raise
        walk.found("database_damaged", "the database cannot be read to its end")
        return walk.findings
    _check_anchors(beside, walk)
    _check_files(home, ring, beside, walk, whole=whole)
    return walk.findings


def _learn(engine: Engine, ring: Keyring) -> None:
    with suppress(*UNREADABLE), reading(engine) as connection:  # the walk says what is wrong
        _read_as_is(connection)
        ring.learn(connection)


def _walk_along(engine: Engine, walk: _Walk) -> None:
    with reading(engine) as connection:
        _read_as_is(connection)
        _check_pages(connection, walk)
        for entry in everything(connection):
            _check_entry(entry, walk)
        _check_deliveries(connection, walk)
        _check_releases(connection, walk)
        _check_guards(connection, walk)


def _read_as_is(connection: Connection) -> None:
    """Bytes that are no text any more are to be found, not stumbled over."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        driver.text_factory = lambda content: content.decode("utf-8", "replace")


def _check_pages(connection: Connection, walk: _Walk) -> None:
    if connection.dialect.name == "sqlite":
        for said in connection.execute(text("PRAGMA integrity_check(10)")).scalars():
            if said != "ok":
                walk.found("database_damaged", f"SQLite says of its file: {said}")


def _check_entry(entry: Entry, walk: _Walk) -> None:
    if entry.seq != walk.last + 1:
        missing = f"{walk.last + 1}" if entry.seq == walk.last + 2 else f"{walk.last + 1} to {entry.seq - 1}"
        walk.found("sequence_missing", f"entry {missing} is missing before this one", entry.seq)
    elif entry.prev_hash != walk.hashes[walk.last]:
        walk.found("link_broken", "it does not follow the entry before it", entry.seq)
    if entry.hash != hash_of(entry):
        walk.found("hash_differs", "its content was changed: it does not fit its hash", entry.seq)
    if wrong := walk.turn.wrong(entry):
        walk.found("signature_wrong", wrong, entry.seq)
    walk.hashes[entry.seq], walk.last = entry.hash, entry.seq
    if entry.delivery is not None:
        _add_up(entry, walk)


def _add_up(entry: Entry, walk: _Walk) -> None:
    """What follows in a delivery's story after an entry that cannot be read is not at fault, and does not add up."""
    if str(entry.delivery) in walk.unreadable:
        return
    try:
        planned = walk.stories.setdefault(str(entry.delivery), Story()).add(entry)
        if planned:
            walk.planned[place_of(planned)] = digest_of(planned.claims), entry.seq
    except UNREADABLE:
        walk.unreadable.add(str(entry.delivery))
        walk.found("entry_unreadable", "its content makes no sense", entry.seq)


def _check_anchors(beside: Witnesses, walk: _Walk) -> None:
    for anchor in beside.anchors:
        if anchor.seq > walk.last:
            what = f"entries were cut off: {anchor.source} names entry {anchor.seq}, the last one is {walk.last}"
            walk.found("tail_cut", what, anchor.seq)
        elif walk.hashes.get(anchor.seq) != anchor.hash:
            walk.found("anchor_differs", f"the entry is not the one that {anchor.source} names", anchor.seq)
    if walk.last and not head.path_of(beside.home).exists():
        walk.found("head_missing", "the signed head (ledger/head.jws) is missing; without it a cut tail may go unseen")


def _check_files(home: Path, ring: Keyring, beside: Witnesses, walk: _Walk, *, whole: bool) -> None:
    for what, seq in beside.differing(walk.planned):
        walk.found("receipt_wrong", what, seq)
    if whole and any(beside.missing(walk.planned)):
        time.sleep(_A_MOMENT_S)  # perhaps it is being written just now
        for what, seq in beside.missing(walk.planned):
            walk.found("receipt_missing", what, seq)
    if walk.last and (wrong := walk.turn.ended()):
        walk.found("key_missing", wrong)
    path = keys_path(home)
    try:
        if path.exists() and not _is_ours(path, ring):
            walk.found("keys_wrong", "the file of public keys is not what the ledger says")
    except UNREADABLE as error:  # if it is not the file, the walk has said what is damaged
        if isinstance(error, AcequiaError) and error.code == "receipt_invalid":
            walk.found("keys_wrong", error.what)


def _is_ours(path: Path, ring: Keyring) -> bool:
    """As it is written today, or as it was before keys said which entries they sign."""
    found = read_jwks(path)
    return path.read_bytes() == as_file(ring.published).encode() or found == ring.public


def _check_deliveries(connection: Connection, walk: _Walk) -> None:
    states = {name: story.state for name, story in walk.stories.items() if story.state}
    wanted = {name: row_of(state) for name, state in states.items()}
    stored = {}
    for row in _rows(connection, "delivery", walk):
        stored[f"{row['partner']}.{row['feed']}.{row['period']}.v{row['version']}"] = row
    _compare("delivery", wanted, stored, walk)


def _check_releases(connection: Connection, walk: _Walk) -> None:
    states = [story.state for story in walk.stories.values() if story.state]
    wanted = {part.seq: asdict(part) for state in states for part in state.releases}
    stored = {row["seq"]: row for row in _rows(connection, "release", walk)}
    _compare("release", wanted, stored, walk)


def _rows(connection: Connection, table: str, walk: _Walk) -> list[dict[str, Any]]:
    """The rows of a derived table as they are, a damaged value too: types of ours would hide it."""
    found = connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - one of our own names
    if set(found.keys()) != set(models.metadata.tables[table].columns.keys()):
        walk.found("derived_differs", f"table {table}: its columns are not those that it had")
        return []
    return [dict(row) for row in found.mappings()]


def _compare(
    table: str, wanted: Mapping[Any, dict[str, Any]], stored: Mapping[Any, dict[str, Any]], walk: _Walk
) -> None:
    for key in sorted(wanted.keys() | stored.keys(), key=str):
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
