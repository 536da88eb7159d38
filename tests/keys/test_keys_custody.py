"""Keys as a steward sees them: listed with fingerprints, destroyed with proof, whatever is killed on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from acequia.cli import cli
from acequia.custody import destroy, listed, make
from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore, fingerprint
from acequia.ledger.book import Ledger, open_ledger
from acequia.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
NAME = "pseudonyms.pula_mobile.events.2026-Q4"
PLACE = ("pula_mobile", "events", "2026-Q4")
STEPS = ["ledger:key_destruction_begun", "store:mark", "store:unlink", "ledger:key_destroyed", "never"]


@pytest.fixture
def ledger(settings: Settings, keys: FileKeyStore) -> Ledger:
    settings.home.mkdir(parents=True, exist_ok=True)
    return open_ledger(settings, keys)


def said(ledger: Ledger) -> list[str]:
    return [entry.kind for entry in ledger.notes("key_made", "key_destruction_begun", "key_destroyed")]


def test_a_key_that_is_made_is_noted_once_with_its_fingerprint(keys: FileKeyStore, ledger: Ledger) -> None:
    for _ in range(2):
        made = make(keys, ledger, *PLACE)
    assert made.fingerprint == fingerprint(keys.secret(NAME))
    assert made.state == "kept"
    assert made.made_at is not None
    (entry,) = ledger.notes("key_made")
    assert (entry.partner, entry.feed, entry.period, entry.delivery) == (*PLACE, None)
    assert ledger.verify() == []


def test_destroying_leaves_a_proof(keys: FileKeyStore, ledger: Ledger) -> None:
    print_of = make(keys, ledger, *PLACE).fingerprint
    gone = destroy(keys, ledger, *PLACE, because="the quarter is over", who="naledi")
    assert (gone.state, gone.fingerprint, gone.because, gone.who) == (
        "destroyed", print_of, "the quarter is over", "naledi",
    )  # fmt: skip
    assert said(ledger) == ["key_made", "key_destruction_begun", "key_destroyed"]
    assert ledger.notes("key_destroyed")[0].said == {
        "fingerprint": print_of, "because": "the quarter is over", "who": "naledi",
    }  # fmt: skip
    assert listed(keys, ledger) == [gone]
    assert ledger.verify() == []
    again = destroy(keys, ledger, *PLACE, because="once more", who="thabo")
    assert (again.because, len(said(ledger))) == ("the quarter is over", 3)


def test_a_key_nobody_knows_cannot_be_destroyed(keys: FileKeyStore, ledger: Ledger) -> None:
    with pytest.raises(AcequiaError, match="unknown_name"):
        destroy(keys, ledger, "pula_mobile", "events", "2026-Q1", because="a slip", who="naledi")
    assert said(ledger) == []


def test_a_key_that_a_backup_brought_back_is_not_used_and_can_be_destroyed_again(
    keys: FileKeyStore, ledger: Ledger
) -> None:
    make(keys, ledger, *PLACE)
    backup = (keys.folder / f"{NAME}.key").read_bytes()
    destroy(keys, ledger, *PLACE, because="over", who="naledi")
    (keys.folder / f"{NAME}.destroyed").unlink()
    (keys.folder / f"{NAME}.key").write_bytes(backup)
    with pytest.raises(AcequiaError, match="key_destroyed"):
        make(keys, ledger, *PLACE)
    assert destroy(keys, ledger, *PLACE, because="again", who="naledi").state == "destroyed"
    assert not (keys.folder / f"{NAME}.key").exists()


def test_a_key_that_was_lost_shows(keys: FileKeyStore, ledger: Ledger) -> None:
    print_of = make(keys, ledger, *PLACE).fingerprint
    (keys.folder / f"{NAME}.key").unlink()
    (lost,) = listed(keys, ledger)
    assert (lost.state, lost.fingerprint) == ("lost", print_of)


KILLED = """
import os, sys
from pathlib import Path
from acequia import custody
from acequia.keys import FileKeyStore
from acequia.keys import files
from acequia.ledger.book import Ledger, open_ledger
from acequia.settings import Settings

settings, step = Settings.from_environment(), sys.argv[1]
keys = FileKeyStore(settings.home / "keys")
ledger = open_ledger(settings, keys)
note, unlink, overwrite = Ledger.note, Path.unlink, files._overwrite

def noting(self, place, draft):
    note(self, place, draft)
    if step == "ledger:" + draft.kind:
        os._exit(9)

def unlinking(self, missing_ok=False):
    unlink(self, missing_ok=missing_ok)
    if step == "store:unlink" and self.suffix == ".key":
        os._exit(9)

def overwriting(path):
    if step == "store:mark":
        os._exit(9)
    overwrite(path)

