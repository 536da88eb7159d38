"""Each kind of number and address: valid, invalid, formatted, embedded in a sentence."""

from __future__ import annotations

import pytest

from acequia.protect.scrub import find, scrub_texts

COUNTRY = {"en": "BW", "es": "UY"}


def scrubbed(text: str, language: str = "en", country: str = "") -> str:
    (result,) = scrub_texts([text], language=language, country=country or COUNTRY[language])
    return result


def kinds(text: str, language: str = "en", country: str = "") -> set[str]:
    return {finding.entity for finding in find(text, language=language, country=country or COUNTRY[language])}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("123412345", True),
        ("123422345", True),
        ("1234 1 2345", True),
        ("123 412 345", True),
        ("1234-1-2345", True),
        ("Omang: 987615432.", True),
        ('{"omang":"987625432"}', True),
        ("123432345", False),  # the fifth digit is neither 1 nor 2
        ("12341234", False),
        ("1234123456", False),
    ],
)
def test_omang(text: str, is_one: bool) -> None:
    assert ("BW_OMANG" in kinds(text)) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("1.234.567-2", True),
        ("12345672", True),
        ("1234567-2", True),
        ("1 234 567 2", True),
        ("CI 4.111.111-5", True),
        ("CI:41111115,", True),
        ("123.456-1", True),  # six digits and the check digit
        ("1.234.567-3", False),  # another check digit
        ("12345670", False),
        ("112345672", False),
    ],
)
def test_cedula(text: str, is_one: bool) -> None:
    assert ("UY_CEDULA" in kinds(text, "es")) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("211234560019", True),
        ("21 123 456 001 9", True),
        ("RUT 21-123-456-001-9 activo", True),
        ("211234560018", False),
        ("231234560013", False),  # the first two digits go to 22
        ("21123456001", False),
    ],
)
def test_rut(text: str, is_one: bool) -> None:
    assert ("UY_RUT" in kinds(text, "es")) is is_one


@pytest.mark.parametrize(
    "number",
    ["71 123 456", "71123456", "7112 3456", "71-123-456", "711 23456", "+267 71 123 456", "+26771123456",
     "0026771123456", "26771123456", "(+267) 71123456", "+267-71-123-456", "395 1234", "3951234", "+267 395 1234",
     "74999999", "71 12 34 56", "71.123.456"],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "call {} now", "tel:{}", "call me({})", "ring {}.", "«{}»"])
def test_phones_of_botswana(number: str, around: str) -> None:
    assert scrubbed(around.format(number)) == around.format("<PHONE>")


@pytest.mark.parametrize(
    "number",
    ["2901 2345", "29012345", "4722 1234", "099 123 456", "099123456", "99 123 456", "+598 99 123 456",
     "+59899123456", "0059899123456", "59899123456", "+598 2901 2345", "(598) 2901 2345", "2901-2345", "2901 23 45",
     "091.234.567", "+598 (0)99 123 456"],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "llamar al {} ya", "tel:{}", "cel({})", "tel {}."])
def test_phones_of_uruguay(number: str, around: str) -> None:
    assert scrubbed(around.format(number), "es") == around.format("<PHONE>")


def test_a_phone_inside_a_word_is_found() -> None:
    assert "71123456" not in scrubbed("tel71123456xyz")
    assert "099123456" not in scrubbed("cel099123456ya", "es")


@pytest.mark.parametrize(
    "text", ["+44 20 7946 0958", "+1 425-882-9090", "(425) 882-9090", "020 7946 0958", "+55 11 91234-5678"]
)
def test_phones_of_other_countries_are_found_as_well(text: str) -> None:
    assert scrubbed(f"call {text}", country="BW") == "call <PHONE>"
    assert scrubbed(f"llamar al {text}", "es") == "llamar al <PHONE>"


@pytest.mark.parametrize(
    "address",
    ["ana@example.com", "a.b+c@sub.example.co.bw", "ANA@EXAMPLE.COM", "ana@server.local", "o'neil_x@ejemplo.com.uy",
     "ñandú@correo.uy", "x@xn--80ak6aa92e.com"],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "es"])
def test_email(address: str, language: str) -> None:
    for around in ("{}", "mail {} ok", "<{}>", '"{}"', "mailto:{}"):
        assert scrubbed(around.format(address), language) == around.format("<EMAIL>")


@pytest.mark.parametrize("text", ["write at example", "@", "a@", "@b", "5@6"])
def test_no_email(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("see https://example.com/u/1?q=x#y", "see <URL>"),
        ("see example.org", "see <URL>"),
        ("from 10.1.2.3 today", "from <IP> today"),
        ("from 2001:db8::1 today", "from <IP> today"),
        ("from fe::ab today", "from <IP> today"),
        ("device ab:cd:ef:ab:cd:ef", "device <MAC>"),
        ("device ab-cd-ef-ab-cd-ef", "device <MAC>"),
        ("card 4111 1111 1111 1111", "card <CARD>"),
        ("card 4111111111111111", "card <CARD>"),
        ("card 5500-0000-0000-0004", "card <CARD>"),
        ("to DE89 3704 0044 0532 0130 00", "to <IBAN>"),
        ("to GB82WEST12345698765432", "to <IBAN>"),
        ("to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "to <CRYPTO>"),
        ("ref 123e4567-e89b-42d3-a456-426614174000", "ref <ID>"),
        ("born 1985-03-02", "born <DATE>"),
        ("passport BN0123456", "passport <ID>"),
        ("account 1234567", "account <NUMBER>"),
        ("account 12 34 56 7", "account <NUMBER>"),
    ],
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_other_kinds(text: str, becomes: str, language: str) -> None:
    result = scrubbed(text, language)
    assert result.split("<")[0] == becomes.split("<")[0]
    assert not any(sign.isdigit() for sign in result)
    if "NUMBER" not in becomes:
        assert result == becomes


@pytest.mark.parametrize(
    "account", ["gb82 west 1234 5698 7654 32", "es9121000418450200051332", "Ie29Aibk93115212345678"]
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_accounts_in_small_letters_are_found_as_by_presidios_engine(account: str, language: str) -> None:
    text = f"send it to {account}, thanks"
    found = find(text, language=language, country=COUNTRY[language])
    assert any(text[one.start : one.end] == account for one in found if one.entity == "IBAN_CODE")
    assert scrubbed(text, language).count("<") == 1
    assert scrubbed(text, language).endswith(">, thanks")


@pytest.mark.parametrize("number", ["BBBBBB٤٤C٠٢D٥٥٥E", "T٠٩LL٠٠٠١B", "٢٠٠٩٠٠٠٠١B"])
def test_digits_of_other_scripts_keep_no_text_from_being_read(number: str) -> None:
    assert scrubbed(f"it is {number} we think") == "it is <ID> we think"


@pytest.mark.parametrize(
    "text", ["paid 250", "12,50", "room 12 of the 30", "400 g", "1.5 km", "at 17:00", "2 x 3", "100 %"]
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_small_numbers_stay(text: str, language: str) -> None:
    assert scrubbed(text, language) == text


def test_a_number_of_the_agreements_country_weighs_more() -> None:
    assert scrubbed("12345672", "es", "UY") == "<ID>"
    assert scrubbed("71234564", "en", "BW") == "<PHONE>"  # a valid cédula by chance
    assert "UY_CEDULA" in kinds("24000000", "es")
    assert scrubbed("llamar al celular 24000000", "es", "UY") == "llamar al celular <PHONE>"
    assert scrubbed("documento ci 24000000", "es", "UY") == "documento ci <ID>"
