"""What one version of an agreement changes of another, in plain words: first where people are protected less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from acequia.agreement.changes_words import WORDS
from acequia.agreement.explain import Outline, outline
from acequia.agreement.model import Agreement
from acequia.agreement.phrases import Language
from acequia.agreement.weaker import weaker


def changes(before: Agreement, after: Agreement, language: Language) -> str:
    """A text for lawyers and stewards, as Markdown: protection, terms, then each feed. All that differs is in it."""
    words = WORDS[language]
    old, new = outline(before, language), outline(after, language)
    versions = {"old": before.terms.version, "new": after.terms.version}
    parts = [
        f"# {words['title'].format(name=after.name, **versions)}",
        words["holds"].format(day=after.terms.holds_from, **versions),
        f"## {words['protection']}",
        "\n".join(_protection(before, after, words)),
    ]
    told = list(_differences(old, new, ("terms",), words))
    if told:
        parts += [f"## {words['terms']}", "\n".join(told)]
    for feed in dict.fromkeys([*after.feeds, *before.feeds]):
        if feed not in after.feeds:
            parts.append(f"## {words['feed_gone'].format(feed=feed)}")
            continue
        lines = list(_differences(old, new, ("feeds", feed), words))
        if lines:
            parts += [f"## {words['feed'].format(feed=feed)}", "\n".join(lines)]
    if len(parts) == 4:
        parts.append(words["nothing"])
    return "\n\n".join(parts) + "\n"


def _protection(before: Agreement, after: Agreement, words: Mapping[str, str]) -> Iterator[str]:
    found = weaker(before, after)
    version = before.terms.version
    if not found:
        yield words["not_weaker"].format(old=version)
        return
    yield words["is_weaker"].format(old=version) + "\n"
    yield from (f"- {words[one.phrase].format(**one.values)}" for one in found)


def _differences(old: Outline, new: Outline, about: tuple[str, ...], words: Mapping[str, str]) -> Iterator[str]:
    """One line for each thing below `about` of which something else is said."""
    for key in dict.fromkeys([*new, *old]):
        if key[: len(about)] != about or old.get(key) == new.get(key):
            continue
        before, now = old.get(key, ()), new.get(key, ())
        phrase = "new" if key not in old else "gone" if key not in new else "changed"
        said = words[phrase].format(
            what=_what(key, words),
            now=_sentences([part for part in now if phrase == "new" or part not in before], words),
            before=_sentences([part for part in before if phrase == "gone" or part not in now], words),
        )
        yield f"- {said}"


def _what(key: tuple[str, ...], words: Mapping[str, str]) -> str:
    if key[0] == "feeds" and key[2] in ("columns", "tables"):
        return f"**{words['column' if key[2] == 'columns' else 'table'].format(name=key[3])}**"
    return f"**{key[-1]}**"


def _sentences(parts: list[str], words: Mapping[str, str]) -> str:
    """Parts of a row or sentences, as one sentence or more."""
    said = "; ".join(part.rstrip(".") for part in parts) or words["nothing_said"]
    return f"{said}."
