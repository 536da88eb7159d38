"""Telephone numbers: patterns for the countries served, libphonenumber for them and for those that Presidio knows."""

from __future__ import annotations

from functools import partial

from presidio_analyzer import EntityRecognizer

from acequia.protect.recognizers.numbers import SEP, NumberRecognizer, weight
from acequia.protect.recognizers.regions import RegionalPhoneRecognizer, SouthAfricanPhoneRecognizer, regions

PHONE_WORDS = ("phone", "tel", "telephone", "cell", "cellphone", "mobile", "call", "ring", "number", "whatsapp", "sms",
               "contact", "msisdn", "teléfono", "telefono", "celular", "cel", "móvil", "movil", "llamar", "número",
               "wpp", "contacto")  # fmt: skip
_INTERNATIONAL = r"(?<!\d)(?:\+|00)[1-9](?:[ .\-/()]{0,2}\d){6,13}(?!\d)"


def phones(language: str, country: str) -> list[EntityRecognizer]:
    """Patterns with and without the country's code, and libphonenumber by region."""
    phone = partial(NumberRecognizer, context=PHONE_WORDS, language=language)
    botswana, uruguay = weight("BW", country) - 0.1, weight("UY", country) - 0.1
    return [
        phone("BotswanaPhone", "PHONE_NUMBER", _botswana(), score=botswana),
        phone("UruguayPhone", "PHONE_NUMBER", _uruguay(), score=uruguay),
        phone("InternationalPhone", "PHONE_NUMBER", [_INTERNATIONAL], score=0.45),
        RegionalPhoneRecognizer(
            context=list(PHONE_WORDS), supported_language=language, supported_regions=regions(country)
        ),
        SouthAfricanPhoneRecognizer(language),
    ]


def _botswana() -> list[str]:
    """Mobiles 71 to 79 and eight digits in all, landlines seven digits from 2 to 6; with +267 or without."""
    code = r"(?:(?:\+|00)?(?:\(267\)|267)[ .\-/]{0,2})?(?:\(0?\))?"
    return [
        rf"(?<!\d){code}7[1-9](?:{SEP}\d){{6}}(?!\d)",
        rf"(?<!\d){code}[2-6]\d{{2}}{SEP}\d{{4}}(?!\d)",
        rf"(?<!\d){code}[2-6]\d{SEP}\d{SEP}\d{{2}}{SEP}\d{{2}}(?!\d)",
        rf"(?<!\d)(?:\+|00)?(?:\(267\)|267)[ .\-/]{{0,2}}\d(?:{SEP}\d){{6,7}}(?!\d)",
    ]


def _uruguay() -> list[str]:
    """Mobiles 09x and six digits, landlines eight digits from 2 (Montevideo) or 4; with +598 or without."""
    code = r"(?:(?:\+|00)?(?:\(598\)|598)[ .\-/]{0,2})?(?:\(0\))?"
    return [
        rf"(?<!\d){code}0?9[1-9](?:{SEP}\d){{6}}(?!\d)",
        rf"(?<!\d){code}[24]\d{{3}}{SEP}\d{{2}}{SEP}\d{{2}}(?!\d)",
        rf"(?<!\d){code}(?:\(0?[24]\d{{2}}\)|0?[24]\d{{2}}){SEP}\d{{5}}(?!\d)",
        rf"(?<!\d)(?:\+|00)?(?:\(598\)|598)[ .\-/]{{0,2}}\d(?:{SEP}\d){{6,8}}(?!\d)",
    ]
