"""A file is read in a process of its own: its answer, its refusal, its death, its hunger."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from acequia.errors import AcequiaError
from acequia.receive.formats.apart import apart
from acequia.receive.formats.unpack import RATIO_FREE, unpacked_at_most


def dies() -> None:
    os.abort()


def eats() -> int:
    return len([bytearray(50_000_000) for _ in range(200)])


def sleeps() -> None:
    time.sleep(60)


def refuses() -> None:
    raise AcequiaError("file_empty", "nothing is in it")


def test_the_answer_comes_back(tmp_path: Path) -> None:
    assert apart(unpacked_at_most, 1, 2**40, scratch=tmp_path, seconds=60) == RATIO_FREE
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_comes_back(tmp_path: Path) -> None:
    with pytest.raises(AcequiaError, match="nothing is in it") as refused:
        apart(refuses, scratch=tmp_path, seconds=60)
    assert refused.value.code == "file_empty"


@pytest.mark.parametrize(("work", "seconds"), [(dies, 60), (eats, 60), (sleeps, 3)])
def test_whatever_happens_there_is_a_refusal_here(tmp_path: Path, work: object, seconds: int) -> None:
    with pytest.raises(AcequiaError, match="memory and time") as refused:
        apart(work, scratch=tmp_path, seconds=seconds, bytes_at_most=2**30)  # type: ignore[arg-type]
    assert refused.value.code == "file_unreadable"
    assert list(tmp_path.iterdir()) == []
