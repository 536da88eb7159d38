"""Aggregate and disclose together, over random tables, against the naive implementation."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.disclose.control import disclose
from tests.aggregate.made_feeds import a_feed, a_reference, cells_of, frame, protected
from tests.aggregate.naive_cells import naive

MEASURES: dict[str, Any] = {
    "rows_count": {"count": "rows"},
    "calls_count": {"count": "rows", "where": "kind = 'call'"},
    "people_count": {"count_distinct": "person"},
    "kinds_count": {"count_distinct": "kind"},
    "calling_count": {"count_distinct": "person", "where": "kind = 'call'"},
    "amount_sum": {"sum": "amount"},
    "call_amount_sum": {"sum": "amount", "where": "kind = 'call'"},
    "quantity_sum": {"sum": "quantity"},
    "amount_mean": {"mean": "amount"},
    "amount_median": {"median": "amount"},
    "price": {"ratio": {"of": "amount", "to": "quantity"}},
}
ROUNDED = {"rows_count", "calls_count", "people_count", "kinds_count", "calling_count"}
ROW = st.fixed_dictionaries(
    {
        "person": st.sampled_from([None, "a", "b", "c", "d"]),
        "district": st.sampled_from(["Gaborone", "Lobatse", "Maun", "_U"]),
        "kind": st.sampled_from([None, "call", "sms"]),
        "hour": st.integers(0, 2),
        "amount": st.one_of(
            st.none(),
            st.integers(-300, 2000).map(lambda cents: cents / 100),
            st.floats(-1e12, 1e12),
            st.sampled_from([0.1, 1e-10, 9747747.934, 12345678901.123]),
        ),
        "quantity": st.one_of(st.none(), st.integers(-2, 9), st.just(2**40)),
    }
)
SPEC = st.fixed_dictionaries(
    {
        "by": st.lists(st.sampled_from(["district", "hour", "kind"]), unique=True, max_size=3),
        "hierarchy": st.fixed_dictionaries(
            {},
            optional={
                "district": st.sampled_from(
                    [("country", "district"), ("country", "region", "district"), ("region", "district")]
                ),
                "hour": st.just(("all", "hour")),
            },
        ),
        "contributor": st.sampled_from(["person", "rows"]),
        "min_contributors": st.integers(1, 3),
        "dominance": st.none() | st.tuples(st.integers(1, 3), st.sampled_from([40, 66.6, 75.5, 100])),
        "round_to": st.none() | st.integers(2, 5),
        "zeros": st.sampled_from(["publish", "withhold"]),
        "cells": st.sampled_from(["observed", "all"]),
        "where": st.booleans(),
        "measures": st.lists(st.sampled_from(sorted(MEASURES)), unique=True, min_size=1),
    }
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(ROW, max_size=40), spec=SPEC, split=st.integers(0, 40), threads=st.sampled_from([1, 2]))
def test_random_tables(rows: list[dict[str, Any]], spec: dict[str, Any], split: int, threads: int) -> None:
    spec["hierarchy"] = {by: levels for by, levels in spec["hierarchy"].items() if by in spec["by"]}
    protect = {name: spec[name] for name in ("contributor", "min_contributors", "zeros")}
    if spec["dominance"] and any({"sum", "count"} & MEASURES[name].keys() for name in spec["measures"]):
        protect["dominance"] = dict(zip(("n", "k_pct"), spec["dominance"], strict=True))
    if spec["round_to"]:
        protect["round_to"] = spec["round_to"]
    feed = a_feed(
        tables={
            "t": {
                "by": tuple(spec["by"]),
                "hierarchy": spec["hierarchy"],
                "measures": {name: MEASURES[name] for name in spec["measures"]},
                "protect": protect,
                "cells": spec["cells"],
                "over": "month",
                **({"where": "quantity > 0"} if spec["where"] else {}),
            }
        }
    )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        a_reference(folder)
        parts = (protected(folder, frame(rows[:split]), day=1), protected(folder, frame(rows[split:]), day=2))
        cells = cells_of(folder, feed, feed.tables["t"], parts, threads=threads)
        disclosed = disclose(cells, feed.tables["t"], out=folder / "out.parquet")
        told = pq.read_table(disclosed.path)
    expected = naive(frame(rows), spec)
    found = {tuple(row[by] for by in spec["by"]): row for row in told.to_pylist()}
    assert len(found) == told.num_rows == disclosed.cells
    assert set(found) == set(expected)
    base = spec["round_to"] or 1
    for key, cell in expected.items():
        row = found[key]
        besides = row["withheld_because"] == "secondary"
        assert not besides or spec["hierarchy"], "nothing adds up here, so that nothing gives another number away"
        if besides:
            assert cell["because"] is None
        else:
            assert (row["cell_status"], row["withheld_because"]) == (cell["status"], cell["because"]), (key, cell)
        open_ = cell["status"] != "withheld" and not besides
        assert row["contributors_count"] == (_rounded(cell["contributors"], base) if open_ else None)
        for name, number in cell["numbers"].items():
            shown = _rounded(number, base) if name in ROUNDED else number
            wanted = shown if open_ else None
            if name in ("amount_median", "amount_mean", "price") and wanted is not None:
                assert row[name] == pytest.approx(wanted, rel=1e-12, abs=1e-9)
            else:
                assert row[name] == wanted, (key, name)


def _rounded(number: int, base: int) -> int:
    low = number // base * base
    return low + base if 2 * (number - low) >= base else low
