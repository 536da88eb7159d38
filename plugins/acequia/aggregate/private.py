"""Tables with differential privacy: what each contributor adds is bounded before anything is counted.

User-level: two sets of rows are neighbours if one has all rows of one contributor more. Of each contributor at most
`cells_at_most` finest cells count; in each of them at most `rows_at_most` rows for a count of rows, one for a count of
contributors, and for a sum what its bounds allow. So the whole contributor moves a measure by no more than
`cells_at_most` times what it can add to one cell (Wilson and others, "Differentially Private SQL with Bounded User
Contribution", 2020). Rows without a contributor belong to nobody who could be protected, and are left out.

Which cells of a contributor are kept is decided by SHA-256 over table, window, contributor and cell: the same in every
run, for each contributor apart from all others, and telling nothing. No key is needed for that: nothing of the choice
is published before noise is added, and the contributor is a keyed pseudonym already.

Only finest cells are computed. Wider levels are sums of noisy cells: see `disclose.private`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path

from acequia.aggregate.dimensions import TOTAL, UNKNOWN, Dimension, dimension
from acequia.aggregate.measures import EXACT, MeasureSql
from acequia.aggregate.statements import Statements
from acequia.agreement.model import Feed
from acequia.agreement.protection import DifferentialPrivacy, Protection
from acequia.agreement.tables import CountDistinct, CountRows, Sum, Table
from acequia.engine.duck import literal, quoted
from acequia.engine.transforms import looks_at_each_alone
from acequia.errors import AcequiaError
from acequia.period import Period

CONTRIBUTORS = "private:contributors"
"""The column of the finest cells' contributors, where the cells themselves are unknown."""
_STEPS = 6  # a sum is counted in units of about a millionth of its bound
_LARGEST = 2**62


def terms_of(table: Table) -> DifferentialPrivacy | None:
    """What the agreement says of the table's differential privacy, if it has any."""
    return table.protect.differential_privacy if isinstance(table.protect, Protection) else None


@dataclass(frozen=True)
class Query:
    """One set of numbers that noise is added to: `contributors`, or a measure by its name."""

    name: str
    column: str


def is_contributors(table: Table, name: str) -> bool:
    """Whether a measure counts the contributors of the whole cell."""
    measure = table.measures[name]
    return isinstance(measure, CountDistinct) and measure.where is None


def queries(table: Table) -> tuple[Query, ...]:
    """What the table asks of its rows, each at a price of its own, in order.

    Where the cells are unknown, the contributors of each come first; a measure that counts them too costs no more.
    """
    hidden = table.cells == "observed"
    asked = [Query("contributors", CONTRIBUTORS)] if hidden else []
    seen = hidden
    for name in table.measures:
        if not (seen and is_contributors(table, name)):
            asked.append(Query(name, f"private:{name}"))
        seen = seen or is_contributors(table, name)
    return tuple(asked)


def decimals_of(bounds: tuple[float, float]) -> int:
    """How many decimals a sum of fractions is counted in: about a millionth of its larger bound, twelve at most."""
    largest = max(abs(bounds[0]), abs(bounds[1]))
    return min(12, max(0, _STEPS - math.floor(math.log10(largest)))) if largest > 0 else 0


def whole_bounds(bounds: tuple[float, float], decimals: int) -> tuple[int, int]:
    """The bounds as whole numbers of units of ten to the minus `decimals`, no wider than agreed."""
    low, high = (Decimal(str(bound)).scaleb(decimals) for bound in bounds)
    return int(low.to_integral_value(ROUND_CEILING)), int(high.to_integral_value(ROUND_FLOOR))


def most_of(table: Table, name: str, decimals: int) -> int:
    """What one contributor moves one cell of a query by at most, in the query's units."""
    terms = terms_of(table)
    assert terms is not None  # noqa: S101 - only tables with differential privacy have queries
    measure = table.measures.get(name)
    if isinstance(measure, Sum):
        return max(1, *(abs(bound) for bound in whole_bounds(terms.bounds[name], decimals)))
    return terms.rows_at_most if isinstance(measure, CountRows) else 1


