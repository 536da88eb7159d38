"""The gate as a whole: every row is accounted for, and no raw value passes."""

# ruff: noqa: DTZ001  (local times are the point)

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import traceback
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.engine import duck
from acequia.errors import AcequiaError
from acequia.protect import gate as gate_module

CANARY = "Naledi Motsumi"
CALLS = {
    "msisdn": {"type": "string", "treat": "pseudonym", "matches": r"\+267\d{8}"},
    "imei": {"type": "string", "treat": "drop"},
    "started_at": {"type": "timestamp", "treat": {"truncate_to": "hour"}, "as": "started_hour"},
    "cell_id": {"type": "string", "treat": {"lookup": "cells"}, "as": "district", "required": False},
    "duration_s": {"type": "integer", "treat": "keep", "between": (0, 86400)},
    "kind": {"type": "string", "treat": "keep", "one_of": ("call", "sms")},
}
CELLS = {"cells": "cell_id,district,region\nC1,Gaborone,south\nC2,Maun,north\n"}
GOOD = "+26771000001,351,2026-11-16 10:12:00,C1,17,call"


def sent(*rows: str, header: str = ",".join(CALLS)) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def failing(through: Any) -> dict[tuple[str, str], int]:
    return {(one.rule, one.column): one.rows_failing for one in through.protected.rules if one.rows_failing}


def test_a_row_is_treated_column_by_column(gate, feed):
    through = gate(feed(CALLS), sent(GOOD), references=CELLS)
    assert Path(through.protected.path).stat().st_mode & 0o777 == 0o600
    (row,) = through.rows
    assert list(row) == ["msisdn", "started_hour", "district", "duration_s", "kind"]
    assert len(row.pop("msisdn")) == 32
    assert row == {
        "started_hour": datetime(2026, 11, 16, 10),
        "district": "Gaborone",
        "duration_s": 17,
        "kind": "call",
    }
    assert through.protected.columns == {
        "msisdn": "string",
        "started_hour": "timestamp",
        "district": "string",
        "duration_s": "integer",
        "kind": "string",
    }
    assert through.protected.set_aside_stored is None
    assert through.aside is None
    assert through.protected.path == str(through.out)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (GOOD.replace("17", "seventeen"), "type:duration_s"),
        (GOOD.replace("2026-11-16 10:12:00", "2026-02-30 10:12:00"), "type:started_at"),
        (GOOD.replace("351", ""), "null:imei"),
        (GOOD.replace("17", ""), "null:duration_s"),
        (GOOD.replace("17", " "), "null:duration_s"),
        (GOOD.replace("17", "-1"), "range:duration_s"),
        (GOOD.replace("17", "86401"), "range:duration_s"),
        (GOOD.replace("call", "data"), "set:kind"),
        (GOOD.replace("+267", "267"), "pattern:msisdn"),
        (GOOD.replace("+26771000001", "x +26771000001"), "pattern:msisdn"),
        (GOOD.replace("11-16", "11-15"), "outside_period"),
        # Several at once: the first in the order of rules, then of columns.
        ("x,,2026-11-17,C1,-1,y", "null:imei"),
        ("x,1,soon,C1,z,y", "type:started_at"),
        ("x,1,2026-11-17,C1,-1,y", "range:duration_s"),
        ("x,1,2026-11-17,C1,1,y", "set:kind"),
        ("x,1,2026-11-17,C1,1,sms", "pattern:msisdn"),
    ],
)
def test_a_row_is_set_aside_for_the_first_rule_that_it_breaks(gate, feed, row, reason):
    through = gate(feed(CALLS, rows={"period_column": "started_at"}), sent(GOOD, row), references=CELLS)
    assert through.protected.count.set_aside == {reason: 1}
    assert through.protected.count.rows_out == len(through.rows) == 1
    (aside,) = through.aside.to_pylist()
    assert [aside.pop(name) for name in ("_file", "_row", "_reason")] == [1, 2, reason]
    assert ",".join(value or "" for value in aside.values()).replace(" ", "") == row.replace(" ", "")


