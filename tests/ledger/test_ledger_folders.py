"""Receipts as a partner keeps them: whole folders are verified, and what is missing, twice or misplaced is named."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from acequia.cli import cli
from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore
from acequia.ledger.book import Ledger, open_ledger
from acequia.ledger.folders import verify_folder
from acequia.ledger.introductions import require_introduced
from acequia.ledger.receipts import keys_path
from acequia.ledger.rotation import rotate
from acequia.ledger.words import in_words
from acequia.settings import Settings
from tests.ledger.conftest import ticking
from tests.ledger.deeds import refuse, register, run_through
from tests.ledger.test_ledger_receipts import claims, invalid


@pytest.fixture
def kept(sqlite_ledger: Ledger, tmp_path: Path) -> Path:
    """A partner's copy: version 1 with its deletion, version 2, and another period; a change of the key between."""
    first = run_through(sqlite_ledger, "A")
    rotate(sqlite_ledger, because="yearly", who="an operator")
    run_through(sqlite_ledger, "B")
    sqlite_ledger.raw_deleted(first, files=1)
    sqlite_ledger.receipt("raw_deleted", first)
    other = register(sqlite_ledger, "C", "2026-11-17")
    refuse(sqlite_ledger, other)
    sqlite_ledger.receipt("refused", other)
    shutil.copy(keys_path(sqlite_ledger.home), tmp_path / "keys.json")
    return Path(shutil.copytree(sqlite_ledger.home / "receipts", tmp_path / "kept"))


def found(kept: Path) -> list[tuple[str, str]]:
    return verify_folder(kept, kept.parent / "keys.json").findings


def at(kept: Path, place: str) -> Path:
    return kept / "pula_mobile/events" / place


def test_a_whole_folder_is_valid(kept: Path) -> None:
    folder = verify_folder(kept, kept.parent / "keys.json")
    assert folder.findings == []
    assert [(chain["chain"], chain["versions"], chain["receipts"]) for chain in folder.chains] == [
        ("pula_mobile.events 2026-11-16", [1, 2], 7),
        ("pula_mobile.events 2026-11-17", [1], 2),
    ]


def test_receipts_may_lie_anywhere_under_any_name(kept: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for number, path in enumerate(sorted(kept.rglob("*.jws"))):
        shutil.copy(path, flat / f"mail {number}.jws")
    folder = verify_folder(flat, kept.parent / "keys.json")
    assert folder.findings == []
    assert [chain["receipts"] for chain in folder.chains] == [7, 2]


def remove(name: str) -> Callable[[Path], None]:
    return lambda kept: at(kept, name).unlink()


def swap(one: str, other: str) -> Callable[[Path], None]:
    def deed(kept: Path) -> None:
        held = at(kept, one).read_bytes()
        at(kept, one).write_bytes(at(kept, other).read_bytes())
        at(kept, other).write_bytes(held)

    return deed


def copy(one: str, other: str) -> Callable[[Path], None]:
    return lambda kept: shutil.copy(at(kept, one), at(kept, other)) and None


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        (remove("2026-11-16/v1/02-accepted.jws"), "receipt 2 of pula_mobile.events.2026-11-16.v1 is missing"),
        (remove("2026-11-16/v1/01-received.jws"), "receipt 1 of pula_mobile.events.2026-11-16.v1 is missing"),
        (remove("2026-11-16/v1/03-published.jws"), "receipt of version 1 that it follows is missing"),
        (remove("2026-11-17/v1/01-received.jws"), "receipt 1 of pula_mobile.events.2026-11-17.v1 is missing"),
        (
            swap("2026-11-16/v1/01-received.jws", "2026-11-17/v1/01-received.jws"),
            "it belongs to another delivery than its folder's",
        ),
        (
            swap("2026-11-16/v1/02-accepted.jws", "2026-11-16/v2/02-accepted.jws"),
            "it belongs to another delivery than its folder's",
        ),
        (
            swap("2026-11-16/v1/01-received.jws", "2026-11-16/v1/02-accepted.jws"),
            "it is another step than its name says",
        ),
        (copy("2026-11-16/v1/01-received.jws", "2026-11-16/v1/again.jws"), "it is the same as"),
    ],
)
def test_what_is_wrong_is_named(kept: Path, deed: Callable[[Path], None], says: str) -> None:
    deed(kept)
    assert any(says in what for _, what in found(kept)), found(kept)


def test_that_the_last_ones_are_not_there_cannot_be_seen(kept: Path) -> None:
    """Nothing names a last receipt: docs/receipts.md says so, and says what to compare with."""
    at(kept, "2026-11-17/v1/02-refused.jws").unlink()
    assert found(kept) == []


