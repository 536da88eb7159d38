"""A ledger on each database, with a clock that ticks a second at each look."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count as counting
from pathlib import Path

import pytest

from acequia.keys import FileKeyStore
from acequia.ledger.book import Ledger, open_ledger
from acequia.ledger.database import open_database
from acequia.settings import Settings


def ticking(start: str = "2026-11-17T06:00:00") -> Callable[[], datetime]:
    first, seconds = datetime.fromisoformat(start).replace(tzinfo=UTC), counting()
    return lambda: first + timedelta(seconds=next(seconds))


@pytest.fixture(scope="session")
def made_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite ledger: making its tables takes longer than most tests."""
    settings = Settings.from_environment({"ACEQUIA_HOME": str(tmp_path_factory.mktemp("made"))})
    open_database(settings)
    return settings.home / "ledger.db"


@pytest.fixture
def settings(settings: Settings, made_tables: Path) -> Settings:
    settings.home.mkdir(parents=True, exist_ok=True)
    shutil.copy(made_tables, settings.home / "ledger.db")
    return settings


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, settings: Settings) -> str:
    return settings.database if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def placed(settings: Settings, database: str) -> Settings:
    """Settings with the ledger on each database in turn."""
    return replace(settings, database=database)


@pytest.fixture
def ledger(placed: Settings, keys: FileKeyStore) -> Iterator[Ledger]:
    yield open_ledger(placed, keys, ticking())


@pytest.fixture
def sqlite_ledger(settings: Settings, keys: FileKeyStore) -> Ledger:
    return open_ledger(settings, keys, ticking())
