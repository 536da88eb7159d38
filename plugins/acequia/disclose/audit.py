"""The auditor: what can anybody work out of the withheld numbers, from what is public and from nothing else?

It writes down the equations between all public numbers (`public.system`) and asks for the least and the greatest value
that each withheld number can have (`intervals`: two linear programs, the audit of the Handbook on Statistical
Disclosure Control). It does not know the rules' parameters, so by itself it finds what nobody can want: numbers known
exactly, counts known to fewer whole numbers than the least number of contributors, sums known to within a small share,
and two vintages whose counts differ by fewer than that number.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from acequia.disclose.layers import HIDDEN, Interval, Layer
from acequia.disclose.public import CONTRIBUTORS, System, Told, system
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    import numpy as np

NARROW_PCT = 0.1
"""Of a release of ours: a sensitive number is known too closely if its interval is less than this per cent of its
middle. What the rules ask for beyond is checked before a release, by whoever knows their parameters."""

NARROW_PCT_OF_OTHERS = 10.0
"""Of a table of somebody else: the customary p of the p% rule."""

NOT_SENSITIVE = ("secondary",)


@dataclass(frozen=True)
class Seen:
    """One withheld number as the public can know it. `found`: exactly_known, too_narrow, or None where it is well."""

    release: str
    table: str
    cell: Mapping[str, str]
    measure: str
    because: str
    known: Interval
    found: str | None

    def as_row(self) -> dict[str, Any]:
        """As JSON has it; an end that nothing bounds is null."""
        return {
            "release": self.release,
            "cell": dict(self.cell),
            "measure": self.measure,
            "withheld_because": self.because,
            "low": _finite(self.known.low),
            "high": _finite(self.known.high),
            "found": self.found,
        }


@dataclass(frozen=True)
class Difference:
    """Two public counts that differ by a few contributors."""

    release: str
    other: str
    table: str
    cell: Mapping[str, str]
    measure: str
    low: float
    high: float

    def as_row(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "release": self.release,
            "cell": dict(self.cell),
            "measure": self.measure,
            "against": self.other,
            "low": self.low,
            "high": self.high,
            "found": "difference",
        }


@dataclass(frozen=True)
class Audited:
    """What the auditor saw: every withheld number, every difference that tells of few, and whether what is public
    contradicts itself between releases (then each was looked at by itself).
    """

    releases: tuple[str, ...]
    cells: int
    seen: tuple[Seen, ...]
    differences: tuple[Difference, ...]
    contradicts: bool = False

    @property
    def findings(self) -> list[Seen | Difference]:
        """What should not be."""
        return [*(one for one in self.seen if one.found), *self.differences]


def audit(releases: Sequence[Told], *, narrow_pct: float = NARROW_PCT, around: str | None = None) -> Audited:
    """Audit releases that belong together: tables of one feed, all of their public vintages.

    Args:
        releases: what is public, with the shape that each tells of itself.
        narrow_pct: in per cent of an interval's middle; a sensitive sum known more closely is reported.
        around: the id of a release; then only what depends on it is looked at.

    Raises:
        AcequiaError: `tables_contradict` where a release contradicts itself; `usage` where it is too large.
    """
    made, known, contradicts = solve(releases, around)
    seen = tuple(_seen(made, known, narrow_pct))
    differences = (*_vintages(releases), *_rests(made, known))
    return Audited(tuple(one.id for one in releases), len(made.cells), seen, differences, contradicts)


Known = dict[tuple[int, int], Interval]
"""Layer and unknown -> what is known of it."""


def solve(releases: Sequence[Told], around: str | None = None) -> tuple[System, Known, bool]:
    """The system, the interval of every withheld number, and whether releases contradict each other.

    With `around` the id of a release, only of those numbers that depend on its own.
    """
    made = system(releases)
    try:
        return made, _known(made, around), False
    except AcequiaError as error:
        if error.code != "tables_contradict" or len(releases) < 2:
            raise
        made = system(releases, linked=False)
        return made, _known(made, around), True


def _known(made: System, around: str | None) -> Known:
    import numpy as np

    from acequia.disclose.intervals import intervals

    withheld = made.withheld()
    found: Known = {}
    for place, layer in enumerate(made.layers):
        rests = [unknown for of, unknown, _ in made.rests if of == place]
        wanted = [*hidden_of(layer.cell, withheld), *rests]
        if around is not None:
            near = _depending(made, place, withheld, around)
            wanted = [unknown for unknown in wanted if near[unknown]]
        held = np.bincount(layer.equations.indices, minlength=len(layer.value)) > 0
        for unknown in wanted:  # what no equation speaks of is known as it was before
            found[place, unknown] = Interval(float(layer.lower[unknown]), float(layer.upper[unknown]))
        wanted = [unknown for unknown in wanted if held[unknown]]
        if wanted:
            found.update(zip(((place, n) for n in wanted), intervals(layer, withheld, wanted), strict=True))
    return found


def _depending(made: System, place: int, withheld: np.ndarray[Any, Any], around: str) -> np.ndarray[Any, Any]:
    """Which unknowns hang together with those of a release, by equations between numbers that are not published."""
    import numpy as np

    layer = made.layers[place]
    own = np.array([made.releases[at].id == around for at, _ in made.cells], bool)
    mine = (layer.cell >= 0) & own[np.maximum(layer.cell, 0)]
    beside = (abs(layer.equations).T @ (abs(layer.equations) @ mine.astype(float))) > 0
    group = groups(layer, withheld)
    return np.isin(group, np.unique(group[mine | beside]))


def groups(layer: Layer, withheld: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Which unknowns hang together, as a number for each: by equations between numbers that are not exactly public."""
    import numpy as np
    from scipy.sparse import block_array, csr_array, diags_array
    from scipy.sparse.csgraph import connected_components

    hidden = np.where(layer.cell >= 0, withheld[np.maximum(layer.cell, 0)], layer.cell == HIDDEN)
    free = hidden | (layer.slack > 0)
    loose = csr_array(layer.equations @ diags_array(free.astype(float)))
    loose.eliminate_zeros()
    return np.asarray(connected_components(block_array([[None, loose.T], [loose, None]]), directed=False)[1])[
        : len(free)
    ]


