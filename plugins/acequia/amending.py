"""A drift accepted: the next version of an agreement is written, and the present one moved beside the earlier ones.

Nothing is written that `acequia check` would not pass, and nothing is ever overwritten.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

from acequia.agreement.load import find, versions
from acequia.checking import check
from acequia.drift.proposal import Drift
from acequia.drift.rewriting import rewritten
from acequia.errors import AcequiaError
from acequia.settings import Settings


def amend(
    settings: Settings, partner: str, feed: str, drift: Drift, *, version: str, effective_from: date
) -> tuple[Path, Path]:
    """Write the next version, with the drift accepted in it.

    Killed in between and run again, it ends the same: the present version is copied first, then replaced.

    Returns:
        The file of the new version, and where the one before it lies now.

    Raises:
        AcequiaError: `usage` or `unknown_name` where it cannot be written by a machine, `agreement_invalid` with
            everything that `acequia check` would say of it. Then nothing was written.
    """
    newest = find(settings.partners, partner)
    known = (
        [one.agreement.terms for one in versions(settings.partners, partner)] if _is_whole(settings, partner) else []
    )
    terms = newest.agreement.terms
    if version in {one.version for one in known} | {terms.version}:
        raise AcequiaError("usage", f"there is a version {version} already; a new one has a name of its own")
    if effective_from <= terms.holds_from:
        raise AcequiaError("usage", f"the new version must begin after {terms.holds_from}, where {terms.version} does")
    before = newest.path.read_text(encoding="utf-8-sig")
    after = rewritten(before, feed, drift, version=version, effective_from=effective_from)
    _require_sound(settings, partner, terms.version, before, after)
    earlier = settings.partners / partner / f"{terms.version}.yaml"
    _put_new(earlier, newest.path.read_bytes())
    _replace(newest.path, after.encode())
    return newest.path, earlier


def _is_whole(settings: Settings, partner: str) -> bool:
    """Whether the versions can be read. They cannot where a run before was killed after it copied the present one."""
    newest = find(settings.partners, partner)
    copy = settings.partners / partner / f"{newest.agreement.terms.version}.yaml"
    return not (copy.exists() and copy.read_bytes() == newest.path.read_bytes())


def _require_sound(settings: Settings, partner: str, old: str, before: str, after: str) -> None:
    """Check the files as they would lie, in a folder beside everything that they name."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        (config / "partners" / partner).mkdir(parents=True)
        for path in (settings.partners / partner).glob("*.yaml"):
            (config / "partners" / partner / path.name).write_bytes(path.read_bytes())
        (config / "partners" / partner / f"{old}.yaml").write_text(before, encoding="utf-8")
        (config / "partners" / f"{partner}.yaml").write_text(after, encoding="utf-8")
        for name, place in (("reference", settings.reference), ("expectations", settings.expectations)):
            if place.is_dir():
                (config / name).symlink_to(place.resolve(), target_is_directory=True)
        errors = [one for one in check(replace(settings, config=config), partner) if one.severity == "error"]
    if errors:
        told = "\n  ".join(f"{one.path.name}:{one.line}: {one.place}: {one.message}" for one in errors)
        do = "Write the new version by hand; docs/agreement-versions.md shows how."
        raise AcequiaError("agreement_invalid", f"the new version would not pass `acequia check`:\n  {told}", do=do)


def _put_new(path: Path, content: bytes) -> None:
    """Whole or not at all; what is there already must be the same."""
    path.parent.mkdir(exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}.partial")
    staged.write_bytes(content)
    try:
        os.link(staged, path)  # unlike a rename, it never replaces
    except FileExistsError:
        if path.read_bytes() != content:
            raise AcequiaError(
                "usage", f"{path.parent.name}/{path.name} is there already, and is another one"
            ) from None
    finally:
        staged.unlink()


def _replace(path: Path, content: bytes) -> None:
    staged = path.with_name(f".{path.name}.{os.getpid()}.partial")
    staged.write_bytes(content)
    staged.replace(path)
