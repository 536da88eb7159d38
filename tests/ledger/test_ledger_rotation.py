"""Changing the key that signs: what was signed before stays valid, and an old key signs nothing any more."""

from __future__ import annotations

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore
from acequia.ledger import chain, head, models
from acequia.ledger.book import Ledger, open_ledger
from acequia.ledger.chain import Draft, Place
from acequia.ledger.keyring import name_of
from acequia.ledger.receipts import TYPE, keys_path, verify_receipt
from acequia.ledger.rotation import Rotated, destroy_old, rotate
from acequia.ledger.signing import Signer, read_jwks
from acequia.settings import Settings
from tests.ledger.deeds import run_through
from tests.ledger.test_ledger_receipts import claims, invalid
from tests.ledger.test_ledger_tampering import ENTRY, findings, kinds, tamper


def again(ledger: Ledger) -> Ledger:
    """The same ledger, as another process opens it."""
    return Ledger(ledger.engine, ledger.home, FileKeyStore(ledger.home / "keys"), ledger.clock)


def turn(ledger: Ledger, **told: bool) -> Rotated:
    return rotate(ledger, because="yearly", who="an operator", **told)


def old_key(ledger: Ledger) -> Signer:
    """What a thief who copied the first key has."""
    return Signer(bytes.fromhex((ledger.home / "keys/receipts.key").read_text()))


@pytest.fixture
def jwks(home: Path) -> Path:
    return keys_path(home)


def test_what_was_signed_before_stays_valid_and_what_comes_after_has_the_new_key(ledger: Ledger, jwks: Path) -> None:
    before = ledger.receipt("published", run_through(ledger, "A"))
    kept = before.read_bytes()
    rotated = turn(ledger)
    after = ledger.receipt("published", run_through(ledger, "A", "2026-11-17"))
    third = turn(again(ledger))
    last = ledger.receipt("published", run_through(ledger, "A", "2026-11-18"))  # a process from before the second turn
    assert [rotated.number, third.number] == [2, 3]
    ids = [verify_receipt(path, jwks).key_id for path in (before, after, last)]
    assert ids == [rotated.old_key_id, rotated.key_id, third.key_id]
    assert before.read_bytes() == kept
    assert ledger.verify(whole=True) == again(ledger).verify(whole=True) == []
    keys = read_jwks(jwks)["keys"]
    assert [key.get("acequia_first_seq") for key in keys] == [None, rotated.last_seq + 1, third.last_seq + 1]
    assert [key.get("acequia_last_seq") for key in keys] == [rotated.last_seq, third.last_seq, None]
    told = ledger.notes("signing_key_changed")
    assert [(entry.said["because"], entry.said["who"]) for entry in told] == [("yearly", "an operator")] * 2
    assert jwks.read_text().count('"d"') == 0


def test_receipts_are_made_again_with_the_key_of_their_time(sqlite_ledger: Ledger, home: Path) -> None:
    for period in ("2026-11-16", "2026-11-17", "2026-11-18"):
        run_through(sqlite_ledger, "A", period)
        turn(sqlite_ledger)
    before = {path: path.read_bytes() for path in (home / "receipts").rglob("*.jws")}
    shutil.rmtree(home / "receipts")
    assert {kind for kind, _ in [(found.kind, found.seq) for found in sqlite_ledger.verify(whole=True)]} == {
        "receipt_missing"
    }
    assert again(sqlite_ledger).write_receipts() == 3
    assert {path: path.read_bytes() for path in (home / "receipts").rglob("*.jws")} == before
    assert sqlite_ledger.verify(whole=True) == []


def test_old_keys_can_be_destroyed_and_everything_stays_verifiable(sqlite_ledger: Ledger, jwks: Path) -> None:
    delivery = run_through(sqlite_ledger, "A")
    path = sqlite_ledger.receipt("published", delivery)
    turn(sqlite_ledger)
    run_through(sqlite_ledger, "A", "2026-11-17")
    turn(sqlite_ledger)
    assert destroy_old(sqlite_ledger) == ("receipts", "receipts.2")
    assert destroy_old(again(sqlite_ledger)) == ()
    ledger = again(sqlite_ledger)
    assert ledger.verify(whole=True) == []
    assert verify_receipt(path, jwks).links == 2
    ledger.raw_deleted(delivery, files=1)
    later = ledger.receipt("raw_deleted", delivery)
    assert verify_receipt(later, jwks).links == 3
    tamper(ledger, lambda connection: connection.execute(update(ENTRY).where(ENTRY.c.seq == 2).values(token="a.b.c")))
    assert ("signature_wrong", 2) in findings(ledger)


