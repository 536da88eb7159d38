"""Numbers by pattern, with a check where there is one: what recognizers of documents, plates and phones are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from presidio_analyzer import Pattern, PatternRecognizer

SEP = r"[ .\-/]?"
NOT_INSIDE = (r"(?<![\d.,])", r"(?!\d|[.,]\d)")

_NO_DIGIT = re.compile("[^0-9]+")

Check = Callable[[str], bool]


class NumberRecognizer(PatternRecognizer):  # type: ignore[misc]
    """Numbers by pattern; with a check, only those that pass it, at the pattern's score."""

    def __init__(
        self,
        name: str,
        entity: str,
        regexes: Sequence[str],
        *,
        score: float,
        context: Sequence[str],
        language: str,
        check: Check | None = None,
    ) -> None:
        self.check = check
        super().__init__(
            supported_entity=entity,
            name=f"{name}Recognizer",
            supported_language=language,
            patterns=[Pattern(f"{name} {place}", regex, score) for place, regex in enumerate(regexes)],
            context=list(context),
        )

    def invalidate_result(self, pattern_text: str) -> bool | None:
        """True drops the finding."""
        return None if self.check is None else not self.check(pattern_text)


def weight(of: str, country: str) -> float:
    """The score of a number of one country in the texts of another, or its own."""
    return 0.6 if of == country else 0.35


def digits(text: str) -> str:
    """Decimal digits of any script, as ASCII."""
    if text.isascii():
        return _NO_DIGIT.sub("", text)
    return "".join(str(int(sign)) for sign in text if sign.isdecimal())
