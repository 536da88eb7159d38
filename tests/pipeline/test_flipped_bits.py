"""One bit that flips in a file, manifest, signature or encrypted file: found, named, and nothing is published."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from acequia.errors import AcequiaError
from acequia.opening import keys_of, ledger_of
from acequia.receive import envelope
from acequia.receive.manifest import parse
from tests.pipeline.world import DAY, World, make_world
from tests.receive.signing import Desk

PARTNER, FEED = "pula_mobile", "events"
DESK = Desk.of(9)
OF_FILE = {"checksum_differs"}
OF_MANIFEST = {
    "manifest_invalid", "manifest_of_another_period", "manifest_of_another_feed", "manifest_of_another_agreement",
    "checksum_differs", "file_unlisted", "file_not_sent", "name_escapes", "rows_differ",
}  # fmt: skip
OF_SIGNATURE = {"signature_invalid", "signing_key_unknown"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A partner that signs and encrypts, with one delivery that is as it should be."""
    world = make_world(tmp_path_factory.mktemp("office"))
    path = world.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    agreement["signing_keys"] = {"desk-1": {"public": DESK.public, "from": "2026-03-01"}}
    delivery = agreement["feeds"][FEED]["delivery"]
    delivery |= {"manifest": "required", "signature": "optional", "encryption": "optional"}
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))
    return world


@pytest.fixture
def sent(world: World) -> Path:
    """The folder of a fresh delivery: files and manifest.json."""
    world.clear(PARTNER)
    world.deliver(PARTNER, FEED, DAY, rows=700)
    (manifest,) = (world.settings.home / "inbox" / PARTNER).rglob("manifest.json")
    return manifest.parent


def flips(content: bytes, number: int, seed: int) -> Iterator[bytes]:
    generator = random.Random(seed)
    for place in sorted(generator.sample(range(len(content) * 8), number)):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        yield bytes(flipped)


def run_flipped(world: World, file: Path, number: int, seed: int, codes: set[str]) -> None:
    """Every flip of the file is refused under one of the codes; the file is put back at the end."""
    before = file.read_bytes()
    try:
        for flipped in flips(before, number, seed):
            file.write_bytes(flipped)
            with pytest.raises(AcequiaError) as stopped:
                world.run(PARTNER, FEED, DAY)
            assert stopped.value.code in codes
    finally:
        file.write_bytes(before)
    assert not world.tables()
    assert not [row for row in ledger_of(world.settings).deliveries() if row.status not in ("refused", "received")]


def sign(folder: Path) -> Path:
    said = json.loads((folder / "manifest.json").read_text()) | {"agreement": PARTNER, "feed": FEED, "period": DAY}
    token = folder / "manifest.jws"
    token.write_bytes(DESK.sign(said) + b"\n")
    return token


def encrypt(world: World, folder: Path) -> list[Path]:
    """In place of each file its encrypted form, and the manifest about those."""
    manifest, made = json.loads((folder / "manifest.json").read_text()), []
    for listed in manifest["files"]:
        file = folder / listed["name"]
        target = file.with_name(f"{file.name}.age")
        envelope.seal(file, target, [envelope.recipient(keys_of(world.settings))])
        file.unlink()
        content = target.read_bytes()
        listed |= {"name": target.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        made.append(target)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return made


def test_in_a_file(world, sent):
    file = sorted(sent.glob("*.csv.gz"))[0]
    run_flipped(world, file, 8, 1, OF_FILE)


def test_in_a_manifest(world, sent):
    run_flipped(world, sent / "manifest.json", 16, 2, OF_MANIFEST)


def test_in_the_numbers_of_a_manifest(world, sent):
    """A number of rows that is another is found where rows are read."""
    manifest = sent / "manifest.json"
    before = manifest.read_text()
    said = json.loads(before)
    for rows in (0, said["files"][0]["rows"] ^ 1, said["files"][0]["rows"] ^ 64):
        said["files"][0]["rows"] = rows
        manifest.write_text(json.dumps(said))
        with pytest.raises(AcequiaError, match=r"file 1 of \d+ holds .* rows, and its manifest says") as stopped:
            world.run(PARTNER, FEED, DAY)
        assert stopped.value.code == "rows_differ"
    assert not world.tables()
    manifest.write_text(before)


def test_every_bit_of_a_manifest_says_something_else_or_is_refused(sent):
    content = (sent / "manifest.json").read_bytes()
    said = parse(content)
    same = 0
    for place in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        try:
            same += parse(bytes(flipped)) == said
        except AcequiaError:
            continue
    assert same == 0


def test_in_a_signed_manifest(world, sent):
    run_flipped(world, sign(sent), 16, 3, OF_SIGNATURE)


def test_in_an_encrypted_file(world, sent):
    file = encrypt(world, sent)[0]
    run_flipped(world, file, 8, 4, OF_FILE)


def test_in_an_encrypted_file_whose_manifest_is_about_the_damaged_bytes(world, sent):
    """As when the damage happened at the partner's, before it made its manifest."""
    file = encrypt(world, sent)[0]
    before, manifest = file.read_bytes(), sent / "manifest.json"
    for flipped in flips(before, 8, 5):
        file.write_bytes(flipped)
        said = json.loads(manifest.read_text())
        listed = next(listed for listed in said["files"] if listed["name"] == file.name)
        listed["sha256"] = hashlib.sha256(flipped).hexdigest()
        manifest.write_text(json.dumps(said))
        with pytest.raises(AcequiaError, match="file 1 of") as stopped:
            world.run(PARTNER, FEED, DAY)
        assert stopped.value.code in ("encryption_broken", "encryption_for_others")
    assert not world.tables()


def test_and_whole_it_is_published_signed_and_encrypted(world, sent):
    encrypt(world, sent)
    sign(sent)
    outcome = world.run(PARTNER, FEED, DAY)
    assert outcome.published
    book = ledger_of(world.settings)
    row = next(row for row in book.deliveries() if row.version == outcome.delivery.version)
    assert row.signed_by == "desk-1"
    (sent / "manifest.jws").write_bytes((sent / "manifest.jws").read_bytes().replace(b".", b"_", 1))
    with pytest.raises(AcequiaError, match="signature_invalid"):
        world.run(PARTNER, FEED, DAY)
    after = next(row for row in book.deliveries() if row.version == outcome.delivery.version)
    assert after.status == "published", "what stands is not taken back by what came with the same bytes later"
    assert book.verify() == []