@pytest.mark.parametrize(
    "row", [GOOD.replace("17", "0"), GOOD.replace("17", "86400"), GOOD.replace("17", "86400.0"), GOOD.replace("C1", "")]
)
def test_a_row_at_the_bounds_passes(gate, feed, row):
    assert len(gate(feed(CALLS), sent(row), references=CELLS).rows) == 1


def test_every_rule_is_counted_also_where_none_breaks_it(gate, feed):
    agreed = feed(CALLS, rows={"period_column": "started_at", "duplicates": "set_aside"})
    through = gate(agreed, sent(GOOD, "x,,2026-11-17,C1,-1,y", ",,,,,"), references=CELLS)
    assert [(one.rule, one.column, one.rows_failing) for one in through.protected.rules] == [
        ("type", "started_at", 0), ("type", "duration_s", 0),
        ("null", "msisdn", 1), ("null", "imei", 2), ("null", "started_at", 1), ("null", "duration_s", 1),
        ("null", "kind", 1), ("range", "duration_s", 1), ("set", "kind", 1), ("pattern", "msisdn", 1),
        ("outside_period", "started_at", 2), ("duplicate", "", 0),
    ]  # fmt: skip
    assert through.protected.count.set_aside == {"null:msisdn": 1, "null:imei": 1}
    sound = gate(agreed, sent(GOOD), references=CELLS)
    assert [one.rule for one in sound.protected.rules] == [one.rule for one in through.protected.rules]
    assert failing(sound) == {}


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("2026-11-15 23:59:59.999999", False),
        ("2026-11-16 00:00:00", True),
        ("2026-11-16 23:59:59.999999", True),
        ("2026-11-17 00:00:00", False),
        ("2026-11-15T22:00:00Z", True),  # midnight in Gaborone
        ("2026-11-16T22:00:00Z", False),
        ("", False),
    ],
)
def test_the_period_is_local_days(gate, feed, text, inside):
    agreed = feed(
        {"at": {"type": "timestamp", "treat": "keep", "nullable": True}, "x": {"type": "string", "treat": "drop"}},
        rows={"period_column": "at"},
    )
    through = gate(agreed, f"at,x\n{text},1\n".encode())
    assert through.protected.count.set_aside == ({} if inside else {"outside_period": 1})


def test_a_week_holds_its_sunday_and_dates_count_too(gate, feed):
    agreed = feed({"on": {"type": "date", "treat": "keep"}}, period="week", rows={"period_column": "on"})
    days = [f"2026-11-{day}" for day in (15, 16, 22, 23)]
    through = gate(agreed, ("\n".join(["on", *days])).encode(), period="2026-W47")
    assert through.column("on") == [date(2026, 11, 16), date(2026, 11, 22)]


def test_duplicates_are_found_over_all_files_as_read_and_the_first_stays(gate, feed):
    agreed = feed(CALLS, rows={"duplicates": "set_aside"})
    other = GOOD.replace("71000001", "71000002")
    through = gate(
        agreed,
        sent(GOOD, other, GOOD.replace(",17,", ",17.0,")),
        sent(other, GOOD.replace("10:12:00", "10:12"), GOOD.replace("C1", "C2"), GOOD.replace("351", "352")),
        references=CELLS,
    )
    assert through.protected.count.set_aside == {"duplicate": 3}
    places = [(row["_file"], row["_row"], row["_reason"]) for row in through.aside.to_pylist()]
    assert places == [(1, 3, "duplicate"), (2, 1, "duplicate"), (2, 2, "duplicate")]
    assert through.aside.column("duration_s").to_pylist() == ["17.0", "17", "17"]
    assert failing(through) == {("duplicate", ""): 3}


def test_duplicates_stay_where_the_agreement_keeps_them(gate, feed):
    assert len(gate(feed(CALLS), sent(GOOD, GOOD), references=CELLS).rows) == 2


def test_nulls_are_alike_where_duplicates_are_sought(gate, feed):
    agreed = feed(CALLS, rows={"duplicates": "set_aside"})
    row = GOOD.replace("C1", "")
    assert gate(agreed, sent(row, row), references=CELLS).protected.count.set_aside == {"duplicate": 1}


