"""What those who tell people of the ledger ask of it: what is new, what was told, and to note that it was."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, func, select

from acequia.ledger import chain, head, models
from acequia.ledger.chain import Draft, Entry, Place
from acequia.ledger.database import reading, writing
from acequia.ledger.projection import Release

if TYPE_CHECKING:
    from acequia.ledger.book import Ledger

_AT_ONCE = 500  # keys of one question: SQLite takes no more than some ten thousand parameters


def news(engine: Engine, partner: str, kinds: Collection[str], since: datetime) -> list[Entry]:
    """The entries of these kinds about every delivery of the partner of which anything was recorded since then.

    In the order in which they were recorded. Older entries of the same deliveries are among them, so that what is new
    can be told from what was said before.
    """
    of, last, said = models.delivery.c, models.entry.alias("last"), models.entry
    moving = (
        select(last.c.delivery)
        .join_from(models.delivery, last, last.c.seq == of.last_seq)
        .where(of.partner == partner, last.c.at >= _text(since))
    )
    wanted = select(said).where(said.c.delivery.in_(moving), said.c.kind.in_(kinds)).order_by(said.c.seq)
    with reading(engine) as connection:
        return [chain.entry_of(row) for row in connection.execute(wanted).mappings()]


def noted(engine: Engine, partner: str, kinds: Collection[str], since: datetime) -> list[Entry]:
    """What was noted of these kinds about the partner since then, and about no delivery, in order."""
    of = models.entry.c
    wanted = select(models.entry).where(
        of.delivery.is_(None), of.kind.in_(kinds), of.partner == partner, of.at >= _text(since)
    )
    with reading(engine) as connection:
        return [chain.entry_of(row) for row in connection.execute(wanted.order_by(of.seq)).mappings()]


def first_received(engine: Engine, partner: str) -> dict[str, datetime]:
    """When the first delivery of each of the partner's feeds was registered."""
    of = models.delivery.c
    wanted = select(of.feed, func.min(of.received_at)).where(of.partner == partner).group_by(of.feed)
    with reading(engine) as connection:
        return {str(feed): datetime.fromisoformat(str(at)) for feed, at in connection.execute(wanted)}


def releases(engine: Engine, partner: str) -> list[Release]:
    """Every publication of the partner's tables, in order."""
    of = models.release.c
    with reading(engine) as connection:
        found = connection.execute(select(models.release).where(of.partner == partner).order_by(of.seq))
        return [Release(**row) for row in found.mappings()]


def known(engine: Engine, keys: Sequence[str]) -> frozenset[str]:
    """Which of these natural keys are on record."""
    with reading(engine) as connection:
        return frozenset(_known(connection, keys))


def note_each(ledger: Ledger, notes: Sequence[tuple[Place, Draft]]) -> None:
    """Note several things at once: all of them or none. Keys that are on record add nothing."""
    with writing(ledger.engine) as connection:
        if chain.last_token(connection) is None:
            head.begin(ledger.home, ledger.signer)
        there = set(_known(connection, [draft.key for _, draft in notes]))
        for place, draft in notes:
            if draft.key not in there:
                chain.append(connection, ledger.signer, draft, place, ledger.clock())
                there.add(draft.key)
        token = chain.last_token(connection)
    if token is not None:
        head.show(ledger.home, token, ledger.signer)


def _known(connection: Connection, keys: Sequence[str]) -> Iterator[str]:
    for first in range(0, len(keys), _AT_ONCE):
        some = keys[first : first + _AT_ONCE]
        yield from connection.execute(select(models.entry.c.key).where(models.entry.c.key.in_(some))).scalars()


def _text(moment: datetime) -> str:
    """As times stand in the ledger, where they sort like texts."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
