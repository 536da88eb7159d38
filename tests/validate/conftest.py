"""Fixtures of the room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.validate.judging import Deliveries


@pytest.fixture
def deliveries(home: Path, tmp_path: Path) -> Deliveries:
    return Deliveries(home, tmp_path / "expectations" / "pula_mobile" / "events")


@pytest.fixture
def write_check(deliveries: Deliveries) -> Callable[[str, str], None]:
    def write(name: str, text: str) -> None:
        deliveries.expectations.mkdir(parents=True, exist_ok=True)
        (deliveries.expectations / name).write_text(text, encoding="utf-8")

    return write
