"""Facts as people read them: moments in the feed's time zone, numbers with their thousands, lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from acequia.flow import DeliveryId
from acequia.notices.notice import EVERY_FEED, Notice
from acequia.notices.words import Language
from acequia.words import reasons
from acequia.words.figures import figure, percent

MOMENTS = frozenset({"due_at", "missing_from", "watched_until"})
NUMBERS = frozenset({"rows_in", "rows_set_aside", "cells", "withheld", "within_days", "time", "version"})
_LETTERS_AT_MOST = 2000
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def shown(notice: Notice, language: Language) -> dict[str, str]:
    """Every fact of a notice as text on one line."""
    return {name: line(_shown(name, value, notice, language)) for name, value in notice.facts.items()}


def line(text: str) -> str:
    """On one line, without what could pass for another one, and not endless. Spaces at the ends may mean something."""
    return _NOT_PRINTED.sub(" ", text)[:_LETTERS_AT_MOST]


def number(value: int | float, language: Language) -> str:
    """In the language's marks."""
    return figure(value, language.code)


def moment(value: str, zone: str | None) -> str:
    """`2026-11-17 06:00 (Africa/Gaborone)`."""
    local = datetime.fromisoformat(value).astimezone(ZoneInfo(zone or "UTC"))
    return f"{local:%Y-%m-%d %H:%M} ({zone or 'UTC'})"


def _shown(name: str, value: Any, notice: Notice, language: Language) -> str:
    if name in _SPECIAL:
        return _SPECIAL[name](value, notice.facts, language)
    if value is None:
        return "-"
    if name in MOMENTS:
        return moment(value, notice.facts.get("timezone"))
    if name in NUMBERS:
        return number(value, language)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _what_to_do(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    said = language.doing.get(str(facts.get("code")), str(value))
    return said + Template(language.parts["drift"]).safe_substitute(facts) if facts.get("drift") else said


def _feed(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return language.parts["every_feed"] if value == EVERY_FEED else str(value)


def _provisional(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return language.parts["provisional"] if value else ""


def _warnings(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    said = "; ".join(reasons.told(str(warning), language.code) for warning in value or ())
    return language.parts["warnings"].replace("$warnings", said) if said else ""


def _reason(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return reasons.told(str(value), language.code)


def _checks(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    """What the checks say that the reason does not say already."""
    more = [str(says) for says in value or () if str(says).partition(": ")[2] not in str(facts["reason"])]
    said = "; ".join(reasons.told(says, language.code) for says in more)
    return language.parts["checks"].replace("$checks", said) if said else ""


def _stands(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    part = language.parts["stands" if value else "stands_none"]
    return part.replace("$version", str(value))


def _differences(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    """How the rows differ from those of the version that stood."""
    if not value:
        return ""
    blanks = {name: number(value[name], language) for name in ("added", "removed", "changed") if name in value}
    part = language.parts["differences" if len(blanks) == 3 else "differences_unknown"]
    return Template(part).substitute(blanks, against=DeliveryId.parse(value["against"]).version)


def _changes(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    """How many cells changed, and by how much."""
    cells = value["cells"]
    if cells is None:
        return language.parts["changes_unknown"]
    counts = {name: number(count, language) for name, count in cells.items()}
    moved = [_moved(name, told, language) for name, told in value["measures"].items()]
    said = "; ".join(part for part in moved if part)
    by = f" {language.parts['by_how_much']} {said}." if said else ""
    return Template(language.parts["changes"]).substitute(counts) + by


def _moved(name: str, told: Mapping[str, Any], language: Language) -> str:
    """One measure: by how much its total moved, and one cell at most."""
    said = []
    if told["total_pct"] is not None:
        said.append(f"{language.parts['total']} {percent(told['total_pct'], language.code, '+,.1f')}")
    if told["largest_pct"] is not None:
        said.append(f"{language.parts['largest']} {percent(told['largest_pct'], language.code)}")
    return f"{name}: {', '.join(said)}" if said and any(told.values()) else ""


def _to(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return language.people.get(str(value), str(value))


_SPECIAL: dict[str, Callable[[Any, Mapping[str, Any], Language], str]] = {
    "what_to_do": _what_to_do,
    "feed": _feed,
    "provisional": _provisional,
    "warnings": _warnings,
    "reason": _reason,
    "stands": _stands,
    "changes": _changes,
    "checks": _checks,
    "differences": _differences,
    "to": _to,
}
