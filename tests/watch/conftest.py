"""The fixture of a whole installation, with a clock that stands on 12 November 2026."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acequia.opening import ledger_of
from acequia.receive.connections import resolver
from acequia.watch.round import Watch
from tests.pipeline.world import World, make_world

NOW = datetime(2026, 11, 12, 12, tzinfo=UTC)
PARTNER, FEED, DAY = "ceibo_pay", "transactions", "2026-11-10"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    for path in made.settings.partners.glob("*.yaml"):
        if path.stem != PARTNER:
            path.unlink()
    return made


@pytest.fixture
def watch(world: World) -> Watch:
    ledger = replace(ledger_of(world.settings), clock=lambda: NOW)
    return Watch(world.settings, ledger, resolver(world.settings))
