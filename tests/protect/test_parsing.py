"""The table of types: what is read from text and from typed columns, and what is not."""

# ruff: noqa: DTZ001  (local times are the point)

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.engine.duck import connect
from acequia.protect import parsing
from acequia.protect.parsing import Manner
from acequia.receive.formats.opened import Arriving, kind_of

GABORONE, MONTEVIDEO, NEW_YORK = "Africa/Gaborone", "America/Montevideo", "America/New_York"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with connect("500MB", tmp_path_factory.mktemp("engine")) as connection:
        yield connection


def read(
    engine: Any, kind: str, values: Any, *, manner: Manner | None = None, **written: Any
) -> list[tuple[bool, Any]]:
    """(whether a value was given, the value read) for each value."""
    table = pa.table({"v": values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.string())})
    engine.register("arrived", table)
    ((_, arrived, *_),) = engine.execute("DESCRIBE SELECT v FROM arrived").fetchall()
    arriving = Arriving("v", kind_of(arrived) or "other", **written)
    value = parsing.typed(kind, "g", arriving, manner or Manner(GABORONE))  # type: ignore[arg-type]
    query = f"SELECT g IS NOT NULL, {value} FROM (SELECT {parsing.given(kind, arriving)} AS g FROM arrived)"  # type: ignore[arg-type]
    return engine.execute(query).fetchall()


def one(engine: Any, kind: str, text: str, **how: Any) -> Any:
    ((given, value),) = read(engine, kind, [text], **how)
    assert given, "the text stands for null"
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12), (" 12 ", 12), ("\t12\t", 12), ("\u00a012", 12), ("+12", 12), ("-0", 0), ("007", 7),
        ("17850.0", 17850), ("17850.", 17850), ("17850.5", None), ("1e3", 1000), ("1.5E1", 15), ("1e-3", None),
        ("9223372036854775807", 2**63 - 1), ("9223372036854775808", None), ("9007199254740993.0", 2**53 + 1),
        ("1e300", None), ("1,000", None), ("1_000", None), ("0x10", None), ("1 000", None), ("١٢", None),
        ("NaN", None), ("inf", None), ("twelve", None), ("12a", None), ("--1", None), ("true", None), (".", None),
    ],
)  # fmt: skip
def test_integers_in_text(engine, text, value):
    assert one(engine, "integer", text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0), (" 12.5 ", 12.5), (".5", 0.5), ("-5.", -5.0), ("1e3", 1000.0), ("2.55", 2.55), ("1E-2", 0.01),
        ("NaN", None), ("nan", None), ("inf", None), ("-Infinity", None), ("1e999", None), ("1,5", None),
        ("1_0.5", None), ("$5", None), ("5%", None), ("0x1p3", None), ("1 2", None), ("e5", None),
    ],
)  # fmt: skip
def test_numbers_in_text(engine, text, value):
    assert one(engine, "number", text) == value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "1,5", 1.5), ("number", "-0,25", -0.25), ("number", "12", 12.0), ("number", "1.5", None),
        ("number", "1.234,5", None), ("number", "1,2,3", None), ("integer", "12,0", 12), ("integer", "12,5", None),
        ("integer", "1.000", None), ("integer", "7", 7),
    ],
)  # fmt: skip
def test_numbers_with_a_decimal_comma(engine, kind, text, value):
    assert one(engine, kind, text, decimal_comma=True) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-16", datetime(2026, 11, 16)),
        ("2026-11-16 06:30", datetime(2026, 11, 16, 6, 30)),
        ("2026-11-16T06:30:05", datetime(2026, 11, 16, 6, 30, 5)),
        (" 2026-11-16 06:30:05.123456789 ", datetime(2026, 11, 16, 6, 30, 5, 123456)),
        ("2026-11-16T06:30:05Z", datetime(2026, 11, 16, 8, 30, 5)),
        ("2026-11-16 06:30:05 Z", datetime(2026, 11, 16, 8, 30, 5)),
        ("2026-11-16 06:30:05+02", datetime(2026, 11, 16, 6, 30, 5)),
        ("2026-11-16 06:30:05 +0200", datetime(2026, 11, 16, 6, 30, 5)),
        ("2026-11-16T06:30-03:30", datetime(2026, 11, 16, 12, 0)),
        ("2026-11-16T23:30:00.5-03:00", datetime(2026, 11, 17, 4, 30, 0, 500000)),
        ("0001-01-01", datetime(1, 1, 1)),
        ("9999-12-31 23:59:59", datetime(9999, 12, 31, 23, 59, 59)),
        ("2026-02-30", None), ("2026-02-29", None), ("2024-02-29", datetime(2024, 2, 29)), ("2026-13-01", None),
        ("2026-11-16 24:00:00", None), ("2026-11-16 23:59:60", None), ("2026-11-16 6:30", None), ("2026-1-1", None),
        ("0000-01-01", None), ("16/11/2026", None), ("20261116", None), ("1763274600", None), ("infinity", None),
        ("epoch", None), ("2026-11-16 06:30:05+25:00", None), ("2026-11-16+02:00", None),
        ("9999-12-31T23:59:59Z", None),
        ("2026-11-16 06:30:05 Africa/Gaborone", None), ("tomorrow", None),
    ],
)  # fmt: skip
def test_timestamps_in_text(engine, text, value):
    assert one(engine, "timestamp", text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-03-08 02:30:00", datetime(2026, 3, 8, 2, 30)),  # skipped by the clock: a local time is as written
        ("2026-03-08T06:59:59Z", datetime(2026, 3, 8, 1, 59, 59)),
        ("2026-03-08T07:00:00Z", datetime(2026, 3, 8, 3, 0)),
        ("2026-11-01 01:30:00", datetime(2026, 11, 1, 1, 30)),  # shown twice by the clock
        ("2026-11-01T05:30:00Z", datetime(2026, 11, 1, 1, 30)),
        ("2026-11-01T06:30:00Z", datetime(2026, 11, 1, 1, 30)),
    ],
)
def test_the_hours_that_daylight_saving_skips_and_repeats(engine, text, value):
    assert one(engine, "timestamp", text, manner=Manner(NEW_YORK)) == value


MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2035, 1, 1))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(max_examples=60, deadline=None)
@given(
    moments=st.lists(st.tuples(MOMENTS, OFFSETS), min_size=1, max_size=30),
    zone=st.sampled_from([GABORONE, MONTEVIDEO, NEW_YORK, "Europe/London", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_offsets_are_converted_as_the_tz_database_says(engine, moments, zone):
    aware = [moment.replace(tzinfo=offset) for moment, offset in moments]
    expected = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in aware]
    texts = [moment.isoformat() for moment in aware]
    assert [value for _, value in read(engine, "timestamp", texts, manner=Manner(zone))] == expected
    typed = pa.array([moment.astimezone(UTC) for moment in aware], pa.timestamp("us", "UTC"))
    assert [value for _, value in read(engine, "timestamp", typed, manner=Manner(zone))] == expected


@pytest.mark.parametrize(
    ("kind", "form", "offset", "text", "value"),
    [
        ("timestamp", "%d/%m/%Y %H:%M", False, " 16/11/2026 06:30 ", datetime(2026, 11, 16, 6, 30)),
        ("timestamp", "%d/%m/%Y %H:%M", False, "2026-11-16 06:30", None),
        ("timestamp", "%d/%m/%Y %H:%M", False, "30/02/2026 06:30", None),
        ("timestamp", "%d/%m/%Y %H:%M %z", True, "16/11/2026 06:30 +0000", datetime(2026, 11, 16, 8, 30)),
        ("timestamp", "%m/%d/%y %I:%M %p", False, "11/16/26 01:30 PM", datetime(2026, 11, 16, 13, 30)),
        ("date", "%d.%m.%Y", False, "16.11.2026", date(2026, 11, 16)),
        ("date", "%d.%m.%Y", False, "2026-11-16", None),
        ("date", "%Y%m%d", False, "20261116", date(2026, 11, 16)),
    ],
)
def test_times_in_the_agreed_form(engine, kind, form, offset, text, value):
    assert one(engine, kind, text, manner=Manner(GABORONE, form, offset)) == value


def test_dates_of_a_workbook_are_read_beside_the_agreed_form(engine):
    manner = Manner(GABORONE, "%d/%m/%Y")
    for text in ("16/11/2026", "2026-11-16 00:00:00"):
        assert one(engine, "date", text, manner=manner, dates_are_iso=True) == date(2026, 11, 16)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-16", date(2026, 11, 16)), (" 2026-11-16 ", date(2026, 11, 16)),
        ("2026-11-16 00:00:00", date(2026, 11, 16)), ("2026-11-16T00:00:00.000", date(2026, 11, 16)),
        ("2026-11-16 00:00:01", None), ("2026-11-16T00:00:00Z", None), ("2026-02-30", None), ("16.11.2026", None),
    ],
)  # fmt: skip
def test_dates_in_text(engine, text, value):
    assert one(engine, "date", text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, True) for word in ("true", "TRUE", "1", "yes", " Yes ", "t", "Y")],
        *[(word, False) for word in ("false", "False", "0", "no", "F", "n ")],
        *[(word, None) for word in ("2", "sí", "on", "1.0", "nil", "-")],
    ],
)
def test_booleans_in_text(engine, text, value):
    assert one(engine, "boolean", text) is value