def test_two_ledgers_of_one_office_are_found(kept: Path, sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """An office that tells one partner this and another that: two receipts name one entry, and not the same one."""
    home = tmp_path / "second"
    shutil.copytree(sqlite_ledger.home / "keys", home / "keys")
    ledger = open_ledger(
        Settings.from_environment({"ACEQUIA_HOME": str(home)}),
        FileKeyStore(home / "keys"),
        ticking("2026-12-01T00:00:00"),
    )
    other = ledger.receipt("published", run_through(ledger, "other", "2026-12-01"))
    (kept / "other").mkdir()
    for path in other.parent.iterdir():
        shutil.copy(path, kept / "other" / path.name)
    assert any("name entry 1 of the ledger, but not the same one: it was rewritten" in what for _, what in found(kept))


def test_a_receipt_of_another_office_is_named(kept: Path) -> None:
    path = at(kept, "2026-11-17/v1/02-refused.jws")
    path.write_bytes(path.read_bytes()[:-2])
    (one,) = [finding for finding in found(kept) if "02-refused" in finding[0]]
    assert one[1].startswith("this is not valid")


def run(*words: str | Path) -> tuple[int, str]:
    ended = CliRunner().invoke(cli, [str(word) for word in words])
    return ended.exit_code, ended.output


def test_the_command_takes_folders_and_says_what_is_proved(kept: Path) -> None:
    keys = kept.parent / "keys.json"
    assert run("verify", kept, "--key", keys) == (
        0,
        "chain                          versions      receipts  whole\n"
        "-----------------------------  ----------  ----------  -------\n"
        "pula_mobile.events 2026-11-16  1, 2                 7  yes\n"
        "pula_mobile.events 2026-11-17  1                    2  yes\n"
        "valid: 9 receipts; every chain is whole.\n",
    )
    path = at(kept, "2026-11-17/v1/02-refused.jws")
    code, said = run("verify", path, "--key", keys, "--language", "es")
    assert code == 0
    assert "RECHAZADA, checks_failed: fallaron 2 de 9 controles" in said
    at(kept, "2026-11-16/v1/02-accepted.jws").unlink()
    code, said = run("verify", kept, "--key", keys, "--json")
    assert code == 1
    assert {finding["finding"] for finding in json.loads(said)["findings"]} == {
        "receipt 2 of pula_mobile.events.2026-11-16.v1 is missing"
    }


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_receipt_is_told_in_words(kept: Path, language: str) -> None:
    for path in kept.rglob("*.jws"):
        lines = in_words(claims(path), language)  # type: ignore[arg-type]
        assert len(lines) > 1
        assert not any("{" in line for line in lines)


def test_new_keys_are_followed_from_those_that_are_known(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    jwks = keys_path(sqlite_ledger.home)
    run_through(sqlite_ledger, "A")
    known = Path(shutil.copy(jwks, tmp_path / "known.json"))
    for _ in range(2):
        rotate(sqlite_ledger, because="yearly", who="an operator")
    assert require_introduced(jwks, known) == 2
    assert require_introduced(jwks, jwks) == 0
    code, said = run("verify", sqlite_ledger.home / "receipts", "--key", jwks, "--known", known)
    assert code == 0
    assert said.startswith("2 new public key(s), introduced by those that you know.")


def test_keys_that_nobody_known_introduced_are_refused(
    sqlite_ledger: Ledger, settings: Settings, tmp_path: Path
) -> None:
    run_through(sqlite_ledger, "A")
    known = Path(shutil.copy(keys_path(sqlite_ledger.home), tmp_path / "known.json"))
    (sqlite_ledger.home / "keys/receipts.key").unlink()
    ledger = open_ledger(settings, FileKeyStore(sqlite_ledger.home / "keys"), ticking("2026-12-01T00:00:00"))
    rotate(ledger, because="lost", who="an operator", lost=True)
    with invalid("was introduced by none of those that are known"):
        require_introduced(keys_path(ledger.home), known)


def test_a_file_of_keys_that_is_damaged_verifies_nothing(kept: Path) -> None:
    keys = kept.parent / "keys.json"
    keys.write_text(keys.read_text().replace('"acequia_last_seq": ', '"acequia_last_seq": 9'))
    with pytest.raises(AcequiaError, match="is damaged, or was changed"):
        found(kept)


def test_a_folder_without_a_receipt_proves_nothing(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    words = ["verify", str(tmp_path / "empty"), "--key", str(kept.parent / "keys.json")]
    ended = CliRunner().invoke(cli, words)
    assert isinstance(ended.exception, AcequiaError)
    assert (ended.exception.exit_code, ended.output) == (2, "")


def test_everything_is_said_in_spanish(kept: Path) -> None:
    keys = kept.parent / "keys.json"
    code, said = run("verify", kept, "--key", keys, "--language", "es")
    assert code == 0
    assert said.splitlines()[0].split() == ["cadena", "versiones", "recibos", "entera"]
    assert said.endswith("válido: 9 recibos; cada cadena está entera.\n") and "  sí\n" in said
    for path in sorted(kept.rglob("*.jws")):
        code, said = run("verify", path, "--key", keys, "--language", "es")
        assert code == 0 and said.startswith("válido: "), said
        assert not re.search(r"\b(the|of|is|was|and|rows|signed|follows|checks|Correct)\b", said), said
    at(kept, "2026-11-16/v1/02-accepted.jws").unlink()
    code, said = run("verify", kept, "--key", keys, "--language", "es")
    assert code == 1 and "falta el recibo 2 de pula_mobile.events.2026-11-16.v1" in said
    alone = at(kept, "2026-11-16/v1/03-published.jws")
    stopped = CliRunner().invoke(cli, ["verify", str(alone), "--key", str(keys), "--language", "es"]).exception
    assert "falta el recibo 2 entre los que están aquí" in str(stopped)
