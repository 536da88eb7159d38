"""Files that come encrypted with age: opened with whichever intake key fits, and each failure by its code."""

from __future__ import annotations

import hashlib

import pytest
from pyrage import encrypt, passphrase, x25519

from acequia.errors import AcequiaError
from acequia.receive import envelope
from tests.receive.partners import manifest_of

A = b"a,b\n" + b"1,2\n" * 40_000
PATTERN, FOLDER = "out/{period}/*.csv", "out/2026-11-21"
ESCROW = x25519.Identity.generate()


def sealed(content: bytes, *recipients: str) -> bytes:
    return encrypt(content, [x25519.Recipient.from_str(one) for one in recipients])


@pytest.fixture
def ours(office) -> str:
    return envelope.recipient(office.landing.keys)


def code(office, agreed, connection=None):
    arrived = office.receive(agreed, connection)
    return arrived.refusal[0] if arrived.refusal else None


def test_from_every_source(office, partner, ours):
    sent = sealed(A, ours, str(ESCROW.to_public()))
    files = {"1.csv.age": sent}
    partner.send(FOLDER, files, manifest_of(files))
    agreed = partner.terms(PATTERN, manifest="required", encryption="required")
    arrived = office.receive(agreed, partner.connection)
    assert arrived.refusal is None
    (file,) = arrived.files
    assert (file.bytes, file.sha256) == (len(A), hashlib.sha256(A).hexdigest())
    assert (file.sent_bytes, file.sent_sha256) == (len(sent), hashlib.sha256(sent).hexdigest())
    target = office.home / "opened"
    office.landing.fetch(file.stored, target)
    assert target.read_bytes() == A
    assert office.as_sent(arrived)["files"] == ["1.csv.age"]


def test_an_exact_path_is_found_under_its_longer_name(office, partner, ours):
    partner.put("2026-11-21.csv.age", sealed(A, ours))
    arrived = office.receive(partner.terms("{period}.csv", encryption="required"), partner.connection)
    assert (arrived.refusal, len(arrived.files)) == (None, 1)


def test_encrypted_anew_it_is_the_same_content(office, folder_partner, ours):
    agreed = folder_partner.terms(PATTERN, encryption="optional")
    folder_partner.send(FOLDER, {"1.csv.age": sealed(A, ours)})
    first = office.receive(agreed)
    folder_partner.send(FOLDER, {"1.csv.age": sealed(A, ours)})
    again = office.receive(agreed)
    assert first.content_sha256 == again.content_sha256
    assert first.arrival != again.arrival
    (office.home / "inbox" / FOLDER / "1.csv.age").unlink()
    folder_partner.send(FOLDER, {"1.csv": A})
    assert office.receive(agreed).content_sha256 == first.content_sha256


def test_files_to_an_earlier_key_still_open_after_rotation(office, folder_partner, ours):
    folder_partner.send(FOLDER, {"1.csv.age": sealed(A, ours)})
    agreed = folder_partner.terms(PATTERN, encryption="required")
    newer = envelope.renew(office.landing.keys)
    newest = envelope.renew(office.landing.keys)
    assert len({ours, newer, newest}) == 3
    assert envelope.names(office.landing.keys) == ["intake", "intake.2", "intake.3"]
    assert envelope.recipient(office.landing.keys) == newest
    assert code(office, agreed) is None
    folder_partner.send(FOLDER, {"1.csv.age": sealed(A, newest)})
    assert code(office, agreed) is None
    office.landing.keys.destroy("intake")
    assert code(office, agreed) is None
    folder_partner.send(FOLDER, {"1.csv.age": sealed(A, ours)})
    assert code(office, agreed) == "encryption_for_others"
    assert envelope.recipient(office.landing.keys) == newest


