"""What single values look like: what recognizers find, less what a value on its own makes absurd.

The scrubber takes out whatever may be personal, since a remark loses little by it. A value of a kept column is judged
more strictly, for one finding refuses a delivery: it must be a number of the agreement's country or one with a country
code, a document whose check digit is right, or a name with its parts; and no piece of a code such as a UUID. Values of
digits alone, which most codes are, need no recognizer: their length and check digit decide. So it is with numbers as
tables export them, 71123456.0 and 7.1123456E7.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache

from acequia.agreement.privacy import Kind
from acequia.protect.kinds import kind_of
from acequia.protect.leak_reader import LEAKS, STOPPED_FOR, leak_reader
from acequia.protect.reader import Finding
from acequia.protect.views import views, with_views
from acequia.protect.whole_numbers import DOCUMENTS, is_card, is_product

_SURE = 0.45
_SURE_NAME = 0.7  # a listed name with company: one alone is as often a place, a brand or a colour
_CODE_CHANGES = 3
_PIECE, _OVERLAP = 2_000, 200  # characters
_DIGITS_AT_MOST = 19
_CARDS = re.compile(r"1(?!\d{12}$)|3|4|5[0-5]|6")  # with what numbers of cards begin, in Presidio's recognizer
_SAINTS = re.compile(
    r"(?:san|santa|santo|saint|st\.?|são|villa|puerto|port|fort|lake|mount|río|rio|cerro|monte)\s+$", re.IGNORECASE
)
_AROUND = re.compile(r"[0-9A-Za-z]+(?:[-_][0-9A-Za-z]+)*")
_CHANGE = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_EXPORTED = re.compile(r"(\d{1,19})\.0+|\d\.\d{4,18}[eE]\+?\d{1,2}", re.ASCII)
_LONGER = re.compile(r"[-/_.]\d")
_MONTH = re.compile(
    r"(?:jan|ene|feb|mar|apr|abr|may|jun|jul|aug|ago|sep|set|oct|nov|dec|dic)[- ]?(?:19|20)\d\d", re.IGNORECASE
)
_MADE_OF_DIGITS: frozenset[Kind] = LEAKS - {"email", "ip"}


def kinds_of_values(values: Sequence[str], *, language: str, country: str) -> list[frozenset[Kind]]:
    """For each value the kinds of personal data that it holds, of those that can refuse a delivery, in the same order.

    Args:
        values: texts, of any length.
        language: `en` or `es`.
        country: ISO 3166-1 alpha-2, by which telephone numbers without a country code are judged.

    Raises:
        Exception: whatever goes wrong in the engine; its message may hold a value.
    """
    found: list[set[Kind]] = [set() for _ in values]
    texts: list[str] = []
    owners: list[int] = []
    for number, value in enumerate(values):
        digits = _digits_alone(value)
        if digits is not None:
            found[number] |= kinds_of_digits(digits, country)
            continue
        for piece in _pieces(value):
            texts.append(piece)
            owners.append(number)
    for place in with_views(texts):
        for view in views(texts[place]):
            texts.append(view.text)
            owners.append(owners[place])
    for place, findings in leak_reader(language, country).read(texts) if texts else ():
        found[owners[place]] |= set(_kinds(texts[place], findings, country))
    return [frozenset(kinds) for kinds in found]


def _digits_alone(value: str) -> str | None:
    """The digits of a value that is a whole number and nothing else, also where a table wrote it as a float."""
    if value.isascii() and value.isdigit() and len(value) <= _DIGITS_AT_MOST:
        return value
    exported = _EXPORTED.fullmatch(value)
    if exported is None or exported[1]:
        return exported and exported[1]
    whole = Decimal(value)
    return f"{whole:.0f}" if whole == whole.to_integral_value() and whole.adjusted() < _DIGITS_AT_MOST else None


def kinds_of_digits(digits: str, country: str) -> set[Kind]:
    """What a number without any other sign can be, by its length, its check digit, and the country's telephones."""
    kinds: set[Kind] = {kind for kind, check in DOCUMENTS.get(country, {}).items() if check(digits)}
    if is_card(digits) and _CARDS.match(digits) and not is_product(digits):
        kinds.add("card")
    lengths, code = _phone_lengths(country)
    local = len(digits.removeprefix(code))
    possible = digits.startswith("00") or {len(digits), len(digits) - 1, local, local - 1} & lengths
    if possible and _is_phone(digits, country):
        kinds.add("phone")
    return kinds


