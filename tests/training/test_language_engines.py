"""Engines by setting: ours, none, another maker's by name, and a plain word where that is not installed."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from acequia.errors import AcequiaError
from acequia.protect.language import engine, recognizer
from acequia.protect.language.engines import MODEL, configuration
from acequia.protect.language.setting import SETTING, read_setting
from acequia.protect.reader import reader
from acequia.protect.scrub import find, scrub_texts

TEXT = {"en": "please ask bontlesweu about the refund", "es": "hable con etcheverrigaray por la factura"}
NAME = {"en": "bontlesweu", "es": "etcheverrigaray"}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    reader.cache_clear()
    yield
    reader.cache_clear()


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Our model as a spaCy package of another name, installed in a folder of its own."""
    name = "xx_borrowed_names"
    package = tmp_path / "site" / name
    shutil.copytree(MODEL, package / f"{name}-1.0")
    meta = (MODEL / "meta.json").read_text().replace('"acequia_names"', '"borrowed_names"').replace('"1"', '"1.0"')
    for folder in (package, package / f"{name}-1.0"):
        (folder / "meta.json").write_text(meta)
    (package / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n\n"
        "def load(**overrides):\n    return load_model_from_init_py(__file__, **overrides)\n"
    )
    info = tmp_path / "site" / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert importlib.metadata.version(name) == "1.0"
    yield name
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


@pytest.mark.parametrize(
    ("text", "kind", "models"),
    [
        ("", "own", {}),
        ("own", "own", {}),
        ("words", "words", {}),
        ("spacy", "spacy", {"en": "en_core_web_lg", "es": "es_core_news_md"}),
        ("spacy:en_core_web_sm", "spacy", {"en": "en_core_web_sm", "es": "es_core_news_md"}),
        ("spacy:es_core_news_lg", "spacy", {"en": "en_core_web_lg", "es": "es_core_news_lg"}),
        ("spacy:en=/srv/a,es=/srv/b", "spacy", {"en": "/srv/a", "es": "/srv/b"}),
        ("spacy:xx_ent_wiki_sm", "spacy", {"en": "xx_ent_wiki_sm", "es": "xx_ent_wiki_sm"}),
        ("transformers:dslim/bert-base-NER", "transformers", {"en": "en_core_web_sm", "es": "es_core_news_sm"}),
    ],
)
def test_settings(text: str, kind: str, models: dict[str, str]) -> None:
    chosen = read_setting(text)
    assert (chosen.kind, dict(chosen.models)) == (kind, models)


@pytest.mark.parametrize("text", ["owned", "own:x", "transformers", "words:1", "spaci:en", ":x"])
def test_settings_that_mean_nothing(text: str) -> None:
    with pytest.raises(AcequiaError) as stopped:
        read_setting(text)
    assert stopped.value.code == "usage"
    assert SETTING in stopped.value.what


@pytest.mark.parametrize("language", ["en", "es"])
def test_our_own_model_is_the_default(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    ours = engine(language)
    assert ours is engine(language)
    assert sorted(ours.get_supported_entities()) == ["LOCATION", "PERSON"]
    artifacts = ours.process_text(TEXT[language], language)
    assert [(entity.text, entity.label_) for entity in artifacts.entities] == [(NAME[language], "PERSON")]
    assert artifacts.keywords == TEXT[language].split()  # nothing is left out as a stop word
    assert artifacts.tokens_indices[1] == TEXT[language].index(" ") + 1
    batch = dict(ours.process_batch([TEXT[language], "", "ok"], language))
    assert [entity.text for entity in batch[TEXT[language]].entities] == [NAME[language]]
    assert batch[""].entities == []


def test_scores_are_below_those_of_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    artifacts = engine("en").process_text("spoke to bontlesweu, lives in Gaborone", "en")
    found = recognizer("en").analyze("", ["PERSON", "LOCATION"], artifacts)
    scores = {result.entity_type: result.score for result in found}
    assert scores == {"PERSON": 0.4, "LOCATION": pytest.approx(0.3)}


def test_the_scrubber_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, finds in (("own", True), ("words", False)):
        monkeypatch.setenv(SETTING, setting)
        reader.cache_clear()
        found = find(TEXT["en"], language="en", country="BW")
        assert any(one.entity == "PERSON" for one in found) is finds


def test_without_a_model_there_are_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "words")
    assert engine("en").get_supported_entities() == []
    assert engine("en").process_text("call Kagiso", "en").lemmas == ["call", "kagiso"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_model_of_another_name(packaged: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, f"spacy:{packaged}")
    named = engine(language)
    assert named.nlp[language].meta["name"] == "borrowed_names"
    artifacts = named.process_text(TEXT[language], language)
    assert [(entity.text, entity.label_) for entity in artifacts.entities] == [(NAME[language], "PERSON")]
    assert artifacts.scores == [0.5]
    assert any(one.entity == "PERSON" for one in find(TEXT[language], language=language, country="BW"))


def test_a_model_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(MODEL, tmp_path / "theirs")
    monkeypatch.setenv(SETTING, f"spacy:en={tmp_path}/theirs")
    assert engine("en").process_text(TEXT["en"], "en").entities
    with pytest.raises(AcequiaError, match="es_core_news_md"):
        engine("es")


@pytest.mark.parametrize(("language", "model"), [("en", "en_core_web_lg"), ("es", "es_core_news_md")])
def test_a_model_that_is_absent(language: str, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "spacy")
    monkeypatch.setattr("spacy.cli.download", lambda *_: pytest.fail("something was downloaded"))
    with pytest.raises(AcequiaError) as stopped:
        engine(language)
    told = stopped.value
    assert (told.code, told.exit_code, told.who_acts) == ("model_missing", 1, "operator")
    assert f"the spaCy model {model} for the language {language} is not installed" in told.what
    assert "with pip" in told.what_to_do
    with pytest.raises(AcequiaError):
        scrub_texts(["call 71123456"], language=language, country="BW")


def test_transformers_are_absent_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "transformers:dslim/bert-base-NER")
    with pytest.raises(AcequiaError) as stopped:
        engine("en")
    assert stopped.value.code == "model_missing"
    assert "dslim/bert-base-NER for the language en needs the package transformers" in stopped.value.what


def test_transformers_are_configured_as_presidio_wants_it() -> None:
    """As far as it goes without the library: Presidio accepts the configuration, and our engine is what it takes."""
    from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpEngineProvider

    from acequia.protect.language.offline import ENGINES

    given = dict(configuration(read_setting("transformers:dslim/bert-base-NER"), "en"))
    provider = NlpEngineProvider(nlp_engines=ENGINES, nlp_configuration=given)
    assert given["models"] == [
        {"lang_code": "en", "model_name": {"spacy": "en_core_web_sm", "transformers": "dslim/bert-base-NER"}}
    ]
    told = NerModelConfiguration.from_dict(given["ner_model_configuration"])
    assert told.model_to_presidio_entity_mapping["PER"] == "PERSON"
    assert provider.nlp_engines.keys() <= {"spacy", "transformers"}
    ENGINES[1]._validate_model_params(given["models"][0])
    with pytest.raises(AcequiaError, match="en_core_web_sm"):
        ENGINES[1]._download_spacy_model_if_needed("en_core_web_sm")
