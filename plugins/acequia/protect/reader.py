"""Presidio, put together for one language and country: all recognizers, a language engine, and batches of texts.

A text goes only to the recognizers that could find something in it (`prefilter`), which changes no finding.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError
from acequia.protect.name_signs import is_everyday_text

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerResult
    from presidio_analyzer.nlp_engine import NlpArtifacts

    from acequia.protect.prefilter import Sieve

LANGUAGES = ("en", "es")
_FEW = 32
"""Texts that are shown to every recognizer at once sooner than it takes to make the sieve's expressions."""

_AT_ONCE = 256
"""Texts that a model reads together."""


@dataclass(frozen=True, order=True)
class Finding:
    """A part of a text that looks personal: characters `start` to `end` (exclusive), Presidio's entity and score."""

    start: int
    end: int
    entity: str
    score: float


@dataclass(frozen=True)
class Reader:
    """What reads texts in one language: Presidio's engine, the recognizers in order, and what each needs of a text."""

    language: str
    analyzer: AnalyzerEngine
    sieve: Sieve
    entities: tuple[str, ...]

    def read(self, texts: Sequence[str], *, sieved: bool = True) -> list[list[Finding] | None]:
        """All findings in each text; None for a text on which anything went wrong.

        Args:
            texts: of any length; each is read once.
            sieved: False shows every text to every recognizer, at a hundred times the cost and with the same findings.
                A model of names is not asked about texts of everyday words (`name_signs`) either way.
        """
        shown = self._shown(texts) if sieved and len(texts) > _FEW else self._everyone(texts)
        model = self.sieve.model
        ask = [number for number, places in enumerate(shown) if model is not None and model in places]
        names = dict(zip(ask, self._names([texts[number] for number in ask]), strict=True))
        return [
            self._findings(text, [self.sieve.recognizers[place] for place in places], names.get(number))
            if len(places)
            else []
            for number, (text, places) in enumerate(zip(texts, shown, strict=True))
        ]

    def _shown(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """For each text the places of the recognizers that must read it."""
        import numpy as np
        import pyarrow as pa

        chosen = self.sieve.choose(pa.array(texts, pa.string()))
        shown: list[Sequence[int]] = [()] * len(texts)
        for number in np.flatnonzero(chosen.any(axis=1)).tolist():
            shown[number] = np.flatnonzero(chosen[number]).tolist()
        return shown

    def _everyone(self, texts: Sequence[str]) -> list[Sequence[int]]:
        every = range(len(self.sieve.recognizers))
        without_model = [place for place in every if place != self.sieve.model]
        return [without_model if self.sieve.model is None or is_everyday_text(text) else every for text in texts]

    def _names(self, texts: Sequence[str]) -> list[NlpArtifacts]:
        """What the model says of each text, all of them at once."""
        engine = self.analyzer.nlp_engine
        return [artifacts for _, artifacts in engine.process_batch(texts, self.language, batch_size=_AT_ONCE)]

    def _findings(self, text: str, shown: list[EntityRecognizer], names: NlpArtifacts | None) -> list[Finding] | None:
        artifacts = _words(self.language).process_text(text, self.language)
        if names is not None:
            artifacts.entities, artifacts.scores = names.entities, names.scores
        self.analyzer.registry.chosen = shown
        _STOP.reading = True
        try:
            results: Iterable[RecognizerResult] = self.analyzer.analyze(
                text=text, language=self.language, entities=list(self.entities), nlp_artifacts=artifacts
            )
        except Exception:  # noqa: BLE001 - also what Presidio would only warn of; messages quote the text
            return None
        finally:
            _STOP.reading = False
        return [Finding(result.start, result.end, result.entity_type, round(result.score, 6)) for result in results]


@cache
def _words(language: str) -> Any:
    """What cuts texts into words for context, whatever engine finds the names."""
    from acequia.protect.language.words import WordsNlpEngine

    return WordsNlpEngine(language)


@cache
def reader(language: str, country: str) -> Reader | None:
    """Presidio for the language and country, put together once per process; None if it cannot be.

    Raises:
        AcequiaError: the model of names that the settings ask for is not there.
    """
    logger = logging.getLogger("presidio-analyzer")
    logger.disabled = True  # it warns of every recognizer that is for another language
    try:
        return _built(language, country) if language in LANGUAGES else None
    except AcequiaError:
        raise
    except Exception:  # noqa: BLE001 - whatever keeps it from being built
        return None
    finally:
        logger.disabled, logger.propagate = False, False
        logger.setLevel(logging.WARNING)
        logger.addHandler(_STOP)


def _built(language: str, country: str) -> Reader:
    # Read by Presidio when it is imported. An ordinary text takes milliseconds; one that takes longer is not kept.
    os.environ.setdefault("REGEX_TIMEOUT_SECONDS", "10")
    from presidio_analyzer import AnalyzerEngine, LemmaContextAwareEnhancer

    from acequia.protect.choosing import ChoosingRegistry
    from acequia.protect.language import engine as language_engine
    from acequia.protect.language import recognizer as model_recognizer
    from acequia.protect.prefilter import Sieve
    from acequia.protect.recognizers import recognizers

    engine = language_engine(language)
    found = recognizers(language, country)
    if engine.get_supported_entities():
        found.append(model_recognizer(language))
    registry = ChoosingRegistry(recognizers=found, supported_languages=[language])
    analyzer = AnalyzerEngine(
        registry=registry,
        nlp_engine=engine,
        supported_languages=[language],
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )
    entities = dict.fromkeys(entity for recognizer in found for entity in recognizer.supported_entities)
    return Reader(language, analyzer, Sieve(found), tuple(entities))


class _Stop(logging.Handler):
    """Presidio goes on after a warning, such as a pattern that took too long and was skipped; while a text is read,
    that is an error. Nothing that it logs goes any further, since its messages quote texts.
    """

    reading = False

    def emit(self, record: logging.LogRecord) -> None:
        if self.reading:
            raise RuntimeError("Presidio skipped a part")


_STOP = _Stop(logging.WARNING)
