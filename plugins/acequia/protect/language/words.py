"""Presidio's language engine without a model: it cuts texts into words, which is what context words need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

TOKEN = re.compile(r"\w+|[^\w\s]")


class WordsNlpEngine(NlpEngine):  # type: ignore[misc]
    """Words and their places in one language, no entities; nothing is loaded. An engine with a model takes its place
    through Presidio's NlpEngineProvider.
    """

    engine_name = "words"
    is_available = True

    def __init__(self, language: str) -> None:
        self.language = language

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The text's words, in lower case for comparison with context words."""
        matches = list(TOKEN.finditer(text))
        tokens = [match.group() for match in matches]
        return NlpArtifacts(
            entities=[],
            tokens=tokens,
            tokens_indices=[match.start() for match in matches],
            lemmas=[token.lower() for token in tokens],
            nlp_engine=self,
            language=language,
            scores=[],
        )

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **_: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Each text with its words."""
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:
        """No word is left out."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Signs are no context."""
        return not word[:1].isalnum()

    def get_supported_entities(self) -> list[str]:
        """None: names are found by a recognizer."""
        return []

    def get_supported_languages(self) -> list[str]:
        """The one."""
        return [self.language]
