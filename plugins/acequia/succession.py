"""How a version of an agreement follows the one before: what of both cannot go together in one table or one period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from acequia.aggregate.rows import apart, protected_kinds
from acequia.agreement.closed import Misfit
from acequia.agreement.load import Signed
from acequia.agreement.model import Feed, Terms
from acequia.agreement.tables import Table
from acequia.period import Period, PeriodKind
from acequia.protect.pseudonyms import told_apart_otherwise

Severity = Literal["error", "warning"]


def misfits(before: Signed, after: Signed) -> Iterator[tuple[Severity, Misfit]]:
    """What is wrong or doubtful in a version beside the one that it follows, at its places in the later file."""
    old, new = before.agreement.terms, after.agreement.terms
    if old.expires_on + timedelta(days=1) < new.holds_from:
        gap = f"from {old.expires_on + timedelta(days=1)} to {new.holds_from - timedelta(days=1)}"
        yield "warning", Misfit(("terms", "effective_from"), f"no version holds {gap}: periods there are refused")
    for name, feed in after.agreement.feeds.items():
        earlier = before.agreement.feeds.get(name)
        if earlier is None:
            continue
        found = [*_of_periods(feed, old.version, new.holds_from), *_of_columns(earlier, feed, old, new.holds_from)]
        yield from ((severity, misfit.below("feeds", name)) for severity, misfit in found)
        yield from ((severity, misfit.below("feeds", name)) for severity, misfit in _of_tables(earlier, feed, old))


def _of_periods(feed: Feed, version: str, first: date) -> Iterator[tuple[Severity, Misfit]]:
    kind = feed.delivery.period
    period = Period.holding(kind, first)
    if period.start != first:
        said = f"lies inside {period.label}, for which version {version} holds; this one begins with the next {kind}"
        yield "warning", Misfit(("delivery", "period"), f"effective_from {first} {said}")


def _of_columns(before: Feed, after: Feed, old: Terms, first: date) -> Iterator[tuple[Severity, Misfit]]:
    """Columns that a window over both versions would hold twice, made in two ways."""
    version = old.version
    cut = {name: table.over for name, table in after.tables.items() if _cuts(table, first)}
    if not cut:
        return
    table, kind = next(iter(cut.items()))
    otherwise, unlike = told_apart_otherwise(before, after), apart(before, after)
    advice = f"let the version begin on the first day of a {kind}, or give the column another name with `as`"
    for name, key in after.kept.items():
        place = ("columns", key, "treat")
        if name in otherwise:
            said = f"tells people apart otherwise than version {version}, and {table} would count them twice"
            yield "error", Misfit(place, f"{said}: {advice}")
        elif name in unlike:
            yield (
                "error",
                Misfit(place, f"is of another type than in version {version}, and {table} spans both: {advice}"),
            )
        elif name in before.kept and before.columns[before.kept[name]].treat != after.columns[key].treat:
            said = f"is made otherwise than in version {version}, and {table} mixes both in one {kind}"
            yield "warning", Misfit(place, f"{said}: {advice}")


def _cuts(table: Table, first: date) -> bool:
    """Whether a window of the table holds days of both versions."""
    if table.over == "delivery":
        return False
    kind: PeriodKind = table.over
    return Period.holding(kind, first).start != first


def _of_tables(before: Feed, after: Feed, old: Terms) -> Iterator[tuple[Severity, Misfit]]:
    """Published columns whose type changes in a way that the lake does not follow."""
    kinds, others = protected_kinds(before), protected_kinds(after)
    for name, table in after.tables.items():
        earlier = before.tables.get(name)
        for n, column in enumerate(table.by if earlier else ()):
            if earlier is None or column not in earlier.by or column not in kinds or column not in others:
                continue
            if kinds[column] != others[column] and (kinds[column], others[column]) != ("integer", "number"):
                said = f"is published as {kinds[column]} under version {old.version}, and would be {others[column]}"
                yield "error", Misfit(("tables", name, "by", n), f"{said}: give the column another name with `as`")
