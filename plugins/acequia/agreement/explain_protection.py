"""How a table is protected, and what a feed's privacy budget is, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from acequia.agreement.privacy import Budget
from acequia.agreement.protection import (
    CellKey,
    DifferentialPrivacy,
    Dominance,
    PPercent,
    Protection,
    Secondary,
    Unit,
)
from acequia.agreement.tables import Table

if TYPE_CHECKING:
    from acequia.agreement.explain import Words


def protection(table: Table, words: Words) -> Iterator[str]:
    """Sentences: the rules, what is withheld besides, and the other ways, as far as the table has them."""
    protect = table.protect
    if not isinstance(protect, Protection):
        yield words("none_because", reason=protect.none_because.rstrip("."))
    elif protect.cell_key is not None:
        yield from _cell_key(protect, protect.cell_key, words)
    elif protect.differential_privacy is not None:
        yield from _private(table, protect, protect.differential_privacy, words)
    else:
        yield from _withholding(protect, words)


def _withholding(protect: Protection, words: Words) -> Iterator[str]:
    phrase = "min_rows" if protect.contributor == "rows" else "min_contributors"
    yield words(phrase, n=protect.min_contributors, column=protect.contributor)
    yield from _concentration(protect, words)
    for unit in protect.also:
        yield words("also", n=unit.min_contributors, column=unit.contributor)
        for rule in _concentration(unit, words):
            yield words("also_rules", column=unit.contributor, rule=f"{rule[0].lower()}{rule[1:]}")
    if protect.round_to:
        yield words("round_controlled" if protect.rounding == "controlled" else "round_counts", n=protect.round_to)
    if protect.zeros == "withhold":
        yield words("zeros_withhold")
    yield from _secondary(protect.secondary, words)
    yield words("withheld")


def _concentration(unit: Protection | Unit, words: Words) -> Iterator[str]:
    if unit.dominance:
        n, k = unit.dominance.n, unit.dominance.k_pct
        yield words("dominance_one" if n == 1 else "dominance", n=n, k=number(k), of=_totals(unit.dominance, words))
    if unit.p_percent:
        p, q = unit.p_percent.p_pct, unit.p_percent.q_pct
        yield words("p_percent" if q == 100 else "pq", p=number(p), q=number(q), of=_totals(unit.p_percent, words))


def _totals(rule: Dominance | PPercent, words: Words) -> str:
    return words.listed(f"`{name}`" for name in rule.of) if rule.of else words("any_total")


def _secondary(secondary: Secondary, words: Words) -> Iterator[str]:
    yield words("secondary", least=words(f"least_{secondary.cost}"))
    if secondary.totals_cost > 1:
        yield words("totals_cost", n=number(secondary.totals_cost))
    if secondary.keep_open:
        cells = [
            words("keep_open_one", column=column, values=words.listed(values))
            for column, values in secondary.keep_open.items()
        ]
        yield words("keep_open", cells="; ".join(cells))
    yield words("range", pct=number(secondary.range_pct))


def _cell_key(protect: Protection, cell_key: CellKey, words: Words) -> Iterator[str]:
    most = cell_key.noise_at_most
    yield words("cell_key", most=most, twice=2 * most, n=protect.min_contributors, column=protect.contributor)
    if cell_key.never:
        yield words("cell_key_never", never=cell_key.never)


def _private(table: Table, protect: Protection, terms: DifferentialPrivacy, words: Words) -> Iterator[str]:
    yield words("private", epsilon=number(terms.epsilon), delta=number(terms.delta))
    yield words("private_counts", cells=terms.cells_at_most, rows=terms.rows_at_most)
    for measure, (low, high) in terms.bounds.items():
        yield words("private_bounds", measure=f"`{measure}`", low=number(low), high=number(high))
    if table.cells == "observed":
        yield words("private_unknown", n=protect.min_contributors)
    yield words("private_who", column=protect.contributor)


def budget(spent: Budget, words: Words) -> str:
    """One sentence on the budget of a feed."""
    per = words(f"budget_{spent.per}")
    return words("budget", epsilon=number(spent.epsilon), delta=number(spent.delta), per=per)


def number(value: Any) -> str:
    """As people write it: no `.0`."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