@pytest.mark.parametrize(
    ("wrong", "wanted"),
    [
        (lambda ours: sealed(A, str(ESCROW.to_public())), "encryption_for_others"),
        (lambda ours: passphrase.encrypt(A, "a passphrase"), "encryption_for_others"),
        (lambda ours: A, "encryption_broken"),
        (lambda ours: b"age-encryption.org/v1\n", "encryption_broken"),
        (lambda ours: sealed(A, ours)[:-1], "encryption_broken"),
        (lambda ours: sealed(A, ours)[:200], "encryption_broken"),
        (lambda ours: sealed(A, ours)[: -(len(A) % 65536) - 16], "encryption_broken"),  # a chunk less
        (lambda ours: sealed(A, ours) + b"\n", "encryption_broken"),
        (lambda ours: sealed(A, ours)[:-5] + b"12345", "encryption_broken"),
    ],
)
def test_what_does_not_open_is_refused_and_kept(office, folder_partner, ours, wrong, wanted):
    sent = wrong(ours)
    folder_partner.send(FOLDER, {"1.csv.age": sent, "2.csv.age": sealed(A, ours)})
    agreed = folder_partner.terms(PATTERN, encryption="required")
    arrived = office.receive(agreed)
    assert arrived.refusal[0] == wanted
    assert "file 1 of 2" in arrived.refusal[1]
    assert office.opened(arrived) == {"1.csv.age": sent, "2.csv.age": A}


def test_one_that_is_not_encrypted_is_refused_where_that_is_agreed(office, folder_partner, ours):
    folder_partner.send(FOLDER, {"1.csv": A})
    assert code(office, folder_partner.terms(PATTERN, encryption="required")) == "encryption_missing"
    assert code(office, folder_partner.terms(PATTERN, encryption="optional")) is None


def test_an_altered_file_is_told_by_its_manifest_first(office, folder_partner, ours):
    sent = sealed(A, ours)
    folder_partner.send(FOLDER, {"1.csv.age": sent[:-1] + bytes([sent[-1] ^ 1])}, manifest_of({"1.csv.age": sent}))
    agreed = folder_partner.terms(PATTERN, manifest="required", encryption="required")
    assert code(office, agreed) == "checksum_differs"


def test_the_manifest_may_say_what_the_file_holds(office, folder_partner, ours):
    files = {"1.csv.age": sealed(A, ours)}
    manifest = manifest_of(files)
    agreed = folder_partner.terms(PATTERN, manifest="required", encryption="required")
    for content, wanted in ((A, None), (b"x", "checksum_differs")):
        manifest["files"][0]["plain_sha256"] = hashlib.sha256(content).hexdigest()
        folder_partner.send(FOLDER, files, manifest)
        assert code(office, agreed) == wanted


def test_the_same_name_encrypted_and_not_is_refused(office, folder_partner, ours):
    folder_partner.send(FOLDER, {"1.csv": A, "1.csv.age": sealed(A, ours)})
    assert code(office, folder_partner.terms(PATTERN, encryption="optional")) == "name_escapes"


def test_an_empty_file_inside_is_told(office, folder_partner, ours):
    folder_partner.send(FOLDER, {"1.csv.age": sealed(b"", ours)})
    assert code(office, folder_partner.terms(PATTERN, encryption="required")) == "file_empty"


def test_without_any_intake_key_it_is_our_fault(office, folder_partner):
    folder_partner.send(FOLDER, {"1.csv.age": sealed(A, str(ESCROW.to_public()))})
    with pytest.raises(AcequiaError) as stopped:
        office.receive(folder_partner.terms(PATTERN, encryption="required"))
    assert stopped.value.code == "key_missing"


def test_every_single_bit_of_an_encrypted_file_counts(office, ours, tmp_path):
    sent = sealed(b"a,b\n" + b"1,2\n" * 50, ours)
    missed = []
    for place in range(len(sent) * 8):
        flipped = bytearray(sent)
        flipped[place // 8] ^= 1 << place % 8
        (tmp_path / "sent").write_bytes(flipped)
        try:
            envelope.unseal(tmp_path / "sent", tmp_path / "opened", office.landing.keys)
            missed.append(place)
        except AcequiaError as error:
            assert error.code in ("encryption_broken", "encryption_for_others")
        assert not (tmp_path / "opened").exists()
    assert not missed
