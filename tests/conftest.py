"""Fixtures that every room uses: a home of its own, keys, settings. Servers stand in tests/servers.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from acequia.keys import FileKeyStore
from acequia.settings import Settings

pytest_plugins = ["tests.servers"]

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def keys(home: Path) -> FileKeyStore:
    return FileKeyStore(home / "keys")


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings.from_environment({"ACEQUIA_HOME": str(home), "ACEQUIA_CONFIG": str(PROJECT / "config")})
