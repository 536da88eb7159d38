"""The reference tables of the invented partners hold what their simulators send; holidays are what the rules say."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from acequia.agreement.columns import Lookup
from acequia.agreement.load import load
from acequia.calendars import COUNTRIES, YEARS
from acequia.simulate import money, rides, scanner, telecom

CONFIG = Path(__file__).resolve().parents[2] / "config"


def rows(name: str) -> list[dict[str, str]]:
    with (CONFIG / "reference" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_cells_shops_zones_and_departments_are_those_of_the_simulators() -> None:
    cells = {row["cell_id"]: (row["district"], row["region"]) for row in rows("cell_to_district")}
    assert cells == telecom.cells()
    departments = {row["code"]: (row["department"], row["region"]) for row in rows("uruguay_departments")}
    assert departments == {code: (name, region) for code, (name, region, _) in money.DEPARTMENTS.items()}
    shops = {row["shop"]: (row["department"], row["region"]) for row in rows("shop_to_department")}
    assert shops == {shop: departments[code] for shop, (code, _) in scanner.SHOPS.items()}
    zones = {row["zone"]: (row["area"], row["district"]) for row in rows("ride_zones")}
    assert zones == {zone: (area, district) for zone, (area, district, *_) in rides.ZONES.items()}


def test_products_have_a_class_that_exists_and_one_is_too_new() -> None:
    classes = {row["code"] for row in rows("coicop_2018")}
    products = rows("product_to_class")
    assert [row["ean"] for row in products] == scanner.codes()[:-1]
    assert [row["coicop_class"] for row in products] == [code for code, *_ in scanner.PRODUCTS.values()]
    assert {row["coicop_class"] for row in products} <= classes
    assert all(row["coicop_division"] == row["coicop_class"][:2] for row in products)


def test_coicop_2018_has_fifteen_divisions() -> None:
    assert [row["code"] for row in rows("coicop_2018") if "." not in row["code"]] == [f"{n:02d}" for n in range(1, 16)]


@pytest.mark.parametrize("path", sorted((CONFIG / "reference").glob("*.csv")), ids=lambda path: path.stem)
def test_keys_are_there_once(path: Path) -> None:
    key = next(iter(rows(path.stem)[0]))
    keys = [row[key] for row in rows(path.stem)]
    assert all(keys)
    assert len(keys) == len(set(keys))


def lookups() -> Iterator[tuple[str, str | None]]:
    for path in sorted((CONFIG / "partners").glob("*.yaml")):
        for feed in load(path).agreement.feeds.values():
            for column in feed.columns.values():
                if isinstance(column.treat, Lookup):
                    yield column.treat.table, column.treat.value


@pytest.mark.parametrize(("table", "value"), sorted(set(lookups()), key=str))
def test_every_lookup_of_an_agreement_has_its_table_and_column(table: str, value: str | None) -> None:
    columns = list(rows(table)[0])
    assert len(columns) > 1
    assert value is None or value in columns[1:]


@pytest.mark.parametrize("country", COUNTRIES)
def test_holidays_cover_whole_years_in_order(country: str) -> None:
    days = [date.fromisoformat(row["date"]) for row in rows(f"holidays_{country}")]
    assert days == sorted(set(days))
    assert {day.year for day in days} == set(YEARS)


@pytest.mark.parametrize(
    ("country", "day", "weekday"),
    [
        ("botswana", "2026-12-28", 0),  # Boxing Day is a Saturday
        ("botswana", "2027-05-06", 3),  # Ascension
        ("botswana", "2028-10-02", 0),  # 1 October is a Sunday
        ("uruguay", "2026-02-16", 0),  # Carnival
        ("uruguay", "2027-10-11", 0),  # 12 October is a Tuesday: the Monday before
        ("uruguay", "2028-05-22", 0),  # 18 May is a Thursday: the Monday after
    ],
)
def test_moved_holidays_are_where_the_rules_put_them(country: str, day: str, weekday: int) -> None:
    assert day in {row["date"] for row in rows(f"holidays_{country}")}
    assert date.fromisoformat(day).weekday() == weekday
