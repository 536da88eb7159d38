"""What a partner installs: a fresh environment from the small lock, which says what the whole installation says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.malformed import crooked
from tests.malformed.csv_cases import text
from tests.pipeline.world import World
from tests.preflight.served import judged

PROJECT = Path(__file__).resolve().parents[2]
LOCK = PROJECT / "requirements" / "preflight.txt"
ABSENT = ("apache-airflow", "boto3", "pyiceberg", "asyncssh", "alembic", "psycopg2-binary", "hvac", "faker",
          "altair", "openlineage-python", "ministack")  # fmt: skip
KINDS = (
    ("pula_mobile", "events", "2026-11-10", None),
    ("ceibo_pay", "transactions", "2026-11-10", "out_of_range"),
    ("rambla_market", "scanner", "2026-W46", "column_missing"),
    ("kgale_rides", "trips", "2026-10", "wrong_type"),
)


def test_the_lock_holds_nothing_that_only_a_server_needs() -> None:
    names = {line.split("==")[0] for line in LOCK.read_text().splitlines() if line[:1].isalpha()}
    assert not names & set(ABSENT)
    assert names >= {
        "duckdb",
        "pyarrow",
        "presidio-analyzer",
        "great-expectations",
        "pyrage",
        "joserfc",
        "openpyxl",
        "scipy",
    }


@pytest.mark.stack
@pytest.mark.timeout(1200)
def test_a_fresh_small_install_gives_the_same_verdicts(world: World, tmp_path: Path) -> None:
    env, command = tmp_path / "env", tmp_path / "env" / "bin" / "acequia"
    make = ["make", "-C", str(PROJECT), "preflight-env", f"PREFLIGHT={env}", f"PYTHON={sys.executable}"]
    subprocess.run(make, check=True)
    size = sum(path.stat().st_blocks * 512 for path in env.rglob("*") if path.is_file())
    assert size < 1000 * 2**20, f"the small install takes {size >> 20} MB"

    def said(*arguments: object) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ACEQUIA"))}
        line = [str(command), "preflight", *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    for partner, feed, period, bad in KINDS:
        world.deliver(partner, feed, period, rows=1200, bad=bad)
        files = sorted(path for path in (world.settings.home / "inbox" / partner).rglob("*") if path.is_file())
        agreed = ("--agreement", world.settings.partners / f"{partner}.yaml", "--feed", feed, "--period", period)
        there, here = said(*files, *agreed, "--manifest", "--json"), judged(world, partner, feed, period, files)
        assert there.returncode == here.exit_code, there.stderr
        assert json.loads(there.stdout) == json.loads(json.dumps(here.as_json()))
    (tmp_path / "2026-11-10.csv").write_text(text())
    agreement = crooked.config(tmp_path / "crooked")
    told = said(tmp_path / "2026-11-10.csv", "--agreement", agreement, "--feed", "csv", "--language", "es")
    assert told.returncode == 0 and "se aceptaría" in told.stdout
