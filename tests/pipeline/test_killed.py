"""`kill -9` at any moment, then a second run: lake and ledger end as if nothing had happened, and nobody is left."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acequia.flow import DeliveryId
from acequia.opening import lake_of, ledger_of
from tests.pipeline.world import DAY, World
from tests.planted.planting import EVERYWHERE, searched

MOMENTS = 6


def start(world: World) -> subprocess.Popen[bytes]:
    env = {**os.environ, "ACEQUIA_HOME": str(world.settings.home), "ACEQUIA_CONFIG": str(world.settings.config)}
    command = [sys.executable, "-m", "acequia", "run", "ceibo_pay", "transactions", DAY, "--quiet"]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def end_state(world: World) -> tuple[dict[str, str], dict[str, list[dict[str, object]]], list[tuple[str, str]]]:
    """Statuses, the tables' rows, and the ledger's entries without their time and hashes."""
    lake, book = lake_of(world.settings), ledger_of(world.settings)
    rows = {info.name: lake.read(info.name).to_pylist() for info in lake.tables()}
    entries = [
        (name, entry.kind) for name in sorted(world.statuses()) for entry in book.history(DeliveryId.parse(name))
    ]
    assert book.verify() == []
    return world.statuses(), rows, entries


@pytest.mark.stack
@pytest.mark.timeout(900)
def test_kill_nine_at_random_moments(world: World, tmp_path: Path) -> None:
    people = world.deliver("ceibo_pay", "transactions", DAY, hide=EVERYWHERE).planted
    began = time.monotonic()
    assert start(world).wait(120) == 0
    whole_s = time.monotonic() - began
    undisturbed = end_state(world)
    kept = {"inbox": world.settings.home / "inbox", "keys": world.settings.home / "keys"}
    for name, path in kept.items():
        shutil.copytree(path, tmp_path / "kept" / name)
    moments = random.Random(46)
    for _ in range(MOMENTS):
        shutil.rmtree(world.settings.home)
        for name in kept:
            shutil.copytree(tmp_path / "kept" / name, world.settings.home / name)
        process = start(world)
        time.sleep(moments.uniform(0.3, 1.0) * whole_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = searched(world, people, inside=False)
        assert [hit for hit in found if not hit[0].startswith("workspace/.plain/")] == []
        finished = start(world)
        assert finished.wait(120) == 0, finished.stderr and finished.stderr.read().decode()
        assert end_state(world) == undisturbed
        plain = world.settings.workspace / ".plain"
        assert not plain.exists() or not any(plain.iterdir())
        assert searched(world, people, inside=False) == []
