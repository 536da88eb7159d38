"""Housekeeping: raw and protected data go when their days are over, with proof; windows close; nothing else goes."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger.receipts import verify_receipt
from acequia.opening import lake_of, landing_of, ledger_of
from acequia.upkeep import keep
from tests.pipeline.world import DAY, World

DELIVERY = DeliveryId(partner="ceibo_pay", feed="transactions", period=DAY, version=1)


def in_days(days: int) -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date() + timedelta(days=days)


def deeds(world: World, today: date) -> dict[str, int]:
    return {deed.deed: deed.amount for deed in keep(world.settings, today=today) if deed.amount}


def receipt(world: World, step: str) -> dict[str, object]:
    folder = world.settings.home / "receipts" / DELIVERY.folder
    (path,) = folder.glob(f"*-{step}.jws")
    return dict(verify_receipt(path, world.settings.home / "keys" / "receipts.jwks.json").claims)


def test_raw_data_go_after_the_agreed_days_and_leave_a_receipt(world: World) -> None:
    world.deliver("ceibo_pay", "transactions", DAY)
    world.run("ceibo_pay", "transactions", DAY)
    published = world.tables()
    assert "raw files deleted" not in deeds(world, in_days(6))
    assert world.landed()
    assert deeds(world, in_days(7))["raw files deleted"] == 3, "the file, its name, and the rows that were set aside"
    assert world.landed() == []
    assert receipt(world, "raw_deleted")["delivery"] == str(DELIVERY)
    assert "raw files deleted" not in deeds(world, in_days(9)), "once is enough"
    assert world.tables() == published
    assert ledger_of(world.settings).verify() == []


def test_a_refused_delivery_is_quarantined_and_goes_too(world: World) -> None:
    world.deliver("ceibo_pay", "transactions", DAY, bad="not_in_set")
    try:
        world.run("ceibo_pay", "transactions", DAY)
    except Exception as error:
        assert "rows_invalid" in str(error)
    assert world.landed()
    assert "raw files deleted" in deeds(world, in_days(8))
    assert world.landed() == []


def test_protected_rows_go_after_their_days(world: World) -> None:
    world.deliver("ceibo_pay", "transactions", DAY)
    world.run("ceibo_pay", "transactions", DAY)
    folder = world.settings.workspace / DELIVERY.folder
    assert (folder / "protected.parquet").exists()
    assert "protected rows deleted" not in deeds(world, in_days(399))
    assert "protected rows deleted" in deeds(world, in_days(400))
    assert not folder.exists()
    assert receipt(world, "protected_deleted")["delivery"] == str(DELIVERY)
    assert ledger_of(world.settings).verify() == []


def test_bytes_that_no_run_registered_go_once_they_are_old(world: World, tmp_path: Path) -> None:
    left = tmp_path / "left.jsonl"
    left.write_text("{}\n")
    key = f"ceibo_pay/transactions/{DAY}/0123456789abcdef/left.jsonl.age"
    landing_of(world.settings).put(key, left)
    period_ends = date.fromisoformat(DAY) + timedelta(days=1)
    assert "unregistered raw files deleted" not in deeds(world, period_ends + timedelta(days=8))
    first_seen = period_ends + timedelta(days=9)
    assert "unregistered raw files deleted" not in deeds(world, first_seen), "a run may be about to register it"
    assert deeds(world, first_seen + timedelta(days=1))["unregistered raw files deleted"] == 1
    assert world.landed() == []


def test_the_same_bytes_in_two_versions_stay_until_the_later_day(world: World) -> None:
    for seed in (1, 2, 1):  # sent, changed, sent as at first
        world.clear("ceibo_pay")
        world.deliver("ceibo_pay", "transactions", DAY, seed=seed)
        world.run("ceibo_pay", "transactions", DAY)
    statuses = world.statuses()
    assert [statuses[f"ceibo_pay.transactions.{DAY}.v{version}"] for version in (1, 2, 3)] == [
        "corrected",
        "corrected",
        "published",
    ]
    assert deeds(world, in_days(8))["raw files deleted"] >= 2
    assert world.landed() == []
    assert ledger_of(world.settings).verify() == []


def test_a_month_past_its_grace_is_closed(world: World) -> None:
    for day in ("2026-10-01", "2026-10-05"):
        world.deliver("ceibo_pay", "transactions", day)
        world.run("ceibo_pay", "transactions", day)
    table = "ceibo_pay.active_senders_by_birth_band_month"
    assert table not in world.tables()
    assert deeds(world, in_days(0))["windows closed"] == 1
    assert world.tables()[table] > 0
    assert "windows closed" not in deeds(world, in_days(0))


def test_one_partners_trouble_stops_no_other(world: World) -> None:
    """Retention goes on for everyone else, and the trouble is told at the end."""
    for partner, feed in (("ceibo_pay", "transactions"), ("pula_mobile", "events")):
        world.deliver(partner, feed, DAY)
        world.run(partner, feed, DAY)
    (world.settings.partners / "aaa_first.yaml").write_text("partner: [")
    with pytest.raises(AcequiaError) as stopped:
        keep(world.settings, today=in_days(30))
    assert "aaa_first" in stopped.value.what
    assert world.landed() == []


def test_a_correction_after_protected_rows_are_gone_keeps_the_month(world: World) -> None:
    days = ("2026-10-01", "2026-10-05")
    for day in days:
        world.deliver("ceibo_pay", "transactions", day)
        world.run("ceibo_pay", "transactions", day)
    keep(world.settings, today=in_days(0))
    before = lake_of(world.settings).read("ceibo_pay.active_senders_by_birth_band_month").to_pylist()
    shutil.rmtree(world.settings.workspace / "ceibo_pay" / "transactions" / days[0])
    world.clear("ceibo_pay")
    world.deliver("ceibo_pay", "transactions", days[1], seed=8)
    with pytest.raises(AcequiaError) as stopped:
        world.run("ceibo_pay", "transactions", days[1])
    assert (stopped.value.code, stopped.value.exit_code) == ("protected_missing", 6)
    after = lake_of(world.settings).read("ceibo_pay.active_senders_by_birth_band_month").to_pylist()
    assert before == after


def test_what_a_killed_validation_left_is_removed(world: World) -> None:
    world.deliver("ceibo_pay", "transactions", DAY)
    world.run("ceibo_pay", "transactions", DAY)
    left = world.settings.workspace / "ceibo_pay" / "transactions" / DAY / "v1" / ".judging" / "tmpkilled"
    left.mkdir(parents=True)
    for name in (".lock", "spilled"):
        (left / name).write_bytes(b"rows")
    deeds = keep(world.settings)
    assert [deed.amount for deed in deeds if deed.deed == "plain leftovers removed"] == [1]
    assert not left.exists()
