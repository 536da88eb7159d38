"""Signed manifests: who may sign what for when, each failure by its code, and every bit of a token counts."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.errors import AcequiaError
from acequia.receive.settle import SIGNATURE_FOLLOWS_S
from acequia.receive.signed import Trust
from tests.receive.partners import DAY, manifest_of
from tests.receive.signing import ABOUT, Desk, spelt

A = b"a,b\n1,2\n"
ONE, TWO = Desk.of(1), Desk.of(2)
PATTERN = "out/{period}/*.csv"
FOLDER = "out/2026-11-21"
KEYS = {"desk-1": ONE.agreed()}
MANIFEST = manifest_of({"1.csv": A}, **ABOUT)
OF_SIGNATURES = {
    "signature_invalid", "signing_key_unknown", "signing_key_not_valid", "manifest_invalid"
}  # fmt: skip


def signed(partner, token, *, files=None, name="manifest.jws", **more):
    partner.send(FOLDER, files or {"1.csv": A})
    if token is not None:
        partner.put(f"{FOLDER}/{name}", token)
    return partner.terms(PATTERN, manifest="required", **{"signature": "required", **more})


def code(office, partner, agreed, keys=KEYS):
    arrived = office.receive(agreed, partner.connection, signing_keys=keys)
    return arrived.refusal[0] if arrived.refusal else None


@pytest.mark.parametrize("head", [{}, {"alg": "EdDSA"}, {"typ": None}])
@pytest.mark.parametrize("ends", [b"", b"\n", b"\r\n"])
def test_a_signed_manifest_that_fits(office, folder_partner, head, ends):
    agreed = signed(folder_partner, ONE.sign(MANIFEST, **head) + ends)
    arrived = office.receive(agreed, signing_keys=KEYS)
    assert (arrived.refusal, arrived.signed_by) == (None, "desk-1")


def test_from_every_source(office, partner):
    agreed = signed(partner, ONE.sign(MANIFEST))
    assert office.look(agreed, partner.connection)
    arrived = office.receive(agreed, partner.connection, signing_keys=KEYS)
    assert (arrived.refusal, arrived.signed_by) == (None, "desk-1")
    assert office.opened(arrived) == {"1.csv": A}


def test_a_manifest_for_one_file(office, partner):
    partner.put("2026-11-21.csv", A)
    partner.put("2026-11-21.csv.manifest.jws", ONE.sign(manifest_of({"2026-11-21.csv": A}, **ABOUT)))
    agreed = partner.terms("{period}.csv", manifest="required", signature="required")
    arrived = office.receive(agreed, partner.connection, signing_keys=KEYS)
    assert (arrived.refusal, arrived.signed_by) == (None, "desk-1")


@pytest.mark.parametrize(
    ("token", "agreed_keys", "wanted"),
    [
        (TWO.sign(MANIFEST), KEYS, "signature_invalid"),  # somebody else's key under our id
        (TWO.sign(MANIFEST, kid="desk-2"), KEYS, "signing_key_unknown"),
        (ONE.sign(MANIFEST, kid=None), KEYS, "signing_key_unknown"),
        (ONE.sign(MANIFEST, kid=7), KEYS, "signing_key_unknown"),
        (ONE.sign(MANIFEST), {}, "signing_key_unknown"),
        (ONE.sign(MANIFEST), {"desk-1": ONE.agreed("2026-11-22")}, "signing_key_not_valid"),
        (ONE.sign(MANIFEST), {"desk-1": ONE.agreed("2026-01-01", "2026-11-20")}, "signing_key_not_valid"),
        (ONE.sign(MANIFEST), {"desk-1": ONE.agreed("2026-11-21", "2026-11-21")}, None),
        (ONE.sign(MANIFEST, alg="none"), KEYS, "signature_invalid"),
        (ONE.sign(MANIFEST, alg="HS256"), KEYS, "signature_invalid"),
        (ONE.sign(MANIFEST, alg=None), KEYS, "signature_invalid"),
        (ONE.sign(MANIFEST, typ="JWT"), KEYS, "signature_invalid"),
        (ONE.sign(MANIFEST, crit=["b64"], b64=False), KEYS, "signature_invalid"),
        (ONE.sign(MANIFEST, jwk={"kty": "OKP"}), KEYS, "signature_invalid"),
        (b"{}", KEYS, "signature_invalid"),
        (b"", KEYS, "signature_invalid"),
        (b"\xff.\xff.\xff", KEYS, "signature_invalid"),
        (json.dumps(MANIFEST).encode(), KEYS, "signature_invalid"),
        (ONE.sign(MANIFEST).rsplit(b".", 1)[0] + b".", KEYS, "signature_invalid"),
        (ONE.sign(MANIFEST) + b"=", KEYS, "signature_invalid"),
        (ONE.sign(MANIFEST) + b"\n\n", KEYS, "signature_invalid"),
        (ONE.sign(b"[]"), KEYS, "manifest_invalid"),
        (ONE.sign({**MANIFEST, "iat": 1}), KEYS, "manifest_invalid"),
        (ONE.sign(manifest_of({"1.csv": A}, feed="events", agreement="pula")), KEYS, "manifest_invalid"),
        (ONE.sign(manifest_of({"1.csv": A}, period="2026-11-21", agreement="pula")), KEYS, "manifest_invalid"),
        (ONE.sign(manifest_of({"1.csv": A}, period="2026-11-21", feed="events")), KEYS, "manifest_invalid"),
        (ONE.sign({**MANIFEST, "period": "2026-11-20"}), KEYS, "manifest_of_another_period"),
        (ONE.sign({**MANIFEST, "feed": "trips"}), KEYS, "manifest_of_another_feed"),
        (ONE.sign({**MANIFEST, "agreement": "rambla"}), KEYS, "manifest_of_another_agreement"),
        (ONE.sign(manifest_of({"1.csv": b"x"}, **ABOUT)), KEYS, "checksum_differs"),
        (ONE.sign(manifest_of({"2.csv": A}, **ABOUT)), KEYS, "file_unlisted"),
    ],
)  # fmt: skip
def test_every_failure_has_its_code(office, folder_partner, token, agreed_keys, wanted):
    agreed = signed(folder_partner, token)
    assert code(office, folder_partner, agreed, agreed_keys) == wanted


def test_nothing_of_the_token_is_said(office, folder_partner):
    agreed = signed(folder_partner, ONE.sign(MANIFEST, kid="gopher@example.org", typ="secret"))
    said = str(office.receive(agreed, signing_keys=KEYS).refusal)
    assert "gopher" not in said and "secret" not in said


def test_of_keys_that_overlap_either_signs(office, folder_partner):
    keys = {"desk-1": ONE.agreed("2026-01-01", "2026-11-30"), "desk-2": TWO.agreed("2026-11-01")}
    for desk, kid in ((ONE, "desk-1"), (TWO, "desk-2")):
        agreed = signed(folder_partner, desk.sign(MANIFEST, kid=kid))
        assert office.receive(agreed, signing_keys=keys).signed_by == kid


def test_one_that_was_not_signed_is_waited_for_and_then_refused(office, folder_partner):
    import os
    import time

    agreed = signed(folder_partner, None)
    place = office.home / "inbox" / FOLDER / "manifest.json"
    place.write_text(json.dumps(MANIFEST))
    assert office.look(agreed) is None
    with pytest.raises(AcequiaError, match=r"manifest\.jws") as stopped:
        office.receive(agreed, signing_keys=KEYS)
    assert stopped.value.code == "delivery_unfinished"
    then = time.time() - SIGNATURE_FOLLOWS_S - 1
    os.utime(place, (then, then))
    assert office.look(agreed)
    assert code(office, folder_partner, agreed) == "signature_missing"
    # The signed form counts, whatever the other says.
    place.write_text("no json")
    folder_partner.put(f"{FOLDER}/manifest.jws", ONE.sign(MANIFEST))
    assert code(office, folder_partner, agreed) is None


def test_given_by_hand_nothing_is_waited_for(office, folder_partner):
    agreed = signed(folder_partner, None)
    folder_partner.send(FOLDER, {}, MANIFEST)
    arrived = office.receive(agreed, from_dir=office.home / "inbox", signing_keys=KEYS)
    assert arrived.refusal[0] == "signature_missing"


@pytest.mark.parametrize(("token", "wanted"), [(ONE.sign(MANIFEST), None), (TWO.sign(MANIFEST), "signature_invalid")])
def test_where_it_is_optional_a_signature_that_is_there_must_hold(office, folder_partner, token, wanted):
    agreed = signed(folder_partner, token, signature="optional")
    assert code(office, folder_partner, agreed) == wanted


def test_where_it_is_optional_an_unsigned_manifest_does(office, folder_partner):
    agreed = signed(folder_partner, None, signature="optional")
    folder_partner.send(FOLDER, {}, MANIFEST)
    arrived = office.receive(agreed, signing_keys=KEYS)
    assert (arrived.refusal, arrived.signed_by) == (None, None)


def test_a_signature_that_is_not_agreed_is_told(office, folder_partner):
    agreed = signed(folder_partner, ONE.sign(MANIFEST), signature="none")
    assert code(office, folder_partner, agreed) == "manifest_invalid"
    folder_partner.send(FOLDER, {}, MANIFEST)
    assert code(office, folder_partner, agreed) is None


def test_files_of_two_manifests_are_signed_when_both_are(office, folder_partner):
    keys = {"desk-1": ONE.agreed(), "desk-2": TWO.agreed()}
    agreed = signed(
        folder_partner, ONE.sign(manifest_of({"1.csv": A}, **ABOUT)), files={"1.csv": A, "2.csv": A + b"3,4\n"}
    )
    folder_partner.put(
        f"{FOLDER}/2.csv.manifest.jws", TWO.sign(manifest_of({"2.csv": A + b"3,4\n"}, **ABOUT), kid="desk-2")
    )
    arrived = office.receive(agreed, signing_keys=keys)
    assert (arrived.refusal, arrived.signed_by) == (None, "desk-1,desk-2")


def test_base64_has_one_spelling():
    head, body, signature = ONE.sign(MANIFEST).decode().split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters.index(signature[-1])
    twins = [letters[last ^ bits] for bits in range(1, 16)]
    for twin in twins:
        with pytest.raises(AcequiaError):
            Trust(DAY, KEYS).opened(f"{head}.{body}.{signature[:-1]}{twin}".encode())
    assert spelt(b"\xff\xfe") == "__4"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bit_of_a_token_that_flips_is_found(data):
    token = ONE.sign(MANIFEST) + b"\n"
    assert Trust(DAY, KEYS).opened(token)[1] == "desk-1"
    place = data.draw(st.integers(0, len(token) * 8 - 1))
    flipped = bytearray(token)
    flipped[place // 8] ^= 1 << place % 8
    with pytest.raises(AcequiaError) as stopped:
        Trust(DAY, KEYS).opened(bytes(flipped))
    assert stopped.value.code in OF_SIGNATURES - {"manifest_invalid"}


def test_every_single_bit_of_a_token_counts():
    token = ONE.sign(MANIFEST)
    missed = []
    for place in range(len(token) * 8):
        flipped = bytearray(token)
        flipped[place // 8] ^= 1 << place % 8
        try:
            Trust(DAY, KEYS).opened(bytes(flipped))
        except AcequiaError as error:
            if error.code not in ("signature_invalid", "signing_key_unknown"):
                missed.append((place, error.code))
        else:
            missed.append((place, "accepted"))
    assert not missed
