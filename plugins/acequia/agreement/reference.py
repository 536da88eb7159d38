"""The reference of every key of an agreement file, made from the models: docs/agreement.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args, get_origin

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import acequia.engine.expressions
from acequia.agreement.closed import COLUMN_NAME, NAME
from acequia.agreement.columns import FITS
from acequia.agreement.load import load
from acequia.agreement.model import COUNTRY, EMAIL, TRANSFORM, VERSION, Agreement
from acequia.agreement.shape import Shape, fields, shape_of
from acequia.agreement.tables import as_expression
from acequia.agreement.treatments import WORDS
from acequia.errors import AcequiaError

_HEAD = """\
# The agreement file: every key

Everything that is known about a partner stands in one file, `config/partners/<partner>.yaml`. The file is closed: a key
that is unknown, misspelt or written twice is an error, with its line and the valid choices, and nothing runs until it
is corrected. There is no default for privacy: a column without `treat` is an error.

    acequia check              every error and warning of every file, at once
    acequia explain PARTNER    the agreement in plain words, in English or Spanish

This page is generated from the models by `python -m acequia.agreement.schema`; so is `config/agreement.schema.json`,
by which editors complete and check keys while you write. VS Code (with its YAML extension), JetBrains, Neovim and
others read it where the file begins with

```yaml
# yaml-language-server: $schema=../agreement.schema.json
```

## How the YAML is read

Numbers, true, false and null are those of YAML 1.2: `no`, `yes`, `on` and `off` are texts, so `country: NO` is Norway.
Days are written 2026-03-01, local times 2026-03-01 06:30:00, both with or without quotes. A number with a leading zero
is a code, and stays text. Keys are always text. Anchors and aliases (`&a`, `*a`) may be used; merge keys (`<<`), tags
(`!x`) and several documents in one file may not. A file is UTF-8, and no larger than 1 MB.
"""

_WRONG = """\
partner: acme_mobility
name: Acme Mobility
county: BW
terms: {version: "1.0", legal_basis: a law, purposes: [statistics], signed_on: 2026-03-01, expires_on: 2025-03-01,
  raw_kept_days: two, protected_kept_days: 400, recipients: [statistics_office],
  contacts: {partner: a@acme.example, steward: b@office.example, dpo: c@office.example}}
feeds:
  trips:
    delivery:
      source: {type: sftp, connection: acme_sftp, path: "out/{period}.csv"}
      format: cvs
      schedule: "0 6 * * *"
      timezone: Africa/Gaborone
      period: day
      due_within_hours: 30
    columns:
      rider_id:  {type: string}
      fare:      {type: number, treat: keep, unit: BWP, treat: drop}
    tables:
      trips_by_day:
        describe: One row per day.
        by: []
        measures: {riders_count: {count_distinct: rider}}
        protect: {contributor: rider_id, min_contributors: 10}
