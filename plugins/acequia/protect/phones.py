"""Telephone numbers in the form of E.164, `+26771123456`, as libphonenumber reads them in a country.

The library takes some 30 microseconds a number, too long for millions. What is written plainly (digits with blanks,
dots, dashes or brackets, with or without +, 00 or the country's code) is read by the country's own pattern out of the
library's metadata, in the library's order of steps; everything else is left to the library.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

Read = Callable[[str], str | None]

_BETWEEN = str.maketrans("", "", " .-()/\t\u00a0")
_PLAIN = re.compile(r"\+?[0-9]+")
_LONGEST = 30  # signs; a number has 15 digits at most, an extension some more


@dataclass(frozen=True)
class _Plan:
    """A country's numbering plan: its code, the pattern of its numbers, the prefix of calls inside it (0) or none, and
    what is dialled to call abroad.
    """

    code: str
    national: re.Pattern[str]
    prefix: str
    outward: re.Pattern[str]


def phone_form(country: str) -> Callable[[str], str]:
    """The normal form of a value that should be a telephone number, in a country (ISO 3166).

    A number with an extension is its own subscriber. What cannot be a number keeps the form of any text.
    """
    is_normal, plain = _plain_reader(country)

    def form(value: str) -> str:
        if is_normal(value):
            return value
        found = plain(value)
        if found is None:
            text = _folded(value)
            found = plain(text) or _by_library(text, country) or text
        return found

    return form


def _plain_reader(country: str) -> tuple[Callable[[str], object], Read]:
    """Whether a value is in normal form already, and the reader of plain writings; None is what neither can tell."""
    home = _plan(country)
    if home is None:
        return (lambda _: None), (lambda _: None)
    national, code, prefix = home.national.fullmatch, home.code, home.prefix
    begins = (f"+{code}", f"00{code}", code, *([prefix] if prefix else []))
    trunk = rf"(?!{prefix})" if prefix else ""
    is_normal = re.compile(rf"\+{code}{trunk}(?:{home.national.pattern})", re.ASCII).fullmatch

    def read(value: str) -> str | None:
        digits = value if _PLAIN.fullmatch(value) else value.translate(_BETWEEN)
        if not national(digits):
            begin = next((begin for begin in begins if digits.startswith(begin)), None)
            if begin is None or (begin == prefix and home.outward.match(digits)):
                return None
            digits = digits[len(begin) :]
            if not national(digits):
                return None
        return None if prefix and digits.startswith(prefix) else f"+{code}{digits}"

    return is_normal, read


@cache
def _plan(country: str) -> _Plan | None:
    """The plan of a country whose prefix is as plain as this module takes it for; None leaves all to the library."""
    from phonenumbers import PhoneMetadata, country_code_for_region

    known = PhoneMetadata.metadata_for_region(country)
    pattern = known.general_desc.national_number_pattern if known and known.general_desc else None
    if known is None or pattern is None or known.national_prefix_transform_rule:
        return None
    prefix = known.national_prefix_for_parsing or ""
    outward = re.compile(known.international_prefix or "$^")
    abroad = outward.match("00")
    if prefix not in ("", "0") or abroad is None or abroad.group() != "00":
        return None
    return _Plan(str(country_code_for_region(country)), re.compile(pattern, re.ASCII), prefix, outward)


def _folded(value: str) -> str:
    """NFKC, without signs of no width and blanks at the ends."""
    if value.isascii():
        return value.strip()
    folded = unicodedata.normalize("NFKC", value)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf").strip()


def _by_library(value: str, country: str) -> str | None:
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse

    if len(value) > _LONGEST:
        return None  # a text, not a number: the library would pick one out of it
    try:
        number = parse(value, country)
    except NumberParseException:
        return None
    if not is_possible_number(number):
        return None
    extension = f";ext={number.extension}" if number.extension else ""
    return str(format_number(number, PhoneNumberFormat.E164)) + extension
