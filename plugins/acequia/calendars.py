"""Writes the calendars of config/reference: `python -m acequia.calendars`. A test says when one is stale.

The rules are those of the public `holidays` package (vacanza/holidays, MIT), which only development needs: what runs
reads the tables. What an authority proclaims for one day is in them once the package knows it, or in `PROCLAIMED`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

YEARS = range(2020, 2036)


@dataclass(frozen=True)
class Country:
    """How a country's calendar is made. `kinds` names the package's categories, for a third column."""

    code: str
    kinds: tuple[tuple[str, str], ...] = ()


COUNTRIES = {
    "argentina": Country("AR"),
    "botswana": Country("BW"),
    "brazil": Country("BR"),
    "chile": Country("CL"),
    "colombia": Country("CO"),
    "mexico": Country("MX"),
    "namibia": Country("NA"),
    "paraguay": Country("PY"),
    "peru": Country("PE"),
    "south_africa": Country("ZA"),
    "spain": Country("ES"),
    "united_states": Country("US"),
    "uruguay": Country("UY", (("public", "non_working"), ("bank", "working"))),
}

# Days that the package does not know, by country: the day, then the other columns.
PROCLAIMED: dict[str, dict[date, tuple[str, ...]]] = {}


def table(name: str) -> str:
    """The calendar of a country as CSV: one row per holiday, by date."""
    country, written = COUNTRIES[name], io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(("date", "name", "kind") if country.kinds else ("date", "name"))
    for day, row in sorted(_days(name, country).items()):
        lines.writerow((day.isoformat(), *row))
    return written.getvalue()


def _days(name: str, country: Country) -> dict[date, tuple[str, ...]]:
    import holidays

    found: dict[date, tuple[str, ...]] = {}
    for category, kind in country.kinds or (("public", ""),):
        language = holidays.country_holidays(country.code).default_language
        known = holidays.country_holidays(country.code, years=YEARS, categories=(category,), language=language)
        for day, text in known.items():
            # Two holidays on one day are one row; the first category is the stronger.
            if day.year in YEARS:
                found.setdefault(day, (text, kind) if kind else (text,))
    if name == "uruguay":
        for sunday in _tourism_weeks(found):
            found[sunday - timedelta(days=1)] = found[sunday] = ("Semana de Turismo", "working")
    return PROCLAIMED.get(name, {}) | found


def _tourism_weeks(found: dict[date, tuple[str, ...]]) -> Iterator[date]:
    """The Sundays that end Uruguay's Tourism Week: the package holds its days from Monday to Friday."""
    for day in sorted(found):
        if found[day][0] == "Semana de Turismo" and day.weekday() == 4:
            yield day + timedelta(days=2)


def write(folder: Path) -> None:
    """Write every calendar into a folder of reference tables."""
    for name in COUNTRIES:
        (folder / f"holidays_{name}.csv").write_text(table(name), encoding="utf-8")


if __name__ == "__main__":
    write(Path("config/reference"))