"""
_PATTERNS = {
    NAME: "name (`a-z`, digits, `_`)",
    COLUMN_NAME: "column",
    VERSION: "version",
    COUNTRY: "two capital letters",
    EMAIL: "e-mail address",
    TRANSFORM: "`module.function`",
}
_TABLE = "| key | value | default | meaning | example |\n|---|---|---|---|---|\n"


def reference_text() -> str:
    """The whole page."""
    parts = [_HEAD, *_sections(Shape(Agreement, model=Agreement), "")]
    language = (acequia.engine.expressions.__doc__ or "").split("\n", 1)[1].strip()
    parts.append(_wrong_file())
    parts.append(f"## Expressions\n\n`where` and the measures hold expressions over the columns.\n\n{language}\n")
    return "\n".join(parts)


def _wrong_file() -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "acme_mobility.yaml"
        path.write_text(_WRONG, encoding="utf-8")
        try:
            load(path)
        except AcequiaError as error:
            said = error.what
    return (
        "## What a wrong file gets\n\nEvery error at once, with line and column, place and choices. This file"
        f"\n\n```yaml\n{_WRONG}```\n\ngets\n\n```\n{said}\n```\n"
    )


def _sections(shape: Shape, path: str) -> Iterator[str]:
    """The section of a place, then those of all that lies below it."""
    if shape.variants:
        yield _alternatives(shape, path)
        for variant in shape.variants.values():
            yield from _below(variant, path)
    elif shape.model is not None:
        table = "".join(_row(key, info) for key, info in fields(shape.model).items())
        yield f"{_heading(path)}\n\n{_meaning(shape.model)}\n\n{_TABLE}{table}"
        yield from _below(shape, path)


def _below(shape: Shape, path: str) -> Iterator[str]:
    for key, info in fields(shape.model).items() if shape.model else ():
        below, place = shape_of(info.annotation), f"{path}.{key}".lstrip(".")
        if below.items is not None:
            below, place = below.items, f"{place}.<{key.rstrip('s')}>"
        yield from _sections(below, place)


def _heading(path: str) -> str:
    return f"## `{path}`" if path else "## The file itself"


def _alternatives(shape: Shape, path: str) -> str:
    """One table for all alternatives: what tells each from the others comes first, shared keys last."""
    models = {tag: variant.model for tag, variant in shape.variants.items() if variant.model is not None}
    shared = set.intersection(*(set(fields(model)) for model in models.values())) if len(models) > 1 else set()
    rows = [_word_row(word) for variant in shape.variants.values() for word in variant.choices]
    for tag, model in models.items():
        own = [key for key in fields(model) if key not in shared or key == "type"]
        rows += [_row(key, fields(model)[key], of=model, fits=FITS.get(tag)) for key in own]
    for key in [key for key in fields(next(iter(models.values()))) if key in shared and key != "type"]:
        optional = [tag for tag, model in models.items() if not fields(model)[key].is_required()]
        most = next((model for tag, model in models.items() if tag not in optional), next(iter(models.values())))
        but = f"required, but for {_or(tuple(optional))}" if 0 < len(optional) < len(models) else None
        rows.append(_row(key, fields(most)[key], default=but))
    named = any(variant.model is None and not variant.choices for variant in shape.variants.values())
    head = "One of these, by its `type`." if "type" in shared else "One of these."
    head = "A name alone, or both of these keys." if named else head
    return f"{_heading(path)}\n\n{head}\n\n{_TABLE}{''.join(dict.fromkeys(rows))}"


def _word_row(word: str) -> str:
    fits = FITS.get(word)
    value = f"the word itself; for {_or(fits)}" if fits else "the word itself"
    return f"| `{word}` | {value} | | {_cell(WORDS.get(word, ''))} | `treat: {word}` |\n"


def _row(
    key: str,
    info: FieldInfo,
    *,
    of: type[BaseModel] | None = None,
    fits: tuple[str, ...] | None = None,
    default: str | None = None,
) -> str:
    meaning, default = info.description or "", default or _default(info)
    if of is not None and (key == "type" or _needs_only(of, key)):
        meaning = _meaning(of)
    if key == "type" and of is not None:
        key = f"type: {get_args(info.annotation)[0]}"
    value = _value(info.annotation, info.metadata) + (f"; for {_or(fits)}" if fits else "")
    return f"| `{key}` | {_cell(value)} | {_cell(default)} | {_cell(meaning)} | {_example(key, info)} |\n"


def _needs_only(model: type[BaseModel], key: str) -> bool:
    return [name for name, info in fields(model).items() if info.is_required()] == [key]


def _meaning(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True)
    if default is None or default == {} or isinstance(default, BaseModel):
        return ""
    return f"`{_yaml(list(default) if isinstance(default, tuple) else default)}`"


def _example(key: str, info: FieldInfo) -> str:
    if not info.examples:
        return ""
    return f"`{key.split(':')[0]}: {_yaml(info.examples[0])}`".replace("|", "\\|")


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    text = text.removesuffix("\n").removesuffix("\n...")
    return re.sub(r"'(\d{4}-\d{2}-\d{2})'", r"\1", text)


def _value(annotation: Any, metadata: list[Any]) -> str:
    """A type in words."""
    while (arguments := get_args(annotation)) and hasattr(annotation, "__metadata__"):
        metadata = [*metadata, *annotation.__metadata__]
        annotation = arguments[0]
    shape = shape_of(annotation)
    if shape.variants or shape.model is not None:
        return "see below"
    if shape.items is not None:
        return "keys with values: see below" if shape.items.keys else f"keys with {_value(arguments[1], [])}"
    if shape.choices:
        return _or(tuple(f"`{choice}`" for choice in shape.choices))
    if type(None) in arguments:
        return _value(next(part for part in arguments if part is not type(None)), metadata)
    if get_origin(annotation) is tuple:
        items = [part for part in arguments if part is not Ellipsis]
        many = "list of two: " if len(items) == 2 else "list: "
        return many + _value(items[0], [])
    return _scalar(annotation, metadata)


def _scalar(annotation: Any, metadata: list[Any]) -> str:
    flat = [part for meta in metadata for part in (meta.metadata if isinstance(meta, FieldInfo) else [meta])]
    pattern = next((meta.pattern for meta in flat if getattr(meta, "pattern", None)), None)
    if any(getattr(meta, "func", None) is as_expression for meta in flat):
        return "expression"
    if annotation is str:
        return _PATTERNS.get(pattern, "text") if isinstance(pattern, str) else "text"
    words = {int: "whole number", float: "number", Any: "value of the column's type"}.get(annotation, "day")
    return words + _limits(flat)


def _limits(metadata: list[Any]) -> str:
    low = next((meta.ge for meta in metadata if isinstance(meta, annotated_types.Ge)), None)
    above = next((meta.gt for meta in metadata if isinstance(meta, annotated_types.Gt)), None)
    high = next((meta.le for meta in metadata if isinstance(meta, annotated_types.Le)), None)
    parts = [f"from {low}" if low is not None else f"above {above}" if above is not None else "",
             f"to {high}" if high is not None else ""]  # fmt: skip
    said = " ".join(part for part in parts if part)
    return f" {said}" if said else ""


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
