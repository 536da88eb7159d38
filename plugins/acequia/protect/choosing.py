"""Presidio's registry of recognizers, which hands out those that are chosen for one text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer
from presidio_analyzer.recognizer_registry import RecognizerRegistry


class ChoosingRegistry(RecognizerRegistry):  # type: ignore[misc]
    """All recognizers are for the one language; `chosen` are those to use for the text at hand, in order."""

    chosen: Sequence[EntityRecognizer] | None = None

    def get_recognizers(self, *_: Any, **__: Any) -> list[EntityRecognizer]:
        """The chosen ones, or all."""
        return list(self.recognizers if self.chosen is None else self.chosen)
