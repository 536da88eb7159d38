"""Which texts may hold a person's name.

`may_hold_names` lets through what `person_names` could find something in: a capitalised word that is no everyday word,
a listed name or a title in any case, or a label such as "name:". It is told of a whole column at once.

`has_unknown_words` tells the texts that a model of names is asked about: those with a word that is neither an everyday
word nor part of something that was found already. What a model would find in other texts does not count: that is the
contract, and what makes a model affordable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from acequia.protect.necessary import conditions
from acequia.protect.person_names import FOLDER, HONORIFICS, LABEL, WORD, listed, plain

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 1_000
_JOINS = r"['’\-]"


def may_hold_names(texts: pa.Array) -> pa.BooleanArray:
    """Which texts the name recognizer must read; False is certain."""
    import pyarrow.compute as pc

    ordinary = pc.match_substring_regex(texts, _ordinary())
    signs = pc.invert(ordinary)
    for told in (*_listed_words(), _label()):
        signs = pc.or_(signs, pc.match_substring_regex(texts, told))
    return signs


def has_unknown_words(text: str, known: Iterable[tuple[int, int]]) -> bool:
    """Whether the text holds a word that is no everyday word and lies outside the known parts.

    A capitalised word is an everyday one only at the text's beginning, or if it is on the shorter list of words at
    which a name ends, and never if it is a listed name, too ("Grace", but "grace period").
    """
    small = everyday_words()
    if small.issuperset(WORD.findall(text)):
        return False
    parts = tuple(known)
    for number, match in enumerate(WORD.finditer(text)):
        written = match.group()
        if written in small or any(start < match.end() and match.start() < end for start, end in parts):
            continue
        everyday = small if written[0].islower() else _begins() if number == 0 else _words_of_names()
        if not everyday.issuperset(re.split(_JOINS, plain(written))):
            return True
    return False


@cache
def everyday_words() -> frozenset[str]:
    """The longer list, without what is a name and nothing else."""
    words = frozenset((FOLDER / "everyday.txt").read_text(encoding="utf-8").split())
    return (words | listed().words) - listed().sure


@cache
def _begins() -> frozenset[str]:
    return everyday_words() - listed().every


@cache
def _words_of_names() -> frozenset[str]:
    return listed().words - listed().every


@cache
def _ordinary() -> str:
    """A text of words in small letters, and of everyday words in any."""
    lower = f"[{_class(sign for sign in _letters() if not sign.isupper())}]"
    letter = f"[{_class(_letters())}]"
    return _made_of(f"(?:{lower}{letter}*(?:{_JOINS}{letter}+)*|{_everyday_words()})")


def _made_of(word: str) -> str:
    """A text of such words, with signs that are no letters between them: no hyphen or apostrophe joins two of them."""
    others = sorted(set(map(chr, _KNOWN)) - set(_letters()) - set("'’-") - set(_odd()))
    gap = f"[{_class(others)}]"
    loose = f"(?:{gap}|{_JOINS})*"
    return f"^{loose}(?:{word}{_JOINS}*{gap}{loose})*(?:{word}{_JOINS}*)?$"


@cache
def _listed_words() -> tuple[str, ...]:
    """In parts, since one tree of all names outgrows the memory of RE2, which then takes ten times as long."""
    letter = _class((*_letters(), *_odd()))
    words = sorted(listed().sure | HONORIFICS)
    parts = (words[start : start + _AT_ONCE] for start in range(0, len(words), _AT_ONCE))
    return tuple(f"(?:^|[^{letter}]){_one_of(part)}(?:$|[^{letter}])" for part in parts)


@cache
def _label() -> str:
    (condition,) = conditions(LABEL.pattern, re.IGNORECASE | re.VERBOSE)
    return condition.regex


@cache
def _everyday_words() -> str:
    return _one_of(word for word in _words_of_names() if re.fullmatch("[a-z]+", word))


def _one_of(words: Iterable[str]) -> str:
    """One of the words, however it is accented and in whatever case, as a tree of what they share."""
    tree: dict[str, Any] = {}
    for word in sorted(words):
        node = tree
        for sign in word:
            node = node.setdefault(sign, {})
        node[""] = {}
    return _written(tree)


def _written(tree: dict[str, Any]) -> str:
    branches = [f"{_spellings(sign)}{_written(rest)}" for sign, rest in tree.items() if sign]
    if not branches:
        return ""
    joined = branches[0] if len(branches) == 1 and "" not in tree else f"(?:{'|'.join(branches)})"
    return f"{joined}?" if "" in tree else joined


_KNOWN = (*range(0x100), *range(0x2010, 0x2028), 0x20AC)
"""What a text may hold to be sieved at all; one with any other sign is read."""


@cache
def _letters() -> tuple[str, ...]:
    """The letters among the known signs that stay one letter when they are compared."""
    word = (sign for sign in map(chr, _KNOWN) if WORD.fullmatch(sign))
    return tuple(sign for sign in word if len(plain(sign)) == 1)


@cache
def _odd() -> tuple[str, ...]:
    """Those that become two, such as ß; a text that holds one is read."""
    return tuple(sign for sign in map(chr, _KNOWN) if WORD.fullmatch(sign) and len(plain(sign)) != 1)


@cache
def _spellings(sign: str) -> str:
    """A class of all that is compared as `sign`."""
    return f"[{_class((sign, *(other for other in map(chr, _KNOWN) if plain(other) == sign)))}]"


def _class(signs: Iterable[str]) -> str:
    return "".join(f"\\x{{{ord(sign):X}}}" for sign in dict.fromkeys(signs))
