"""Each transform against an example computed by hand. Rows are written as SQL values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acequia.engine.duck import connect
from acequia.engine.transforms import load, transforms
from acequia.errors import AcequiaError


def run(name: str, columns: str, rows: list[str], tmp_path: Path, select: str = "*") -> list[tuple[Any, ...]]:
    with connect("1GB", tmp_path, threads=1) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT * FROM (VALUES {', '.join(rows)}) AS v({columns})")
        return connection.execute(f"SELECT {select} FROM ({load(name)('t')}) ORDER BY ALL").fetchall()


def test_every_transform_is_listed_and_tested_here() -> None:
    assert set(transforms()) == {
        "energy.complete_days",
        "mobility.active_subscribers",
        "mobility.home_district",
        "payments.completed_only",
        "prices.unit_values",
        "trips.valid_trips",
    }
    assert all(function.__doc__ and "One row per" in function.__doc__ for function in transforms().values())


@pytest.mark.parametrize("name", ["trips.nothing", "os.getcwd", "trips.LONGEST_TRIP_S", "acequia.run"])
def test_other_names_are_refused_with_the_list(name: str) -> None:
    with pytest.raises(AcequiaError, match=r"trips\.valid_trips") as refused:
        load(name)
    assert refused.value.code == "agreement_invalid"


def test_machines_are_left_out_with_all_their_events(tmp_path: Path) -> None:
    at = "TIMESTAMP '2026-11-16 10:00:00'"
    person = [f"('person', {at})"] * 300
    machine = [f"('machine', {at})"] * 301 + ["('machine', TIMESTAMP '2026-11-16 12:00:00')"]
    nobody = [f"(NULL, {at})"] * 301
    left = run("mobility.active_subscribers", "msisdn, started_hour", person + machine + nobody, tmp_path, "msisdn")
    assert left == [("person",)] * 300 + [(None,)] * 301


def test_home_is_where_the_nights_are(tmp_path: Path) -> None:
    def event(person: str, when: str, district: str | None) -> str:
        return f"('{person}', TIMESTAMP '2026-11-{when}:00:00', {'NULL' if district is None else repr(district)})"

    rows = [
        # a: two nights in Kweneng (20:00 and the following 08:00 are one night), three night events in Gaborone on one
        *(event("a", when, "Kweneng") for when in ("16 20", "17 08", "17 23")),
        *(event("a", when, "Gaborone") for when in ("18 19", "18 20", "18 21")),
        *(event("a", when, "Gaborone") for when in ("16 09", "17 12", "19 18")),  # by day: does not count
        # b: one night each; Serowe has more events
        event("b", "16 22", "Gaborone"), event("b", "17 22", "Serowe"), event("b", "17 23", "Serowe"),
        # c: a perfect tie goes to the first by name
        event("c", "16 22", "Maun"), event("c", "17 22", "Lobatse"),
        # d: only by day; e: only unknown
        event("d", "16 12", "Maun"), event("e", "16 22", "_U"), event("e", "16 22", None),
    ]  # fmt: skip
    assert run("mobility.home_district", "msisdn, started_hour, district", rows, tmp_path) == [
        ("a", "Kweneng", 2),
        ("b", "Serowe", 1),
        ("c", "Lobatse", 1),
    ]


def test_only_completed_payments_stay(tmp_path: Path) -> None:
    rows = ["(1, 'completed')", "(2, 'Completed')", "(3, 'failed')", "(4, 'reversed')", "(5, NULL)"]
    assert run("payments.completed_only", "id, status", rows, tmp_path, "id") == [(1,), (2,)]


def test_unit_values_are_of_what_was_sold(tmp_path: Path) -> None:
    # two sales at 10 and 12: (2 * 10 + 3 * 12) / 5 = 11.2; a return, a void and a gift do not count
    rows = ["(2.0, 10.0)", "(3.0, 12.0)", "(-1.0, 12.0)", "(0.0, 12.0)", "(1.0, 0.0)", "(NULL, 5.0)"]
    found = run("prices.unit_values", "quantity, price", rows, tmp_path, "sum(turnover), sum(quantity)")
    assert [float(value) for value in found[0]] == [56.0, 5.0]


def test_trips_at_their_bounds(tmp_path: Path) -> None:
    rows = [
        "(1, 1, 0.1, 0.5)", "(2, 10800, 40.0, 90.0)",  # shortest and longest
        "(3, 0, 1.0, 5.0)", "(4, -60, 1.0, 5.0)", "(5, 10801, 1.0, 5.0)", "(6, 600, 0.0, 5.0)", "(7, 600, 1.0, 0.0)",
        "(8, 600, 1.0, -5.0)", "(9, NULL, 1.0, 5.0)",
    ]  # fmt: skip
    assert run("trips.valid_trips", "id, duration_s, distance, fare", rows, tmp_path, "id") == [(1,), (2,)]


def test_days_with_gaps_are_left_out(tmp_path: Path) -> None:
    def day(meter: str, readings: int) -> list[str]:
        times = (f"TIMESTAMP '2026-11-16' + INTERVAL {30 * number} MINUTE" for number in range(readings))
        return [f"('{meter}', {time}, 0.25)" for time in times]

    gap = ["('null', TIMESTAMP '2026-11-16 23:30:00', NULL)", "('twice', TIMESTAMP '2026-11-16 00:00:00', 0.25)"]
    rows = day("whole", 48) + day("enough", 46) + day("gaps", 45) + day("null", 45) + day("twice", 45) + gap
    found = run("energy.complete_days", "meter, read_at, consumption_kwh", rows, tmp_path, "meter")
    assert found == [("enough",)] * 46 + [("whole",)] * 48
