"""Looks for planted people in any bytes: what a leak test asks of every file that is left behind.

Searching for each spelling of each person would take minutes over a run's files, and a number of eight digits is found
in a long hash by chance. Here the text is cut into numbers, words and addresses once, brought to one spelling, and
compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from acequia.simulate.people import Person, plain

_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?\d(?:[ .\-/]?\d){6,15}(?![0-9A-Za-z])")
_DIGITS = re.compile(r"(?<![0-9A-Za-z])\d{7,16}(?![0-9A-Za-z])")
_WORD = re.compile(r"[^\W\d_]{5,}")
_ADDRESS = re.compile(r"[\w.+\-]+@[\w.\-]+\w")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_DIALS = ("00267", "00598", "267", "598", "0")


def leaked(data: bytes, people: Iterable[Person]) -> list[str]:
    """What of whom is found, such as `phone of person 3`: never the value itself, since this ends in test logs.

    Finds names by family name in any case, with or without accents, in JSON escapes; phones with or without country
    code, leading zero and separators; IDs and IMEIs likewise; addresses in any case. Compressed bytes are for
    the caller to open.
    """
    text = _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), data.decode("utf-8", errors="replace"))
    numbers = {form for match in (*_NUMBER.findall(text), *_DIGITS.findall(text)) for form in _without_dial(match)}
    words = {plain(word).lower() for word in _WORD.findall(text)}
    addresses = {address.lower() for address in _ADDRESS.findall(text)}
    found = []
    for place, person in enumerate(people):
        signs = {
            "name": plain(person.surname).lower() in words,
            "phone": person.phone[4:] in numbers,
            "national_id": person.national_id in numbers,
            "imei": person.imei in numbers,
            "email": person.email.lower() in addresses,
        }
        found += [f"{what} of person {place}" for what, is_there in signs.items() if is_there]
    return found


def _without_dial(number: str) -> set[str]:
    digits = re.sub(r"\D", "", number)
    return {digits, *(digits.removeprefix(dial) for dial in _DIALS)}
