"""Facts as people read them: moments in the feed's time zone, numbers with their thousands, lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from acequia.notices.notice import EVERY_FEED, Notice
from acequia.notices.words import Language

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
    """With the language's mark between thousands."""
    return f"{value:,}".replace(",", language.thousands)


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
    return language.doing.get(str(facts.get("code")), str(value))


def _feed(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return language.parts["every_feed"] if value == EVERY_FEED else str(value)


def _provisional(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return language.parts["provisional"] if value else ""


def _warnings(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return language.parts["warnings"].replace("$warnings", "; ".join(map(str, value))) if value else ""


def _stands(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    part = language.parts["stands" if value else "stands_none"]
    return part.replace("$version", str(value))


def _changes(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return language.parts["changes_unknown"]


def _to(value: Any, facts: Mapping[str, Any], language: Language) -> str:
    return language.people.get(str(value), str(value))


_SPECIAL: dict[str, Callable[[Any, Mapping[str, Any], Language], str]] = {
    "what_to_do": _what_to_do,
    "feed": _feed,
    "provisional": _provisional,
    "warnings": _warnings,
    "stands": _stands,
    "changes": _changes,
    "to": _to,
}
