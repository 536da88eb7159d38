"""An agreement file with a drift accepted: the same text, its comments and layout kept, changed at the marks alone.

What is written is read back and must say exactly what was meant, or it is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from typing import Any

import yaml

from acequia.agreement.closed import COLUMN_NAME, NAME
from acequia.agreement.written import read
from acequia.drift.proposal import Change, Drift
from acequia.errors import AcequiaError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_PLAIN = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
DECIDE = "new in version {version}: dropped, until a person decides what becomes of it"
GONE = "does not arrive any more from version {version} on: a person must decide what becomes of it"
_ADDED: Mapping[str, Any] = {"type": "string", "treat": "drop", "nullable": True}
_BY_HAND = "Write the new version by hand; docs/agreement-versions.md shows how."


def rewritten(text: str, feed: str, drift: Drift, *, version: str, effective_from: date) -> str:
    """The file of the next version.

    A renamed column keeps the name that it has after the gate (`as`), so that tables stay comparable; a new one is
    dropped; one that does not arrive any more may be absent; one of another type gets that type.

    Raises:
        AcequiaError: `usage` where a person must write it: what a machine cannot decide, or a layout that it cannot
            edit safely.
    """
    for change in drift.changes:
        if change.kind not in ("added", "missing", "renamed", "retyped"):
            raise AcequiaError("usage", f"`{change.kind}` is for the partner to correct, not to be agreed on")
    root, _ = read(text.encode())
    if root is None:
        raise AcequiaError("usage", "the agreement file cannot be read")
    wanted = _meant(root.plain(), feed, drift, version, effective_from)
    page = _Page(text, feed, version)
    page.terms(version, effective_from)
    for change in sorted(drift.changes, key=lambda one: one.kind == "added"):  # behind what the last column is given
        page.apply(change)
    done = page.done()
    again, problems = read(done.encode())
    if again is None or problems or again.plain() != wanted:
        raise AcequiaError("usage", "the layout of the file is one that a machine cannot edit safely", do=_BY_HAND)
    return done


def _meant(said: Mapping[str, Any], feed: str, drift: Drift, version: str, effective_from: date) -> dict[str, Any]:
    """What the new file must say, as plain values."""
    new: dict[str, Any] = deepcopy(dict(said))
    new["terms"] |= {"version": version, "effective_from": effective_from.isoformat()}
    agreed = new["feeds"][feed]
    columns: dict[str, Any] = agreed["columns"]
    for change in drift.changes:
        _change(columns, change)
    renamed = {change.column: _name(change) for change in drift.changes if change.kind == "renamed"}
    for column in columns.values():
        for key, named in _references(column):
            (column if key == "from" else column["treat"])[key] = renamed.get(named, named)
    rows = agreed.get("rows")
    if isinstance(rows, dict) and rows.get("period_column") in renamed:
        rows["period_column"] = renamed[rows["period_column"]]
    agreed["columns"] = {renamed.get(name, name): column for name, column in columns.items()}
    if len(agreed["columns"]) != len(columns):
        raise AcequiaError("usage", "two columns would have the same name", do=_BY_HAND)
    return new


def _change(columns: dict[str, Any], change: Change) -> None:
    column = columns.get(change.column or "")
    if change.kind == "added":
        columns[_name(change)] = dict(_ADDED)
    elif column is None:
        raise AcequiaError("unknown_name", f"the newest version knows no column {change.column}")
    elif change.kind == "missing":
        column["required"] = False
    elif change.kind == "retyped":
        column |= {"type": change.type} | ({"parse": change.parse} if change.parse else {})
    elif column["treat"] != "drop" and "as" not in column:
        column["as"] = _stable(change)


def _references(column: Any) -> Iterator[tuple[str, str]]:
    """Where a column names another one by the name under which it arrives."""
    if isinstance(column, dict):
        if isinstance(column.get("from"), str):
            yield "from", column["from"]
        treat = column.get("treat")
        if isinstance(treat, dict) and isinstance(treat.get("seconds_since"), str):
            yield "seconds_since", treat["seconds_since"]


def _name(change: Change) -> str:
    """The partner's name of a column, if it can be agreed on."""
    name = change.found or ""
    if not re.fullmatch(COLUMN_NAME, name) or len(name) > 128:
        raise AcequiaError("usage", f"the name of column {change.place} is none that can be agreed on", do=_BY_HAND)
    return name


def _stable(change: Change) -> str:
    """The name after the gate that a renamed column had, and keeps."""
    if not re.fullmatch(NAME, change.column or ""):
        what = f"{change.column} has no plain name that it could keep after the gate"
        raise AcequiaError("usage", what, do=_BY_HAND)
    return str(change.column)


def _key(name: str) -> str:
    plain = _PLAIN.fullmatch(name) and name.casefold() not in _NOT_PLAIN
    return name if plain else json.dumps(name, ensure_ascii=False)


