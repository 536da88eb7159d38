"""The lake of a test, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acequia.agreement.load import Signed
from acequia.flow import Published
from acequia.publish.lake import Lake, open_lake
from acequia.settings import Settings
from tests.publish import cells

Publish = Callable[..., Published]


@pytest.fixture
def lake(settings: Settings) -> Iterator[Lake]:
    opened = open_lake(settings)
    yield opened
    opened.close()


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    return cells.signed(tmp_path / "agreements")


@pytest.fixture
def publish(lake: Lake, signed: Signed, tmp_path: Path) -> Publish:
    """`publish(period, rows)`, by default a day of four cells."""

    def one(period: str, rows: list[dict] | None = None, *, terms: Signed = signed, **how: object) -> Published:
        handed = cells.disclosed(tmp_path / "cells", period, cells.day(period) if rows is None else rows, **how)
        return lake.publish(handed, terms, cells.FEED)

    return one
