"""What `acequia check` says of tables, with the place, all at once and without a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acequia.aggregate.plan import problems
from tests.aggregate.made_feeds import COLUMNS, REFERENCE, a_feed, a_reference

FINE: dict[str, Any] = {
    "by": ("district",),
    "measures": {"n": {"count": "rows"}, "x": {"sum": "amount * quantity"}, "m": {"mean": "amount"}},
    "protect": {"contributor": "person", "min_contributors": 3},
}


def test_a_feed_that_is_fine_has_none(tmp_path: Path) -> None:
    hierarchy = {"district": ("country", "region", "district")}
    feed = a_feed(tables={"t": FINE, "u": {**FINE, "hierarchy": hierarchy, "cells": "all", "where": "quantity > 0"}})
    assert problems(feed, a_reference(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "place", "what"),
    [
        ({"where": "quantity"}, "tables.t.where: ", "not true or false"),
        ({"where": "missing > 0"}, "tables.t.where: ", "no column `missing`"),
        ({"where": "quantity = 'a'"}, "tables.t.where: ", "cannot hold a number and text"),
        ({"measures": {"x": {"sum": "district"}}}, "tables.t.measures.x.sum: ", "is not a number"),
        ({"measures": {"x": {"mean": "sum(amount)"}}}, "tables.t.measures.x.mean: ", "`sum` is not part"),
        ({"measures": {"x": {"median": "at"}}}, "tables.t.measures.x.median: ", "is not a number"),
        ({"measures": {"x": {"ratio": {"of": "1", "to": "at"}}}}, "tables.t.measures.x.ratio.to: ", "is not a number"),
        ({"measures": {"x": {"count": "rows", "where": "amount"}}}, "tables.t.measures.x.where: ", "not true"),
        ({"hierarchy": {"district": ("country", "county", "district")}}, "tables.t.hierarchy.district: ", "`county`"),
        ({"by": ("kind",), "hierarchy": {"kind": ("all", "group", "kind")}}, "tables.t.hierarchy.kind: ", "no lookup"),
        ({"protect": {"contributor": "person", "min_contributors": 3,
                      "secondary": {"keep_open": {"district": ("X",)}}}},
         "tables.t.protect.secondary.keep_open.district: ", "X is no value"),
    ],
)  # fmt: skip
def test_each_is_told_with_its_place(change: dict[str, Any], place: str, what: str, tmp_path: Path) -> None:
    found = problems(a_feed(tables={"t": {**FINE, **change}}), a_reference(tmp_path))
    assert len([line for line in found if line.startswith(place) and what in line]) == 1, found


def test_all_are_told_at_once(tmp_path: Path) -> None:
    wrong = {**FINE, "where": "quantity", "measures": {"x": {"sum": "at"}, "y": {"mean": "nothing"}}}
    wrong["protect"] = {"contributor": "rows", "min_contributors": 2}
    found = problems(a_feed(tables={"t": wrong, "u": FINE, "v": wrong}), a_reference(tmp_path))
    assert [line.split(":")[0] for line in found] == [
        f"tables.{table}.{place}" for table in "tv" for place in ("measures.x.sum", "measures.y.mean", "where")
    ]


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        (REFERENCE + "C6,Lobatse,North\n", "lies in more than one `region`"),
        (REFERENCE + "C6,North,South\n", "have a value of the same name"),
        (REFERENCE + "C6,Serowe,\n", "leaves a level empty"),
        (REFERENCE + "C6,_T,North\n", "`district` has the value `_T`"),
        (REFERENCE + "C6,Serowe,_U\n", "`region` has the value `_U`"),
        (REFERENCE + "C6,Serowe,_T\n", "`region` has the value `_T`"),
        (REFERENCE + "C6,Serowe\n", "has 2 values; there are 3 columns"),
        ("cell\nC1\n", "has only one column"),
    ],
)
def test_a_reference_table_that_gives_wrong_totals(reference: str, what: str, tmp_path: Path) -> None:
    table = {**FINE, "hierarchy": {"district": ("country", "region", "district")}}
    found = problems(a_feed(tables={"t": table}), a_reference(tmp_path, reference))
    assert len(found) == 1
    assert found[0].startswith("tables.t")
    assert what in found[0]


def test_a_reference_table_that_is_not_there(tmp_path: Path) -> None:
    table = {**FINE, "cells": "all"}
    assert problems(a_feed(tables={"t": table}), tmp_path) == ["tables.t: there is no reference table places"]


def test_a_transform_that_is_not_there_or_does_not_fit(tmp_path: Path) -> None:
    (found,) = problems(a_feed(tables={"t": FINE}, transform="trips.nothing"), tmp_path)
    assert found.startswith("transform: there is no transform `trips.nothing`; there are ")
    (found,) = problems(a_feed(tables={"t": FINE}, transform="trips.valid_trips"), tmp_path)
    assert found.startswith("transform: trips.valid_trips cannot read these columns: it needs a column `duration_s`")


def test_a_table_is_bound_to_what_the_transform_gives(tmp_path: Path) -> None:
    columns = {
        "phone": {"type": "string", "treat": "pseudonym", "as": "msisdn"},
        "started_at": {"type": "timestamp", "treat": {"truncate_to": "hour"}, "as": "started_hour"},
        "cell": {"type": "string", "treat": {"lookup": "places"}, "as": "district"},
    }
    protect = {"contributor": "msisdn", "min_contributors": 10}
    table = {"by": ("district",), "measures": {"nights": {"mean": "nights_count"}}, "protect": protect}
    feed = a_feed(columns=columns, tables={"t": table}, transform="mobility.home_district")
    assert problems(feed, a_reference(tmp_path)) == []
    table = {
        **table,
        "by": ("started_hour",),
        "measures": {"x": {"count_distinct": "imei"}},
        "protect": {**protect, "contributor": "phone"},
    }
    found = problems(a_feed(columns=columns, tables={"t": table}, transform="mobility.home_district"), tmp_path)
    assert [line.split(". ")[0] for line in found] == [
        "tables.t.by: there is no column `started_hour`",
        "tables.t.protect.contributor: there is no column `phone`",
        "tables.t.measures.x: there is no column `imei`",
    ]


def test_every_treatment_has_a_type(tmp_path: Path) -> None:
    columns = {
        **COLUMNS,
        **{
            f"c{number}": {"type": kind, "treat": treat}
            for number, (kind, treat) in enumerate(
                [
                    ("string", "scrub_text"),
                    ("string", {"first": 2}),
                    ("number", {"band": (0, 10)}),
                    ("timestamp", {"truncate_to": "day"}),
                    ("date", {"part": "weekday"}),
                    ("timestamp", {"seconds_since": "at"}),
                    ("number", {"round_to": 0.5}),
                    ("integer", {"round_to": 0.5}),
                    ("integer", {"top_code": 9}),
                    ("boolean", "keep"),
                    ("date", "keep"),
                ]
            )
        },
    }
    by = tuple(name for name in columns if name.startswith("c") and name != "cell")
    table = {**FINE, "by": by, "measures": {"x": {"sum": "c4 + c5 + c6 + c7 + c8"}}}
    assert problems(a_feed(columns=columns, tables={"t": table}), tmp_path) == []
