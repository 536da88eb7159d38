"""Every treatment at its boundaries. The registry is enumerated: one without a case here fails by name."""

# ruff: noqa: DTZ001  (local times are the point)

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.agreement.columns import Column
from acequia.agreement.treatments import CHOICES
from acequia.engine.duck import connect
from acequia.protect.parsing import SQL_TYPE
from acequia.protect.treatments import TREATMENTS, Place

AT = datetime(2026, 11, 22, 13, 45, 59, 999999)  # a Sunday
D = date(2026, 11, 22)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with connect("500MB", tmp_path_factory.mktemp("engine")) as connection:
        yield connection


# (type, treatment) -> [(value, what becomes of it)], and the type of the result.
CASES: dict[str, list[tuple[str, Any, str, list[tuple[Any, Any]]]]] = {
    "drop": [],
    "keep": [
        ("string", "keep", "string", [("ñ 'x'", "ñ 'x'"), ("", ""), (None, None)]),
        ("integer", "keep", "integer", [(-1, -1)]),
        ("timestamp", "keep", "timestamp", [(AT, AT)]),
        ("boolean", "keep", "boolean", [(False, False)]),
    ],
    "truncate_to": [
        ("timestamp", {"truncate_to": "minute"}, "timestamp", [(AT, datetime(2026, 11, 22, 13, 45)), (None, None)]),
        ("timestamp", {"truncate_to": "hour"}, "timestamp", [(AT, datetime(2026, 11, 22, 13))]),
        ("timestamp", {"truncate_to": "day"}, "timestamp", [(AT, datetime(2026, 11, 22))]),
        ("timestamp", {"truncate_to": "week"}, "timestamp", [
            (AT, datetime(2026, 11, 16)), (datetime(2026, 11, 23), datetime(2026, 11, 23)),
            (datetime(2026, 1, 1), datetime(2025, 12, 29)),
        ]),
        ("timestamp", {"truncate_to": "month"}, "timestamp", [(AT, datetime(2026, 11, 1))]),
        ("timestamp", {"truncate_to": "quarter"}, "timestamp", [
            (AT, datetime(2026, 10, 1)), (datetime(2026, 9, 30, 23), datetime(2026, 7, 1)),
        ]),
        ("timestamp", {"truncate_to": "year"}, "timestamp", [(AT, datetime(2026, 1, 1))]),
        ("date", {"truncate_to": "week"}, "date", [(D, date(2026, 11, 16)), (None, None)]),
        ("date", {"truncate_to": "quarter"}, "date", [(D, date(2026, 10, 1))]),
        ("date", {"truncate_to": "hour"}, "date", [(D, D)]),
    ],
    "part": [
        ("timestamp", {"part": "hour"}, "integer", [(AT, 13), (datetime(2026, 1, 1), 0), (None, None)]),
        ("timestamp", {"part": "weekday"}, "integer", [(AT, 7), (datetime(2026, 11, 23), 1)]),
        ("timestamp", {"part": "month"}, "integer", [(AT, 11)]),
        ("date", {"part": "year"}, "integer", [(D, 2026)]),
        ("date", {"part": "weekday"}, "integer", [(D, 7)]),
    ],
    "band": [
        ("integer", {"band": (0.0, 18.0, 65.0)}, "string", [
            (-1, "<0"), (0, "0..18"), (17, "0..18"), (18, "18..65"), (64, "18..65"), (65, "65+"), (10**18, "65+"),
            (None, None),
        ]),
        ("number", {"band": (-1.5, 0.25)}, "string", [
            (-1.51, "<-1.5"), (-1.5, "-1.5..0.25"), (0.2499999, "-1.5..0.25"), (0.25, "0.25+"), (None, None),
        ]),
        ("number", {"band": (1000.0,)}, "string", [(999.99, "<1000"), (1000.0, "1000+")]),
    ],
    "round_to": [
        ("number", {"round_to": 0.5}, "number", [
            (0.24, 0.0), (0.25, 0.5), (0.74, 0.5), (0.75, 1.0), (-0.25, -0.5), (-0.24, 0.0), (0.0, 0.0), (None, None),
        ]),
        ("number", {"round_to": 0.1}, "number", [(0.15, 0.2), (0.25, 0.3), (1.005, 1.0), (-0.15, -0.2), (2.45, 2.5)]),
        ("number", {"round_to": 0.05}, "number", [(1.025, 1.05), (1.0249, 1.0)]),
        ("number", {"round_to": 10.0}, "number", [(4.99, 0.0), (5.0, 10.0), (-5.0, -10.0), (1e18, 1e18), (1e300, 1e300),
        ]),
        ("integer", {"round_to": 5.0}, "integer", [
            (2, 0), (3, 5), (-2, 0), (-3, -5), (7, 5), (8, 10), (2**62, 2**62 + 1), (None, None),
        ]),
        ("integer", {"round_to": 10.0}, "integer", [(5, 10), (4, 0), (-5, -10), (15, 20), (25, 30)]),
        ("integer", {"round_to": 2.5}, "number", [(1, 0.0), (2, 2.5), (6, 5.0)]),
    ],
    "top_code": [
        ("integer", {"top_code": 60.0}, "integer", [(59, 59), (60, 60), (61, 60), (-5, -5), (None, None)]),
        ("integer", {"top_code": 60.5}, "number", [(60, 60.0), (61, 60.5), (None, None)]),
        ("number", {"top_code": 150000.0}, "number", [(150000.0, 150000.0), (150000.01, 150000.0), (None, None)]),
    ],
    "first": [
        ("string", {"first": 2}, "string", [("ñandú", "ña"), ("x", "x"), ("", ""), (None, None), ("€😀x", "€😀")]),
        ("string", {"first": 64}, "string", [("short", "short")]),
    ],
    "seconds_since": [
        ("timestamp", {"seconds_since": "began at"}, "number", [
            (AT, (AT - datetime(2026, 11, 22)).total_seconds()), (datetime(2026, 11, 22), 0.0),
            (datetime(2026, 11, 21, 23, 59, 59, 500000), -0.5), (None, None),
        ]),
    ],
    "pseudonym": [("string", "pseudonym", "string", [("looked up", "looked up"), (None, None)])],
    "scrub_text": [("string", "scrub_text", "string", [("looked up", "looked up"), (None, None)])],
    "lookup": [("string", {"lookup": "cells"}, "string", [("found", "found"), (None, "_U")])],
}  # fmt: skip


