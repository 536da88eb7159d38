"""Reading agreement files: closed, frozen, and every error at once, each with its line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from acequia.agreement.closed import NAME, Misfit
from acequia.agreement.diagnose import locate
from acequia.agreement.judge import judged
from acequia.agreement.model import Agreement
from acequia.agreement.problems import AgreementInvalid, Problem, whole_file
from acequia.agreement.written import MAX_BYTES, Written, read
from acequia.errors import AcequiaError
from acequia.period import Period


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


def load(path: Path, *, earlier: bool = False) -> Signed:
    """Read one agreement file; with `earlier`, one of an earlier version, `<partner>/<version>.yaml`.

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
    return _signed(path, raw, earlier)


@lru_cache(maxsize=64)  # several versions are asked for again and again; what was read never changes
def _signed(path: Path, raw: bytes, earlier: bool) -> Signed:
    root, problems = read(raw)
    if root is None:
        raise AgreementInvalid(_said(path, earlier), tuple(problems))
    agreement, found = judged(root)
    found += _misnamed_version(root, path) if earlier else _misnamed(root, path)
    if agreement is None or problems or found:
        raise AgreementInvalid(_said(path, earlier), tuple(dict.fromkeys([*problems, *found])))
    return Signed(agreement, hashlib.sha256(raw).hexdigest(), path)


def load_all(folder: Path) -> list[Signed | Broken]:
    """The newest agreement of each partner of a folder, by file name; a broken one stands there as such and harms no
    other. One is broken too if an earlier version of it is, since nobody could say any more which one holds.

    Raises:
        AcequiaError: `usage` where there is no such folder.
    """
    return [_newest_or_broken(path) for path in _partners(folder)]


def histories(folder: Path) -> list[list[Signed | Broken]]:
    """The history of each partner's agreement, by file name.

    Raises:
        AcequiaError: `usage` where there is no such folder.
    """
    return [history(path) for path in _partners(folder)]


def find(folder: Path, partner: str, period: Period | None = None) -> Signed:
    """The agreement with a partner: the version in force for a period, or the newest.

    Raises:
        AcequiaError: `unknown_name` with the partners that there are; `agreement_invalid` if a file is broken.
    """
    path = _newest_file(folder, partner)
    return load(path) if period is None else in_force(versions(folder, partner), period)


def versions(folder: Path, partner: str) -> tuple[Signed, ...]:
    """Every version of the agreement with a partner, in the order in which they hold; the newest last.

    Raises:
        AcequiaError: `unknown_name` with the partners that there are; `agreement_invalid` if a file is broken, or if
            the files do not follow one another.
    """
    sound: list[Signed] = []
    for found in history(_newest_file(folder, partner)):
        if isinstance(found, Broken):
            raise found.error
        sound.append(found)
    return tuple(sound)


def history(newest: Path) -> list[Signed | Broken]:
    """The file of an agreement and those of its earlier versions, in the order in which they hold; the newest last.

    A file that does not follow the others stands there as broken, after those that can be read.
    """
    folder = newest.with_suffix("")
    read_ = [_load_or_broken(path, earlier=True) for path in _files(folder)] if folder.is_dir() else []
    earlier = sorted((one for one in read_ if isinstance(one, Signed)), key=_order)
    broken = [one for one in read_ if isinstance(one, Broken)]
    last = _load_or_broken(newest)
    sound = [*earlier, *([last] if isinstance(last, Signed) else [])]
    misplaced = [] if broken else [one for pair in zip(sound, sound[1:], strict=False) for one in _follows(*pair, last)]
    return [*broken, *misplaced, *earlier, last]


def in_force(versions: Sequence[Signed], period: Period) -> Signed:
    """The version that holds for a period: the last one that begins by its first day.

    For a period before them all it is the first, whose terms then say that they do not cover it.
    """
    holding = [one for one in versions if one.agreement.terms.holds_from <= period.start]
    return holding[-1] if holding else versions[0]


def _order(signed: Signed) -> tuple[object, ...]:
    return signed.agreement.terms.holds_from, signed.agreement.terms.version


def _follows(before: Signed, after: Signed, last: Signed | Broken) -> Iterator[Broken]:
    """What is wrong with a version beside the one that it follows."""
    old, new = before.agreement.terms, after.agreement.terms
    misfits = []
    if new.holds_from <= old.holds_from:
        said = f"must say from which day it holds, after {old.holds_from}, the first of version {old.version}"
        misfits.append(Misfit(("terms", "effective_from"), said))
    if after is last and new.version in {path.stem for path in _files(after.path.with_suffix(""))}:
        misfits.append(
            Misfit(("terms", "version"), "is that of an earlier version; a new version has a name of its own")
        )
    if misfits:
        root, _ = read(after.path.read_bytes())
        problems = tuple(locate(misfit, root or Written(None, 1, 1)) for misfit in misfits)
        yield Broken(after.path, AgreementInvalid(_said(after.path, after is not last), problems))


def _newest_file(folder: Path, partner: str) -> Path:
    path = folder / f"{partner}.yaml"
    # the name comes from outside: it may not lead out of the folder
    if not re.fullmatch(NAME.strip("^$"), partner) or not path.is_file():
        known = [path.stem for path in _files(folder)] if folder.is_dir() else []
        raise AcequiaError(
            "unknown_name", f"there is no agreement with such a partner; there are {', '.join(known) or 'none'}"
        )
    return path


def _said(path: Path, earlier: bool) -> str:
    return f"{path.parent.name}/{path.name}" if earlier else path.name


def _partners(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise AcequiaError(
            "usage", "there is no folder of agreements", do="Set ACEQUIA_CONFIG to the folder of `partners/`."
        )
    return _files(folder)


def _files(folder: Path) -> list[Path]:
    """The YAML files of a folder, by name; an editor's hidden ones are none of them."""
    return sorted(
        path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and not path.name.startswith(".")
    )


def _newest_or_broken(path: Path) -> Signed | Broken:
    found = history(path)
    return next((one for one in found if isinstance(one, Broken)), found[-1])


def _load_or_broken(path: Path, *, earlier: bool = False) -> Signed | Broken:
    try:
        return load(path, earlier=earlier)
    except AcequiaError as error:
        return Broken(path, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other files must be read
        return Broken(path, whole_file(path, f"the file cannot be read ({type(error).__name__})"))


def _misnamed(root: Written, path: Path) -> Iterator[Problem]:
    yield from _not_yaml(path)
    yield from _named_otherwise(root, ("partner",), path.stem)


def _misnamed_version(root: Written, path: Path) -> Iterator[Problem]:
    """The file of an earlier version is named by it, in a folder that is named by the partner."""
    yield from _not_yaml(path)
    yield from _named_otherwise(root, ("partner",), path.parent.name, "the folder")
    yield from _named_otherwise(root, ("terms", "version"), path.name.removesuffix(".yaml"))


def _not_yaml(path: Path) -> Iterator[Problem]:
    if path.suffix != ".yaml":
        yield Problem(1, 1, "", "the name of the file must end in .yaml")


def _named_otherwise(root: Written, place: tuple[str, ...], name: str, by: str = "the file") -> Iterator[Problem]:
    found: Written | None = root
    for key in place:
        found = found.value.get(key) if found is not None and isinstance(found.value, dict) else None
    if found is not None and found.value is not None and found.text != name:
        yield Problem(*found.mark, ".".join(place), f"must be {name}, as {by} is named")


__all__ = [
    "AgreementInvalid",
    "Broken",
    "Signed",
    "find",
    "histories",
    "history",
    "in_force",
    "load",
    "load_all",
    "versions",
]
