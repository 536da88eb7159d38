"""A withdrawn delivery leaves every table that used it, and every trace where that is wanted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acequia import pipeline, withdrawal
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.opening import lake_of, ledger_of, open_work
from acequia.upkeep import delete_everything, keep
from tests.pipeline.world import DAY, World, make_world, month_to_date, same_where_published

PARTNER, FEED = "ceibo_pay", "transactions"
MONTHLY = "pula_mobile.active_subscribers_by_district_month"
DAYS = ("2026-11-09", "2026-11-10", "2026-11-11")


def take_back(world: World, partner: str, feed: str, period: str, *, erase: bool = False) -> list[withdrawal.TakenBack]:
    work = open_work(world.settings, partner, feed, period)
    return withdrawal.withdraw(work, who="me", because="case 7", erase=erase, delete=delete_everything)


def rows(world: World, table: str) -> list[dict[str, object]]:
    return [{**row, "delivery": ""} for row in lake_of(world.settings).read(table).to_pylist()]


def release(world: World, table: str, period: str) -> dict[str, object]:
    partner, name = table.split(".")
    return json.loads((Path(world.settings.lake) / "open" / partner / name / period / "latest.json").read_text())


def test_a_period_that_only_it_made_leaves_the_lake_and_its_bytes_never_come_back(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY, seed=1)
    world.run(PARTNER, FEED, DAY)
    world.clear(PARTNER)
    world.deliver(PARTNER, FEED, DAY, seed=2)
    world.run(PARTNER, FEED, DAY)
    tables = [info.name for info in lake_of(world.settings).tables()]
    done = take_back(world, PARTNER, FEED, DAY)
    assert {part.done for part in done} == {"taken_out"} and len(done) == len(tables)
    for table in tables:
        assert rows(world, table) == []
        assert release(world, table, DAY)["status"] == "withdrawn"
    assert set(world.statuses().values()) == {"withdrawn"}
    assert take_back(world, PARTNER, FEED, DAY) == []
    for seed in (2, 1):
        world.clear(PARTNER)
        world.deliver(PARTNER, FEED, DAY, seed=seed)
        with pytest.raises(AcequiaError) as error:
            world.run(PARTNER, FEED, DAY)
        assert (error.value.code, error.value.exit_code) == ("delivery_withdrawn", 3)
    assert all(rows(world, table) == [] for table in tables)
    world.clear(PARTNER)
    world.deliver(PARTNER, FEED, DAY, seed=3)
    assert world.run(PARTNER, FEED, DAY).delivery.version == 3
    assert all(release(world, table, DAY)["status"] == "published" for table in tables)
    assert ledger_of(world.settings).verify() == []


def test_a_month_is_made_again_of_the_other_days(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    calm = make_world(tmp_path_factory.mktemp("calm"))
    for one in (world, calm):
        month_to_date(one)
        for day in DAYS:
            if one is world or day != DAYS[1]:
                one.deliver("pula_mobile", "events", day)
                one.run("pula_mobile", "events", day)
    before = rows(world, MONTHLY)
    done = take_back(world, "pula_mobile", "events", DAYS[1])
    assert {part.done for part in done if part.period == "2026-11"} == {"recomputed"}
    assert {part.done for part in done if part.period == DAYS[1]} == {"taken_out"}
    assert len(before) and before != rows(world, MONTHLY)
    same_where_published(rows(world, MONTHLY), rows(calm, MONTHLY))
    last = DeliveryId(partner="pula_mobile", feed="events", period=DAYS[2], version=1)
    told = [entry.said for entry in ledger_of(world.settings).history(last) if entry.kind == "published"]
    assert told[-1]["deliveries"] == [f"pula_mobile.events.{day}.v1" for day in (DAYS[0], DAYS[2])]
    assert told[-1]["changes"]["cells"]["before"] == len(before)
    assert ledger_of(world.settings).verify() == []


def test_erasing_leaves_no_vintage_and_no_bytes_that_held_it(world: World) -> None:
    month_to_date(world)
    for day in DAYS[:2]:
        world.deliver("pula_mobile", "events", day)
        world.run("pula_mobile", "events", day)
    landed = [key for key in world.landed() if DAYS[1] in key]
    assert landed
    take_back(world, "pula_mobile", "events", DAYS[1], erase=True)
    assert [key for key in world.landed() if DAYS[1] in key] == []
    assert not list((world.settings.workspace / "pula_mobile" / "events" / DAYS[1]).rglob("*.parquet"))
    lake = lake_of(world.settings)
    assert len({vintage.content_sha256 for vintage in lake.history(MONTHLY)} - {""}) <= 1
    folder = Path(world.settings.lake) / "open" / "pula_mobile"
    month = folder / MONTHLY.split(".")[1] / "2026-11"
    assert len(list(month.glob("release-*"))) == 1 and rows(world, MONTHLY)
    assert (month / "tombstone.json").exists() and not (month / "changes.json").exists()
    for table in folder.iterdir():
        assert not list((table / DAYS[1]).glob("release-*"))
    statuses = ledger_of(world.settings).deliveries()
    assert [row.status for row in statuses] == ["published", "withdrawn"]
    assert statuses[1].raw_deleted_at and statuses[1].protected_deleted_at and statuses[1].finished
    assert ledger_of(world.settings).verify() == []
    assert not world.run("pula_mobile", "events", DAYS[0]).published  # and what was erased is not made again


def test_what_cannot_be_recomputed_is_taken_out(world: World) -> None:
    month_to_date(world)
    for day in DAYS[:2]:
        world.deliver("pula_mobile", "events", day)
        world.run("pula_mobile", "events", day)
    for path in (world.settings.workspace / "pula_mobile" / "events" / DAYS[0]).rglob("protected.*"):
        path.unlink()
    done = take_back(world, "pula_mobile", "events", DAYS[1])
    assert [part.because for part in done if part.period == "2026-11"] == ["protected_missing"] * len(
        [part for part in done if part.period == "2026-11"]
    )
    assert rows(world, MONTHLY) == []


def test_housekeeping_finishes_what_a_killed_command_left(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    delivery = world.run(PARTNER, FEED, DAY).delivery
    ledger_of(world.settings).withdraw(delivery, who="me", because="case 7", erase=True)
    with pytest.raises(AcequiaError):  # nothing of it is counted from here on, whatever runs
        pipeline.publish(
            work := open_work(world.settings, PARTNER, FEED, DAY), delivery, pipeline.aggregate(work, delivery)
        )
    keep(world.settings)
    assert not any(rows(world, info.name) for info in lake_of(world.settings).tables())
    assert world.landed() == []
    assert withdrawal.unfinished(work) == []


def test_unknown_periods_are_refused(world: World) -> None:
    with pytest.raises(AcequiaError) as error:
        take_back(world, PARTNER, FEED, DAY)
    assert error.value.code == "unknown_name"
