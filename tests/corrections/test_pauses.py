"""Paused is paused, at once and for whoever runs; nothing that arrives meanwhile is lost."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from acequia import pauses, pipeline
from acequia.errors import AcequiaError
from acequia.opening import lake_of, ledger_of, open_work
from acequia.upkeep import keep
from tests.pipeline.world import DAY, World

PARTNER, FEED = "ceibo_pay", "transactions"


def command(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ACEQUIA_HOME": str(world.settings.home), "ACEQUIA_CONFIG": str(world.settings.config)}
    return subprocess.run(
        [sys.executable, "-m", "acequia", *words], env=env, capture_output=True, text=True, timeout=120
    )


def test_a_pause_from_another_process_stops_a_run_between_two_tables(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    work = open_work(world.settings, PARTNER, FEED, DAY)
    delivery = pipeline.receive(work)
    pipeline.protect(work, delivery)
    pipeline.validate(work, delivery)
    cells = pipeline.aggregate(work, delivery)
    assert len(cells) > 1
    told: list[str] = []

    def say(text: str) -> None:
        if not told:
            assert (
                command(world, "pause", PARTNER, FEED, "--because", "a call").stdout == f"{PARTNER}.{FEED} is paused.\n"
            )
        told.append(text)

    with pytest.raises(AcequiaError) as error:
        pipeline.publish(open_work(world.settings, PARTNER, FEED, DAY, say=say), delivery, cells)
    assert (error.value.code, error.value.exit_code) == ("feed_paused", 3)
    assert len(lake_of(world.settings).tables()) == len(told) == 1
    ran = command(world, "run", PARTNER, FEED, DAY)
    assert ran.returncode == 3 and "feed_paused" in ran.stderr
    assert ledger_of(world.settings).arrivals(PARTNER, FEED, DAY) == frozenset()  # so that a watch takes it up again
    keep(world.settings)
    assert len(lake_of(world.settings).tables()) == 1
    assert command(world, "resume", PARTNER, FEED, "--because", "done").stdout == f"{PARTNER}.{FEED} goes on.\n"
    assert not world.run(PARTNER, FEED, DAY).repeated
    assert len(lake_of(world.settings).tables()) == len(cells)
    assert ledger_of(world.settings).arrivals(PARTNER, FEED, DAY)
    assert ledger_of(world.settings).verify() == []


@pytest.mark.parametrize("step", ["receive", "protect", "validate", "aggregate", "publish"])
def test_every_step_stops(world: World, step: str) -> None:
    world.deliver(PARTNER, FEED, DAY)
    work = open_work(world.settings, PARTNER, FEED, DAY)
    steps = {
        "receive": lambda: pipeline.receive(work),
        "protect": lambda: pipeline.protect(work, delivery),
        "validate": lambda: pipeline.validate(work, delivery),
        "aggregate": lambda: pipeline.aggregate(work, delivery),
        "publish": lambda: pipeline.publish(work, delivery, ()),
    }
    if step != "receive":
        delivery = pipeline.receive(work)
    pauses.pause(work.ledger, PARTNER, who="me", because="all of it")
    with pytest.raises(AcequiaError) as error:
        steps[step]()
    assert error.value.code == "feed_paused"
    pauses.resume(work.ledger, PARTNER, who="me", because="go on")
    assert world.run(PARTNER, FEED, DAY).published


def test_partner_and_feed_are_paused_by_themselves(world: World) -> None:
    ledger = ledger_of(world.settings)
    assert pauses.pause(ledger, PARTNER, FEED, who="me", because="one")
    assert not pauses.pause(ledger, PARTNER, FEED, who="you", because="twice")
    assert pauses.pause(ledger, PARTNER, who="me", because="two")
    assert pauses.resume(ledger, PARTNER, who="me", because="three")
    assert not pauses.resume(ledger, PARTNER, who="me", because="four")
    (left,) = pauses.pauses(ledger)
    assert (left.feed, left.because) == (FEED, "one")
    assert pauses.paused(ledger, PARTNER, "another") is None
    said = command(world, "resume", PARTNER, "--because", "x").stdout.splitlines()
    assert said[0] == f"{PARTNER} was not paused." and said[1].startswith(f"still paused: {PARTNER}.{FEED}, since ")
    assert pauses.resume(ledger, PARTNER, FEED, who="me", because="five")
    assert pauses.pause(ledger, PARTNER, FEED, who="me", because="once more")
    assert pauses.paused(ledger, PARTNER, FEED).because == "once more"  # type: ignore[union-attr]
    assert command(world, "pause", "nobody", "--because", "x").returncode == 2
    assert command(world, "pause", PARTNER, "nothing", "--because", "x").returncode == 2
    assert ledger.verify() == []


def test_a_withdrawal_is_done_in_a_pause_too(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    command(world, "pause", PARTNER, "--because", "a call")
    done = command(world, "withdraw", PARTNER, FEED, DAY, "--because", "case 7", "--yes")
    assert done.returncode == 0 and "taken_out" in done.stdout, done.stderr
    assert not any(info.rows for info in lake_of(world.settings).tables())
    assert {entry.said["who"] for entry in ledger_of(world.settings).notes("paused")} != {""}
