"""Recognizers asked about a text as Presidio's engine asks them, without what it keeps beside the findings.

For each finding Presidio writes an explanation, copies it, and looks through all others once for each recognizer, which
takes far longer than the search. Here a finding is a tuple, and the words around one are cut out only if a recognizer
that found something has context words. The findings are the same, as tests show against Presidio's own engine.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import regex  # type: ignore[import-untyped, unused-ignore]
from presidio_analyzer import EntityRecognizer, PatternRecognizer, pattern_recognizer
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

from acequia.protect.language.words import TOKEN
from acequia.protect.prefilter import Sieve
from acequia.protect.reader import Finding

ENHANCER = LemmaContextAwareEnhancer(context_matching_mode="whole_word")
"""How much surer a finding is for a word near it, and how near."""


Ask = Callable[[str, Sequence[int]], list[Finding]]
"""Given a text and the places of the patterns to look for."""


_PLACE = itemgetter(0)


class Asked:
    """The recognizers of a sieve, to be asked its questions."""

    def __init__(self, sieve: Sieve) -> None:
        self.questions = sieve.questions
        self.asks = [asking(recognizer) for recognizer in sieve.recognizers]
        self.context = [frozenset(word.lower() for word in found.context or ()) for found in sieve.recognizers]

    def each(self, text: str, columns: Iterable[int]) -> Iterator[tuple[int, list[Finding]]]:
        """What each recognizer finds for the questions in these columns, with its place, without context.

        Raises:
            Exception: anything went wrong; the message may quote the text.
        """
        asked = (self.questions[column] for column in columns)
        for place, questions in groupby(asked, _PLACE):
            findings = self.asks[place](text, [pattern for _, pattern in questions])
            if findings:
                yield place, findings

    def find(self, text: str, columns: Iterable[int]) -> list[Finding]:
        """What is found for the questions in these columns, with context, without what another finding covers.

        Raises:
            Exception: anything went wrong; the message may quote the text.
        """
        found: list[Finding] = []
        around: _Around | None = None
        for place, findings in self.each(text, columns):
            words = self.context[place]
            if words:
                around = around or _Around(text)
                found += [one if words.isdisjoint(around.words(one.start)) else _surer(one) for one in findings]
            else:
                found += findings
        return [Finding(start, end, entity, round(score, 6)) for start, end, entity, score in uncovered(found)]


def asking(recognizer: EntityRecognizer) -> Ask:
    """A function that gives a recognizer's findings, without context."""
    if getattr(type(recognizer), "analyze", None) is PatternRecognizer.analyze:
        return _by_patterns(recognizer)

    def ask(text: str, _: Sequence[int]) -> list[Finding]:
        results = recognizer.analyze(text, recognizer.supported_entities, nlp_artifacts=None) or ()
        return [Finding(result.start, result.end, result.entity_type, result.score) for result in results]

    return ask


def _by_patterns(recognizer: Any) -> Ask:
    """What `PatternRecognizer.analyze` does, step by step; a pattern that takes too long is an error."""
    flags, entity = recognizer.global_regex_flags, recognizer.supported_entities[0]
    searches = [(regex.compile(one.regex, flags=flags).finditer, one.score) for one in recognizer.patterns]
    validate = _unless_inherited(recognizer, "validate_result")
    invalidate = _unless_inherited(recognizer, "invalidate_result")

    def ask(text: str, places: Sequence[int]) -> list[Finding]:
        found: list[Finding] = []
        limit = pattern_recognizer.REGEX_TIMEOUT_SECONDS
        for place in places:
            search, score = searches[place]
            for match in search(text, timeout=limit):
                start, end = match.span()
                if start == end:
                    continue
                valid = validate and validate(text[start:end])
                wrong = invalidate and invalidate(text[start:end])
                sure = score if valid is None else EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE
                if not wrong and sure > EntityRecognizer.MIN_SCORE:
                    found.append(Finding(start, end, entity, sure))
        return uncovered(found)

    return ask


def _unless_inherited(recognizer: Any, name: str) -> Callable[[str], bool | None] | None:
    own: Callable[[str], bool | None] = getattr(recognizer, name)
    return None if getattr(type(recognizer), name) is getattr(PatternRecognizer, name) else own


def uncovered(findings: list[Finding]) -> list[Finding]:
    """The findings without those inside another of the same entity that is at least as sure."""
    if len(findings) < 2:  # noqa: PLR2004
        return findings
    kept: dict[str, list[Finding]] = {}
    for finding in sorted(set(findings), key=lambda one: (one.start, -one.end, -one.score)):
        others = kept.setdefault(finding.entity, [])
        if not any(finding.end <= other.end and finding.score <= other.score for other in others):
            others.append(finding)  # the others begin before it
    return [finding for others in kept.values() for finding in others]


def _surer(finding: Finding) -> Finding:
    raised = max(finding.score + ENHANCER.context_similarity_factor, ENHANCER.min_score_with_context_similarity)
    return finding._replace(score=min(raised, ENHANCER.MAX_SCORE))


class _Around:
    """The words of a text that may be context: those before a finding, and its first."""

    def __init__(self, text: str) -> None:
        matches = list(TOKEN.finditer(text))
        self.tokens = [match.group().lower() for match in matches]
        self.ends = [match.end() for match in matches]
        self.known: dict[int, set[str]] = {}

    def words(self, start: int) -> set[str]:
        """Those of a finding that begins at `start`, in lower case."""
        words = self.known.get(start)
        if words is None:
            words = self.known[start] = self._words(bisect_right(self.ends, start))
        return words

    def _words(self, place: int) -> set[str]:
        if place == len(self.tokens) > 0:
            raise ValueError("no word begins there or later")
        before = (token for token in self.tokens[place::-1] if _is_word(token))
        after = (token for token in self.tokens[place:] if _is_word(token))
        # The one at the place itself does not count, so there is one more than the enhancer's number.
        return {
            *islice(before, ENHANCER.context_prefix_count + 1),
            *islice(after, ENHANCER.context_suffix_count + 1),
        }


def _is_word(token: str) -> bool:
    return token[0].isalnum() and token != "be"  # noqa: S105 - Presidio leaves that one out
