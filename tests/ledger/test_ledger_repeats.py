"""Killed anywhere, run by many at once, told anything twice: the ledger ends the same."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.flow import DeliveryId
from acequia.keys import FileKeyStore
from acequia.ledger import book, chain, head, receipts, signing
from acequia.ledger.book import Ledger, open_ledger
from acequia.settings import Settings
from tests.ledger.deeds import ONE, TWO, count, publish, refuse, register, run_through

FORK = multiprocessing.get_context("fork")


def fixed() -> datetime:
    return datetime(2026, 11, 17, 6, tzinfo=UTC)


def everything(ledger: Ledger) -> tuple[Any, ...]:
    """All that a ledger holds, to the byte."""
    with ledger.engine.connect() as connection:
        entries = list(chain.everything(connection))
    files = {
        str(path.relative_to(ledger.home)): path.read_bytes()
        for part in ("receipts", "ledger")
        for path in sorted((ledger.home / part).rglob("*.jws"))
    }
    return entries, ledger.deliveries(), files


def story(ledger: Ledger) -> None:
    """A delivery that is published and corrected, one that is refused and then passes, and what housekeeping does.

    As pipeline and housekeeping tell it: they look first, so that it can be told again from any point.
    """
    if not any(row.version == 2 for row in ledger.deliveries()):
        run_through(ledger, "A")
    run_through(ledger, "B")
    refused = register(ledger, "A", "2026-11-17")
    if ledger.state(refused).status == "received":
        refuse(ledger, refused)
    ledger.receipt("refused", refused)
    ledger.accept(refused, count=count(), made_by=TWO)
    publish(ledger, refused)
    publish(ledger, refused, "2026-11", table="monthly")
    ledger.finish(refused)
    ledger.receipt("published", refused)
    first = refused.model_copy(update={"period": "2026-11-16"})
    ledger.raw_deleted(first, files=1)
    ledger.receipt("raw_deleted", first)


def _dying(name: str, call: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        for when in ("before", "after"):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            if when == "before":
                answer = call(*args, **kwargs)
        return answer

    return wrapped


def _live_until(settings_: Settings, point: int) -> None:
    """Run the story in a process that kills itself at the n-th point where something is, or was just, written."""
    left = [point]
    for module, name in (
        (chain, "append"),
        (book, "_store"),
        (head, "show"),
        (signing, "write_whole"),
        (receipts, "write_whole"),
        (head, "write_whole"),
    ):
        setattr(module, name, _dying(name, getattr(module, name), left))
    Path.replace = _dying("replace", Path.replace, left)  # type: ignore[method-assign]
    story(open_ledger(settings_, FileKeyStore(settings_.home / "keys"), fixed))


def _exit_code(target: Callable[..., None], *args: object, kill_after: float | None = None) -> int:
    process = FORK.Process(target=target, args=args)
    process.start()
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


@pytest.fixture
def undisturbed(settings: Settings, keys: FileKeyStore, tmp_path: Path) -> tuple[Any, ...]:
    """The end state of a run that nothing disturbed, with the same keys."""
    ledger = open_ledger(Settings.from_environment({"ACEQUIA_HOME": str(tmp_path / "calm")}), keys, fixed)
    story(ledger)
    assert ledger.verify() == []
    return everything(ledger)


def test_the_story_told_again_is_the_same_story(ledger: Ledger, undisturbed: tuple[Any, ...]) -> None:
    calm = Ledger(ledger.engine, ledger.home, ledger.keys, fixed)
    story(calm)
    for _ in range(2):
        assert everything(calm) == undisturbed
        story(calm)


def test_killed_at_every_point_it_ends_as_if_undisturbed(
    placed: Settings, keys: FileKeyStore, undisturbed: tuple[Any, ...], request: pytest.FixtureRequest
) -> None:
    keys.secret("receipts")
    step = 29 if placed.database.startswith("sqlite") else 120
    killed = 0
    for point in range(1, 1000, step):
        one = _elsewhere(placed, keys, point, request)
        if _exit_code(_live_until, one, point) == 0:
            break
        killed += 1
        ledger = open_ledger(one, FileKeyStore(one.home / "keys"), fixed)
        assert ledger.verify() == [], point
        story(ledger)
        assert everything(ledger) == undisturbed, point
    assert killed * step > 150


def _elsewhere(placed: Settings, keys: FileKeyStore, point: int, request: pytest.FixtureRequest) -> Settings:
    """A new home with the same keys, and an empty database of the same kind."""
    home = placed.home.with_name(f"home{point}")
    (home / "keys").mkdir(parents=True)
    (home / "keys/receipts.key").write_text(keys.secret("receipts").hex())
    if placed.database.startswith("sqlite"):
        shutil.copy(placed.home / "ledger.db", home / "ledger.db")
        return replace(placed, home=home, database=f"sqlite:///{home / 'ledger.db'}")
    server = request.getfixturevalue("postgres_server")
    return replace(placed, home=home, database=server.database(f"killed_{os.getpid()}_{point}"))


def _tell(settings_: Settings) -> None:
    for _ in range(40):
        story(open_ledger(settings_, FileKeyStore(settings_.home / "keys"), fixed))


def test_killed_at_random_moments_it_ends_as_if_undisturbed(
    placed: Settings, keys: FileKeyStore, undisturbed: tuple[Any, ...]
) -> None:
    keys.secret("receipts")
    moments = random.Random(20261122)
    for _ in range(8):
        assert _exit_code(_tell, placed, kill_after=moments.uniform(0.0, 0.5)) in (-signal.SIGKILL, 0)
    ledger = open_ledger(placed, keys, fixed)
    assert ledger.verify() == []
    story(ledger)
    assert everything(ledger) == undisturbed


def _register_all(settings_: Settings, barrier: Any, put: Callable[[Any], None], own: int) -> None:
    ledger = open_ledger(settings_, FileKeyStore(settings_.home / "keys"))
    barrier.wait()
    same = [register(ledger, "same", f"2026-11-{day:02d}").version for day in range(1, 6)]
    put((same, register(ledger, f"own {own}", "2026-12-01").version))


def test_processes_that_register_at_once_give_each_content_one_version(placed: Settings, keys: FileKeyStore) -> None:
    keys.secret("receipts")
    barrier, answers = FORK.Barrier(5), FORK.SimpleQueue()
    started = [FORK.Process(target=_register_all, args=(placed, barrier, answers.put, n)) for n in range(5)]
    for process in started:
        process.start()
    told = [answers.get() for _ in started]
    for process in started:
        process.join(60)
        assert process.exitcode == 0
    assert [same for same, _ in told] == [[1] * 5] * 5
    assert sorted(own for _, own in told) == [1, 2, 3, 4, 5]
    ledger = open_ledger(placed, keys)
    assert ledger.length() == 10
    assert ledger.verify() == []


def test_what_is_recorded_while_it_is_verified_does_no_harm(placed: Settings, keys: FileKeyStore) -> None:
    ledger = open_ledger(placed, keys, fixed)
    writer = FORK.Process(target=_tell, args=(placed,))
    writer.start()
    while ledger.length() < 2:
        time.sleep(0.01)
    for _ in range(6):
        assert ledger.verify() == []
    writer.kill()
    writer.join()
    assert ledger.verify() == []


def _run_all(settings_: Settings, barrier: Any) -> None:
    ledger = open_ledger(settings_, FileKeyStore(settings_.home / "keys"), fixed)
    barrier.wait()
    for day in range(1, 4):
        run_through(ledger, "same", f"2026-11-{day:02d}")


def test_processes_that_run_the_same_deliveries_record_each_fact_once(placed: Settings, keys: FileKeyStore) -> None:
    keys.secret("receipts")
    barrier = FORK.Barrier(4)
    started = [FORK.Process(target=_run_all, args=(placed, barrier)) for _ in range(4)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
        assert process.exitcode == 0
    ledger = open_ledger(placed, keys)
    assert ledger.length() == 3 * 4
    assert {row.status for row in ledger.deliveries()} == {"published"}
    assert ledger.verify() == []


def ids(ledger: Ledger) -> list[DeliveryId]:
    return [DeliveryId(partner=r.partner, feed=r.feed, period=r.period, version=r.version) for r in ledger.deliveries()]


DEEDS: dict[str, Callable[[Ledger], object]] = {
    "register A": lambda ledger: register(ledger, "A"),
    "accept 1": lambda ledger: ledger.accept(register(ledger, "A"), count=count(), made_by=ONE),
    "accept 2": lambda ledger: ledger.accept(register(ledger, "A"), count=count(), made_by=TWO),
    "refuse 1": lambda ledger: refuse(ledger, register(ledger, "A"), made_by=ONE),
    "refuse 2": lambda ledger: refuse(ledger, register(ledger, "A"), made_by=TWO, code="rows_invalid"),
    "publish": lambda ledger: publish(ledger, register(ledger, "A")),
    "publish month": lambda ledger: publish(ledger, register(ledger, "A"), "2026-11", table="monthly"),
    "finish": lambda ledger: ledger.finish(register(ledger, "A")),
    "delete raw": lambda ledger: [ledger.raw_deleted(part, files=1) for part in ids(ledger)],
    "delete protected": lambda ledger: [ledger.protected_deleted(part, files=1) for part in ids(ledger)],
    "receipt": lambda ledger: [ledger.receipt("received", part) for part in ids(ledger)],
}


@settings(max_examples=8, deadline=None)
@given(deeds=st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(min_value=1, max_value=3)), max_size=10))
def test_any_sequence_of_deeds_each_repeated_ends_like_each_once(
    tmp_path_factory: pytest.TempPathFactory, made_tables: Path, deeds: list[tuple[str, int]]
) -> None:
    ends = []
    for repeats in (False, True):
        home = tmp_path_factory.mktemp("told")
        (home / "keys").mkdir()
        (home / "keys/receipts.key").write_text("5e" * 32)
        shutil.copy(made_tables, home / "ledger.db")
        ledger = open_ledger(Settings.from_environment({"ACEQUIA_HOME": str(home)}), FileKeyStore(home / "keys"), fixed)
        for name, times in deeds:
            for _ in range(times if repeats else 1):
                DEEDS[name](ledger)
        assert ledger.verify() == []
        ends.append(everything(ledger))
    assert ends[0] == ends[1]
