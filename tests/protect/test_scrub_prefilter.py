"""The quick test says no only where full Presidio finds nothing, and ours finds all that stock Presidio finds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

from acequia.protect.name_signs import has_unknown_words
from acequia.protect.person_names import HONORIFICS, listed
from acequia.protect.reader import Reader, reader
from acequia.protect.scrub import find, find_all

COUNTRY = {"en": "BW", "es": "UY"}
LANGUAGES = st.sampled_from(["en", "es"])


def lost(texts: list[str], language: str) -> list[str]:
    """The texts whose findings differ if they are not shown to every recognizer."""
    copies = texts + ["line restored"] * 40  # a few texts are shown to every recognizer anyway
    sieved = find_all(copies, language=language, country=COUNTRY[language])
    full = find_all(texts, language=language, country=COUNTRY[language], sieved=False)
    return [text for text, some, every in zip(texts, sieved, full, strict=False) if some != every]


def read_in(language: str) -> Reader:
    found = reader(language, COUNTRY[language])
    assert found is not None
    return found


@cache
def patterns(language: str) -> list[re.Pattern[str]]:
    """The patterns of every recognizer, as far as Python's own expressions can hold them."""
    found = []
    for recognizer in read_in(language).sieve.recognizers:
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
ANY = st.text(max_size=30)
FORMS: list[Callable[[str], str]] = [
    str,
    str.lower,
    str.upper,
    lambda text: "".join(sign for sign in text if not sign.isdecimal()),
    lambda text: text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
    lambda text: text.replace("k", "\u212a").replace("s", "\u017f").replace("i", "\u0131"),
]
WORDS = st.lists(
    st.sampled_from(["line", "called", "de", "la", "for", "zzaneng", "a", "nombre", "con", "x"]) | PLAIN, max_size=6
).map(" ".join)


MANY = {"min_size": 25, "max_size": 40}
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=10, deadline=None, phases=NO_SHRINKING)
@given(st.lists(PLAIN | SMALL | WORDS | ANY, **MANY), LANGUAGES)
@example(["face::", "ab-cd-ef-ab-cd-ef", "mr zzaneng", "nombre=zz", "Grace Rosa", "\u0130\u0131", "\u212a\u017f"], "en")
@example(["rssmra", "mrtmttabcdefghij", "a.co", "HRB\u0660", "weiß", "Ǆ", "1ª", "is on 5", "x" * 30], "es")
def test_no_finding_is_lost_in_texts_that_hold_little(texts: list[str], language: str) -> None:
    assert lost(texts, language) == []


@settings(max_examples=6, deadline=None, phases=NO_SHRINKING)
@given(st.data(), LANGUAGES)
def test_no_finding_is_lost_in_texts_like_a_pattern(data: st.DataObject, language: str) -> None:
    around = st.tuples(SMALL, like_a_pattern(language), SMALL)
    texts = ["".join(parts)[:300] for parts in data.draw(st.lists(around, **MANY))]
    assert lost([data.draw(st.sampled_from(FORMS))(text) for text in texts], language) == []


@settings(max_examples=4, deadline=None, phases=NO_SHRINKING)
@given(st.lists(st.tuples(WORDS, st.sampled_from(sorted(listed().sure | HONORIFICS)), WORDS), **MANY), LANGUAGES)
def test_no_listed_name_is_lost(parts: list[tuple[str, str, str]], language: str) -> None:
    assert lost([" ".join(words) for words in parts], language) == []


def test_every_recognizer_has_a_condition() -> None:
    sieve = read_in("en").sieve
    ways = [way for ways in sieve.ways.values() for way in ways]
    assert all(condition.regex for way in ways for condition in way.needs)
    assert {way.recognizer for way in ways} | set(sieve.special) == set(range(len(sieve.recognizers)))


@pytest.mark.parametrize("text", ["line restored", "Customer called, paid 12", "la línea no anda", "grace period", ""])
def test_a_model_is_not_asked_about_everyday_words(text: str) -> None:
    assert not has_unknown_words(text, ())


@pytest.mark.parametrize("text", ["zzaneng called", "Grace called", "called Robust", "foo-zzbar", "mañanazz"])
def test_a_model_is_asked_about_other_words(text: str) -> None:
    assert has_unknown_words(text, ())
    assert not has_unknown_words(text, ((0, len(text)),))


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


@settings(max_examples=120, deadline=None)
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
