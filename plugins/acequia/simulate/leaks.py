"""Looks for planted people in any bytes: what a leak test asks of every file that is left behind.

Searching for each spelling of each person would take minutes over a run's files, and a number of eight digits is found
in a long hash by chance. Here the text is read in every way in which somebody could have hidden a value (escapes,
entities, Base64, other digits), cut into numbers, words and addresses once, brought to one spelling, and compared.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from acequia.simulate.people import Person, plain

_NUMBERS = re.compile(r"(?<![0-9A-Za-z])\d{1,16}(?:[\s.\-/()+]{1,3}\d{1,16})*(?![0-9A-Za-z])")
_WORD = re.compile(r"[^\W\d_]{5,}")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_PACKED = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_NO_WIDTH = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_DASH = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_DOT = re.compile("[\u00b7\u2022\u2024\u2027\u30fb\uff0e\u2219]")
_DIALS = ("00267", "00598", "267", "598", "0")
_GROUPS = 8


def leaked(data: bytes, people: Iterable[Person]) -> list[str]:
    """What of whom is found, such as `phone of person 3`: never the value itself, since this ends in test logs.

    Finds names by family name in any case, with or without accents; phones with or without country code, leading zero
    and separators; IDs and IMEIs likewise; addresses by what stands before the @. All of it also in JSON escapes, HTML
    entities, percent signs, Base64, UTF-16, other digits, with signs of no width, or read in a wrong encoding.
    Compressed bytes are for the caller to open.
    """
    numbers: set[str] = set()
    words: set[str] = set()
    texts = []
    for text in readings(data):
        numbers |= {form for run in _NUMBERS.findall(text) for form in _numbers(run)}
        words |= {plain(word).lower() for word in _WORD.findall(text)}
        texts.append(text.casefold())
    found = []
    for place, person in enumerate(people):
        local = person.email.partition("@")[0].casefold()
        signs = {
            "name": plain(person.surname).lower() in words,
            "phone": person.phone[4:] in numbers,
            "national_id": person.national_id in numbers,
            "imei": person.imei in numbers,
            "email": any(local in text for text in texts),
        }
        found += [f"{what} of person {place}" for what, is_there in signs.items() if is_there]
    return found


def readings(data: bytes) -> Iterator[str]:
    """The ways in which bytes can be read as text, each once."""
    text = data.decode("utf-8", errors="replace")
    clear = cleared(text)
    ways = [text, clear, *(cleared(way) for way in _repaired(text)), *_unpacked(clear)]
    if b"\0" in data:
        ways += [data.decode(codec, errors="ignore") for codec in ("utf-16-le", "utf-16-be")]
    yield from dict.fromkeys(ways)


def cleared(text: str) -> str:
    """Escapes, entities and percent signs undone; no signs without width; one kind of digit, dash, dot and blank."""
    text = _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)
    text = unquote(html.unescape(text), errors="replace") if "%" in text or "&" in text else text
    text = _DOT.sub(".", _DASH.sub("-", _NO_WIDTH.sub("", text)))
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.digit(sign)) if sign.isdigit() and not sign.isascii() else sign for sign in text)


def _repaired(text: str) -> Iterator[str]:
    """What UTF-8 was before somebody read it as another encoding."""
    for codec in ("latin-1", "cp1252") if not text.isascii() else ():
        yield text.encode(codec, errors="ignore").decode("utf-8", errors="ignore")


def _unpacked(text: str) -> Iterator[str]:
    """What stands in everything that may be Base64, one a line."""
    found = []
    for token in _PACKED.findall(text):
        bare = token.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            found.append(base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8"))
        except (binascii.Error, ValueError):
            continue
    if found:
        yield cleared("\n\n\n\n".join(found))


def _numbers(run: str) -> set[str]:
    """The numbers that neighbouring groups of digits may be meant as."""
    groups = re.findall(r"\d+", run)
    found = set()
    for start in range(len(groups)):
        number = ""
        for group in groups[start : start + _GROUPS]:
            number += group
            if len(number) > 16:
                break
            if len(number) >= 7:
                found |= {number, *(number.removeprefix(dial) for dial in _DIALS)}
    return found
