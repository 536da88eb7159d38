"""What the demonstration delivers: a week of days, two weeks, one month; one delivery is refused, one is sent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from acequia.period import Period

WEEK = Period.parse("2026-W46")
MONTH = Period.parse("2026-10")
SEED = 2026


@dataclass(frozen=True)
class Delivery:
    """One delivery to make: `bad` names a kind of bad delivery, `again` other content sent after the first."""

    partner: str
    feed: str
    period: Period
    rows: int
    bad: str | None = None
    again: bool = False

    @property
    def dag_id(self) -> str:
        """The DAG that takes it in."""
        return f"{self.partner}.{self.feed}"

    def __str__(self) -> str:
        """For the progress lines."""
        return f"{self.dag_id} {self.period}"


def plan(rows: int) -> list[Delivery]:
    """All deliveries, in the order in which they are started; `rows` is the size of a daily one."""
    return list(_plan(rows))


def _plan(rows: int) -> Iterator[Delivery]:
    for day in WEEK.parts("day"):
        refused = "wrong_checksum" if day.label == "2026-11-13" else None
        yield Delivery("pula_mobile", "events", day, 2 * rows, bad=refused, again=day.label == "2026-11-10")
    for day in WEEK.parts("day"):
        yield Delivery("ceibo_pay", "transactions", day, rows)
    for week in (WEEK.previous(), WEEK):
        yield Delivery("rambla_market", "scanner", week, 3 * rows)
    for feed in ("trips", "driver_hours"):
        yield Delivery("kgale_rides", feed, MONTH, 3 * rows)
