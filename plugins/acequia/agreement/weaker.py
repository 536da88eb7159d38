"""Where a version of an agreement protects people less than the one before it. Pure; steward and lawyer read it first.

What is not known to be weaker and not known to be as strong is told as `judge`: a person must.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from acequia.agreement.columns import Column, Lookup
from acequia.agreement.model import Agreement, Feed, Terms
from acequia.agreement.privacy import Budget
from acequia.agreement.protection import NoProtection, Protection, Unit
from acequia.agreement.tables import Table
from acequia.agreement.treatments import Band, FirstCharacters, PartOf, RoundTo, TopCode, TruncateTo
from acequia.agreement.treatments import Unit as TimeUnit

_UNITS = get_args(TimeUnit)
_STRICT = ("required", "optional", "none")
_BUDGETS = ("month", "quarter", "year", "ever")
_ROTATIONS = ("month", "quarter", "year", "none")


@dataclass(frozen=True)
class Weaker:
    """One way in which people are protected less: a phrase of `changes_words`, and what stands in it."""

    phrase: str
    values: Mapping[str, object]


def weaker(before: Agreement, after: Agreement) -> tuple[Weaker, ...]:
    """Everything in which the later version protects less, in the order of the file."""
    found = list(_terms(before.terms, after.terms))
    for name, feed in after.feeds.items():
        earlier = before.feeds.get(name)
        if earlier is None:
            found.append(_said("feed_new", feed=name))
            continue
        found += [*_delivery(name, earlier, feed), *_columns(name, earlier, feed), *_privacy(name, earlier, feed)]
        for table_name, table in feed.tables.items():
            found += _table(table_name, earlier.tables.get(table_name), table, before.terms, after.terms)
    return tuple(found)


def _said(phrase: str, **values: object) -> Weaker:
    return Weaker(phrase, values)


def _terms(before: Terms, after: Terms) -> Iterator[Weaker]:
    for name in ("raw_kept_days", "protected_kept_days"):
        old, new = getattr(before, name), getattr(after, name)
        if new > old:
            yield _said(name, old=old, new=new)
    for name in ("purposes", "recipients"):
        if more := sorted(set(getattr(after, name)) - set(getattr(before, name))):
            yield _said(name, more=", ".join(more))


def _delivery(name: str, before: Feed, after: Feed) -> Iterator[Weaker]:
    for key in ("manifest", "signature", "encryption"):
        old, new = getattr(before.delivery, key), getattr(after.delivery, key)
        if _STRICT.index(new) > _STRICT.index(old):
            yield _said(key, feed=name, old=old, new=new)


def _privacy(name: str, before: Feed, after: Feed) -> Iterator[Weaker]:
    old, new = before.privacy, after.privacy
    if _ROTATIONS.index(new.rotate) > _ROTATIONS.index(old.rotate):
        yield _said("rotate", feed=name)
    for key in ("leaks_at_most_pct", "names_at_most_pct"):
        if getattr(new, key) > getattr(old, key):
            yield _said(key, feed=name, old=getattr(old, key), new=getattr(new, key))
    for kind, target in old.recall_at_least_pct.items():
        now = new.recall_at_least_pct.get(kind, 0)
        if now < target:
            yield _said("recall", feed=name, kind=kind, old=target, new=now)
    yield from _budget(name, old.budget, new.budget)


def _columns(name: str, before: Feed, after: Feed) -> Iterator[Weaker]:
    """By what remains of a column: a new name for the same one is no new column."""
    stood = {**{key: column for key, column in before.columns.items() if column.treat == "drop"}, **_kept(before)}
    for kept, column in _kept(after).items():
        key = after.kept[kept]
        earlier = stood.get(kept) or before.columns.get(key)
        if earlier is None:
            yield _said("column_new", feed=name, column=key, remains=kept)
        else:
            yield from _column(name, key, earlier, column)


def _kept(feed: Feed) -> dict[str, Column]:
    return {kept: feed.columns[key] for kept, key in feed.kept.items()}


def _column(feed: str, key: str, before: Column, after: Column) -> Iterator[Weaker]:
    where = {"feed": feed, "column": key}
    if before.treat not in ("keep", after.treat):
        if before.treat == "drop":
            yield _said("column_not_dropped", **where)
        elif after.treat == "keep":
            yield _said("column_kept", **where)
        else:
            finer = _finer(before.treat, after.treat)
            if finer is not False:
                yield _said("column_finer" if finer else "column_judge", **where)
    if more := set(after.may_hold or ()) - set(before.may_hold or ()):
        yield _said("may_hold", **where, kinds=", ".join(sorted(more)))


def _finer(before: Any, after: Any) -> bool | None:
    """Whether a treatment lets more through than another of its kind; None where that cannot be said."""
    if type(before) is not type(after):
        return None
    if isinstance(after, TruncateTo):
        return _UNITS.index(after.truncate_to) < _UNITS.index(before.truncate_to)
    if isinstance(after, Band):
        return False if set(after.band) < set(before.band) else True if set(after.band) > set(before.band) else None
    orders = ((RoundTo, "round_to", -1), (TopCode, "top_code", 1), (FirstCharacters, "first", 1))
    for kind, value, sign in orders:
        if isinstance(after, kind):
            return bool(sign * getattr(after, value) > sign * getattr(before, value))
    return None if isinstance(after, (Lookup, PartOf, str)) else None


def _table(name: str, before: Table | None, after: Table, old_terms: Terms, new_terms: Terms) -> Iterator[Weaker]:
    if before is None:
        yield _said("table_new", table=name)
        return
    yield from _protection(name, before.protect, after.protect)
    if more := [column for column in after.by if column not in before.by]:
        yield _said("table_by", table=name, more=", ".join(more))
    if more := [measure for measure in after.measures if measure not in before.measures]:
        yield _said("table_measures", table=name, more=", ".join(more))
    if more := sorted({level for levels in after.hierarchy.values() for level in levels}
                      - {level for levels in before.hierarchy.values() for level in levels}):  # fmt: skip
        yield _said("table_levels", table=name, more=", ".join(more))
    if after.release == "each_delivery" != before.release and after.over != "delivery":
        yield _said("table_release", table=name)
    readers = set(after.recipients or new_terms.recipients) - set(before.recipients or old_terms.recipients)
    if readers and after.recipients is not None:  # else the terms have told of them
        yield _said("table_recipients", table=name, more=", ".join(sorted(readers)))
    if before.over != after.over or before.where != after.where:
        yield _said("table_judge", table=name)


def _protection(name: str, before: Protection | NoProtection, after: Protection | NoProtection) -> Iterator[Weaker]:
    if isinstance(before, NoProtection):
        return
    if isinstance(after, NoProtection):
        yield _said("unprotected", table=name)
        return
    if after.min_contributors < before.min_contributors:
        yield _said("min_contributors", table=name, old=before.min_contributors, new=after.min_contributors)
    if after.contributor != before.contributor:
        phrase = "contributor_rows" if after.contributor == "rows" else "contributor"
        yield _said(phrase, table=name, old=before.contributor, new=after.contributor)
    yield from _concentration(before, after, table=name)
    yield from _units(name, before, after)
    yield from _rounding(name, before, after)
    if before.zeros == "withhold" != after.zeros:
        yield _said("zeros", table=name)
    if after.secondary.range_pct < before.secondary.range_pct:
        yield _said("range_pct", table=name, old=before.secondary.range_pct, new=after.secondary.range_pct)
    yield from _noise(name, before, after)


def _rounding(name: str, before: Protection, after: Protection) -> Iterator[Weaker]:
    if before.round_to and (after.round_to or 1) < before.round_to:
        yield _said("round_to", table=name, old=before.round_to, new=after.round_to or 1)
    elif after.round_to and before.rounding == "controlled" != after.rounding:
        yield _said("rounding", table=name)


def _concentration(before: Protection | Unit, after: Protection | Unit, **where: object) -> Iterator[Weaker]:
    """Dominance and the p% rule; a (p, q) rule is as strict as the ratio of the two."""
    of = "_of" if "unit" in where else ""
    old, new = before.dominance, after.dominance
    if old and not new:
        yield _said(f"dominance_gone{of}", **where)
    elif old and new and (new.n < old.n or new.k_pct > old.k_pct or _fewer(old.of, new.of)):
        yield _said(f"dominance{of}", **where)
    was, now = before.p_percent, after.p_percent
    if was and not now:
        yield _said(f"p_percent_gone{of}", **where)
    elif was and now and (now.p_pct * was.q_pct < was.p_pct * now.q_pct or _fewer(was.of, now.of)):
        yield _said(f"p_percent{of}", **where)


def _fewer(before: tuple[str, ...] | None, after: tuple[str, ...] | None) -> bool:
    """Whether a rule looks at fewer totals."""
    return after is not None and (before is None or not set(before) <= set(after))


def _units(name: str, before: Protection, after: Protection) -> Iterator[Weaker]:
    left = {unit.contributor: unit for unit in after.also}
    for unit in before.also:
        now = left.get(unit.contributor)
        if now is None:
            yield _said("also_gone", table=name, unit=unit.contributor)
            continue
        if now.min_contributors < unit.min_contributors:
            old, new = unit.min_contributors, now.min_contributors
            yield _said("also", table=name, unit=unit.contributor, old=old, new=new)
        yield from _concentration(unit, now, table=name, unit=unit.contributor)


def _noise(name: str, before: Protection, after: Protection) -> Iterator[Weaker]:
    """Noise in place of withholding, or the other way round, is another kind of protection: a person must judge."""
    old, new = before.cell_key, after.cell_key
    was, now = before.differential_privacy, after.differential_privacy
    if (old is None) != (new is None) or (was is None) != (now is None):
        yield _said("noise_judge", table=name)
    for key in ("noise_at_most", "variance", "never"):
        if old and new and getattr(new, key) < getattr(old, key):
            yield _said(key, table=name, old=getattr(old, key), new=getattr(new, key))
    for key in ("epsilon", "delta"):
        if was and now and getattr(now, key) > getattr(was, key):
            yield _said(key, table=name, old=getattr(was, key), new=getattr(now, key))


def _budget(name: str, before: Budget | None, after: Budget | None) -> Iterator[Weaker]:
    """What all releases together may cost; a budget for each month is twelve for each year."""
    if before is None or after is None:
        if before is not None:
            yield _said("budget_gone", feed=name)
        return
    for key in ("epsilon", "delta"):
        if getattr(after, key) > getattr(before, key):
            yield _said(f"budget_{key}", feed=name, old=getattr(before, key), new=getattr(after, key))
    if _BUDGETS.index(after.per) < _BUDGETS.index(before.per):
        yield _said("budget_per", feed=name)
