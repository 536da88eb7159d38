"""The demo partners with their sources turned into folders: the whole pipeline, without servers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from acequia import pipeline
from acequia.agreement.load import find
from acequia.opening import lake_of, landing_of, ledger_of, open_work
from acequia.period import Period
from acequia.settings import Settings
from acequia.simulate.deliver import into_folder
from acequia.simulate.write import Written, write

PROJECT = Path(__file__).resolve().parents[2]
DAY = "2026-11-10"


@dataclass
class World:
    """One installation with a partner's outbox beside it."""

    settings: Settings
    outbox: Path

    def deliver(
        self,
        partner: str,
        feed: str,
        period: str,
        *,
        rows: int = 800,
        seed: int = 7,
        bad: str | None = None,
        hide: Sequence[str] = (),
    ) -> Written:
        """Simulate a delivery and put it where the folder source looks."""
        agreement = find(self.settings.partners, partner).agreement
        wanted = Period.parse(period, agreement.feed(feed).delivery.period)
        made = self.outbox / partner / f"{feed}-{period}-{seed}-{bad}"
        written = write(agreement, feed, wanted, out=made, rows=rows, seed=seed, bad=bad, hide=hide)
        target = self.settings.home / "inbox" / partner
        target.mkdir(parents=True, exist_ok=True)
        into_folder(written, made, target)
        return written

    def clear(self, partner: str) -> None:
        """Empty what the partner has put out."""
        shutil.rmtree(self.settings.home / "inbox" / partner, ignore_errors=True)

    def run(self, partner: str, feed: str, period: str) -> pipeline.Outcome:
        """One delivery through all rooms."""
        return pipeline.run(open_work(self.settings, partner, feed, period))

    def tables(self) -> dict[str, int]:
        """Table -> rows, as published."""
        lake = lake_of(self.settings)
        return {info.name: lake.read(info.name).num_rows for info in lake.tables()}

    def statuses(self) -> dict[str, str]:
        """Delivery -> status."""
        rows = [row.as_row() for row in ledger_of(self.settings).deliveries()]
        return {f"{row['partner']}.{row['feed']}.{row['period']}.v{row['version']}": row["status"] for row in rows}

    def landed(self) -> list[str]:
        """Keys in landing."""
        return list(landing_of(self.settings).list(""))


def month_to_date(world: World) -> Path:
    """Let the month of subscribers be told with each delivery, and of however few: what days differ by is told, too.

    Returns the agreement.
    """
    path = world.settings.partners / "pula_mobile.yaml"
    agreement = yaml.safe_load(path.read_text())
    table = agreement["feeds"]["events"]["tables"]["active_subscribers_by_district_month"]
    table |= {"release": "each_delivery", "protect": {"contributor": "msisdn", "min_contributors": 1}}
    path.write_text(yaml.safe_dump(agreement, sort_keys=False))
    return path


def same_where_published(found: Sequence[dict[str, object]], wanted: Sequence[dict[str, object]]) -> None:
    """The same cells with the same numbers, wherever both tell them.

    Which cells stay back depends on what was public before, and so on the order in which deliveries came.
    """
    assert [one["district"] for one in found] == [one["district"] for one in wanted]
    told = 0
    for one, other in zip(found, wanted, strict=True):
        if "withheld" not in (one["cell_status"], other["cell_status"]):
            assert one | {"delivery": ""} == other | {"delivery": ""}
            told += 1
    assert told > len(found) / 2


def as_folder(text: str) -> str:
    """The agreement with every source turned into a folder (and no waiting for files to settle)."""
    agreement = yaml.safe_load(text)
    for name, feed in agreement["feeds"].items():
        path = feed["delivery"]["source"].get("path", f"{name}-{{period}}-*.parquet")
        feed["delivery"] |= {"source": {"type": "folder", "path": path}, "settle_seconds": 0}
    return yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True)


def make_world(folder: Path) -> World:
    """A new installation below the folder, its partners' sources turned into folders."""
    config = folder / "config"
    shutil.copytree(PROJECT / "config", config)
    shutil.copytree(PROJECT / "expectations", folder / "expectations")
    for path in (config / "partners").glob("*.yaml"):
        path.write_text(as_folder(path.read_text()))
    settings = Settings.from_environment({"ACEQUIA_HOME": str(folder / "home"), "ACEQUIA_CONFIG": str(config)})
    return World(settings, folder / "outbox")
