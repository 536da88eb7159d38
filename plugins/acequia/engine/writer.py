"""Writes an expression's syntax tree as SQL by rules, following types.

The SQL is written from scratch, not passed through: what has no rule cannot reach the engine, and neither can an
argument that a rule does not name. Since types are followed, an expression that is accepted does not fail on a text
where a number was meant once real rows arrive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from acequia.engine.duck import quoted

Kind = Literal["integer", "number", "string", "boolean", "timestamp", "date", "null"]
Node = Any  # a sqlglot expression; the library is imported only where text is parsed

NAMES: dict[str, str] = {
    "integer": "a number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "timestamp": "a time",
    "date": "a time",
    "null": "null",
}


class Refused(Exception):  # noqa: N818  (caught by `expressions`, which adds the place and raises the public error)
    """The text says something that the language does not hold."""


class Part(NamedTuple):
    """A written piece of SQL with its type; `text` is set for a bare string literal, which may stand for a time."""

    sql: str
    kind: Kind
    text: str | None = None


class Writer:
    """Writes one expression; `used` collects the columns that it reads, in order of appearance."""

    def __init__(self, columns: Mapping[str, Kind], rules: Mapping[str, Rule]) -> None:
        self.columns, self.rules = columns, rules
        self.used: dict[str, None] = {}

    def write(self, node: Node) -> Part:
        """The SQL of a node and all below it."""
        rule = self.rules.get(type(node).__name__)
        if node is None:
            raise Refused("something is missing")
        if rule is None:
            raise Refused(f"`{spelt(node)}` is not part of the expression language")
        given = {key for key, value in node.args.items() if value not in (None, False, [])}
        if given - rule.arguments:
            raise Refused(f"`{spelt(node)}` is written in a way that the expression language does not hold")
        return rule.write(self, node)

    def column(self, node: Node) -> Part:
        """A column by its exact name, or by its only namesake in other case."""
        name = node.this.name
        if name not in self.columns:
            namesakes = [column for column in self.columns if column.lower() == name.lower()]
            if len(namesakes) != 1 or node.this.quoted:
                raise Refused(f"there is no column `{name}`")
            name = namesakes[0]
        self.used[name] = None
        return Part(quoted(name), self.columns[name])

    def need(self, node: Node, kinds: tuple[str, ...], what: str) -> Part:
        """A part of one of the kinds."""
        part = self.write(node)
        if part.kind not in kinds and part.kind != "null":
            raise Refused(f"{what} needs {NAMES[kinds[0]]}, not {NAMES[part.kind]}")
        return part

    def alike(self, nodes: list[Node], what: str) -> tuple[list[Part], Kind]:
        """Parts that can be compared with one another, and their common kind. Texts beside times are read as times."""
        parts = [self.write(node) for node in nodes]
        kinds = {part.kind for part in parts} - {"null"}
        if kinds & {"timestamp", "date"}:
            parts = [as_time(part) for part in parts]
            kinds = {part.kind for part in parts} - {"null"}
        for family in (("integer", "number"), ("date", "timestamp")):
            if kinds <= set(family) and len(kinds) == 2:
                kinds = {family[1]}
        if len(kinds) > 1:
            raise Refused(f"{what} cannot hold {' and '.join(sorted(NAMES[kind] for kind in kinds))} together")
        return parts, next(iter(kinds), "null")


class Rule(NamedTuple):
    """How a kind of node is written, and the arguments that it may have."""

    write: Callable[[Writer, Node], Part]
    arguments: frozenset[str]


def rule(write: Callable[[Writer, Node], Part], *arguments: str) -> Rule:
    """A rule; by default for a node of two sides."""
    return Rule(write, frozenset(arguments or ("this", "expression")))


def as_time(part: Part) -> Part:
    """A bare text read as a time; other parts unchanged."""
    if part.text is None:
        return part
    return time_literal(part.text, "date" if re.fullmatch(r"\d{4}-\d\d-\d\d", part.text) else "timestamp")


def time_literal(text: str, kind: Kind) -> Part:
    """A date or a local time, written out."""
    try:
        if kind == "date":
            return Part(f"CAST('{date.fromisoformat(text).isoformat()}' AS DATE)", kind)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"a {kind} is written 2026-11-21{' 06:30:00' if kind == 'timestamp' else ''}") from None
    if moment.tzinfo is not None:
        raise Refused("times are local and written without a zone")
    return Part(f"CAST('{moment.isoformat(sep=' ')}' AS TIMESTAMP)", kind)


def spelt(node: Node) -> str:
    """What a node is called in messages."""
    return str(node.this).lower() if type(node).__name__ == "Anonymous" else str(node.key).replace("_", " ")
