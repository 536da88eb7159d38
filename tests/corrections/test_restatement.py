"""A correction restates every window that was released, whoever released it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from acequia import upkeep
from acequia.ledger import book
from acequia.opening import lake_of, ledger_of
from tests.pipeline.world import World

MONTHLY = "pula_mobile.active_subscribers_by_district_month"
DAY, WINDOW = "2026-11-10", "2026-11"


def month(world: World) -> list[dict[str, object]]:
    return [row for row in lake_of(world.settings).read(MONTHLY).to_pylist() if row["period"] == WINDOW]


def test_a_month_that_housekeeping_closed_is_restated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    later = datetime(2026, 12, 20, tzinfo=UTC)
    monkeypatch.setattr(book.open_ledger, "__defaults__", (lambda: later,))
    world.deliver("pula_mobile", "events", DAY, seed=1)
    world.run("pula_mobile", "events", DAY)
    assert MONTHLY not in world.tables()
    upkeep.keep(world.settings, today=datetime(2026, 11, 12, tzinfo=UTC).date())
    before = month(world)
    assert before and not any(row["provisional"] for row in before)
    world.clear("pula_mobile")
    world.deliver("pula_mobile", "events", DAY, seed=2)
    published = world.run("pula_mobile", "events", DAY).published
    assert (MONTHLY, WINDOW) in [(part.table, part.period) for part in published]
    assert month(world) != before
    assert [row.status for row in ledger_of(world.settings).deliveries()] == ["corrected", "published"]
    vintages = [one for one in lake_of(world.settings).history(MONTHLY) if one.what == "published"]
    old = lake_of(world.settings).read(MONTHLY, snapshot=vintages[0].snapshot_id).to_pylist()
    assert old == before
