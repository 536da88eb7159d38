"""Real feeds: found beside the project or by ACEQUIA_TEST_SHARED; without them these tests say so and are skipped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from acequia.settings import Settings

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("ACEQUIA_TEST_SHARED", HERE.parents[2] / "shared")) / "data"


def folder(name: str) -> Path:
    """A folder of real data, or a skip that says what is missing."""
    found = SHARED / name
    if not found.is_dir():
        pytest.skip(f"the real data set {name} is absent (docs/real-data.md says where it comes from)")
    return found


@pytest.fixture(scope="session")
def retail_files() -> Path:
    return folder("retail_uci_online/by-day")


@pytest.fixture(scope="session")
def taxi_files() -> Path:
    return folder("trips_nyc_tlc_yellow")


@pytest.fixture(scope="session")
def real_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of tests/real/config, with the reference table prepared as the documentation says."""
    root = tmp_path_factory.mktemp("real")
    shutil.copytree(HERE / "config", root / "config")
    zones = SHARED / "trips_nyc_tlc_yellow" / "taxi-zone-lookup.csv"
    if zones.exists():
        text = zones.read_bytes().decode().replace("\r\n", "\n").replace("\r", "\n")
        (root / "config" / "reference" / "taxi_zones.csv").write_text(text, encoding="utf-8")
    return Settings.from_environment({"ACEQUIA_HOME": str(root / "home"), "ACEQUIA_CONFIG": str(root / "config")})
