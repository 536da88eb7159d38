"""The engine by setting, through Presidio's own configuration of NLP engines.

The model of another maker is asked for by name and must be installed: here nothing is fetched, since a worker that
sees raw data has no business with the network, and since the same delivery must give the same bytes next year.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError
from acequia.protect.language.setting import SETTING, Chosen, read_setting

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer
    from presidio_analyzer.nlp_engine import NlpEngine

LANGUAGES = ("en", "es")
MODEL = Path(__file__).parent / "model"
"""The folder of the model that this project trained, for both languages."""

ENTITIES = ("LOCATION", "PERSON")
_SCORES = {"own": 0.4, "spacy": 0.5, "transformers": 0.5}
_LABELS = {
    "PER": "PERSON", "PERSON": "PERSON", "PATIENT": "PERSON", "STAFF": "PERSON", "HCW": "PERSON",
    "LOC": "LOCATION", "LOCATION": "LOCATION", "GPE": "LOCATION", "FAC": "LOCATION",
}  # fmt: skip
_IGNORED = [
    "O", "MISC", "ORG", "ORGANIZATION", "NORP", "PRODUCT", "EVENT", "LAW", "LANGUAGE", "WORK_OF_ART", "DATE", "TIME",
    "PERCENT", "MONEY", "QUANTITY", "ORDINAL", "CARDINAL", "AGE", "ID", "EMAIL", "PHONE", "HOSP", "PATORG", "HOSPITAL",
]  # fmt: skip
_NEEDED = {"transformers": ("transformers", "torch")}


def chosen() -> Chosen:
    """What ACEQUIA_NLP asks for.

    Raises:
        AcequiaError: `usage`, where it asks for nothing that there is.
    """
    return read_setting(os.environ.get(SETTING, ""))


def engine(language: str) -> NlpEngine:
    """The engine for texts in `en` or `es`, loaded; built once per process and setting.

    Raises:
        AcequiaError: `model_missing`, where the model that the setting names, or a package it needs, is not installed;
            `usage`, where the setting cannot be read.
    """
    return _engine(chosen(), language)


def recognizer(language: str) -> EntityRecognizer:
    """What turns the engine's names and places into findings, at scores below those of lists and patterns."""
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    return SpacyRecognizer(supported_language=language, supported_entities=list(ENTITIES), name="ModelRecognizer")


def configuration(setting: Chosen, language: str) -> Mapping[str, Any]:
    """What Presidio's NlpEngineProvider is given."""
    model: Any = str(MODEL) if setting.kind == "own" else setting.models[language]
    if setting.kind == "transformers":
        model = {"spacy": setting.models[language], "transformers": setting.transformers}
    return {
        "nlp_engine_name": "transformers" if setting.kind == "transformers" else "spacy",
        "models": [{"lang_code": language, "model_name": model}],
        "ner_model_configuration": {
            "model_to_presidio_entity_mapping": dict(_LABELS),
            "labels_to_ignore": list(_IGNORED),
            "low_score_entity_names": ["LOCATION"],
            "low_confidence_score_multiplier": 0.75,
            "default_score": _SCORES[setting.kind],
            "aggregation_strategy": "max",
            "alignment_mode": "expand",
        },
    }


@cache
def _engine(setting: Chosen, language: str) -> NlpEngine:
    if setting.kind == "words":
        from acequia.protect.language.words import WordsNlpEngine

        return WordsNlpEngine(language)
    _check_installed(setting, language)
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    from acequia.protect.language.offline import ENGINES

    provider = NlpEngineProvider(nlp_engines=ENGINES, nlp_configuration=dict(configuration(setting, language)))
    try:
        return provider.create_engine()
    except AcequiaError:
        raise
    except Exception as failure:
        what = f"the model {setting.named(language)} for the language {language} cannot be loaded"
        raise AcequiaError("model_missing", f"{what}: {type(failure).__name__}") from failure


def _is_there(model: str) -> bool:
    import spacy

    return bool(spacy.util.is_package(model)) or Path(model).is_dir()


def _check_installed(setting: Chosen, language: str) -> None:
    for package in _NEEDED.get(setting.kind, ()):
        if importlib.util.find_spec(package) is None:
            raise AcequiaError(
                "model_missing",
                f"the model {setting.named(language)} for the language {language} needs the package {package}, which "
                "is not installed",
                do=f"Install it (pip install transformers torch), or choose another {SETTING}; docs/detection.md.",
            )
    if setting.kind == "spacy" and not _is_there(setting.models[language]):
        raise AcequiaError(
            "model_missing",
            f"the spaCy model {setting.models[language]} for the language {language} is not installed, and nothing is "
            "downloaded here",
            do=f"Install it with pip, from a wheel or your own index, or choose another {SETTING}; docs/detection.md.",
        )
    if setting.kind == "own" and not (MODEL / "meta.json").is_file():
        raise AcequiaError(
            "model_missing", f"the project's own model for the language {language} is not in this installation",
            do=f"Run `make model`, or set {SETTING}=words.",
        )  # fmt: skip
