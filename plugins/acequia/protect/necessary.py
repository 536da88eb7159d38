"""What a text must hold for a pattern to match in it, as expressions that RE2 can look for in whole columns.

A condition may be weaker than its pattern, never stronger: where the pattern matches, the condition does. So every
sign that the pattern takes becomes the set of those that it accepts under its flags, exactly for the signs of European
texts, and with all others besides; what looks around without taking a sign falls away, save that what must lie ahead
or behind must lie somewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

KNOWN = (*range(0x180), *range(0x2000, 0x20D0))
"""The code points for which a condition is exact: Latin letters and usual punctuation."""

BEYOND = r"\x{180}-\x{1FFF}\x{20D0}-\x{10FFFF}"
DIGIT = r"[0-9\x{180}-\x{1FFF}\x{20D0}-\x{10FFFF}]"
"""What a sign that must be a digit may be."""

_MOST_REPEATS = 40
_MOST_BRANCHES = 40
_ZERO_WIDTH = (c.AT, c.ASSERT, c.ASSERT_NOT)
_ONE_SIGN = (c.ANY, c.LITERAL, c.NOT_LITERAL, c.IN)
_REPEATS = (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT)
ANYTHING = r"[\x00-\x{10FFFF}]"


@dataclass(frozen=True)
class Condition:
    """An RE2 expression, and how many signs that `DIGIT` matches whatever meets it holds at least."""

    regex: str
    digits: int


class UntranslatableError(Exception):
    """A pattern with something in it that has no weaker form here."""


def conditions(pattern: str, flags: int) -> tuple[Condition, ...]:
    """Conditions, each of which is met by every text in which `pattern` matches.

    Args:
        pattern: in the language of the `regex` module, as far as Python's own parser reads it.
        flags: of the `regex` module.

    Raises:
        UntranslatableError: nothing is known of the texts in which it matches.
    """
    ignore_case = bool(flags & _regex().IGNORECASE) or "(?i)" in pattern
    try:
        tree = parser.parse(pattern.replace("(?i)", ""), flags & _regex().VERBOSE)
    except Exception:  # noqa: BLE001 - whatever the parser does not know
        raise UntranslatableError from None
    translator = _Translator(ignore_case)
    trees = [tree, *translator.around(tree)]
    found = [
        Condition(translator.sequence(part, ignore_case=ignore_case), _digits(part, ignore_case)) for part in trees
    ]
    if found[0].regex:
        before, after = _edge(tree, ignore_case, -1), _edge(tree, ignore_case, 1)
        found[0] = Condition(f"{before}{found[0].regex}{after}", found[0].digits)
    return tuple(dict.fromkeys(condition for condition in found if condition.regex))


class _Translator:
    def __init__(self, ignore_case: bool) -> None:
        self.ignore_case = ignore_case
        self.groups: dict[int, str] = {}

    def sequence(self, tree: Any, *, ignore_case: bool) -> str:
        return "".join(self.one(operation, argument, ignore_case) for operation, argument in tree)

    def around(self, tree: Any) -> Iterator[Any]:
        """What must lie ahead or behind, wherever the pattern as a whole must pass."""
        for operation, argument in tree:
            if operation is c.ASSERT:
                yield argument[1]
                yield from self.around(argument[1])
            elif operation is c.SUBPATTERN:
                yield from self.around(argument[3])

    def one(self, operation: Any, argument: Any, ignore_case: bool) -> str:
        if operation in _ZERO_WIDTH:
            return ""
        if operation in _ONE_SIGN:
            return _signs(_source(operation, argument), ignore_case)
        if operation in _REPEATS:
            return self.repeat(argument, ignore_case)
        if operation is c.SUBPATTERN:
            return self.group(argument, ignore_case)
        if operation is c.BRANCH:
            return self.branch(argument[1], ignore_case)
        if operation is c.GROUPREF and argument in self.groups:
            return self.groups[argument]
        raise UntranslatableError

    def group(self, argument: Any, ignore_case: bool) -> str:
        number, added, removed, tree = argument
        ignores = (ignore_case or bool(added & c.SRE_FLAG_IGNORECASE)) and not removed & c.SRE_FLAG_IGNORECASE
        inner = f"(?:{self.sequence(tree, ignore_case=ignores)})"
        if number is not None:
            self.groups[number] = inner
        return inner

    def branch(self, branches: Sequence[Any], ignore_case: bool) -> str:
        """One of them; of very many, only what they begin with, and anything after it."""
        texts = [self.sequence(tree, ignore_case=ignore_case) for tree in branches]
        if len(texts) <= _MOST_BRANCHES:
            return f"(?:{'|'.join(dict.fromkeys(texts))})"
        firsts = (self.first(tree, ignore_case) for tree in branches)
        return f"(?:{'|'.join(dict.fromkeys(firsts))}){ANYTHING}*"

    def first(self, tree: Any, ignore_case: bool) -> str:
        """What the sequence begins with: its first part, or the first of that."""
        for operation, argument in tree:
            if operation is c.SUBPATTERN:
                return self.first(argument[3], ignore_case)
            return self.one(operation, argument, ignore_case)
        return ""

    def repeat(self, argument: Any, ignore_case: bool) -> str:
        low, high, tree = argument
        inner = self.sequence(tree, ignore_case=ignore_case)
        if not inner:
            return ""
        low = min(int(low), _MOST_REPEATS)
        upper = "" if high is c.MAXREPEAT or high > _MOST_REPEATS else str(int(high))
        return f"(?:{inner}){{{low},{upper}}}"


def _source(operation: Any, argument: Any) -> str:
    """The class of signs, written again for the `regex` module."""
    if operation is c.ANY:
        return r"[\x00-\U0010FFFF]"
    if operation is c.LITERAL:
        return f"[{_escaped(argument)}]"
    if operation is c.NOT_LITERAL:
        return f"[^{_escaped(argument)}]"
    return f"[{''.join(_item(kind, value) for kind, value in argument)}]"


def _item(kind: Any, value: Any) -> str:
    if kind is c.NEGATE:
        return "^"
    if kind is c.LITERAL:
        return _escaped(value)
    if kind is c.RANGE:
        return f"{_escaped(value[0])}-{_escaped(value[1])}"
    if kind is c.CATEGORY:
        return _CATEGORIES[value]
    raise UntranslatableError


def _escaped(code: int) -> str:
    return f"\\U{code:08X}"


_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d",
    c.CATEGORY_NOT_DIGIT: r"\D",
    c.CATEGORY_SPACE: r"\s",
    c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w",
    c.CATEGORY_NOT_WORD: r"\W",
}


@lru_cache(maxsize=4096)
def _signs(source: str, ignore_case: bool) -> str:
    """The signs that the class accepts, asked of the `regex` module itself, and all that are not known here."""
    return f"[{_ranges(_codes(source, ignore_case))}{BEYOND}]"


def _ranges(codes: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"\\x{{{low:X}}}" if low == high else f"\\x{{{low:X}}}-\\x{{{high:X}}}" for low, high in runs)


@lru_cache(maxsize=4096)
def _codes(source: str, ignore_case: bool) -> tuple[int, ...]:
    regex = _regex()
    accepts = regex.compile(source, regex.IGNORECASE if ignore_case else 0)
    return tuple(code for code in KNOWN if accepts.fullmatch(chr(code)))


def _edge(tree: Any, ignore_case: bool, direction: int) -> str:
    """What must stand before (-1) or after (1) a match, where the pattern says so at its end: nothing, or some sign."""
    items = list(tree) if direction < 0 else list(tree)[::-1]
    if not items:
        return ""
    operation, argument = items[0]
    if operation is c.SUBPATTERN:
        return _edge(argument[3], ignore_case, direction)
    refused: set[int] | None = None
    if operation is c.AT and argument is c.AT_BOUNDARY:
        word = set(_codes(r"[\w]", False))
        ends = _ends(items[1:], ignore_case, direction)
        refused = word if ends and ends <= word else None
    elif operation is c.ASSERT_NOT and argument[0] == direction and _is_one_sign(argument[1]):
        refused = set(_codes(_source(*argument[1][0]), ignore_case))
    if refused is None:
        return ""
    end = "^" if direction < 0 else "$"
    return f"(?:{end}|[{_ranges(code for code in KNOWN if code not in refused)}{BEYOND}])"


def _is_one_sign(tree: Any) -> bool:
    return len(tree) == 1 and tree[0][0] in _ONE_SIGN


def _ends(items: Sequence[Any], ignore_case: bool, direction: int) -> set[int] | None:
    """The known signs that what is left can begin (or end) with; None where it could be anything."""
    found: set[int] = set()
    for operation, argument in items:
        if operation in _ZERO_WIDTH:
            continue
        ends = _ends_of(operation, argument, ignore_case, direction)
        if ends is None:
            return None
        found |= ends
        if operation not in _REPEATS or argument[0] > 0:
            return found
    return None


def _ends_of(operation: Any, argument: Any, ignore_case: bool, direction: int) -> set[int] | None:
    if operation in _ONE_SIGN:
        return set(_codes(_source(operation, argument), ignore_case))
    if operation is c.SUBPATTERN:
        return _ends(list(argument[3])[::-direction], ignore_case, direction)
    if operation in _REPEATS:
        return _ends(list(argument[2])[::-direction], ignore_case, direction)
    if operation is c.BRANCH:
        each = [_ends(list(tree)[::-direction], ignore_case, direction) for tree in argument[1]]
        return None if any(ends is None for ends in each) else set().union(*(ends for ends in each if ends))
    return None


def _digits(tree: Any, ignore_case: bool) -> int:
    """How many signs must be digits, or signs that are not known here."""
    return sum(_digits_of(operation, argument, ignore_case) for operation, argument in tree)


def _digits_of(operation: Any, argument: Any, ignore_case: bool) -> int:
    if operation in _ONE_SIGN:
        return all(chr(code).isdecimal() for code in _codes(_source(operation, argument), ignore_case))
    if operation is c.SUBPATTERN:
        return _digits(argument[3], ignore_case)
    if operation is c.BRANCH:
        return min(_digits(tree, ignore_case) for tree in argument[1])
    if operation in _REPEATS:
        return int(argument[0]) * _digits(argument[2], ignore_case)
    return 0


def _regex() -> Any:
    import regex  # type: ignore[import-untyped, unused-ignore]

    return regex
