"""An agreement of three versions over a quarter, weekly deliveries for it, and the same tables by pandas alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from acequia import pipeline
from acequia.opening import lake_of, open_work
from acequia.period import Period
from acequia.settings import Settings

PARTNER, FEED = "trams", "rides"
WEEKS = Period.parse("2026-Q4").parts("week")
STARTS = {"1.0": "2026-09-28", "1.1": "2026-11-02", "1.2": "2026-11-30"}


def agreement(version: str) -> dict[str, object]:
    """Version 1.1 adds a column and splits a table by it; 1.2 renames one, keeping its protected name."""
    later = version != "1.0"
    columns: dict[str, object] = {
        "rider": {"type": "string", "treat": "pseudonym"},
        "zone": {"type": "string", "treat": "keep", "one_of": ["north", "south"]},
        "fare": {"type": "number", "treat": "keep", "between": [0, 1000]},
    }
    if later:
        columns["line"] = {"type": "string", "treat": "keep", "one_of": ["A", "B"]}
    if version == "1.2":
        columns = {("price" if key == "fare" else key): value for key, value in columns.items()}
        columns["price"] = {"type": "number", "treat": "keep", "between": [0, 1000], "as": "fare"}
    protect = {"contributor": "rider", "min_contributors": 1}
    tables: dict[str, object] = {
        "rides_by_zone": {
            "describe": "One row per zone.",
            "by": ["zone", "line"] if later else ["zone"],
            "measures": {"rides_count": {"count": "rows"}, "fare_sum": {"sum": "fare"}},
            "protect": protect,
        },
        "riders_by_zone_quarter": {
            "describe": "One row per zone.",
            "over": "quarter",
            "release": "each_delivery",
            "by": ["zone"],
            "measures": {"riders_count": {"count_distinct": "rider"}, "fare_sum": {"sum": "fare"}},
            "protect": protect,
        },
    }
    if later:
        tables["rides_by_line_month"] = {
            "describe": "One row per line.",
            "over": "month",
            "by": ["line"],
            "measures": {"rides_count": {"count": "rows"}},
            "protect": protect,
        }
    terms: dict[str, object] = {
        "version": version,
        "legal_basis": "Transport Act s.3",
        "purposes": ["official_statistics"],
        "signed_on": STARTS["1.0"],
        "expires_on": "2027-12-31",
        "raw_kept_days": {"1.0": 10, "1.1": 20, "1.2": 30}[version],
        "protected_kept_days": 400,
        "contacts": {"partner": "desk@trams.example", "steward": "s@stats.example", "dpo": "dpo@stats.example"},
        "recipients": ["statistics_office"],
    }
    if later:
        terms["effective_from"] = STARTS[version]
    return {
        "partner": PARTNER,
        "name": "Trams",
        "country": "UY",
        "terms": terms,
        "feeds": {
            FEED: {
                "delivery": {
                    "source": {"type": "folder", "path": "rides-{period}.csv"},
                    "format": "csv",
                    "schedule": "0 6 * * 1",
                    "timezone": "America/Montevideo",
                    "period": "week",
                    "due_within_hours": 48,
                    "settle_seconds": 0,
                },
                "columns": columns,
                "tables": tables,
            }
        },
    }


@dataclass
class Trams:
    """One installation with the partner; `sent` is what its deliveries hold, by week."""

    settings: Settings
    sent: dict[str, pd.DataFrame] = field(default_factory=dict)

    def agree(self, *versions: str, newest: str) -> None:
        """Write the files of the agreement as they lie when `newest` is in force."""
        folder = self.settings.partners / PARTNER
        folder.mkdir(parents=True, exist_ok=True)
        for version in versions:
            (folder / f"{version}.yaml").write_text(yaml.safe_dump(agreement(version), sort_keys=False))
        (self.settings.partners / f"{PARTNER}.yaml").write_text(yaml.safe_dump(agreement(newest), sort_keys=False))

    def send(self, week: Period, seed: int) -> None:
        """Put a week's file at the source, with the columns that its version agrees."""
        rng = np.random.default_rng(seed)
        rows = pd.DataFrame(
            {
                "rider": [f"r{n:03d}" for n in rng.integers(0, 60, 120)],
                "zone": rng.choice(["north", "south"], 120),
                "fare": rng.integers(1, 400, 120) / 4,
                "line": rng.choice(["A", "B"], 120),
            }
        )
        version = version_of(week)
        self.sent[week.label] = rows if version != "1.0" else rows.drop(columns="line")
        inbox = self.settings.home / "inbox" / PARTNER
        inbox.mkdir(parents=True, exist_ok=True)
        named = {"fare": "price"} if version == "1.2" else {}
        self.sent[week.label].rename(columns=named).to_csv(inbox / f"rides-{week.label}.csv", index=False)

    def run(self, week: Period) -> pipeline.Outcome:
        """The week through all rooms."""
        return pipeline.run(open_work(self.settings, PARTNER, FEED, week.label))

    def published(self, table: str) -> pd.DataFrame:
        """What the lake holds of a table."""
        return lake_of(self.settings).read(f"{PARTNER}.{table}").to_pandas()

    def expected(self, table: str) -> Mapping[tuple[str, ...], tuple[float, ...]]:
        """The table by pandas: (period, keys…) -> measures."""
        rows = pd.concat([part.assign(week=label) for label, part in self.sent.items()])
        rows["week"] = rows["week"].map(Period.parse)
        if table == "rides_by_zone":
            rows["period"] = rows["week"].map(str)
            if "line" not in rows:
                rows["line"] = None
            grouped = rows.groupby(["period", "zone", "line"], dropna=False)
            return {key: (len(part), part["fare"].sum()) for key, part in grouped}
        kind = "quarter" if table.endswith("quarter") else "month"
        rows["period"] = rows["week"].map(lambda week: week.within(kind).label)
        if kind == "quarter":
            grouped = rows.groupby(["period", "zone"])
            return {key: (part["rider"].nunique(), part["fare"].sum()) for key, part in grouped}
        grouped = rows.assign(line=rows["line"].fillna("_U")).groupby(["period", "line"])
        return {key: (len(part),) for key, part in grouped}


def version_of(week: Period) -> str:
    """The version that holds for a week, without asking the machine."""
    return max((start, version) for version, start in STARTS.items() if start <= week.start.isoformat())[1]


def make_trams(folder: Path) -> Trams:
    """A new installation."""
    (folder / "config" / "partners").mkdir(parents=True)
    (folder / "config" / "reference").mkdir()
    environment = {"ACEQUIA_HOME": str(folder / "home"), "ACEQUIA_CONFIG": str(folder / "config")}
    return Trams(Settings.from_environment(environment))