def hidden_of(cell: np.ndarray[Any, Any], withheld: np.ndarray[Any, Any]) -> list[int]:
    """The unknowns of withheld cells."""
    return [n for n, at in enumerate(cell.tolist()) if at >= 0 and withheld[at]]


def _seen(made: System, known: Known, narrow_pct: float) -> Iterator[Seen]:
    for (place, unknown), interval in known.items():
        layer = made.layers[place]
        if layer.cell[unknown] < 0:
            continue
        at, row = made.cells[layer.cell[unknown]]
        release, measure = made.releases[at], made.names[place][unknown]
        because = release.because[row] or "withheld"
        found = None if because in NOT_SENSITIVE else judged(interval, release, measure, because, narrow_pct)
        cell = dict(zip(release.by, release.keys[row], strict=True))
        yield Seen(release.id, release.table, cell, measure, because, interval, found)


def judged(known: Interval, release: Told, measure: str, because: str, narrow_pct: float) -> str | None:
    """What is wrong with an interval, by what an outsider can tell.

    That a number is zero is told by a total that is zero, and by the open sign that nobody was there; it is no finding
    unless the agreement keeps zeros open. A count can be too narrow only while it can be a small one.
    """
    quantity = release.quantities[measure]
    if known.low == known.high == 0 and because != "zeros":
        return None
    width = known.high - known.low
    if math.isinf(width):
        return None
    if width <= 1e-9 * max(1.0, abs(known.high)):
        return "exactly_known"
    small = because == "min_contributors" and known.low < release.at_least
    if (
        quantity.kind != "sum"
        and small
        and (measure == CONTRIBUTORS or quantity == release.quantities.get(CONTRIBUTORS))
    ):
        return "too_narrow" if width + 1 < release.at_least else None
    if quantity.kind == "sum" or release.at_least == 0:
        return "too_narrow" if relative(known) < narrow_pct / 100 else None
    return None


def relative(known: Interval) -> float:
    """How wide an interval is against its middle: 0 is exact, 2 begins at zero; inf where an end is open."""
    if not (math.isfinite(known.low) and math.isfinite(known.high)):
        return math.inf
    middle = abs(known.high + known.low) / 2
    return (known.high - known.low) / middle if middle else (0.0 if known.high == known.low else math.inf)


def _vintages(releases: Sequence[Told]) -> Iterator[Difference]:
    """Counts of one cell in two vintages of a window, that differ by one contributor to one less than needed."""
    by_window: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for one in releases:
        by_window[one.table, str(one.period)].append(one)
    for vintages in by_window.values():
        for one, other in combinations(vintages, 2):
            yield from between(one, other)


def between(one: Told, other: Told) -> Iterator[Difference]:
    """The differences of two vintages that tell of few."""
    least = max(one.at_least, other.at_least)
    rows = {key: row for row, key in enumerate(other.keys)}
    for measure, quantity in one.quantities.items():
        if quantity.kind == "sum" or other.quantities.get(measure) != quantity:
            continue
        room = one.slack[measure] + other.slack[measure]
        for row, key in enumerate(one.keys):
            if key not in rows:
                continue
            gap = abs(one.numbers[measure][row] - other.numbers[measure][rows[key]])
            low, high = max(gap - room, 0.0), gap + room
            if low >= 1 and high < least:
                cell = dict(zip(one.by, key, strict=True))
                yield Difference(one.id, other.id, one.table, cell, measure, low, high)


def _rests(made: System, known: Known) -> Iterator[Difference]:
    """What is left of a longer window beside the shorter ones that are public, where it is few."""
    least = max((one.at_least for one in made.releases), default=0)
    for place, unknown, between_ in made.rests:
        interval, layer = known.get((place, unknown)), made.layers[place]
        if interval and layer.integer and interval.low >= 1 and interval.high < least:
            release, _, rest = between_.partition(" without ")
            yield Difference(release, rest, release.split("/")[0], {}, layer.name, interval.low, interval.high)


def smallest(audited: Audited, release: str) -> dict[str, float | None]:
    """By measure of a release, the smallest relative interval of a sensitive number that is not known to be zero;
    None where no interval has two ends. Rounded down to six places.
    """
    found: dict[str, float | None] = {}
    for one in audited.seen:
        if one.release != release or one.because in NOT_SENSITIVE or one.known.low == one.known.high == 0:
            continue
        width = relative(one.known)
        before = found.get(one.measure)
        least = width if before is None else min(before, width)
        found[one.measure] = least if math.isfinite(least) else before
    return {name: None if width is None else math.floor(width * 1e6 + 1e-3) / 1e6 for name, width in found.items()}


def _finite(number: float) -> float | int | None:
    if not math.isfinite(number):
        return None
    return int(number) if number == int(number) else number


def standing(releases: Sequence[Told], new: Told) -> list[Told]:
    """What is public once a release is out: it stands in place of the vintage before, which stays to be seen."""
    before = [
        replace(one, current=False) if (one.table, one.period) == (new.table, new.period) else one
        for one in releases
        if one.id != new.id
    ]
    return [*before, new]
