"""Raw bytes go for good: with their objects goes the key that alone opened them, and with it every copy there is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from acequia import deletion
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.keys import FileKeyStore
from acequia.ledger.receipts import verify_receipt
from acequia.opening import landing_of, ledger_of, open_work
from acequia.receive.content_keys import fingerprint_of, listed, of_object
from acequia.receive.landing import Landing
from acequia.receive.sealing import Sealing
from acequia.upkeep import keep
from tests.pipeline.world import DAY, World

PARTNER, FEED = "ceibo_pay", "transactions"
DELIVERY = DeliveryId(partner=PARTNER, feed=FEED, period=DAY, version=1)
FOLDER = f"{PARTNER}/{FEED}/{DAY}/0123456789abcdef"


def in_days(days: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=days)


def store(world: World) -> FileKeyStore:
    return FileKeyStore(world.settings.home / "keys")


def said(world: World, step: str, delivery: DeliveryId = DELIVERY) -> dict[str, object]:
    folder = world.settings.home / "receipts" / delivery.folder
    path = sorted(folder.glob(f"*-{step}.jws"))[-1]
    return dict(verify_receipt(path, world.settings.home / "keys" / "receipts.jwks.json").claims)


def send(world: World, seed: int = 7) -> None:
    world.clear(PARTNER)
    world.deliver(PARTNER, FEED, DAY, seed=seed)
    world.run(PARTNER, FEED, DAY)


@contextmanager
def no_longer_there() -> Iterator[None]:
    with pytest.raises(AcequiaError) as stopped:
        yield
    assert stopped.value.code == "landing_missing"


def test_a_backup_of_everything_but_the_key_opens_nothing(world: World, tmp_path: Path) -> None:
    send(world)
    objects = world.landed()
    assert len(objects) == 3, "the file, its name, and the rows that were set aside"
    (key,) = {of_object(each) for each in objects}
    assert key is not None
    print_of = fingerprint_of(store(world), key)
    backup = shutil.copytree(world.settings.home / "landing", tmp_path / "backup")
    keep(world.settings, today=in_days(8))
    assert world.landed() == []

    keys = store(world)
    assert (keys.state(key.name), keys.state("landing")) == ("destroyed", "absent")
    for each in objects:
        with no_longer_there():
            Landing(str(backup), keys).fetch(each, tmp_path / "opened")
    proof = said(world, "raw_deleted")["deleted"]["proof"]
    assert (proof["key"], proof["key_fingerprints"], proof["objects_deleted"]) == ("destroyed", [print_of], 3)
    assert "without it no copy of these objects can be opened" in proof["says"]
    assert said(world, "received")["landing_key"] == said(world, "raw_deleted")["landing_key"] == print_of
    assert ledger_of(world.settings).verify(whole=True) == []


def test_receipts_say_when_data_will_go_and_when_it_went(world: World) -> None:
    send(world)
    today = in_days(0)
    for step in ("received", "accepted", "published"):
        kept = said(world, step)["kept"]
        assert {what: each["delete_on"] for what, each in kept.items()} == {
            "raw": (today + timedelta(days=7)).isoformat(),
            "protected": (today + timedelta(days=400)).isoformat(),
        }
    keep(world.settings, today=in_days(7))
    kept = said(world, "raw_deleted")["kept"]
    assert kept["raw"]["delete_on"] is None
    assert kept["raw"]["deleted_at"] == said(world, "raw_deleted")["deleted"]["at"]
    assert kept["protected"]["deleted_at"] is None
    (table, *_) = said(world, "published")["tables"]
    release = world.settings.home / "lake" / table["release"]
    assert (release / "data.csv").exists()


def test_killed_anywhere_a_deletion_is_finished_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def dying(*_: object, **__: object) -> None:
        raise Killed

    send(world)
    for place in (
        (Landing, "delete"),
        (deletion, "_destroyed"),
        (deletion, "_proof"),
        (type(ledger_of(world.settings)), "raw_deleted"),
        (type(ledger_of(world.settings)), "receipt"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(*place, dying)
            with pytest.raises(Killed):
                deletion.delete_raw(open_work(world.settings, PARTNER, FEED, DAY), DELIVERY)
    keep(world.settings, today=in_days(8))
    proof = said(world, "raw_deleted")["deleted"]["proof"]
    assert (proof["key"], proof["objects_deleted"], said(world, "raw_deleted")["deleted"]["files"]) == (
        "destroyed",
        3,
        3,
    )
    assert len(proof["key_fingerprints"][0]) == 32
    assert ledger_of(world.settings).verify(whole=True) == []


def test_content_that_comes_again_has_another_key(world: World) -> None:
    send(world)
    keep(world.settings, today=in_days(8))
    work = open_work(world.settings, PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    assert [key.number for key in listed(work.keys)] == [1, 2]
    assert {key.rpartition(".k")[2] for key in world.landed()} == {"2.age"}
    keep(world.settings, today=in_days(8))
    assert [work.keys.state(key.name) for key in listed(work.keys)] == ["destroyed", "destroyed"]
    folder = world.settings.home / "receipts" / DELIVERY.folder
    prints = [
        verify_receipt(path, world.settings.home / "keys" / "receipts.jwks.json").claims["landing_key"]
        for path in sorted(folder.glob("*-raw_deleted.jws"))
    ]
    assert len(prints) == len(set(prints)) == 2
    assert ledger_of(world.settings).verify(whole=True) == []


def test_versions_of_the_same_content_share_the_key_and_lose_it_together(world: World) -> None:
    for seed in (1, 2, 1):
        send(world, seed)
    assert len(listed(store(world))) == 2
    keep(world.settings, today=in_days(8))
    assert all(store(world).state(key.name) == "destroyed" for key in listed(store(world)))
    third = DELIVERY.model_copy(update={"version": 3})
    one, three = (said(world, "raw_deleted", each)["deleted"]["proof"] for each in (DELIVERY, third))
    assert one["key_fingerprints"] == three["key_fingerprints"]
    assert ledger_of(world.settings).verify(whole=True) == []


def test_a_store_that_makes_no_keys_has_one_for_all_and_the_receipt_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileKeyStore, "makes_keys", False, raising=False)
    own = FileKeyStore.text

    def only_what_is_there(keys: FileKeyStore, name: str, make: object) -> str:
        if name.startswith("landing.") and keys.state(name) == "absent":
            raise AcequiaError("key_missing", "keys cannot be made in it from here")
        return own(keys, name, make)  # type: ignore[arg-type]

    monkeypatch.setattr(FileKeyStore, "text", only_what_is_there)
    send(world)
    assert all(of_object(key) is None for key in world.landed())
    assert "landing_key" not in said(world, "received")
    keep(world.settings, today=in_days(8))
    proof = said(world, "raw_deleted")["deleted"]["proof"]
    assert proof["key"] == "shared, not destroyed"
    assert "could be opened until that backup is gone" in proof["says"]
    assert store(world).state("landing") == "kept"


def test_a_key_store_that_destroys_nothing_is_told_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    send(world)

    def refused(keys: FileKeyStore, name: str) -> None:
        raise AcequiaError("store_denied", "the token may not do this")

    monkeypatch.setattr(FileKeyStore, "destroy", refused)
    keep(world.settings, today=in_days(8))
    assert said(world, "raw_deleted")["deleted"]["proof"]["key"] == "not destroyed"


def test_what_lay_in_landing_before_opens_with_the_old_key_and_goes(world: World, tmp_path: Path) -> None:
    landing = landing_of(world.settings)
    (tmp_path / "plain").write_text("rows")
    old = f"{FOLDER}/1.0123456789abcdef.age"
    landing.put(old, tmp_path / "plain")
    landing.fetch(old, tmp_path / "again")
    assert (tmp_path / "again").read_text() == "rows"
    assert [key.name for key in listed(store(world))] == []


def test_what_another_attempt_registered_first_is_encrypted_again(world: World, tmp_path: Path) -> None:
    landing = landing_of(world.settings)
    (tmp_path / "one").write_text("one")
    (tmp_path / "two").write_text("two")
    killed, again = Sealing(landing), Sealing(landing)
    for sealing, folder in ((killed, tmp_path / "killed"), (again, tmp_path / "repeated")):
        folder.mkdir()
        for name in ("one", "two"):
            sealing.seal(tmp_path / name, folder / name)
    keys = [killed.land(FOLDER, "1.one", tmp_path / "killed/one")]
    assert again.land(FOLDER, "1.one", tmp_path / "repeated/one") == keys[0]
    keys.append(again.land(FOLDER, "2.two", tmp_path / "repeated/two"))
    assert killed.fingerprint == again.fingerprint != ""
    for key, text in zip(keys, ("one", "two"), strict=True):
        landing.fetch(key, tmp_path / "opened")
        assert (tmp_path / "opened").read_text() == text
    assert list((tmp_path / "repeated").glob("*.plain")) == []


def test_a_lost_key_is_not_made_when_something_is_to_be_opened(world: World, tmp_path: Path) -> None:
    send(world)
    key = world.landed()[0]
    own = of_object(key)
    assert own is not None
    (world.settings.home / "keys" / f"{own.name}.key").unlink()
    with pytest.raises(AcequiaError) as stopped:
        landing_of(world.settings).fetch(key, tmp_path / "opened")
    assert stopped.value.code == "key_missing"
    assert store(world).state(own.name) == "absent"


def test_a_key_under_which_nothing_landed_goes_once_it_is_old(world: World) -> None:
    send(world)
    work = open_work(world.settings, PARTNER, FEED, DAY)
    work.landing.key(FOLDER, "never written")
    name = f"landing.{FOLDER.replace('/', '.')}.1"
    assert work.keys.state(name) == "kept"
    first_seen = date.fromisoformat(DAY) + timedelta(days=10)
    keep(world.settings, today=first_seen)
    assert work.keys.state(name) == "kept", "a run may be about to land something"
    keep(world.settings, today=first_seen + timedelta(days=1))
    assert work.keys.state(name) == "destroyed"
    assert len(world.landed()) == 3, "what is registered stays for its days"


def test_a_deletion_that_was_killed_before_its_receipt_is_told_by_the_next_housekeeping(world: World) -> None:
    send(world)
    keep(world.settings, today=in_days(8))
    folder = world.settings.home / "receipts" / DELIVERY.folder
    (path,) = folder.glob("*-raw_deleted.jws")
    whole = path.read_bytes()
    path.unlink()
    (found,) = ledger_of(world.settings).verify(whole=True)
    assert found.kind == "receipt_missing"
    keep(world.settings, today=in_days(9))
    assert path.read_bytes() == whole


def test_a_key_that_comes_back_with_a_backup_is_destroyed_again(world: World, tmp_path: Path) -> None:
    send(world)
    (key,) = listed(store(world))
    backup = shutil.copytree(world.settings.home / "keys", tmp_path / "backup")
    keep(world.settings, today=in_days(8))
    shutil.rmtree(world.settings.home / "keys")
    shutil.copytree(backup, world.settings.home / "keys")
    assert store(world).state(key.name) == "kept"
    for days in (30, 31):
        keep(world.settings, today=in_days(days))
    assert store(world).state(key.name) == "destroyed"
