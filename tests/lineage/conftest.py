"""Tables that are made already: making them takes longer than most tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acequia.ledger.database import open_database
from acequia.settings import Settings


@pytest.fixture(scope="session")
def made_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings.from_environment({"ACEQUIA_HOME": str(tmp_path_factory.mktemp("made"))})
    open_database(settings)
    return settings.home / "ledger.db"


@pytest.fixture
def settings(settings: Settings, made_tables: Path) -> Settings:
    settings.home.mkdir(parents=True, exist_ok=True)
    shutil.copy(made_tables, settings.home / "ledger.db")
    return settings