def _pieces(value: str) -> Iterator[str]:
    """A long value in parts that overlap: the time that a text takes grows faster than its length."""
    step = _PIECE - _OVERLAP
    for start in range(0, max(len(value) - _OVERLAP, 1), step):
        yield value[start : start + _PIECE]


def _kinds(text: str, findings: Sequence[Finding], country: str) -> Iterator[Kind]:
    """What the findings are of, those left out that say nothing of a person."""
    for finding in findings:
        kind, inside = kind_of(finding.entity), text[finding.start : finding.end]
        if kind == "name":
            counts = _is_name(text, finding)
        elif kind == "phone":
            counts = not _inside_code(text, finding) and _is_phone(inside, country)
        else:
            counts = finding.score >= _SURE and not (kind in _MADE_OF_DIGITS and _inside_code(text, finding))
            counts = counts and not (kind == "card" and is_product(re.sub(r"\D", "", inside)))
            counts = counts and not (kind == "plate" and _is_no_plate(text, finding))
        if counts and kind in STOPPED_FOR:
            yield kind


def _is_name(text: str, finding: Finding) -> bool:
    """Whether it is a name by its lists and words around it, or fills the text and has a listed name in it. One that
    follows San or Puerto is a place's.
    """
    from acequia.protect.person_names import listed, plain

    words = text[finding.start : finding.end].split()
    if not words or _SAINTS.search(f"{text[: finding.start]}{words[0]} "):
        return False
    fills = finding.end - finding.start == len(text.strip()) and len(words) > 1
    return finding.score >= _SURE_NAME or (fills and any(plain(word) in listed().every for word in words))


def _inside_code(text: str, finding: Finding) -> bool:
    """Whether the finding is a piece of a word that goes from letters to digits and back, as hashes and UUIDs do."""
    start, end = finding.start, finding.end
    word = next((match for match in _AROUND.finditer(text) if match.start() <= start < match.end()), None)
    whole = word is None or (word.start(), word.end()) == (start, end)
    return not whole and word is not None and len(_CHANGE.findall(word.group())) >= _CODE_CHANGES


def _is_no_plate(text: str, finding: Finding) -> bool:
    """Whether it is a month, `NOV 2026`, or the beginning of a longer code, `INV-2026-000123`."""
    return bool(_LONGER.match(text, finding.end) or _MONTH.fullmatch(text[finding.start : finding.end]))


def _is_phone(text: str, country: str) -> bool:
    """Whether it is a number that can be given out in the country, or one with its country's code. Those that only
    firms have are nobody's: in Uruguay any 2112.
    """
    import phonenumbers

    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf").strip()
    region = None if plain.startswith(("+", "00")) else country
    try:
        number = phonenumbers.parse(f"+{plain[2:]}" if plain.startswith("00") else plain, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.UAN


@cache
def _phone_lengths(country: str) -> tuple[frozenset[int], str]:
    """How many digits the country's landlines and mobiles have, and its code."""
    import phonenumbers

    found = phonenumbers.PhoneMetadata.metadata_for_region(country)
    if found is None:
        return frozenset(), "+"
    described = [kind or found.general_desc for kind in (found.fixed_line, found.mobile)]
    lengths = {length for kind in described if kind for length in kind.possible_length}
    return frozenset(lengths), str(found.country_code)


__all__ = ["LEAKS", "STOPPED_FOR", "kinds_of_digits", "kinds_of_values"]
