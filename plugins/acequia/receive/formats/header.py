"""What arrives is held against what is agreed, both ways: nothing more, nothing less, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from acequia.agreement.columns import Column
from acequia.errors import AcequiaError


def positions(arrived: Sequence[str], agreed: Mapping[str, Column]) -> dict[str, int]:
    """The place in the file of each agreed column that arrived, in the order of the agreement.

    An unlisted name is counted, never said: a header that is missing is a row of data.

    Raises:
        AcequiaError: `column_repeated`, `column_unlisted`, or `column_missing` with the agreed names that are missing.
    """
    found = [name.strip() for name in arrived]
    times = Counter(found)
    missing = [name for name, column in agreed.items() if column.required and name not in times]
    repeated = sorted(name for name in agreed if times[name] > 1)
    if repeated:
        raise AcequiaError("column_repeated", f"agreed columns arrived more than once: {', '.join(repeated)}")
    unlisted = sum(name not in agreed for name in found)
    if unlisted:
        also = f"; of the agreed ones these are missing: {', '.join(missing)}" if missing else ""
        raise AcequiaError("column_unlisted", f"{unlisted} column(s) arrived that the agreement does not list{also}")
    refuse_missing(missing)
    return {name: found.index(name) for name in agreed if name in times}


def unnamed_positions(width: int, agreed: Mapping[str, Column]) -> dict[str, int]:
    """The same without a header: columns come in the order of the agreement; optional ones at its end may lack."""
    if width > len(agreed):
        raise AcequiaError(
            "column_unlisted", f"{width - len(agreed)} column(s) arrived that the agreement does not list"
        )
    named = list(agreed)
    refuse_missing([name for name in named[width:] if agreed[name].required])
    return {name: place for place, name in enumerate(named[:width])}


def refuse_missing(missing: Sequence[str]) -> None:
    """Stop where an agreed column that is required did not arrive."""
    if missing:
        raise AcequiaError("column_missing", f"agreed columns did not arrive: {', '.join(missing)}")