def test_a_stolen_old_key_signs_no_entry(sqlite_ledger: Ledger) -> None:
    run_through(sqlite_ledger, "A")
    stolen = old_key(sqlite_ledger)
    last = turn(sqlite_ledger).last_seq
    delivery = run_through(sqlite_ledger, "A", "2026-11-17")
    with sqlite_ledger.engine.begin() as connection:
        draft = Draft("raw_deleted", "forged", {"files": 1, "proof": {}})
        entry = chain.append(connection, stolen, draft, Place.of(delivery), sqlite_ledger.clock())
    found = {found.seq: found.what for found in sqlite_ledger.verify() if found.kind == "signature_wrong"}
    assert found == {entry.seq: f"it was signed with a key that was retired at entry {last}"}


def test_a_stolen_old_key_cannot_hide_that_it_was_retired(sqlite_ledger: Ledger, home: Path) -> None:
    """Take the turn out of the ledger and everything since, put the old head and public keys back, and go on."""
    run_through(sqlite_ledger, "A")
    jwks, signed = keys_path(home).read_bytes(), head.path_of(home).read_bytes()
    stolen = old_key(sqlite_ledger)
    last = turn(sqlite_ledger).last_seq
    tamper(sqlite_ledger, lambda connection: connection.execute(delete(ENTRY).where(ENTRY.c.seq >= last)))
    keys_path(home).write_bytes(jwks)
    head.path_of(home).write_bytes(signed)
    with sqlite_ledger.engine.begin() as connection:
        chain.append(connection, stolen, Draft("note", "forged", {}), Place(None, None), sqlite_ledger.clock())
    (found,) = again(sqlite_ledger).verify()
    assert found.kind == "key_missing"
    assert "receipts.2, and no entry takes it up" in found.what


def test_a_stolen_old_key_hands_over_to_nobody(sqlite_ledger: Ledger) -> None:
    run_through(sqlite_ledger, "A")
    thief = Signer(b"t" * 32)
    with sqlite_ledger.engine.begin() as connection:
        last = chain.last_seq(connection) + 1
        body = {
            "number": 2, "old": {"kid": sqlite_ledger.signer.key_id, "x": sqlite_ledger.signer.current.x},
            "new": {"kid": thief.key_id, "x": thief.x}, "first_seq": last + 1, "last_seq": last, "lost": False,
            "introduction": "", "because": "", "who": "",
        }  # fmt: skip
        draft = Draft("signing_key_changed", "signing_key_changed/2", body)
        chain.append(connection, old_key(sqlite_ledger), draft, Place(None, None), sqlite_ledger.clock())
        chain.append(connection, thief, Draft("note", "forged", {}), Place(None, None), sqlite_ledger.clock())
    ledger = again(sqlite_ledger)
    assert [found.kind for found in ledger.verify() if "receipts.2 is not in the key store" in found.what]
    with pytest.raises(AcequiaError, match="receipts.2 is not in the key store") as refused:
        run_through(ledger, "A", "2026-11-18")
    assert refused.value.code == "key_missing"
    assert FileKeyStore(ledger.home / "keys").state("receipts.2") == "absent"


def test_receipts_and_heads_of_an_old_key_after_its_time_are_refused(sqlite_ledger: Ledger, jwks: Path) -> None:
    run_through(sqlite_ledger, "A")
    stolen = old_key(sqlite_ledger)
    last = turn(sqlite_ledger).last_seq
    path = sqlite_ledger.receipt("published", run_through(sqlite_ledger, "A", "2026-11-17"))
    path.write_text(stolen.sign(TYPE, claims(path) | {"tables": []}))
    with invalid(f"its key was retired: it signs up to entry {last} of the ledger, and this is entry {last + 5}"):
        verify_receipt(path, jwks)
    assert kinds(sqlite_ledger) == {"receipt_wrong"}
    head.path_of(sqlite_ledger.home).write_text(stolen.sign(chain.TOKEN, {"seq": 900, "hash": "0" * 64}))
    assert "head_wrong" in kinds(sqlite_ledger)


