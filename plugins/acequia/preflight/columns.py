"""By which names the columns of a file differ from the agreed ones, and which of them were probably renamed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path

from acequia.agreement.model import Feed
from acequia.errors import AcequiaError
from acequia.preflight.given import data_of
from acequia.preflight.judged import Columns
from acequia.receive.formats.opening import names_in

_ALIKE = 0.6
_MEMORY = "256MB"


def differences(files: Sequence[Path], feed: Feed, scratch: Path) -> tuple[Columns, ...]:
    """Of every file whose columns are not the agreed ones."""
    from acequia.engine.duck import connect

    scratch.mkdir(exist_ok=True)
    found = []
    with closing(connect(_MEMORY, scratch)) as connection:
        for number, path in enumerate(data_of(files), start=1):
            try:
                arrived = [name.strip() for name in names_in(connection, path, feed, scratch)]
            except AcequiaError:
                continue  # another trouble, which the verdict tells
            differ = _differ(number, arrived, feed)
            if differ.missing or differ.unlisted:
                found.append(differ)
    return tuple(found)


def _differ(number: int, arrived: Sequence[str], feed: Feed) -> Columns:
    agreed = feed.arriving
    missing = [name for name, column in agreed.items() if column.required and name not in arrived]
    unlisted = list(dict.fromkeys(name for name in arrived if name not in agreed))
    renamed: dict[str, str] = {}
    for name in missing:
        lower = {other.lower(): other for other in unlisted if other not in renamed.values()}
        for meant in get_close_matches(name.lower(), lower, n=1, cutoff=_ALIKE):
            renamed[name] = lower[meant]
    return Columns(number, tuple(missing), tuple(unlisted), renamed)