class Bounded(Statements):
    """Writes the statements of a table with differential privacy: rows -> groups -> kept groups -> finest cells."""

    def bounded(self, table: Table, where: str, salt: str) -> list[str]:
        """The stages up to `counted`, one row per finest cell with its exact, bounded numbers."""
        everything = table.cells == "all"
        grid = self.grid()[:2] if everything else []
        return [*self.rows(where), *self.groups(), *grid, self._kept(table, salt), self._counted(table)]

    def _kept(self, table: Table, salt: str) -> str:
        terms = terms_of(table)
        assert terms is not None  # noqa: S101
        # a length before each part: no two cells of a contributor have one text
        parts = [f"coalesce(length({text}) || ':' || {text}, '-')" for text in
                 (f"CAST({name} AS VARCHAR)" for name in ("c", *self.keys))]  # fmt: skip
        chance = f"sha256({' || '.join([literal(salt), *parts])})"
        known = f" AND EXISTS (SELECT 1 FROM grid WHERE {self._alike('grid', 'groups')})"
        order = ", ".join([chance, *(f"{key} NULLS LAST" for key in self.keys)])
        return (
            f"CREATE TEMP TABLE kept AS SELECT * FROM groups WHERE c IS NOT NULL{known if table.cells == 'all' else ''}"
            f" QUALIFY row_number() OVER (PARTITION BY c ORDER BY {order}) <= {terms.cells_at_most}"
        )

    def _counted(self, table: Table) -> str:
        numbers = [f"{self._number(table, query)} AS {quoted(query.column)}" for query in queries(table)]
        grouped = ", ".join(str(place + 1) for place in range(len(self.keys)))
        columns = ", ".join([*self.keys, *numbers])
        select = f"SELECT {columns} FROM kept {f'GROUP BY {grouped}' if grouped else ''}"
        if table.cells == "observed":
            return f"CREATE TEMP TABLE counted AS {select}{'' if grouped else ' HAVING count(*) > 0'}"
        filled = [f"coalesce({quoted(query.column)}, 0) AS {quoted(query.column)}" for query in queries(table)]
        keys = [f"grid.{key} AS {key}" for key in self.keys]
        return (
            f"CREATE TEMP TABLE counted AS SELECT {', '.join([*keys, *filled])} FROM grid"
            f" LEFT JOIN ({select}) AS found ON {self._alike('grid', 'found')}"
        )

    def _number(self, table: Table, query: Query) -> str:
        found = [m for m in self.measures if m.name == query.name]
        if not found or query.column == CONTRIBUTORS:
            return "CAST(count(*) AS BIGINT)"
        m, terms = found[0], terms_of(table)
        assert terms is not None  # noqa: S101
        if m.kind == "count":
            return f"CAST(sum(least(n{m.i}, {terms.rows_at_most})) AS BIGINT)"
        if m.kind == "count_distinct":
            return f"CAST(count(*) FILTER (v{m.i} > 0) AS BIGINT)"
        return _clipped(m, terms.bounds[m.name])

    def _alike(self, left: str, right: str) -> str:
        return " AND ".join([f"{left}.{key} IS NOT DISTINCT FROM {right}.{key}" for key in self.keys] or ["true"])

    def private_result(self, table: Table, window: Period) -> str:
        """The finest cells under the agreement's names, in total order, with their values at every wider level."""
        named = {"period": literal(window.label)}
        named |= {dim.name: f"counted.k{d}" for d, dim in enumerate(self.dimensions)}
        tables = "counted"
        for d, dim in enumerate(self.dimensions):
            for level in range(1, len(dim.levels)):
                named[f"above:{dim.name}:{level}"] = (
                    literal(TOTAL) if dim.totals[level] else f"coalesce(places{d}.l{level}, {literal(UNKNOWN)})"
                )
            if dim.has_places:
                tables += f" LEFT JOIN places{d} ON places{d}.l0 = counted.k{d}"
        named |= {query.column: quoted(query.column) for query in queries(table)}
        columns = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in named.items())
        order = ", ".join(f"counted.{key} ASC NULLS LAST" for key in self.keys)
        return f"SELECT {columns} FROM {tables}{f' ORDER BY {order}' if order else ''}"


def _clipped(m: MeasureSql, bounds: tuple[float, float]) -> str:
    """The sum over contributors of what each adds to the cell, clipped; nothing from one without a value."""
    decimals = 0 if m.integer else decimals_of(bounds)
    low, high = (Decimal(bound).scaleb(-decimals) for bound in whole_bounds(bounds, decimals))
    exact = "DECIMAL(38,0)" if m.integer else EXACT
    ends = [f"CAST('{bound:f}' AS {exact})" for bound in (low, high)]
    inside = f"greatest({ends[0]}, least({ends[1]}, CAST(s{m.i} AS {exact})))"
    clipped = f"CAST(CASE WHEN s{m.i} IS NULL THEN 0 ELSE {inside} END AS DECIMAL(38,{decimals}))"
    return f"CAST(sum({clipped}) AS BIGINT)" if m.integer else f"sum({clipped})"


