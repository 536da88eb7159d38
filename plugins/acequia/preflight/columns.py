"""By what the columns of the files differ from the agreed ones: the same reading that the office would propose from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from acequia.agreement.model import Feed
from acequia.drift.observed import observe
from acequia.drift.proposal import proposal
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from acequia.preflight.judged import Columns

_MEMORY = "256MB"


def differences(data: Sequence[Path], feed: Feed, scratch: Path) -> tuple[Columns, ...]:
    """Of every data file whose columns are not the agreed ones, by its number."""
    scratch.mkdir(exist_ok=True)
    found = []
    with closing(connect(_MEMORY, scratch)) as connection:
        for number, path in enumerate(data, start=1):
            try:
                drift = proposal(observe(connection, path, feed, scratch), feed)
            except AcequiaError:
                continue  # another trouble, which the verdict tells
            if drift.changes:
                found.append(Columns(number, drift))
    return tuple(found)