Ledger.note, Path.unlink, files._overwrite = noting, unlinking, overwriting
custody.destroy(keys, ledger, "pula_mobile", "events", "2026-Q4", because="over", who="naledi")
"""


@pytest.mark.parametrize("step", STEPS)
def test_a_destruction_killed_anywhere_is_finished_by_the_next(
    step: str, settings: Settings, keys: FileKeyStore, ledger: Ledger
) -> None:
    print_of = make(keys, ledger, *PLACE).fingerprint
    environ = {**os.environ, "ACEQUIA_HOME": str(settings.home), "PYTHONPATH": str(PROJECT / "plugins")}
    ended = subprocess.run([sys.executable, "-c", KILLED, step], env=environ, check=False, capture_output=True)
    assert ended.returncode == (0 if step == "never" else 9), ended.stderr
    gone = destroy(keys, ledger, *PLACE, because="another reason", who="thabo")
    assert (gone.state, gone.fingerprint) == ("destroyed", print_of)
    assert (gone.because, gone.who) == ("over", "naledi")
    assert said(ledger) == ["key_made", "key_destruction_begun", "key_destroyed"]
    assert ledger.verify() == []


# The command line


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ACEQUIA_HOME", str(home))
    monkeypatch.setenv("ACEQUIA_CONFIG", str(PROJECT / "config"))

    def command(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(cli, words, input=typed)

    return command


def test_keys_are_made_listed_and_destroyed_and_never_shown(run: Any, home: Path) -> None:
    shown = [run("keys", "list"), run("keys", "list", "--json")]
    assert "No key yet" in shown[0].output
    shown.append(run("keys", "new", "pula_mobile", "events", "none"))
    key = (home / "keys" / "pseudonyms.pula_mobile.events.none.key").read_text()
    shown += [run("keys", "list"), run("keys", "list", "--json"), run("keys", "destroy", "-h"), run("keys", "-h")]
    (row,) = json.loads(shown[4].output)
    assert (row["partner"], row["feed"], row["epoch"], row["state"]) == ("pula_mobile", "events", "none", "kept")
    assert row["fingerprint"] == fingerprint(bytes.fromhex(key))
    refused = run("keys", "destroy", "pula_mobile", "events", "none", "--because", "over", typed="n\n")
    assert refused.exit_code != 0
    assert (home / "keys" / "pseudonyms.pula_mobile.events.none.key").exists()
    shown.append(run("keys", "destroy", "pula_mobile", "events", "none", "--because", "over", typed="y\n"))
    assert shown[-1].exit_code == 0
    assert "destroyed" in shown[-1].output
    shown += [run("keys", "list"), run("keys", "list", "--json"),
              run("keys", "destroy", "pula_mobile", "events", "none", "--because", "over", "--yes")]  # fmt: skip
    (row,) = json.loads(shown[-2].output)
    assert (row["state"], row["because"]) == ("destroyed", "over")
    everything = "".join(one.output + str(one.exception) for one in [*shown, refused])
    assert key not in everything
    assert key.upper() not in everything


def test_no_command_prints_or_exports_a_key() -> None:
    prints_public_ones = {"intake"}
    assert set(cli.commands["keys"].commands) - prints_public_ones == {"list", "new", "destroy", "rotate-receipts"}  # type: ignore[attr-defined]


def test_a_destruction_needs_a_reason_and_a_key(run: Any) -> None:
    assert run("keys", "destroy", "pula_mobile", "events", "none", "--yes").exit_code == 2
    missing = run("keys", "destroy", "pula_mobile", "events", "none", "--because", "over", "--yes")
    assert missing.exception.code == "unknown_name"  # type: ignore[union-attr]


@pytest.mark.parametrize("epoch", ["2026-13", "2026-W47", "2026-11-16", "ever"])
def test_a_new_key_is_of_an_epoch_that_the_agreement_has(run: Any, epoch: str) -> None:
    assert run("keys", "new", "pula_mobile", "events", epoch).exception.code == "usage"  # type: ignore[union-attr]


def test_where_keys_cannot_be_made_the_command_says_what_to_put_where(run: Any, monkeypatch: Any, home: Path) -> None:
    receipts = {"secrets": {"receipts": "ab" * 32}}
    monkeypatch.setenv("ACEQUIA_KEYS", "airflow:office_keys")
    monkeypatch.setenv("ACEQUIA_CONNECTION_OFFICE_KEYS", json.dumps(receipts))
    refused = run("keys", "new", "pula_mobile", "events", "none").exception
    assert refused.code == "key_missing"
    assert "pseudonyms.pula_mobile.events.none" in refused.what
    assert "openssl rand -hex 32" in refused.what_to_do
