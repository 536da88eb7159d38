"""The last look before a release goes out: what the rules want to stay unknown must stay unknown to the public.

It shares the rules with the suppression, and the intervals, but nothing of how cells were chosen: the equations are
written down anew from the public files and the rows that would be public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from acequia.agreement.tables import Table
from acequia.disclose.audit import Audited, Seen, audit, between
from acequia.disclose.layers import Exposed, Layer, Need
from acequia.disclose.public import CONTRIBUTORS, NOISE, System, Told, as_code, system
from acequia.errors import AcequiaError
from acequia.flow import Cells

if TYPE_CHECKING:
    from acequia.disclose.primary import Primary


def require(known: Sequence[Told], new: Told, cells: Cells, table: Table, *, where: str) -> Audited:
    """Stop a release that tells too much.

    Args:
        known: what would be public, the new release among it.
        new: the new release.
        cells: the restricted cells that it was made of, which know what must stay unknown.
        table: as agreed.
        where: for the error.

    Returns:
        What the auditor sees of what depends on the new release.

    Raises:
        AcequiaError: `release_stopped`, with how many numbers could be worked out, and no number.
    """
    import pyarrow.parquet as pq

    from acequia.disclose.primary import judge

    if NOISE & set(new.rules):  # no cell is withheld, and no number is what it was
        return audit(known, around=new.id)
    made = pq.read_table(cells.path)
    primary = judge(made, table)
    rows = _rows(made.select(list(table.by)).to_pylist(), table, new)
    told = {
        "unsafe cells are open": _open(primary, rows, new),
        "numbers can be worked out that must stay unknown": len(_exposed(known, new, primary, rows)),
        "counts differ from those of an earlier vintage by too few": _differences(known, new),
    }
    audited = audit(known, around=new.id)
    told["numbers of earlier releases could be worked out"] = len(_newly(audited, known, new))
    if wrong := [f"{number} {what}" for what, number in told.items() if number]:
        raise AcequiaError("release_stopped", "; ".join(wrong), where=where)
    return audited


def _rows(keys: list[dict[str, object]], table: Table, new: Told) -> list[int]:
    """For each restricted cell the row that tells it."""
    at = {key: row for row, key in enumerate(new.keys)}
    return [at[tuple(as_code(key[name]) for name in table.by)] for key in keys]


def _open(primary: Primary, rows: Sequence[int], new: Told) -> int:
    return sum(
        reason is not None and new.because[row] is None for reason, row in zip(primary.reasons, rows, strict=True)
    )


def _differences(known: Sequence[Told], new: Told) -> int:
    others = [one for one in known if one.id != new.id and (one.table, one.period) == (new.table, new.period)]
    return sum(1 for one in others for _ in between(new, one))


def _exposed(known: Sequence[Told], new: Told, primary: Primary, rows: Sequence[int]) -> tuple[Exposed, ...]:
    """The needs of the new release that are not met, for everybody and for whoever is a cell's only contributor."""
    if not primary.unsafe.any():
        return ()
    try:
        return _unmet(system(known), new, primary, rows)
    except AcequiaError as error:
        if error.code != "tables_contradict":
            raise
        return _unmet(system(known, linked=False), new, primary, rows)


def _unmet(made: System, new: Told, primary: Primary, rows: Sequence[int]) -> tuple[Exposed, ...]:
    """What is not met, though it would be if the release told no number at all.

    The largest contributor of a cell knows that its total is no less than what it gave itself: nothing can hide that.
    """
    import numpy as np

    from acequia.disclose.intervals import exposed

    layers, withheld = _needing(made, new, primary, rows), made.withheld()
    found = exposed(layers, withheld)
    if not found:
        return ()
    own = np.array([made.releases[place].id == new.id for place, _ in made.cells], bool)
    asked = {(one.layer, one.need) for one in found}
    fewer = [replace(one, needs=tuple(n for n in one.needs if (one.name, n) in asked)) for one in layers]
    in_any_case = {(one.layer, one.need, one.to) for one in exposed(fewer, withheld | own)}
    return tuple(one for one in found if (one.layer, one.need, one.to) not in in_any_case)


def _needing(made: System, new: Told, primary: Primary, rows: Sequence[int]) -> list[Layer]:
    """The public layers with what must stay unknown of the new release, and with its withheld numbers, which nobody
    sees: they tell how wide an interval must be.
    """
    cell_of_row = {row: cell for cell, row in enumerate(rows)}
    found = []
    for layer, names in zip(made.layers, made.names, strict=True):
        value, sole, needs = layer.value.copy(), layer.sole.copy(), []
        for unknown, cell in enumerate(layer.cell.tolist()):
            place, row = made.cells[cell] if cell >= 0 else (-1, -1)
            if cell < 0 or made.releases[place].id != new.id or new.because[row] is None:
                continue
            of, part = cell_of_row[row], "contributors" if names[unknown] == CONTRIBUTORS else names[unknown]
            if part not in primary.value:
                continue
            value[unknown], sole[unknown] = primary.value[part][of], primary.sole[of]
            if primary.reasons[of] is not None:
                needs.append(_need(primary, part, of, unknown))
        found.append(replace(layer, value=value, sole=sole, needs=tuple(needs)))
    return found


def _need(primary: Primary, part: str, cell: int, unknown: int) -> Need:
    up, down, width = (float(each[part][cell]) for each in (primary.up, primary.down, primary.width))
    return Need(unknown, up, down, width, int(primary.integers[part][cell]))


def _newly(audited: Audited, known: Sequence[Told], new: Told) -> list[Seen]:
    """What of earlier releases can be worked out with the new one, and could not without it."""
    worse = [one for one in audited.seen if one.found and one.release != new.id]
    if not worse:
        return []
    before = audit([one for one in known if one.id != new.id])
    seen = {(one.release, tuple(one.cell.items()), one.measure) for one in before.seen if one.found}
    return [one for one in worse if (one.release, tuple(one.cell.items()), one.measure) not in seen]
