"""Presidio's own recognizers, all of them: whatever country they are for, and whether or not they are on by default.

Left out are those that need a model, a network or a further package, and those that ours stand for: e-mail addresses
(`addresses`) and telephones (`phones`).
"""

from __future__ import annotations

from functools import cache

from presidio_analyzer import PatternRecognizer, predefined_recognizers

REPLACED = ("EmailRecognizer",)
_CARD_WORDS = ("tarjeta", "credito", "crédito", "debito", "débito")


@cache
def stock_classes() -> tuple[type[PatternRecognizer], ...]:
    """The classes by name: every predefined recognizer that works by patterns."""
    named = ((name, getattr(predefined_recognizers, name)) for name in sorted(dir(predefined_recognizers)))
    return tuple(
        found
        for name, found in named
        if isinstance(found, type) and issubclass(found, PatternRecognizer) and name not in REPLACED
    )


def stock(language: str) -> list[PatternRecognizer]:
    """One recognizer per class, for texts in `language` whatever language it was written for."""
    found = [recognizer(supported_language=language) for recognizer in stock_classes()]
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
