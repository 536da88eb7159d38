"""Look-back checks: which deliveries are likes, what is told, how often it is told for nothing, what is found."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.agreement.promises import History
from acequia.flow import Mix
from acequia.period import Period
from acequia.validate.history import MIX, VOLUME, Like, candidates, deviations, judged
from acequia.validate.history_words import EN, ES

CALM = History()


def like(rows: int, **shares: float) -> Like:
    return Like(rows, rows, {"kind": Mix(empty=0, values={name: round(rows * of) for name, of in shares.items()})})


def failing(now: Like, likes: list[Like], terms: History = CALM) -> set[tuple[str, str | None]]:
    return {(check.name, check.column) for check in judged(now, likes, terms) if not check.passed}


def days(first: str, many: int) -> list[Period]:
    start = date.fromisoformat(first)
    return [Period.holding("day", start + timedelta(days=n)) for n in range(many)]


def test_likes_of_a_day_are_the_same_weekdays_but_holidays():
    monday = Period.parse("2026-11-23")
    off = {date(2026, 11, 9), date(2026, 10, 1), date(2026, 9, 30)}
    found = list(candidates(monday, None, 4, off))
    assert [one.label for one in found] == [
        "2026-11-16", "2026-11-02", "2026-10-26", "2026-10-19", "2026-10-12", "2026-10-05",
    ]  # fmt: skip
    holiday = Period.parse("2026-11-09")
    assert [one.label for one in candidates(holiday, None, 4, off)] == ["2026-10-01", "2026-09-30"]


def test_likes_of_other_periods():
    assert [one.label for one in candidates(Period.parse("2026-11"), "same_month", 2, ())] == [
        "2025-11", "2024-11", "2023-11",
    ]  # fmt: skip
    assert [one.label for one in candidates(Period.parse("2026-W02"), None, 2, ())] == [
        "2026-W01", "2025-W52", "2025-W51",
    ]  # fmt: skip
    december = list(candidates(Period.parse("2026-12-24"), "same_month", 40, ()))
    assert {one.start.month for one in december} == {12}
    assert december[0].label == "2025-12-31"


def test_nothing_is_said_with_few_likes():
    assert judged(like(10, a=1.0), [like(1000, a=1.0)] * 3, CALM) == ()
    assert failing(like(10, a=1.0), [like(1000, a=1.0)] * 4) == {(VOLUME, None)}
    assert failing(like(10, a=1.0), [like(1000, a=1.0)] * 7, History(at_least=8)) == set()


def test_the_limits_are_exactly_those_agreed():
    likes = [like(1000, a=1.0)] * 10
    terms = History(deviations=None)
    assert failing(like(1300, a=1.0), likes, terms) == set()
    assert failing(like(1301, a=1.0), likes, terms) == {(VOLUME, None)}
    assert failing(like(700, a=1.0), likes, terms) == set()
    assert failing(like(699, a=1.0), likes, terms) == {(VOLUME, None)}
    assert judged(like(10, a=1.0), likes, History(volume_pct=None, deviations=None, mix_points=None)) == ()


def test_shares_are_compared_in_points_where_the_rows_are_enough():
    likes = [like(10_000, a=0.5, b=0.5)] * 10
    assert failing(like(10_000, a=0.595, b=0.405), likes) == set()
    assert failing(like(10_000, a=0.605, b=0.395), likes) == {(MIX, "kind")}
    assert failing(like(20, a=0.65, b=0.35), likes) & {(MIX, "kind")} == set()  # 13 of 20 is no news


def test_a_value_that_always_came_and_is_gone_is_told_however_small_its_share():
    likes = [like(10_000, a=0.97, b=0.03)] * 6
    (check,) = [one for one in judged(like(10_000, a=1.0), likes, CALM) if not one.passed]
    assert check.describe == "“b” in no row, where 3.0 % is usual (6 earlier deliveries)"
    assert failing(like(300, a=1.0), [like(300, a=0.97, b=0.03)] * 6) == set()


def test_empty_values_are_a_share_too():
    likes = [Like(1000, 1000, {"note": Mix(empty=10)})] * 5
    (check,) = [one for one in judged(Like(1000, 1000, {"note": Mix(empty=400)}), likes, CALM) if not one.passed]
    assert (check.name, check.column, check.severity) == (MIX, "note", "warn")
    assert check.describe == "empty in 40.0 % of the rows, where 1.0 % is usual (5 earlier deliveries)"


def test_a_column_that_the_likes_do_not_have_is_not_compared():
    now = Like(1000, 1000, {"new": Mix(empty=900)})
    assert [check.name for check in judged(now, [like(1000, a=1.0)] * 9, CALM)] == [VOLUME]


def test_what_follows_is_as_agreed():
    checks = judged(like(1, a=1.0), [like(1000, a=1.0)] * 9, History(then="stop"))
    assert {check.severity for check in checks} == {"stop"}
    assert "1 rows, where 1,000 are usual (100 % fewer; 9 earlier deliveries)" in {one.describe for one in checks}
    assert "1 filas, cuando lo habitual son 1.000 (un 100 % menos; 9 entregas anteriores)" in {
        one.describe for one in judged(like(1, a=1.0), [like(1000, a=1.0)] * 9, CALM, "es")
    }
    assert EN.keys() == ES.keys()


@given(rows=st.integers(1, 10**9), before=st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_distance_is_never_negative_and_zero_only_at_the_middle(rows, before):
    found = deviations(rows, before)
    assert found >= 0
    assert deviations(before[0], [before[0]] * 5) == 0


@given(rows=st.integers(0, 10**6), likes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 50)), max_size=40))
@settings(max_examples=200)
def test_whatever_the_counts_something_is_said(rows, likes):
    past = [Like(many, many, {"kind": Mix(empty=min(odd, many), values={})}) for many, odd in likes]
    for check in judged(Like(rows, rows, {"kind": Mix(empty=0)}), past, CALM):
        assert check.describe
        assert "nan" not in check.describe
        assert "inf" not in check.describe


class Year:
    """A simulated daily feed: noise, a weekly season, holidays, a trend, gaps. `told` judges a day as it would be."""

    def __init__(self, seed: int, *, noise: float = 0.10, trend: float = 0.0, terms: History = CALM) -> None:
        rng = np.random.default_rng(seed)
        self.rng, self.terms = rng, terms
        self.days = days("2025-07-01", 184 + 365)
        self.off = {date(2026, month, day) for month, day in ((1, 1), (4, 3), (5, 1), (7, 18), (8, 25), (12, 25))}
        self.off |= {date(2025, month, day) for month, day in ((7, 18), (8, 25), (12, 25))}
        self.likes: dict[str, Like] = {}
        for n, day in enumerate(self.days):
            if rng.random() < 0.02:
                continue  # a delivery that never came
            weekend = 0.4 if day.start.weekday() >= 5 else 1.0
            season = 0.35 if day.start in self.off else weekend
            self.likes[day.label] = self.make(20_000 * season * (1 + trend) ** (n / 30) * np.exp(rng.normal(0, noise)))

    def make(self, rows: float) -> Like:
        rows = max(1, round(rows))
        kinds = self.rng.multinomial(rows, self.rng.dirichlet([300, 250, 30]))
        mix = Mix(empty=0, values=dict(zip("abc", map(int, kinds), strict=True)))
        return Like(rows, rows, {"kind": mix, "note": Mix(empty=int(self.rng.binomial(rows, 0.2)))})

    def told(self, day: Period, now: Like) -> set[tuple[str, str | None]]:
        past = [self.likes[one.label] for one in candidates(day, None, self.terms.at_most, self.off)
                if one.label in self.likes]  # fmt: skip
        return failing(now, past, self.terms)

    def last_year(self) -> list[Period]:
        return [day for day in self.days[184:] if day.label in self.likes]


@pytest.mark.parametrize(("noise", "trend"), [(0.10, 0.0), (0.10, 0.03), (0.05, 0.0), (0.15, 0.02)])
def test_a_year_without_faults_is_told_of_in_less_than_one_of_a_hundred_deliveries(noise, trend):
    told = judgements = 0
    for seed in range(6):
        year = Year(seed, noise=noise, trend=trend)
        for day in year.last_year():
            judgements += 1
            told += bool(year.told(day, year.likes[day.label]))
    assert judgements > 2000
    assert told / judgements < 0.01, told / judgements


def halved(year: Year, day: Period) -> Like:
    return year.make(year.likes[day.label].rows / 2)


def doubled(year: Year, day: Period) -> Like:
    return year.make(year.likes[day.label].rows * 2)


def without_a_kind(year: Year, day: Period) -> Like:
    now = year.likes[day.label]
    mix = now.mix["kind"]
    rows = now.rows - mix.values["c"]
    return Like(rows, rows, {**now.mix, "kind": Mix(empty=0, values={**mix.values, "c": 0})})


def with_empty_notes(year: Year, day: Period) -> Like:
    now = year.likes[day.label]
    return Like(now.rows, now.rows, {**now.mix, "note": Mix(empty=now.rows // 2)})


@pytest.mark.parametrize(
    ("fault", "expected", "least"),
    [
        (halved, (VOLUME, None), 0.97),
        (doubled, (VOLUME, None), 0.97),
        (without_a_kind, (MIX, "kind"), 0.99),
        (with_empty_notes, (MIX, "note"), 0.99),
    ],
)
def test_faults_are_found(fault, expected, least):
    found = tried = 0
    for seed in range(3):
        year = Year(100 + seed)
        for day in year.last_year():
            if day.start in year.off:
                continue  # holidays have few likes; see the docs
            tried += 1
            found += expected in year.told(day, fault(year, day))
    assert found / tried >= least, found / tried
