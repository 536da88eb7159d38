"""Context words: what stands around a finding makes it surer, as Presidio has it, without copying every finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer, LemmaContextAwareEnhancer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts


class ContextWords(LemmaContextAwareEnhancer):  # type: ignore[misc]
    """Presidio's own enhancer for whole words; the findings it is given are changed in place."""

    def __init__(self) -> None:
        super().__init__(context_matching_mode="whole_word")
        self.words: dict[str, frozenset[str]] = {}

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: Sequence[EntityRecognizer],
        context: Sequence[str] | None = None,
    ) -> list[RecognizerResult]:
        """The same findings, with a higher score where a word of their recognizer stands near."""
        by_id = {recognizer.id: recognizer for recognizer in recognizers}
        given = {word.lower() for word in context or ()}
        around: dict[int, set[str]] = {}
        for result in raw_results:
            recognizer = by_id[result.recognition_metadata[RecognizerResult.RECOGNIZER_IDENTIFIER_KEY]]
            if not recognizer.context:
                continue
            if result.start not in around:
                word = text[result.start : result.end]
                found = self._extract_surrounding_words(nlp_artifacts=nlp_artifacts, word=word, start=result.start)
                around[result.start] = given.union(keyword.lower() for keyword in found)
            if not around[result.start].isdisjoint(self._words_of(recognizer)):
                raised = max(result.score + self.context_similarity_factor, self.min_score_with_context_similarity)
                result.score = min(raised, self.MAX_SCORE)
        return raw_results

    def _words_of(self, recognizer: Any) -> frozenset[str]:
        words = self.words.get(recognizer.id)
        if words is None:
            words = self.words[recognizer.id] = frozenset(word.lower() for word in recognizer.context)
        return words
