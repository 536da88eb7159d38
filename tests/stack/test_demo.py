"""`acequia demo` as a user runs it: a real Airflow, real servers; then the same again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from acequia.agreement.load import find
from acequia.demo.plan import SEED, plan
from acequia.opening import lake_of, ledger_of
from acequia.settings import Settings
from acequia.simulate.feeds import planted
from tests.pipeline.test_privacy import leaks

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
PROJECT = Path(__file__).resolve().parents[2]
ROWS = 2000


@dataclass(frozen=True)
class Ran:
    """One run of the demonstration. `entries` leaves out notices, and bytes that came again."""

    exit_code: int
    output: str
    seconds: float
    entries: int
    snapshots: dict[str, int]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("demo") / "home"
    return Settings.from_environment({"ACEQUIA_HOME": str(home), "ACEQUIA_CONFIG": str(PROJECT / "config")})


@pytest.fixture(scope="module")
def runs(settings: Settings) -> list[Ran]:
    return [demonstrate(settings), demonstrate(settings)]


def demonstrate(settings: Settings) -> Ran:
    began = time.monotonic()
    env = {**os.environ, "ACEQUIA_HOME": str(settings.home), "ACEQUIA_CONFIG": str(settings.config)}
    command = [sys.executable, "-m", "acequia", "demo", "--rows", str(ROWS)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=600)
    seconds = time.monotonic() - began
    lake = lake_of(settings)
    snapshots = {info.name: len(lake.history(info.name)) for info in lake.tables()}
    ledger = ledger_of(settings)
    beside = len(ledger.notes("notice")) + sum(row.repeats for row in ledger.deliveries())
    return Ran(done.returncode, done.stdout + done.stderr, seconds, ledger.length() - beside, snapshots)


def test_it_ends_well_and_tells_what_became_of_each_delivery(runs: list[Ran]) -> None:
    first = runs[0]
    assert first.exit_code == 0, first.output
    for word in ("[19/19]", "refused, as planned", "corrected file", "rows set aside", "What to open next"):
        assert word in first.output, first.output
    for delivery in plan(ROWS):
        assert delivery.period.label in first.output


def test_the_ledger_says_the_same(runs: list[Ran], settings: Settings) -> None:
    statuses = [row.status for row in ledger_of(settings).deliveries()]
    assert (statuses.count("published"), statuses.count("refused"), statuses.count("corrected")) == (17, 1, 1)
    assert ledger_of(settings).verify() == []


def test_a_second_run_is_faster_and_publishes_nothing_new(runs: list[Ran]) -> None:
    first, second = runs
    assert second.exit_code == 0, second.output
    assert second.snapshots == first.snapshots
    assert second.entries == first.entries
    assert second.seconds < first.seconds


def test_consumers_wait_for_all_partners_of_a_day(runs: list[Ran]) -> None:
    assert "the example consumer ran for 6 days" in runs[0].output


def test_no_process_is_left(runs: list[Ran], settings: Settings) -> None:
    mark = f"ACEQUIA_HOME={settings.home}".encode()
    assert [pid for pid, environ in environments() if mark in environ.split(b"\0")] == []


def environments() -> Iterator[tuple[str, bytes]]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield process.name, (process / "environ").read_bytes()
        except OSError:
            continue


def test_no_planted_person_is_anywhere_but_in_encrypted_landing(runs: list[Ran], settings: Settings) -> None:
    """Airflow's database and logs, Data Docs, lineage, receipts, workspace and lake: every byte is searched."""
    people = []
    for delivery in plan(ROWS):
        assert find(settings.partners, delivery.partner)
        people += planted(SEED, delivery.partner, delivery.feed, delivery.period)
    assert len(people) > 50
    assert (settings.home / "airflow" / "airflow.db").stat().st_size > 100_000
    assert leaks(settings.home, people, skip=("landing",)) == []
