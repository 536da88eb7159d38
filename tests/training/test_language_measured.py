"""Measured recall decides: texts are kept only where enough is found, and what nobody measured is not found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from acequia.agreement.privacy import TARGETS
from acequia.checking import check
from acequia.health import examine
from acequia.protect.language import measured, recall, too_low
from acequia.protect.language.engines import MODEL
from acequia.protect.language.setting import SETTING
from acequia.protect.reader import reader
from acequia.protect.scrub import REDACTED, scrub_texts
from acequia.settings import Settings
from acequia.training.__main__ import main

NOTE = "no signal, call 71 123 456"
BW = {"language": "en", "country": "BW"}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ACEQUIA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(SETTING, raising=False)
    reader.cache_clear()
    yield tmp_path / "home"
    reader.cache_clear()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_default_targets_are_met(language: str) -> None:
    assert too_low(language, TARGETS) == ()


@pytest.mark.parametrize("language", ["en", "es"])
def test_without_a_model_fewer_names_are_found(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = recall(language)["name"]
    monkeypatch.setenv(SETTING, "words")
    assert recall(language)["name"] < own


@pytest.mark.parametrize(
    ("targets", "missed"),
    [
        ({}, ()),
        ({"name": 0}, ()),
        ({"phone": 99.5, "email": 99}, ()),
        ({"name": 100}, ("name",)),
        ({"name": 100, "phone": 50}, ("name",)),
    ],
)
def test_targets(targets: dict[str, float], missed: tuple[str, ...]) -> None:
    assert too_low("en", targets) == missed  # type: ignore[arg-type]
    kept = scrub_texts([NOTE, "fine"], **BW, targets=targets)  # type: ignore[arg-type]
    assert kept == ([REDACTED] * 2 if missed else ["no signal, call <PHONE>", "fine"])


def test_a_target_is_met_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"scrubber": {"own": {"en": {"name": {"recall_pct": 85.0, "planted": 9}}}}}))
    monkeypatch.setattr(measured, "CARD", card)
    assert recall("en") == {"name": 85.0}
    assert too_low("en", {"name": 85}) == ()
    assert too_low("en", {"name": 85.1}) == ("name",)
    assert too_low("en", {"phone": 1}) == ("phone",)
    assert too_low("es", {"name": 1}) == ("name",)


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"scrubber": 1}', '{"scrubber": {"own": {"en": {"name": {}}}}}'])
def test_a_card_that_cannot_be_read_measures_nothing(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "card.json").write_text(broken)
    monkeypatch.setattr(measured, "CARD", tmp_path / "card.json")
    assert scrub_texts(["fine"], **BW, targets=TARGETS) == [REDACTED]


def test_a_language_that_cannot_be_read() -> None:
    assert too_low("fr", {"phone": 1}) == ("phone",)
    assert scrub_texts(["rien"], language="fr", country="FR") == [REDACTED]


def test_a_named_model_is_measured_first(tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(MODEL, tmp_path / "theirs")
    monkeypatch.setenv(SETTING, f"spacy:{tmp_path}/theirs")
    assert scrub_texts([NOTE], **BW, targets=TARGETS) == [REDACTED]
    done = CliRunner().invoke(main, ["measure", "--measured", "120"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "en phone: recall 100.0 %" in done.output
    assert len(list((own_home / "measured").iterdir())) == 1
    assert recall("en")["phone"] == 100.0
    assert scrub_texts([NOTE], **BW, targets={"phone": 99}) == ["no signal, call <PHONE>"]
    assert scrub_texts([NOTE], **BW, targets={"name": 100.0}) == [REDACTED]
    monkeypatch.setenv(SETTING, f"spacy:{MODEL}")
    assert recall("en") == {}  # another model, which nobody measured


def test_whoever_checks_agreements_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment()
    assert not any("will be dropped" in finding.message for finding in check(settings))
    monkeypatch.setenv(SETTING, "words")
    told = [finding for finding in check(settings) if "every text will be dropped" in finding.message]
    assert {finding.place.rsplit(".", 1)[1] for finding in told} == {"treat"}
    assert {finding.severity for finding in told} == {"warning"}


@pytest.mark.parametrize(("setting", "state"), [("own", "well"), ("words", "well"), ("spacy", "wrong")])
def test_the_doctor_looks_at_the_engine(setting: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, setting)
    assert {part.part: part.state for part in examine(Settings.from_environment())}["names"] == state
