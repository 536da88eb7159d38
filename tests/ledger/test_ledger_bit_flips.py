"""One bit, anywhere: in a receipt, a certificate, the public keys, the head, an entry, a derived row: found, named."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore
from acequia.ledger import head
from acequia.ledger.book import Ledger, open_ledger
from acequia.ledger.certificates import verify_certificate
from acequia.ledger.receipts import keys_path, verify_receipt
from acequia.ledger.rotation import rotate
from acequia.ledger.signing import read_jwks
from acequia.settings import Settings
from tests.ledger.conftest import ticking
from tests.ledger.deeds import count, publish, refuse, register, run_through

MANY = settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
BIT = st.integers(0, 7)
ANYWHERE = st.floats(0, 1, exclude_max=True)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """An installation with every kind of record: a correction, a refusal, deletions, two turns of the signing key."""
    home = tmp_path_factory.mktemp("lived") / "home"
    ledger = open_ledger(Settings.from_environment({"ACEQUIA_HOME": str(home)}), FileKeyStore(home / "keys"), ticking())
    first = run_through(ledger, "A")
    ledger.certify(first)
    rotate(ledger, because="yearly", who="an operator")
    second = register(ledger, "B")
    ledger.accept(second, count=count(), made_by="1" * 64, differences={"against": str(first), "added": 1})
    publish(ledger, second)
    ledger.certify(second)
    ledger.finish(second)
    ledger.receipt("published", second)
    refused = register(ledger, "C", "2026-11-17")
    refuse(ledger, refused)
    ledger.receipt("refused", refused)
    rotate(ledger, because="yearly", who="an operator")
    ledger.raw_deletion_begun(first, {"objects": 1, "shared": 1, "keys": {}})
    ledger.raw_deleted(first, files=1, proof={"says": "gone"})
    ledger.protected_deleted(first, files=1)
    ledger.withdraw(refused, who="the partner", because="wrong month")
    ledger.write_receipts()
    assert ledger.verify(whole=True) == []
    return ledger


def flip(content: bytes, place: float, bit: int) -> bytes:
    at = int(place * len(content))
    return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


def files(ledger: Ledger, below: str) -> list[Path]:
    return sorted((ledger.home / below).rglob("*.jws"))


@pytest.fixture(params=["receipts", "certificates", "ledger"])
def below(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@MANY
@given(st.data(), ANYWHERE, BIT)
def test_in_a_file_that_is_signed(lived: Ledger, below: str, data: st.DataObject, place: float, bit: int) -> None:
    path = data.draw(st.sampled_from(files(lived, below)))
    whole = path.read_bytes()
    path.write_bytes(flip(whole, place, bit))
    try:
        if below != "ledger":
            verified = verify_receipt if below == "receipts" else verify_certificate
            with pytest.raises(AcequiaError) as found:
                verified(path, keys_path(lived.home))
            assert found.value.code == "receipt_invalid"
        told = [finding.what for finding in lived.verify()]
        name = "the signed head" if below == "ledger" else path.relative_to(lived.home / below).as_posix()
        assert any(name in what for what in told), told
    finally:
        path.write_bytes(whole)


def test_in_every_byte_of_a_receipt(lived: Ledger) -> None:
    path, dice = files(lived, "receipts")[0], random.Random(5)
    whole, keys = path.read_bytes(), read_jwks(keys_path(lived.home))
    try:
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << dice.randrange(8))]) + whole[at + 1 :])
            with pytest.raises(AcequiaError):
                verify_receipt(path, keys, chain=False)
    finally:
        path.write_bytes(whole)


def test_in_every_byte_of_the_public_keys(lived: Ledger) -> None:
    path, dice = keys_path(lived.home), random.Random(3)
    whole = path.read_bytes()
    try:
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << dice.randrange(8))]) + whole[at + 1 :])
            with pytest.raises(AcequiaError, match="public keys"):
                read_jwks(path)
        for at in random.Random(7).sample(range(len(whole)), 20):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert {finding.kind for finding in lived.verify()} == {"keys_wrong"}
    finally:
        path.write_bytes(whole)


class Rows:
    """The ledger's database as whoever has the file can change it, triggers or not."""

    def __init__(self, ledger: Ledger) -> None:
        self.path, self.whole = ledger.home / "ledger.db", (ledger.home / "ledger.db").read_bytes()

    def columns(self, table: str) -> list[str]:
        with closing(sqlite3.connect(self.path)) as connection:
            return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]

    def values(self, table: str, column: str) -> list[tuple[int, Any]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return list(connection.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"))

    def put(self, table: str, column: str, rowid: int, value: object) -> bool:
        """Whether the database took it: a unique key refuses some values."""
        with closing(sqlite3.connect(self.path)) as connection:
            triggers = list(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            as_text = "CAST(? AS TEXT)" if isinstance(value, bytes) else "?"
            try:
                connection.execute(f"UPDATE {table} SET {column} = {as_text} WHERE rowid = ?", (value, rowid))
            except sqlite3.IntegrityError:
                return False
            for _, statement in triggers:
                connection.execute(statement)
            connection.commit()
        return True

    def restore(self) -> None:
        for path in self.path.parent.glob("ledger.db-*"):
            path.unlink()
        self.path.write_bytes(self.whole)


@pytest.fixture(scope="module")
def rows(lived: Ledger) -> Iterator[Rows]:
    with closing(sqlite3.connect(lived.home / "ledger.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield Rows(lived)


def flipped(value: object, place: float, bit: int) -> object:
    """One bit of a value as SQLite keeps it: of a text's bytes, or of a whole number."""
    if isinstance(value, str):
        return flip(value.encode(), place, bit)
    assert isinstance(value, int)
    changed = value ^ (1 << int(place * max(value.bit_length(), 1)))
    return changed if changed < 2**63 else changed - 2**64


@pytest.mark.parametrize("table", ["entry", "delivery", "release"])
@MANY
@given(data=st.data(), place=ANYWHERE, bit=BIT)
def test_in_a_column(lived: Ledger, rows: Rows, table: str, data: st.DataObject, place: float, bit: int) -> None:
    column = data.draw(st.sampled_from([name for name in rows.columns(table) if rows.values(table, name)]))
    rowid, value = data.draw(st.sampled_from(rows.values(table, column)))
    if value == "":
        return
    try:
        if not rows.put(table, column, rowid, flipped(value, place, bit)):
            return
        found = lived.verify()
        if table == "entry":
            seq = rowid if column != "seq" else None
            assert any(finding.seq == seq or (seq is None and finding.seq) for finding in found), (column, found)
            strange = [one for one in found if one.seq is not None and column not in ("seq", "delivery") and
                       one.seq not in (rowid, rowid + 1)]  # fmt: skip
            assert strange == [], (column, strange)
        else:
            assert any(finding.kind == "derived_differs" and f"table {table}" in finding.what for finding in found)
    finally:
        rows.restore()


def test_in_the_pages_of_the_file(lived: Ledger, rows: Rows) -> None:
    """Every bit that is part of something that counts; free space and unused bits of a page say nothing."""
    dice, unseen = random.Random(11), 0
    with closing(sqlite3.connect(rows.path)) as connection:
        before = [list(connection.execute(f"SELECT * FROM {table}")) for table in ("entry", "delivery", "release")]
    try:
        for _ in range(100):
            rows.path.write_bytes(flip(rows.whole, dice.random(), dice.randrange(8)))
            try:
                found = Ledger(lived.engine, lived.home, lived.keys, lived.clock).verify()
            except AcequiaError as error:  # it is not even opened
                assert error.code == "ledger_broken"
                continue
            if found:
                continue
            unseen += 1
            with closing(sqlite3.connect(rows.path)) as connection:
                after = [
                    list(connection.execute(f"SELECT * FROM {table}")) for table in ("entry", "delivery", "release")
                ]
            assert after == before
            rows.restore()
        assert unseen < 100
    finally:
        rows.restore()


def test_put_back_as_a_whole_it_shows_against_what_was_kept_elsewhere(lived: Ledger, tmp_path: Path) -> None:
    """Ledger, head, receipts and keys of an earlier day: each fits the other. Only what is elsewhere knows better."""
    home = tmp_path / "home"
    shutil.copytree(lived.home, home)
    given_settings, keys = Settings.from_environment({"ACEQUIA_HOME": str(home)}), FileKeyStore(home / "keys")
    shutil.copytree(home, tmp_path / "earlier")
    now = open_ledger(given_settings, keys, ticking("2026-12-01T06:00:00"))
    later = now.receipt("published", run_through(now, "D", "2026-11-18"))
    kept, receipt = tmp_path / "kept.jws", tmp_path / "ours.jws"
    kept.write_text(now.head() + "\n")
    shutil.copy(later, receipt)
    assert now.verify([kept, receipt], whole=True) == []

    shutil.rmtree(home)
    shutil.copytree(tmp_path / "earlier", home)
    back = open_ledger(given_settings, keys, ticking("2026-12-02T06:00:00"))
    assert back.verify(whole=True) == []
    found = back.verify([kept, receipt], whole=True)
    assert [finding.kind for finding in found] == ["tail_cut", "tail_cut"]
    assert "what was handed in (kept.jws) names entry" in found[0].what
    run_through(back, "E", "2026-11-18")  # and went on from there, as far as before
    assert {finding.kind for finding in back.verify([kept, receipt])} == {"anchor_differs"}
    kept.write_text("nothing of the kind")
    assert [finding.kind for finding in back.verify([kept])] == ["handed_in_wrong"]
    assert head.path_of(home).read_text() == back.head()
