"""E-mail addresses, without asking the network which domains there are."""

from __future__ import annotations

from functools import cache
from typing import Any

from presidio_analyzer import Pattern
from presidio_analyzer.predefined_recognizers import EmailRecognizer


def addresses(language: str) -> list[EmailRecognizer]:
    """One recognizer, by Presidio's pattern."""
    patterns = [Pattern(pattern.name, pattern.regex, 0.9) for pattern in EmailRecognizer.PATTERNS]
    return [OfflineEmailRecognizer(patterns=patterns, supported_language=language)]


class OfflineEmailRecognizer(EmailRecognizer):  # type: ignore[misc]
    """Presidio's own, which asks the network for the list of domains; here the list that is installed decides. An
    address at a domain that no list knows (`.local`) is one, too.
    """

    def validate_result(self, pattern_text: str) -> bool | None:
        """True for a public domain, None (the pattern's score) otherwise."""
        return True if domains()(pattern_text).fqdn else None


@cache
def domains() -> Any:
    """The installed list of public domains."""
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)
