"""Differences of rows and changes of cells, against plain Python over invented versions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.agreement.tables import Table
from acequia.engine.duck import connect
from acequia.protect.differences import row_differences
from acequia.publish import changes

ROW = st.tuples(st.sampled_from(["p1", "p2", "p3", None]), st.sampled_from(["x", "y", None]), st.integers(0, 2))


def written(path: Path, rows: list[tuple[Any, ...]], *, as_text: bool = False) -> Path:
    kind = pa.string() if as_text else pa.int64()
    columns = [pa.array([row[0] for row in rows], pa.string()), pa.array([row[1] for row in rows], pa.string()),
               pa.array([str(row[2]) if as_text else row[2] for row in rows], kind)]  # fmt: skip
    pq.write_table(pa.table(columns, names=["who", "kind", 'so "many"']), path)
    return path


def counted(before: list[Any], after: list[Any], key: int | None) -> dict[str, int]:
    went, came = Counter(before) - Counter(after), Counter(after) - Counter(before)
    changed = 0
    if key is not None:
        by_went, by_came = Counter(), Counter()
        for rows, by in ((went, by_went), (came, by_came)):
            for row, many in rows.items():
                by[row[key]] += many
        changed = sum((by_went & by_came).values())
    return {
        "rows_before": len(before), "rows_after": len(after), "added": came.total() - changed,
        "removed": went.total() - changed, "changed": changed,
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(before=st.lists(ROW, max_size=12), after=st.lists(ROW, max_size=12), keyed=st.booleans(), text=st.booleans())
def test_rows_differ_as_multisets(
    tmp_path_factory: Any, before: list[Any], after: list[Any], keyed: bool, text: bool
) -> None:
    folder = tmp_path_factory.mktemp("versions")
    found = row_differences(
        written(folder / "before.parquet", before),
        written(folder / "after.parquet", after, as_text=text),  # an agreement may have retyped a column
        identified_by=("who", "a column of before") if keyed else (),
        memory_limit="200MB",
        scratch=folder,
    )
    assert found == counted(before, after, 0 if keyed else None)


TABLE = Table.model_validate(
    {
        "describe": "One row per place.",
        "by": ("place",),
        "measures": {"people": {"count": "rows"}, "money": {"sum": "pula", "unit": "BWP"}, "typical": {"mean": "pula"}},
        "protect": {"contributor": "who", "min_contributors": 3},
    }
)
CELL = st.one_of(
    st.tuples(st.just("published"), st.integers(0, 9), st.sampled_from([0.1, 0.2, 7.5, 1e9]), st.just(1.5)),
    st.just(("withheld", None, None, None)),
    st.just(("zero", 0, 0.0, None)),
)
CELLS = st.dictionaries(st.sampled_from(["a", "b", "c", "d", None]), CELL)


def released(cells: dict[Any, Any]) -> pa.Table:
    rows = sorted(cells.items(), key=str)
    return pa.table(
        {
            "place": pa.array([key for key, _ in rows], pa.string()),
            "people": pa.array([cell[1] for _, cell in rows], pa.int64()),
            "money": pa.array([cell[2] for _, cell in rows], pa.float64()),
            "typical": pa.array([cell[3] for _, cell in rows], pa.float64()),
            "contributors_count": pa.array([cell[1] for _, cell in rows], pa.int64()),
            "cell_status": pa.array([cell[0] for _, cell in rows], pa.string()),
        }
    )


def found_between(folder: Path, before: dict[Any, Any], after: dict[Any, Any]) -> dict[str, Any]:
    connection = connect("200MB", folder)
    try:
        return changes.between(connection, released(before), released(after), TABLE)
    finally:
        connection.close()


@settings(max_examples=60, deadline=None)
@given(before=CELLS, after=CELLS)
def test_cells_change_as_plain_python_says(
    tmp_path_factory: Any, before: dict[Any, Any], after: dict[Any, Any]
) -> None:
    found = found_between(tmp_path_factory.mktemp("vintages"), before, after)
    both = [(before[key], after[key]) for key in before.keys() & after.keys()]
    public = [(old, new) for old, new in both if "withheld" not in (old[0], new[0])]
    kinds = Counter((old[0] == "withheld", new[0] == "withheld") for old, new in both)
    assert found["cells"] == {
        "before": len(before), "after": len(after),
        "added": len(after.keys() - before.keys()), "removed": len(before.keys() - after.keys()),
        "changed": sum(old != new for old, new in public), "unchanged": sum(old == new for old, new in public),
        "newly_withheld": kinds[False, True], "opened": kinds[True, False], "still_withheld": kinds[True, True],
    }  # fmt: skip
    people = [(old[1], new[1]) for old, new in public]
    relative = [abs(new - old) / abs(old) for old, new in people if old]
    assert found["measures"]["people"] == {
        "cells": len(people),
        "total_before": sum(old for old, _ in people),
        "total_after": sum(new for _, new in people),
        "largest_relative_change": max(relative, default=None),
    }  # fmt: skip
    assert set(found["measures"]["typical"]) == {"cells", "largest_relative_change"}
    json.dumps(found)


@settings(max_examples=40, deadline=None)
@given(before=CELLS, after=CELLS, secret=st.integers(1, 10**6))
def test_what_is_withheld_in_either_vintage_changes_nothing_that_is_told(
    tmp_path_factory: Any, before: dict[Any, Any], after: dict[Any, Any], secret: int
) -> None:
    """A number that one vintage withholds can be any number: what is told of the measures stays the same."""
    shown = found_between(tmp_path_factory.mktemp("shown"), before, after)
    other = {
        key: (cell[0], secret, float(secret), float(secret)) if before.get(key, ("",))[0] == "withheld" else cell
        for key, cell in after.items()
        if cell[0] != "withheld" or key in before
    } | {key: cell for key, cell in after.items() if cell[0] == "withheld"}
    again = found_between(tmp_path_factory.mktemp("other"), before, other)
    assert shown["measures"] == again["measures"] and shown["cells"] == again["cells"]


def test_another_kind_of_cell_is_another_cell(tmp_path: Path) -> None:
    renamed = released({"a": ("published", 5, 1.0, 1.0)}).rename_columns(
        ["district", "people", "money", "typical", "contributors_count", "cell_status"]
    )
    connection = connect("200MB", tmp_path)
    found = changes.between(connection, renamed, released({"a": ("published", 5, 1.0, 1.0)}), TABLE)
    assert (found["cells"]["added"], found["cells"]["removed"], found["cells"]["unchanged"]) == (1, 1, 0)
    connection.close()