def test_a_backdated_receipt_of_an_old_key_is_found_by_the_ledger(sqlite_ledger: Ledger, jwks: Path) -> None:
    """Offline nothing tells it from a true one: it is by the right key, and of the right entry."""
    path = sqlite_ledger.receipt("published", run_through(sqlite_ledger, "A"))
    turn(sqlite_ledger)
    path.write_text(old_key(sqlite_ledger).sign(TYPE, claims(path) | {"tables": []}))
    verify_receipt(path, jwks)
    (found,) = sqlite_ledger.verify()
    assert (found.kind, found.seq) == ("receipt_wrong", 4)
    assert "says something else than the ledger" in found.what
    prev = hashlib.sha256(path.read_bytes()).hexdigest()
    more = claims(path) | {"number": 4, "step": "refused", "prev": prev}
    path.with_name("04-refused.jws").write_text(old_key(sqlite_ledger).sign(TYPE, more))
    assert "no entry gives reason for it" in " ".join(found.what for found in sqlite_ledger.verify())


def test_killed_between_any_two_steps_it_is_finished_later(
    settings: Settings, keys: FileKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dying(_: object, *__: object, **___: object) -> None:
        raise Killed

    for number, place in enumerate(
        ("rotation._hand_over", "rotation.head.show", "book.Ledger.offer_keys", "rotation.chain.append"), 1
    ):
        ledger = open_ledger(settings, keys)
        run_through(ledger, "A", f"2026-11-{number:02d}")
        with monkeypatch.context() as patched:
            patched.setattr(f"acequia.ledger.{place}", dying)
            with pytest.raises(Killed):
                turn(ledger)
        ledger = again(ledger)
        if place in ("rotation._hand_over", "rotation.chain.append"):
            (found,) = ledger.verify()
            assert "a rotation was not finished (run it again)" in found.what
            turn(ledger)
        run_through(ledger, "B", f"2026-11-{number:02d}")
        assert ledger.verify(whole=True) == []
        assert ledger.signer.number == number + 1


def test_processes_go_on_while_the_key_is_changed(settings: Settings, keys: FileKeyStore) -> None:
    open_ledger(settings, keys).offer_keys()

    def deliver(feed: int) -> None:
        ledger = open_ledger(settings, FileKeyStore(keys.folder))
        for day in range(1, 9):
            run_through(ledger, f"{feed}", f"2026-{feed:02d}-{day:02d}")

    def change() -> None:
        for _ in range(4):
            turn(open_ledger(settings, FileKeyStore(keys.folder)))

    run_through(open_ledger(settings, keys), "first", "2026-09-01")
    with ThreadPoolExecutor(4) as threads:
        under_way = [threads.submit(deliver, feed) for feed in (1, 2, 3)] + [threads.submit(change)]
    for one in under_way:
        one.result()
    ledger = open_ledger(settings, FileKeyStore(keys.folder))
    assert ledger.verify(whole=True) == []
    assert len({key["kid"] for key in read_jwks(keys_path(settings.home))["keys"]}) == 5
    for path in (settings.home / "receipts").rglob("*.jws"):
        verify_receipt(path, keys_path(settings.home))


def test_two_who_change_it_at_once_change_it_once(settings: Settings, keys: FileKeyStore) -> None:
    run_through(open_ledger(settings, keys))
    one, other = open_ledger(settings, keys), open_ledger(settings, keys)
    shown = one.write_receipts

    def meanwhile(*told: str | None) -> int:
        turn(other)
        return shown(*told)

    object.__setattr__(one, "write_receipts", meanwhile)
    assert turn(one).number == 2
    assert len(one.notes("signing_key_changed")) == 1


def test_a_lost_key_is_never_made_again_in_silence(sqlite_ledger: Ledger, keys: FileKeyStore, jwks: Path) -> None:
    path = sqlite_ledger.receipt("published", run_through(sqlite_ledger, "A"))
    (keys.folder / "receipts.key").unlink()
    ledger = again(sqlite_ledger)
    with pytest.raises(AcequiaError, match="signing key receipts is not in the key store") as stopped:
        run_through(ledger, "A", "2026-11-17")
    assert "rotate-receipts --lost" in stopped.value.what_to_do
    assert [found.kind for found in again(ledger).verify()] == ["key_missing"]
    assert not (keys.folder / "receipts.key").exists()
    with pytest.raises(AcequiaError, match="is not in the key store"):
        turn(again(ledger))
    assert turn(again(ledger), lost=True).number == 2
    ledger = again(ledger)
    later = ledger.receipt("published", run_through(ledger, "A", "2026-11-17"))
    assert ledger.verify(whole=True) == []
    assert verify_receipt(path, jwks).key_id != verify_receipt(later, jwks).key_id
    assert len(read_jwks(jwks)["keys"]) == 2


def test_where_the_public_key_is_lost_as_well_nobody_vouches_for_what_it_signed(
    sqlite_ledger: Ledger, keys: FileKeyStore, jwks: Path
) -> None:
    path = sqlite_ledger.receipt("published", run_through(sqlite_ledger, "A"))
    for gone in (keys.folder / "receipts.key", jwks):
        gone.unlink()
    ledger = again(sqlite_ledger)
    assert turn(ledger, lost=True).number == 2
    run_through(ledger, "A", "2026-11-17")
    ledger = again(ledger)
    found = [(found.kind, found.seq) for found in ledger.verify()]
    assert found == [("receipt_wrong", None)] * 3 + [("signature_wrong", seq) for seq in (1, 2, 3, 4)]
    with invalid("names a key that is not among"):
        verify_receipt(path, jwks)


def test_another_key_store_is_not_signed_with(sqlite_ledger: Ledger, settings: Settings, tmp_path: Path) -> None:
    run_through(sqlite_ledger, "A")
    elsewhere = FileKeyStore(tmp_path / "other")
    elsewhere.secret(name_of(1))
    with pytest.raises(AcequiaError, match="signed with another key than receipts of this key store"):
        run_through(open_ledger(settings, elsewhere), "A", "2026-11-17")


def test_a_key_that_is_there_is_not_lost_and_no_ledger_has_no_key(sqlite_ledger: Ledger) -> None:
    with pytest.raises(AcequiaError, match="nothing is signed yet"):
        turn(sqlite_ledger)
    run_through(sqlite_ledger, "A")
    with pytest.raises(AcequiaError, match="receipts is not lost"):
        turn(sqlite_ledger, lost=True)
    assert sqlite_ledger.verify() == []


def test_the_file_of_public_keys_is_signed(sqlite_ledger: Ledger, jwks: Path, tmp_path: Path) -> None:
    run_through(sqlite_ledger, "A")
    last = turn(sqlite_ledger).last_seq
    whole = jwks.read_text()
    damaged = tmp_path / "keys.json"
    for change in (
        whole.replace(f'"acequia_last_seq": {last}', f'"acequia_last_seq": {last + 1}'),
        whole.replace("acequia_last_seq", "acequia_last_seX"),
        whole.replace('"use": "sig"', '"use": "sih"'),
        whole.replace("acequia_signature", "acequia_signaturE"),
        json.dumps({"keys": json.loads(whole)["keys"]}),
        json.dumps(json.loads(whole) | {"keys": json.loads(whole)["keys"][::-1]}),
    ):
        assert change != whole
        damaged.write_text(change)
        with invalid("is damaged, or was changed"):
            read_jwks(damaged)
        jwks.write_text(change)
        assert kinds(sqlite_ledger) == {"keys_wrong"}
    jwks.unlink()
    sqlite_ledger.offer_keys()
    assert jwks.read_text() == whole


def test_old_files_of_public_keys_are_read_as_they_are(sqlite_ledger: Ledger, jwks: Path) -> None:
    path = sqlite_ledger.receipt("published", run_through(sqlite_ledger, "A"))
    old = {"keys": sqlite_ledger.signer.current.public["keys"]}
    jwks.write_text(json.dumps(old, indent=1) + "\n")
    assert verify_receipt(path, jwks).links == 2
    assert sqlite_ledger.verify(whole=True) == []


def test_the_turn_itself_cannot_be_changed(sqlite_ledger: Ledger) -> None:
    run_through(sqlite_ledger, "A")
    last = turn(sqlite_ledger).last_seq
    run_through(sqlite_ledger, "A", "2026-11-17")
    with sqlite_ledger.engine.connect() as connection:
        entry = next(entry for entry in chain.everything(connection) if entry.seq == last)
    for column in ("kind", "key", "body", "token"):
        changed = asdict(entry)[column]
        changed = (
            changed[: len(changed) // 2]
            + ("x" if changed[len(changed) // 2] != "x" else "y")
            + changed[len(changed) // 2 + 1 :]
        )

        def deed(connection: object, column: str = column, changed: str = changed) -> None:
            connection.execute(update(models.entry).where(ENTRY.c.seq == last).values({column: changed}))  # type: ignore[attr-defined]

        tamper(sqlite_ledger, deed)
        found = [found for found in again(sqlite_ledger).verify() if found.seq]
        assert {one.seq for one in found} <= {last, last + 1}, column
        assert any(one.seq == last for one in found)
        tamper(sqlite_ledger, lambda connection: connection.execute(
            update(models.entry).where(ENTRY.c.seq == last).values(asdict(entry))))  # fmt: skip
    assert again(sqlite_ledger).verify(whole=True) == []
