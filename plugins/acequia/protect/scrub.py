"""Personal data out of free text: Presidio finds, typed placeholders such as `<PHONE>` take its place.

Fail closed: where the engine cannot be built, where anything goes wrong on a text, or where a text is too long to be
read with care, nothing of it is kept. What is kept is the worth of free text in a table of numbers: that there was a
remark, and roughly on what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from acequia.agreement.privacy import Kind
from acequia.protect.kinds import kind_of, mark_of
from acequia.protect.language import too_low
from acequia.protect.reader import LANGUAGES, Finding, reader
from acequia.protect.views import View, views, with_views

REDACTED = "<REDACTED>"
LONGEST = 2_000
"""Characters; a longer text is taken out whole. A text made for it ("a.a.a.…") takes time that grows with the cube."""

_FOREIGN_WEIGHT = 0.35


def available(language: str) -> bool:
    """Whether texts in this language can be read here. If not, `scrub_texts` keeps nothing of them."""
    return reader(language, "") is not None


def preload() -> None:
    """Load what every text needs (Presidio, the lists, the model of names), so that processes forked from this one
    need not: for them the first batch of a country costs a third of a second.
    """
    for language in LANGUAGES:
        find_all(["call 71 123 456"] * 50, language=language, country="")  # enough of them for the sieve


def scrub_texts(
    values: list[str], *, language: str, country: str, targets: Mapping[Kind, float] | None = None
) -> list[str]:
    """Each text with what is personal replaced, in the same order; the same text always becomes the same.

    Args:
        values: the texts; each different one is read once.
        language: `en` or `es`, which decides on recognizers and context words.
        country: ISO 3166-1 alpha-2, which decides how phones without a country code are read.
        targets: how much must be found of each kind, in percent. Where less was found when it was measured, or nobody
            measured it, nothing of any text is kept.
    """
    if too_low(language, targets or {}):
        return [REDACTED] * len(values)
    texts = [value for value in dict.fromkeys(values) if _can_be_read(value)]
    found = find_all(texts, language=language, country=country)
    done = {
        text: REDACTED if findings is None else _replaced(text, findings, country)
        for text, findings in zip(texts, found, strict=True)
    }
    return [done.get(value, REDACTED) for value in values]


def find(text: str, *, language: str, country: str) -> tuple[Finding, ...]:
    """All findings in one text, in order, overlapping ones too. Of many texts, ask `find_all`.

    Raises:
        RuntimeError: anything went wrong.
    """
    (found,) = find_all([text], language=language, country=country)
    if found is None:
        raise RuntimeError("this text cannot be read here")
    return found


def find_all(
    texts: Sequence[str], *, language: str, country: str, sieved: bool = True
) -> list[tuple[Finding, ...] | None]:
    """All findings in each text, in order, overlapping ones too; None for a text that could not be read.

    A text is read as it stands, and once more in each further view of it (`views`).

    Args:
        texts: of any length; each is read once.
        language: `en` or `es`.
        country: ISO 3166-1 alpha-2.
        sieved: False shows every text to every recognizer; the findings are the same.
    """
    reads = reader(language, country)
    if reads is None:
        return [None] * len(texts)
    readings = [*texts]
    seen_as: list[tuple[int, View]] = []
    for number in with_views(texts):
        for view in views(texts[number]):
            seen_as.append((number, view))
            readings.append(view.text)
    found = reads.read(readings, sieved=sieved)
    together = found[: len(texts)]
    for (number, view), findings in zip(seen_as, found[len(texts) :], strict=True):
        before = together[number]
        together[number] = None if before is None or findings is None else before + _back(findings, view)
    return [None if findings is None else tuple(sorted(set(findings))) if findings else () for findings in together]


def _back(findings: Sequence[Finding], view: View) -> list[Finding]:
    return [Finding(*view.back(found.start, found.end), found.entity, found.score) for found in findings]


def _can_be_read(value: object) -> bool:
    """Half of a pair of surrogates cannot be stored, nor looked for."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return False
    return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)


def _replaced(text: str, findings: Sequence[Finding], country: str) -> str:
    """Findings that overlap are replaced as one, by the surest of them, then the longest, then by name."""
    if not findings:
        return text
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


__all__ = [
    "LANGUAGES",
    "LONGEST",
    "REDACTED",
    "Finding",
    "available",
    "find",
    "find_all",
    "kind_of",
    "preload",
    "scrub_texts",
]
