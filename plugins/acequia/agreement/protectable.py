"""What of a table's protection does not hold together: keys that do not fit, measures that no rule can protect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from acequia.agreement.closed import Misfit, unknown
from acequia.agreement.protection import NoProtection, Protection, Unit

_NUMBER = re.compile(r"[-+\d.e]+")
MEDIAN_AT_LEAST = 10
"""A median is one contributor's own number, or lies between two: among fewer it is too easily whose."""


def protection_misfits(protect: Protection, by: tuple[str, ...], measures: Mapping[str, Any]) -> Iterator[Misfit]:
    """Parts of `protect` that do not fit the table; places are below `protect`."""
    for place, unit in units_of(protect):
        yield from _concentration(unit, measures, place)
    for column in protect.secondary.keep_open:
        if column not in by:
            yield unknown(column, "a column of `by`", by, "secondary", "keep_open", column)
    if protect.cell_key is not None:
        for name, measure in measures.items():
            if measure.key not in ("count", "count_distinct"):
                said = f"is for counts alone, and {name} is a {measure.key}: give it a table of its own"
                yield Misfit(("cell_key",), said)
            elif measure.key == "count_distinct" and measure.count_distinct != protect.contributor:
                said = (
                    f"hides one contributor, who may stand for all that {name} counts: it is for counts of rows and of"
                    f" contributors ({protect.contributor})"
                )
                yield Misfit(("cell_key",), said)


def units_of(protect: Protection | NoProtection) -> list[tuple[tuple[str | int, ...], Protection | Unit]]:
    """All who stand behind the cells, the contributors first, each with its place below `protect`."""
    if isinstance(protect, NoProtection):
        return []
    return [((), protect), *((("also", number), unit) for number, unit in enumerate(protect.also))]


def _concentration(
    unit: Protection | Unit, measures: Mapping[str, Any], place: tuple[str | int, ...]
) -> Iterator[Misfit]:
    """Rules of concentration that name no measure of the table, or one of which nobody holds a share.

    A mean can be named: it is judged by the sum behind it.
    """
    additive = tuple(name for name, measure in measures.items() if measure.key in ("count", "sum", "mean"))
    by_default = [name for name in additive if measures[name].key != "mean"]
    for key in ("dominance", "p_percent"):
        rule = getattr(unit, key)
        if rule is not None and rule.of is None and not by_default:
            said = "has nothing to look at: it needs a `sum` or a `count: rows`, or a `mean` that `of` names"
            yield Misfit((*place, key), said)
        for n, name in enumerate((rule.of if rule is not None else None) or ()):
            if name not in measures:
                yield unknown(name, "a measure of this table", measures, *place, key, "of", n)
            elif name not in additive:
                said = f"names {name}, which is no sum, mean or row count: nobody holds a share of it"
                yield Misfit((*place, key, "of", n), said, additive)


def unprotected(protect: Protection, measures: Mapping[str, Any]) -> Iterator[Misfit]:
    """Measures that give away what the table's rules would hide; places are below the table."""
    for name, measure in measures.items():
        if measure.key == "median" and protect.min_contributors < MEDIAN_AT_LEAST:
            yield Misfit(
                ("measures", name),
                f"a median is one contributor's own number, and no rule can protect it among so few: "
                f"`min_contributors` must be at least {MEDIAN_AT_LEAST} beside it, or the measure a mean",
            )
    if protect.round_to is not None:
        yield from _counts_given_back(measures)


def _counts_given_back(measures: Mapping[str, Any]) -> Iterator[Misfit]:
    """Measures by which a rounded count is known exactly, alone or with another one."""
    sums = {(_said(one.sum), one.where): name for name, one in measures.items() if one.key == "sum"}
    for name, measure in measures.items():
        of = _averaged(measure)
        if of is not None and (found := sums.get((of, measure.where))) is not None:
            said = (
                f"gives a rounded count back exactly: {found} is the sum of the same, and the sum divided by it is how "
            )
            yield Misfit(("measures", name), f"{said}many there are; leave one of the two out, or `round_to`")
        if measure.key == "sum" and _NUMBER.fullmatch(_said(measure.sum)):
            yield Misfit(("measures", name), "counts rows, and would not be rounded: say `count: rows`")


def _averaged(measure: Any) -> str | None:
    """What the measure shows the mean of."""
    if measure.key == "ratio" and _NUMBER.fullmatch(_said(measure.ratio.to)):
        return _said(measure.ratio.of)
    return _said(measure.mean) if measure.key == "mean" else None


def _said(expression: str) -> str:
    return "".join(expression.split()).casefold()
