"""Telephone numbers: patterns for the countries served, libphonenumber for them and for those that Presidio knows."""

from __future__ import annotations

import re
from functools import cache, partial

import phonenumbers
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import (
    PhoneRecognizer,
    ZaMobileNumberRecognizer,
    ZaTelephoneNumberRecognizer,
)

from acequia.protect.recognizers.numbers import SEP, NumberRecognizer, weight

PHONE_WORDS = ("phone", "tel", "telephone", "cell", "cellphone", "mobile", "call", "ring", "number", "whatsapp", "sms",
               "contact", "msisdn", "teléfono", "telefono", "celular", "cel", "móvil", "movil", "llamar", "número",
               "wpp", "contacto")  # fmt: skip
_INTERNATIONAL = r"(?<!\d)(?:\+|00)[1-9](?:[ .\-/()]{0,2}\d){6,13}(?!\d)"
_STRETCH = re.compile(r"[^A-WYZa-wyz]+")
"""What a telephone number cannot reach over: letters, save the x that some write between digits."""


def phones(language: str, country: str) -> list[EntityRecognizer]:
    """Patterns with and without the country's code, and libphonenumber by region."""
    phone = partial(NumberRecognizer, context=PHONE_WORDS, language=language)
    botswana, uruguay = weight("BW", country) - 0.1, weight("UY", country) - 0.1
    return [
        phone("BotswanaPhone", "PHONE_NUMBER", _botswana(), score=botswana),
        phone("UruguayPhone", "PHONE_NUMBER", _uruguay(), score=uruguay),
        phone("InternationalPhone", "PHONE_NUMBER", [_INTERNATIONAL], score=0.45),
        RegionalPhoneRecognizer(
            context=list(PHONE_WORDS), supported_language=language, supported_regions=_regions(country)
        ),
        ZaMobileNumberRecognizer(supported_language=language),
        ZaTelephoneNumberRecognizer(supported_language=language),
    ]


class RegionalPhoneRecognizer(PhoneRecognizer):  # type: ignore[misc]
    """Presidio's own, asked only for the regions whose numbers are no longer than the digits that stand together, and
    for no further region once every digit is part of a number.
    """

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Numbers that are valid in one of the regions, or with their country's code."""
        stretches = [match.span() for match in _STRETCH.finditer(text)]
        counts = [sum(map(str.isdecimal, text[start:end])) for start, end in stretches]
        most, least = max(counts, default=0), min(map(shortest, self.supported_regions))
        left = {
            place
            for (start, end), count in zip(stretches, counts, strict=True)
            for place in range(start, end)
            if count >= least and text[place].isdecimal()
        }
        found: list[RecognizerResult] = []
        for region in self.supported_regions:
            if not left:
                break
            if most >= shortest(region):
                matches = phonenumbers.PhoneNumberMatcher(text, region, leniency=self.leniency)
                results = [self._get_recognizer_result(match, text, region, nlp_artifacts) for match in matches]
                left.difference_update(*(range(result.start, result.end) for result in results))
                found += results
        return list(EntityRecognizer.remove_duplicates([_without_bracket(result, text) for result in found]))


def _without_bracket(result: RecognizerResult, text: str) -> RecognizerResult:
    """In "call me (71 123 456)" the bracket is the sentence's."""
    number = text[result.start : result.end]
    if number[0] == "(" and number.count("(") > number.count(")"):
        result.start += 1
    return result


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


def _regions(country: str) -> tuple[str, ...]:
    """The agreement's country first, then those of this project, then Presidio's own."""
    known = phonenumbers.SUPPORTED_REGIONS
    wanted = (country, "BW", "UY", *PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS)
    return tuple(dict.fromkeys(region for region in wanted if region in known))


@cache
def shortest(region: str) -> int:
    """How many digits the region's shortest numbers have."""
    general = getattr(phonenumbers.PhoneMetadata.metadata_for_region(region), "general_desc", None)
    return min((length for length in getattr(general, "possible_length", ()) if length > 0), default=0)
