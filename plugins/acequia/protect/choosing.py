"""Presidio's engine and its registry of recognizers, which hands out those that are chosen for one text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.recognizer_registry import RecognizerRegistry


class ChoosingRegistry(RecognizerRegistry):  # type: ignore[misc]
    """All recognizers are for the one language; `chosen` are those to use for the text at hand, in order."""

    chosen: Sequence[EntityRecognizer] | None = None

    def get_recognizers(self, *_: Any, **__: Any) -> list[EntityRecognizer]:
        """The chosen ones, or all."""
        return list(self.recognizers if self.chosen is None else self.chosen)


class ChoosingEngine(AnalyzerEngine):  # type: ignore[misc]
    """Presidio's engine without its two passes over all findings for each recognizer: none of ours looks at those of
    others.
    """

    def _enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        enhanced: list[RecognizerResult] = self.context_aware_enhancer.enhance_using_context(
            text=text, raw_results=raw_results, nlp_artifacts=nlp_artifacts, recognizers=recognizers, context=context
        )
        return enhanced
