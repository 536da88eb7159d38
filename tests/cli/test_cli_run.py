"""What `acequia run` says became of a delivery, also where another process was faster."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from acequia import pipeline
from acequia.cli import cli
from tests.pipeline.world import make_world

WORDS = ["run", "ceibo_pay", "transactions", "2026-11-10", "--quiet"]


def test_a_run_that_lost_a_race_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(tmp_path)
    world.deliver("ceibo_pay", "transactions", "2026-11-10")
    monkeypatch.setenv("ACEQUIA_HOME", str(world.settings.home))
    monkeypatch.setenv("ACEQUIA_CONFIG", str(world.settings.config))
    delivered = pipeline.run

    def late(work: object, from_dir: Path | None = None) -> pipeline.Outcome:
        """By the time that this one publishes, everything stands."""
        outcome = delivered(work, from_dir)  # type: ignore[arg-type]
        assert outcome.published
        return pipeline.Outcome(outcome.delivery, (), False)

    monkeypatch.setattr(pipeline, "run", late)
    said = CliRunner().invoke(cli, WORDS)
    assert said.exit_code == 0, said.output
    assert "accepted; another process published it meanwhile, in " in said.output
    assert "no table yet" not in said.output
    monkeypatch.setattr(pipeline, "run", delivered)
    assert "nothing to do" in CliRunner().invoke(cli, WORDS).output
