"""What disclosure control is told of each cell: of contributors and of further units, against plain Python."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.aggregate.made_feeds import a_feed, a_reference, cells_of, frame, protected

MEASURES: dict[str, Any] = {
    "n": {"count": "rows"},
    "late": {"count": "rows", "where": "is_late"},
    "amount_sum": {"sum": "amount"},
    "quantity_sum": {"sum": "quantity"},
    "amount_mean": {"mean": "amount"},
    "price": {"ratio": {"of": "amount", "to": "quantity"}},
    "kinds": {"count_distinct": "kind"},
    "middle": {"median": "amount"},
}
PARTS = {
    "n": lambda row: Decimal(1),
    "late": lambda row: Decimal(1) if row["is_late"] else None,
    "amount_sum": lambda row: _exact(row["amount"]),
    "quantity_sum": lambda row: _exact(row["quantity"]),
    "amount_mean": lambda row: _exact(row["amount"]),
    "price:of": lambda row: _exact(row["amount"]),
    "price:to": lambda row: _exact(row["quantity"]),
}
LOOKED_AT = ("n", "late", "amount_sum", "quantity_sum", "amount_mean")
RULES: dict[str, Any] = {
    "dominance": {"n": 3, "k_pct": 50, "of": LOOKED_AT},
    "p_percent": {"p_pct": 10, "of": LOOKED_AT},
}
ROW = st.fixed_dictionaries(
    {
        "person": st.sampled_from([None, "a", "b", "c", "d"]),
        "kind": st.sampled_from([None, "call", "sms"]),
        "district": st.sampled_from(["Gaborone", "Lobatse", "Maun", "_U"]),
        "amount": st.none() | st.integers(-300, 2000).map(lambda cents: cents / 4),
        "quantity": st.none() | st.integers(-2, 9),
        "is_late": st.booleans(),
    }
)
REGION = {"Gaborone": "South", "Lobatse": "South", "Maun": "North"}


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(ROW, max_size=25), by_row=st.booleans(), one=st.booleans())
def test_every_unit_is_told_by_itself(rows: list[dict[str, Any]], by_row: bool, one: bool) -> None:
    rules = RULES | ({"dominance": {"n": 1, "k_pct": 50, "of": LOOKED_AT}} if one else {})
    contributor = "rows" if by_row else "person"
    also = ({"contributor": "kind", "min_contributors": 2, **rules},)
    protect = {"contributor": contributor, "min_contributors": 2, "also": also, **rules}
    table = {"by": ("district",), "hierarchy": {"district": ("country", "region", "district")}}
    feed = a_feed(tables={"t": {**table, "measures": MEASURES, "protect": protect}})
    with tempfile.TemporaryDirectory() as place:
        a_reference(Path(place))
        cells = cells_of(Path(place), feed, feed.tables["t"], (protected(Path(place), frame(rows)),))
        told = pq.read_table(cells.path).to_pylist()
    units = {"": contributor, "also0:": "kind"}
    for cell in told:
        level = cell["level:district"]
        inside = [
            row
            for row in rows
            if level == 2 or cell["district"] == (REGION, {})[level == 0].get(row["district"], row["district"])
        ]
        _totals(cell, inside)
        for prefix, column in units.items():
            _unit(cell, prefix, column, inside, 1 if one else 3)


def _totals(cell: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    for name, part in PARTS.items():
        values = [value for row in rows if (value := part(row)) is not None]
        empty = Decimal(0) if name in ("n", "late") else None
        assert cell[f"total:{name}"] == (sum(values) if values else empty), name


def _unit(cell: dict[str, Any], prefix: str, column: str, rows: list[dict[str, Any]], top: int) -> None:
    who = [number if column == "rows" else row[column] for number, row in enumerate(rows)]
    people = {one for one in who if one is not None}
    assert cell[f"{prefix or 'cell:'}contributors"] == len(people)
    assert (cell[f"{prefix}sole"] is None) == (len(people) != 1)
    for name, part in PARTS.items():
        sums: dict[Any, Decimal] = {}
        for one, row in zip(who, rows, strict=True):
            if (value := part(row)) is not None:
                sums[one] = sums.get(one, Decimal(0)) + value
        largest = sorted(sums.values(), reverse=True)
        assert cell[f"{prefix}negative:{name}"] == any(value < 0 for value in largest)
        if name in LOOKED_AT:  # whoever gives nothing is as good as one who gives zero
            assert (cell[f"{prefix}top:{name}"] or 0) == sum(largest[:top]), name
            if not any(value < 0 for value in largest):
                assert (cell[f"{prefix}first:{name}"] or 0) == sum(largest[:1])
                assert (cell[f"{prefix}second:{name}"] or 0) == sum(largest[1:2])
        else:
            assert f"{prefix}top:{name}" not in cell


def test_who_is_alone_has_one_name_everywhere(tmp_path: Path) -> None:
    a_reference(tmp_path)
    protect = {"contributor": "person", "min_contributors": 2}
    tables = {
        name: {"by": (name,), "measures": {"n": {"count": "rows"}}, "protect": protect} for name in ("district", "kind")
    }
    feed = a_feed(tables=tables)
    rows = [{"person": "a", "district": "Maun", "kind": "sms"}, {"person": "b", "district": "Kasane", "kind": "call"},
            {"person": "c", "district": "Kasane", "kind": "call"}]  # fmt: skip
    part = (protected(tmp_path, frame(rows)),)
    soles = []
    for name in ("district", "kind"):
        told = pq.read_table(cells_of(tmp_path, feed, feed.tables[name], part, name=name).path).to_pylist()
        soles.append({row[name]: row["sole"] for row in told})
    assert soles[0]["Maun"] == soles[1]["sms"] is not None
    assert soles[0]["Kasane"] is soles[1]["call"] is None
    assert soles[0]["Maun"] != "a"


def test_every_row_alone_is_told_by_its_finest_cell(tmp_path: Path) -> None:
    a_reference(tmp_path)
    protect = {"contributor": "rows", "min_contributors": 2}
    table = {"by": ("district",), "hierarchy": {"district": ("country", "region", "district")},
             "measures": {"n": {"count": "rows"}}, "protect": protect}  # fmt: skip
    feed = a_feed(tables={"t": table})
    rows = [{"district": "Maun"}, {"district": "Lobatse"}, {"district": "Lobatse"}]
    told = pq.read_table(cells_of(tmp_path, feed, feed.tables["t"], (protected(tmp_path, frame(rows)),)).path)
    soles = {row["district"]: row["sole"] for row in told.to_pylist()}
    assert soles["Maun"] == soles["North"] is not None
    assert soles["Lobatse"] is soles["South"] is soles["_T"] is None