def test_every_treatment_of_the_agreement_is_here_and_has_cases():
    assert set(TREATMENTS) == set(CHOICES)
    assert sorted(set(CASES) ^ set(TREATMENTS)) == []
    assert [name for name, cases in CASES.items() if not cases] == ["drop"]


def treated(engine: Any, kind: str, treat: Any, values: list[Any], other: Any = None) -> tuple[str, list[Any]]:
    column = Column.model_validate({"type": kind, "treat": treat})
    place = Place('"a column"', '"a column"', {"began at": "other"})
    result = TREATMENTS[column.treatment](column, place)
    assert result is not None
    sql_type = SQL_TYPE[kind]  # type: ignore[index]
    engine.execute(f'CREATE OR REPLACE TEMP TABLE given (place INTEGER, "a column" {sql_type}, other TIMESTAMP)')
    engine.executemany("INSERT INTO given VALUES (?, ?, ?)", [(n, value, other) for n, value in enumerate(values)])
    found = engine.execute(f"SELECT typeof({result.sql}), {result.sql} FROM given ORDER BY place").fetchall()
    assert {row[0] for row in found} == {SQL_TYPE[result.type]}
    return result.type, [row[1] for row in found]


@pytest.mark.parametrize(
    ("kind", "treat", "becomes", "cases"),
    [case for cases in CASES.values() for case in cases],
    ids=[f"{kind} {treat}" for cases in CASES.values() for kind, treat, _, _ in cases],
)
def test_what_becomes_of_values(engine, kind, treat, becomes, cases):
    result, found = treated(engine, kind, treat, [value for value, _ in cases], datetime(2026, 11, 22))
    assert result == becomes
    assert list(zip([value for value, _ in cases], found, strict=True)) == cases


def test_nothing_remains_of_a_dropped_column():
    assert TREATMENTS["drop"](Column.model_validate({"type": "string", "treat": "drop"}), Place("x")) is None


def test_seconds_since_a_missing_time_are_missing(engine):
    assert treated(engine, "timestamp", {"seconds_since": "began at"}, [AT], None)[1] == [None]


def test_rounding_is_half_away_from_zero_as_on_paper(engine):
    tenths = [n / 100 for n in range(-300, 300)]
    expected = [float(Decimal(str(n)).quantize(Decimal("0.1"), ROUND_HALF_UP)) for n in tenths]
    assert treated(engine, "number", {"round_to": 0.1}, tenths)[1] == expected


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=20),
    step=st.sampled_from([0.01, 0.05, 0.25, 0.5, 1.0, 3.0, 10.0, 1000.0]),
)
def test_a_rounded_value_is_a_multiple_and_near(engine, values, step):
    for value, rounded in zip(values, treated(engine, "number", {"round_to": step}, values)[1], strict=True):
        assert abs(value - rounded) <= step / 2 + abs(value) * 1e-12 + 1e-9
        assert math.isclose(rounded / step, round(rounded / step), rel_tol=1e-12, abs_tol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30),
    edges=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_every_value_lies_in_its_band(engine, values, edges):
    bands = treated(engine, "integer", {"band": tuple(map(float, edges))}, values)[1]
    for value, band in zip(values, bands, strict=True):
        if band.startswith("<"):
            assert value < int(band[1:])
        elif band.endswith("+"):
            assert value >= int(band[:-1])
        else:
            low, high = band.split("..")
            assert int(low) <= value < int(high)
