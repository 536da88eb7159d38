"""What single values look like: the findings of the scrubber's engine, less those that a value on its own makes absurd.

The scrubber takes out whatever may be personal, since a remark loses little by it. A value of a kept column is judged
more strictly, for one finding refuses a delivery: it must be a number of the agreement's country or one with a country
code, a document whose check digit is right, or a name with its parts; and no piece of a code such as a UUID.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from acequia.agreement.privacy import Kind

if TYPE_CHECKING:
    from acequia.protect.scrub import Finding

LEAKS: frozenset[Kind] = frozenset(
    {"phone", "email", "national_id", "tax_id", "passport", "plate", "card", "account", "ip"}
)
"""Kinds of which `privacy.leaks_at_most_pct` tolerates so many; `name` has its own tolerance. The others (a link, a
date, some long number) are counted, and refuse nothing: by themselves they name nobody.
"""
STOPPED_FOR = LEAKS | {"name"}
"""Kinds that can refuse a delivery."""

_SURE = 0.4
_SURE_NAME = 0.7  # a listed name with company: one alone is as often a place, a brand or a colour
_SAINTS = re.compile(
    r"(?:san|santa|santo|saint|st\.?|são|villa|puerto|port|fort|lake|mount|río|rio|cerro|monte)\s+$", re.IGNORECASE
)
_AROUND = re.compile(r"[0-9A-Za-z]+(?:[-_][0-9A-Za-z]+)*")
_CHANGE = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_CODE_CHANGES = 3
_OF_COUNTRY = re.compile(r"([A-Z]{2})_")
_ISO = {"UK": "GB"}
_MADE_OF_DIGITS: frozenset[Kind] = LEAKS - {"email", "ip"}


def kinds_of_values(values: Sequence[str], *, language: str, country: str) -> list[frozenset[Kind]]:
    """For each value the kinds of personal data that it holds, in the same order.

    Args:
        values: texts, of any length.
        language: `en` or `es`.
        country: ISO 3166-1 alpha-2, by which telephone numbers without a country code are judged.

    Raises:
        Exception: whatever goes wrong in the engine; its message may hold a value.
    """
    found = _findings(values, language, country)
    return [
        frozenset(kind for finding in findings if (kind := _kind(value, finding, country)) is not None)
        for value, findings in zip(values, found, strict=True)
    ]


def _findings(values: Sequence[str], language: str, country: str) -> Sequence[Sequence[Finding]]:
    from acequia.protect.scrub import find

    return [find(value, language=language, country=country) for value in values]


def _kind(value: str, finding: Finding, country: str) -> Kind | None:
    """What the finding is of, or None where it says nothing of a person."""
    from acequia.protect.kinds import kind_of

    named = _OF_COUNTRY.match(finding.entity)
    if named and finding.entity != "IP_ADDRESS" and _ISO.get(named[1], named[1]) != country:
        return None  # a document of another country: its check digit is right by chance in one code of ten
    kind = kind_of(finding.entity)
    if kind == "name":
        return kind if _is_name(value, finding) else None
    if finding.score < _SURE:
        return None
    if kind in _MADE_OF_DIGITS and _inside_code(value, finding.start, finding.end):
        return None
    if kind == "phone" and not _is_phone(value[finding.start : finding.end], country):
        return None
    return kind


def _is_name(value: str, finding: Finding) -> bool:
    """Whether it is a name by its lists and words around it, or fills the value and has a listed name in it. One that
    follows San or Puerto is a place's.
    """
    from acequia.protect.person_names import listed, plain

    words = value[finding.start : finding.end].split()
    if _SAINTS.search(f"{value[: finding.start]}{words[0]} "):
        return False
    fills = finding.end - finding.start == len(value.strip()) and len(words) > 1
    return finding.score >= _SURE_NAME or (fills and any(plain(word) in listed().every for word in words))


def _inside_code(value: str, start: int, end: int) -> bool:
    """Whether the finding is a piece of a word that goes from letters to digits and back, as hashes and UUIDs do."""
    word = next((match for match in _AROUND.finditer(value) if match.start() <= start < match.end()), None)
    return (
        word is not None
        and (word.start(), word.end()) != (start, end)
        and len(_CHANGE.findall(word.group())) >= _CODE_CHANGES
    )


@lru_cache(maxsize=4096)
def _is_phone(text: str, country: str) -> bool:
    """Whether it is a number that can be given out in the country, or one with its country's code."""
    import phonenumbers

    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf").strip()
    region = None if plain.startswith(("+", "00")) else country
    try:
        number = phonenumbers.parse(f"+{plain[2:]}" if plain.startswith("00") else plain, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)


__all__ = ["LEAKS", "STOPPED_FOR", "kinds_of_values"]
