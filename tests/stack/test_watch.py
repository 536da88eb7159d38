"""The watch under a real Airflow: what came while nobody looked, corrections, repetitions, pauses, and deadlines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from acequia.agreement.calendar import holidays
from acequia.agreement.load import find, versions
from acequia.demo import airflow as stack
from acequia.ledger.listing import DeliveryRow
from acequia.notices.first_seen import note_new
from acequia.opening import ledger_of
from acequia.pauses import pause, resume
from acequia.period import Period
from tests.pipeline.world import PROJECT, World, make_world

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
PARTNER, FEED = "ceibo_pay", "transactions"
DAG, WATCH = f"{PARTNER}.{FEED}", "acequia.watch"
QUICK = {"ACEQUIA_ON_DEMAND": "1", "ACEQUIA_POKE_SECONDS": "2", "ACEQUIA_RETRY_SECONDS": "1",
         "ACEQUIA_WATCH_PATIENCE_SECONDS": "0"}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("watch"))
    for path in made.settings.partners.glob("*.yaml"):
        if path.stem != PARTNER:
            path.unlink()
    # An installation that is new to a feed awaits nothing that was due before: this one has known it for a month.
    a_month_ago = replace(ledger_of(made.settings), clock=lambda: datetime.now(UTC) - timedelta(days=30))
    note_new(a_month_ago, [versions(made.settings.partners, PARTNER)])
    return made


@pytest.fixture(scope="module")
def airflow(world: World) -> Iterator[stack.Airflow]:
    with stack.running(world.settings, PROJECT, extra=QUICK, say=lambda _: None) as running:
        until(lambda: {DAG, WATCH} <= running.dags())
        assert running.import_errors() == []
        yield running


@pytest.fixture(scope="module")
def days(world: World) -> list[str]:
    """The last six days on which something was due, the newest last."""
    terms = find(world.settings.partners, PARTNER).agreement.feed(FEED).delivery
    days_off = holidays(world.settings.reference, terms.calendar)
    day, found = Period.holding("day", datetime.now(terms.zone).date() - timedelta(days=3)), []
    while len(found) < 6:
        found += [day.label] if terms.is_due(day, days_off) else []
        day = day.previous()
    return found[::-1]


def until(holds: Callable[[], Any], seconds: float = 180) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)
    return found


def watch(airflow: stack.Airflow) -> dict[str, list[str]]:
    """One round; the states of all runs of the feed by period once everything has ended, oldest first."""
    asked = {"dag_run_id": f"round-{time.monotonic_ns()}", "logical_date": None}
    airflow.call("POST", f"/api/v2/dags/{WATCH}/dagRuns", asked)
    until(lambda: airflow.state(WATCH, asked["dag_run_id"]) in ("success", "failed"))
    assert airflow.state(WATCH, asked["dag_run_id"]) == "success", airflow.tasks(WATCH, asked["dag_run_id"])
    until(lambda: all(run["state"] in ("success", "failed") for run in airflow.runs(DAG)))
    states: dict[str, list[str]] = {}
    for run in sorted(airflow.runs(DAG), key=lambda run: run["queued_at"]):
        states.setdefault(run["partition_key"], []).append(run["state"])
    return states


def rows(world: World) -> dict[tuple[str, int], DeliveryRow]:
    return {(row.period, row.version): row for row in ledger_of(world.settings).deliveries(PARTNER, FEED)}


def told(world: World, kind: str, period: str) -> bool:
    return any(
        entry.said.get("kind") == kind and entry.period == period for entry in ledger_of(world.settings).notes("notice")
    )


def test_a_deadline_sends_at_once_what_the_ledger_says_is_due(
    world: World, airflow: stack.Airflow, days: list[str]
) -> None:
    run = airflow.trigger(DAG, days[5])
    until(lambda: airflow.state(DAG, run) == "failed")
    assert airflow.tasks(DAG, run)["wait"] == "failed"
    until(lambda: told(world, "missing", days[5]))


def test_what_came_while_nobody_looked_is_taken_once(world: World, airflow: stack.Airflow, days: list[str]) -> None:
    for day in days[1:4]:
        world.deliver(PARTNER, FEED, day)
    expected = {days[5]: ["failed"]} | {day: ["success"] for day in days[1:4]}
    assert watch(airflow) == expected
    assert {key: row.status for key, row in rows(world).items()} == {(day, 1): "published" for day in days[1:4]}
    assert watch(airflow) == expected, "nothing is triggered twice for the same coming"
    started = [run for run in airflow.runs(DAG) if run["dag_run_id"].startswith("watch__")]
    assert all(run["partition_date"] for run in started if "partition_date" in run) and len(started) == 3


def test_late_files_corrections_and_repetitions_are_taken(
    world: World, airflow: stack.Airflow, days: list[str]
) -> None:
    world.deliver(PARTNER, FEED, days[0])
    world.deliver(PARTNER, FEED, days[1], seed=8)
    outbox = (world.settings.home / "inbox" / PARTNER).rglob("*")
    again = [path for path in outbox if path.is_file() and days[2].replace("-", "") in str(path).replace("-", "")]
    assert again
    for path in again:
        os.utime(path, (time.time(), time.time()))
    states = watch(airflow)
    assert states == {days[5]: ["failed"], days[0]: ["success"], days[1]: ["success"] * 2, days[2]: ["success"] * 2,
                      days[3]: ["success"]}  # fmt: skip
    found = rows(world)
    assert found[days[0], 1].status == "published"
    assert (found[days[1], 1].status, found[days[1], 2].status) == ("corrected", "published")
    assert (found[days[2], 1].status, found[days[2], 1].repeats) == ("published", 1)
    assert (days[2], 2) not in found
    assert watch(airflow) == states


def test_a_paused_feed_ends_as_skipped_and_goes_on_later(world: World, airflow: stack.Airflow, days: list[str]) -> None:
    pause(ledger_of(world.settings), PARTNER, FEED, who="steward", because="a test")
    world.deliver(PARTNER, FEED, days[4])
    before = watch(airflow)
    assert days[4] not in before
    run = airflow.trigger(DAG, days[4])
    until(lambda: airflow.state(DAG, run) in ("success", "failed"))
    assert airflow.tasks(DAG, run)["wait"] == "skipped"
    assert (days[4], 1) not in rows(world)
    resume(ledger_of(world.settings), PARTNER, FEED, who="steward", because="a test")
    assert watch(airflow)[days[4]] == ["success", "success"]
    assert rows(world)[days[4], 1].status == "published"
    assert ledger_of(world.settings).verify() == []
