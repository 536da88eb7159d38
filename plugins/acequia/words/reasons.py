"""What the ledger says in one language, said in another: a reason, a failed check, a warning, the proof of a deletion.

The ledger keeps one sentence, as it was said when it happened. It is found again by its template (`pairs`), so its
names and counts are told in the reader's words and marks. What no template knows, such as the description of a check
that the office wrote by hand, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from acequia.words.figures import MARKS, Language, figure
from acequia.words.names import NAMES
from acequia.words.pairs import PAIRS

_BLANK = re.compile(r"\{(\w+)(?::([dtlw]))?\}")
_LONGEST, _DEEPEST = 5000, 4


def told(text: str, language: Language) -> str:
    """The sentence in the reader's language; it may have been said in either."""
    return _told(text, language, 0) if len(text) <= _LONGEST else text


def rule(reason: str, language: Language) -> str:
    """Why rows are set aside (`range:fare`, `duplicate`), as people read it in Spanish; in English as it stands."""
    name, _, column = reason.partition(":")
    said = _names("en", language).get(f"gate:{name}") if language == "es" else None
    return reason if said is None else f"{column}: {said}" if column else said


def _told(text: str, language: Language, depth: int) -> str:
    if depth > _DEEPEST:
        return text
    for said in (_other(language), language):
        for sentence in _sentences(said):
            found = sentence.form.fullmatch(text)
            if found:
                return sentence.told(found, _Blanks(said, language, depth + 1))
    return text


@dataclass(frozen=True)
class _Sentence:
    """A template: the form in which it is found, and its words by language."""

    form: re.Pattern[str]
    words: Mapping[Language, str]

    def told(self, found: re.Match[str], blanks: _Blanks) -> str:
        def fill(blank: re.Match[str]) -> str:
            name, kind = blank.groups()
            return blanks.filled(kind, found[name])

        return _BLANK.sub(fill, self.words[blanks.language])


@dataclass(frozen=True)
class _Blanks:
    """What stands in a template's blanks, from one language to the other."""

    said: Language
    language: Language
    depth: int

    def filled(self, kind: str | None, text: str) -> str:
        if kind == "d":
            return self._number(text)
        if kind == "w":
            return _names(self.said, self.language).get(text, text)
        if kind == "l":
            return self._list(text)
        if kind == "t":
            whole = _told(text, self.language, self.depth)
            return self._list(text) if whole == text else whole
        return text

    def _number(self, text: str) -> str:
        """`12000`, `12,000`, `12 000` or `12.5` in the marks of the reader's language."""
        thousands, decimal = MARKS[self.said]
        whole, _, rest = text.replace(thousands, "").replace(" ", "").partition(decimal)
        grouped = figure(int(whole), self.language)
        return f"{grouped}{MARKS[self.language][1]}{rest}" if rest else grouped

    def _list(self, text: str) -> str:
        return "; ".join(_told(part, self.language, self.depth) for part in text.split("; "))


@cache
def _sentences(said: Language) -> tuple[_Sentence, ...]:
    """What may have been said in a language, the longest wording first: it is the one that says most."""
    sentences = (_Sentence(_form(pair[_PLACE[said]], said), {"en": pair[0], "es": pair[1]}) for pair in PAIRS)
    return tuple(sorted(sentences, key=lambda one: -len(_BLANK.sub("", one.words[said]))))


@cache
def _names(said: Language, language: Language) -> Mapping[str, str]:
    return {pair[_PLACE[said]]: pair[_PLACE[language]] for pair in NAMES}


def _form(template: str, said: Language) -> re.Pattern[str]:
    parts, at = [], 0
    for blank in _BLANK.finditer(template):
        name, kind = blank.groups()
        form = "|".join(map(re.escape, _names(said, said))) if kind == "w" else _FORMS[kind]
        parts += [re.escape(template[at : blank.start()]), f"(?P<{name}>{form})"]
        at = blank.end()
    return re.compile("".join([*parts, re.escape(template[at:])]), re.DOTALL)


def _other(language: Language) -> Language:
    return "es" if language == "en" else "en"


_PLACE: dict[Language, int] = {"en": 0, "es": 1}
# What stands as it is holds no mark between sentences.
_FORMS: Mapping[str | None, str] = {None: "(?:(?!; ).)+?", "t": ".+?", "l": ".+?", "d": r"\d[\d,. ]*(?<=\d)"}
