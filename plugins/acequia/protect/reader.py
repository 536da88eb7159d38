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

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerResult

LANGUAGES = ("en", "es")


@dataclass(frozen=True, order=True)
class Finding:
    """A part of a text that looks personal: characters `start` to `end` (exclusive), Presidio's entity and score."""

    start: int
    end: int
    entity: str
    score: float


@dataclass(frozen=True)
class Reader:
    """What reads texts in one language: the engine, its recognizers in order, and the entities that they find."""

    language: str
    analyzer: AnalyzerEngine
    recognizers: tuple[EntityRecognizer, ...]
    entities: tuple[str, ...]

    def read(self, text: str, chosen: Sequence[EntityRecognizer] | None = None, artifacts: Any = None,
             context: Sequence[str] = ()) -> list[Finding]:  # fmt: skip
        """All findings of the chosen recognizers, or of all.

        Raises:
            Exception: whatever goes wrong, also what Presidio would only warn of; its message may hold the text.
        """
        self.analyzer.registry.chosen = self.recognizers if chosen is None else chosen
        _STOP.reading = True
        try:
            results: Iterable[RecognizerResult] = self.analyzer.analyze(
                text=text,
                language=self.language,
                entities=list(self.entities),
                nlp_artifacts=artifacts,
                context=list(context) or None,
            )
        finally:
            _STOP.reading = False
        return [Finding(result.start, result.end, result.entity_type, round(result.score, 6)) for result in results]


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
    return Reader(language, analyzer, tuple(found), tuple(entities))


class _Stop(logging.Handler):
    """Presidio goes on after a warning, such as a pattern that took too long and was skipped; while a text is read,
    that is an error. Nothing that it logs goes any further, since its messages quote texts.
    """

    reading = False

    def emit(self, record: logging.LogRecord) -> None:
        if self.reading:
            raise RuntimeError("Presidio skipped a part")


_STOP = _Stop(logging.WARNING)
