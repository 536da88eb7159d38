"""Calendars of holidays: made by their program, whole years, and an error beyond them."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from acequia.agreement.calendar import DaysOff, expected, holidays
from acequia.agreement.load import find
from acequia.calendars import COUNTRIES, YEARS, table
from acequia.checking import check
from acequia.errors import AcequiaError
from acequia.ledger.book import Ledger
from acequia.opening import ledger_of
from acequia.period import Period
from acequia.promises.board import board
from acequia.settings import Settings

REFERENCE = Path(__file__).resolve().parents[2] / "config" / "reference"


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_tables_are_what_their_program_writes(country: str) -> None:
    stored = (REFERENCE / f"holidays_{country}.csv").read_text(encoding="utf-8")
    assert stored == table(country), "run `python -m acequia.calendars`"


def test_a_calendar_answers_for_its_years_alone() -> None:
    known = holidays(REFERENCE, "botswana")
    assert isinstance(known, DaysOff) and known.years == YEARS
    assert date(YEARS[-1], 12, 25) in known and date(YEARS[-1], 12, 31) not in known
    for beyond in (date(YEARS[0] - 1, 12, 31), date(YEARS[-1] + 1, 1, 1)):
        with pytest.raises(AcequiaError, match=f"2020 to 2035, and {beyond.year} is asked for") as stopped:
            beyond in known  # noqa: B015
        assert stopped.value.code == "calendar_ended"


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """An installation whose one agreement never ends, with a calendar that does."""
    shutil.copytree(REFERENCE, tmp_path / "reference")
    (tmp_path / "partners").mkdir()
    text = (REFERENCE.parent / "partners" / "pula_mobile.yaml").read_text(encoding="utf-8")
    assert "expires_on: 2028-02-29" in text and "calendar: botswana" in text
    text = text.replace("expires_on: 2028-02-29", "expires_on: 2060-02-29")
    (tmp_path / "partners" / "pula_mobile.yaml").write_text(text, encoding="utf-8")
    return Settings.from_environment({"ACEQUIA_HOME": str(tmp_path / "home"), "ACEQUIA_CONFIG": str(tmp_path)})


def asked(settings: Settings, book: Ledger, day: date) -> str:
    found = find(settings.partners, "pula_mobile")
    return board([[found]], settings.reference, book, day, day, datetime(2036, 6, 1, tzinfo=UTC))[0].state


def test_states_are_refused_beyond_the_calendar(own: Settings) -> None:
    book = ledger_of(own)
    assert asked(own, book, date(2035, 12, 31)) == "missing"
    assert asked(own, book, date(2035, 12, 26)) == "not_due"
    with pytest.raises(AcequiaError) as stopped:
        asked(own, book, date(2036, 1, 1))
    assert stopped.value.code == "calendar_ended"
    terms = find(own.partners, "pula_mobile").agreement.feed("events").delivery
    with pytest.raises(AcequiaError):
        terms.is_due(Period.parse("2036-01-01"), holidays(own.reference, "botswana"))
    assert list(expected(terms, date(2036, 1, 1), date(2036, 1, 1)))  # without a calendar every day is one


@pytest.mark.parametrize(("today", "warned"), [(date(2034, 12, 30), False), (date(2035, 1, 1), True),
                                              (date(2036, 1, 1), True)])  # fmt: skip
def test_it_is_told_a_year_before(own: Settings, today: date, warned: bool) -> None:
    told = [one for one in check(own, today=today) if one.place == "feeds.events.delivery.calendar"]
    assert [one.severity for one in told] == ["warning"] * warned
    assert all("2035" in one.message for one in told)
