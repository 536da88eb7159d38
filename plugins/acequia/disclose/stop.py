"""The last look before a release goes out: what the rules want to stay unknown must stay unknown to the public.

It shares the rules with the suppression, and the intervals, but nothing of how cells were chosen: the equations are
written down anew from the public files and the rows that would be public.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from acequia.agreement.tables import Table
from acequia.disclose.audit import Audited, Seen, audit, between, groups
from acequia.disclose.layers import KNOWN, Layer, Need
from acequia.disclose.public import CONTRIBUTORS, NOISE, System, Told, as_code, system
from acequia.errors import AcequiaError
from acequia.flow import Cells

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from acequia.disclose.primary import Primary


def require(
    known: Sequence[Told], new: Told, cells: Cells, table: Table, *, nested: Collection[str], where: str
) -> Audited:
    """Stop a release that tells too much.

    Args:
        known: what would be public, the new release among it.
        new: the new release.
        cells: the restricted cells that it was made of, which know what must stay unknown.
        table: as agreed.
        nested: the ids of vintages of this window from which rows only came, or only went. Their counts differ by as
            many as stand behind the difference. Where rows came and went at once, a small difference can be of many.
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
        "numbers can be worked out that must stay unknown": _exposed(known, new, primary, rows),
        "counts differ from those of an earlier vintage by too few": _differences(known, new, nested),
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


def _differences(known: Sequence[Told], new: Told, nested: Collection[str]) -> int:
    return sum(1 for one in known if one.id in nested and one.id != new.id for _ in between(new, one))


def _exposed(known: Sequence[Told], new: Told, primary: Primary, rows: Sequence[int]) -> int:
    """How many needs of the new release are not met, for everybody and for whoever is a cell's only contributor."""
    if not primary.unsafe.any():
        return 0
    try:
        return _unmet(system(known), new, primary, rows)
    except AcequiaError as error:
        if error.code != "tables_contradict":
            raise
        return _unmet(system(known, linked=False), new, primary, rows)


def _unmet(made: System, new: Told, primary: Primary, rows: Sequence[int]) -> int:
    """What is not met, though it would be if the release told no number at all.

    The largest contributor of a cell knows that its total is no less than what it gave itself: nothing can hide that.
    """
    import numpy as np

    withheld, unmet = made.withheld(), 0
    nothing = withheld | np.array([made.releases[place].id == new.id for place, _ in made.cells], bool)
    for place in range(len(made.layers)):
        asked = _asked(made, place, new, primary, rows)
        for who, needs in _attackers(asked, withheld).items():
            if told := _learnt(asked, who, needs, withheld):
                unmet += len(told) - len(_learnt(asked, who, told, nothing))
    return unmet


@dataclass(frozen=True)
class _Asked:
    """A public layer, with what only the office knows: the withheld numbers of the new release (NaN elsewhere), who is
    the only contributor of each (-1 where several are), and what must stay unknown.
    """

    layer: Layer
    truth: NDArray[np.float64]
    sole: NDArray[np.int64]
    needs: tuple[Need, ...]


EVERYBODY = -1


def _attackers(asked: _Asked, withheld: NDArray[np.bool_]) -> dict[int, list[Need]]:
    """Everybody, and each sole contributor, with the needs that they could hurt: what no equation leads to is safe."""
    import numpy as np

    held = np.bincount(asked.layer.equations.indices, minlength=len(asked.truth)) > 0
    needs = [need for need in asked.needs if held[need.unknown]]
    found = {EVERYBODY: needs} if needs else {}
    group = groups(asked.layer, withheld)
    for who in np.unique(asked.sole[asked.sole >= 0]).tolist() if needs else ():
        near = set(group[asked.sole == who].tolist())
        others = [need for need in needs if group[need.unknown] in near and asked.sole[need.unknown] != who]
        found |= {who: [_against_one(need) for need in others]} if others else {}
    return found


def _against_one(need: Need) -> Need:
    """A count must not become exactly known to a contributor; narrowing it down is what its own knowledge gives it."""
    return replace(need, integers=min(need.integers, 2))


def _learnt(asked: _Asked, who: int, needs: list[Need], withheld: NDArray[np.bool_]) -> list[Need]:
    """The needs that are not met against somebody, who knows its own cells."""
    import numpy as np

    from acequia.disclose.intervals import intervals, met

    own, layer = asked.sole == who if who >= 0 else np.zeros(len(asked.sole), bool), asked.layer
    seen = replace(
        layer,
        value=np.where(own, asked.truth, layer.value),
        cell=np.where(own, KNOWN, layer.cell),
        slack=np.where(own, 0.0, layer.slack),
    )
    part, columns = _near(seen, [need.unknown for need in needs], withheld)
    known = intervals(part, withheld, np.searchsorted(columns, [need.unknown for need in needs]).tolist())
    true = replace(layer, value=asked.truth)
    return [need for need, one in zip(needs, known, strict=True) if not met(true, need, one.low, one.high)]


def _near(layer: Layer, unknowns: list[int], withheld: NDArray[np.bool_]) -> tuple[Layer, NDArray[np.int64]]:
    """The part of a layer that unknowns hang together with, and which unknowns those are, in order."""
    import numpy as np

    group = groups(layer, withheld)
    mine = np.isin(group, np.unique(group[unknowns]))
    rows = np.flatnonzero(abs(layer.equations) @ mine.astype(float))
    equations = layer.equations[rows]
    columns = np.unique(np.concatenate([equations.indices, unknowns]).astype(np.int64))
    arrays = ("value", "lower", "upper", "cell", "slack", "sole")
    kept = {name: getattr(layer, name)[columns] for name in arrays}
    return replace(layer, equations=equations[:, columns], needs=(), **kept), columns


def _asked(made: System, place: int, new: Told, primary: Primary, rows: Sequence[int]) -> _Asked:
    import numpy as np

    layer, names = made.layers[place], made.names[place]
    cell_of_row = {row: cell for cell, row in enumerate(rows)}
    truth, sole = np.full(len(layer.value), np.nan), layer.sole.copy()
    needs = []
    for unknown, cell in enumerate(layer.cell.tolist()):
        at, row = made.cells[cell] if cell >= 0 else (-1, -1)
        if cell < 0 or made.releases[at].id != new.id or new.because[row] is None:
            continue
        of, part = cell_of_row[row], "contributors" if names[unknown] == CONTRIBUTORS else names[unknown]
        if part not in primary.value:
            continue
        truth[unknown], sole[unknown] = primary.value[part][of], primary.sole[of]
        if primary.reasons[of] is not None and not math.isnan(truth[unknown]):
            needs.append(_need(primary, part, of, unknown))
    return _Asked(layer, truth, sole, tuple(needs))


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
