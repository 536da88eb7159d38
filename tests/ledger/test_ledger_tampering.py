"""Every kind of tampering with the ledger is found, and named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, text, update

from acequia.keys import FileKeyStore
from acequia.ledger import chain, models
from acequia.ledger.book import Ledger, open_ledger
from acequia.ledger.chain import Draft, Entry, hash_of
from acequia.ledger.signing import Signer
from acequia.settings import Settings
from tests.ledger.deeds import refuse, register, run_through

ENTRY = models.entry


@pytest.fixture
def told(sqlite_ledger: Ledger) -> Ledger:
    return tell(sqlite_ledger)


def tell(ledger: Ledger) -> Ledger:
    """Ten entries: two deliveries that went well (1-4, 6-9), and one that is refused (5, 10)."""
    run_through(ledger, "A", "2026-11-16")
    delivery = register(ledger, "A", "2026-11-17")
    run_through(ledger, "A", "2026-11-18")
    refuse(ledger, delivery)
    ledger.receipt("refused", delivery)
    assert ledger.verify() == []
    return ledger


def tamper(ledger: Ledger, deed: Callable[[Connection], object]) -> None:
    """Do what the triggers forbid, as the owner of the database could."""
    with ledger.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE entry DISABLE TRIGGER USER"))
            deed(connection)
            connection.execute(text("ALTER TABLE entry ENABLE TRIGGER USER"))
            return
        triggers = list(connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")))
        for name, _ in triggers:
            connection.execute(text(f"DROP TRIGGER {name}"))
        deed(connection)
        for _, again in triggers:
            connection.exec_driver_sql(again)


def findings(ledger: Ledger) -> list[tuple[str, int | None]]:
    return [(found.kind, found.seq) for found in ledger.verify()]


def kinds(ledger: Ledger) -> set[str]:
    return {kind for kind, _ in findings(ledger)}


def entries(connection: Connection) -> list[Entry]:
    return list(chain.everything(connection))


@pytest.mark.parametrize(
    "column", ["at", "kind", "key", "partner", "feed", "period", "delivery", "body", "prev_hash", "hash", "token"]
)
def test_a_character_changed_in_any_column_is_found(told: Ledger, column: str) -> None:
    def deed(connection: Connection) -> None:
        value = getattr(entries(connection)[2], column)
        at = len(value) // 2
        changed = value[:at] + ("x" if value[at] != "x" else "y") + value[at + 1 :]
        connection.execute(update(ENTRY).where(ENTRY.c.seq == 3).values({column: changed}))

    tamper(told, deed)
    assert findings(told)
    assert {seq for _, seq in findings(told) if seq} <= {3, 4}
    assert any(seq == 3 for _, seq in findings(told))


def test_a_changed_count_with_its_hash_made_to_fit_is_found(told: Ledger) -> None:
    def deed(connection: Connection) -> None:
        second = entries(connection)[1]
        changed = Entry(**{**asdict(second), "body": second.body.replace('"rows_in":100', '"rows_in":999')})
        fitting = {"body": changed.body, "hash": hash_of(changed)}
        connection.execute(update(ENTRY).where(ENTRY.c.seq == 2).values(**fitting))

    tamper(told, deed)
    assert ("signature_wrong", 2) in findings(told)
    assert ("link_broken", 3) in findings(told)
    assert ("anchor_differs", 2) in findings(told)


def test_a_whole_chain_made_to_fit_is_found(told: Ledger, home: Path) -> None:
    """Without the key nothing helps: not even every hash made anew, and head and receipts removed."""

    def deed(connection: Connection) -> None:
        prev = chain.FIRST
        for entry in entries(connection):
            changed = Entry(**{**asdict(entry), "prev_hash": prev, "body": entry.body.replace("100", "900")})
            prev = hash_of(changed)
            fitting = {"body": changed.body, "prev_hash": changed.prev_hash, "hash": prev}
            connection.execute(update(ENTRY).where(ENTRY.c.seq == entry.seq).values(**fitting))

    tamper(told, deed)
    shutil.rmtree(home / "ledger")
    shutil.rmtree(home / "receipts")
    assert [seq for kind, seq in findings(told) if kind == "signature_wrong"] == [2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_an_entry_added_by_someone_else_is_found(told: Ledger) -> None:
    delivery = told.accepted("pula_mobile", "events")[0]
    last = told.history(told.accepted("pula_mobile", "events")[-1])[-1]
    with told.engine.begin() as connection:
        draft = Draft("raw_deleted", "forged", {"files": 1, "proof": {}})
        chain.append(connection, Signer(b"x" * 32), draft, chain.Place.of(delivery), last.moment)
    assert ("signature_wrong", 11) in findings(told)
    assert "derived_differs" in kinds(told)


def test_a_missing_entry_is_found(told: Ledger) -> None:
    tamper(told, lambda connection: connection.execute(delete(ENTRY).where(ENTRY.c.seq.in_((6, 7)))))
    assert ("sequence_missing", 8) in findings(told)
    assert "entry 6 to 7 is missing" in "".join(found.what for found in told.verify())


def test_entries_put_in_another_order_are_found(told: Ledger) -> None:
    def deed(connection: Connection) -> None:
        for old, new in ((3, 300), (4, 3), (300, 4)):
            connection.execute(update(ENTRY).where(ENTRY.c.seq == old).values(seq=new))

    tamper(told, deed)
    assert {("hash_differs", 3), ("hash_differs", 4), ("link_broken", 3)} <= set(findings(told))


def test_a_tail_that_is_cut_off_is_found_by_the_head(told: Ledger, home: Path) -> None:
    last = told.length()
    tamper(told, lambda connection: connection.execute(delete(ENTRY).where(ENTRY.c.seq == last)))
    shutil.rmtree(home / "receipts")
    assert ("tail_cut", last) in findings(told)


def test_a_tail_that_is_cut_off_is_found_by_the_receipts(told: Ledger, home: Path) -> None:
    last = told.length()
    tamper(told, lambda connection: connection.execute(delete(ENTRY).where(ENTRY.c.seq == last)))
    (home / "ledger/head.jws").unlink()
    assert {("tail_cut", last), ("head_missing", None)} <= set(findings(told))


def test_a_ledger_that_was_emptied_is_found(told: Ledger) -> None:
    tamper(told, lambda connection: connection.execute(delete(ENTRY)))
    assert kinds(told) >= {"tail_cut", "derived_differs"}


def test_an_older_head_put_back_is_no_finding_but_a_forged_one_is(told: Ledger, home: Path, keys: FileKeyStore) -> None:
    head = home / "ledger/head.jws"
    older = told.history(told.accepted("pula_mobile", "events")[0])[0].token
    head.write_text(older)  # a run that was killed before it wrote the head leaves the same
    assert findings(told) == []
    head.write_text(Signer(b"y" * 32).sign(chain.TOKEN, {"seq": 1, "hash": "0" * 64}))
    assert findings(told) == [("head_wrong", None)]
    head.write_bytes(b"\xff")
    assert findings(told) == [("head_wrong", None)]
    run_through(told, "A", "2026-11-20")
    assert findings(told) == [("head_wrong", None)]  # a forged head is not papered over
    head.unlink()
    assert findings(told) == [("head_missing", None)]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE delivery SET status = 'published' WHERE period = '2026-11-17'", "status of"),
        ("UPDATE delivery SET rows_in = 5, withheld = 0 WHERE period = '2026-11-16'", "rows_in, withheld of"),
        ("DELETE FROM delivery WHERE period = '2026-11-17'", "is missing"),
        ("UPDATE delivery SET version = 2 WHERE period = '2026-11-17'", "no entry gives reason"),
        ("UPDATE release SET cells = 13 WHERE seq = 3", "cells of 3"),
        ("DELETE FROM release WHERE seq = 3", "the row of 3 is missing"),
        ("UPDATE release SET seq = 4 WHERE seq = 3", "no entry gives reason for the row of 4"),
    ],
)
def test_derived_tables_that_say_something_else_are_found(told: Ledger, statement: str, what: str) -> None:
    with told.engine.begin() as connection:
        connection.execute(text(statement))
    assert kinds(told) == {"derived_differs"}
    assert what in "; ".join(found.what for found in told.verify())


def test_triggers_that_are_gone_are_found(told: Ledger) -> None:
    with told.engine.begin() as connection:
        on = " ON entry" if connection.dialect.name == "postgresql" else ""
        connection.execute(text(f"DROP TRIGGER entry_not_updated{on}"))
    assert findings(told) == [("guard_missing", None)]


def test_triggers_that_do_nothing_are_found(told: Ledger) -> None:
    with told.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER entry_not_deleted"))
        connection.execute(text("CREATE TRIGGER entry_not_deleted BEFORE DELETE ON entry BEGIN SELECT 1; END"))
    assert findings(told) == [("guard_missing", None)]


def test_receipts_that_were_changed_moved_or_removed_are_found(told: Ledger, home: Path) -> None:
    folder = home / "receipts/pula_mobile/events/2026-11-16/v1"
    whole = (folder / "02-accepted.jws").read_bytes()
    (folder / "02-accepted.jws").write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    assert findings(told) == [("receipt_wrong", None)] * 2  # itself, and the one that follows it
    (folder / "02-accepted.jws").unlink()
    assert findings(told) == [("receipt_wrong", None)]
    (folder / "02-accepted.jws").write_bytes(whole)
    assert findings(told) == []
    shutil.move(folder, folder.with_name("v9"))
    assert kinds(told) == {"receipt_wrong"}


def test_a_receipt_of_a_rewritten_entry_is_found(told: Ledger) -> None:
    def deed(connection: Connection) -> None:
        connection.execute(update(ENTRY).where(ENTRY.c.seq == 1).values(hash="0" * 64))

    tamper(told, deed)
    assert ("anchor_differs", 1) in findings(told)


def test_tampering_is_found_in_postgresql_too(postgres_url: str, settings: Settings, keys: FileKeyStore) -> None:
    told = tell(open_ledger(replace(settings, database=postgres_url), keys))
    tamper(told, lambda connection: connection.execute(update(ENTRY).where(ENTRY.c.seq == 2).values(body="{}")))
    assert {("hash_differs", 2), ("entry_unreadable", 2)} <= set(findings(told))
    with told.engine.begin() as connection:
        connection.execute(text("UPDATE delivery SET status = 'accepted' WHERE period = '2026-11-17'"))
    assert "derived_differs" in kinds(told)
    tamper(told, lambda connection: connection.execute(delete(ENTRY).where(ENTRY.c.seq.in_((6, 10)))))
    assert {("sequence_missing", 7), ("tail_cut", 10)} <= set(findings(told))
    with told.engine.begin() as connection:
        connection.execute(text("ALTER TABLE entry DISABLE TRIGGER entry_not_deleted"))
    assert "guard_missing" in kinds(told)


def test_triggers_that_do_nothing_are_found_in_postgresql(
    postgres_url: str, settings: Settings, keys: FileKeyStore
) -> None:
    told = tell(open_ledger(replace(settings, database=postgres_url), keys))
    assert findings(told) == []
    function = "CREATE OR REPLACE FUNCTION entry_append_only() RETURNS trigger LANGUAGE plpgsql"
    idle = f"{function} AS $$ BEGIN RETURN NULL; END $$"
    with told.engine.begin() as connection:
        connection.execute(text(idle))
    assert kinds(told) == {"guard_missing"}
