"""Telephone numbers as libphonenumber reads them, by region, in a tenth of the time that it takes.

The library parses every stretch of digits anew for each region. What it takes for a number reaches from where digits
begin to where they end; there it holds one of the region's numbers, after what may be dialled before them. So a text in
which no such part is one is not shown to that region; only where a number could begin with a plus or with what is
dialled to call abroad, all regions are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

_LETTER = re.compile(r"[A-WYZa-wyz]")
"""What a telephone number cannot reach over: letters, save the x that some write between digits."""

_PLUS = re.compile(r"[+\uff0b]")
_RUN = re.compile(r"\d+")
_EXTENSION = re.compile(r"[xｘ#＃~～]|int|ｉｎｔ|доб", re.IGNORECASE)  # noqa: RUF001
"""In what every sign of an extension has a part: the library may begin anew within the digits of one that is long."""

_LONG_RUN, _MOST, _MANY_RUNS = 9, 17, 8
_KINDS = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail",
          "fixed_line", "mobile")  # fmt: skip


class RegionalPhoneRecognizer(PhoneRecognizer):  # type: ignore[misc]
    """Presidio's own, asked only for the regions that the digits allow, and for no further region once every digit is
    part of a number.
    """

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Numbers that are valid in one of the regions, or with their country's code."""
        least = min(map(shortest, self.supported_regions))
        held = Digits(text)
        left = {
            place
            for runs in held.stretches
            if sum(end - start for start, end in runs) >= least
            for start, end in runs
            for place in range(start, end)
        }
        found: list[RecognizerResult] = []
        for region in self.supported_regions:
            if not left:
                break
            abroad = held.dials_abroad(region)
            if abroad or held.has_number(region):
                matches = phonenumbers.PhoneNumberMatcher(
                    text, region, leniency=self.leniency, min_candidate_length=0 if abroad else shortest(region)
                )
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
        if not Digits(text).has_number(self.REGION):
            return found
        for match in phonenumbers.PhoneNumberMatcher(text, self.REGION, leniency=self.leniency):
            if phonenumbers.region_code_for_number(match.number) == self.REGION:
                entity = self.entities.get(self._classify(match.number))
                if entity is not None:
                    result = self._get_recognizer_result(match, text, self.REGION, nlp_artifacts)
                    result.entity_type = entity
                    found.append(result)
        return list(EntityRecognizer.remove_duplicates(found))


class Digits:
    """The digits of a text: `stretches` are those that one number may hold, each as the runs (start, end) in it."""

    def __init__(self, text: str) -> None:
        self.stretches: list[list[tuple[int, int]]] = []
        before = -1
        for match in _RUN.finditer(text):
            start, end = match.span()
            if before < 0 or _LETTER.search(text, before, start):
                self.stretches.append([])
            self.stretches[-1].append((start, end))
            before = end
        self.has_plus = _PLUS.search(text) is not None
        longest = max((end - start for runs in self.stretches for start, end in runs), default=0)
        many = max(map(len, self.stretches), default=0) > _MANY_RUNS
        self.unsure = many or (longest > _LONG_RUN and (longest > _MOST or _EXTENSION.search(text) is not None))
        self.parts = [
            part for runs in self.stretches for part in _parts([digits(text[start:end]) for start, end in runs])
        ]

    def dials_abroad(self, region: str) -> bool:
        """Whether a number of any country may stand there; False is certain."""
        abroad = plan(region).abroad
        return self.has_plus or self.unsure or any(abroad.match(part) for part in self.parts)

    def has_number(self, region: str) -> bool:
        """Whether a number that is valid in the region may stand there; False is certain."""
        dialled = plan(region).dialled
        return self.unsure or any(dialled.fullmatch(part) for part in self.parts)


def _parts(runs: Sequence[str]) -> Iterator[str]:
    """All that begins with a run and ends with one."""
    if len(runs) > _MANY_RUNS:
        return
    for first in range(len(runs)):
        for last in range(first, len(runs)):
            yield "".join(runs[first : last + 1])


@dataclass(frozen=True)
class Plan:
    """What may be dialled in a region: to begin a call abroad, and to reach a number of its own."""

    abroad: re.Pattern[str]
    dialled: re.Pattern[str]


@cache
def plan(region: str) -> Plan:
    """From the library's metadata: what it cuts off before a number, then the numbers that it calls valid."""
    code = phonenumbers.country_code_for_region(region)
    sharing = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    everyone = [known for one in sharing if (known := phonenumbers.PhoneMetadata.metadata_for_region(one)) is not None]
    reading = [known for known in everyone if known.id in (region, sharing[0])]
    valid = dict.fromkeys(number for known in everyone for number in _numbers(known))
    begins = dict.fromkeys(filter(None, (known.national_prefix_for_parsing for known in reading)))
    abroad = "|".join(filter(None, (known.international_prefix for known in reading if known.id == region))) or "$^"
    before = rf"(?:{abroad})?(?:{code})?(?:{'|'.join(begins)})?"
    rules = [known.national_prefix_transform_rule or "" for known in reading]
    if any(rules):  # what is cut off leaves a part of itself; at the end, if the rule adds nothing to it
        before = r"\d*"
    if any(re.search(r"(?<!\\)[0-9]", rule) for rule in rules):
        valid = {r"\d{2,}": None}
    return Plan(re.compile(abroad), re.compile(rf"{before}(?:{'|'.join(valid)})"))


def _numbers(known: phonenumbers.PhoneMetadata) -> Iterator[str]:
    """The patterns of the numbers of every kind that is valid."""
    for kind in _KINDS:
        pattern = getattr(getattr(known, kind), "national_number_pattern", None)
        if pattern:
            yield pattern


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