def test_rows_set_aside_lie_encrypted_in_landing(gate, feed, tmp_path):
    through = gate(feed(CALLS), sent(GOOD, GOOD.replace("351", CANARY).replace("17", "x")), references=CELLS)
    stored = through.protected.set_aside_stored
    assert stored.startswith("pula_mobile/events/2026-11-16/")
    assert stored.rsplit("/", 1)[1].startswith("_set_aside.")
    assert CANARY.encode() not in (tmp_path / "landing" / stored).read_bytes()
    assert through.aside.column("imei").to_pylist() == [CANARY]


def test_other_terms_set_aside_other_rows_of_the_same_delivery(gate, feed):
    content = sent(GOOD, GOOD.replace("17", "90000"))
    first = gate(feed(CALLS), content, references=CELLS)
    wider = {**CALLS, "duration_s": {"type": "integer", "treat": "keep", "between": (18, None)}}
    second = gate(feed(wider), content, references=CELLS)
    assert first.aside.column("_row").to_pylist() == [2]
    assert second.aside.column("_row").to_pylist() == [1]


def test_values_of_typed_files_are_set_aside_as_text(gate, feed):
    made = io.BytesIO()
    columns = {
        "n": pa.array([1.5, 2.0, None]),
        "at": pa.array([datetime(2026, 11, 16, 8)] * 3, pa.timestamp("us", "UTC")),
    }
    pq.write_table(pa.table(columns), made)
    agreed = feed(
        {"n": {"type": "integer", "treat": "keep"}, "at": {"type": "timestamp", "treat": "keep"}}, format="parquet"
    )
    through = gate(agreed, made.getvalue())
    assert through.rows == [{"n": 2, "at": datetime(2026, 11, 16, 10)}]
    assert through.aside.to_pylist() == [
        {"_file": 1, "_row": 1, "_reason": "type:n", "n": "1.5", "at": "2026-11-16 10:00:00"},
        {"_file": 1, "_row": 3, "_reason": "null:n", "n": None, "at": "2026-11-16 10:00:00"},
    ]


def test_columns_made_from_others(gate, feed):
    agreed = feed(
        {
            "at": {"type": "timestamp", "treat": "drop"},
            "until": {"type": "timestamp", "treat": {"seconds_since": "at"}, "as": "duration_s", "required": False},
            "hour": {"type": "timestamp", "treat": {"part": "hour"}, "from": "at"},
            "day": {"type": "timestamp", "treat": {"truncate_to": "day"}, "from": "at"},
            "cell": {"type": "string", "treat": {"lookup": "cells"}, "as": "district"},
            "region": {"type": "string", "treat": {"lookup": {"table": "cells", "value": "region"}}, "from": "cell"},
        }
    )
    content = b"at,until,cell\n2026-11-16 10:12:00,2026-11-16 10:13:30.5,C2\n2026-11-16 10:12:00,,C9\n"
    through = gate(agreed, content, references=CELLS)
    assert through.rows == [
        {"duration_s": 90.5, "hour": 10, "day": datetime(2026, 11, 16), "district": "Maun", "region": "north"},
        {"duration_s": None, "hour": 10, "day": datetime(2026, 11, 16), "district": "_U", "region": "_U"},
    ]
    assert through.protected.columns["duration_s"] == "number"
    assert through.protected.columns["hour"] == "integer"


def test_keys_of_a_lookup_may_be_whole_numbers_however_they_arrive(gate, feed):
    agreed = feed({"zone": {"type": "integer", "treat": {"lookup": "zones"}, "required": False}})
    through = gate(agreed, b"zone\n7\n7.0\n007\n8\n \n", references={"zones": "id,borough\n7,Queens\n"})
    assert through.column("zone") == ["Queens", "Queens", "Queens", "_U", "_U"]


def test_a_reference_table_that_is_not_there_stops_with_its_name(gate, feed):
    with pytest.raises(AcequiaError, match="there is no reference table cells") as caught:
        gate(feed(CALLS), sent(GOOD))
    assert caught.value.code == "reference_missing"


