"""How well promises were kept: per feed and month, the shares of what was due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from acequia.promises.board import Promise

Kept = Literal["on_time", "late", "missing", "refused"]


@dataclass(frozen=True)
class Level:
    """One feed and month: how many periods were due, and what became of them. A period counts to the month of its last
    day, and only once it has arrived or is overdue; `late` counts also those that are still awaited.
    """

    partner: str
    feed: str
    month: str
    due: int
    on_time: int
    late: int
    missing: int
    refused: int
    on_time_pct: float
    hours_late_median: float | None

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def service_level(promises: Iterable[Promise]) -> list[Level]:
    """One row per feed and month in which anything was due, in order."""
    told: dict[tuple[str, str, str], list[Promise]] = {}
    for promise in promises:
        if promise.due_at is not None and promise.state != "expected":
            month = f"{promise.period.last_day:%Y-%m}"
            told.setdefault((promise.partner, promise.feed, month), []).append(promise)
    return [_level(*key, told[key]) for key in sorted(told)]


def kept(promise: Promise) -> Kept:
    """What became of something that was due: the worst that holds of it."""
    if promise.state == "missing":
        return "missing"
    if promise.state in ("refused", "partial"):
        return "refused"
    return "late" if promise.punctuality in ("late", None) else "on_time"


def _level(partner: str, feed: str, month: str, promises: list[Promise]) -> Level:
    became = [kept(promise) for promise in promises]
    hours = [promise.hours_late for promise in promises if promise.hours_late is not None]
    return Level(
        partner=partner,
        feed=feed,
        month=month,
        due=len(promises),
        on_time=became.count("on_time"),
        late=became.count("late"),
        missing=became.count("missing"),
        refused=became.count("refused"),
        on_time_pct=round(100 * became.count("on_time") / len(promises), 1),
        hours_late_median=round(median(hours), 2) if hours else None,
    )
