"""Presidio, put together for one language and country: all recognizers, a language engine, and batches of texts.

A text goes only to the recognizers that could find something in it (`prefilter`), which changes no finding.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from acequia.errors import AcequiaError
from acequia.protect.name_signs import has_unknown_words

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerResult

    from acequia.protect.asking import Asked
    from acequia.protect.language.words import WordsNlpEngine
    from acequia.protect.prefilter import Sieve

Look = Callable[[str, Sequence[int]], list["Finding"]]
LANGUAGES = ("en", "es")
_FEW = 32
"""Texts that are shown to every recognizer at once sooner than it takes to make the sieve's expressions."""

_SURE = 0.3
"""The score from which a finding explains the words in it: a vague one does not keep the model from being asked."""

_AT_ONCE = 256
"""Texts that a model reads together."""


class Finding(NamedTuple):
    """A part of a text that looks personal: characters `start` to `end` (exclusive), Presidio's entity and score."""

    start: int
    end: int
    entity: str
    score: float


@dataclass(frozen=True)
class Reader:
    """What reads texts in one language: Presidio's engine, its recognizers in order, and what each needs of a text."""

    language: str
    analyzer: AnalyzerEngine
    asked: Asked
    sieve: Sieve
    model: EntityRecognizer | None

    def read(self, texts: Sequence[str], *, sieved: bool = True) -> list[list[Finding] | None]:
        """All findings in each text; None for a text on which anything went wrong.

        Args:
            texts: of any length; each is read once.
            sieved: False has Presidio's own engine show every text to every recognizer, at some hundred times the cost
                and with the same findings. A model of names is asked only about texts with unknown words
                (`name_signs`) either way.
        """
        every = range(len(self.sieve.questions))
        shown = self._shown(texts) if sieved and len(texts) > _FEW else [every] * len(texts)
        look = self.asked.find if sieved else self._by_presidio
        found = [
            _failing_closed(look, text, places) if places else [] for text, places in zip(texts, shown, strict=True)
        ]
        if self.model is not None:
            self._ask(texts, found)
        return found

    def _ask(self, texts: Sequence[str], found: list[list[Finding] | None]) -> None:
        """Add what the model finds in the texts whose words nothing explains so far, all of them at once."""
        asked = [
            number
            for number, findings in enumerate(found)
            if findings is not None
            and has_unknown_words(texts[number], ((part.start, part.end) for part in findings if part.score >= _SURE))
        ]
        named = self._named([texts[number] for number in asked]) if asked else []
        for number, results in zip(asked, named, strict=True):
            found[number] = None if results is None else [*(found[number] or ()), *results]

    def _named(self, texts: Sequence[str]) -> Sequence[list[Finding] | None]:
        """What the model finds; None for every text where it fails."""
        if self.model is None:
            return [[]] * len(texts)
        entities, engine = list(self.model.supported_entities), self.analyzer.nlp_engine
        try:
            batch = engine.process_batch(list(texts), self.language, batch_size=_AT_ONCE)
            return [list(map(_finding, self.model.analyze(text, entities, said))) for text, said in batch]
        except Exception:  # noqa: BLE001 - messages may quote a text
            return [None] * len(texts)

    def _shown(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """For each text the columns of the questions that must be asked."""
        import numpy as np
        import pyarrow as pa

        chosen = self.sieve.choose(pa.array(texts, pa.string()))
        shown: list[Sequence[int]] = [()] * len(texts)
        for number in np.flatnonzero(chosen.any(axis=1)).tolist():
            shown[number] = np.flatnonzero(chosen[number]).tolist()
        return shown

    def _by_presidio(self, text: str, _: Sequence[int]) -> list[Finding]:
        artifacts = _words(self.language).process_text(text, self.language)
        results = self.analyzer.analyze(text, self.language, nlp_artifacts=artifacts, score_threshold=0.0)
        return list(map(_finding, results))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without looking for garbage meanwhile: findings make none, and to look through all that is loaded, again and
    again as they grow in number, takes a sixth of the time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _failing_closed(look: Look, text: str, places: Sequence[int]) -> list[Finding] | None:
    """What it finds; None where anything goes wrong, also what Presidio would only warn of."""
    _STOP.reading = True
    try:
        return look(text, places)
    except Exception:  # noqa: BLE001 - messages quote the text
        return None
    finally:
        _STOP.reading = False


def _finding(result: RecognizerResult) -> Finding:
    return Finding(result.start, result.end, result.entity_type, round(result.score, 6))


@cache
def _words(language: str) -> WordsNlpEngine:
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
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.recognizer_registry import RecognizerRegistry

    from acequia.protect.asking import ENHANCER, Asked
    from acequia.protect.language import engine as language_engine
    from acequia.protect.language import recognizer as model_recognizer
    from acequia.protect.prefilter import Sieve
    from acequia.protect.recognizers import recognizers

    engine = language_engine(language)
    found = recognizers(language, country)
    model = model_recognizer(language) if engine.get_supported_entities() else None
    analyzer = AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=found, supported_languages=[language]),
        nlp_engine=engine,
        supported_languages=[language],
        context_aware_enhancer=ENHANCER,
    )
    sieve = Sieve(found)
    return Reader(language, analyzer, Asked(sieve), sieve, model)


class _Stop(logging.Handler):
    """Presidio goes on after a warning, such as a pattern that took too long and was skipped; while a text is read,
    that is an error. Nothing that it logs goes any further, since its messages quote texts.
    """

    reading = False

    def emit(self, record: logging.LogRecord) -> None:
        if self.reading:
            raise RuntimeError("Presidio skipped a part")


_STOP = _Stop(logging.WARNING)
