"""What the differences between the columns that arrived and those that are agreed seem to mean. Pure.

A file cannot say why it changed; so each change carries its evidence and a confidence, and a person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any, Literal, get_args

from acequia.agreement.columns import Column, ColumnType
from acequia.agreement.model import Feed
from acequia.drift.observed import Observed, Seen
from acequia.flow import Mix

Kind = Literal["added", "missing", "renamed", "retyped", "unfit", "header_missing", "header_repeated", "named_twice"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# What makes a column another one's new name: mostly its name, then values that few columns could have, then its place.
_NAME, _VALUES, _PLACE, _ENOUGH = 0.55, 0.25, 0.20, 0.5
_FITS, _MISFITS = 0.9, 0.5
_SURELY_ALIKE = 0.8


@dataclass(frozen=True)
class Change:
    """One difference. `column` is an agreed name, `found` the partner's own name of a column that arrived, `place` its
    place in the file from 1, where it has one. Shares are 0..1, or None where they say nothing: `fit` of the values
    that fit the agreed column, `alike` of the two names, `mix` of values as often as before. `in_place`: it stands
    where the agreed one would. `type` and `parse` are what the values are now.
    """

    kind: Kind
    column: str | None = None
    found: str | None = None
    place: int | None = None
    confidence: float = 1.0
    fit: float | None = None
    alike: float | None = None
    mix: float | None = None
    in_place: bool | None = None
    type: ColumnType | None = None
    parse: str | None = None
    empty: float | None = None


@dataclass(frozen=True)
class Drift:
    """Every difference, and how many rows were looked at. `reordered`: the columns came in another order, which does
    no harm where the file names them.
    """

    changes: tuple[Change, ...]
    rows: int
    reordered: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind, without a name."""
        return {kind: many for kind in KINDS if (many := sum(change.kind == kind for change in self.changes))}

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "changes": [_said(change) for change in self.changes]}

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Drift:
        """Read what `as_json` made."""
        return cls(tuple(Change(**change) for change in said["changes"]), said["rows"], said["reordered"])


def _said(change: Change) -> dict[str, Any]:
    return {name: value for name, value in asdict(change).items() if value is not None}


def proposal(observed: Observed, feed: Feed, past: Mapping[str, Mix] | None = None) -> Drift:
    """What the difference between a file and the agreement seems to be; no change where there is none.

    Args:
        observed: what arrived.
        feed: what is agreed.
        past: the mix of the feed's last accepted delivery, by protected column, where there is one.
    """
    agreed = feed.arriving
    if observed.named and observed.header_fits >= _FITS:
        return Drift((Change("header_missing", fit=observed.header_fits),), observed.rows)
    changes: list[Change] = []
    if observed.repeats:
        changes.append(Change("header_repeated"))
    times = [seen.name for seen in observed.columns]
    changes += [Change("named_twice", column=name) for name in agreed if times.count(name) > 1]
    own = {seen.name: seen for seen in observed.columns if seen.name in agreed}
    strange = [seen for seen in observed.columns if seen.name not in agreed]
    gone = {name: column for name, column in agreed.items() if name not in own}
    renamed = dict(_renamed(strange, gone, observed, feed, past or {}))
    for seen in observed.columns:
        name = seen.name if seen.name in agreed else None
        if seen.place in renamed:
            name = renamed[seen.place].column
            changes.append(renamed[seen.place])
        if name is None:
            changes.append(_added(seen))
        else:
            changes += _retyped(seen, name, agreed[name])
    taken = {change.column for change in renamed.values()}
    changes += [
        Change("missing", column=name) for name, column in gone.items() if column.required and name not in taken
    ]
    order = [list(agreed).index(name) for name in own]
    if not observed.ordered:
        return Drift(tuple(replace(change, place=None, in_place=None) for change in changes), observed.rows)
    return Drift(tuple(changes), observed.rows, any(left > right for left, right in pairwise(order)))


def _added(seen: Seen) -> Change:
    kind, parse = seen.guess
    empty = 1 - seen.filled / seen.rows if seen.rows else None
    return Change("added", found=seen.name, place=seen.place, type=kind, parse=parse, empty=empty)


def _retyped(seen: Seen, name: str, column: Column) -> Iterator[Change]:
    """A column of whose values most are not of the agreed type, or break its other rules."""
    fit = seen.fits.get(name)
    if fit is None or fit.whole >= _MISFITS:
        return
    found = None if seen.name == name else seen.name
    if fit.typed >= _MISFITS:
        yield Change("unfit", name, found, seen.place, confidence=1 - fit.whole, fit=fit.whole)
        return
    kind, parse = seen.guess
    sure = (
        0.7 if parse and re.match("%[dm][/.-]%[dm]", parse) else 0.95
    )  # a day and a month can be taken for each other
    yield Change("retyped", name, found, seen.place, confidence=sure, fit=fit.typed, type=kind, parse=parse)