class _Page:
    """A file's text, and the places in it that are to be changed."""

    def __init__(self, text: str, feed: str, version: str) -> None:
        self.text, self.version = text.removeprefix("\ufeff"), version
        self.edits: list[tuple[int, int, str]] = []
        root = yaml.compose(self.text, Loader=yaml.SafeLoader)
        self.root = _mapping(root)
        self.feed = _mapping(_entry(_mapping(_entry(self.root, "feeds")[1]), feed)[1])
        self.columns = _mapping(_entry(self.feed, "columns")[1])
        held = [id(value) for _, value in self.columns.value]
        if len(set(held)) < len(held):  # an alias: to change it here would change it there
            raise AcequiaError("usage", "columns of the file are written by alias", do=_BY_HAND)

    def terms(self, version: str, effective_from: date) -> None:
        """Say the new version, and from when it holds."""
        terms = _mapping(_entry(self.root, "terms")[1])
        self.set(terms, "version", json.dumps(version))
        self.set(terms, "effective_from", effective_from.isoformat(), after="version")

    def apply(self, change: Change) -> None:
        """Write one change."""
        if change.kind == "added":
            self.add(change)
            return
        key, value = _entry(self.columns, str(change.column))
        column = _mapping(value)
        if change.kind == "missing":
            self.set(column, "required", "false")
            self.remark(key, GONE)
        elif change.kind == "retyped":
            self.set(column, "type", str(change.type))
            if change.parse:
                self.set(column, "parse", json.dumps(change.parse))
        else:
            name = _key(_name(change))
            self.edits.append((key.start_mark.index, key.end_mark.index, name))
            if not _is_dropped(column) and not _has(column, "as"):
                self.set(column, "as", _stable(change))
            self.refer(str(change.column), name)

    def refer(self, old: str, new: str) -> None:
        """Follow a new name to where it is named."""
        for _, value in self.columns.value:
            for node in _named_in(value, ("from",), ("treat", "seconds_since")):
                if node.value == old:
                    self.edits.append((node.start_mark.index, node.end_mark.index, new))
        for node in _named_in(self.feed, ("rows", "period_column")):
            if node.value == old:
                self.edits.append((node.start_mark.index, node.end_mark.index, new))

    def add(self, change: Change) -> None:
        """A new column after the last one, or where it stands in a file without names."""
        said = ", ".join(f"{key}: {json.dumps(value).strip(chr(34))}" for key, value in _ADDED.items())
        self.insert(self.columns, f"{_key(_name(change))}: {{{said}}}", self.columns.value[-1], DECIDE)

    def set(self, mapping: yaml.MappingNode, key: str, text: str, after: str | None = None) -> None:
        """Write a key's value, where it stands or as a new key."""
        if _has(mapping, key):
            node = _entry(mapping, key)[1]
            self.edits.append((node.start_mark.index, _end(node), text))
        else:
            self.insert(mapping, f"{key}: {text}", _entry(mapping, after) if after else mapping.value[-1])

    def insert(
        self, mapping: yaml.MappingNode, said: str, behind: tuple[yaml.Node, yaml.Node], remark: str = ""
    ) -> None:
        """One more entry behind another one, in the mapping's own layout."""
        end = _end(behind[1])
        if mapping.flow_style:
            self.edits.append((end, end, f", {said}"))
            return
        line = self.text.find("\n", end)
        place = len(self.text) if line < 0 else line
        told = f"  # {remark.format(version=self.version)}" if remark else ""
        self.edits.append((place, place, f"\n{' ' * behind[0].start_mark.column}{said}{told}"))

    def remark(self, key: yaml.Node, said: str) -> None:
        """A comment on a line of its own above an entry of a block."""
        begin = self.text.rfind("\n", 0, key.start_mark.index) + 1
        if not self.columns.flow_style and not self.text[begin : key.start_mark.index].strip():
            told = f"{' ' * key.start_mark.column}# {said.format(version=self.version)}\n"
            self.edits.append((begin, begin, told))

    def done(self) -> str:
        """The text with every change, from its end to its beginning. Those at one place keep their order."""
        text = self.text
        for _, _, (start, end, new) in sorted(((edit[0], n, edit) for n, edit in enumerate(self.edits)), reverse=True):
            text = text[:start] + new + text[end:]
        return text


def _mapping(node: yaml.Node | None) -> yaml.MappingNode:
    if not isinstance(node, yaml.MappingNode):
        raise AcequiaError("usage", "the file is not laid out as an agreement is", do=_BY_HAND)
    return node


def _entry(mapping: yaml.MappingNode, name: str) -> tuple[yaml.Node, yaml.Node]:
    found = next(((key, value) for key, value in mapping.value if key.value == name), None)
    if found is None:
        raise AcequiaError("unknown_name", f"the newest version knows no {name}")
    return found


def _has(mapping: yaml.MappingNode, name: str) -> bool:
    return any(key.value == name for key, _ in mapping.value)


def _is_dropped(column: yaml.MappingNode) -> bool:
    return _has(column, "treat") and _entry(column, "treat")[1].value == "drop"


def _named_in(node: yaml.Node, *paths: tuple[str, ...]) -> Iterator[yaml.ScalarNode]:
    for path in paths:
        found: yaml.Node | None = node
        for name in path:
            there = isinstance(found, yaml.MappingNode) and _has(found, name)
            found = _entry(found, name)[1] if there and isinstance(found, yaml.MappingNode) else None
        if isinstance(found, yaml.ScalarNode):
            yield found


def _end(node: yaml.Node) -> int:
    """Where a value ends. A block's own mark lies behind the comments that follow it, so its last part is asked."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)
