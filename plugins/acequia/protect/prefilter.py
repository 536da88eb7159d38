"""Which recognizers a text must be shown to, and for which patterns: all others would find nothing in it, for certain.

For each recognizer there is a condition that whatever it finds cannot do without: of patterns a weaker expression made
from the pattern itself (`necessary`), of telephone numbers so many digits without a letter between, of names what
`name_signs` tells. Conditions are looked for in whole columns at once, several in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acequia.protect.name_signs import may_hold_names
from acequia.protect.necessary import ANYTHING, DIGIT, Condition, UntranslatableError, conditions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from presidio_analyzer import EntityRecognizer

_TOGETHER = 8
"""Conditions in one pass: more than that are slower, since RE2 then keeps no table of their states."""

_DIGITS = (0, 1, 5)
"""Texts are told apart by how many digits they hold: few conditions can be met by fewer than five."""

_ALWAYS = Condition("", digits=0)


@dataclass(frozen=True)
class _Way:
    """One way to be found: the recognizer's place, its pattern's place, and conditions that are all met."""

    recognizer: int
    pattern: int
    needs: tuple[Condition, ...]


class Sieve:
    """The conditions of all recognizers of a reader, in their order; `questions` are the places of a recognizer and of
    one of its patterns, which is 0 where it has none.
    """

    def __init__(self, recognizers: Sequence[EntityRecognizer]) -> None:
        self.recognizers = tuple(recognizers)
        self.questions = tuple(
            (place, pattern)
            for place, found in enumerate(recognizers)
            for pattern in range(len(getattr(found, "patterns", None) or (None,)))
        )
        self.columns = {question: column for column, question in enumerate(self.questions)}
        self.special = {place: test for place, found in enumerate(recognizers) if (test := _special(found))}
        ways = [
            way for place, found in enumerate(recognizers) if place not in self.special for way in _ways(place, found)
        ]
        self.ways = {least: [way for way in ways if _least(way) == least] for least in _DIGITS}

    def choose(self, texts: pa.Array) -> np.ndarray[Any, Any]:
        """For each text (rows) whether each question (columns) must be asked; where it says no, nothing is lost.

        Args:
            texts: strings, without nulls.
        """
        import numpy as np

        chosen = np.zeros((len(texts), len(self.questions)), dtype=bool)
        for place, test in self.special.items():
            chosen[:, self.columns[place, 0]] = test(texts)
        some = np.arange(len(texts))
        for least, ways in self.ways.items():
            some = some[_met(texts.take(_indices(some)), _so_many(least))] if least else some
            self._mark(chosen, texts, some, ways)
        return chosen

    def _mark(self, chosen: Any, texts: pa.Array, places: Any, ways: Sequence[_Way]) -> None:
        """Mark whom the texts at these places must be shown to, by these ways."""
        subset = texts.take(_indices(places))
        for group in _groups(ways):
            together = "|".join(dict.fromkeys(f"(?:{way.needs[0].regex})" for way in group))
            hits = places[_met(subset, together)]
            for way in group if len(hits) else ():
                left = hits
                for condition in way.needs:
                    left = left[_met(texts.take(_indices(left)), condition.regex)]
                chosen[left, self.columns[way.recognizer, way.pattern]] = True


def _least(way: _Way) -> int:
    """The most of `_DIGITS` that a text found in this way holds for certain."""
    most = max(condition.digits for condition in way.needs)
    return max(least for least in _DIGITS if least <= most)


def _so_many(digits: int) -> str:
    return f"{DIGIT}(?:{ANYTHING}*{DIGIT}){{{digits - 1}}}"


def _special(recognizer: EntityRecognizer) -> Callable[[pa.Array], Any] | None:
    """The test of a recognizer that does not work by patterns."""
    if recognizer.name == "PersonRecognizer":
        return lambda texts: _numbers(may_hold_names(texts))
    return None


def _ways(place: int, recognizer: EntityRecognizer) -> Iterator[_Way]:
    if regions := getattr(recognizer, "supported_regions", ()):
        from acequia.protect.recognizers.regions import shortest

        yield _Way(place, 0, (_digits_together(min(map(shortest, regions))),))
        return
    instead = _INSTEAD.get(type(recognizer).__name__)
    for number, pattern in enumerate(getattr(recognizer, "patterns", None) or ()):
        try:
            yield _Way(place, number, conditions(instead or pattern.regex, recognizer.global_regex_flags) or (_ALWAYS,))
        except UntranslatableError:
            yield _Way(place, number, (_ALWAYS,))
    if not hasattr(recognizer, "patterns"):
        yield _Way(place, 0, (_ALWAYS,))


def _digits_together(count: int) -> Condition:
    """So many digits without a letter between them, save the x that libphonenumber takes for punctuation."""
    return Condition(f"{DIGIT}(?:[^A-WYZa-wyz]*{DIGIT}){{{max(count - 1, 0)}}}", digits=count)


_INSTEAD = {
    # It looks ahead from one place twice and then takes a letter first: a letter, then a digit in the same word.
    "UsHealthInsuranceMemberIdRecognizer": r"[A-Z][A-Z0-9-]*\d",
}


def _groups(ways: Sequence[_Way]) -> Iterator[Sequence[_Way]]:
    return (ways[start : start + _TOGETHER] for start in range(0, len(ways), _TOGETHER))


def _met(texts: pa.Array, regex: str) -> Any:
    import pyarrow.compute as pc

    return _numbers(pc.match_substring_regex(texts, regex))


def _numbers(mask: pa.BooleanArray) -> Any:
    return mask.to_numpy(zero_copy_only=False)


def _indices(places: Any) -> pa.Array:
    import pyarrow as pa

    return pa.array(places, pa.int64())
