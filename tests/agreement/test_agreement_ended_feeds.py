"""A feed that only an earlier version knows has no DAG: `acequia check` says so while its periods are looked for."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from acequia.checking import check
from acequia.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("after", "warned"), [(0, True), (60, True), (61, False)])
def test_a_feed_that_ended_is_told_while_it_is_watched(tmp_path: Path, after: int, warned: bool) -> None:
    partners = tmp_path / "config" / "partners"
    (partners / "kgale_rides").mkdir(parents=True)
    text = (PROJECT / "config/partners/kgale_rides.yaml").read_text(encoding="utf-8")
    said = yaml.safe_load(text)
    version = str(said["terms"]["version"])
    (partners / "kgale_rides" / f"{version}.yaml").write_text(text, encoding="utf-8")
    begins = date(2026, 12, 1)
    said["terms"] |= {"version": "9.0", "effective_from": begins}
    gone = said["feeds"].pop("driver_hours")
    assert "watched_days" not in gone["delivery"]
    (partners / "kgale_rides.yaml").write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    settings = Settings.from_environment(
        {"ACEQUIA_HOME": str(tmp_path / "home"), "ACEQUIA_CONFIG": str(tmp_path / "config")}
    )
    found = [one.message for one in check(settings, today=begins + timedelta(days=after)) if "no DAG" in one.message]
    assert found == (
        [f"driver_hours ended with version {version} and has no DAG; run what is still to come of it by hand: "
         "acequia run kgale_rides driver_hours"] if warned else []
    )  # fmt: skip
