"""When deliveries were accepted for the first time: what counted once is remembered, whatever became of it since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, func, select

from acequia.flow import DeliveryId
from acequia.ledger import models
from acequia.ledger.database import reading


def accepted_at(engine: Engine, partner: str, feed: str) -> Mapping[tuple[str, int], datetime]:
    """The moment of the first acceptance, by period and version; those that were never accepted are not among them."""
    said = models.entry.c
    wanted = (
        select(said.delivery, func.min(said.at))
        .where(said.partner == partner, said.feed == feed, said.kind == "accepted")
        .group_by(said.delivery)
    )
    with reading(engine) as connection:
        found = {DeliveryId.parse(name): datetime.fromisoformat(at) for name, at in connection.execute(wanted)}
    return {(delivery.period, delivery.version): at for delivery, at in found.items()}
