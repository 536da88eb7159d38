"""Reading agreement files: closed, frozen, and every error at once, each with its line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import ValidationError

from acequia.agreement.closed import NAME, Closed, Misfit
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
from acequia.agreement.problems import AgreementInvalid, Problem, whole_file
from acequia.agreement.shape import fields
from acequia.agreement.tables import Table
from acequia.agreement.written import MAX_BYTES, Written, read
from acequia.errors import AcequiaError
from acequia.period import PeriodKind

Part = TypeVar("Part", bound=Closed)


@dataclass(frozen=True)
class Signed:
    """An agreement with the SHA-256 of the file's bytes, which names its exact wording in ledger and lineage."""

    agreement: Agreement
    sha256: str
    path: Path


class Broken(NamedTuple):
    """A file in the folder of agreements that is not one, and why."""

    path: Path
    error: AcequiaError


def load(path: Path) -> Signed:
    """Read one agreement file.

    Raises:
        AgreementInvalid: `agreement_invalid` with every error of the file, by line, as text and as `problems`.
    """
    try:
        if not path.is_file():
            raise whole_file(path, "there is no such file")
        with path.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise whole_file(path, f"the file cannot be read ({type(error).__name__})") from None
    root, problems = read(raw)
    if root is None:
        raise AgreementInvalid(path.name, tuple(problems))
    agreement, found = _agreement(root)
    found += _misnamed(root, path)
    if agreement is None or problems or found:
        raise AgreementInvalid(path.name, tuple(dict.fromkeys([*problems, *found])))
    return Signed(agreement, hashlib.sha256(raw).hexdigest(), path)


def load_all(folder: Path) -> list[Signed | Broken]:
    """Every agreement of a folder, by file name; a broken file stands there as such and harms no other.

    Raises:
        AcequiaError: `usage` where there is no such folder.
    """
    if not folder.is_dir():
        raise AcequiaError(
            "usage", "there is no folder of agreements", do="Set ACEQUIA_CONFIG to the folder of `partners/`."
        )
    return [_load_or_broken(path) for path in _files(folder)]


def find(folder: Path, partner: str) -> Signed:
    """The agreement with a partner.

    Raises:
        AcequiaError: `unknown_name` with the partners that there are; `agreement_invalid` if the file is broken.
    """
    path = folder / f"{partner}.yaml"
    # the name comes from outside: it may not lead out of the folder
    if not re.fullmatch(NAME.strip("^$"), partner) or not path.is_file():
        known = [path.stem for path in _files(folder)] if folder.is_dir() else []
        raise AcequiaError(
            "unknown_name", f"there is no agreement with such a partner; there are {', '.join(known) or 'none'}"
        )
    return load(path)


def _files(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and not path.name.startswith(".")
    )


def _load_or_broken(path: Path) -> Signed | Broken:
    try:
        return load(path)
    except AcequiaError as error:
        return Broken(path, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other files must be read
        return Broken(path, whole_file(path, f"the file cannot be read ({type(error).__name__})"))


def _misnamed(root: Written, path: Path) -> Iterator[Problem]:
    partner = root.value.get("partner") if isinstance(root.value, dict) else None
    if path.suffix != ".yaml":
        yield Problem(*root.mark, "", "the name of the file must end in .yaml")
    if partner is not None and partner.value is not None and partner.text != path.stem:
        yield Problem(*partner.mark, "partner", f"must be {path.stem}, as the file is named")


def _agreement(root: Written) -> tuple[Agreement | None, list[Problem]]:
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


__all__ = ["AgreementInvalid", "Broken", "Signed", "find", "load", "load_all"]