def private_problems(
    name: str, table: Table, feed: Feed, types: Mapping[str, str], reference: Path, window: Period
) -> list[str]:
    """What of a table's differential privacy does not hold together, each with its place; empty where it has none."""
    terms = terms_of(table)
    if terms is None or not isinstance(table.protect, Protection):
        return []
    place = f"tables.{name}.protect.differential_privacy"
    found = _of_budget(feed, terms)
    if table.protect.contributor == "rows":
        found.append("needs a column that tells one contributor from another, not `rows`")
    elif feed.transform and not looks_at_each_alone(feed.transform, table.protect.contributor):
        what = "looks at the rows of several contributors together, so one of them could move the others' numbers"
        found.append(f"the transform `{feed.transform}` {what}; `ALONE` in transforms/ lists those that do not")
    found += _of_bounds(table, terms)
    told = [f"{place}: {what}" for what in found]
    told += [f"tables.{name}.measures.{measure}: {what}" for measure, what in _of_measures(table).items()]
    return told + [f"{place}: {what}" for what in _of_keys(name, table, feed, types, reference, window)]


def _of_budget(feed: Feed, terms: DifferentialPrivacy) -> list[str]:
    budget = feed.privacy.budget
    if budget is None:
        return ["needs a `privacy.budget` of the feed, which each release is charged to"]
    if terms.epsilon > budget.epsilon or terms.delta > budget.delta:
        return ["one release costs more than the whole `privacy.budget`, so none could be made"]
    return []


def _of_measures(table: Table) -> dict[str, str]:
    """The measures whose numbers one contributor could move without bound, or that cannot be added up to totals."""
    contributor = table.protect.contributor if isinstance(table.protect, Protection) else ""
    found = {}
    for name, measure in table.measures.items():
        if isinstance(measure, CountDistinct) and measure.count_distinct != contributor:
            found[name] = f"with differential_privacy only `{contributor}` itself can be counted distinct"
        elif isinstance(measure, CountDistinct) and table.hierarchy:
            found[name] = "contributors do not add up to totals: with differential_privacy, give the levels as tables"
        elif not isinstance(measure, CountRows | CountDistinct | Sum):
            found[name] = "differential_privacy has counts and sums: publish the parts (for a mean, a sum and a count)"
    return found


def _of_bounds(table: Table, terms: DifferentialPrivacy) -> list[str]:
    sums = {name for name, measure in table.measures.items() if isinstance(measure, Sum)}
    found = [f"bounds.{name}: is no sum of this table" for name in sorted(terms.bounds.keys() - sums)]
    for name in sorted(sums):
        if name not in terms.bounds:
            found.append(f"bounds needs `{name}`: the least and the most that one contributor adds to a cell")
        elif wrong := _of_one(terms.bounds[name], terms.cells_at_most):
            found.append(f"bounds.{name}: {wrong}")
    return found


def _of_one(bounds: tuple[float, float], cells: int) -> str:
    low, high = bounds
    if low > high or low == high == 0:
        return "must be two numbers, the least first, not both 0"
    for decimals in (0, decimals_of(bounds)):
        if cells * max(abs(bound) for bound in whole_bounds(bounds, decimals)) >= _LARGEST:
            return "is too large to be counted exactly"
    return ""


def _of_keys(
    name: str, table: Table, feed: Feed, types: Mapping[str, str], reference: Path, window: Period
) -> list[str]:
    """Cells that only the rows tell are a fact about people, too."""
    terms = terms_of(table)
    assert terms is not None  # noqa: S101
    if table.cells == "observed":
        what = "cells that only the rows tell need `delta` above 0; or give `cells: all`, which needs none"
        return [] if terms.delta > 0 else [what]

    def known(by: str) -> Callable[[], Dimension]:
        return lambda: dimension(by, feed, table, types, reference, window, place=f"tables.{name}")

    found = []
    for by in table.by:
        try:
            if known(by)().known is None:
                found.append(f"the values of `{by}` are not known before: give `cells: observed` and a `delta` above 0")
        except AcequiaError:
            continue  # told by the table's other checks
    return found
