"""What a release tells of its own shape: enough for anybody to write down the equations between its numbers.

It goes into `datapackage.json`. Rules are told by name; of their parameters only the least number of contributors and
the base of rounding, which readers need: those of concentration rules would help an attacker.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from acequia.aggregate.dimensions import UNKNOWN
from acequia.agreement.model import Feed
from acequia.agreement.protection import Protection
from acequia.agreement.tables import CountDistinct, CountRows, Mean, Median, Ratio, Sum, Table
from acequia.flow import Cells
from acequia.period import Period

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
_KINDS: dict[Any, str] = {
    CountRows: "rows",
    CountDistinct: "distinct",
    Sum: "sum",
    Mean: "mean",
    Median: "median",
    Ratio: "ratio",
}


def structure(cells: Cells, table: Table, feed: Feed, feed_name: str) -> dict[str, Any]:
    """The public structure of one table and window.

    `by`: the columns with their levels, the widest first, and for each value the one above it. `measures`: their kind
    and definition in the agreement's words; two with the same kind and definition, in tables of one feed, speak of the
    same quantity. `additive`: those that add up over cells.
    """
    import pyarrow.parquet as pq

    made, window = pq.read_table(cells.path), Period.parse(cells.period)
    told: dict[str, Any] = {
        "version": VERSION,
        "feed": feed_name,
        "window": {"start": window.start.isoformat(), "end": window.end.isoformat()},
        "by": [_dimension(made, name, table) for name in table.by],
        "measures": [_measure(name, measure, table, feed) for name, measure in table.measures.items()],
        "additive": [name for name, measure in table.measures.items() if isinstance(measure, CountRows | Sum)],
        "rules": rule_names(table),
    }
    if isinstance(table.protect, Protection):
        own_rows = table.protect.contributor == "rows"
        told["contributors"] = {"kind": "rows" if own_rows else "distinct", "of": table.protect.contributor}
        if table.where:
            told["contributors"]["where"] = f"({table.where})"
        told["min_contributors"] = table.protect.min_contributors
        if table.protect.round_to:
            told["rounding"] = {"base": table.protect.round_to, "method": table.protect.rounding}
    return told


def rule_names(table: Table) -> list[str]:
    """The rules that protect a table, by name."""
    protect = table.protect
    if not isinstance(protect, Protection):
        return ["none"]
    noise = [name for name in ("cell_key", "differential_privacy") if getattr(protect, name) is not None]
    asked = {
        "min_contributors": not noise,
        "dominance": protect.dominance is not None,
        "p_percent": protect.p_percent is not None,
        "further_units": bool(protect.also),
        "zeros": protect.zeros == "withhold",
        "secondary": not noise,
        "rounding": protect.round_to is not None,
        "controlled_rounding": protect.round_to is not None and protect.rounding == "controlled",
        **dict.fromkeys(noise, True),
    }
    return [name for name, holds in asked.items() if holds]


def _dimension(made: pa.Table, name: str, table: Table) -> dict[str, Any]:
    levels = table.hierarchy.get(name, (name,))
    told: dict[str, Any] = {"name": name, "levels": list(levels)}
    if len(levels) < 2:
        return told
    above = [made.column(f"above:{name}:{depth}").to_pylist() for depth in range(1, len(levels))]
    parents: dict[str, str] = {}
    own, at = made.column(name).to_pylist(), made.column(f"level:{name}").to_pylist()
    for row, level in enumerate(at):
        # what is unknown has no cell at wider levels but the total
        path = ["" if own[row] is None else own[row], *(up[row] for up in above[level:] if up[row] != UNKNOWN)]
        parents.update((str(low), str(high)) for low, high in pairwise(path))
    return told | {"parents": dict(sorted(parents.items()))}


def of_published(shape: dict[str, Any], rows: pa.Table) -> dict[str, Any]:
    """The shape with the values alone that the published rows hold, and those above them: noise takes cells out."""
    return shape | {"by": [_of_values(told, rows.column(told["name"]).to_pylist()) for told in shape["by"]]}


def _of_values(told: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    if "parents" not in told:
        return told
    parents, seen = told["parents"], set[str]()
    for value in values:
        place = "" if value is None else str(value)
        while place in parents and place not in seen:
            seen.add(place)
            place = parents[place]
    return told | {"parents": {low: high for low, high in parents.items() if low in seen}}


def _measure(name: str, measure: Any, table: Table, feed: Feed) -> dict[str, Any]:
    kind = _KINDS[type(measure)]
    of = {
        "rows": "rows",
        "distinct": getattr(measure, "count_distinct", ""),
        "ratio": f"{measure.ratio.of} / {measure.ratio.to}" if isinstance(measure, Ratio) else "",
    }.get(kind, getattr(measure, kind, ""))
    told: dict[str, Any] = {"name": name, "kind": kind, "of": of}
    where = " and ".join(f"({text})" for text in (table.where, measure.where) if text)
    if where:
        told["where"] = where
    if kind in ("rows", "distinct") or (kind == "sum" and _never_negative(of, feed)):
        told["at_least"] = 0
    return told


def _never_negative(expression: str, feed: Feed) -> bool:
    """Whether the agreement says that it cannot be below zero: columns with such bounds, added and multiplied."""
    if not re.fullmatch(r"[\w\s.*+/()]+", expression):
        return False
    names = set(re.findall(r"[A-Za-z_]\w*", expression))
    columns = [feed.columns.get(feed.kept.get(name, "")) for name in names]
    return bool(columns) and all(column is not None and _from_zero(column.between) for column in columns)


def _from_zero(between: tuple[Any, Any] | None) -> bool:
    low = None if between is None else between[0]
    return isinstance(low, int | float) and low >= 0
