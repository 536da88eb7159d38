"""The shape that a release tells of itself names no cell that it does not publish."""

from __future__ import annotations

import pyarrow as pa

from acequia.disclose.structure import of_published

PARENTS = {"centre": "north", "hill": "north", "coast": "south", "north": "_T", "south": "_T"}
SHAPE = {"by": [{"name": "district", "levels": ["all", "region", "district"], "parents": PARENTS}, {"name": "kind"}]}


def test_values_that_noise_took_out_are_not_named() -> None:
    rows = pa.table({"district": ["centre", "north", "_T"], "kind": ["a", "a", "b"]})
    by = of_published(SHAPE, rows)["by"]
    assert by == [SHAPE["by"][0] | {"parents": {"centre": "north", "north": "_T"}}, {"name": "kind"}]


def test_all_values_stay_where_all_are_published() -> None:
    rows = pa.table({"district": [*PARENTS, "_T"], "kind": ["a"] * 6})
    assert of_published(SHAPE, rows) == SHAPE
