"""Names of people as a Presidio recognizer."""

from __future__ import annotations

from presidio_analyzer import LocalRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from acequia.protect.person_names import find_names


class PersonRecognizer(LocalRecognizer):  # type: ignore[misc]
    """Names of people by lists, capitals and what stands before them."""

    def __init__(self, language: str) -> None:
        super().__init__(supported_entities=["PERSON"], name="PersonRecognizer", supported_language=language)

    def load(self) -> None:
        """Nothing to load: the lists are read with the first text."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Where names stand."""
        return [RecognizerResult("PERSON", start, end, score) for start, end, score in find_names(text)]
