"""Finds people's names in text without a model: from lists of names, from capital letters, from what stands before.

What this finds is any of: a listed given or family name with what belongs to it ("kagiso mobokwanelo", "PÉREZ, ANA");
what follows Mr, Sra., "spoke to", "a nombre de" or "name:"; and two capitalised words side by side, listed or not. The
last takes places and firms too: in free text that is the better mistake. What this misses: an unlisted name alone, or
in lower case, without a word before it that gives it away.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "names"
_LONGEST = 5  # words
WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_GAP = re.compile(r"[ \t\u00a0]{1,3}|[._]")
_GAP_AFTER_INITIAL = re.compile(r"\.[ \t\u00a0]{0,2}|[ \t\u00a0]{1,2}")
_COMMA = re.compile(r",[ \t\u00a0]{0,2}")
_PARTICLES = frozenset({
    "de", "del", "la", "las", "los", "da", "das", "do", "dos", "di", "van", "von", "der", "den", "bin", "ben", "y", "e",
    "o",
})  # fmt: skip
HONORIFICS = frozenset({
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "mma", "rra", "sr", "sra", "srta", "don", "dona", "dra",
    "ing", "lic", "cr", "esc", "arq", "madam", "sir",
})  # fmt: skip
_BEFORE = re.compile(
    r"""\b(?:
      (?:spoke|speak|speaking|talk|talked|chatted|met)\s+(?:to|with)\s+
    | (?:ask|asks|asked|asking)\s+for\s+
    | (?:my\s+name\s+is|this\s+is|i\s+am|i'm)\s+
    | (?:call|called|calling|ring|rang|phone|phoned|contact|contacted|tell|told|dear|hi|hello|thanks|regards|sincerely
        |signed|attn|named|customer|client|driver|rider|passenger|subscriber|agent|owner|wife|husband|mother|father|son
        |daughter|brother|sister|neighbou?r)[\s:,]+(?:by\s+|is\s+|to\s+|from\s+)?
    | (?:habl[eéoó]|hablar|hablado)\s+con\s+
    | (?:llam[aeoéó]r?|avisa[r]?|avis[eéoó]|preguntar?|pregunt[eéoó]|entregad[oa]|entregar?|entreg[eéoó]|busca)\s+
        (?:a|por|con)\s+
    | a\s+nombre\s+de\s+
    | (?:se\s+llama|me\s+llamo|soy|mi\s+nombre\s+es|cliente|clienta|titular|se[nñ]ora?|se[nñ]orita|conductora?|chofer
        |pasajer[oa]|usuari[oa]|vecin[oa]|espos[oa]|marido|hij[oa]|herman[oa]|madre|padre|estimad[oa]|hola|atte
        |atentamente|saludos|gracias|firmado|firm[oó]|recib[eií][oó]?|retira|retir[oó]|encargad[oa])
        [\s:,.]+(?:por\s+|de\s+|a\s+|es\s+)?
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_BEFORE_ASCII = re.compile(_BEFORE.pattern, re.VERBOSE)
"""The same for texts of ASCII in lower case, in a quarter of the time."""

LABEL = re.compile(
    r"""\b(?:(?:full|first|last|given|family|middle)[_\s]?name|name|surname|nombres?|apellidos?|titular)
    ["'”]?\s*[:=]\s*["'“]?""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Names:
    """The lists: all in lower case, without accents. `sure` are the names that are no everyday words as well."""

    every: frozenset[str]
    sure: frozenset[str]
    words: frozenset[str]


class Word(NamedTuple):
    """One word of a text: where it stands, how it is compared, and how it is written."""

    start: int
    end: int
    plain: str
    style: str  # initial, upper, title, lower


@cache
def listed() -> Names:
    """Read the lists, once."""
    words = frozenset(plain(word) for word in (FOLDER / "words.txt").read_text(encoding="utf-8").split())
    lines = [
        line.split()
        for path in sorted((*FOLDER.glob("given_*.txt"), *FOLDER.glob("family_*.txt")))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    every = frozenset(line[0] for line in lines)
    unsure = frozenset(line[0] for line in lines if line[-1] == "?")
    return Names(every, every - unsure - words, words)


def plain(text: str) -> str:
    """Lower case, without accents, with one kind of apostrophe."""
    if text.isascii():
        return text.casefold()
    bare = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    return bare.casefold().replace("’", "'")


def name_parts(text: str) -> Iterator[str]:
    """What of a text could be a listed name or an honorific: each word, and each part of a word with a hyphen."""
    for match in WORD.finditer(text):
        word = plain(match.group())
        yield word
        if "-" in word:
            yield from word.split("-")


def find_names(text: str) -> list[tuple[int, int, float]]:
    """Where names stand: start, end (exclusive) and how sure, 0..1. Spans may overlap."""
    return list(_Finder(text).find())


class _Finder:
    def __init__(self, text: str) -> None:
        self.text, self.names = text, listed()
        self.words = [
            Word(match.start(), match.end(), plain(match.group()), _style(match.group()))
            for match in WORD.finditer(text)
        ]
        self.starting = {word.start: place for place, word in enumerate(self.words)}

    def find(self) -> Iterator[tuple[int, int, float]]:
        for place, word in enumerate(self.words):
            if word.style == "lower" and word.plain not in HONORIFICS and not self._is_name(word):
                continue
            yield from self._listed(place)
            yield from self._after_honorific(place)
            yield from self._side_by_side(place)
        cues = _BEFORE_ASCII.finditer(self.text.lower()) if self.text.isascii() else _BEFORE.finditer(self.text)
        for match in cues:
            yield from self._after_cue(match.end())
        for match in LABEL.finditer(self.text):
            yield from self._after_label(match.end())

    def _listed(self, place: int) -> Iterator[tuple[int, int, float]]:
        word = self.words[place]
        if not self._is_name(word):
            return
        first, last = self._leftmost(place), self._rightmost(place)
        alone = first == last
        if self._is_sure(word) or (word.style != "lower" and not alone and self._has_company(place, first, last)):
            yield self._span(first, last, 0.6 if alone else 0.8)

    def _has_company(self, place: int, first: int, last: int) -> bool:
        """Whether another name stands by one that is an everyday word too: "Grace Molefe", but not "Grace period"."""
        return any(self._is_name(self.words[other]) for other in range(first, last + 1) if other != place)

    def _after_honorific(self, place: int) -> Iterator[tuple[int, int, float]]:
        if self.words[place].plain not in HONORIFICS or place + 1 == len(self.words):
            return
        after = self.words[place + 1]
        gap = self.text[self.words[place].end : after.start]
        if _GAP_AFTER_INITIAL.fullmatch(gap) and (self._may_be_name(after) or self._is_unusual(after)):
            yield self._span(place + 1, self._rightmost(place + 1), 0.85)

    def _side_by_side(self, place: int) -> Iterator[tuple[int, int, float]]:
        """Two or more capitalised words, without the everyday words that a sentence may begin with."""
        word = self.words[place]
        if word.style not in ("title", "initial") or word.plain in self.names.words or word.plain in HONORIFICS:
            return
        last = self._rightmost(place)
        if word.style == "initial" and self.text[word.end : word.end + 1] != ".":
            return
        if last > place and any(self.words[other].style == "title" for other in range(place + 1, last + 1)):
            yield self._span(place, last, 0.45)

    def _after_cue(self, at: int) -> Iterator[tuple[int, int, float]]:
        place = self.starting.get(at)
        if place is None:
            return
        if self.words[place].plain in HONORIFICS and place + 1 < len(self.words):
            place += 1
        if self._may_be_name(self.words[place]):
            yield self._span(place, self._rightmost(place), 0.5)

    def _after_label(self, at: int) -> Iterator[tuple[int, int, float]]:
        place = self.starting.get(at)
        if place is not None:
            last = place
            while last + 1 < len(self.words) and last - place < _LONGEST - 1 and self._joined(last):
                last += 1
            yield self._span(place, last, 0.8)

    def _span(self, first: int, last: int, score: float) -> tuple[int, int, float]:
        return self.words[first].start, self.words[last].end, score

    def _rightmost(self, place: int) -> int:
        """The last word of the name that the word at `place` begins."""
        style, last, strangers = self.words[place].style, place, 0
        for other in range(place + 1, min(place + _LONGEST, len(self.words))):
            word = self.words[other]
            if not self._joined(other - 1):
                break
            if word.plain in _PARTICLES:
                continue  # belongs to the name if a name follows
            strangers += not self._is_name(word)
            if not self._continues(style, word) or (style == "lower" and strangers > 1):
                break
            last = other
        return last

    def _leftmost(self, place: int) -> int:
        """The first word of a name of which the word at `place` is a part: "Mobokwanelo, Kagiso"."""
        first, style = place, self.words[place].style
        for other in range(place - 1, max(place - _LONGEST, -1), -1):
            word = self.words[other]
            comma = _COMMA.fullmatch(self.text[word.end : self.words[other + 1].start])
            if not (self._joined(other) or (comma and other == place - 1)):
                break
            if not self._continues(style, word) or (style == "lower" and len(word.plain) < 4):  # noqa: PLR2004
                break
            first = other
            if style == "lower":
                break  # one word at most: nothing but the lists tells words from names there
        return first

    def _joined(self, place: int) -> bool:
        """Whether the word at `place` and the next stand together as one name's words do."""
        word, gap = self.words[place], self.text[self.words[place].end : self.words[place + 1].start]
        return bool((_GAP_AFTER_INITIAL if word.style == "initial" else _GAP).fullmatch(gap))

    def _continues(self, style: str, word: Word) -> bool:
        """Whether a name written in this style may go on with the word."""
        if style == "lower":
            return word.style == "lower" and (self._is_sure(word) or self._is_unusual(word))
        return word.style != "lower" and (word.plain not in self.names.words or self._is_sure(word))

    def _may_be_name(self, word: Word) -> bool:
        capital = word.style in ("title", "upper") and word.plain not in self.names.words
        return capital or self._is_sure(word)

    def _is_unusual(self, word: Word) -> bool:
        return len(word.plain) > 2 and word.plain not in self.names.words and word.plain not in _PARTICLES  # noqa: PLR2004

    def _is_name(self, word: Word) -> bool:
        return not self.names.every.isdisjoint(_parts(word))

    def _is_sure(self, word: Word) -> bool:
        return not self.names.sure.isdisjoint(_parts(word))


def _parts(word: Word) -> tuple[str, ...]:
    return (word.plain, *word.plain.split("-")) if "-" in word.plain else (word.plain,)


def _style(text: str) -> str:
    if len(text) == 1:
        return "initial" if text.isupper() else "lower"
    if text.isupper():
        return "upper"
    return "title" if text[0].isupper() else "lower"
