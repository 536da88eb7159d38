"""Personal data out of free text: Presidio finds, typed placeholders such as `<PHONE>` take its place.

Fail closed: where the engine cannot be built, where anything goes wrong on a text, or where a text is too long to be
read with care, nothing of it is kept. What is kept is the worth of free text in a table of numbers: that there was a
remark, and roughly on what.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from acequia.protect.kinds import kind_of, mark_of
from acequia.protect.prefilter import may_hold
from acequia.protect.reader import LANGUAGES, Finding, reader

REDACTED = "<REDACTED>"
LONGEST = 2_000
"""Characters; a longer text is taken out whole. A text made for it ("a.a.a.…") takes time that grows with the cube."""

_FOREIGN_WEIGHT = 0.35


def available(language: str) -> bool:
    """Whether texts in this language can be read here. If not, `scrub_texts` keeps nothing of them."""
    return reader(language, "") is not None


def scrub_texts(values: list[str], *, language: str, country: str) -> list[str]:
    """Each text with what is personal replaced, in the same order; the same text always becomes the same.

    Args:
        values: the texts; each different one is read once.
        language: `en` or `es`, which decides on recognizers and context words.
        country: ISO 3166-1 alpha-2, which decides how phones without a country code are read.
    """
    done: dict[str, str] = {}
    for value in values:
        if value not in done:
            done[value] = _scrubbed(value, language, country)
    return [done[value] for value in values]


def find(text: str, *, language: str, country: str) -> tuple[Finding, ...]:
    """All findings in one text, in order, overlapping ones too.

    The text is read as it stands, and once more in plain signs where it holds others: full-width digits, characters of
    no width, dashes of all kinds.

    Raises:
        Exception: whatever goes wrong; its message may hold the text.
    """
    found = set(_found(text, language, country))
    simple, places = _simplified(text)
    if simple != text:
        for finding in _found(simple, language, country):
            start, end = _back(finding, places)
            found.add(Finding(start, end, finding.entity, finding.score))
    return tuple(sorted(found))


def _scrubbed(text: str, language: str, country: str) -> str:
    if not isinstance(text, str) or len(text) > LONGEST:
        return REDACTED
    try:
        return _replaced(text, find(text, language=language, country=country), country)
    except Exception:  # noqa: BLE001 - fail closed, and say nothing: messages of recognizers quote the text
        return REDACTED


def _replaced(text: str, findings: Sequence[Finding], country: str) -> str:
    """Findings that overlap are replaced as one, by the surest of them, then the longest, then by name."""
    parts, kept_to = [], 0
    for group in _overlapping(findings):
        start, end = group[0].start, max(finding.end for finding in group)
        surest = max(group, key=lambda finding: _sureness(finding, country))
        parts += [text[kept_to:start], mark_of(surest.entity)]
        kept_to = end
    return "".join((*parts, text[kept_to:]))


def _sureness(finding: Finding, country: str) -> tuple[float, int, str]:
    """What names a part of a text: numbers of other countries come after all that could be of the agreement's."""
    from acequia.protect.recognizers.stock import foreign

    weight = _FOREIGN_WEIGHT if finding.entity in foreign(country) else 1.0
    return finding.score * weight, finding.end - finding.start, finding.entity


def _overlapping(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    group: list[Finding] = []
    for finding in findings:
        if group and finding.start >= max(member.end for member in group):
            yield group
            group = []
        group.append(finding)
    if group:
        yield group


def _found(text: str, language: str, country: str) -> list[Finding]:
    reads = reader(language, country)
    if reads is None:
        raise RuntimeError("texts in this language cannot be read here")
    return reads.read(text) if may_hold(text) else []


def _simplified(text: str) -> tuple[str, list[int]]:
    """The text in plain signs, and for each of them the place it comes from (with the text's length at the end)."""
    if text.isascii():
        return text, []
    signs, places = [], []
    for place, sign in enumerate(text):
        category = unicodedata.category(sign)
        if category in ("Cf", "Mn"):
            continue
        simple = "-" if category == "Pd" or sign == "\u2212" else unicodedata.normalize("NFKC", sign)
        signs.append(simple)
        places += [place] * len(simple)
    return "".join(signs), [*places, len(text)]


def _back(finding: Finding, places: list[int]) -> tuple[int, int]:
    """The finding's place in the text as it stands, with what was left out inside and after it."""
    start, last = places[finding.start], places[finding.end - 1]
    return start, max(last + 1, places[finding.end])


__all__ = ["LANGUAGES", "LONGEST", "REDACTED", "Finding", "available", "find", "kind_of", "scrub_texts"]
