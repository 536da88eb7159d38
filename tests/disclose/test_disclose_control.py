"""The published table: what it says, and that it says nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from acequia.disclose.control import disclose
from acequia.flow import Disclosed
from tests.aggregate.made_feeds import a_feed, a_reference, cells_of, frame, protected

CANARY = 987654321.125
"""The one amount of the one person of a cell."""


def told(
    tmp_path: Path, rows: list[dict[str, Any]], *, provisional: bool = False, **table: Any
) -> tuple[Disclosed, pa.Table]:
    a_reference(tmp_path)
    feed = a_feed(tables={"t": table})
    parts = tuple(
        protected(tmp_path, frame([row for row in rows if row.get("day", 1) == day]), day=day)
        for day in sorted({row.get("day", 1) for row in rows} | {1})
    )
    cells = cells_of(tmp_path, feed, feed.tables["t"], parts, provisional=provisional)
    disclosed = disclose(cells, feed.tables["t"], out=tmp_path / "disclosed.parquet")
    return disclosed, pq.read_table(disclosed.path)


ROWS = [
    *({"district": "Gaborone", "person": f"p{number}", "amount": 10.0, "quantity": 1} for number in range(12)),
    *({"district": "Maun", "person": f"p{number}", "amount": 10.0, "quantity": 1} for number in range(12)),
    {"district": "Maun", "person": "rich", "amount": 5000.5, "quantity": 1},
    {"district": "Lobatse", "person": "alone", "amount": CANARY, "quantity": 77777777},
    *({"district": "Kasane", "person": f"p{number}"} for number in range(12)),
]
TABLE: dict[str, Any] = {
    "by": ("district",),
    "measures": {
        "amount_sum": {"sum": "amount"},
        "quantity_sum": {"sum": "quantity"},
        "amount_mean": {"mean": "amount"},
    },
    "protect": {"contributor": "person", "min_contributors": 10, "dominance": {"n": 1, "k_pct": 50}, "round_to": 5},
}


def test_withheld_zero_and_missing_are_three_things(tmp_path: Path) -> None:
    rows = [*ROWS[:25], ROWS[25], *({"district": "_U", "person": f"p{number}"} for number in range(12))]
    disclosed, table = told(tmp_path, rows, **TABLE, cells="all")
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("2026-11-01", "Gaborone", 120.0, 12, 10.0, 10, "published", None, False, "pula.events.2026-11-01.v1"),
        ("2026-11-01", "Kasane", 0.0, 0, None, 0, "zero", None, False, "pula.events.2026-11-01.v1"),
        (
            "2026-11-01",
            "Lobatse",
            None,
            None,
            None,
            None,
            "withheld",
            "min_contributors",
            False,
            "pula.events.2026-11-01.v1",
        ),
        ("2026-11-01", "Maun", None, None, None, None, "withheld", "dominance", False, "pula.events.2026-11-01.v1"),
        ("2026-11-01", "_U", None, None, None, 10, "missing", None, False, "pula.events.2026-11-01.v1"),
    ]
    assert table.column_names == [
        "period", "district", "amount_sum", "quantity_sum", "amount_mean",
        "contributors_count", "cell_status", "withheld_because", "provisional", "delivery",
    ]  # fmt: skip
    assert (disclosed.cells, disclosed.withheld) == (5, {"min_contributors": 1, "dominance": 1})


def test_the_types_are_those_of_the_lake(tmp_path: Path) -> None:
    _, table = told(tmp_path, ROWS, **TABLE)
    assert [str(field.type) for field in table.schema] == [
        "string", "string", "double", "int64", "double", "int64", "string", "string", "bool", "string"
    ]  # fmt: skip


def test_no_cells_have_the_same_columns(tmp_path: Path) -> None:
    _, full = told(tmp_path, ROWS, **TABLE)
    disclosed, empty = told(tmp_path, [], **TABLE)
    assert (empty.num_rows, disclosed.cells, disclosed.withheld) == (0, 0, {})
    assert empty.schema == full.schema


def test_a_withheld_number_is_nowhere_in_the_file(tmp_path: Path) -> None:
    disclosed, table = told(tmp_path, ROWS, **TABLE)
    plain = tmp_path / "plain.parquet"
    pq.write_table(table, plain, compression="none", use_dictionary=False)
    for number in (CANARY, 5000.5):
        assert pa.scalar(number).as_py() not in {value for column in table.columns for value in column.to_pylist()}
        for path in (plain, Path(disclosed.path)):
            assert pa.array([number]).buffers()[1].to_pybytes() not in path.read_bytes()
    assert (77777777).to_bytes(8, "little") not in plain.read_bytes()
    statistics = [
        chunk.statistics
        for group in [pq.read_metadata(disclosed.path).row_group(0)]
        for chunk in [group.column(number) for number in range(group.num_columns)]
        if chunk.path_in_schema in ("amount_sum", "quantity_sum", "contributors_count")
    ]
    assert [(found.min, found.max) for found in statistics] == [(120.0, 120.0), (12, 12), (10, 10)]
    assert b"rich" not in plain.read_bytes()


def test_what_would_give_a_withheld_cell_away_is_withheld(tmp_path: Path) -> None:
    hierarchy = {"district": ("country", "region", "district")}
    disclosed, table = told(tmp_path, ROWS, **{**TABLE, "hierarchy": hierarchy})
    assert {row["district"]: row["withheld_because"] for row in table.to_pylist()} == {
        # whoever is alone in Lobatse knows that cell, and would work out South beside an open Gaborone
        "Gaborone": "secondary", "Kasane": None, "Lobatse": "min_contributors", "Maun": "dominance",
        "North": "dominance", "South": "dominance", "_T": "dominance",
    }  # fmt: skip
    free = {**TABLE, "hierarchy": hierarchy, "protect": {"contributor": "person", "min_contributors": 10}}
    disclosed, table = told(tmp_path, ROWS, **free)
    assert {row["district"]: row["withheld_because"] for row in table.to_pylist()} == {
        # North has one person whom Kasane has not: beside each other they would tell of that one
        "Gaborone": None, "Kasane": "secondary", "Lobatse": "min_contributors", "Maun": None,
        "North": None, "South": "secondary", "_T": "secondary",
    }  # fmt: skip
    assert disclosed.withheld == {"min_contributors": 1, "secondary": 3}


def test_a_number_that_few_stand_behind_withholds_its_cell(tmp_path: Path) -> None:
    # twelve people in the cell, but only one has an amount: its mean would be that person's
    rows = [{"district": "Maun", "person": f"p{number}"} for number in range(12)]
    rows[0]["amount"] = CANARY
    protect = {"contributor": "person", "min_contributors": 10}
    _, table = told(tmp_path, rows, by=("district",), measures={"amount_mean": {"mean": "amount"}}, protect=protect)
    assert table.column("withheld_because").to_pylist() == ["min_contributors"]
    filtered = {"n": {"count": "rows"}, "rich_count": {"count": "rows", "where": "amount > 1000"}}
    _, table = told(tmp_path, rows, by=("district",), measures=filtered, protect=protect)
    assert table.column("withheld_because").to_pylist() == ["min_contributors"]


def test_a_number_that_nobody_stands_behind_withholds_nothing(tmp_path: Path) -> None:
    measures = {"n": {"count": "rows"}, "rich_count": {"count": "rows", "where": "amount > 1000"}}
    protect = {"contributor": "person", "min_contributors": 10}
    _, table = told(tmp_path, ROWS[:12], by=("district",), measures=measures, protect=protect)
    assert [(row["n"], row["rich_count"], row["cell_status"]) for row in table.to_pylist()] == [(12, 0, "published")]


@pytest.mark.parametrize(("zeros", "status"), [("publish", "zero"), ("withhold", "withheld")])
def test_zeros_follow_the_agreement(zeros: str, status: str, tmp_path: Path) -> None:
    protect = {"contributor": "person", "min_contributors": 10, "zeros": zeros}
    disclosed, table = told(
        tmp_path, ROWS[:12], by=("district",), cells="all", measures={"n": {"count": "rows"}}, protect=protect
    )
    assert table.column("cell_status").to_pylist() == ["published", status, status, status]
    assert disclosed.withheld == ({"zeros": 3} if zeros == "withhold" else {})


def test_without_protection_nothing_is_withheld_and_nobody_is_counted(tmp_path: Path) -> None:
    protect = {"none_because": "published by the company itself"}
    disclosed, table = told(tmp_path, ROWS, **{**TABLE, "protect": protect})
    assert set(table.column("cell_status").to_pylist()) == {"published", "missing"}
    assert set(table.column("contributors_count").to_pylist()) == {None}
    assert disclosed.rules == {"none_because": "published by the company itself"}


def test_a_window_of_several_deliveries_names_none(tmp_path: Path) -> None:
    rows = [{**row, "day": 1 + number % 3} for number, row in enumerate(ROWS)]
    disclosed, table = told(tmp_path, rows, provisional=True, **TABLE, over="month")
    assert set(table.column("delivery").to_pylist()) == {"2026-11"}
    assert set(table.column("provisional").to_pylist()) == {True}
    assert len(disclosed.deliveries) == 3


def test_the_rules_that_were_applied_are_told(tmp_path: Path) -> None:
    disclosed, _ = told(tmp_path, ROWS, **{**TABLE, "hierarchy": {"district": ("country", "district")}})
    assert disclosed.rules == {
        "contributor": "person",
        "min_contributors": 10,
        "zeros": "publish",
        "dominance": {"n": 1, "k_pct": 50.0},
        "round_to": 5,
        "secondary": {"cost": "cells", "totals_cost": 1.0, "keep_open": {}, "range_pct": 30.0},
    }


def test_the_same_cells_are_the_same_bytes(tmp_path: Path) -> None:
    first, _ = told(tmp_path, ROWS, **TABLE)
    again, _ = told(tmp_path, ROWS[::-1], **TABLE)
    assert first.sha256 == again.sha256
