"""The counts of a table as they are published: exact, rounded, or with the noise of cell keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acequia.agreement.protection import Protection
from acequia.agreement.tables import CountDistinct, CountRows, Table
from acequia.disclose.rules import rounded

if TYPE_CHECKING:
    import pyarrow as pa

CONTRIBUTORS = "contributors_count"


@dataclass(frozen=True)
class Counts:
    """Counts to publish, by name, a list of one per cell, None where there is none; withheld ones not yet taken out.

    `facts` are counts of cells for the record: how many could not be rounded to the next multiples.
    """

    numbers: dict[str, list[int | None]]
    facts: dict[str, int]


def published_counts(made: pa.Table, table: Table, hidden: Sequence[bool]) -> Counts:
    """Every count of a table, the contributors among them, as its protection has it.

    Args:
        made: the restricted cells.
        table: as agreed.
        hidden: whether each cell is withheld: what nobody sees binds no rounding.
    """
    exact = {name: made.column(source).to_pylist() for name, source in _sources(table).items()}
    protect = table.protect
    if not isinstance(protect, Protection):
        return Counts(exact, {})
    if protect.cell_key is not None:
        return Counts({name: _perturbed(made, table, name, counts) for name, counts in exact.items()}, {})
    if protect.round_to is None:
        return Counts(exact, {})
    facts = {"further": 0, "apart": 0}
    numbers = {}
    for name, counts in exact.items():
        if protect.rounding == "controlled" and _adds_up(table, protect, name):
            numbers[name] = _controlled(made, table, counts, hidden, protect.round_to, facts)
        else:
            numbers[name] = [None if count is None else rounded(count, protect.round_to) for count in counts]
    return Counts(numbers, {key: cells for key, cells in facts.items() if cells})


def further(rules: Mapping[str, object]) -> int:
    """Of how many cells controlled rounding took a count further than to a next multiple, out of a release's rules."""
    facts = rules.get("controlled_rounding")
    return int(facts.get("further", 0)) if isinstance(facts, Mapping) else 0


def in_words(table: Table, name: str) -> str:
    """What a reader of one column must know of how its counts were changed, in a sentence; empty if they were not."""
    protect = table.protect
    if not isinstance(protect, Protection) or name not in _sources(table):
        return ""
    if protect.cell_key is not None:
        never = f" None lies between 1 and {protect.cell_key.never}." if protect.cell_key.never else ""
        return f"Counts carry noise, the same for the same group everywhere; totals need not add up.{never}"
    if protect.round_to is None:
        return ""
    if protect.rounding == "controlled" and _adds_up(table, protect, name):
        return (
            f"Rounded to multiples of {protect.round_to}, so that totals stay the sums of their parts where they can."
        )
    return f"Rounded to multiples of {protect.round_to}; totals need not add up."


def seen(numbers: dict[str, list[int | None]]) -> list[bool]:
    """Whether noise left anything of each cell: what became 0 throughout looks like a cell that nobody is in."""
    return [any(counts) for counts in zip(*numbers.values(), strict=True)]


def _sources(table: Table) -> dict[str, str]:
    counts = {name: name for name, measure in table.measures.items() if isinstance(measure, CountRows | CountDistinct)}
    return {**counts, CONTRIBUTORS: "cell:contributors"}


def _adds_up(table: Table, protect: Protection, name: str) -> bool:
    """Whether totals are sums of their parts: of rows they are, of different people they are not."""
    return protect.contributor == "rows" if name == CONTRIBUTORS else isinstance(table.measures[name], CountRows)


def _controlled(
    made: pa.Table,
    table: Table,
    counts: Sequence[int | None],
    hidden: Sequence[bool],
    base: int,
    facts: dict[str, int],
) -> list[int | None]:
    from acequia.disclose.geometry import inside, shape_of
    from acequia.disclose.rounding import controlled

    shown = [None if withheld else count for count, withheld in zip(counts, hidden, strict=True)]
    found = controlled(shown, inside(shape_of(made, table.by, table.hierarchy)), base)
    facts["further"] += found.further
    facts["apart"] += found.apart
    return [None if count is None else int(now) for count, now in zip(shown, found.counts.tolist(), strict=True)]


def _perturbed(made: pa.Table, table: Table, name: str, counts: Sequence[int | None]) -> list[int | None]:
    from acequia.disclose.cell_key import p_table, perturbed

    protect = table.protect
    assert isinstance(protect, Protection)  # noqa: S101
    assert protect.cell_key is not None  # noqa: S101
    asked = protect.cell_key
    chances = p_table(asked.noise_at_most, asked.variance, asked.never)
    keys = made.column("cell:key" if name == CONTRIBUTORS else f"key:{name}").to_pylist()
    most = [1] * made.num_rows if name == CONTRIBUTORS else made.column(f"most:{name}").to_pylist()
    return [
        None if count is None else perturbed(count, key, largest, chances)
        for count, key, largest in zip(counts, keys, most, strict=True)
    ]
