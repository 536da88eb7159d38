"""The format of receipts is documented so well that its own verifier needs nothing else: it is run on real ones."""

from __future__ import annotations

import base64
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from acequia.keys import FileKeyStore
from acequia.ledger.book import Ledger, open_ledger
from acequia.ledger.receipts import TYPE, keys_path
from acequia.ledger.rotation import destroy_old, rotate
from acequia.ledger.signing import Signer
from acequia.period import Period
from acequia.settings import Settings
from tests.docs.pages import PROJECT, blocks
from tests.ledger.conftest import ticking
from tests.ledger.deeds import count, publish, refuse, register, run_through, sha

PAGE = PROJECT / "docs" / "receipts.md"
PROGRAMS = {block.marks["file"]: block.text for block in blocks(PAGE) if "file" in block.marks}
TERMS = {"kept_days": {"raw": 14, "protected": 400}, "landing_key": "f" * 32, "signed_by": "our key"}


def received(ledger: Ledger, content: str, period: str, arrival: str) -> object:
    return ledger.register(
        "pula_mobile", "events", Period.parse(period), content_sha256=sha(content), agreement_version="1",
        agreement_sha256=sha("text"), files=(), arrival=sha(arrival), sent_at=ledger.clock(), **TERMS,
    )  # fmt: skip


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Receipts of every step, by three keys, of which the first two are destroyed."""
    home = tmp_path_factory.mktemp("office") / "home"
    ledger = open_ledger(Settings.from_environment({"ACEQUIA_HOME": str(home)}), FileKeyStore(home / "keys"), ticking())
    first = run_through(ledger, "A")
    rotate(ledger, because="yearly", who="an operator")
    second = received(ledger, "B", "2026-11-16", "one")
    assert received(ledger, "B", "2026-11-16", "two") == second
    told = {"against": str(first), "added": 1}
    ledger.accept(second, count=count(), made_by=sha("1"), differences=told, warnings=["fewer rows than usual"])
    publish(ledger, second)
    ledger.finish(second)
    other = register(ledger, "C", "2026-11-17")
    refuse(ledger, other)
    rotate(ledger, because="yearly", who="an operator")
    ledger.withdraw(other, who="the partner", because="wrong month")
    ledger.withdrawal_done(other, {"tables": [], "erased": False})
    ledger.raw_deleted(first, files=1, proof={"says": "gone", "key": "destroyed"})
    ledger.protected_deleted(first, files=1)
    destroy_old(ledger)
    assert ledger.verify(whole=True) == []
    return ledger


@pytest.fixture
def kept(office: Ledger, tmp_path: Path) -> Path:
    """What a partner has, and the programs of the page beside it."""
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text + "\n")
    shutil.copytree(office.home / "receipts", tmp_path / "receipts")
    shutil.copy(keys_path(office.home), tmp_path / "keys.json")
    return tmp_path


def run(kept: Path) -> tuple[int, str]:
    words = [sys.executable, "-I", "verify_receipts.py", "keys.json", "receipts"]
    ended = subprocess.run(words, cwd=kept, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def claims_of(path: Path) -> dict[str, object]:
    part = path.read_text().split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def test_the_verifier_is_short_and_needs_nothing_of_ours() -> None:
    program = PROGRAMS["verify_receipts.py"]
    assert len([line for line in program.splitlines() if line.strip()]) <= 41
    assert "acequia." not in program
    assert {line.split()[1] for line in re.findall(r"^from .*", program, re.MULTILINE)} == {
        "cryptography.hazmat.primitives.asymmetric.ed25519"
    }


def test_the_verifier_agrees_with_ours_on_receipts_of_every_step(kept: Path) -> None:
    steps = {path.stem.partition("-")[2] for path in kept.rglob("*.jws")}
    assert steps == set(re.findall(r"^\| `([a-z_]+)` \|", between("| step |"), re.MULTILINE))
    assert len({json.loads(_header(path))["kid"] for path in kept.rglob("*.jws")}) == 3
    assert run(kept) == (0, f"{len(list(kept.rglob('*.jws')))} receipts are signed, 0 findings\n")


def _header(path: Path) -> bytes:
    part = path.read_text().split(".")[0]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_any_changed_bit_is_found(kept: Path) -> None:
    dice = random.Random(2)
    for path in dice.sample(sorted(kept.rglob("*.jws")), 8):
        whole, at = path.read_bytes(), dice.randrange(path.stat().st_size)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << dice.randrange(8))]) + whole[at + 1 :])
        code, said = run(kept)
        assert (code, path.name in said) == (1, True), said
        path.write_bytes(whole)


def test_what_is_missing_or_in_another_place_is_found(kept: Path) -> None:
    period = kept / "receipts/pula_mobile/events/2026-11-16"
    for name in ("v1/01-received.jws", "v1/02-accepted.jws", "v1/03-published.jws", "v2/03-accepted.jws"):
        held = (period / name).read_bytes()
        (period / name).unlink()
        code, said = run(kept)
        assert code == 1
        assert "the receipt before it is not here" in said
        (period / name).write_bytes(held)
    assert run(kept)[0] == 0


def test_a_retired_key_is_believed_for_nothing_later(office: Ledger, kept: Path, tmp_path_factory: object) -> None:
    thief = open_ledger(
        Settings.from_environment({"ACEQUIA_HOME": str(kept / "other")}), FileKeyStore(kept / "other/keys"), ticking()
    )
    stolen = thief.signer.current
    run_through(thief, "A")
    rotate(thief, because="stolen", who="an operator")
    path = thief.receipt("published", run_through(thief, "B", "2026-11-17"))
    shutil.rmtree(kept / "receipts")
    shutil.copytree(thief.home / "receipts", kept / "receipts")
    shutil.copy(keys_path(thief.home), kept / "keys.json")
    assert run(kept)[0] == 0
    forged = kept / path.relative_to(thief.home)
    forged.write_text(stolen.sign(TYPE, claims_of(path) | {"tables": []}))
    code, said = run(kept)
    assert code == 1
    assert "its key had been retired" in said
    assert "NOT VALID: its key had been retired at entry 5" in shell(kept, forged)


def test_a_file_of_keys_that_was_changed_verifies_nothing(kept: Path) -> None:
    path = kept / "keys.json"
    whole = json.loads(path.read_text())
    whole["keys"][0]["acequia_last_seq"] += 1
    path.write_text(json.dumps(whole))
    code, said = run(kept)
    assert code == 1
    assert "the public keys are not as they were signed" in said


def test_another_offices_key_is_not_among_them(kept: Path) -> None:
    path = next(kept.rglob("01-received.jws"))
    path.write_text(Signer(b"s" * 32).sign(TYPE, claims_of(path)))
    assert run(kept)[0] == 1


def shell(kept: Path, path: Path) -> str:
    words = ["sh", "verify_receipt.sh", str(path), "keys.json"]
    ended = subprocess.run(words, cwd=kept, capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr


def test_openssl_alone_verifies_every_receipt_and_finds_a_change(kept: Path) -> None:
    for path in sorted(kept.rglob("*.jws")):
        said = shell(kept, path)
        assert "Signature Verified Successfully" in said, said
        assert "NOT VALID" not in said
        assert json.loads(said.splitlines()[-1]) == claims_of(path)
    whole = path.read_text()
    head, body, signature = whole.split(".")
    path.write_text(f"{head}.{body[:-8]}{'A' if body[-8] != 'A' else 'B'}{body[-7:]}.{signature}")
    assert "Signature Verification Failure" in shell(kept, path)


def between(heading: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(heading) :].partition("\n\n")[0]


def names(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inside in value.items():
            yield name
            if name not in ("set_aside", "changes", "proof"):  # by reason; of a page of its own; below
                yield from names(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from names(inside)


def test_every_claim_is_documented(kept: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("## The claims") : text.index("## The chain")]
    documented = set(re.findall(r"`([a-z_0-9]+)`", section))
    found = {name for path in kept.rglob("*.jws") for name in names(claims_of(path))}
    assert found - documented == set()
