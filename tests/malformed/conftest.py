"""Where crooked deliveries are judged: an agreement, and a child process with a deadline for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.malformed import crooked


@pytest.fixture(scope="session")
def agreement(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crooked.config(tmp_path_factory.mktemp("crooked"))
