"""Receipts: made of the ledger alone, verified offline with the public key alone."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acequia.errors import AcequiaError
from acequia.flow import LandedFile
from acequia.ledger.book import Ledger
from acequia.ledger.receipts import TYPE, keys_path, verify_receipt
from acequia.ledger.signing import Signer
from acequia.period import Period
from tests.ledger.deeds import ONE, TWO, count, publish, refuse, register, run_through, sha


@contextmanager
def invalid(what: str) -> Iterator[None]:
    with pytest.raises(AcequiaError, match=what) as caught:
        yield
    assert caught.value.code == "receipt_invalid"


def claims(path: Path) -> dict[str, Any]:
    part = path.read_text().split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def told(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


@pytest.fixture
def published(sqlite_ledger: Ledger) -> Path:
    return sqlite_ledger.receipt("published", run_through(sqlite_ledger))


@pytest.fixture
def jwks(home: Path) -> Path:
    return keys_path(home)


def test_a_receipt_tells_what_happened_and_nothing_of_anyone(ledger: Ledger, home: Path) -> None:
    delivery = run_through(ledger)
    path = ledger.receipt("published", delivery)
    assert path == home / "receipts/pula_mobile/events/2026-11-16/v1/03-published.jws"
    assert told(path) == ["01-received.jws", "02-accepted.jws", "03-published.jws"]
    received, accepted, published = (claims(path.with_name(name)) for name in told(path))
    assert received == {
        "iss": "acequia",
        "iat": int(datetime(2026, 11, 17, 6, tzinfo=UTC).timestamp()),
        "number": 1,
        "step": "received",
        "delivery": "pula_mobile.events.2026-11-16.v1",
        "partner": "pula_mobile",
        "feed": "events",
        "period": "2026-11-16",
        "version": 1,
        "content_sha256": sha("A"),
        "agreement": {"version": "1.2", "sha256": sha("agreement 1.2")},
        "files": [{"number": 1, "bytes": 1, "sha256": sha("A")}],
        "ledger": {"seq": 1, "hash": ledger.history(delivery)[0].hash},
        "prev": None,
    }
    assert accepted["rows"] == {"rows_in": 100, "rows_out": 97, "set_aside": {"null:msisdn": 3}}
    assert accepted["prev"] == hashlib.sha256(path.with_name("01-received.jws").read_bytes()).hexdigest()
    (table,) = published["tables"]
    assert table["table"] == "pula_mobile.subscribers_by_district"
    assert (table["cells"], table["cells_withheld"], table["snapshot_id"]) == (12, 3, "7777777777777777777")
    assert published["prev"] == hashlib.sha256(path.with_name("02-accepted.jws").read_bytes()).hexdigest()


def test_a_refusal_is_told_with_what_to_do(sqlite_ledger: Ledger) -> None:
    delivery = register(sqlite_ledger)
    refuse(sqlite_ledger, delivery)
    assert claims(sqlite_ledger.receipt("refused", delivery))["refusal"] == {
        "code": "checks_failed",
        "reason": "2 of 9 checks failed",
        "who_acts": "partner",
        "what_to_do": "Correct the data; the failed checks are in the receipt.",
    }


def test_a_deletion_is_told_with_what_was_destroyed(sqlite_ledger: Ledger, jwks: Path) -> None:
    delivery = run_through(sqlite_ledger)
    sqlite_ledger.raw_deleted(delivery, files=1, proof={"files_found_after": 0})
    path = sqlite_ledger.receipt("raw_deleted", delivery)
    assert path.name == "04-raw_deleted.jws"
    deleted = verify_receipt(path, jwks).claims
    assert deleted["deleted"]["proof"] == {"files_found_after": 0}
    assert deleted["files"] == [{"number": 1, "bytes": 1, "sha256": sha("A")}]


def test_receipts_that_a_killed_run_left_out_are_written_later(sqlite_ledger: Ledger) -> None:
    delivery = register(sqlite_ledger)
    refuse(sqlite_ledger, delivery)
    path = sqlite_ledger.receipt("received", delivery)  # what a repeated run asks for first
    assert told(path) == ["01-received.jws", "02-refused.jws"]


def test_making_receipts_again_gives_the_same_bytes(sqlite_ledger: Ledger, home: Path) -> None:
    delivery = run_through(sqlite_ledger)
    before = {path: path.read_bytes() for path in (home / "receipts").rglob("*.jws")}
    shutil.rmtree(home / "receipts")
    sqlite_ledger.receipt("received", delivery)
    assert {path: path.read_bytes() for path in (home / "receipts").rglob("*.jws")} == before


def test_receipts_verify_offline_with_the_public_key_alone(published: Path, jwks: Path, tmp_path: Path) -> None:
    away = tmp_path / "at the partner's"
    shutil.copytree(published.parent, away)
    keys = shutil.copy(jwks, away / "keys.json")
    found = verify_receipt(away / "03-published.jws", Path(keys))
    assert (found.links, found.chain) == (2, "it follows 2 others, back to the first")
    assert found.key_id == json.loads(Path(keys).read_bytes())["keys"][0]["kid"]
    assert verify_receipt(away / "01-received.jws", Path(keys)).chain == "it is the first of its chain"
    assert '"d"' not in Path(keys).read_text()


def test_one_receipt_by_itself_says_that_others_are_not_here(published: Path, jwks: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(published, tmp_path / "our receipt.jws"))
    assert verify_receipt(alone, jwks).chain == "it follows 0 others that are here, and more that are not"


def test_a_correction_follows_the_receipts_of_the_version_before(sqlite_ledger: Ledger, jwks: Path) -> None:
    first = run_through(sqlite_ledger, "A")
    second = run_through(sqlite_ledger, "B")
    sqlite_ledger.raw_deleted(first, files=1)
    sqlite_ledger.receipt("raw_deleted", first)
    path = sqlite_ledger.receipt("published", second)
    assert verify_receipt(path, jwks).links == 5
    last_of_first = path.parent.with_name("v1") / "03-published.jws"
    assert claims(path.with_name("01-received.jws"))["prev"] == hashlib.sha256(last_of_first.read_bytes()).hexdigest()
    assert sqlite_ledger.verify() == []

    for receipt in path.parent.with_name("v1").iterdir():
        if receipt.name == "03-published.jws":
            receipt.unlink()
    with invalid("does not follow any receipt of version 1"):
        verify_receipt(path, jwks)


def test_a_delivery_decided_twice_has_both_receipts(sqlite_ledger: Ledger, jwks: Path) -> None:
    delivery = register(sqlite_ledger)
    refuse(sqlite_ledger, delivery, made_by=ONE)
    register(sqlite_ledger, terms="1.3")
    sqlite_ledger.accept(delivery, count=count(), made_by=TWO)
    publish(sqlite_ledger, delivery)
    sqlite_ledger.finish(delivery)
    path = sqlite_ledger.receipt("published", delivery)
    assert told(path) == ["01-received.jws", "02-refused.jws", "03-accepted.jws", "04-published.jws"]
    assert verify_receipt(path, jwks).claims["agreement"]["version"] == "1.3"
    assert claims(path.with_name("02-refused.jws"))["agreement"]["version"] == "1.2"


def test_a_step_that_did_not_happen_has_no_receipt(sqlite_ledger: Ledger) -> None:
    delivery = register(sqlite_ledger)
    with pytest.raises(AcequiaError, match="no reason for a receipt of step published"):
        sqlite_ledger.receipt("published", delivery)


def test_a_flipped_bit_anywhere_is_found(published: Path, jwks: Path) -> None:
    whole = published.read_bytes()
    for at in range(0, len(whole), 3):
        published.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        with invalid("is not valid"):
            verify_receipt(published, jwks, chain=False)
    for other in (b"", whole + b"\n", whole[:-1], whole.replace(b".", b"..", 1), b"\xff\xfe", b"a.b.c"):
        published.write_bytes(other)
        with invalid("is not valid"):
            verify_receipt(published, jwks, chain=False)


def test_another_key_is_refused_even_under_the_same_name(published: Path, home: Path) -> None:
    stranger = Signer(b"s" * 32)
    with invalid("names a key that is not among"):
        verify_receipt(published, stranger.public)
    renamed = {"keys": [{**stranger.public["keys"][0], "kid": verify_receipt(published, keys_path(home)).key_id}]}
    with invalid("signature does not fit"):
        verify_receipt(published, renamed)
    with invalid("is no Ed25519 key"):
        verify_receipt(published, {"keys": [{**renamed["keys"][0], "kty": "oct", "k": "AAAA"}]})


def test_a_receipt_forged_with_another_key_is_refused(published: Path, jwks: Path) -> None:
    forged = Signer(b"f" * 32)
    published.write_text(forged.sign(TYPE, claims(published)))
    with invalid("names a key that is not among"):
        verify_receipt(published, jwks)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"alg": "none"}, "not signed with Ed25519"),
        ({"alg": "HS256"}, "not signed with Ed25519"),
        ({"typ": "acequia-entry\\+jwt"}, "signature does not fit"),
        ({"typ": "JWT"}, "type is not"),
        ({"kid": None}, "names a key that is not among"),
        ({"crit": ["b64"], "b64": False}, "signature does not fit"),
    ],
)
def test_a_changed_header_is_refused(published: Path, jwks: Path, change: dict[str, Any], what: str) -> None:
    header, rest = published.read_text().split(".", 1)
    changed = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))) | change
    if change.get("typ", "").startswith("acequia-entry"):
        changed["typ"], what = "acequia-entry+jwt", "type is not"
    spelt = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    published.write_text(f"{spelt}.{rest}")
    with invalid(what):
        verify_receipt(published, jwks)


def test_an_entry_of_the_ledger_is_no_receipt(sqlite_ledger: Ledger, published: Path, jwks: Path, home: Path) -> None:
    published.write_bytes((home / "ledger/head.jws").read_bytes())
    with invalid("type is not"):
        verify_receipt(published, jwks)


def test_receipts_in_another_order_are_refused(published: Path, jwks: Path) -> None:
    one, two = published.with_name("01-received.jws"), published.with_name("02-accepted.jws")
    held = one.read_bytes(), two.read_bytes()
    one.write_bytes(held[1])
    two.write_bytes(held[0])
    with invalid("another step than its name says"):
        verify_receipt(published, jwks)
    for path in (one, two):
        path.unlink()
    published.with_name("01-accepted.jws").write_bytes(held[1])
    published.with_name("02-received.jws").write_bytes(held[0])
    with invalid("another step than its name says"):
        verify_receipt(published, jwks)


def test_a_missing_link_is_refused(published: Path, jwks: Path) -> None:
    published.with_name("02-accepted.jws").unlink()
    with invalid("receipt 2 is missing between"):
        verify_receipt(published, jwks)
    assert verify_receipt(published, jwks, chain=False).links == 0


def test_a_link_of_another_delivery_is_refused(sqlite_ledger: Ledger, published: Path, jwks: Path) -> None:
    other = sqlite_ledger.receipt("accepted", run_through(sqlite_ledger, "Z", "2026-11-17"))
    shutil.copy(other, published.with_name("02-accepted.jws"))
    with invalid("does not follow 02-accepted.jws"):
        verify_receipt(published, jwks)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys": 1}', "not json"])
def test_a_file_of_keys_that_is_none_is_an_error(published: Path, tmp_path: Path, content: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(content)
    with invalid("is no JWK set"):
        verify_receipt(published, keys)


def test_the_ledger_does_not_build_on_a_receipt_that_was_tampered_with(sqlite_ledger: Ledger, published: Path) -> None:
    delivery = sqlite_ledger.accepted("pula_mobile", "events")[0]
    published.write_text(sqlite_ledger.signer.sign(TYPE, {**claims(published), "prev": None}))
    with pytest.raises(AcequiaError, match="not the one that the ledger gives reason for") as caught:
        sqlite_ledger.receipt("published", delivery)
    assert caught.value.code == "ledger_broken"


def test_a_delivery_of_thousands_of_files_has_a_receipt(sqlite_ledger: Ledger, jwks: Path) -> None:
    files = [LandedFile(name=f"{n}.csv", stored=f"there/{n}.age", bytes=n, sha256=sha(str(n))) for n in range(5000)]
    delivery = sqlite_ledger.register(
        "pula_mobile", "events", Period.parse("2026-11-16"), content_sha256=sha("all"), agreement_version="1",
        agreement_sha256=sha("text"), files=files,
    )  # fmt: skip
    assert len(verify_receipt(sqlite_ledger.receipt("received", delivery), jwks).claims["files"]) == 5000