def test_types_may_drift_from_file_to_file(gate, feed):
    agreed = feed(
        {
            "customer": {"type": "integer", "treat": "pseudonym", "required": False},
            "code": {"type": "string", "treat": "pseudonym"},
            "n": {"type": "number", "treat": "keep", "required": False},
        },
        format="parquet",
    )
    files = []
    for columns in (
        {"customer": pa.array([17850, 12]), "code": pa.array([5, 6]), "n": pa.array([1, 2])},
        {"customer": pa.array([None, 17850.0]), "code": pa.array([5.0, 6.0]), "n": pa.array([None, 2.5])},
        {"customer": pa.array(["17850", "12.0"]), "code": pa.array(["5", "6"])},
    ):
        made = io.BytesIO()
        pq.write_table(pa.table(columns), made)
        files.append(made.getvalue())
    through = gate(agreed, *files)
    one, other = through.column("customer")[:2]
    assert through.column("customer") == [one, other, None, one, one, other]
    assert len(set(through.column("code"))) == 2
    assert through.column("n") == [1.0, 2.0, None, 2.5, None, None]


def test_the_same_rows_give_the_same_result_in_every_format(gate, feed):
    columns = {
        "who": {"type": "string", "treat": "pseudonym"},
        "at": {"type": "timestamp", "treat": "keep"},
        "n": {"type": "integer", "treat": "keep"},
        "x": {"type": "number", "treat": "keep", "required": False},
        "ok": {"type": "boolean", "treat": "keep"},
    }
    rows = [
        ("ñandú", datetime(2026, 11, 16, 8, 1), 5, 2.5, True),
        ("šebelo", datetime(2026, 11, 16, 9), -1, None, False),
    ]
    text = io.StringIO()
    csv.writer(text).writerows([columns, *(("" if value is None else value for value in row) for row in rows)])
    book = openpyxl.Workbook()
    for row in [tuple(columns), *rows]:
        book.active.append(row)
    sheet, parquet = io.BytesIO(), io.BytesIO()
    book.save(sheet)
    pq.write_table(pa.table({name: [row[n] for row in rows] for n, name in enumerate(columns)}), parquet)
    contents = {
        "csv": text.getvalue().encode(),
        "jsonl": "".join(json.dumps(dict(zip(columns, row, strict=True)), default=str) + "\n" for row in rows).encode(),
        "xlsx": sheet.getvalue(),
        "parquet": parquet.getvalue(),
    }
    made = {form: gate(feed(columns, format=form), content) for form, content in contents.items()}
    assert len({through.protected.sha256 for through in made.values()}) == 1
    assert made["csv"].rows[1] | {"who": ""} == {
        "who": "",
        "at": datetime(2026, 11, 16, 9),
        "n": -1,
        "x": None,
        "ok": False,
    }


def test_letters_of_setswana_and_spanish_pass(gate, feed):
    words = ["Dikgang tša mošomo", "ñandú", "Paysandú", "Río Negro", "ŋwana", "€ 😀"]
    agreed = feed({"word": {"type": "string", "treat": "keep"}}, options={"encoding": "utf-16"})
    assert gate(agreed, ("word\n" + "\n".join(words)).encode("utf-16")).column("word") == words


def test_pseudonyms_are_those_of_partner_and_feed(gate, feed):
    agreed = feed(
        {"who": {"type": "string", "treat": "pseudonym", "required": False}, "n": {"type": "integer", "treat": "keep"}}
    )
    content = b"who,n\nMpho,1\n Mpho ,2\n,3\nThabo,4\n"
    first = gate(agreed, content).column("who")
    assert first[0] == first[1] != first[3]
    assert first[2] is None
    assert gate(agreed, content).column("who") == first
    for other in ({"partner": "ceibo_pay"}, {"feed_name": "calls"}):
        assert not set(gate(agreed, content, **other).column("who")) & set(first) - {None}
    assert gate(agreed, content, period="2026-11-17").column("who") == first


