"""Numbers of documents: identity cards, tax numbers and passports of the countries served, and long numbers of any."""

from __future__ import annotations

from functools import partial

from acequia.protect import whole_numbers
from acequia.protect.recognizers.numbers import NOT_INSIDE, SEP, NumberRecognizer, digits, weight

ID_WORDS = ("id", "omang", "identity", "national", "ci", "cédula", "cedula", "documento", "doc", "rut", "dni",
            "identidad", "passport", "pasaporte")  # fmt: skip
PASSPORT_WORDS = ("passport", "pasaporte", "pass", "travel", "viaje", "ppt")
_BEFORE, _AFTER = NOT_INSIDE
_OMANG = rf"{_BEFORE}\d{{3,4}}{SEP}\d(?:{SEP}\d){{4,5}}{_AFTER}"
_CEDULA = rf"{_BEFORE}(?:\d[. ]?)?\d{{3}}[. ]?\d{{3}}{SEP}\d{_AFTER}"
_RUT = rf"{_BEFORE}\d{{2}}{SEP}\d{{3}}{SEP}\d{{3}}{SEP}\d{{3}}{SEP}\d{_AFTER}"
_BW_PASSPORT = r"(?<![^\W_])BN[ \-]?\d{7}(?![^\W_])"
_UY_PASSPORT = r"(?<![^\W_])[A-Z][ \-]?\d{6}(?![^\W_])"
_ANY_DOCUMENT = r"\b(?-i:[A-Z]{1,3})-?\d{6,9}\b"
_ANY_NUMBER = rf"(?<!\d)\d(?:{SEP}\d){{6,}}(?!\d)"


def documents(language: str, country: str) -> list[NumberRecognizer]:
    """One recognizer per document; those of the agreement's country weigh more."""
    botswana, uruguay = weight("BW", country), weight("UY", country)
    number = partial(NumberRecognizer, context=ID_WORDS, language=language)
    passport = partial(NumberRecognizer, context=PASSPORT_WORDS, language=language)
    return [
        number("Omang", "BW_OMANG", [_OMANG], score=botswana, check=is_omang),
        number("Cedula", "UY_CEDULA", [_CEDULA], score=uruguay, check=is_cedula),
        number("Rut", "UY_RUT", [_RUT], score=uruguay + 0.1, check=is_rut),
        passport("BotswanaPassport", "BW_PASSPORT", [_BW_PASSPORT], score=botswana),
        passport("UruguayPassport", "UY_PASSPORT", [_UY_PASSPORT], score=uruguay - 0.2),
        number("DocumentNumber", "DOCUMENT_NUMBER", [_ANY_DOCUMENT], score=0.2),
        number("LongNumber", "LONG_NUMBER", [_ANY_NUMBER], score=0.02),
    ]


def is_omang(text: str) -> bool:
    """An Omang, in whatever writing."""
    return whole_numbers.is_omang(digits(text))


def is_cedula(text: str) -> bool:
    """A cédula, in whatever writing; with two zeros in front it is something else."""
    number = digits(text)
    return whole_numbers.is_cedula(number) and not number.zfill(8).startswith("00")


def is_rut(text: str) -> bool:
    """A RUT, in whatever writing."""
    return whole_numbers.is_rut(digits(text))
