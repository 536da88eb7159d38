"""Which feeds can be simulated, and a delivery's rows as Arrow tables, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from acequia.agreement.model import Agreement, Feed
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.simulate import money, rides, scanner, telecom
from acequia.simulate.people import PLANTED, Country, Person, Population, generator, planted_numbers
from acequia.simulate.shape import WEEK, Draw

FEEDS: dict[tuple[str, str], tuple[Country, Callable[[Draw], Any]]] = {
    ("pula_mobile", "events"): ("BW", telecom.events),
    ("ceibo_pay", "transactions"): ("UY", money.transactions),
    ("rambla_market", "scanner"): ("UY", scanner.scanner),
    ("kgale_rides", "trips"): ("BW", rides.trips),
    ("kgale_rides", "driver_hours"): ("BW", rides.driver_hours),
}
ROWS_A_PART = 1_000_000
"""Larger deliveries come in several files, so that memory stays bounded."""


def planted(seed: int, partner: str, feed: str, period: str | Period, hide: Sequence[str] = ()) -> list[Person]:
    """The people planted in that delivery (in one of fewer rows than people: the first of them)."""
    country, _ = _simulated(partner, feed)
    population = Population(seed, partner, country)
    numbers = planted_numbers(seed, partner, feed, str(period), how_many(hide))
    return [population.person(number) for number in numbers]


def how_many(hide: Sequence[str]) -> int:
    """How many people are planted: two for each hiding place, if there are any."""
    return max(PLANTED, 2 * len(hide))


def typical_rows(base: int, period: Period) -> int:
    """How many rows a feed with so many on an average day has in this period: weekends are quieter, weeks longer."""
    days = (period.end - period.start).days
    share = sum(float(WEEK[(period.start.weekday() + day) % 7]) for day in range(days)) / float(WEEK.mean())
    return round(base * share)


def parts(
    agreement: Agreement,
    feed_name: str,
    period: Period,
    *,
    rows: int,
    seed: int,
    at_least: int = 1,
    hide: Sequence[str] = (),
) -> Iterator[Any]:
    """The rows of a delivery as Arrow tables of the agreed columns, in at least so many parts.

    Each part depends on seed, partner, feed, period and its own number alone. People are planted in the first; `hide`
    names the places of `hiding.PLACES` where its free text holds them.
    """
    feed, partner = agreement.feed(feed_name), agreement.partner
    country, simulator = _simulated(partner, feed_name)
    many = max(1, min(rows, at_least), -(-rows // ROWS_A_PART))
    for part in range(many):
        draw = Draw(
            rng=generator(seed, partner, feed_name, period.label, part),
            period=period,
            rows=rows // many + (part < rows % many),
            zone=feed.delivery.zone,
            population=Population(seed, partner, country),
            planted=planted_numbers(seed, partner, feed_name, period.label, how_many(hide)) if part == 0 else (),
            untidy=feed.rows.set_aside_at_most_pct > 0,
            hide=tuple(hide),
        )
        yield _agreed(simulator(draw), feed)


def _agreed(table: Any, feed: Feed) -> Any:
    """The columns that the agreement lists, in its order; one that it merely allows may be left out."""
    unknown = [name for name, column in feed.arriving.items() if column.required and name not in table.column_names]
    if unknown:
        raise AcequiaError("unknown_name", f"nothing simulates the columns {', '.join(unknown)}")
    return table.select([name for name in feed.arriving if name in table.column_names])


def _simulated(partner: str, feed: str) -> tuple[Country, Callable[[Draw], Any]]:
    if (partner, feed) not in FEEDS:
        known = ", ".join(".".join(names) for names in FEEDS)
        raise AcequiaError("unknown_name", f"no simulator for {partner}.{feed}; there are {known}")
    return FEEDS[partner, feed]
