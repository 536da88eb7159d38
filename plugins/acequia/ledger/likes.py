"""What the ledger remembers of accepted deliveries when their rows are long deleted: how many, and of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, String, and_, func, literal, select

from acequia.ledger import models
from acequia.ledger.chain import entry_of


def accepted_bodies(
    connection: Connection, partner: str, feed: str, periods: Sequence[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Period -> what its `accepted` entry says, of the last version that is accepted; only the periods asked for.

    Both tables are read by their keys: the cost is that of so many periods, however long the ledger is.
    """
    of, said = models.delivery.c, models.entry.c
    mine = [of.partner == partner, of.feed == feed, of.period.in_(periods), of.status.in_(("accepted", "published"))]
    last = select(of.period, func.max(of.version).label("version")).where(*mine).group_by(of.period).subquery()
    name = literal(f"{partner}.{feed}.").concat(last.c.period).concat(".v").concat(last.c.version.cast(String))
    told = select(models.entry).join(last, and_(said.delivery == name, said.kind == "accepted")).order_by(said.seq)
    found = [entry_of(row) for row in connection.execute(told).mappings()]
    return {str(entry.period): entry.said for entry in found}
