"""What is generated from the models: a JSON schema for editors, and the reference of every key.

`python -m acequia.agreement.schema` writes both again, after a model has changed. A test says when that was forgotten.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from acequia.agreement.model import Agreement

PROJECT = Path(__file__).resolve().parents[3]
SCHEMA, REFERENCE = Path("config/agreement.schema.json"), Path("docs/agreement.md")


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of an agreement file. It knows keys, types and choices; `acequia check` knows the rest."""
    made = Agreement.model_json_schema(by_alias=True, mode="validation")
    _without_titles(made)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An Acequia agreement: config/partners/<partner>.yaml",
        **made,
    }


def schema_text() -> str:
    """The schema as it is written to config/agreement.schema.json."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def generated() -> dict[Path, str]:
    """Every generated file, by its path in the project."""
    from acequia.agreement.reference import reference_text

    return {SCHEMA: schema_text(), REFERENCE: reference_text()}


def _without_titles(part: Any) -> None:
    """Titles repeat the names of keys; editors would show them in place of the descriptions."""
    if isinstance(part, dict):
        if isinstance(part.get("title"), str):
            del part["title"]
        for key, below in part.items():
            if key not in ("examples", "default"):
                _without_titles(below)
    elif isinstance(part, list):
        for below in part:
            _without_titles(below)


if __name__ == "__main__":
    for path, text in generated().items():
        (PROJECT / path).parent.mkdir(parents=True, exist_ok=True)
        (PROJECT / path).write_text(text, encoding="utf-8")
