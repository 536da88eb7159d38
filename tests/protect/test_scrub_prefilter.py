"""The quick test says no only where full Presidio finds nothing, and ours finds all that stock Presidio finds."""

from __future__ import annotations

import contextlib
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from acequia.protect.person_names import HONORIFICS, listed
from acequia.protect.prefilter import may_hold
from acequia.protect.reader import reader
from acequia.protect.scrub import find

COUNTRY = {"en": "BW", "es": "UY"}
LANGUAGES = st.sampled_from(["en", "es"])


def full(text: str, language: str) -> list[Any]:
    """All findings of Presidio with our recognizers, without the quick test."""
    full = reader(language, COUNTRY[language])
    assert full is not None
    return full.read(text)


@cache
def patterns(language: str) -> list[re.Pattern[str]]:
    """The patterns of every recognizer, as far as Python's own expressions can hold them."""
    full = reader(language, COUNTRY[language])
    assert full is not None
    found = []
    for recognizer in full.recognizers:
        for pattern in getattr(recognizer, "patterns", []):
            with contextlib.suppress(re.error):  # what looks behind over any length
                plain = pattern.regex.replace("(?i)", "")
                found.append(re.compile(plain, re.IGNORECASE | re.MULTILINE | re.DOTALL))
    return found


def like_a_pattern(language: str) -> st.SearchStrategy[str]:
    return st.sampled_from(patterns(language)).flatmap(lambda pattern: st.from_regex(pattern, fullmatch=True))


def test_every_pattern_of_every_recognizer_is_tried() -> None:
    assert len(patterns("en")) > 180
    assert len(patterns("es")) > 180


PLAIN = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Lu", "Lt", "Nd")), max_size=40)
SMALL = st.text(alphabet="abcdef .:-'@\n/éñß", max_size=30)
WORDS = st.lists(
    st.sampled_from(["line", "called", "de", "la", "for", "zzaneng", "a", "nombre", "con", "x"]) | PLAIN, max_size=6
).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(PLAIN | SMALL | WORDS, LANGUAGES)
@example("face::", "en")
@example("ab-cd-ef-ab-cd-ef", "en")
@example("mr zzaneng", "en")
@example("nombre=zz", "es")
def test_no_finding_is_lost_in_texts_that_hold_little(text: str, language: str) -> None:
    assert may_hold(text) or full(text, language) == []


@settings(max_examples=250, deadline=None)
@given(st.data(), LANGUAGES, SMALL, SMALL, st.booleans())
def test_no_finding_is_lost_in_texts_like_a_pattern(
    data: st.DataObject, language: str, before: str, after: str, lower: bool
) -> None:
    text = before + data.draw(like_a_pattern(language)) + after
    text = "".join(sign for sign in text.lower() if not sign.isdecimal()) if lower else text
    assume(len(text) < 300)
    assert may_hold(text) or full(text, language) == []


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(listed().sure | HONORIFICS)), WORDS, WORDS, LANGUAGES)
def test_no_listed_name_is_lost(name: str, before: str, after: str, language: str) -> None:
    text = f"{before} {name} {after}"
    assert may_hold(text) or full(text, language) == []


@cache
def stock(language: str) -> Any:
    """Presidio as it comes, without a model, and with the installed list of domains in place of the network's."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NoOpNlpEngine
    from presidio_analyzer.predefined_recognizers import EmailRecognizer
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    class Email(EmailRecognizer):  # type: ignore[misc]
        def validate_result(self, pattern_text: str) -> bool:
            return bool(offline(pattern_text).fqdn)

    registry = RecognizerRegistryProvider(
        registry_configuration={"supported_languages": [language]}
    ).create_recognizer_registry()
    registry.remove_recognizer("EmailRecognizer")
    registry.add_recognizer(Email(supported_language=language))
    engine = NoOpNlpEngine([{"lang_code": language, "model_name": ""}])
    engine.load()
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])


def missed(text: str, language: str) -> list[str]:
    """What stock Presidio finds and ours does not cover."""
    ours = find(text, language=language, country=COUNTRY[language])
    return [
        result.entity_type
        for result in stock(language).analyze(text=text, language=language)
        if not any(finding.start <= result.start and result.end <= finding.end for finding in ours)
    ]


@settings(max_examples=200, deadline=None)
@given(st.data(), LANGUAGES, SMALL, SMALL)
def test_ours_covers_what_stock_presidio_finds(data: st.DataObject, language: str, before: str, after: str) -> None:
    text = before + data.draw(like_a_pattern(language)) + after
    assume(len(text) < 300)
    assert missed(text, language) == []


@pytest.mark.parametrize(
    "text",
    [
        "My phone number is 212-555-5555", "my name is David and my number is (212) 555-1234", "SSN 078-05-1120",
        "Driver's license number is AC432223", "my bank account is 945456787654", "ITIN 911-70-1234",
        "NHS 401-023-2137", "DNI 12345678Z y NIE X1234567L", "card 4012888888881881 and IBAN IL150120690000003111111",
        "it is 192.168.0.1 or microsoft.com", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "MAC 00:1A:2B:3C:4D:5E",
        "born on 5/21/2019", "44 7777 123456", "passport 912803456", "medical license AB1234563",
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "es"])
def test_ours_covers_presidios_own_examples(text: str, language: str) -> None:
    assert missed(text, language) == []
