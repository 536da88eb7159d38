"""What is written in an agreement file as an agreement, or every error of it, each with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from acequia.agreement.closed import Closed, Misfit
from acequia.agreement.columns import Column, Rows
from acequia.agreement.diagnose import diagnose, locate
from acequia.agreement.fits import (
    agreement_misfits,
    column_misfits,
    privacy_misfits,
    rotation_misfits,
    rows_misfits,
    table_misfits,
)
from acequia.agreement.model import Agreement
from acequia.agreement.privacy import Privacy
from acequia.agreement.problems import Problem
from acequia.agreement.shape import fields
from acequia.agreement.tables import Table
from acequia.agreement.written import Written
from acequia.period import PeriodKind

Part = TypeVar("Part", bound=Closed)


def judged(root: Written) -> tuple[Agreement | None, list[Problem]]:
    """The agreement, or None with everything that is wrong with it."""
    data = root.plain()
    _keep_version_as_written(data, root)
    try:
        return Agreement.model_validate(data), []
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        found = diagnose(errors, root, Agreement)
    loose = [locate(misfit, root) for misfit in _between_parts(data)]
    return None, [*found, *loose]


def _keep_version_as_written(data: dict[str, Any], root: Written) -> None:
    """`version: 1.10` is a text, whether or not someone thought of the quotes: as a number it would become 1.1."""
    terms = root.value.get("terms") if isinstance(root.value, dict) else None
    version = terms.value.get("version") if terms is not None and isinstance(terms.value, dict) else None
    if version is not None and type(version.value) in (int, float):
        data["terms"]["version"] = version.text


def _between_parts(data: Mapping[str, Any]) -> Iterator[Misfit]:
    """What does not fit between parts, judged on the parts that are valid, so that it is told with their errors."""
    tables: dict[str, dict[str, Table]] = {}
    for name, feed in _mapping(data.get("feeds")).items():
        if isinstance(feed, dict):
            tables[name] = dict(_sound_parts(feed.get("tables")))
            yield from (misfit.below("feeds", name) for misfit in _in_feed(feed, tables[name]))
    recipients = _mapping(data.get("terms")).get("recipients")
    known = isinstance(recipients, tuple) and all(isinstance(name, str) for name in recipients)
    yield from agreement_misfits(tables, recipients if known else None)


def _in_feed(feed: Mapping[str, Any], tables: Mapping[str, Table]) -> Iterator[Misfit]:
    columns: dict[str, Column | frozenset[str]] = {}
    for key, written in _mapping(feed.get("columns")).items():
        known = _valid(written, Column)
        columns[key] = known or _names(_mapping(written))
    period = _mapping(feed.get("delivery")).get("period")
    yield from (misfit.below("columns") for misfit in column_misfits(columns))
    if rows := _valid(feed.get("rows", {}), Rows):
        yield from (misfit.below("rows") for misfit in rows_misfits(columns, rows))
    if privacy := _valid(feed.get("privacy", {}), Privacy):
        yield from (misfit.below("privacy") for misfit in privacy_misfits(columns, privacy))
        yield from (misfit.below("tables") for misfit in rotation_misfits(tables, columns, privacy))
    transform = feed.get("transform")
    known_period = period if period in get_args(PeriodKind) else None
    yield from (misfit.below("tables") for misfit in table_misfits(tables, columns, transform, known_period))


# What stands in for the broken parts of a table, and gives no cause for complaint itself.
_NEUTRAL: dict[str, Any] = {
    "describe": "-",
    "by": (),
    "measures": {"rows_count": {"count": "rows"}},
    "protect": {"none_because": "-"},
}


def _names(column: Mapping[str, Any]) -> frozenset[str]:
    """The names that a broken column may go by after the gate: what stands under `as`, or under no known key."""
    known = fields(Column).keys() - {"as"}
    return frozenset(text for key, text in column.items() if key not in known and isinstance(text, str))


def _sound_parts(tables: Any) -> Iterator[tuple[str, Table]]:
    """Each table without the keys that are broken."""
    for name, written in _mapping(tables).items():
        sound = dict(_mapping(written))
        while True:
            try:
                yield name, Table.model_validate(_NEUTRAL | sound)
                break
            except ValidationError as error:
                broken = {found["loc"][0] for found in error.errors(include_input=False)}
                if not broken & sound.keys():
                    break
                sound = {key: value for key, value in sound.items() if key not in broken}


def _valid(written: Any, model: type[Part]) -> Part | None:
    try:
        return model.model_validate(written)
    except ValidationError:
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