def test_texts_are_scrubbed_by_distinct_value(gate, feed, monkeypatch):
    seen: list[list[str]] = []

    def scrub(values: list[str], *, language: str, country: str, targets: object) -> list[str]:
        assert (language, country, targets) == ("es", "UY", agreed.privacy.recall_at_least_pct)
        seen.append(values)
        return [value.replace(CANARY, "<PERSON>") for value in values]

    stand_in = type(os)("acequia.protect.scrub")
    stand_in.scrub_texts, stand_in.available = scrub, lambda language: language == "es"
    monkeypatch.setitem(__import__("sys").modules, "acequia.protect.scrub", stand_in)
    agreed = feed(
        {
            "note": {"type": "string", "treat": "scrub_text", "required": False},
            "n": {"type": "integer", "treat": "drop"},
        }
    )
    content = f"note,n\nfor {CANARY},1\n,2\nfine,3\nfine,4\nbad,x\n".encode()
    through = gate(agreed, content, language="es", country="UY")
    assert through.column("note") == ["for <PERSON>", None, "fine", "fine"]
    assert seen == [["fine", f"for {CANARY}"]]
    with pytest.raises(AcequiaError, match="language en cannot be scrubbed"):
        gate(agreed, content, language="en")


def test_personal_data_in_free_text_stays_behind(gate, feed):
    agreed = feed({"note": {"type": "string", "treat": "scrub_text"}, "n": {"type": "integer", "treat": "drop"}})
    through = gate(agreed, b"note,n\nwrite to mpho@example.org please,1\nno signal,2\n")
    first, second = through.column("note")
    assert "example.org" not in first
    assert first.startswith("write to")
    assert second == "no signal"


def test_optional_columns_may_lack_in_one_of_the_files(gate, feed):
    without = sent(GOOD.replace(",C1", ""), header=",".join(CALLS).replace(",cell_id", ""))
    assert gate(feed(CALLS), sent(GOOD), without, references=CELLS).column("district") == ["Gaborone", "_U"]


def test_a_refused_file_is_named_by_its_place_and_leaves_nothing(gate, feed, tmp_path):
    with pytest.raises(AcequiaError) as caught:
        gate(feed(CALLS), sent(GOOD), sent(f"{CANARY},1"), references=CELLS)
    assert caught.value.code == "file_unreadable"
    assert caught.value.what == "file 2 of 2: line 2 holds fewer values than there are columns"
    assert not (tmp_path / "workspace").exists()


def test_a_file_without_rows_gives_a_table_without_rows(gate, feed):
    through = gate(feed(CALLS), sent(), references=CELLS)
    assert through.protected.count.rows_in == 0
    assert through.table.num_rows == 0
    assert through.table.schema.field("started_hour").type == pa.timestamp("us")


def test_where_all_rows_are_set_aside_the_table_is_empty(gate, feed):
    through = gate(feed(CALLS), sent(*[GOOD.replace("17", "x")] * 3), references=CELLS)
    assert through.table.num_rows == 0
    assert through.protected.count.set_aside == {"type:duration_s": 3}


def test_rows_keep_the_order_of_files_and_rows(gate, feed):
    agreed = feed({"n": {"type": "integer", "treat": "keep"}, "who": {"type": "string", "treat": "pseudonym"}})
    numbers = list(range(60_000))
    files = [
        "n,who\n" + "".join(f"{n},p{n % 977}\n" for n in numbers[start::1][:20_000]) for start in (0, 20_000, 40_000)
    ]
    assert gate(agreed, *(text.encode() for text in files)).column("n") == numbers


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_same_delivery_gives_the_same_bytes_whatever_the_machine(gate, feed, monkeypatch, threads):
    rng = random.Random(7)
    kinds = ["call", "sms", "data"]
    rows = [
        f"+2677{rng.randrange(20_000):07d},{n},2026-11-16 {rng.randrange(24):02d}:00:00,C{rng.randrange(3)},"
        f"{rng.randrange(90_000)},{rng.choice(kinds)}"
        for n in range(130_000)
    ]
    content = gzip.compress(sent(*rows, rows[0]), compresslevel=1)
    agreed = feed(CALLS, rows={"duplicates": "set_aside"})
    usual = gate(agreed, content, references=CELLS)
    monkeypatch.setattr(gate_module, "connect", lambda memory, scratch: duck.connect(memory, scratch, threads=threads))
    other = gate(agreed, content, references=CELLS, memory_limit="200MB")
    assert other.out.read_bytes() == usual.out.read_bytes()
    assert other.protected.model_dump(exclude={"path"}) == usual.protected.model_dump(exclude={"path"})
    assert other.aside.equals(usual.aside)


