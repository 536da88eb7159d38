"""Presidio's engines for spaCy and transformers, without what they do beyond reading: no download, no graphics card.

What they hand on is plain: strings and numbers in place of spaCy's objects, so that the words of one batch, which are
people's words, are forgotten with it. Context words are compared alike under every engine: as they stand in the text,
and none is left out as a stop word ("call" is one in English).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import spacy
from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine, TransformersNlpEngine

from acequia.errors import AcequiaError
from acequia.protect.language.setting import SETTING
from acequia.protect.language.words import WordsNlpEngine
from acequia.protect.person_names import WORD, listed, name_parts

_BATCH, _FORGOTTEN = 512, 8_192
_MARK = re.compile(r"<[A-Z]{2,9}>")


@dataclass(frozen=True, slots=True)
class Entity:
    """What a model found, by spaCy's names: characters from `start_char` to `end_char`, and Presidio's entity."""

    start_char: int
    end_char: int
    label_: str
    text: str


class Read(NlpArtifacts):  # type: ignore[misc]
    """What a model found in a text; the text is cut into words only where somebody asks for them."""

    def __init__(self, text: str, entities: list[Entity], scores: list[float], engine: Any, language: str) -> None:
        self.text, self.entities, self.scores = text, entities, scores
        self.nlp_engine, self.language = engine, language

    @cached_property
    def words(self) -> NlpArtifacts:
        """The words, as the engine without a model has them."""
        return WordsNlpEngine(self.language).process_text(self.text, self.language)

    @property
    def tokens(self) -> list[str]:
        """The words as written."""
        return list(self.words.tokens)

    @property
    def tokens_indices(self) -> list[int]:
        """Where each begins."""
        return list(self.words.tokens_indices)

    @property
    def lemmas(self) -> list[str]:
        """The words in lower case."""
        return list(self.words.lemmas)

    @property
    def keywords(self) -> list[str]:
        """What context words are compared with."""
        return list(self.words.keywords)


def may_be_name(text: str, start: int, end: int) -> bool:
    """Whether what a model took for a name can be one: it has a word of two letters, touches no mark of the scrubber's
    such as `<PHONE>`, and is not made of everyday words alone, unless one of them is a name as well ("Grace").
    """
    parts = {part for word in WORD.findall(text[start:end]) for part in name_parts(word) if len(part) > 1}
    if not parts or any(mark.start() < end and start < mark.end() for mark in _MARK.finditer(text)):
        return False
    return not parts <= listed().words or not parts.isdisjoint(listed().every)


class _Offline:
    """What both engines have in common; it comes before Presidio's class."""

    nlp: dict[str, Any]
    ner_model_configuration: Any

    def _enable_gpu(self) -> None:
        """No: the same text is to have the same findings on every machine."""

    @staticmethod
    def _download_spacy_model_if_needed(model_name: str) -> None:
        """Presidio would fetch a model that is not there."""
        if not (spacy.util.is_package(model_name) or Path(model_name).is_dir()):
            raise AcequiaError(
                "model_missing",
                f"the spaCy model {model_name} is not installed, and nothing is downloaded here",
                do=f"Install it beside Acequia (pip install, from your own index or a file), or choose another "
                f"{SETTING}; docs/detection.md shows how.",
            )

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The text's words and what the model found in it."""
        nlp = self.nlp[language]
        with nlp.memory_zone():
            return self._doc_to_nlp_artifact(nlp(text), language)

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = _BATCH, n_process: int = 1, **_: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Each text with its words and findings, in order, many at a time in this process."""
        nlp, left = self.nlp[language], iter(texts)
        while batch := list(islice(left, max(batch_size, _FORGOTTEN))):
            with nlp.memory_zone():
                done = [self._doc_to_nlp_artifact(doc, language) for doc in nlp.pipe(batch, batch_size=_BATCH)]
            yield from zip(batch, done, strict=True)

    def _known(self, spans: Iterable[Any], scores: Iterable[float]) -> tuple[list[Any], list[float]]:
        """People and places, under Presidio's names; what else a model knows is left to the patterns."""
        labels = self.ner_model_configuration.model_to_presidio_entity_mapping
        pairs = [
            (span, score)
            for span, score in zip(spans, scores, strict=True)
            if span.label_ in labels and may_be_name(span.doc.text, span.start_char, span.end_char)
        ]
        return self._get_updated_entities(  # type: ignore[attr-defined, no-any-return]
            [span for span, _ in pairs], [score for _, score in pairs]
        )

    def is_stopword(self, word: str, language: str) -> bool:
        """No word is left out."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Signs are no context."""
        return not word[:1].isalnum()

    def _doc_to_nlp_artifact(self, doc: Any, language: str) -> NlpArtifacts:
        found, scores = self._known(
            self._get_entities(doc),  # type: ignore[attr-defined]
            self._get_scores_for_entities(doc),  # type: ignore[attr-defined]
        )
        entities = [Entity(span.start_char, span.end_char, span.label_, span.text) for span in found]
        return Read(doc.text, entities, scores, self, language)


class OfflineSpacyEngine(_Offline, SpacyNlpEngine):  # type: ignore[misc]
    """A spaCy pipeline that is installed, or in a folder."""


class OfflineTransformersEngine(_Offline, TransformersNlpEngine):  # type: ignore[misc]
    """A transformer for names on top of a spaCy pipeline for words, both installed."""

    models: list[dict[str, Any]]

    def load(self) -> None:
        """Load both from this machine.

        Raises:
            AcequiaError: `model_missing`, where one of them is not on it.
        """
        self.models = [_local(model) for model in self.models]
        super().load()


def _local(model: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the transformer's folder in place of its name, which the library would ask the network for."""
    names = model["model_name"]
    if Path(names["transformers"]).is_dir():
        return dict(model)
    from huggingface_hub import snapshot_download  # type: ignore[import-not-found]

    try:
        folder = snapshot_download(names["transformers"], local_files_only=True)
    except Exception as failure:  # the library has several classes for this
        raise AcequiaError(
            "model_missing",
            f"the transformer {names['transformers']} for the language {model['lang_code']} is not on this machine, "
            "and nothing is downloaded here",
            do=f"Put it in a folder and name the folder, or choose another {SETTING}; docs/detection.md shows how.",
        ) from failure
    return {**model, "model_name": {**names, "transformers": folder}}


ENGINES = (OfflineSpacyEngine, OfflineTransformersEngine)