@pytest.mark.parametrize("kind", ["integer", "number", "timestamp", "date", "boolean"])
def test_texts_that_stand_for_null_do_so_when_trimmed(engine, kind):
    found = read(engine, kind, ["", "  ", "NA", " NA ", None, "-"], nulls=("", "NA"))
    assert found == [(False, None)] * 5 + [(True, None)]
    assert read(engine, kind, ["", " "]) == [(True, None)] * 2  # none is agreed


def test_a_string_is_as_it_is(engine):
    texts = ["", " a ", "ñ\n", "NaN"]
    assert [value for _, value in read(engine, "string", texts, nulls=("",))] == texts


AT = datetime(2026, 11, 16, 6, 30)
COLUMNS = {
    "int8": pa.array([1], pa.int8()),
    "uint64": pa.array([2**64 - 1], pa.uint64()),
    "float": pa.array([1.5], pa.float32()),
    "whole": pa.array([17850.0]),
    "huge": pa.array([1e300]),
    "nan": pa.array([float("nan")]),
    "inf": pa.array([float("inf")]),
    "decimal": pa.array([Decimal("2.50")]),
    "cents": pa.array([Decimal("2.00")]),
    "text": pa.array(["17850.0"]),
    "bool": pa.array([True]),
    "naive": pa.array([AT], pa.timestamp("ns")),
    "zoned": pa.array([AT], pa.timestamp("ms", "UTC")),
    "midnight": pa.array([datetime(2026, 11, 15, 22)], pa.timestamp("us", "UTC")),
    "day": pa.array([date(2026, 11, 16)]),
}
TYPED: dict[str, dict[str, Any]] = {
    "string": {
        "int8": "1", "uint64": str(2**64 - 1), "float": "1.5", "whole": "17850", "huge": "1e+300", "decimal": "2.50",
        "cents": "2", "text": "17850.0", "bool": "true", "naive": "2026-11-16 06:30:00", "zoned": "2026-11-16 08:30:00",
        "day": "2026-11-16", "nan": "nan", "inf": "inf", "midnight": "2026-11-16 00:00:00",
    },
    "integer": {"int8": 1, "whole": 17850, "cents": 2, "text": 17850},
    "number": {"int8": 1.0, "uint64": float(2**64 - 1), "float": 1.5, "whole": 17850.0, "huge": None, "decimal": 2.5,
               "cents": 2.0, "text": 17850.0},
    "timestamp": {"naive": AT, "zoned": AT + timedelta(hours=2), "day": datetime(2026, 11, 16),
                  "midnight": datetime(2026, 11, 16)},
    "date": {"day": date(2026, 11, 16), "midnight": date(2026, 11, 16)},
    "boolean": {"bool": True, "int8": True},
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPED)
@pytest.mark.parametrize("column", COLUMNS)
def test_typed_columns(engine, kind, column):
    ((given, value),) = read(engine, kind, COLUMNS[column])
    assert given
    expected = TYPED[kind].get(column)
    assert (type(value), value) == (type(expected), expected)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=20))
def test_an_integer_is_the_same_whichever_way_it_drifts(engine, values):
    ways = [
        pa.array(values, pa.int64()),
        pa.array([float(value) for value in values]),
        pa.array([str(value) for value in values]),
        pa.array([f"{value}.0" for value in values]),
        pa.array([Decimal(value) for value in values], pa.decimal128(20, 0)),
    ]
    for way in ways:
        assert [value for _, value in read(engine, "integer", way)] == values
        if way.type != pa.string():
            assert [value for _, value in read(engine, "string", way)] == [str(value) for value in values]
