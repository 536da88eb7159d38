"""The privacy budget: what all releases with differential privacy together may tell about one contributor.

A charge is an entry of the chain, under a key that is the release's own: table, window, deliveries and terms. So it
stands for ever, whatever becomes of the release, and a release that is made again costs nothing.

The charges of one feed and contributor column add up (sequential composition: Dwork and Roth 2014, theorem 3.14), as
exact decimals. With `per` each month, quarter or year of the data has a budget of its own, and a release counts to
every one that its window touches. Within one, no charge is left out because its data are others (parallel
composition): nobody can promise that the same person is not in them. Tighter ways to add up exist; this one is valid
for every mixture of releases, and anybody can check it by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from acequia.agreement.privacy import Budget
from acequia.errors import AcequiaError
from acequia.ledger import chain, head, models
from acequia.ledger.chain import Draft, Entry, Place
from acequia.ledger.database import reading, writing
from acequia.ledger.signing import canonical
from acequia.period import Period

if TYPE_CHECKING:
    from acequia.ledger.book import Ledger

KIND = "budget_charged"
EVER = "ever"


@dataclass(frozen=True)
class Charge:
    """What one release costs, and which one it is.

    Attributes:
        partner: the partner's id.
        feed: the feed whose budget it draws on.
        unit: the contributor column.
        table: as the agreement calls it.
        window: the period that was released.
        deliveries: that it was made of, by id.
        terms: a digest of all that decides its numbers, besides the deliveries.
        epsilon: as agreed, exact.
        delta: as agreed, exact.
        noisy_sha256: of the rows of noisy cells; empty while nothing was drawn.
        at: when it was charged; empty while it was not.
    """

    partner: str
    feed: str
    unit: str
    table: str
    window: str
    deliveries: tuple[str, ...]
    terms: str
    epsilon: Decimal
    delta: Decimal
    noisy_sha256: str = ""
    at: str = ""

    @property
    def id(self) -> str:
        """What tells this release from every other one: 64 hexadecimal digits."""
        said = [self.partner, self.feed, self.unit, self.table, self.window, sorted(self.deliveries), self.terms]
        return hashlib.sha256(canonical({"release": said}).encode()).hexdigest()

    @property
    def key(self) -> str:
        """The natural key of its entry."""
        return f"{KIND}/{self.partner}.{self.table}/{self.window}/{self.id}"

    def body(self) -> Mapping[str, object]:
        """What the entry says."""
        return {
            "unit": self.unit,
            "table": self.table,
            "deliveries": sorted(self.deliveries),
            "terms": self.terms,
            "epsilon": str(self.epsilon),
            "delta": str(self.delta),
            "noisy_sha256": self.noisy_sha256,
        }


@dataclass(frozen=True)
class Balance:
    """What of a budget is spent, for one span of the data: a label such as `2026` or `2026-11`, or `ever`."""

    partner: str
    feed: str
    unit: str
    span: str
    epsilon: Decimal
    delta: Decimal
    charges: tuple[Charge, ...]


def exact(number: float) -> Decimal:
    """A number of the agreement as it is written there."""
    return Decimal(str(number))


def spans_of(window: str, per: str) -> tuple[str, ...]:
    """The spans of the data that a window touches; their labels are those of periods."""
    if per == EVER:
        return (EVER,)
    whole = Period.parse(window)
    found, part = [], Period.holding(per, whole.start)  # type: ignore[arg-type]
    while part.start < whole.end:
        found.append(part.label)
        part = part.next()
    return tuple(found)


def charged(ledger: Ledger, key: str) -> Charge | None:
    """The charge of that key, if it was made."""
    with reading(ledger.engine) as connection:
        found = chain.by_key(connection, key)
    return None if found is None else _charge_of(found)


def charges(ledger: Ledger, partner: str | None = None, feed: str | None = None) -> list[Charge]:
    """Every charge, of a partner, of a feed, in order."""
    with reading(ledger.engine) as connection:
        return list(_charges(connection, partner, feed))


def require_room(ledger: Ledger, asked: Charge, limit: Budget) -> None:
    """Stop if the budget does not hold that much more; nothing is written.

    Raises:
        AcequiaError: `budget_exceeded`.
    """
    with reading(ledger.engine) as connection:
        _require_room(list(_charges(connection, asked.partner, asked.feed)), asked, limit)


def charge(ledger: Ledger, asked: Charge, limit: Budget) -> Charge:
    """Charge a release, unless it is; looking and writing is one transaction, so two at once cannot both pass.

    Returns:
        The charge that stands: an earlier one for the same release, which may be of other noise.

    Raises:
        AcequiaError: `budget_exceeded`: nothing is written then.
    """
    with writing(ledger.engine) as connection:
        if chain.last_token(connection) is None:
            head.begin(ledger.home, ledger.signer)
        entry = chain.by_key(connection, asked.key)
        if entry is None:
            _require_room(list(_charges(connection, asked.partner, asked.feed)), asked, limit)
            place = Place(asked.partner, asked.feed, asked.window)
            entry = chain.append(connection, ledger.signer, Draft(KIND, asked.key, asked.body()), place, ledger.clock())
        token = str(chain.last_token(connection))
    head.show(ledger.home, token, ledger.signer)
    return _charge_of(entry)


def balances(found: Sequence[Charge], per: Mapping[tuple[str, str], str]) -> list[Balance]:
    """What is spent, by partner, feed, unit and span, in that order. `per` is that of each partner and feed."""
    spent: dict[tuple[str, str, str, str], list[Charge]] = {}
    for one in found:
        for span in spans_of(one.window, per.get((one.partner, one.feed), EVER)):
            spent.setdefault((one.partner, one.feed, one.unit, span), []).append(one)
    return [
        Balance(*key, sum((one.epsilon for one in of), Decimal()), sum((one.delta for one in of), Decimal()), tuple(of))
        for key, of in sorted(spent.items())
    ]


def _require_room(found: Sequence[Charge], asked: Charge, limit: Budget) -> None:
    own = [one for one in found if one.unit == asked.unit]
    for span in spans_of(asked.window, limit.per):
        inside = [one for one in own if span in spans_of(one.window, limit.per)]
        epsilon = sum((one.epsilon for one in inside), Decimal())
        delta = sum((one.delta for one in inside), Decimal())
        if epsilon + asked.epsilon > exact(limit.epsilon) or delta + asked.delta > exact(limit.delta):
            raise AcequiaError(
                "budget_exceeded",
                f"epsilon {epsilon} of {exact(limit.epsilon)} and delta {delta} of {exact(limit.delta)} are spent for"
                f" `{asked.unit}` in {span}; this release would cost epsilon {asked.epsilon} and delta {asked.delta}",
                where=f"{asked.partner}.{asked.table} {asked.window}",
            )


def _charges(connection: Connection, partner: str | None, feed: str | None) -> Iterator[Charge]:
    said = models.entry.c
    wanted = select(models.entry).where(said.kind == KIND).order_by(said.seq)
    if partner is not None:
        wanted = wanted.where(said.partner == partner)
    if feed is not None:
        wanted = wanted.where(said.feed == feed)
    for row in connection.execute(wanted).mappings():
        yield _charge_of(chain.entry_of(row))


def _charge_of(entry: Entry) -> Charge:
    said = entry.said
    return Charge(
        partner=str(entry.partner),
        feed=str(entry.feed),
        unit=said["unit"],
        table=said["table"],
        window=str(entry.period),
        deliveries=tuple(said["deliveries"]),
        terms=said["terms"],
        epsilon=Decimal(said["epsilon"]),
        delta=Decimal(said["delta"]),
        noisy_sha256=said["noisy_sha256"],
        at=entry.at,
    )


def released(ledger: Ledger, found: Sequence[Charge]) -> dict[str, str]:
    """Key of a charge -> the open release that was paid with it; those that were never published are not in it.

    Several releases are made of the same deliveries where a table's terms changed: the first after the charge is it.
    """
    said = models.entry.c
    out: dict[str, str] = {}
    with reading(ledger.engine) as connection:
        for partner in sorted({one.partner for one in found}):
            wanted = select(models.entry).where(said.kind == "published", said.partner == partner).order_by(said.seq)
            entries = [chain.entry_of(row) for row in connection.execute(wanted).mappings()]
            published = [(entry.at, _release_of(entry.said), entry.said.get("release", "")) for entry in entries]
            for one in (one for one in found if one.partner == partner):
                place = (one.table, one.window, sorted(one.deliveries))
                paid = (str(release) for at, of, release in published if at >= one.at and of == place)
                if (first := next(paid, None)) is not None:
                    out[one.key] = first
    return out


def _release_of(body: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    return body["table"], body["period"], sorted(body["deliveries"])
