"""Two ways of writing one number or document are one person, and nothing is lost or refused on the way."""

from __future__ import annotations

import random
from itertools import product

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.protect.forms import document, email, form_of, name, national_id, normal
from acequia.protect.phones import phone_form

COUNTRIES = ("BW", "UY")
FORMS = {country: phone_form(country) for country in (*COUNTRIES, "AR", "ZA", "US", "GB", "ZZ")}
KINDS = (
    "name",
    "phone",
    "email",
    "national_id",
    "tax_id",
    "passport",
    "plate",
    "card",
    "account",
    "ip",
    "url",
    "date",
    "id",
    "number",
    None,
)


def by_library(text: str, country: str) -> str | None:
    """E.164 as the library has it, of valid numbers alone."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or number.extension:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    ("country", "alike"),
    [
        (
            "BW",
            [
                "+267 71 123 456",
                "0026771123456",
                "71123456",
                "７１ 123 456",
                "71-123-456",
                "(71) 123456",
                "26771123456",
                "+26771123456",
                " 71123456 ",
                "71\u00a0123\u00a0456",
                "71\u200b123456",
                "٧١١٢٣٤٥٦",
                "00 267 71 123 456",
            ],
        ),
        ("BW", ["+267 390 1234", "3901234", "390 1234", "2673901234"]),
        (
            "UY",
            [
                "099 123 456",
                "+598 99 123 456",
                "99123456",
                "0059899123456",
                "59899123456",
                "+598 (0)99 123 456",
                "099-123-456",
                "099.123.456",
                "＋５９８ 99 123 456",
            ],
        ),
        ("UY", ["2901 2345", "+598 2901 2345", "29012345", "+59829012345", "2901-2345", "0 2901 2345"]),
        ("UY", ["4722 1234", "+598 4722 1234", "47221234"]),
        ("AR", ["011 15-2345-6789", "+54 9 11 2345 6789"]),
    ],
)
def test_one_subscriber_has_one_form(country, alike):
    assert len({FORMS[country](text) for text in alike}) == 1
    assert FORMS[country](alike[0]).startswith("+")


def test_the_countrys_numbers_are_told_from_those_of_others():
    assert FORMS["BW"]("71123456") != FORMS["UY"]("71123456")
    assert FORMS["BW"]("+598 99 123 456") == FORMS["UY"]("099 123 456") == "+59899123456"


def test_an_extension_is_a_subscriber_of_its_own():
    assert FORMS["UY"]("2901 2345 ext. 12") == "+59829012345;ext=12"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n/a",
        "unknown",
        "-",
        "123",
        "not given; call 71123456 or 72123456 in the evening",
        "\x00",
        "+",
        "00",
        "7112345612345678901234",
    ],
)
def test_what_is_no_number_keeps_its_form(text):
    assert FORMS["BW"](text) == normal(text)


def writings(national: str, code: str) -> list[str]:
    return [national, f"0{national}", f"+{code}{national}", f"00{code}{national}", f"{code}{national}",
            f"+{code} {national[:2]} {national[2:5]} {national[5:]}", f"{national[:4]}-{national[4:]}"]  # fmt: skip


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_prefix_is_read_as_the_library_reads_it(country):
    """All prefixes of four digits, all lengths from four to thirteen, in every usual writing."""
    code, rng, compared = str(phonenumbers.country_code_for_region(country)), random.Random(1), 0
    for length, prefix in product((4, 5, 6, 7, 8, 9, 10, 11), range(10_000)):
        if length not in (7, 8) and prefix % 23:
            continue
        national = f"{prefix:04d}" + "".join(rng.choices("0123456789", k=length - 4))
        texts = writings(national, code)
        for text in texts if not prefix % 9 else rng.sample(texts, 1):
            wanted = by_library(text, country)
            if wanted is not None:
                compared += 1
                assert FORMS[country](text) == wanted, text
    assert compared > 3_000


@given(text=st.text(alphabet="0123456789+ ()-./", max_size=20), country=st.sampled_from(COUNTRIES))
def test_any_text_of_signs_of_numbers_is_read_as_the_library_reads_it(text, country):
    wanted = by_library(text.strip(), country)
    if wanted is not None:
        assert FORMS[country](text) == wanted


def test_numbers_of_other_countries_are_read_too():
    for region in ("ZA", "AR", "US", "GB", "NA", "ZW", "BR"):
        example = phonenumbers.example_number(region)
        wanted = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        international = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        assert FORMS["BW"](international) == FORMS["UY"](wanted) == wanted


@pytest.mark.parametrize("text", ["Ana@Example.UY", " ana@example.uy ", "ＡＮＡ@example.uy", "ana\u200b@example.uy"])
def test_an_address_is_one_whatever_its_letters(text):
    assert email(text) == "ana@example.uy"


@pytest.mark.parametrize(
    "text",
    [
        "1.234.567-2",
        "12345672",
        "1234567-2",
        "1 234 567 2",
        "１２３４５６７２",
        "01234567-2",
        "1.234.567\u20112",
        "1\u200b2345672",
    ],
)
def test_a_cedula_is_one_however_it_is_written(text):
    assert national_id(text) == "12345672"


def test_an_older_cedula_of_seven_digits_is_one_with_the_zero_before_it():
    assert national_id("123.456-7") == national_id("0.123.456-7") == "1234567"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("b 123 abc", "B123ABC"),
        ("B-123-ABC", "B123ABC"),
        ("SBA 1234", "SBA1234"),
        ("4111-1111 1111.1111", "4111111111111111"),
        ("UY12 3456", "UY123456"),
        ("00123", "00123"),
        ("--", "--"),
        ("", ""),
        ("n/a", "NA"),
    ],
)
def test_documents_are_letters_and_digits(text, form):
    assert document(text) == form


@pytest.mark.parametrize("text", ["José  Peña", "JOSE PENA", " jose\u0301 pen\u0303a ", "José\tPeña"])
def test_a_name_is_one_whatever_its_letters(text):
    assert name(text) == "jose pena"


@given(text=st.text(max_size=40), holds=st.sampled_from(KINDS), country=st.sampled_from(["BW", "UY", "AR", "ZZ"]))
def test_nothing_is_an_error_and_nothing_is_lost(text, holds, country):
    form = form_of(holds, country)
    made = form(text)
    assert made or not normal(text).strip("\u200b") or not any(sign.isprintable() for sign in text)
    assert form(text) == made


@given(text=st.text(max_size=40), holds=st.sampled_from(("email", "national_id", "account", "name", None)))
def test_a_normal_form_is_its_own(text, holds):
    form = form_of(holds, "UY")
    assert form(form(text)) == form(text)


@pytest.mark.parametrize("holds", ["ip", "url", "date", "id", "number", None])
def test_other_kinds_keep_the_form_of_any_text(holds):
    assert form_of(holds, "BW") is normal


def test_whole_numbers_written_as_floats_are_the_same() -> None:
    assert form_of("phone", "BW")("71123456.0") == form_of("phone", "BW")("+267 71 123 456")
    assert form_of("national_id", "UY")("12345672.0") == form_of("national_id", "UY")("1.234.567-2")
    assert form_of("national_id", "UY")("1.234.567.0") == "12345670"
    assert form_of(None, "UY")("12345672.0") == "12345672.0"
