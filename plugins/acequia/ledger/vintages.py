"""What was released of a feed's tables, what was taken out again, and which files its deliveries are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, Engine, func, select

from acequia.flow import DeliveryId
from acequia.ledger import models
from acequia.ledger.database import reading
from acequia.period import Period


def standing_release(engine: Engine, partner: str, table: str, window: str) -> str | None:
    """The content hash of the last release of a table and window; None if there is none, or it was taken out since."""
    of = models.release.c
    wanted = (
        select(of.seq, of.content_sha256)
        .where(of.partner == partner, of.table_name == table, of.window_label == window)
        .order_by(of.seq.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        last = connection.execute(wanted).first()
        if last is None or _taken_out(connection, partner, table, window) > last.seq:
            return None
    return str(last.content_sha256)


def released_after(engine: Engine, partner: str, table: str, window: str, seq: int) -> DeliveryId | None:
    """Which delivery released a table and window last, if that was after this entry of the ledger."""
    of = models.release.c
    wanted = (
        select(of.delivery)
        .where(of.partner == partner, of.table_name == table, of.window_label == window, of.seq > seq)
        .order_by(of.seq.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        found = connection.execute(wanted).scalar()
    return None if found is None else DeliveryId.parse(found)


def released_with(engine: Engine, partner: str, feed: str, period: Period) -> tuple[tuple[str, Period], ...]:
    """Every table and window of a feed that was ever released and that the period counts to, in order."""
    said = models.entry.c
    wanted = select(said.body).where(said.partner == partner, said.feed == feed, said.kind == "published")
    with reading(engine) as connection:
        bodies = [json.loads(body) for body in connection.execute(wanted).scalars()]
    found = {(body["table"], Period.parse(body["period"])) for body in bodies}
    return tuple(sorted((table, window) for table, window in found if period.within(window.kind) == window))


def same_files(engine: Engine, delivery: DeliveryId, files: Iterable[str]) -> DeliveryId | None:
    """Another period's delivery of the feed that stands, has rows, and is made of the very same files (SHA-256)."""
    said, table = models.entry.c, models.delivery.c
    wanted = sorted(files)
    standing = select(table.period, func.max(table.version)).where(
        table.partner == delivery.partner, table.feed == delivery.feed, table.period != delivery.period,
        table.status.in_(("accepted", "published")), table.rows_in > 0, table.files == len(wanted),
    ).group_by(table.period)  # fmt: skip
    with reading(engine) as connection:
        for period, version in connection.execute(standing).all():
            other = DeliveryId(partner=delivery.partner, feed=delivery.feed, period=period, version=version)
            body = connection.execute(
                select(said.body).where(said.delivery == str(other), said.kind == "received")
            ).scalar_one()
            if sorted(file["sha256"] for file in json.loads(body)["files"]) == wanted:
                return other
    return None


def _taken_out(connection: Connection, partner: str, table: str, window: str) -> int:
    """When the table's window was last taken out, as a number of the ledger; 0 if never."""
    said = models.entry.c
    wanted = select(said.seq, said.body).where(said.partner == partner, said.kind == "taken_out")
    found = [(row.seq, json.loads(row.body)) for row in connection.execute(wanted)]
    return max((seq for seq, body in found if (body["table"], body["period"]) == (table, window)), default=0)
