"""Texts as a whole: placeholders, overlaps, signs of all kinds, and nothing kept where anything goes wrong."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.protect import reader as reading
from acequia.protect import scrub
from acequia.protect.reader import reader
from acequia.protect.scrub import LONGEST, REDACTED, Finding, available, find, scrub_texts

EN = {"language": "en", "country": "BW"}


@pytest.fixture
def fresh_engine() -> Iterator[None]:
    reader.cache_clear()
    yield
    reader.cache_clear()


def test_a_whole_note() -> None:
    note = (
        "Kagiso Mobokwanelo (Omang 123412345) reports dropped calls, call back on 71 123 456 or k.mo@example.com, "
        "see www.example.com/tickets/12 since 2026-11-03"
    )
    assert scrub_texts([note], **EN) == [
        "<PERSON> (Omang <ID>) reports dropped calls, call back on <PHONE> or <EMAIL>, see <URL> since <DATE>"
    ]


def test_order_and_repetition_are_kept() -> None:
    values = ["call 71123456", "fine", "", "call 71123456", "fine"]
    assert scrub_texts(values, **EN) == ["call <PHONE>", "fine", "", "call <PHONE>", "fine"]
    assert scrub_texts([], **EN) == []


def test_languages() -> None:
    assert available("en")
    assert available("es")
    assert not available("fr")
    assert scrub_texts(["rien"], language="fr", country="FR") == [REDACTED]


@pytest.mark.parametrize("country", ["", "BW", "UY", "ZZ"])
def test_any_country(country: str) -> None:
    assert scrub_texts(["call +267 71 123 456"], language="en", country=country) == ["call <PHONE>"]


@pytest.mark.parametrize(
    "text",
    [
        "call ７１１２３４５６ now",  # full-width digits
        "call 71\u200b123\u200b456 now",  # characters of no width
        "call 7\u00ad1123456 now",  # soft hyphens
        "call 71\u00a0123\u00a0456 now",  # spaces that do not break
        "call 71\u2011123\u2011456 now",  # hyphens that do not break
        "call 71–123–456 now",
        "call ٧١١٢٣٤٥٦ now",  # Arabic-Indic digits
        "call \u202a71123456\u202c now",  # marks of direction
        "call +２６７ 71 123 456 now",
    ],
)
def test_signs_of_all_kinds(text: str) -> None:
    (result,) = scrub_texts([text], **EN)
    assert result.startswith("call")
    assert result.endswith("now")
    assert not any(sign.isdecimal() for sign in result)


def test_names_with_loose_accents_and_addresses_in_wide_letters() -> None:
    assert scrub_texts(
        ["Jose\u0301 Pe\u0301rez pagó", "a ｊｕａｎ＠ｅｘａｍｐｌｅ．ｃｏｍ"], language="es", country="UY"
    ) == [
        "<PERSON> pagó",
        "a <EMAIL>",
    ]


def test_overlaps_are_replaced_as_one_by_the_surest() -> None:
    text = "abcdefghij"
    findings = [Finding(0, 4, "URL", 0.5), Finding(2, 8, "EMAIL_ADDRESS", 1.0), Finding(3, 5, "PERSON", 0.6)]
    assert scrub._replaced(text, findings, "BW") == "<EMAIL>ij"
    touching = [Finding(0, 4, "URL", 0.5), Finding(4, 8, "PERSON", 0.5)]
    assert scrub._replaced(text, touching, "BW") == "<URL><PERSON>ij"
    equal = [Finding(0, 4, "B_KIND", 0.5), Finding(0, 4, "PHONE_NUMBER", 0.5)]
    assert scrub._replaced(text, equal, "BW") == scrub._replaced(text, equal[::-1], "BW") == "<PHONE>efghij"


def test_a_text_that_is_too_long_is_not_kept() -> None:
    fits = "a" * LONGEST
    assert scrub_texts([fits, fits + "a"], **EN) == [fits, REDACTED]


def test_what_is_no_text_is_not_kept() -> None:
    assert scrub_texts([None, 71123456, b"x"], **EN) == [REDACTED] * 3  # type: ignore[list-item]


def test_an_engine_that_cannot_be_built_keeps_nothing(fresh_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def fail(*_: object) -> None:
        built.append(1)
        raise OSError("no recognizers")

    monkeypatch.setattr(reading, "_built", fail)
    assert not available("en")
    assert scrub_texts(["fine", "71123456"], **EN) == [REDACTED, REDACTED]
    assert len(built) == 2  # for `available` and for the country: not once a text


def test_an_error_in_one_text_keeps_nothing_of_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from acequia.protect.recognizers.people import PersonRecognizer

    honest = PersonRecognizer.analyze

    def fail(self: object, text: str, *rest: object, **more: object) -> object:
        if "Thabo" in text:
            raise ValueError(text)
        return honest(self, text, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(PersonRecognizer, "analyze", fail)
    assert scrub_texts(["Thabo called", "Lesego called"], **EN) == [REDACTED, "<PERSON> called"]


def test_what_presidio_skips_with_a_warning_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from presidio_analyzer import pattern_recognizer

    assert scrub_texts(["1 of 2"], **EN) == ["1 of 2"]
    monkeypatch.setattr(pattern_recognizer, "REGEX_TIMEOUT_SECONDS", 1e-9)
    assert scrub_texts(["1 of 2" * 100], **EN) == [REDACTED]


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    available("en")
    caplog.set_level(logging.DEBUG)
    scrub_texts(["Kagiso 71123456 GB00 CANARY 0000 0000 00 k@example.com"], **EN)
    said = caplog.text + "".join(capsys.readouterr())
    assert "CANARY" not in said
    assert "71123456" not in said


def test_the_network_is_not_reached(monkeypatch: pytest.MonkeyPatch, fresh_engine: None) -> None:
    reached = []

    def refuse(*_: object, **__: object) -> None:
        reached.append(1)
        raise OSError("no network here")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    from acequia.protect.recognizers.addresses import domains

    domains.cache_clear()
    texts = ["a@example.co.bw", "a@never-heard-of.zz", "see www.example.com", "a@b.local"]
    assert scrub_texts(texts, **EN) == ["<EMAIL>", "<EMAIL>", "see <URL>", "<EMAIL>"]
    assert reached == []


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["en", "es"]))
def test_findings_lie_inside_and_scrubbing_is_repeatable(text: str, language: str) -> None:
    country = "BW" if language == "en" else "UY"
    for finding in find(text, language=language, country=country):
        assert 0 <= finding.start < finding.end <= len(text)
    (once,) = scrub_texts([text], language=language, country=country)
    scrub_again = scrub_texts([text, text], language=language, country=country)
    assert scrub_again == [once, once]
    more = {finding.entity for finding in find(once, language=language, country=country)}
    # A model reads another sentence, in which it may see another name.
    assert more <= {"PERSON", "LOCATION"} or "<" in text or "{" in text


@settings(max_examples=80, deadline=None)
@given(
    st.integers(71_000_000, 78_999_999),
    st.sampled_from(["{}", "+267{}", "{:,}".replace(",", " "), "x{}", "{}x", "a{}b", "({})", '"{}"', "#{}", "_{}_"]),
    st.text(alphabet="abc ,;\n\t'éñ", max_size=8),
    st.text(alphabet="abc ,;\n\t'éñ", max_size=8),
)
def test_a_phone_never_survives(number: int, form: str, before: str, after: str) -> None:
    (result,) = scrub_texts([before + form.format(number) + after], **EN)
    assert sum(sign.isdecimal() for sign in result) < 4


def test_what_was_preloaded_is_not_loaded_again() -> None:
    scrub.preload()
    before = reader("en", "")
    scrub.preload()
    assert reader("en", "") is before
