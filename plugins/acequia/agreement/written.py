"""YAML text as values that know where they stand: the small, safe part of YAML that agreements are written in.

Numbers, true/false and null are those of YAML 1.2's core schema, so that `country: NO` is Norway. Keys are always text.
Refused: keys that repeat, tags, merge keys, several documents, aliases that repeat themselves into a flood. The events
of the (C) parser are read one by one with a bounded depth; nothing is constructed but texts, numbers, lists, mappings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from acequia.agreement.problems import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
MAX_VALUES = 200_000

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,4})?")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Controls, and the marks that turn the direction of writing: a reader must see what the program reads.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass
class Written:
    """A value and where it begins (line and column from 1). `text` is a scalar as written, `keys` where keys stand."""

    value: str | int | float | bool | None | dict[str, Written] | list[Written]
    line: int
    column: int
    text: str = ""
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1

    @property
    def mark(self) -> tuple[int, int]:
        """Line and column."""
        return self.line, self.column

    def plain(self) -> Any:
        """The value alone: mappings as dicts, lists as tuples."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        return tuple(item.plain() for item in self.value) if isinstance(self.value, list) else self.value


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """The text cannot be read further; the problem says where and why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def read(raw: bytes) -> tuple[Written | None, list[Problem]]:
    """The root value of a file's bytes, with every problem of its writing. The root is None where reading stopped."""
    problems: list[Problem] = []
    try:
        text = _text(raw)
        root = _Reader(problems).document(_events(text))
    except Unreadable as stop:
        return None, [*problems, stop.problem]
    if not isinstance(root.value, dict):
        said = "is empty" if root.value is None else "does not hold keys with values, such as `partner: pula_mobile`"
        return None, [*problems, Problem(*root.mark, "", f"the file {said}")]
    return root, problems


