"""Personal data out of free text: Presidio finds, typed placeholders such as `<PHONE>` take its place.

Fail closed: where the engine cannot be built, where anything goes wrong on a text, or where a text is too long to be
read with care, nothing of it is kept. What is kept is the worth of free text in a table of numbers: that there was a
remark, and roughly on what.
"""

from __future__ import annotations

import logging
import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from acequia.protect.prefilter import may_hold

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

LANGUAGES = ("en", "es")
REDACTED = "<REDACTED>"
LONGEST = 2_000
"""Characters; a longer text is taken out whole. A text made for it ("a.a.a.…") takes time that grows with the cube."""

_PLACEHOLDERS = {
    "PERSON": "<PERSON>",
    "PHONE_NUMBER": "<PHONE>",
    "EMAIL_ADDRESS": "<EMAIL>",
    "URL": "<URL>",
    "IP_ADDRESS": "<IP>",
    "MAC_ADDRESS": "<MAC>",
    "CREDIT_CARD": "<CARD>",
    "IBAN_CODE": "<IBAN>",
    "CRYPTO": "<CRYPTO>",
    "DATE_TIME": "<DATE>",
    "LONG_NUMBER": "<NUMBER>",
}
_OTHER = "<ID>"


@dataclass(frozen=True, order=True)
class Finding:
    """A part of a text that looks personal: characters `start` to `end` (exclusive), Presidio's entity and score."""

    start: int
    end: int
    entity: str
    score: float

    @property
    def placeholder(self) -> str:
        """What takes its place."""
        return _PLACEHOLDERS.get(self.entity, _OTHER)


def available(language: str) -> bool:
    """Whether texts in this language can be read here. If not, `scrub_texts` keeps nothing of them."""
    return _analyzer(language, "") is not None


def scrub_texts(values: list[str], *, language: str, country: str) -> list[str]:
    """Each text with what is personal replaced, in the same order; the same text always becomes the same.

    Args:
        values: the texts; each different one is read once.
        language: `en` or `es`, which decides on recognizers and context words.
        country: ISO 3166-1 alpha-2, which decides how phones without a country code are read.
    """
    done: dict[str, str] = {}
    for value in values:
        if value not in done:
            done[value] = _scrubbed(value, language, country)
    return [done[value] for value in values]


def find(text: str, *, language: str, country: str) -> tuple[Finding, ...]:
    """All findings in one text, in order, overlapping ones too.

    The text is read as it stands, and once more in plain signs where it holds others: full-width digits, characters of
    no width, dashes of all kinds.

    Raises:
        Exception: whatever goes wrong; its message may hold the text.
    """
    found = set(_found(text, language, country))
    simple, places = _simplified(text)
    if simple != text:
        for finding in _found(simple, language, country):
            start, end = _back(finding, places)
            found.add(Finding(start, end, finding.entity, finding.score))
    return tuple(sorted(found))


def _scrubbed(text: str, language: str, country: str) -> str:
    if not isinstance(text, str) or len(text) > LONGEST:
        return REDACTED
    try:
        return _replaced(text, find(text, language=language, country=country))
    except Exception:  # noqa: BLE001 - fail closed, and say nothing: messages of recognizers quote the text
        return REDACTED


def _replaced(text: str, findings: Sequence[Finding]) -> str:
    """Findings that overlap are replaced as one, by the surest of them, then the longest, then by name."""
    parts, kept_to = [], 0
    for group in _overlapping(findings):
        start, end = group[0].start, max(finding.end for finding in group)
        surest = max(group, key=lambda finding: (finding.score, finding.end - finding.start, finding.entity))
        parts += [text[kept_to:start], surest.placeholder]
        kept_to = end
    return "".join((*parts, text[kept_to:]))


def _overlapping(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    group: list[Finding] = []
    for finding in findings:
        if group and finding.start >= max(member.end for member in group):
            yield group
            group = []
        group.append(finding)
    if group:
        yield group


def _found(text: str, language: str, country: str) -> list[Finding]:
    analyzer = _analyzer(language, country)
    if analyzer is None:
        raise RuntimeError("texts in this language cannot be read here")
    if not may_hold(text):
        return []
    _STOP.reading = True
    try:
        results = analyzer.analyze(text=text, language=language)
    finally:
        _STOP.reading = False
    return [Finding(result.start, result.end, result.entity_type, round(result.score, 6)) for result in results]


def _simplified(text: str) -> tuple[str, list[int]]:
    """The text in plain signs, and for each of them the place it comes from (with the text's length at the end)."""
    if text.isascii():
        return text, []
    signs, places = [], []
    for place, sign in enumerate(text):
        category = unicodedata.category(sign)
        if category in ("Cf", "Mn"):
            continue
        simple = "-" if category == "Pd" or sign == "\u2212" else unicodedata.normalize("NFKC", sign)
        signs.append(simple)
        places += [place] * len(simple)
    return "".join(signs), [*places, len(text)]


def _back(finding: Finding, places: list[int]) -> tuple[int, int]:
    """The finding's place in the text as it stands, with what was left out inside and after it."""
    start, last = places[finding.start], places[finding.end - 1]
    return start, max(last + 1, places[finding.end])


@cache
def _analyzer(language: str, country: str) -> AnalyzerEngine | None:
    """Presidio for the language and country, built once per process; None if it cannot be built."""
    logger = logging.getLogger("presidio-analyzer")
    logger.disabled = True  # it warns of every recognizer that is for another language
    try:
        return _built(language, country) if language in LANGUAGES else None
    except Exception:  # noqa: BLE001 - whatever keeps it from being built
        return None
    finally:
        logger.disabled, logger.propagate = False, False
        logger.setLevel(logging.WARNING)
        logger.addHandler(_STOP)


def _built(language: str, country: str) -> AnalyzerEngine:
    """Presidio with its own recognizers for the language and ours."""
    # Read by Presidio when it is imported. An ordinary text takes milliseconds; one that takes longer is not kept.
    os.environ.setdefault("REGEX_TIMEOUT_SECONDS", "10")
    from presidio_analyzer import AnalyzerEngine, LemmaContextAwareEnhancer
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

    from acequia.protect.recognizers import own_recognizers
    from acequia.protect.words import WordsNlpEngine

    provider = RecognizerRegistryProvider(registry_configuration={"supported_languages": [language]})
    registry = provider.create_recognizer_registry()
    for replaced in ("PhoneRecognizer", "EmailRecognizer"):
        registry.remove_recognizer(replaced)
    for recognizer in own_recognizers(language, country):
        registry.add_recognizer(recognizer)
    return AnalyzerEngine(
        registry=registry,
        nlp_engine=WordsNlpEngine(language),
        supported_languages=[language],
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )


class _Stop(logging.Handler):
    """Presidio goes on after a warning, such as a pattern that took too long and was skipped; while a text is read,
    that is an error. Nothing that it logs goes any further, since its messages quote texts.
    """

    reading = False

    def emit(self, record: logging.LogRecord) -> None:
        if self.reading:
            raise RuntimeError("Presidio skipped a part")


_STOP = _Stop(logging.WARNING)

__all__ = ["LONGEST", "REDACTED", "Finding", "available", "find", "scrub_texts"]
