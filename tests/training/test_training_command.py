"""The command: it works, it is seeded, and the model that comes with the package does what its card says."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from acequia.protect.language.engines import MODEL, engine
from acequia.protect.person_names import listed
from acequia.training import card
from acequia.training.__main__ import main
from acequia.training.measuring import of_model, of_scrubber
from acequia.training.model import found, size
from acequia.training.sentences import BOTH_HELD, sentences

PAGE = Path(__file__).resolve().parents[2] / "docs" / "detection.md"


def made(out: Path) -> dict[str, object]:
    arguments = ["--sentences", "960", "--measured", "40", "--seed", "7", "--out", str(out)]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "The model takes" in done.output
    assert "| English | both held back |" in done.output
    return dict(json.loads((out / "card.json").read_text())["model"])


def test_a_small_training_twice(tmp_path: Path) -> None:
    import spacy

    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    assert first == second
    assert first["sentences"] == 960 + 500  # the first are looked at before training
    texts = [text.text for text in itertools.islice(sentences(5, "en", BOTH_HELD), 50)]
    pipelines = [spacy.load(tmp_path / run / "model") for run in ("a", "b")]
    assert list(found(pipelines[0], texts)) == list(found(pipelines[1], texts))


def test_the_model_is_small_loads_at_once_and_holds_no_names() -> None:
    import spacy

    assert size(MODEL) == card.read()["model"]["bytes"] < 3_000_000
    started = time.process_time()
    nlp = spacy.load(MODEL)
    assert time.process_time() - started < 1
    assert not {word for word in nlp.vocab.strings if word.lower() in listed().sure}
    assert [path for path in MODEL.rglob("*") if "vocab" in path.parts] == []


def test_it_does_what_its_card_says() -> None:
    """On other texts than those of the card, which are the first of the same stream."""
    import spacy

    told = card.read()["model"]["figures"]
    again = of_model(spacy.load(MODEL), 700)
    for language, splits in told.items():
        for split, rows in splits.items():
            for label in ("PERSON", "LOCATION"):
                for what in ("recall_pct", "precision_pct"):
                    assert again[language][split][label][what] == pytest.approx(rows[label][what], abs=7)


@pytest.mark.parametrize("setting", ["own", "words"])
def test_the_scrubber_does_what_the_card_says(setting: str) -> None:
    told = card.read()["scrubber"][setting]
    again = of_scrubber(setting, 250, lambda _: None)
    for language, rows in again.items():
        for kind, row in rows.items():
            if row["planted"] >= 25:
                assert row["recall_pct"] >= told[language][kind]["recall_pct"] - 12


def test_the_page_shows_the_card() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = card.read()
    assert card.on_page(page, told) == page, "run python -m acequia.training measure"
    for text in (card.model_table(told), card.scrubber_table(told), f"{told['model']['bytes']:,} bytes"):
        assert text in page


def test_a_name_on_no_list_in_a_plain_sentence() -> None:
    for language, text, name in (
        ("en", "please ask bontlesweu about the refund", "bontlesweu"),
        ("es", "hable con etcheverrigaray por la factura", "etcheverrigaray"),
    ):
        artifacts = engine(language).process_text(text, language)
        assert name in {entity.text for entity in artifacts.entities if entity.label_ == "PERSON"}
