"""`kill -9` at every second boundary and at 40 random moments: the installation ends as if nothing had happened.

All boundaries and 200 random moments take longer than a build should: `python -m tests.corrections.kills 200`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.stack
@pytest.mark.timeout(7200)
def test_killed_anywhere_and_run_again_everything_is_as_in_peace() -> None:
    """In a process of its own, which is forked from: threads of the tests would not survive it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACEQUIA_")}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.corrections.kills", "40", "2"],
        cwd=PROJECT, env=kept | {"PYTHONPATH": f"{PROJECT / 'plugins'}:{PROJECT}"}, capture_output=True, text=True,
        timeout=7000, check=False,
    )  # fmt: skip
    *_, last = ran.stdout.splitlines() or [""]
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
    assert " kills, 0 differences, " in last and int(last.split()[0]) > 150