def _renamed(
    strange: Sequence[Seen], gone: Mapping[str, Column], observed: Observed, feed: Feed, past: Mapping[str, Mix]
) -> Iterator[tuple[int, Change]]:
    """Each strange column with the agreed one that it most probably is, the surest first; no column twice."""
    agreed = list(feed.arriving)
    known = {seen.name: seen.place for seen in observed.columns if seen.name in feed.arriving}
    scored = [
        (found.confidence, -seen.place, seen, found)
        for seen in strange
        for name, column in gone.items()
        if (
            found := _same(
                seen, name, column, feed, past, in_place=observed.ordered and _in_place(seen, name, agreed, known)
            )
        )
        is not None
    ]
    taken: set[str | int | None] = set()
    for _, _, seen, change in sorted(scored, key=lambda one: (-one[0], -one[1], str(one[3].column))):
        if not taken & {seen.place, change.column}:
            taken |= {seen.place, change.column}
            yield seen.place, change


def _same(
    seen: Seen, name: str, column: Column, feed: Feed, past: Mapping[str, Mix], *, in_place: bool
) -> Change | None:
    """The agreed column under another name, with the evidence; None where there is too little."""
    fit = seen.fits.get(name)
    alike = likeness(seen.name, name)
    whole = None if fit is None else fit.whole
    telling = 0.0 if whole is None else telling_of(column)
    if whole is not None and whole < _FITS:
        # Values written in another way (days and months, say) are still of that column's type.
        telling = 0.7 * telling if seen.guess[0] == column.type != "string" else 0.0
        if alike < (_SURELY_ALIKE if not telling else 0.5):
            return None
    mix = _mix(seen, name, feed, past)
    score = _NAME * alike + _VALUES * telling + _PLACE * in_place + (0.1 * (mix - 0.5) if mix is not None else 0.0)
    if score < (_ENOUGH if column.required else _ENOUGH + 0.1):
        return None
    return Change(
        "renamed", name, seen.name, seen.place, confidence=round(min(score, 1.0), 2), fit=whole, alike=round(alike, 2),
        mix=mix, in_place=in_place,
    )  # fmt: skip


def telling_of(column: Column) -> float:
    """How much it says that values fit an agreed column: 0 if any would, 1 if hardly others do."""
    if column.one_of is not None:
        return 1.0
    if column.matches is not None:
        return 0.9
    if column.type in ("timestamp", "date"):
        return 0.8
    if column.type == "string":
        return 0.1
    return 0.7 if column.between is not None else 0.4


def likeness(one: str, other: str) -> float:
    """How alike two names are, 0..1: letters' case, accents and what stands between words aside."""
    left, right = _words(one), _words(other)
    joined, wanted = "".join(left), "".join(right)
    if not joined or not wanted:
        return 0.0
    if joined == wanted:
        return 1.0
    letters = SequenceMatcher(None, joined, wanted, autojunk=False).ratio()
    shared = len(set(left) & set(right)) / max(len(set(left)), len(set(right)))
    begun = 0.7 if min(len(joined), len(wanted)) > 2 and (joined.startswith(wanted) or wanted.startswith(joined)) else 0
    return max(letters if letters >= 0.5 else letters / 2, shared, begun)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain).casefold()
    return [word for word in re.split(r"[\W_]+", plain) if word]


def _mix(seen: Seen, name: str, feed: Feed, past: Mapping[str, Mix]) -> float | None:
    """How much of the agreed values comes as often as before, 0..1; None where nothing is known to compare with."""
    protected = next((kept for kept, key in feed.kept.items() if key == name), None)
    fit = seen.fits.get(name)
    if protected is None or protected not in past or fit is None or not fit.values:
        return None
    before, now = past[protected].values, fit.values
    if not sum(before.values()):
        return None
    shares = [(now.get(value, 0) / sum(now.values()), before.get(value, 0) / sum(before.values()))
              for value in now.keys() | before.keys()]  # fmt: skip
    return round(1 - sum(abs(one - other) for one, other in shares) / 2, 2)


def _in_place(seen: Seen, name: str, agreed: Sequence[str], found: Mapping[str, int]) -> bool:
    """Whether a strange column stands where an agreed one would: as far from the next known one, left or right."""
    here = agreed.index(name)
    left = next((n for n in range(here - 1, -1, -1) if agreed[n] in found), -1)
    right = next((n for n in range(here + 1, len(agreed)) if agreed[n] in found), len(agreed))
    begin = found[agreed[left]] if left >= 0 else 0
    end = found[agreed[right]] if right < len(agreed) else max(found.values(), default=0) + 1
    if right == len(agreed):
        return begin < seen.place and seen.place - begin == here - left
    return begin < seen.place < end and (seen.place - begin == here - left or end - seen.place == right - here)