def _text(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise Unreadable(Problem(1, 1, "", f"the file is larger than {MAX_BYTES:,} bytes"))
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", errors="replace")
        raise Unreadable(Problem(*_place_after(before), "", "the file is not UTF-8; save it as UTF-8")) from None
    unseen = _UNSEEN.search(text)
    if unseen:
        said = "a character that cannot be seen stands here; remove it"
        raise Unreadable(Problem(*_place_after(text[: unseen.start()]), "", said))
    return text


def _place_after(text: str) -> tuple[int, int]:
    lines = re.split(r"\r\n|\r|\n", text)
    return len(lines), len(lines[-1]) + 1


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Unreadable(Problem(line, column, "", _explained(error.problem or "", line, text))) from None
    except yaml.YAMLError:
        raise Unreadable(Problem(1, 1, "", "the file is not YAML")) from None


# What the parser says (fixed words, no content) -> what to do about it.
_HINTS = {
    "mapping values are not allowed": "a text that holds `: ` needs quotes, or this line is indented too far",
    "could not find expected ':'": "a `:` is missing here, or on the line above",
    "did not find expected key": "the indentation is not that of the lines above, or a quote or bracket is missing",
    "did not find expected '-' indicator": "the indentation is not that of the list above, or a `- ` is missing",
    "did not find expected ','": "a `,` or a closing bracket is missing here, or on the line above",
    "unexpected end of stream": "a quote or bracket is opened and not closed",
    "did not find expected alphabetic": "a text that begins with * or & needs quotes",
    "cannot start any token": "a text that begins with @, % or ` needs quotes",
    "unknown escape character": "in double quotes a \\ begins an escape: use 'single quotes'",
    "expected <document start>": "this line is not part of the mapping above: is it indented as it should be?",
}


def _explained(problem: str, line: int, text: str) -> str:
    lines = re.split(r"\r\n|\r|\n", text)
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "the line is indented with a tab; use spaces"
    hint = next((hint for words, hint in _HINTS.items() if words in problem), "this is not YAML")
    return f"cannot be read: {hint}"


class _Reader:
    """Builds values out of events, with a stack of its own instead of recursion."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.anchors: dict[str, Written] = {}
        self.stack: list[tuple[Written, str | None]] = []  # open lists and mappings, with the anchor of each
        self.pending: list[tuple[str, tuple[int, int]] | None] = []  # the key that waits for its value, by open mapping
        self.places: list[str] = []
        self.root: Written | None = None

    def document(self, events: Iterator[yaml.Event]) -> Written:
        """The value of the only document."""
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.stop(event, "a second document begins here; a file holds one agreement")
            elif isinstance(event, yaml.NodeEvent):
                self.node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.close()
        return self.root or Written(None, 1, 1)

    def stop(self, event: yaml.Event, message: str) -> None:
        raise Unreadable(Problem(*_mark(event), self.place(), message))

    def place(self) -> str:
        """Where the reader is, such as `feeds.events.columns`."""
        parts = []
        for (open_, _), pending in zip(self.stack, self.pending, strict=True):
            if isinstance(open_.value, list):
                parts.append(str(len(open_.value)))
            elif pending:
                parts.append(shown(pending[0]))
        return ".".join(parts)

    def node(self, event: yaml.NodeEvent) -> None:
        """Take one value, or one key."""
        if self.wants_key():
            self.key(event)
        elif isinstance(event, yaml.AliasEvent):
            self.add(self.alias(event), event)
        elif isinstance(event, yaml.ScalarEvent):
            self.untagged(event)
            value = _core(event.value) if event.implicit[0] else event.value
            self.add(self.anchored(Written(value, *_mark(event), text=event.value), event.anchor), event)
        else:
            self.untagged(event)
            if len(self.stack) >= MAX_DEPTH:
                self.stop(event, f"more than {MAX_DEPTH} levels lie inside each other here")
            opened = Written({} if isinstance(event, yaml.MappingStartEvent) else [], *_mark(event))
            self.stack.append((opened, event.anchor))
            self.pending.append(None)

    def wants_key(self) -> bool:
        """Whether the next scalar is a key."""
        return bool(self.stack) and isinstance(self.stack[-1][0].value, dict) and self.pending[-1] is None

    def key(self, event: yaml.NodeEvent) -> None:
        """Take a key: any scalar, as text."""
        if not isinstance(event, yaml.ScalarEvent):
            self.stop(event, "a key is a plain name")
        elif event.value == "<<" and event.implicit[0]:
            self.stop(event, "merge keys (<<) are not used in agreements, since they hide what is agreed: write it out")
        else:
            self.untagged(event)
            self.pending[-1] = (event.value, _mark(event))

    def untagged(self, event: Any) -> None:
        """Refuse tags: they would make other things of a value than what is written."""
        if event.tag not in (None, "!"):
            self.stop(event, "tags (!) are not used in agreements; a text that begins with ! needs quotes")

    def alias(self, event: yaml.AliasEvent) -> Written:
        """A copy of what the anchor stands for, placed where the alias stands."""
        known = self.anchors.get(event.anchor or "")
        if known is None:
            self.stop(event, "a text that begins with * needs quotes; or the anchor (&) is missing, or still open")
            raise AssertionError
        return Written(known.value, *_mark(event), text=known.text, keys=known.keys, size=known.size)

    def anchored(self, value: Written, anchor: str | None) -> Written:
        """Remember a value that is whole by its anchor."""
        if anchor is not None:
            self.anchors[anchor] = value
        return value

    def close(self) -> None:
        """A list or mapping ends."""
        closed, anchor = self.stack.pop()
        self.pending.pop()
        self.add(self.anchored(closed, anchor), None)

    def add(self, value: Written, event: yaml.Event | None) -> None:
        """Put a whole value where it belongs."""
        if not self.stack:
            self.root = value
            return
        holder, pending = self.stack[-1][0], self.pending[-1]
        holder.size += value.size
        if holder.size > MAX_VALUES:
            raise Unreadable(Problem(*value.mark, self.place(), f"more than {MAX_VALUES:,} values are written here"))
        if isinstance(holder.value, list):
            holder.value.append(value)
        elif isinstance(holder.value, dict) and pending is not None:
            self.pending[-1] = None
            self.put(holder, holder.value, pending, value)

    def put(
        self, holder: Written, mapping: dict[str, Written], key: tuple[str, tuple[int, int]], value: Written
    ) -> None:
        """Put a value under its key; the first of several keeps its place, so that the rest is judged as well."""
        name, mark = key
        if name in mapping:
            place = ".".join(part for part in (self.place(), shown(name)) if part)
            first = holder.keys[name]
            self.problems.append(Problem(*mark, place, f"is written twice: here, and before on line {first[0]}"))
        else:
            mapping[name] = value
            holder.keys[name] = mark


def shown(key: str) -> str:
    """A key for a message: short, and on one line."""
    key = key if key.isprintable() else key.encode("unicode_escape").decode("ascii")
    return key if len(key) <= 60 else f"{key[:57]}…"


def _mark(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _core(text: str) -> str | int | float | bool | None:
    """A plain scalar as YAML 1.2 reads it. Numbers with leading zeros or signs like +59 are codes, and stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and not re.match(r"\+|-?0[0-9]", text) and not text.isdigit():
        return float(text)
    return text
