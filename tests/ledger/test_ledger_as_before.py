"""What an installation wrote before receipts said more, and before keys were changed, stays what it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import insert

from acequia.flow import DeliveryId
from acequia.keys import FileKeyStore
from acequia.ledger import chain, models
from acequia.ledger.book import Ledger, _store, open_ledger
from acequia.ledger.chain import Entry
from acequia.ledger.projection import row_of, state_of
from acequia.ledger.receipts import keys_path, verify_receipt
from acequia.ledger.rotation import rotate
from acequia.settings import Settings

# Made by the version of the program before: its entries, the files it wrote, and the seed of its key.
BEFORE = json.loads((Path(__file__).parent / "before_rotation.json").read_text())


@pytest.fixture
def old(settings: Settings, keys: FileKeyStore) -> Ledger:
    """A ledger with the entries of then, and the tables that follow from them; none of its files."""
    keys.folder.mkdir(parents=True, exist_ok=True)
    (keys.folder / "receipts.key").write_text(BEFORE["seed"])
    ledger = open_ledger(settings, keys)
    with ledger.engine.begin() as connection:
        entries = [Entry(**entry) for entry in BEFORE["entries"]]
        for entry in entries:
            connection.execute(insert(models.entry).values(**vars(entry)))
        for delivery in {entry.delivery for entry in entries if entry.delivery}:
            state = state_of(chain.of_delivery(connection, DeliveryId.parse(delivery)))
            assert state is not None
            _store(connection, row_of(state))
            for part in state.releases:
                connection.execute(insert(models.release).values(**vars(part)))
    return ledger


def written(ledger: Ledger) -> dict[str, str]:
    home = ledger.home
    names = [name for name in BEFORE["files"] if name.startswith(("receipts/", "certificates/"))]
    return {name: (home / name).read_text() for name in names}


def wanted() -> dict[str, str]:
    return {name: text for name, text in BEFORE["files"].items() if name.startswith(("receipts/", "certificates/"))}


def test_receipts_and_certificates_are_made_again_byte_for_byte(old: Ledger) -> None:
    assert old.write_receipts() == 2
    old.certify(DeliveryId.parse("pula_mobile.events.2026-11-16.v1"))
    assert written(old) == wanted()


def test_the_ledger_with_all_that_lay_beside_it_verifies(old: Ledger) -> None:
    for name, text in BEFORE["files"].items():
        (old.home / name).parent.mkdir(parents=True, exist_ok=True)
        (old.home / name).write_text(text)
    assert old.verify(whole=True) == []
    for name in wanted():
        if name.startswith("receipts/"):
            verify_receipt(old.home / name, keys_path(old.home))


def test_they_are_still_made_so_when_the_key_was_changed(old: Ledger) -> None:
    for name, text in BEFORE["files"].items():
        (old.home / name).parent.mkdir(parents=True, exist_ok=True)
        (old.home / name).write_text(text)
    rotate(old, because="yearly", who="an operator")
    for name in wanted():
        (old.home / name).unlink()
    old.write_receipts()
    old.certify(DeliveryId.parse("pula_mobile.events.2026-11-16.v1"))
    assert written(old) == wanted()
    assert old.verify(whole=True) == []
