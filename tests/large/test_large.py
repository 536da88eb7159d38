"""A delivery of 2 GB goes through receive, protect and validate in bounded memory: docs/operations.md has the bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.large.measure import make, measure

GIB = 2**30
LIMIT, RSS_AT_MOST = "1GB", 2 * GIB


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    rows = make(tmp_path / "inbox", GIB // 16)
    found = measure(tmp_path / "inbox", tmp_path / "work", "400MB")
    assert found.passed and found.rows_in == found.rows_out == rows
    assert found.rss < GIB, f"{found.rss:,} bytes"


@pytest.mark.stack
@pytest.mark.timeout(1800)
def test_two_gigabytes_stay_below_the_stated_bound(tmp_path: Path) -> None:
    rows = make(tmp_path / "inbox", 2 * GIB)
    found = measure(tmp_path / "inbox", tmp_path / "work", LIMIT)
    assert found.passed and found.rows_in == found.rows_out == rows
    assert found.rss < RSS_AT_MOST, f"{found.rss:,} bytes"
    assert found.scratch < 8 * GIB, f"{found.scratch:,} bytes"
