"""Damaged at random, a file is opened or refused: no crash, no hang, no other error, and never more rows than bytes."""

from __future__ import annotations

import os
import signal
import tempfile
import traceback
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.engine.duck import connect
from acequia.errors import CODES, REFUSED, AcequiaError
from acequia.period import Period
from acequia.protect.rules import compiled
from acequia.protect.staging import stage_files
from tests.malformed import crooked
from tests.malformed.mutation import mutated, sound

BATCH, DEADLINE = 25, 200
SEEDS = st.integers(0, 2**32)


def judged(agreement: Path, form: str, seed: int, folder: Path) -> str:
    """Open, read and judge one damaged file, as the gate does; returns what is wrong with how it went."""
    path = folder / "file-1"
    path.write_bytes(mutated(sound(form, seed), seed, parquet=form == "parquet"))
    feed = crooked.feed(agreement, form)
    with closing(connect("500MB", folder)) as connection:
        judge = compiled(feed, Period.parse(crooked.PERIOD), connection)
        try:
            staged = stage_files(connection, [path], feed, judge, folder)
            connection.execute(f"SELECT * FROM {staged.relation}").fetchall()
        except AcequiaError as error:
            return "" if CODES[error.code].exit_code == REFUSED else f"seed {seed}: {error}"
    return "" if staged.rows <= max(1000, path.stat().st_size) else f"seed {seed}: {staged.rows} rows"


def batch(agreement: Path, form: str, seeds: list[int]) -> None:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(DEADLINE)
        said = ""
        with tempfile.TemporaryDirectory() as folder:
            for seed in seeds:
                try:
                    said = said or judged(agreement, form, seed, Path(folder))
                except BaseException:
                    said = f"seed {seed}: {traceback.format_exc()}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    assert not said, said
    assert os.waitpid(child, 0)[1] == 0, f"one of the seeds {seeds} ended the process"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seeds=st.lists(SEEDS, min_size=BATCH, max_size=BATCH))
def test_damaged_files(agreement: Path, form: str, seeds: list[int]) -> None:
    batch(agreement, form, seeds)


@pytest.mark.stack
@pytest.mark.parametrize(("form", "size"), [("csv", 400), ("jsonl", 400), ("parquet", 400), ("xlsx", 10)])
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(seeds=st.data())
def test_many_damaged_files(agreement: Path, form: str, size: int, seeds: st.DataObject) -> None:
    batch(agreement, form, seeds.draw(st.lists(SEEDS, min_size=size, max_size=size)))
