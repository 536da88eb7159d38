"""Attacks by comparison on real invoices, at a threshold of 10: none succeeds, and without protection many do.

The check is pandas on the source rows, and knows nothing of how cells are chosen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from acequia.disclose import suppress as choice
from acequia.disclose.layers import Pattern, Problem
from acequia.period import Period
from tests.real.releasing import CONTINENTS, TABLE, THRESHOLD, Office, disclosive, invoices, shown

pytestmark = [pytest.mark.real, pytest.mark.stack]
MONTH = {**TABLE, "over": "month", "release": "each_delivery"}
PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "switched-off"])


@pytest.fixture(autouse=True)
def _switched_off(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.node.callspec.params["protected"]:
        monkeypatch.setattr(choice, "suppress", _as_it_is)


def _as_it_is(problem: Problem) -> Pattern:
    return Pattern(problem.withheld, "none", 0.0, 0.0, {})


@PROTECTED
def test_month_to_date_day_after_day(tmp_path: Path, retail_files: Path, *, protected: bool) -> None:
    rows = invoices(retail_files, "2011-01-01", "2011-01-23")
    office = Office(tmp_path / "office", rows, {"m": MONTH}, protected)
    days, before, found, compared = office.days(), None, [], 0
    for number, day in enumerate(days, 1):
        release = office.release("m", "2011-01", days[:number])
        if before is not None:
            found += disclosive(before, release, rows[rows.day == day.period])
            compared += len(shown(before).keys() & shown(release).keys())
        before = release
    assert compared >= 15  # something is left to compare: withholding everything would be no protection
    assert (found == []) == protected


@PROTECTED
def test_weeks_against_the_month(tmp_path: Path, retail_files: Path, *, protected: bool) -> None:
    rows = invoices(retail_files, "2011-05-01", "2011-05-31", by_product=True)
    office = Office(tmp_path / "office", rows, {"w": {**TABLE, "over": "week"}, "m": MONTH}, protected)
    days = office.days()
    weeks: list[pd.DataFrame] = []
    for number in range(18, 22):
        monday = Period.parse(f"2011-W{number}")
        inside = [day for day in days if monday.start.isoformat() <= day.period < monday.end.isoformat()]
        weeks.append(office.release("w", monday.label, inside).assign(days=",".join(day.period for day in inside)))
    month = office.release("m", "2011-05", days)
    found = []
    for country in sorted(shown(month)):
        taken = {day for week in weeks if country in shown(week) for day in week.days.iloc[0].split(",")}
        left = rows[(rows.country == country) & ~rows.day.isin(taken)].customer.nunique()
        found += [country] if taken and 0 < left < THRESHOLD else []
    assert len(shown(month)) >= 1
    assert (found == []) == protected


@PROTECTED
def test_a_month_restated_without_and_with_its_last_day(tmp_path: Path, retail_files: Path, *, protected: bool) -> None:
    found, compared = [], 0
    for month in ("2010-12", "2011-02", "2011-05"):
        rows = invoices(retail_files, f"{month}-01", f"{month}-31")
        office = Office(tmp_path / month, rows, {"m": MONTH}, protected)
        days = office.days()
        first, second = office.release("m", month, days[:-1]), office.release("m", month, days)
        found += disclosive(first, second, rows[rows.day == days[-1].period])
        compared += len(shown(first).keys() & shown(second).keys())
    assert compared >= 3
    assert (found == []) == protected


@PROTECTED
def test_a_corrected_day(tmp_path: Path, retail_files: Path, *, protected: bool) -> None:
    rows = invoices(retail_files, "2011-02-01", "2011-02-28")
    office = Office(tmp_path / "office", rows, {"m": MONTH}, protected)
    days = office.days()
    wrong = rows[rows.day == days[3].period]
    gone = set(wrong.customer.unique()[:4])
    corrected = office.correct(days[3].period, wrong[~wrong.customer.isin(gone)])
    first = office.release("m", "2011-02", days)
    second = office.release("m", "2011-02", [*days[:3], corrected, *days[4:]])
    found = disclosive(first, second, wrong[wrong.customer.isin(gone)])
    assert (found == []) == protected
    assert shown(second)


@PROTECTED
def test_a_region_less_its_towns(tmp_path: Path, retail_files: Path, *, protected: bool) -> None:
    table: dict[str, Any] = {**MONTH, "hierarchy": {"country": ("world", "continent", "country")}}
    found, regions = [], 0
    for month in ("2010-12", "2011-03", "2011-06"):
        rows = invoices(retail_files, f"{month}-01", f"{month}-31")
        office = Office(tmp_path / month, rows, {"m": table}, protected)
        release = shown(office.release("m", month, office.days()))
        rows = rows.assign(continent=[CONTINENTS.get(country, "Europe") for country in rows.country])
        for name, inside in rows.groupby("continent"):
            if name in release:
                regions += 1
                left = inside[~inside.country.isin(release)].customer.nunique()
                one_off = [
                    town for town in inside.country.unique()
                    if town in release and 0 < release[str(name)] - release[town] < THRESHOLD
                ]  # fmt: skip
                found += [str(name)] if 0 < left < THRESHOLD or one_off else []
    assert regions >= 1
    assert (found == []) == protected
