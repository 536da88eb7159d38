"""A feed of shops with distinctive sums: days against a month, regions with a total; and installations that run it."""

from __future__ import annotations

import random
from pathlib import Path

import yaml

from acequia import pipeline
from acequia.opening import lake_of, open_work
from acequia.publish.lake import Lake
from acequia.settings import Settings

PARTNER, FEED = "ceibal_shops", "sales"
DAYS = ("2026-11-10", "2026-11-11", "2026-11-12")
REGIONS = ("Artigas", "Colonia", "Florida", "Rivera", "Salto")
FEW = {"Artigas": 3, "Salto": 4}
"""The shoppers of the regions that cannot be told; the others have thirty or more."""


def agreement(least: int = 10) -> dict[str, object]:
    protect = {"contributor": "payer", "min_contributors": least}
    measures = {"sales_count": {"count": "rows"}, "amount_uyu_sum": {"sum": "amount"}}
    return {
        "partner": PARTNER,
        "name": "Ceibal Shops S.A.",
        "country": "UY",
        "terms": {
            "version": "1.0",
            "legal_basis": "Ley 16.616 art. 15",
            "purposes": ["official_statistics"],
            "signed_on": "2026-01-01",
            "expires_on": "2028-12-31",
            "raw_kept_days": 14,
            "protected_kept_days": 400,
            "contacts": {"partner": "desk@shops.example", "steward": "s@stats.example", "dpo": "dpo@stats.example"},
            "recipients": ["statistics_office"],
        },
        "feeds": {
            FEED: {
                "delivery": {
                    "source": {"type": "folder", "path": "{period}.csv"},
                    "format": "csv",
                    "schedule": "0 6 * * *",
                    "timezone": "America/Montevideo",
                    "period": "day",
                    "due_within_hours": 30,
                    "manifest": "none",
                    "settle_seconds": 0,
                },
                "columns": {
                    "payer": {"type": "string", "treat": "pseudonym"},
                    "region": {"type": "string", "treat": "keep", "one_of": [*REGIONS]},
                    "kind": {"type": "string", "treat": "keep", "one_of": ["bread", "wine"]},
                    "amount": {"type": "number", "treat": "keep", "between": [0, 100000000]},
                },
                "tables": {
                    "sales_by_region": {
                        "describe": "One row per region, and one for the country.",
                        "by": ["region"],
                        "hierarchy": {"region": ["country", "region"]},
                        "measures": measures,
                        "protect": protect,
                    },
                    "sales_by_kind": {
                        "describe": "One row per kind.",
                        "by": ["kind"],
                        "measures": measures,
                        "protect": protect,
                    },
                    "sales_by_region_month": {
                        "describe": "One row per region, with every delivery so far.",
                        "by": ["region"],
                        "over": "month",
                        "release": "each_delivery",
                        "measures": measures,
                        "protect": protect,
                    },
                },
            }
        },
    }


def settings_in(folder: Path, least: int = 10) -> Settings:
    """A new installation with this partner alone."""
    partners = folder / "config" / "partners"
    partners.mkdir(parents=True)
    (folder / "config" / "reference").mkdir()
    (folder / "expectations").mkdir()
    (partners / f"{PARTNER}.yaml").write_text(yaml.safe_dump(agreement(least), sort_keys=False))
    return Settings.from_environment({"ACEQUIA_HOME": str(folder / "home"), "ACEQUIA_CONFIG": str(folder / "config")})


def sales(day: str) -> list[tuple[str, str, str, str]]:
    """The rows of a day: payer, region, kind, amount. Sums have seven digits and more, and no two are alike."""
    chance = random.Random(day)  # noqa: S311  (made-up rows)
    rows = []
    for region in REGIONS:
        for person in range(FEW.get(region, 30 + len(region))):
            for _ in range(2):
                kind = "bread" if chance.random() < 0.5 else "wine"
                rows.append(
                    (
                        f"{region}-{day}-{person}",
                        region,
                        kind,
                        f"{chance.randint(100000, 999999)}.{chance.randint(10, 99)}",
                    )
                )
    return rows


def hidden_sums(day: str) -> dict[str, str]:
    """What must not be told of a day: by region of few, the whole part of its sum, as a text of digits."""
    cents = dict.fromkeys(FEW, 0)
    for _, region, _, amount in sales(day):
        if region in cents:
            cents[region] += int(amount.replace(".", ""))
    return {region: str(total // 100) for region, total in cents.items()}


def deliver(settings: Settings, day: str) -> None:
    """Put a day where the folder source looks."""
    inbox = settings.home / "inbox" / PARTNER
    inbox.mkdir(parents=True, exist_ok=True)
    lines = [",".join(row) for row in (("payer", "region", "kind", "amount"), *sales(day))]
    (inbox / f"{day}.csv").write_text("\n".join(lines) + "\n")


def run(settings: Settings, day: str) -> pipeline.Outcome:
    """Deliver a day, and take it through all rooms."""
    deliver(settings, day)
    return pipeline.run(open_work(settings, PARTNER, FEED, day))


def lake_in(settings: Settings) -> Lake:
    """What came of it."""
    return lake_of(settings)
