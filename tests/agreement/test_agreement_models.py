"""What the models themselves promise: paths, due days, terms in force, scalars of YAML 1.2, near matches."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from acequia.agreement.closed import near
from acequia.agreement.columns import Band, Column, Lookup, of_type
from acequia.agreement.cron_words import Fires, fires
from acequia.agreement.delivery import Delivery, PathTemplate
from acequia.agreement.explain import bands
from acequia.agreement.load import load
from acequia.agreement.model import Agreement
from acequia.agreement.personal import looks_personal
from acequia.agreement.written import read
from acequia.errors import AcequiaError
from acequia.period import Period

EXAMPLE = load(Path(__file__).with_name("example.yaml")).agreement


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("NO", "NO"), ("y", "y"),
        ("0", 0), ("-7", -7), ("17850", 17850), ("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000.0), ("0.0", 0.0),
        ("007", "007"), ("+59", "+59"), ("1_000", "1_000"), ("0x1F", "0x1F"), ("0o17", "0o17"), ("12:30", "12:30"),
        ("007.5", "007.5"), (".inf", ".inf"), ("nan", "nan"), ("9" * 50, "9" * 50), ("2026-03-01", "2026-03-01"),
        ('"1"', "1"), ("'true'", "true"), ('"\\u00e1"', "á"), ("|\n  a\n  b", "a\nb\n"), (">\n  a\n  b", "a b\n"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2_and_codes_stay_text(text, value):
    root, problems = read(f"k: {text}\n".encode())
    assert problems == []
    assert root is not None
    found = root.plain()["k"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("out/{period}/*.csv", "out/2026-W47/*.csv"),
        ("{start:%Y%m%d}-{last:%Y%m%d}.csv", "20261116-20261122.csv"),
        ("{end:%d.txt}", None),
        ("{end:%d}.txt", "23.txt"),
        ("y={start:%Y/%m}/{{x}}.csv", "y=2026/11/{x}.csv"),
    ],
)
def test_paths_name_the_period(template, filled):
    if filled is None:
        with pytest.raises(ValueError, match="may hold only"):
            PathTemplate.check(template)
    else:
        assert PathTemplate.fill(PathTemplate.check(template), Period.parse("2026-W47")) == filled


def delivery(**changed) -> Delivery:
    usual = {
        "source": {"type": "folder", "path": "{period}.csv"},
        "format": "csv",
        "schedule": "0 6 * * *",
        "timezone": "Africa/Gaborone",
        "period": "day",
        "due_within_hours": 30,
    }
    return Delivery.model_validate(usual | changed)


def test_what_is_due():
    week = delivery(period="week", schedule="0 6 * * 1")
    monday = Period.parse("2026-W47")
    assert week.is_due(monday)
    assert week.is_due(monday, frozenset({date(2026, 11, 16)}))
    assert not week.is_due(monday, frozenset(date(2026, 11, day) for day in range(16, 23)))
    working = delivery(weekdays=("monday", "friday"))
    assert [working.is_due(Period.parse(f"2026-11-{day}")) for day in (16, 17, 20, 21)] == [True, False, True, False]
    assert not working.is_due(Period.parse("2026-11-16"), frozenset({date(2026, 11, 16)}))


@pytest.mark.parametrize(
    ("period", "code"),
    [
        ("2026-02-28", "period_outside_agreement"),
        ("2026-03-01", None),
        ("2028-02-29", None),
        ("2028-03-01", "agreement_expired"),
        ("2026-W09", "period_outside_agreement"),
        ("2028-02", None),
        ("2028-W09", "agreement_expired"),
    ],
)
def test_both_days_of_the_terms_are_inside(period, code):
    if code is None:
        EXAMPLE.require_in_force(Period.parse(period))
        return
    with pytest.raises(AcequiaError) as refused:
        EXAMPLE.require_in_force(Period.parse(period))
    assert (refused.value.code, refused.value.exit_code) == (code, 3)


def test_an_agreement_survives_being_dumped():
    every = load(Path(__file__).with_name("every_key.yaml")).agreement
    for agreement in (EXAMPLE, every):
        assert Agreement.model_validate(agreement.model_dump(by_alias=True)) == agreement


def test_a_later_start_counts():
    data = EXAMPLE.model_dump(by_alias=True)
    data["terms"]["starts_on"] = date(2026, 6, 1)
    with pytest.raises(AcequiaError, match="starts on 2026-06-01"):
        Agreement.model_validate(data).require_in_force(Period.parse("2026-05-31"))


def test_a_feed_that_is_not_there():
    with pytest.raises(AcequiaError, match="it has events") as refused:
        EXAMPLE.feed("calls")
    assert refused.value.code == "unknown_name"


def test_models_speak_of_misfits_without_a_file_too():
    with pytest.raises(ValidationError, match="belongs to a, the column that arrives"):
        Column.model_validate({"type": "string", "treat": "keep", "from": "a", "required": False})


def test_null_values_and_lookups():
    assert Column.model_validate({"type": "string", "treat": "keep", "nullable": True}).may_be_null
    assert not Column.model_validate(
        {"type": "string", "treat": "keep", "required": False, "nullable": False}
    ).may_be_null
    lookups = TypeAdapter(tuple[Lookup, ...])
    plain, stated = lookups.validate_python(({"lookup": "cells"}, {"lookup": {"table": "cells", "value": "region"}}))
    assert (plain.table, plain.value, stated.table, stated.value) == ("cells", None, "cells", "region")
    assert bands(Band(band=(0, 18, 65.5))) == ["<0", "0..18", "18..65.5", "65.5+"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", True), ("integer", 1.5), ("number", "1"), ("boolean", 1), ("date", 5), ("timestamp", "noon"),
     ("timestamp", "2026-01-01T00:00:00Z"), ("string", 1.5), ("date", datetime.fromisoformat("2026-01-01"))],
)  # fmt: skip
def test_values_of_another_type_are_refused(kind, value):
    with pytest.raises(ValueError, match=r"must|quotes"):
        of_type(kind, value)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 6 * * *", Fires("06:00")),
        ("5 17 * * mon", Fires("17:05", weekdays=(1,))),
        ("0 6 * * 1-5", Fires("06:00", weekdays=(1, 2, 3, 4, 5))),
        ("0 6 * * 0,6", Fires("06:00", weekdays=(6, 7))),
        ("0 6 * * 0-6", Fires("06:00")),
        ("30 7 2,16 * *", Fires("07:30", days=(2, 16))),
        ("0 5 1 jan,jul *", Fires("05:00", days=(1,), months=(1, 7))),
        ("0 */2 * * *", None), ("* * * * *", None), ("0 6 L * *", None), ("0 6 1 * 1", None), ("0 6 * 3 *", None),
        ("0 6 */2 * *", None), ("0 6 5-1 * *", None),
    ],
)  # fmt: skip
def test_schedules_in_words_where_a_sentence_can_say_it(cron, said):
    assert fires(cron) == said


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("treet", "treat"),
        ("TREAT", "treat"),
        ("az", "as"),
        ("ot", "to"),
        ("wholly_else", None),
        ("", None),
        ("zz", None),
    ],
)
def test_slips_of_the_pen(given, meant):
    assert near(given, ["treat", "as", "to", "of"]) == meant


PERSONAL = """customerName:string Nombre:string teléfono:string MSISDN:string home_address:string lat:number imei:string
    pickup_lon:number cédula:integer Omang:string passport_no:string plate:string e_mail:string client_id:string
    ip:string CustomerID:integer called_at:timestamp"""
NOT_PERSONAL = """amount:number product_name:string shop_id:string district:string worked_on:date has_email:boolean
    identical:boolean platform:string latency_ms:number"""


@pytest.mark.parametrize("written", f"{PERSONAL} {NOT_PERSONAL}".split())
def test_columns_that_look_personal(written):
    name, _, kind = written.partition(":")
    column = Column.model_validate({"type": kind, "treat": "keep"})
    assert (looks_personal(name, column) is not None) == (written in PERSONAL.split())


def test_a_category_is_not_personal():
    column = Column.model_validate({"type": "string", "treat": "keep", "one_of": ("a", "b")})
    assert looks_personal("phone", column) is None
