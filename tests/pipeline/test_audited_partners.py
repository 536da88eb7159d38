"""Judging 1: on the releases of the example partners the auditor finds nothing; without suppression it does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from acequia import auditing
from acequia.opening import lake_of
from acequia.publish.lake import Lake
from tests.pipeline.world import World, make_world

PERIODS = {"day": ("2026-11-10", "2026-11-11"), "week": ("2026-W45", "2026-W46"),
           "month": ("2026-10", "2026-11")}  # fmt: skip
PARTNERS = ("ceibo_pay", "pula_mobile", "kgale_rides", "rambla_market")


def released(folder: Path, partner: str) -> Lake:
    """Several periods of every feed, tables over a month with each delivery."""
    world: World = make_world(folder)
    path = world.settings.partners / f"{partner}.yaml"
    agreement = yaml.safe_load(path.read_text())
    for feed in agreement["feeds"].values():
        for table in feed["tables"].values():
            if table.get("over") == "month":
                table["release"] = "each_delivery"
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))
    for name, feed in agreement["feeds"].items():
        for period in PERIODS[feed["delivery"]["period"]]:
            world.deliver(partner, name, period)
            world.run(partner, name, period)
    return lake_of(world.settings)


@pytest.mark.stack
@pytest.mark.parametrize("partner", PARTNERS)
def test_the_auditor_finds_nothing(tmp_path: Path, partner: str) -> None:
    lake = released(tmp_path, partner)
    found = {info.name: auditing.audit_table(lake.files, info.name) for info in lake.tables()}
    assert found
    assert [one.as_row() for audited in found.values() for one in audited.findings] == []
    assert any(audited.seen for audited in found.values())
