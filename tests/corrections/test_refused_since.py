"""What was published and is refused under later terms leaves every table, and comes back when it is accepted again."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from acequia import pipeline, upkeep, withdrawal
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.opening import lake_of, ledger_of, open_work
from acequia.period import Period
from tests.pipeline.world import DAY, World

PARTNER, FEED, TABLE = "ceibo_pay", "transactions", "ceibo_pay.payments_by_department_kind"


def agree(world: World, least: int) -> None:
    """Change the terms: how many rows a delivery must have."""
    path = world.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    agreement["feeds"][FEED]["delivery"]["rows_between"] = [least, 1_000_000]
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))


def refused(world: World) -> None:
    work = open_work(world.settings, PARTNER, FEED, DAY)
    with pytest.raises(AcequiaError) as raised, withdrawal.taking_back(work):
        pipeline.run(work)
    assert raised.value.code == "rows_outside_range"


def test_its_rows_leave_the_tables_and_come_back(world: World) -> None:
    agree(world, 1)
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    lake = lake_of(world.settings)
    before = lake.read(TABLE).to_pylist()
    assert before
    for _ in range(2):
        agree(world, 5000)
        refused(world)
        assert lake_of(world.settings).read(TABLE).num_rows == 0
        entries = ledger_of(world.settings).length()
        refused(world)
        assert ledger_of(world.settings).length() == entries, "said once"
        agree(world, 1)
        world.run(PARTNER, FEED, DAY)
        assert lake_of(world.settings).read(TABLE).to_pylist() == before
    assert ledger_of(world.settings).verify() == []


def test_other_days_of_a_wider_window_stay(world: World) -> None:
    """A month counts the people of two days, one of which is refused since."""
    partner, feed, table = "pula_mobile", "events", "pula_mobile.active_subscribers_by_district_month"
    days = ("2026-11-10", "2026-11-11")
    for day in days:
        world.deliver(partner, feed, day, seed=int(day[-2:]), rows=900)
        world.run(partner, feed, day)
    work = open_work(world.settings, partner, feed, days[1])
    pipeline.close(replace(work, period=Period.parse("2026-11")))
    assert "refused" not in world.statuses().values()
    path = world.settings.partners / f"{partner}.yaml"
    path.write_text(path.read_text().replace("- 500\n", "- 5000\n"))
    again = open_work(world.settings, partner, feed, days[0])
    with pytest.raises(AcequiaError), withdrawal.taking_back(again):
        pipeline.run(again)
    last = ledger_of(world.settings).history(DeliveryId.parse(f"{partner}.{feed}.{days[1]}.v1"))
    said = [entry.said for entry in last if entry.kind == "published"][-1]
    assert (said["table"], said["deliveries"]) == (table.split(".")[1], [f"{partner}.{feed}.{days[1]}.v1"])
    assert (
        days[0]
        not in lake_of(world.settings).read("pula_mobile.active_subscribers_by_district_hour")["period"].to_pylist()
    )


def test_housekeeping_finishes_what_was_killed(world: World) -> None:
    agree(world, 1)
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    agree(world, 5000)
    with pytest.raises(AcequiaError):
        world.run(PARTNER, FEED, DAY)  # as if it was killed before the tables were looked at
    assert lake_of(world.settings).read(TABLE).num_rows
    assert "refused since publication" in [deed.deed for deed in upkeep.keep(world.settings)]
    assert lake_of(world.settings).read(TABLE).num_rows == 0
    assert "refused since publication" not in [deed.deed for deed in upkeep.keep(world.settings)]
