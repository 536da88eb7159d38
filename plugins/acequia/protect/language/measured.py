"""How much of what is planted the whole scrubber finds, by setting, language and kind: measured, and kept in a file.

The figures for `own` and `words` come with the package. Those of a model of another maker are measured where it is used
(`python -m acequia.training measure`) and kept under ACEQUIA_HOME; before that nobody knows them, and what nobody knows
is taken for nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from acequia.agreement.privacy import Kind
from acequia.protect.language.engines import LANGUAGES, chosen
from acequia.settings import Settings

CARD = Path(__file__).parent / "card.json"
"""What the model is and how well it and the scrubber do; docs/detection.md shows the same figures."""


def recall(language: str) -> Mapping[str, float]:
    """Percent found by kind, 0..100, under the setting that holds; empty where nobody measured it."""
    if language not in LANGUAGES:
        return {}
    setting = chosen()
    path = CARD if setting.kind in ("own", "words") else measured_at(setting.key(language))
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    return _read(path, stamp).get(setting.key(language), {}).get(language, {})


def too_low(language: str, targets: Mapping[Kind, float]) -> tuple[Kind, ...]:
    """The kinds of which less is found in this language than the targets ask for, in percent. A kind that nobody
    measured counts as not found.
    """
    found = recall(language)
    return tuple(sorted(kind for kind, target in targets.items() if target > found.get(kind, 0.0)))


def identity(language: str) -> str:
    """A digest of what decides how texts in a language are read and whether they are kept: another one, other texts."""
    setting = chosen()
    model = hashlib.sha256(CARD.read_bytes()).hexdigest() if setting.kind == "own" else ""
    said = json.dumps([setting.key(language), model, sorted(recall(language).items())])
    return hashlib.sha256(said.encode()).hexdigest()


def measured_at(key: str) -> Path:
    """The file of the figures of a model that does not come with the package."""
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    return Settings.from_environment(os.environ).home / "measured" / f"{name}.json"


@cache
def _read(path: Path, stamp: int) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """Figures by setting, language and kind; a file that cannot be read holds none."""
    if not stamp:
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["scrubber"]
        return {
            key: {
                language: {kind: float(row["recall_pct"]) for kind, row in rows.items()}
                for language, rows in of.items()
            }
            for key, of in told.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