def test_the_footer_says_nothing_but_the_schema(gate, feed):
    through = gate(feed(CALLS), sent(GOOD.replace("351", CANARY)), references=CELLS)
    metadata = pq.read_metadata(through.out)
    assert not metadata.metadata
    assert metadata.created_by.startswith("DuckDB")
    for raw in (CANARY, "+26771000001", "10:12", "C1"):
        assert raw.encode() not in through.out.read_bytes()


def test_the_engines_own_words_are_not_passed_on(gate, feed, monkeypatch):
    def fails(*_: Any) -> None:
        raise duckdb.ConversionException(f"Could not convert string '{CANARY}' to INT64")

    monkeypatch.setattr(gate_module, "write_protected", fails)
    with pytest.raises(AcequiaError) as caught:
        gate(feed(CALLS), sent(GOOD), references=CELLS)
    assert caught.value.code == "engine_failed"
    assert "Naledi" not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


VALUES = st.sampled_from(
    ["", "1", "1.0", "-3", "x", " 7 ", "2026-11-16", "2026-11-16T09:00Z", "true", "call", "é", "NaN"]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES), max_size=12),
    types=st.tuples(*[st.sampled_from(["string", "integer", "number", "timestamp", "date", "boolean"])] * 4),
    nullable=st.tuples(*[st.booleans()] * 4),
    duplicates=st.sampled_from(["keep", "set_aside"]),
    cut=st.integers(0, 12),
)
def test_rows_in_are_rows_out_and_rows_set_aside(gate, feed, rows, types, nullable, duplicates, cut):
    columns = {
        name: {"type": kind, "treat": "keep", "nullable": may}
        for name, kind, may in zip("abcd", types, nullable, strict=True)
    }
    agreed = feed(columns, rows={"duplicates": duplicates})
    files = [
        ("a,b,c,d\n" + "".join(f'"{a}","{b}","{c}","{d}"\n' for a, b, c, d in part)).encode()
        for part in (rows[:cut], rows[cut:])
    ]
    through = gate(agreed, *files)
    count = through.protected.count
    assert count.rows_in == len(rows) == len(through.rows) + (through.aside.num_rows if through.aside else 0)
    assert count.rows_out == len(through.rows)
    assert sum(count.set_aside.values()) == (through.aside.num_rows if through.aside else 0)
    if duplicates == "set_aside":
        assert len({tuple(map(repr, row.values())) for row in through.rows}) == len(through.rows)
    for outcome in through.protected.rules:
        reason = outcome.rule if outcome.rule == "duplicate" else f"{outcome.rule}:{outcome.column}"
        assert outcome.rows_failing >= count.set_aside.get(reason, 0)


NAMES = st.text(st.characters(categories=("L", "N")), min_size=6, max_size=12).map("ŋ{}".format)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=8, unique=True))
def test_no_dropped_or_pseudonymous_value_is_anywhere_in_what_is_written(gate, feed, people):
    columns = {"who": "pseudonym", "name": "drop", "n": "keep"}
    agreed = feed({name: {"type": "string", "treat": treat} for name, treat in columns.items()})
    content = "who,name,n\n" + "".join(f'"{who}","{name}",{n}\n' for n, (who, name) in enumerate(people))
    through = gate(agreed, content.encode())
    plain = io.BytesIO()
    pq.write_table(through.table, plain, compression="none")
    everything = through.out.read_bytes() + plain.getvalue() + through.protected.model_dump_json().encode()
    for person in people:
        for value in person:
            assert value.encode() not in everything
    assert sorted(path.name for path in through.out.parent.iterdir()) == ["protected.parquet"]


def test_scratch_is_all_that_is_left_behind(gate, feed, tmp_path: Path):
    gate(feed(CALLS), sent(GOOD), references=CELLS)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "home", "landing", "reference", "scratch-1", "workspace",
    }  # fmt: skip
