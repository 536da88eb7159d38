"""Periods: the interval that a delivery covers, written `2026-11-21`, `2026-W47`, `2026-11`, `2026-Q4` or `2026`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from acequia.errors import AcequiaError

PeriodKind = Literal["day", "week", "month", "quarter", "year"]

_PATTERNS: dict[PeriodKind, re.Pattern[str]] = {
    "day": re.compile(r"(\d{4})-(\d{2})-(\d{2})"),
    "week": re.compile(r"(\d{4})-W(\d{2})"),
    "month": re.compile(r"(\d{4})-(\d{2})"),
    "quarter": re.compile(r"(\d{4})-Q([1-4])"),
    "year": re.compile(r"(\d{4})"),
}


@dataclass(frozen=True, order=True)
class Period:
    """A half-open interval of local days, `start <= day < end`. Ordered by start, then length."""

    start: date
    end: date
    kind: PeriodKind

    @classmethod
    def parse(cls, label: str, kind: PeriodKind | None = None) -> Period:
        """Read a label; with `kind`, a label of another kind is an error (`usage`)."""
        for known, pattern in _PATTERNS.items():
            match = pattern.fullmatch(label)
            if match and kind in (None, known):
                try:
                    return cls.holding(known, _first_day(known, [int(part) for part in match.groups()]))
                except ValueError:
                    break
        wanted = f"a {kind}, such as {_EXAMPLES[kind]}" if kind else "a period, such as 2026-11-21, 2026-W47 or 2026-11"
        raise AcequiaError("usage", f"{label!r} is not {wanted}")

    @classmethod
    def holding(cls, kind: PeriodKind, day: date) -> Period:
        """The period of that kind that holds the day."""
        if kind == "day":
            return cls(day, day + timedelta(days=1), kind)
        if kind == "week":
            monday = day - timedelta(days=day.weekday())
            return cls(monday, monday + timedelta(days=7), kind)
        if kind == "year":
            return cls(date(day.year, 1, 1), date(day.year + 1, 1, 1), kind)
        months = 1 if kind == "month" else 3
        first = (day.month - 1) // months * months + 1
        start = date(day.year, first, 1)
        end = date(day.year + (first + months > 12), (first + months - 1) % 12 + 1, 1)
        return cls(start, end, kind)

    @property
    def label(self) -> str:
        """The period as it is written everywhere: file names, partition keys, tables."""
        if self.kind == "day":
            return self.start.isoformat()
        if self.kind == "week":
            year, week, _ = self.start.isocalendar()
            return f"{year:04d}-W{week:02d}"
        if self.kind == "quarter":
            return f"{self.start.year:04d}-Q{(self.start.month + 2) // 3}"
        return f"{self.start.year:04d}" if self.kind == "year" else f"{self.start:%Y-%m}"

    def __str__(self) -> str:
        """The label."""
        return self.label

    @property
    def last_day(self) -> date:
        """The last day inside the period."""
        return self.end - timedelta(days=1)

    def next(self) -> Period:
        """The period after this one."""
        return Period.holding(self.kind, self.end)

    def previous(self) -> Period:
        """The period before this one."""
        return Period.holding(self.kind, self.start - timedelta(days=1))

    def within(self, kind: PeriodKind) -> Period:
        """The longer period that this one counts to. A week counts to the month of its Thursday (ISO 8601)."""
        day = self.start + timedelta(days=3) if self.kind == "week" else self.start
        return Period.holding(kind, day)

    def parts(self, kind: PeriodKind) -> tuple[Period, ...]:
        """The shorter periods that count to this one, in order."""
        part, parts = Period.holding(kind, self.start), []
        while part.start < self.end:
            if part.within(self.kind) == self:
                parts.append(part)
            part = part.next()
        return tuple(parts)


_EXAMPLES: dict[str, str] = dict(
    zip(get_args(PeriodKind), ("2026-11-21", "2026-W47", "2026-11", "2026-Q4", "2026"), strict=True)
)


def _first_day(kind: PeriodKind, numbers: list[int]) -> date:
    if kind == "week":
        return date.fromisocalendar(numbers[0], numbers[1], 1)
    if kind == "quarter":
        return date(numbers[0], 3 * numbers[1] - 2, 1)
    return date(*(numbers + [1, 1])[:3])
