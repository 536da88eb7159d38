"""Invented deliveries, and what the pipeline tells the ledger about them."""

from __future__ import annotations

import hashlib

from acequia.flow import Count, DeliveryId, Disclosed, LandedFile, Published
from acequia.ledger.book import Ledger
from acequia.period import Period

PARTNER, FEED, TABLE = "pula_mobile", "events", "subscribers_by_district"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


ONE, TWO = sha("terms one"), sha("terms two")


def files_of(content: str) -> tuple[LandedFile, ...]:
    folder = f"{PARTNER}/{FEED}/2026-11-16/{sha(content)[:16]}"
    name = f"{content} of Boitumelo Kgosi.csv.gz"
    return (LandedFile(name=name, stored=f"{folder}/{name}.age", bytes=len(content), sha256=sha(content)),)


def register(
    ledger: Ledger, content: str = "A", period: str = "2026-11-16", *, terms: str = "1.2", feed: str = FEED
) -> DeliveryId:
    return ledger.register(
        PARTNER,
        feed,
        Period.parse(period),
        content_sha256=sha(content),
        agreement_version=terms,
        agreement_sha256=sha(f"agreement {terms}"),
        files=files_of(content),
    )


def count(rows: int = 100, aside: int = 3) -> Count:
    return Count(rows_in=rows, rows_out=rows - aside, set_aside={"null:msisdn": aside} if aside else {})


def disclosed_of(delivery: DeliveryId, window: str, *, table: str = TABLE, provisional: bool = False) -> Disclosed:
    return Disclosed(
        table=table,
        period=window,
        deliveries=(delivery,),
        path="/nowhere/disclosed.parquet",
        sha256=sha("disclosed"),
        cells=12,
        withheld={"min_contributors": 2, "secondary": 1},
        provisional=provisional,
        rules={"min_contributors": 15},
    )


def release_of(disclosed: Disclosed, snapshot: int = 7_777_777_777_777_777_777, *, changed: bool = True) -> Published:
    return Published(
        table=disclosed.table,
        period=disclosed.period,
        snapshot_id=snapshot,
        changed=changed,
        content_sha256=sha(f"{disclosed.table} {disclosed.period} {snapshot}"),
    )


def publish(ledger: Ledger, delivery: DeliveryId, window: str = "", **told: object) -> None:
    disclosed = disclosed_of(delivery, window or delivery.period, **told)  # type: ignore[arg-type]
    ledger.published(delivery, disclosed, release_of(disclosed))


def run_through(ledger: Ledger, content: str = "A", period: str = "2026-11-16", *, made_by: str = ONE) -> DeliveryId:
    """What the pipeline tells of a delivery that goes well."""
    delivery = register(ledger, content, period)
    ledger.receipt("received", delivery)
    ledger.accept(delivery, count=count(), made_by=made_by)
    publish(ledger, delivery)
    ledger.finish(delivery)
    ledger.receipt("published", delivery)
    return delivery


def refuse(ledger: Ledger, delivery: DeliveryId, *, made_by: str = ONE, code: str = "checks_failed") -> None:
    ledger.refuse(delivery, code=code, reason="2 of 9 checks failed", who_acts="partner", made_by=made_by)
