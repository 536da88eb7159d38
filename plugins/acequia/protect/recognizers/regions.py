"""Telephone numbers as libphonenumber reads them, by region, in a tenth of the time that it takes.

The library parses every stretch of digits anew for each region. A number that is valid in a region has the region's
pattern in its digits, so a text without it is not shown to that region; only where a number could begin with the code
of a country or what is dialled to call abroad, all regions are asked.
"""

from __future__ import annotations

import re
from functools import cache

import phonenumbers
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import (
    PhoneRecognizer,
    ZaMobileNumberRecognizer,
    ZaTelephoneNumberRecognizer,
)
from presidio_analyzer.predefined_recognizers.country_specific.south_africa.za_phone_number_recognizer import (
    ZaPhoneNumberRecognizer,
)

from acequia.protect.recognizers.numbers import digits

_STRETCH = re.compile(r"[^A-WYZa-wyz]+")
"""What a telephone number cannot reach over: letters, save the x that some write between digits."""

_ABROAD = re.compile(r"0[01]")
_PLUS = re.compile(r"[+\uff0b]")


class RegionalPhoneRecognizer(PhoneRecognizer):  # type: ignore[misc]
    """Presidio's own, asked only for the regions that the digits allow, and for no further region once every digit is
    part of a number.
    """

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Numbers that are valid in one of the regions, or with their country's code."""
        stretches = [match.span() for match in _STRETCH.finditer(text)]
        counts = [sum(map(str.isdecimal, text[start:end])) for start, end in stretches]
        least = min(map(shortest, self.supported_regions))
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
            if could_hold(text, region):
                matches = phonenumbers.PhoneNumberMatcher(text, region, leniency=self.leniency)
                results = [self._get_recognizer_result(match, text, region, nlp_artifacts) for match in matches]
                left.difference_update(*(range(result.start, result.end) for result in results))
                found += results
        return list(EntityRecognizer.remove_duplicates([_without_bracket(result, text) for result in found]))


class SouthAfricanPhoneRecognizer(ZaPhoneNumberRecognizer):  # type: ignore[misc]
    """Presidio's two for mobiles and for other lines, which read every text twice, in one."""

    def __init__(self, language: str) -> None:
        super().__init__("ZA_MOBILE_NUMBER", "mobile", supported_language=language)
        parts = (ZaMobileNumberRecognizer, ZaTelephoneNumberRecognizer)
        self.entities = {part().target_classification: part().supported_entities[0] for part in parts}
        self.supported_entities = list(self.entities.values())

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Numbers that are valid in South Africa, by their kind of line."""
        found: list[RecognizerResult] = []
        if not could_hold(text, self.REGION):
            return found
        for match in phonenumbers.PhoneNumberMatcher(text, self.REGION, leniency=self.leniency):
            if phonenumbers.region_code_for_number(match.number) == self.REGION:
                entity = self.entities.get(self._classify(match.number))
                if entity is not None:
                    result = self._get_recognizer_result(match, text, self.REGION, nlp_artifacts)
                    result.entity_type = entity
                    found.append(result)
        return list(EntityRecognizer.remove_duplicates(found))


def could_hold(text: str, region: str) -> bool:
    """Whether a number that is valid in the region, or one with a country's code, could stand in the text; False is
    certain.
    """
    if _PLUS.search(text):
        return True
    pattern = _national(region)
    for stretch in _STRETCH.findall(text):
        number = digits(stretch)
        if len(number) >= shortest(region) and (
            pattern is None or _ABROAD.search(number) is not None or pattern.search(number) is not None
        ):
            return True
    return False


@cache
def _national(region: str) -> re.Pattern[str] | None:
    """The region's numbers, without what is dialled before them; None where that changes the number itself."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    general = getattr(metadata, "general_desc", None)
    if metadata is None or general is None or not general.national_number_pattern:
        return None
    if re.search(r"(?<!\\)[0-9]", metadata.national_prefix_transform_rule or ""):
        return None
    return re.compile(general.national_number_pattern)


def _without_bracket(result: RecognizerResult, text: str) -> RecognizerResult:
    """In "call me (71 123 456)" the bracket is the sentence's."""
    number = text[result.start : result.end]
    if number[0] == "(" and number.count("(") > number.count(")"):
        result.start += 1
    return result


def regions(country: str) -> tuple[str, ...]:
    """The agreement's country first, then those of this project, then Presidio's own; of several regions that share a
    country code, the United States and Canada, the first stands for all.
    """
    known = phonenumbers.SUPPORTED_REGIONS
    wanted = [region for region in (country, "BW", "UY", *PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS) if region in known]
    codes = {phonenumbers.country_code_for_region(region): region for region in reversed(wanted)}
    return tuple(dict.fromkeys(codes[phonenumbers.country_code_for_region(region)] for region in wanted))


@cache
def shortest(region: str) -> int:
    """How many digits the shortest numbers have in the region, and in those that share its country code."""
    regions_of_code = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[phonenumbers.country_code_for_region(region)]
    metadata = filter(None, map(phonenumbers.PhoneMetadata.metadata_for_region, regions_of_code))
    lengths = [length for one in metadata for length in getattr(one.general_desc, "possible_length", ())]
    return min((length for length in lengths if length > 0), default=0)
