"""A delivery beside those that were accepted before it: is it as large, is it made of the same?

Pure: which earlier periods are its likes, and what follows from their counts. Nothing but counts, shares and values
that the agreement lists is read or told.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, median, stdev
from typing import Literal

from acequia.agreement.promises import History
from acequia.flow import Check, Mix
from acequia.period import Period
from acequia.validate.history_words import WORDS
from acequia.words.figures import Language, figure, percent

VOLUME, MIX = "history:volume", "history:mix"
YEARS_BACK = 12
# Of likes that are many, the few that lie furthest out are left out of the spread: they were odd days themselves.
_TRIMMED = 0.1
# A value that every like had is missed only if chance alone would not leave it out of so many rows.
_EXPECTED_ROWS = 20
_CHANCE = 4.0


@dataclass(frozen=True)
class Like:
    """What is remembered of a delivery: its rows as they arrived, those that passed the gate, and their mix."""

    rows: int
    passed: int
    mix: Mapping[str, Mix]


def candidates(
    period: Period, like: Literal["same_weekday", "same_month", "any"] | None, at_most: int, days_off: Collection[date]
) -> Iterator[Period]:
    """The earlier periods whose deliveries are likes of this one's, the latest first; at most twelve years back.

    Half as many again as are looked at are named, since for some nothing was delivered.

    Args:
        period: whose delivery is judged.
        like: as agreed; by default the same weekday for daily feeds, any period for others.
        at_most: how many likes are looked at.
        days_off: the known holidays: for `same_weekday` they are likes of each other, and of no other day.
    """
    by = like or ("same_weekday" if period.kind == "day" else "any")
    first = period.start - timedelta(days=round(YEARS_BACK * 365.25))
    earlier, left = period.previous(), at_most + at_most // 2
    while left and earlier.start >= first:
        if _alike(earlier, period, by, days_off):
            yield earlier
            left -= 1
        earlier = earlier.previous()


def _alike(earlier: Period, period: Period, by: str, days_off: Collection[date]) -> bool:
    if by == "any":
        return True
    if by == "same_month":
        return earlier.start.month == period.start.month and earlier.start.year < period.start.year
    if period.kind != "day":
        return True
    if period.start in days_off or earlier.start in days_off:
        return period.start in days_off and earlier.start in days_off
    return earlier.start.weekday() == period.start.weekday()


def judged(now: Like, likes: Sequence[Like], terms: History, language: Language = "en") -> tuple[Check, ...]:
    """What is to be said of a delivery beside its likes; nothing where they are fewer than `at_least`.

    One check `history:volume` of all rows, and one `history:mix` of each column that was measured now and in enough
    likes. One that fails names counts, shares and agreed values; its severity is what the agreement says follows.
    """
    latest = likes[: terms.at_most]
    if len(latest) < terms.at_least:
        return ()
    words, severity = WORDS[language], terms.then
    checks = []
    if terms.volume_pct is not None or terms.deviations is not None:
        told = _volume(now.rows, [like.rows for like in latest], terms, language)
        checks.append(_check(VOLUME, None, told, words["volume_ok"], severity))
    if terms.mix_points is not None:
        for column, mix in now.mix.items():
            others = [(like.mix[column], like.passed) for like in latest if column in like.mix and like.passed]
            if len(others) >= terms.at_least and now.passed:
                told = "; ".join(_mix(mix, now.passed, others, terms, language))
                checks.append(_check(MIX, column, told, words["mix_ok"], severity))
    return tuple(checks)


def _check(name: str, column: str | None, told: str, well: str, severity: Literal["warn", "stop"]) -> Check:
    return Check(name=name, column=column, passed=not told, describe=told or well, severity=severity)


def _volume(rows: int, before: Sequence[int], terms: History, language: Language) -> str:
    """What is odd about the number of rows; empty if nothing is. It is odd if every limit that is agreed is passed."""
    words, usual = WORDS[language], median(before)
    pct = math.inf if usual == 0 and rows else 0.0 if usual == 0 else 100 * (rows - usual) / usual
    if terms.volume_pct is not None and abs(pct) <= terms.volume_pct:
        return ""
    if terms.deviations is not None and deviations(rows, before) <= terms.deviations:
        return ""
    which = "more" if rows > usual else "fewer"
    size = "" if math.isinf(pct) else words[which].format(pct=figure(abs(pct), language, ",.0f"))
    told = {"rows": figure(rows, language), "usual": figure(round(usual), language), "likes": len(before)}
    return words["volume"].format(size=size, **told)


def deviations(rows: int, before: Sequence[int]) -> float:
    """How many standard deviations a number of rows lies from the mean of others, by ratios: half is as far as double.

    Of ten or more others the outermost tenth does not count to mean and spread.
    """
    logs = [math.log1p(many) for many in before]
    middle = median(logs)
    kept = sorted(logs, key=lambda log: abs(log - middle))[: len(logs) - int(len(logs) * _TRIMMED)]
    # The mean of few is itself uncertain.
    spread = stdev(kept) * math.sqrt(1 + 1 / len(kept)) if len(kept) > 1 else 0.0
    distance = abs(math.log1p(rows) - fmean(kept))
    return distance / spread if spread > 1e-12 else (math.inf if distance > 1e-12 else 0.0)


def _mix(now: Mix, rows: int, before: Sequence[tuple[Mix, int]], terms: History, language: Language) -> Iterator[str]:
    """What is odd about the shares of a column's values, each in words."""
    words = WORDS[language]
    values = sorted({value for mix, _ in before for value in mix.values} | set(now.values))
    for value in (None, *values):
        many = now.empty if value is None else now.values.get(value, 0)
        shares = [(mix.empty if value is None else mix.values.get(value, 0)) / of for mix, of in before]
        usual, share = fmean(shares), many / rows
        named = words["empty"] if value is None else words["value"].format(value=value)
        told = {"named": named, "share": percent(100 * share, language), "usual": percent(100 * usual, language),
                "likes": len(before)}  # fmt: skip
        if value is not None and many == 0 and min(shares) > 0 and usual * rows >= _EXPECTED_ROWS:
            yield words["gone"].format(**told)
        elif 100 * abs(share - usual) > (terms.mix_points or 0) and _beyond_chance(share, usual, shares, rows):
            yield words["share"].format(**told)


def _beyond_chance(share: float, usual: float, shares: Sequence[float], rows: int) -> bool:
    """Whether so few rows, and likes that differ so much among themselves, leave more than chance."""
    by_rows = max(usual * (1 - usual), 1 / rows) / rows
    spread = stdev(shares) if len(shares) > 1 else 0.0
    return abs(share - usual) > _CHANCE * math.sqrt(by_rows + spread**2 * (1 + 1 / len(shares)))
