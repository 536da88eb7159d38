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
@pytest.mark.parametrize(("files", "packed"), [(1, False), (4, True)], ids=["one CSV", "four CSV.gz"])
def test_two_gigabytes_stay_below_the_stated_bound(tmp_path: Path, files: int, packed: bool) -> None:
    rows = make(tmp_path / "inbox", 2 * GIB, files=files, packed=packed)
    found = measure(tmp_path / "inbox", tmp_path / "work", LIMIT, packed=packed)
    assert found.passed and found.rows_in == found.rows_out == rows
    assert found.rss < RSS_AT_MOST, f"{found.rss:,} bytes"
    assert found.scratch < 10 * GIB, f"{found.scratch:,} bytes"
