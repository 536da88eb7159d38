"""Rounds of the watch: what is new is run once, what was begun is ended, and one's trouble stops no other."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acequia import pipeline
from acequia.agreement.delivery import Delivery
from acequia.agreement.load import find
from acequia.errors import AcequiaError
from acequia.opening import open_work
from acequia.pauses import pause, resume
from acequia.period import Period
from acequia.watch.looking import BY_SCHEDULE, Coming, Eyes, look_around, scheduled_at
from acequia.watch.round import Round, Watch
from acequia.watch.tries import Patience, Tries
from tests.pipeline.world import World
from tests.watch.conftest import DAY, FEED, NOW, PARTNER


def ran(done: Round) -> list[tuple[str, str, str]]:
    return [(one.period, one.why, one.result) for one in done.ran]


def inbox(world: World) -> Path:
    return world.settings.home / "inbox" / PARTNER


def test_what_is_new_is_run_in_the_order_of_periods_and_once(world: World, watch: Watch) -> None:
    for day in ("2026-11-10", "2026-11-03", "2026-11-08"):
        world.deliver(PARTNER, FEED, day)
    done = watch.round(tell=False)
    assert ran(done) == [(day, "new", "published") for day in ("2026-11-03", "2026-11-08", "2026-11-10")]
    assert done.looked_at > 50 and not done.troubles
    assert ran(watch.round(tell=False)) == []
    for path in inbox(world).rglob("*"):
        os.utime(path)
    assert {result for _, _, result in ran(watch.round(tell=False))} == {"repeated"}
    assert ran(watch.round(tell=False)) == []
    assert [row.repeats for row in watch.ledger.deliveries()] == [1, 1, 1]


def test_days_outside_the_agreement_or_too_long_ago_or_not_over_are_left(world: World, watch: Watch) -> None:
    for day in ("2026-09-01", "2026-11-12", "2026-11-13"):
        world.deliver(PARTNER, FEED, day)
    assert ran(watch.round(tell=False)) == []


def test_one_broken_partner_stops_no_other(world: World, watch: Watch) -> None:
    (world.settings.partners / "broken_one.yaml").write_text("partner: broken_one\nfeeds: [\n")
    text = (world.settings.partners / f"{PARTNER}.yaml").read_text()
    far = text.replace(f"partner: {PARTNER}", "partner: far_away")
    unreachable = far.replace("type: folder", "type: folder\n        connection: nowhere")
    (world.settings.partners / "far_away.yaml").write_text(unreachable)
    world.deliver(PARTNER, FEED, DAY)
    done = watch.round(tell=False)
    assert ran(done) == [(DAY, "new", "published")]
    assert done.troubles == ["broken_one: agreement_invalid", f"far_away.{FEED}: connection_unknown"]


def test_what_was_begun_is_ended_also_when_the_source_has_it_no_more(world: World, watch: Watch) -> None:
    world.deliver(PARTNER, FEED, DAY)
    work = open_work(world.settings, PARTNER, FEED, DAY)
    pipeline.receive(replace(work, ledger=watch.ledger))
    world.clear(PARTNER)
    assert ran(watch.round(tell=False)) == [(DAY, "unfinished", "published")]
    assert ran(watch.round(tell=False)) == []


def test_a_refusal_is_final_until_something_else_lies_there(world: World, watch: Watch) -> None:
    world.deliver(PARTNER, FEED, DAY, bad="column_missing")
    assert ran(watch.round(tell=False)) == [(DAY, "new", "refused")]
    assert ran(watch.round(tell=False)) == []
    world.clear(PARTNER)
    world.deliver(PARTNER, FEED, DAY)
    assert ran(watch.round(tell=False)) == [(DAY, "new", "published")]


def test_a_correction_by_hand_is_not_undone_by_what_still_lies_there(
    world: World, watch: Watch, tmp_path: Path
) -> None:
    world.deliver(PARTNER, FEED, DAY)
    assert ran(watch.round(tell=False)) == [(DAY, "new", "published")]
    shutil.move(inbox(world), tmp_path / "kept")
    world.deliver(PARTNER, FEED, DAY, seed=8)
    shutil.move(inbox(world), tmp_path / "by_hand")
    shutil.move(tmp_path / "kept", inbox(world))
    work = replace(open_work(world.settings, PARTNER, FEED, DAY), ledger=watch.ledger)
    assert pipeline.run(work, tmp_path / "by_hand").delivery.version == 2
    assert ran(watch.round(tell=False)) == []


@pytest.mark.parametrize("bad", ["column_missing", "out_of_range"])  # refused at the gate, and by checks
def test_a_refusal_names_its_delivery(world: World, watch: Watch, bad: str) -> None:
    world.deliver(PARTNER, FEED, DAY, bad=bad)
    assert [one.delivery for one in watch.round(tell=False).ran] == [f"{PARTNER}.{FEED}.{DAY}.v1"]


def test_a_paused_feed_is_left_alone(world: World, watch: Watch) -> None:
    world.deliver(PARTNER, FEED, DAY)
    pause(watch.ledger, PARTNER, who="steward", because="a test")
    done = watch.round(tell=False)
    assert (ran(done), done.paused) == ([], [f"{PARTNER}.{FEED}"])
    resume(watch.ledger, PARTNER, who="steward", because="a test")
    assert ran(watch.round(tell=False)) == [(DAY, "new", "published")]


def test_what_stops_by_our_fault_is_tried_again_at_growing_gaps(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deliver(PARTNER, FEED, DAY)

    def broken(*_: object) -> None:
        raise AcequiaError("store_unreachable", "the lake is away")

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "publish", broken)
        tried = []
        for minutes in range(0, 240, 5):
            later = replace(watch, ledger=replace(watch.ledger, clock=lambda at=minutes: NOW + timedelta(minutes=at)))
            tried += [minutes for one in later.round(tell=False).ran if one.code == "store_unreachable"]
    assert tried == [0, 15, 45, 105, 225]
    tomorrow = replace(watch, ledger=replace(watch.ledger, clock=lambda: NOW + timedelta(days=2)))
    assert ran(tomorrow.round(tell=False)) == [(DAY, "unfinished", "published")]


def test_a_path_that_is_the_same_for_every_period(world: World, watch: Watch) -> None:
    file = world.settings.partners / f"{PARTNER}.yaml"
    agreement = find(world.settings.partners, PARTNER).agreement
    path = agreement.feed(FEED).delivery.source.path  # type: ignore[union-attr]
    assert agreement.feed(FEED).delivery.manifest == "none"
    world.deliver(PARTNER, FEED, "2026-11-11")
    assert path in file.read_text()
    found = next(one for one in inbox(world).rglob("*") if one.is_file())
    shutil.move(found, inbox(world) / "latest.file")
    file.write_text(file.read_text().replace(path, "latest.file"))
    assert ran(watch.round(tell=False)) == [("2026-11-11", "new", "published")]
    later = replace(watch, ledger=replace(watch.ledger, clock=lambda: NOW + timedelta(days=1)))
    assert ran(later.round(tell=False)) == [], "what is known is not taken for another period"


SQL = {
    "type": "sql",
    "connection": "warehouse",
    "query": "select * from t where day >= :period_start and day < :period_end",
}


def terms(zone: str, kind: str, schedule: str) -> Delivery:
    return Delivery(source=SQL, format="parquet", schedule=schedule, timezone=zone, period=kind, due_within_hours=48)


@pytest.mark.parametrize(
    ("zone", "kind", "schedule", "label", "expected"),
    [
        ("America/Montevideo", "day", "0 6 * * *", "2026-11-10", "2026-11-11T09:00:00+00:00"),
        ("America/Montevideo", "day", "0 0 * * *", "2026-11-10", "2026-11-11T03:00:00+00:00"),
        ("Europe/Madrid", "day", "30 2 * * *", "2026-10-24", "2026-10-25T00:30:00+00:00"),
        ("Europe/Madrid", "week", "0 9 * * 1", "2026-W43", "2026-10-26T08:00:00+00:00"),
        ("Asia/Kathmandu", "month", "0 6 5 * *", "2026-10", "2026-11-05T00:15:00+00:00"),
    ],
)
def test_when_a_source_without_arrivals_is_asked(
    zone: str, kind: str, schedule: str, label: str, expected: str
) -> None:
    assert scheduled_at(terms(zone, kind, schedule), Period.parse(label)).astimezone(UTC) == datetime.fromisoformat(
        expected
    )


def test_a_sql_source_is_asked_from_its_schedule_on(world: World, watch: Watch) -> None:
    import yaml

    file = world.settings.partners / f"{PARTNER}.yaml"
    told = yaml.safe_load(file.read_text())
    delivery = told["feeds"][FEED]["delivery"]
    delivery |= {"source": SQL, "format": "parquet", "schedule": "0 9 * * *", "watched_days": 2}
    delivery.pop("options", None)
    file.write_text(yaml.safe_dump(told))
    zone = find(world.settings.partners, PARTNER).agreement.feed(FEED).delivery.zone

    def found(hour: int) -> list[Coming]:
        now = datetime(2026, 11, 12, hour, tzinfo=zone)
        return look_around(Eyes(world.settings, watch.ledger, watch.connect, now.astimezone(UTC))).comings

    assert [one.period.label for one in found(8)] == ["2026-11-10"]
    assert [one.period.label for one in found(9)] == ["2026-11-10", "2026-11-11"]
    assert {(one.arrival, one.why) for one in found(9)} == {(BY_SCHEDULE, "by_schedule")}


def test_patience(world: World) -> None:
    tries, hour = Tries.of(world.settings, "x"), timedelta(hours=1)
    patience = Patience(first=timedelta(minutes=5), slow=6 * hour, again=hour)
    assert tries.number("one", "a", NOW, patience, slow=False) is None
    assert tries.number("one", "a", NOW + timedelta(minutes=5), patience, slow=False) == 1
    assert tries.number("one", "b", NOW + timedelta(minutes=5), patience, slow=False) is None, "it is another coming"
    tries.tried("one", NOW)
    assert [tries.number("one", "b", NOW + n * hour, patience, slow=False) for n in (0, 1)] == [None, 2]
    tries.tried("one", NOW + hour)
    assert [tries.number("one", "b", NOW + n * hour, patience, slow=True) for n in (2, 3)] == [None, 3]
    assert tries.number("two", "a", NOW, patience, slow=True) is None
    tries.keep({"one"})
    again = Tries.of(world.settings, "x")
    assert set(again.known) == {"one"} and again.known["one"].tries == 2
    again.file.write_text("[1, 2")
    assert Tries.of(world.settings, "x").known == {}
    assert patience.before(30, slow=False) == timedelta(days=1)
