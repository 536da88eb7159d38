"""The expression language: what it holds, what it refuses, and that it means what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.engine.duck import connect, literal
from acequia.engine.expressions import compile_expression, kind_of
from acequia.errors import AcequiaError

COLUMNS = {
    "quantity": "BIGINT",
    "unit_price": "DOUBLE",
    "country": "VARCHAR",
    "Customer ID": "VARCHAR",
    "is_late": "BOOLEAN",
    "started_at": "TIMESTAMP",
    "day": "DATE",
    "date": "DATE",
    "hour": "BIGINT",
    "tags": "VARCHAR[]",
}
ROW = {
    "quantity": "CAST(7 AS BIGINT)",
    "unit_price": "CAST(2.5 AS DOUBLE)",
    "country": "'United Kingdom'",
    '"Customer ID"': "'17850'",
    "is_late": "true",
    "started_at": "TIMESTAMP '2026-11-16 13:45:10'",
    "day": "DATE '2026-11-16'",
    "date": "DATE '2026-11-17'",
    "hour": "CAST(13 AS BIGINT)",
    "tags": "['a']",
}


def value_of(text: str, tmp_path: Path) -> Any:
    compiled = compile_expression(text, COLUMNS, place="here")
    row = ", ".join(f"{sql} AS {name}" for name, sql in ROW.items())
    with connect("1GB", tmp_path, threads=1) as connection:
        result = connection.execute(f"SELECT {compiled.sql} AS x, typeof(x) FROM (SELECT {row})").fetchone()
    assert result is not None
    assert compiled.kind == "null" or kind_of(result[1]) == compiled.kind, (result, compiled)
    return result[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quantity * unit_price", 17.5),
        ("quantity + 1", 8),
        ("-quantity - -1", -6),
        ("quantity * 2 + 1 * 3", 17),
        ("quantity * (2 + 1) * 3", 63),
        ("quantity / 2", 3.5),
        ("quantity / 0", None),
        ("quantity / (unit_price - 2.5)", None),
        ("quantity % 4", 3),
        ("quantity % 0", None),
        ("2000000000 * 2", 4_000_000_000),
        ("quantity > 6 and unit_price >= 2.5", True),
        ("quantity > 7 or not is_late", False),
        ("not (quantity > 7 or unit_price < 1)", True),
        ("quantity = 7.0", True),
        ("quantity == 7 and quantity != 8 and quantity <> 9", True),
        ("country is null", False),
        ("country is not null", True),
        ("is_late is not true", False),
        ("country in ('France', 'United Kingdom')", True),
        ("country not in ('France')", True),
        ("quantity between 7 and 8", True),
        ("quantity not between 7 and 8", False),
        ("country like 'United%'", True),
        ("country not like 'U%'", False),
        ("country ilike 'united%'", True),
        ("\"Customer ID\" = '17850'", True),
        ("COUNTRY = 'it''s'", False),
        ("case when quantity < 0 then 'return' else 'sale' end", "sale"),
        ("case country when 'France' then 1 end", None),
        ("if(is_late, 1, 2.5)", 1.0),
        ("coalesce(null, quantity, 0.5)", 7.0),
        ("nullif(quantity, 7)", None),
        ("greatest(quantity, 9)", 9),
        ("least(quantity, unit_price)", 2.5),
        ("abs(-quantity)", 7),
        ("round(unit_price * 1.111, 2)", 2.78),
        ("floor(unit_price)", 2.0),
        ("ceil(quantity)", 7),
        ("upper(left(country, 2))", "UN"),
        ("length(trim(lower(country)))", 14),
        ("starts_with(country, 'Uni')", True),
        ("hour(started_at)", 13),
        ("extract(hour from started_at)", 13),
        ("weekday(day)", 1),
        ("extract(weekday from day)", 1),
        ("isodow(day)", 1),
        ("month(day) * 100 + day(started_at)", 1116),
        ("date_trunc('month', day) = date '2026-11-01'", True),
        ("started_at >= '2026-11-16'", True),
        ("started_at between '2026-11-16 13:00:00' and timestamp '2026-11-16 14:00:00'", True),
        ("date > day and hour = 13", True),
        ("date_diff('second', timestamp '2026-11-16 13:45:00', started_at)", 10),
        ("date_diff('day', day, date)", 1),
        ("cast(\"Customer ID\" as integer)", 17850),
        ("country::integer", None),
        ("cast('nan' as double)", None),
        ("cast(2.5 as integer)", 3),
        ("cast(day as varchar)", "2026-11-16"),
        ("null", None),
        ("1e3", 1000.0),
        (".5 + 5.", 5.5),
    ],
)  # fmt: skip
def test_it_means_what_it_says(text: str, expected: Any, tmp_path: Path) -> None:
    found = value_of(text, tmp_path)
    assert found == pytest.approx(expected) if isinstance(expected, float) else found == expected
    assert type(found) is type(expected)


REFUSED = [
    "", " ", "quantity +", "(quantity", "quantity; drop table x", "quantity -- note", "quantity /* note */",
    "select 1", "(select 1)", "quantity in (select 1)", "exists (select 1)", "drop table x", "quantity as x", "*",
    "sum(quantity)", "count(*)", "count(distinct country)", "row_number() over ()", "sum(quantity) over (order by day)",
    "sum(quantity) filter (where is_late)", "read_csv('/etc/passwd')", "read_text('/etc/passwd')", "getenv('HOME')",
    "random()", "now()", "current_date", "uuid()", "columns('q.*')", "hash(country)", "error('x')", "sleep_ms(1)",
    "t.quantity", "missing + 1", "\"country \"", "\"Quantity\"", "$1", "?", "@quantity + country",
    "quantity // 2", "quantity ** 2", "quantity & 1", "country || 'x'", "country ~ '.*'",
    "regexp_matches(country, 'a')", "interval 1 day", "day + interval 1 day", "started_at - day", "day - date",
    "[1, 2]", "{'a': 1}", "tags[1]", "tags = null",
    "abs(distinct quantity)", "abs(quantity order by day)", "floor(started_at to day)", "ceil(unit_price, 2)",
    "round(unit_price, quantity)", "round(unit_price, -1)", "round(unit_price, 2, 1)", "left(country, quantity)",
    "trim(both 'x' from country)", "country like 'x' escape '!'", "country collate nocase = 'x'",
    "cast(country as blob)", "cast(country as decimal(10, 2))", "cast(country as time)", "cast(day as integer)",
    "date_trunc('decade', day)", "date_trunc(country, day)", "extract(epoch from day)", "hour(day)", "hour(country)",
    "date_diff('hour', started_at, started_at)", "date_diff('day', quantity, 1)",
    "country = 7", "country > quantity", "country + 1", "quantity + is_late", "not quantity", "quantity and is_late",
    "is_late = 'yes'", "country is true", "country is 'x'", "country in ()", "country in (1, 'a')", "day = 'yesterday'",
    "day = '2026-11-31'", "started_at > '2026-11-16 10:00:00+02:00'", "started_at > quantity",
    "case when quantity then 1 end", "case when is_late then 1 else 'a' end", "if(quantity, 1, 2)",
    "coalesce(country, 1)", "upper(quantity)", "9223372036854775808", "1e999", "0x1F", "quantity quantity",
    "@", "show all", "hour('' => a)", ". 2.5",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(AcequiaError) as refused:
        compile_expression(text, COLUMNS, place="tables.sales.where")
    assert refused.value.code == "agreement_invalid"
    assert refused.value.what.startswith("tables.sales.where: ")
    assert "quantity, unit_price, country" in refused.value.what


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(AcequiaError, match="agreement_invalid"):
        compile_expression("(" * 5000 + "1" + ")" * 5000, COLUMNS, place="x")


def test_a_chain_as_long_as_the_agreement_allows_is_fine() -> None:
    assert compile_expression(" or ".join(["hour=1"] * 100), COLUMNS, place="x").columns == ("hour",)


def test_the_columns_that_it_reads_are_told_in_order() -> None:
    compiled = compile_expression("unit_price * Quantity + unit_price", COLUMNS, place="x")
    assert compiled.columns == ("unit_price", "quantity")
    assert (compiled.kind, compiled.sql_type) == ("number", "DOUBLE")


def test_the_message_says_what_to_write_instead() -> None:
    with pytest.raises(AcequiaError, match="date_diff"):
        compile_expression("started_at - started_at", COLUMNS, place="x")


@given(st.text(max_size=40))
def test_no_text_gets_through_unread(text: str) -> None:
    try:
        compile_expression(text, {"a": "BIGINT"}, place="x")
    except AcequiaError as error:
        assert error.code == "agreement_invalid"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30))
def test_a_text_literal_is_itself(text: str) -> None:
    compiled = compile_expression(f"a = {literal(text)}", {"a": "VARCHAR"}, place="x")
    assert compiled.sql == f'("a" = {literal(text)})'
