"""From cells to what may be told: the rules in their order, then the published table, without what stays behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.agreement.protection import Protection
from acequia.agreement.tables import Table
from acequia.disclose.counts import CONTRIBUTORS, Counts, published_counts, seen
from acequia.disclose.geometry import Key
from acequia.engine.parquet import write_parquet
from acequia.flow import Cells, Disclosed

if TYPE_CHECKING:
    import pyarrow as pa

    from acequia.disclose.linked import Links

PUBLISHED, ZERO, WITHHELD, MISSING = "published", "zero", "withheld", "missing"
REASONS = ("min_contributors", "dominance", "p_percent", "zeros", "difference", "secondary")


@dataclass(frozen=True)
class Decision:
    """Why each cell is withheld, in the order of the cells, and how that was found, without any number of a cell."""

    reasons: list[str | None]
    pattern: dict[str, object]


def disclose(
    cells: Cells,
    table: Table,
    *,
    out: Path,
    links: Links | None = None,
    before: Collection[Key] = (),
    decided: Decision | None = None,
) -> Disclosed:
    """Decide for each cell whether its numbers may be told, and write the published table.

    One row per cell in and out, in the same order: `period`, the `by` columns, the measures, `contributors_count`,
    `cell_status` (published, zero, withheld, missing), `withheld_because`, `provisional`, `delivery`. A withheld cell
    keeps its key and has null for every number; the file is written from what is left, so that neither a column nor a
    statistic in it can hold what was withheld. Of a table with cell keys and `cells: observed`, cells whose counts
    became 0 are left out, as if nobody were in them.

    Args:
        cells: of one table and window.
        table: as agreed.
        out: where the published table is written.
        links: the earlier releases that this one can be compared with; None where there are none.
        before: the keys of the cells that the last release of the table withheld: cheap to withhold again.
        decided: what was decided on the same cells under the same terms, which is then told again.
    """
    import pyarrow.parquet as pq

    made = pq.read_table(cells.path)
    decision = decided or decide(made, table, cells, links, before)
    counts = published_counts(made, table, [reason is not None for reason in decision.reasons])
    write_to = _published(made, decision.reasons, cells, table, counts)
    told = Counter(reason for reason in decision.reasons if reason is not None)
    return Disclosed(
        table=cells.table,
        period=cells.period,
        deliveries=cells.deliveries,
        path=str(out),
        sha256=write_parquet(write_to, out),
        cells=write_to.num_rows,
        withheld={reason: told[reason] for reason in REASONS if told[reason]},
        provisional=cells.provisional,
        rules=_rules(table, counts),
        pattern=decision.pattern,
    )


def decide(
    made: pa.Table, table: Table, cells: Cells, links: Links | None = None, before: Collection[Key] = ()
) -> Decision:
    """Which cells are withheld: unsafe ones, those that would tell what earlier releases keep back, and further ones.

    Cells that nothing is needed of, and that nothing needs, are looked at no further.
    """
    # imported here, since they need numpy and scipy, which the command line does without
    from acequia.disclose.costs import costs
    from acequia.disclose.layers import Pattern
    from acequia.disclose.linked import Links as Linked
    from acequia.disclose.linked import Release, system
    from acequia.disclose.reach import within_reach
    from acequia.disclose.suppress import suppress

    if not is_withholding(table):
        return Decision([None] * made.num_rows, {"method": "none"})
    new = Release(table, made, deliveries=frozenset(str(delivery) for delivery in cells.deliveries))
    built = system(new, links or Linked(), costs(new, before))
    asked = within_reach(built.problem)
    problem, beyond = asked or (built.problem, 0)
    found = suppress(problem) if asked else Pattern(problem.withheld, "none", 0.0, 0.0, {"unmet": 0})
    reasons = [
        own or ("difference" if tells else "secondary" if more else None)
        for own, tells, more in zip(
            new.primary.reasons, built.told, found.withheld[: made.num_rows].tolist(), strict=True
        )
    ]
    compared = len(links.earlier) if links else 0
    pattern: dict[str, object] = {"method": found.method, "cost": found.cost, "bound": found.bound}
    return Decision(reasons, {**pattern, "compared_with": compared, **found.facts, "beyond_reach": beyond})


def is_withholding(table: Table) -> bool:
    """Whether a table is protected by withholding cells, and not by noise."""
    protect = table.protect
    return isinstance(protect, Protection) and protect.cell_key is None and protect.differential_privacy is None


def _lists(made: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(made.column(name).to_pylist() for name in names), strict=True)


def _published(made: pa.Table, reasons: list[str | None], cells: Cells, table: Table, counts: Counts) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    hidden = pa.array([reason is not None for reason in reasons], pa.bool_())
    columns = {name: made.column(name) for name in ("period", *table.by)}
    for name in (*table.measures, CONTRIBUTORS):
        kept = pa.array(counts.numbers[name], pa.int64()) if name in counts.numbers else made.column(name)
        columns[name] = pc.if_else(hidden, pa.scalar(None, kept.type), kept)
    noisy = isinstance(table.protect, Protection) and table.protect.cell_key is not None
    there = seen(counts.numbers) if noisy else None
    statuses = _statuses(made, reasons, table)
    if there is not None:
        statuses = [PUBLISHED if some else ZERO for some in there]
    columns["cell_status"] = pa.array(statuses, pa.string())
    columns["withheld_because"] = pa.array(reasons, pa.string())
    columns["provisional"] = pa.array([cells.provisional] * made.num_rows, pa.bool_())
    # several deliveries are named by their window: who reported, and how often, is confidential in pooled tables
    delivery = str(cells.deliveries[0]) if table.over == "delivery" and len(cells.deliveries) == 1 else cells.period
    columns["delivery"] = pa.array([delivery] * made.num_rows, pa.string())
    rows = pa.table(columns)
    # among cells that only are there if somebody is in them, a zero would say that somebody is
    return rows.filter(pa.array(there)) if there is not None and table.cells == "observed" else rows


def _statuses(made: pa.Table, reasons: list[str | None], table: Table) -> list[str]:
    numbers = list(_lists(made, *table.measures))
    rows = made.column("cell:rows").to_pylist()
    return [
        WITHHELD if reason is not None
        else ZERO if count == 0
        else MISSING if all(number is None for number in measures)
        else PUBLISHED
        for reason, count, measures in zip(reasons, rows, numbers, strict=True)
    ]  # fmt: skip


def _rules(table: Table, counts: Counts) -> dict[str, object]:
    """The parameters that were applied. Not for consumers: those of concentration rules help an attacker."""
    protect = table.protect
    if not isinstance(protect, Protection):
        return {"none_because": protect.none_because}
    rules: dict[str, object] = {
        "contributor": protect.contributor,
        "min_contributors": protect.min_contributors,
        "zeros": protect.zeros,
    }
    if protect.dominance is not None:
        rules["dominance"] = protect.dominance.model_dump(mode="json", exclude_none=True)
    rules |= _rules_of_counts(protect, counts)
    if protect.p_percent is not None:
        rules["p_percent"] = protect.p_percent.model_dump(mode="json", exclude_none=True)
    if protect.also:
        rules["further_units"] = [unit.model_dump(mode="json", exclude_none=True) for unit in protect.also]
    if is_withholding(table):
        rules["secondary"] = protect.secondary.model_dump(mode="json")
    return rules


def _rules_of_counts(protect: Protection, counts: Counts) -> dict[str, object]:
    rules: dict[str, object] = {}
    if protect.round_to is not None:
        rules["round_to"] = protect.round_to
    if protect.round_to is not None and protect.rounding == "controlled":
        rules["controlled_rounding"] = counts.facts
    if protect.cell_key is not None:
        rules["cell_key"] = protect.cell_key.model_dump(mode="json")
    return rules
