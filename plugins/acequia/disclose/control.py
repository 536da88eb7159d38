"""From cells to what may be told: the rules in their order, then the published table, without what stays behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.agreement.protection import Protection
from acequia.agreement.tables import CountDistinct, CountRows, Table
from acequia.disclose.rules import dominated, rounded, too_few
from acequia.disclose.secondary import Address, complementary
from acequia.engine.parquet import write_parquet
from acequia.flow import Cells, Disclosed

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHED, ZERO, WITHHELD, MISSING = "published", "zero", "withheld", "missing"
REASONS = ("min_contributors", "dominance", "zeros", "secondary")


def disclose(cells: Cells, table: Table, *, out: Path) -> Disclosed:
    """Decide for each cell whether its numbers may be told, and write the published table.

    One row per cell in and out, in the same order: `period`, the `by` columns, the measures, `contributors_count`,
    `cell_status` (published, zero, withheld, missing), `withheld_because`, `provisional`, `delivery`. A withheld cell
    keeps its key and has null for every number; the file is written from what is left, so that neither a column nor a
    statistic in it can hold what was withheld.
    """
    import pyarrow.parquet as pq

    made = pq.read_table(cells.path)
    reasons = _reasons(made, table)
    write_to = _published(made, reasons, cells, table)
    told = Counter(reason for reason in reasons if reason is not None)
    return Disclosed(
        table=cells.table,
        period=cells.period,
        deliveries=cells.deliveries,
        path=str(out),
        sha256=write_parquet(write_to, out),
        cells=cells.cells,
        withheld={reason: told[reason] for reason in REASONS if told[reason]},
        provisional=cells.provisional,
        rules=_rules(table),
    )


def _reasons(made: pa.Table, table: Table) -> list[str | None]:
    """Why each cell is withheld, if it is; the first rule that says so."""
    if not isinstance(table.protect, Protection):
        return [None] * made.num_rows
    reasons = _primary(made, table, table.protect)
    if table.hierarchy:
        also = complementary(_addresses(made, table), [reason is not None for reason in reasons])
        reasons = ["secondary" if more else reason for reason, more in zip(reasons, also, strict=True)]
    return reasons


def _primary(made: pa.Table, table: Table, protect: Protection) -> list[str | None]:
    reasons: list[str | None] = [None] * made.num_rows
    for rule, broken in _judged(made, table, protect):
        reasons = [reason or (rule if breaks else None) for reason, breaks in zip(reasons, broken, strict=True)]
    return reasons


def _judged(made: pa.Table, table: Table, protect: Protection) -> Iterator[tuple[str, list[bool]]]:
    """Each rule with whether each cell breaks it, in the order in which rules give the reason."""
    rests_on = [("cell:rows", "cell:contributors")]
    # a filter or missing values can leave one number to fewer contributors than the cell as a whole
    rests_on += [(f"rows:{name}", f"support:{name}") for name in table.measures]
    for names in rests_on:
        yield "min_contributors", [too_few(rows, who, protect.min_contributors) for rows, who in _lists(made, *names)]
    for name in table.measures:
        if protect.dominance is not None and f"top:{name}" in made.column_names:
            k_pct = Decimal(str(protect.dominance.k_pct))
            shares = _lists(made, f"top:{name}", f"total:{name}", f"negative:{name}")
            yield (
                "dominance",
                [None not in (x, total) and dominated(x, total, below, k_pct) for x, total, below in shares],
            )
    if protect.zeros == "withhold":
        yield "zeros", [rows == 0 for (rows,) in _lists(made, "cell:rows")]


def _lists(made: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(made.column(name).to_pylist() for name in names), strict=True)


def _addresses(made: pa.Table, table: Table) -> list[Address]:
    levels, values = [], []
    for by in table.by:
        own, depth = made.column(by).to_pylist(), len(table.hierarchy.get(by, (by,)))
        wider = [made.column(f"above:{by}:{level}").to_pylist() for level in range(1, depth)]
        at = made.column(f"level:{by}").to_pylist() if depth > 1 else [0] * made.num_rows
        levels.append(at)
        values.append([(own[row], *(path[row] for path in wider[at[row] :])) for row in range(made.num_rows)])
    return [Address(*parts) for parts in zip(zip(*levels, strict=True), zip(*values, strict=True), strict=True)]


def _published(made: pa.Table, reasons: list[str | None], cells: Cells, table: Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    hidden = pa.array([reason is not None for reason in reasons], pa.bool_())
    columns = {name: made.column(name) for name in ("period", *table.by)}
    for name in (*table.measures, "contributors_count"):
        kept = made.column("cell:contributors" if name == "contributors_count" else name)
        counts = name == "contributors_count" or isinstance(table.measures[name], CountRows | CountDistinct)
        if counts and isinstance(table.protect, Protection) and table.protect.round_to:
            base = table.protect.round_to
            kept = pa.array([None if count is None else rounded(count, base) for count in kept.to_pylist()], pa.int64())
        columns[name] = pc.if_else(hidden, pa.scalar(None, kept.type), kept)
    columns["cell_status"] = pa.array(_statuses(made, reasons, table), pa.string())
    columns["withheld_because"] = pa.array(reasons, pa.string())
    columns["provisional"] = pa.array([cells.provisional] * made.num_rows, pa.bool_())
    # several deliveries are named by their window: who reported, and how often, is confidential in pooled tables
    delivery = str(cells.deliveries[0]) if table.over == "delivery" and len(cells.deliveries) == 1 else cells.period
    columns["delivery"] = pa.array([delivery] * made.num_rows, pa.string())
    return pa.table(columns)


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


def _rules(table: Table) -> dict[str, object]:
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
    if protect.round_to is not None:
        rules["round_to"] = protect.round_to
    if table.hierarchy:
        rules["secondary"] = "every total above a withheld cell"
    return rules
