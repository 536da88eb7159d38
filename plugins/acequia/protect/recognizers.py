"""What Presidio is given beside its own recognizers: names, the numbers and phones of the countries served.

A score orders findings that overlap; nothing is dropped for a low one. Presidio raises it where a context word stands
before the finding. Only the text tells what is personal here, so what looks like a number of a person is taken for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import phonenumbers
from presidio_analyzer import EntityRecognizer, LocalRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import EmailRecognizer, PhoneRecognizer

from acequia.protect.person_names import find_names

_SEP = r"[ .\-/]?"
_NOT_INSIDE = (r"(?<![\d.,])", r"(?!\d|[.,]\d)")
_PHONE_WORDS = ["phone", "tel", "telephone", "cell", "mobile", "call", "ring", "number", "whatsapp", "sms", "teléfono",
                "telefono", "celular", "cel", "móvil", "movil", "llamar", "número", "wpp"]  # fmt: skip
_ID_WORDS = ["id", "omang", "identity", "national", "passport", "ci", "cédula", "cedula", "documento", "doc", "rut",
             "dni", "identidad"]  # fmt: skip

Check = Callable[[str], bool]


def own_recognizers(language: str, country: str) -> list[EntityRecognizer]:
    """The recognizers for a language. Numbers of the agreement's country weigh more than those of others."""

    def weight(of: str) -> float:
        return 0.6 if of == country else 0.35

    patterns: list[tuple[str, str, Sequence[str], float, Check | None, list[str]]] = [
        ("Omang", "BW_OMANG", [_omang()], weight("BW"), is_omang, _ID_WORDS),
        ("Cedula", "UY_CEDULA", [_cedula()], weight("UY"), is_cedula, _ID_WORDS),
        ("Rut", "UY_RUT", [_rut()], weight("UY") + 0.1, is_rut, _ID_WORDS),
        ("BotswanaPhone", "PHONE_NUMBER", _botswana_phones(), weight("BW") - 0.1, None, _PHONE_WORDS),
        ("UruguayPhone", "PHONE_NUMBER", _uruguay_phones(), weight("UY") - 0.1, None, _PHONE_WORDS),
        ("InternationalPhone", "PHONE_NUMBER", [r"(?<!\d)(?:\+|00)[1-9](?:[ .\-/()]{0,2}\d){6,13}(?!\d)"], 0.45, None,
         _PHONE_WORDS),
        ("DocumentNumber", "DOCUMENT_NUMBER", [r"\b(?-i:[A-Z]{1,3})-?\d{6,9}\b"], 0.2, None, _ID_WORDS),
        ("LongNumber", "LONG_NUMBER", [rf"(?<!\d)\d(?:{_SEP}\d){{6,}}(?!\d)"], 0.02, None, _ID_WORDS),
    ]  # fmt: skip
    numbers = [
        NumberRecognizer(name, entity, regexes, score, check, words, language)
        for name, entity, regexes, score, check, words in patterns
    ]
    return [
        *numbers,
        RegionalPhoneRecognizer(context=_PHONE_WORDS, supported_language=language, supported_regions=_regions(country)),
        OfflineEmailRecognizer(
            patterns=[Pattern(pattern.name, pattern.regex, 0.9) for pattern in EmailRecognizer.PATTERNS],
            supported_language=language,
        ),
        PersonRecognizer(language),
    ]


class NumberRecognizer(PatternRecognizer):  # type: ignore[misc]
    """Numbers by pattern; with a check, only those that pass it, at the pattern's score."""

    def __init__(
        self,
        name: str,
        entity: str,
        regexes: Sequence[str],
        score: float,
        check: Check | None,
        context: list[str],
        language: str,
    ) -> None:
        self.check = check
        super().__init__(
            supported_entity=entity,
            name=f"{name}Recognizer",
            supported_language=language,
            patterns=[Pattern(f"{name} {place}", regex, score) for place, regex in enumerate(regexes)],
            context=context,
        )

    def invalidate_result(self, pattern_text: str) -> bool | None:
        """True drops the finding."""
        return None if self.check is None else not self.check(pattern_text)


class RegionalPhoneRecognizer(PhoneRecognizer):  # type: ignore[misc]
    """Presidio's own, asked only for the regions whose numbers are no longer than the digits that are there."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Numbers that are valid in one of the regions, or with their country's code."""
        digits = sum(map(str.isdecimal, text))
        found = [
            self._get_recognizer_result(match, text, region, nlp_artifacts)
            for region in self.supported_regions
            if digits >= _shortest(region)
            for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=self.leniency)
        ]
        for result in found:
            number = text[result.start : result.end]
            if number[0] == "(" and number.count("(") > number.count(")"):
                result.start += 1  # "call me (71 123 456)": the bracket is the sentence's
        return list(EntityRecognizer.remove_duplicates(found))


