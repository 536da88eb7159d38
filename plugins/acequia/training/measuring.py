"""What the model finds, and what the whole scrubber finds, in sentences that nothing has learned from."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

from acequia.agreement.privacy import Kind
from acequia.protect.language.setting import SETTING
from acequia.protect.person_names import listed, name_parts
from acequia.training.model import LABELS, found
from acequia.training.sentences import (
    BOTH_HELD,
    LANGUAGES,
    LEARNED,
    NAMES_HELD,
    SHAPES_HELD,
    Labelled,
    Split,
    sentences,
)

if TYPE_CHECKING:
    from spacy.language import Language

Rows = Mapping[str, Mapping[str, float]]
Told = Callable[[str], None]

COUNTRIES = {"en": "BW", "es": "UY"}
SPLITS: Mapping[str, Split] = {
    "learned": LEARNED, "names held back": NAMES_HELD, "shapes held back": SHAPES_HELD, "both held back": BOTH_HELD,
}  # fmt: skip
_SEED = 20_260_101  # of what is measured on; no seed of training
_MANY_NUMBERS = (("person", 0.38), ("place", 0.08), ("contact", 0.34), ("none", 0.20))


def of_model(nlp: Language, many: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Percent by language, split and entity, on `many` texts each: what is found exactly, and what of it is right."""
    return {
        language: {
            name: _exactly(nlp, list(itertools.islice(sentences(_SEED, language, split), many)))
            for name, split in SPLITS.items()
        }
        for language in LANGUAGES
    }


def of_scrubber(setting: str, many: int, told: Told) -> dict[str, dict[str, dict[str, float]]]:
    """Percent by language and kind under a setting of ACEQUIA_NLP, names and shapes held back.

    A planted value is found where none of its letters and digits is left; a finding of a kind is right where it touches
    something planted. `name, unlisted` are the names of which no word is on the project's lists.
    """
    with _set(setting):
        figures = {}
        for language in LANGUAGES:
            texts = itertools.islice(sentences(_SEED + 1, language, BOTH_HELD, _MANY_NUMBERS), many)
            figures[language] = _removed(list(texts), language)
            told(f"  {setting}, {language}: measured on {many} texts")
    return figures


def _exactly(nlp: Language, texts: Sequence[Labelled]) -> dict[str, Any]:
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    nameless, flagged = 0, 0
    for text, spans in zip(texts, found(nlp, [text.text for text in texts]), strict=True):
        there = {(start, end, LABELS[kind]) for start, end, kind in text.spans if kind in LABELS}
        right.update(label for *_, label in there & spans)
        wrong.update(label for *_, label in spans - there)
        missed.update(label for *_, label in there - spans)
        nameless += not there
        flagged += not there and bool(spans)
    rows: dict[str, Any] = {
        label: {
            "recall_pct": _percent(right[label], right[label] + missed[label]),
            "precision_pct": _percent(right[label], right[label] + wrong[label]),
        }
        for label in LABELS.values()
    }
    return {**rows, "nameless_flagged_pct": _percent(flagged, nameless)}


def _removed(texts: Sequence[Labelled], language: str) -> dict[str, dict[str, float]]:
    from acequia.protect.kinds import kind_of
    from acequia.protect.scrub import find_all

    planted, gone, claimed, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    read = find_all([text.text for text in texts], language=language, country=COUNTRIES[language])
    for text, found_there in zip(texts, read, strict=True):
        findings = found_there or ()
        covered = {place for finding in findings for place in range(finding.start, finding.end)}
        for start, end, kind in text.spans:
            for name in _rows_of(kind, text.text[start:end]):
                planted[name] += 1
                gone[name] += all(at in covered for at in range(start, end) if text.text[at].isalnum())
        for finding in findings:
            kind = "place" if finding.entity == "LOCATION" else kind_of(finding.entity)
            claimed[kind] += 1
            right[kind] += any(start < finding.end and finding.start < end for start, end, _ in _told(text, kind))
    return {
        kind: {
            "planted": planted[kind],
            "recall_pct": _percent(gone[kind], planted[kind]),
            **({"precision_pct": _percent(right[kind], claimed[kind])} if claimed[kind] else {}),
        }
        for kind in (*get_args(Kind), "name, unlisted", "place")
        if planted[kind]
    }


def _told(text: Labelled, kind: str) -> Iterator[tuple[int, int, str]]:
    """What a finding of the kind may rightly touch: anything planted, but places by findings of places alone."""
    return (span for span in text.spans if span[2] != "place" or kind == "place")


def _rows_of(kind: str, text: str) -> Iterator[str]:
    yield kind
    if kind == "name" and listed().every.isdisjoint(name_parts(text)):
        yield "name, unlisted"


@contextmanager
def _set(setting: str) -> Iterator[None]:
    """The scrubber under this setting, and under the one before again."""
    from acequia.protect.reader import reader

    before = os.environ.get(SETTING)
    os.environ[SETTING] = setting
    reader.cache_clear()
    try:
        yield
    finally:
        os.environ.pop(SETTING) if before is None else os.environ.update({SETTING: before})
        reader.cache_clear()


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
