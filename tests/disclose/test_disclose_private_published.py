"""The same attack on what is published in the end: with thresholds, without numbers below zero, cells left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from acequia.agreement.tables import Table
from acequia.disclose import noise, private
from acequia.flow import Cells, DeliveryId
from tests.aggregate.made_feeds import a_feed
from tests.disclose.lower_bound import lowest_epsilon

DRAWS = 20_000
ROWS_AT_MOST = 3
DELIVERY = DeliveryId(partner="pula", feed="events", period="2026-11-01", version=1)


def a_table(epsilon: float, delta: float, cells: str) -> Table:
    terms = {"epsilon": epsilon, "delta": delta, "cells_at_most": 1, "rows_at_most": ROWS_AT_MOST}
    table = {
        "by": ("district",),
        "cells": cells,
        "measures": {"rows_count": {"count": "rows"}},
        "protect": {"contributor": "person", "min_contributors": 1, "differential_privacy": terms},
    }
    return a_feed(tables={"t": table}, privacy={"budget": {"epsilon": 100, "delta": 0.05}}).tables["t"]


def published(folder: Path, table: Table, contributors: int) -> np.ndarray:
    """20,000 cells with as many contributors, each with as many rows as count, as they are published.

    Of each a number that grows with what speaks for one contributor more; what is not there speaks for one less. Noise
    is drawn for each cell apart, so one draw of many equal cells is as many draws of one.
    """
    asked = {"private:rows_count": [contributors * ROWS_AT_MOST] * DRAWS}
    if table.cells == "observed":
        asked["private:contributors"] = [contributors] * DRAWS
    places = [f"d{number:05}" for number in range(DRAWS)]
    path = folder / f"cells{contributors}.parquet"
    pq.write_table(pa.table({"period": ["2026-11-01"] * DRAWS, "district": places, **asked}), path)
    cells = Cells(table="t", period="2026-11-01", deliveries=(DELIVERY,), path=str(path), sha256="0" * 64, cells=DRAWS)
    rows = private.draw(cells, table).to_pylist()
    told = {row["district"]: row["rows_count"] / ROWS_AT_MOST + (row["contributors_count"] or 0) for row in rows}
    return np.array([told.get(place, -1e9) for place in places])


@pytest.mark.parametrize("contributors", [0, 5, 40])
@pytest.mark.parametrize(
    ("epsilon", "delta", "cells"), [(1.0, 0.0, "all"), (2.0, 0.01, "observed"), (1.0, 1e-6, "observed")]
)
def test_what_is_published_tells_no_more_than_is_claimed(
    tmp_path: Path, epsilon: float, delta: float, cells: str, contributors: int
) -> None:
    table = a_table(epsilon, delta, cells)
    found = lowest_epsilon(
        published(tmp_path, table, contributors + 1), published(tmp_path, table, contributors), delta
    )
    assert found <= epsilon
    if cells == "all" or contributors == 40 and delta == 0.01:
        assert found > 0.35 * epsilon  # the attack is no empty one


def test_published_noise_that_is_too_small_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = noise.scale_for
    monkeypatch.setattr(noise, "scale_for", lambda moved, epsilon: right(moved, epsilon) / 2)
    table = a_table(1.0, 0.0, "all")
    assert lowest_epsilon(published(tmp_path, table, 41), published(tmp_path, table, 40)) > 1.0
