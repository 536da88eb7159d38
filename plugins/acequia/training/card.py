"""The model's card: what it learned from, its size, what it finds; and the same as tables for docs/detection.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from acequia.agreement.privacy import Kind
from acequia.protect.language.measured import CARD

PAGE = Path("docs/detection.md")
_END = "<!-- end -->"
_SPLITS = ("learned", "names held back", "shapes held back", "both held back")
_BESIDE = ("name, unlisted", "place")
_LANGUAGES = {"en": "English", "es": "Spanish"}


class Digest:
    """The SHA-256 of all texts that pass through, with what is labelled in them."""

    def __init__(self) -> None:
        self.hash, self.count = hashlib.sha256(), 0

    def watched(self, texts: Iterator[Any]) -> Iterator[Any]:
        """The same texts."""
        for text in texts:
            self.hash.update(json.dumps([text.text, text.spans], ensure_ascii=False).encode())
            self.count += 1
            yield text


def read(path: Path = CARD) -> dict[str, Any]:
    """The card; an empty one where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write(part: Mapping[str, Any], path: Path = CARD) -> None:
    """Replace these parts of the card."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps({**read(path), **part}, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def on_page(page: str, told: Mapping[str, Any]) -> str:
    """The page with the card's figures between its marks."""
    size = f"{told['model']['bytes']:,} bytes"
    for mark, text in (
        ("model", f"\n{model_table(told)}\n"),
        ("scrubber", f"\n{scrubber_table(told)}\n"),
        ("size", size),
    ):
        before, begins, rest = page.partition(f"<!-- {mark} -->")
        _, ends, after = rest.partition(_END)
        page = f"{before}{begins}{text}{ends}{after}" if ends else page
    return page


def model_table(card: Mapping[str, Any]) -> str:
    """Recall and precision of the model alone, in percent, one row per language and split."""
    lines = [
        "| language | sentences | people: recall | precision | places: recall | precision | nameless texts flagged |",
        "|---|---|---|---|---|---|---|",
    ]
    for language, splits in card["model"]["figures"].items():
        for split, row in sorted(splits.items(), key=lambda named: _SPLITS.index(named[0])):
            person, place = row["PERSON"], row["LOCATION"]
            lines.append(
                f"| {_LANGUAGES[language]} | {split} | {person['recall_pct']} | {person['precision_pct']} | "
                f"{place['recall_pct']} | {place['precision_pct']} | {row['nameless_flagged_pct']} |"
            )
    return "\n".join(lines)


def scrubber_table(card: Mapping[str, Any]) -> str:
    """Recall of the whole scrubber by kind, in percent, per setting and language; and its precision."""
    own, words = card["scrubber"]["own"], card["scrubber"]["words"]
    lines = [
        "| what | planted (en, es) | English: recall | precision | without a model | Spanish: recall | precision | "
        "without a model |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in (kind for kind in (*get_args(Kind), *_BESIDE) if kind in own["en"]):
        cells = [f"{own['en'][kind]['planted']}, {own['es'][kind]['planted']}"]
        for language in _LANGUAGES:
            row = own[language][kind]
            cells += [row["recall_pct"], row.get("precision_pct", "–"), words[language][kind]["recall_pct"]]
        lines.append(f"| {kind.replace('_', ' ')} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
