"""Presidio's own recognizers, all of them: whatever country they are for, and whether or not they are on by default.

Left out are those that need a model, a network or a further package, and those that ours stand for: e-mail addresses
(`addresses`), telephones (`phones`), and two that fail on digits of other scripts.
"""

from __future__ import annotations

import re
from functools import cache

from presidio_analyzer import PatternRecognizer, predefined_recognizers
from presidio_analyzer.predefined_recognizers import ItFiscalCodeRecognizer, SgUenRecognizer

REPLACED = ("EmailRecognizer", "ItFiscalCodeRecognizer", "SgUenRecognizer")
ANY_CASE = re.DOTALL | re.MULTILINE | re.IGNORECASE
"""What Presidio's engine searches with; by itself its recognizer of IBANs looks for capitals alone."""

_CARD_WORDS = ("tarjeta", "credito", "crédito", "debito", "débito")


class FiscalCodeRecognizer(ItFiscalCodeRecognizer):  # type: ignore[misc]
    """Presidio's own, which fails on digits of other scripts; here these have no check character."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """None (the pattern's score) where it cannot be told."""
        return super().validate_result(pattern_text) if pattern_text.isascii() else None


class UenRecognizer(SgUenRecognizer):  # type: ignore[misc]
    """The same for firms of Singapore."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """None (the pattern's score) where it cannot be told."""
        return super().validate_result(pattern_text) if pattern_text.isascii() else None


@cache
def stock_classes() -> tuple[type[PatternRecognizer], ...]:
    """The classes by name: every predefined recognizer that works by patterns."""
    named = ((name, getattr(predefined_recognizers, name)) for name in sorted(dir(predefined_recognizers)))
    return (
        FiscalCodeRecognizer,
        UenRecognizer,
        *(
            found
            for name, found in named
            if isinstance(found, type) and issubclass(found, PatternRecognizer) and name not in REPLACED
        ),
    )


def stock(language: str) -> list[PatternRecognizer]:
    """One recognizer per class, for texts in `language` whatever language it was written for; where that minds case,
    one more that does not, since each finds what the other does not.
    """
    found = [recognizer(supported_language=language) for recognizer in stock_classes()]
    for strict in [recognizer for recognizer in found if recognizer.global_regex_flags != ANY_CASE]:
        loose = type(strict)(supported_language=language, name=f"AnyCase{strict.name}")
        loose.global_regex_flags = ANY_CASE
        found.append(loose)
    for recognizer in found:
        if "CREDIT_CARD" in recognizer.supported_entities:
            recognizer.context = [*(recognizer.context or ()), *_CARD_WORDS]
    return found


@cache
def foreign(country: str) -> frozenset[str]:
    """The entities of countries that are not the agreement's: they count less where findings overlap."""
    home = country.lower()
    return frozenset(
        entity
        for recognizer in stock_classes()
        if recognizer.COUNTRY_CODE not in (None, home)
        for entity in recognizer().supported_entities
    )
