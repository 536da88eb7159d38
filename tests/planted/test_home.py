"""The whole home is searched for everybody planted, after runs that succeed, are refused, crash, and are killed.

What is planted: structured columns, hidden writings in free text, and names of files. Nothing of it may stand anywhere
below ACEQUIA_HOME but in encrypted landing and in the partner's own inbox. Who comes through in the free text of
protected rows is counted by test_hidden_people.py, and left out here.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acequia import pipeline
from acequia.errors import AcequiaError
from acequia.opening import ledger_of
from acequia.simulate.leaks import leaked
from acequia.simulate.people import Person
from acequia.upkeep import keep
from tests.pipeline.test_privacy import leaks
from tests.pipeline.world import DAY, PROJECT, World
from tests.planted.planting import EVERYWHERE, ROWS, searched

FEED = ("pula_mobile", "events", DAY)


def planted(world: World, **more: Any) -> tuple[Person, ...]:
    return world.deliver(*FEED, rows=ROWS, hide=EVERYWHERE, **more).planted


def test_after_a_run_that_succeeds(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    people = planted(world)
    assert world.run(*FEED).published
    assert searched(world, people, skip=("landing",)), "the search finds who is in the inbox"
    assert searched(world, people, inside=False) == []
    assert leaked(caplog.text.encode(), people) == []


@pytest.mark.parametrize("bad", ["out_of_range", "truncated", "wrong_checksum", "column_unlisted", "file_unlisted"])
def test_after_a_run_that_is_refused(world: World, bad: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    people = planted(world, bad=bad)
    with pytest.raises(AcequiaError) as stopped:
        world.run(*FEED)
    assert searched(world, people, inside=False) == []
    assert leaked((caplog.text + str(stopped.value)).encode(), people) == []


CRASHES = (
    ("acequia.receive.arrive", "_landed"),
    ("acequia.protect.gate", "set_aside"),
    ("acequia.protect.gate", "write_protected"),
    ("acequia.protect.gate", "_move"),
    ("acequia.pipeline", "validate_room"),
    ("acequia.pipeline", "aggregate_room"),
    ("acequia.comparisons", "disclose"),
)


@pytest.mark.parametrize(("module", "function"), CRASHES, ids=[f"{m}.{f}" for m, f in CRASHES])
def test_after_a_run_that_crashes(
    world: World, module: str, function: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    people = planted(world)

    def crashing(*_: Any, **__: Any) -> None:
        raise RuntimeError("the step broke off")

    monkeypatch.setattr(f"{module}.{function}", crashing)
    with pytest.raises((RuntimeError, AcequiaError)):
        world.run(*FEED)
    assert searched(world, people, inside=False) == []
    assert leaked(caplog.text.encode(), people) == []
    assert left_in_scratch(world) == []
    monkeypatch.undo()
    assert world.run(*FEED).published
    assert searched(world, people, inside=False) == []


KILL = """
import os, importlib
module, name = "{module}", "{function}"
owner = importlib.import_module(module)
real = getattr(owner, name)
def dying(*given, **named):
    {before}
    os.kill(os.getpid(), 9)
setattr(owner, name, dying)
from acequia.cli import main
import sys
sys.argv = ["acequia", "run", "{partner}", "{feed}", "{period}", "--quiet"]
main()
"""
# Where it is killed, whether what is called there is done first, and whether plain bytes are then left in scratch.
KILLS = (
    ("acequia.protect.gate", "stage_files", True, True),
    ("acequia.protect.gate", "write_protected", True, True),
    ("acequia.pipeline", "validate_room", False, False),
    ("acequia.pipeline", "aggregate_room", True, False),
)


def killed(world: World, module: str, function: str, done: bool) -> None:
    partner, feed, period = FEED
    code = KILL.format(module=module, function=function, partner=partner, feed=feed, period=period,
                       before="real(*given, **named)" if done else "pass")  # fmt: skip
    env = {**os.environ, "ACEQUIA_HOME": str(world.settings.home), "ACEQUIA_CONFIG": str(world.settings.config)}
    ended = subprocess.run([sys.executable, "-c", code], env=env, cwd=PROJECT, capture_output=True, check=False)
    assert ended.returncode == -9, ended.stderr.decode()


def left_in_scratch(world: World) -> list[Path]:
    plain = world.settings.workspace / ".plain"
    return [path for path in plain.rglob("*") if path.is_file()] if plain.exists() else []


def housekeep(world: World) -> None:
    assert [deed for deed in keep(world.settings) if deed.deed == "plain leftovers removed" and deed.amount]


def run_again(world: World) -> None:
    assert world.run(*FEED).published


@pytest.mark.stack
@pytest.mark.parametrize(("module", "function", "done", "leaves"), KILLS, ids=[f"{m}.{f}" for m, f, *_ in KILLS])
@pytest.mark.parametrize("after", [housekeep, run_again])
def test_after_a_run_that_is_killed(
    world: World, module: str, function: str, done: bool, leaves: bool, after: Callable[[World], None]
) -> None:
    people = planted(world)
    killed(world, module, function, done)
    plain = left_in_scratch(world)
    if leaves:
        assert leaks(world.settings.workspace / ".plain", people, skip=("nothing",)), "a kill in the gate leaves traces"
    everything = searched(world, people, inside=False)
    assert [hit for hit in everything if not hit[0].startswith("workspace/.plain/")] == []
    if plain or after is run_again:
        after(world)
    assert left_in_scratch(world) == []
    assert searched(world, people, inside=False) == []
    assert ledger_of(world.settings).verify() == []


def test_what_the_engine_swaps_out_lies_in_scratch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every DuckDB that sees rows has its temporary files below the workspace; none is a file of its own."""
    import duckdb

    opened: list[tuple[Any, dict[str, Any]]] = []
    real = duckdb.connect

    def watched(database: Any = ":memory:", *given: Any, **named: Any) -> Any:
        opened.append((database, dict(named.get("config") or {})))
        return real(database, *given, **named)

    monkeypatch.setattr(duckdb, "connect", watched)
    planted(world)
    assert world.run(*FEED).published
    assert {database for database, _ in opened} == {":memory:"}
    # One thread is what asks about the text of agreements, and about tables without rows.
    with_rows = [config for _, config in opened if str(config.get("threads")) != "1"]
    spilling = [Path(config["temp_directory"]) for config in with_rows]
    assert spilling and all(path.is_relative_to(world.settings.workspace) for path in spilling)
    assert not [path for path in spilling if path.exists()]


def test_repeated_steps_say_nothing_of_anyone(world: World) -> None:
    people = planted(world)
    said: list[str] = []
    from acequia.opening import open_work

    for _ in range(2):
        pipeline.run(open_work(world.settings, *FEED, say=said.append))
    assert said and leaked("\n".join(said).encode(), people) == []