class OfflineEmailRecognizer(EmailRecognizer):  # type: ignore[misc]
    """Presidio's own, which asks the network for the list of domains; here the list that is installed decides. An
    address at a domain that no list knows (`.local`) is one, too.
    """

    def validate_result(self, pattern_text: str) -> bool | None:
        """True for a public domain, None (the pattern's score) otherwise."""
        return True if _domains()(pattern_text).fqdn else None


class PersonRecognizer(LocalRecognizer):  # type: ignore[misc]
    """Names of people by lists, capitals and what stands before them."""

    def __init__(self, language: str) -> None:
        super().__init__(supported_entities=["PERSON"], name="PersonRecognizer", supported_language=language)

    def load(self) -> None:
        """Nothing to load: the lists are read with the first text."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Where names stand."""
        return [RecognizerResult("PERSON", start, end, score) for start, end, score in find_names(text)]


def is_omang(text: str) -> bool:
    """Nine digits of which the fifth is 1 or 2, the holder's sex (Botswana's Department of Civil Registration)."""
    digits = _digits(text)
    return len(digits) == 9 and digits[4] in "12"  # noqa: PLR2004


def is_cedula(text: str) -> bool:
    """Six or seven digits and a check digit: weights 2, 9, 8, 7, 6, 3, 4, what is missing to the next ten (Uruguay's
    Dirección Nacional de Identificación Civil).
    """
    digits = _digits(text).zfill(8)
    if len(digits) != 8 or digits.startswith("00"):  # noqa: PLR2004
        return False
    total = sum(weight * int(digit) for weight, digit in zip((2, 9, 8, 7, 6, 3, 4), digits, strict=False))
    return (10 - total % 10) % 10 == int(digits[7])


def is_rut(text: str) -> bool:
    """Twelve digits, the last by weights 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2 modulo 11 (Uruguay's Dirección General
    Impositiva); the first two are 01 to 22.
    """
    digits = _digits(text)
    if len(digits) != 12 or not 1 <= int(digits[:2]) <= 22:  # noqa: PLR2004
        return False
    total = sum(weight * int(digit) for weight, digit in zip((4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), digits, strict=False))
    return (11 - total % 11) % 11 == int(digits[11])


def _omang() -> str:
    before, after = _NOT_INSIDE
    return rf"{before}\d{{3,4}}{_SEP}\d(?:{_SEP}\d){{4,5}}{after}"


def _cedula() -> str:
    before, after = _NOT_INSIDE
    return rf"{before}(?:\d[. ]?)?\d{{3}}[. ]?\d{{3}}{_SEP}\d{after}"


def _rut() -> str:
    before, after = _NOT_INSIDE
    return rf"{before}\d{{2}}{_SEP}\d{{3}}{_SEP}\d{{3}}{_SEP}\d{{3}}{_SEP}\d{after}"


def _botswana_phones() -> list[str]:
    """Mobiles 71 to 78 and eight digits in all, landlines seven digits from 2 to 6; with +267 or without."""
    code = r"(?:(?:\+|00)?(?:\(267\)|267)[ .\-/]{0,2})?(?:\(0?\))?"
    return [
        rf"(?<!\d){code}7[1-9](?:{_SEP}\d){{6}}(?!\d)",
        rf"(?<!\d){code}[2-6]\d{{2}}{_SEP}\d{{4}}(?!\d)",
        rf"(?<!\d)(?:\+|00)?(?:\(267\)|267)[ .\-/]{{0,2}}\d(?:{_SEP}\d){{6,7}}(?!\d)",
    ]


def _uruguay_phones() -> list[str]:
    """Mobiles 09x and six digits, landlines eight digits from 2 (Montevideo) or 4; with +598 or without."""
    code = r"(?:(?:\+|00)?(?:\(598\)|598)[ .\-/]{0,2})?(?:\(0\))?"
    return [
        rf"(?<!\d){code}0?9[1-9](?:{_SEP}\d){{6}}(?!\d)",
        rf"(?<!\d){code}[24]\d{{3}}{_SEP}\d{{2}}{_SEP}\d{{2}}(?!\d)",
        rf"(?<!\d)(?:\+|00)?(?:\(598\)|598)[ .\-/]{{0,2}}\d(?:{_SEP}\d){{6,8}}(?!\d)",
    ]


def _regions(country: str) -> tuple[str, ...]:
    """The agreement's country first, then those of this project, then Presidio's own."""
    known = phonenumbers.SUPPORTED_REGIONS
    wanted = (country, "BW", "UY", *PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS)
    return tuple(dict.fromkeys(region for region in wanted if region in known))


@cache
def _shortest(region: str) -> int:
    general = getattr(phonenumbers.PhoneMetadata.metadata_for_region(region), "general_desc", None)
    return min((length for length in getattr(general, "possible_length", ()) if length > 0), default=0)


def _digits(text: str) -> str:
    """Decimal digits of any script, as ASCII."""
    return "".join(str(int(sign)) for sign in text if sign.isdecimal())


@cache
def _domains() -> Any:
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)
