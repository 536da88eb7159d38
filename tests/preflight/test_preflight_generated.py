"""Generated deliveries, sound and unsound rows mixed: preflight and the server say the same of each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.malformed import crooked
from tests.malformed.mutation import mutated, sound
from tests.pipeline.world import World
from tests.preflight.served import by_preflight, by_server

ODD = (
    "",
    " ",
    "x",
    "-1",
    "1e3",
    "1e400",
    "2026-02-31",
    "2026-11-10T10:00:00+02:00",
    "TRUE",
    "=1",
    "12,5",
    "ñ",
    "NaN",
    '"',
)
PLACES = {name: place for place, name in enumerate(crooked.NAMES)}
MISSING = st.lists(st.sampled_from(crooked.NAMES), max_size=1)
WRONG = st.tuples(st.integers(0, 59), st.sampled_from(crooked.NAMES), st.sampled_from(ODD))


def installed(folder: Path) -> World:
    from acequia.settings import Settings

    crooked.config(folder)
    given = {"ACEQUIA_HOME": str(folder / "home"), "ACEQUIA_CONFIG": str(folder / "config")}
    return World(Settings.from_environment(given), folder / "outbox")


def agree(folder: Path, form: str, name: str, data: bytes) -> str | None:
    """The code that both give."""
    shutil.rmtree(folder, ignore_errors=True)
    world = installed(folder)
    file = world.settings.home / "inbox" / crooked.PARTNER / form / name
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    there = by_preflight(world, crooked.PARTNER, form, crooked.PERIOD, [file])
    here = by_server(world, crooked.PARTNER, form, crooked.PERIOD, file.parents[1])
    assert there == here
    return here.code


def written(wrong: list[tuple[int, str, str]], repeated: int, missing: list[str]) -> bytes:
    rows = crooked.rows(60)
    for number, column, value in wrong:
        rows[number][PLACES[column]] = '"' + value.replace('"', '""') + '"'
    rows += rows[:repeated]
    kept = [name for name in crooked.NAMES if name not in missing]
    lines = [",".join(kept), *(",".join(row[PLACES[name]] for name in kept) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.stack
@settings(max_examples=25, deadline=None, suppress_health_check=CHECKS)
@given(wrong=st.lists(WRONG, max_size=9), repeated=st.integers(0, 5), missing=MISSING)
def test_generated_rows(tmp_path: Path, wrong: list[tuple[int, str, str]], repeated: int, missing: list[str]) -> None:
    agree(tmp_path / "world", "csv", "2026-11-10.csv", written(wrong, repeated, missing))


@pytest.mark.stack
@settings(max_examples=25, deadline=None, suppress_health_check=CHECKS)
@given(form=st.sampled_from(crooked.FORMATS), seed=st.integers(0, 2**32))
def test_damaged_files(tmp_path: Path, form: str, seed: int) -> None:
    agree(tmp_path / "world", form, "2026-11-10", mutated(sound(form, seed), seed, parquet=form == "parquet"))


def test_a_mixed_delivery(tmp_path: Path) -> None:
    wrong = [(3, "n", "x"), (7, "x", "1e400"), (9, "id", "")]
    assert agree(tmp_path / "world", "csv", "2026-11-10.csv", written(wrong, 2, [])) is None
