"""The compiled suite: every type and rule of an agreement, at its boundaries."""

from __future__ import annotations

import duckdb
import pytest

from acequia.agreement.columns import FITS, WORDS
from acequia.errors import AcequiaError
from acequia.validate.arbiter import judge
from acequia.validate.suite import _BECOMES, compiled
from acequia.validate.written import KNOWN
from tests.validate.judging import ROW, Deliveries, about, feed_of

# column, a cell that is right, a cell that is wrong, the check that says so
WRONG = [
    ("who", "'ffffffffffffffffffffffffffffffff'", "'+267 71 123 456'", "expect_column_values_to_match_regex"),
    ("who", None, "NULL", "expect_column_values_to_not_be_null"),
    ("started_hour", "TIMESTAMP '2000-01-01'", "NULL", "expect_column_values_to_not_be_null"),
    ("lasted_s", "-1::BIGINT", "NULL", "expect_column_values_to_not_be_null"),
    ("hour", "0::BIGINT", "-1::BIGINT", "expect_column_values_to_be_between"),
    ("hour", "23::BIGINT", "24::BIGINT", "expect_column_values_to_be_between"),
    ("district", "'Gaborone'", "NULL", "expect_column_values_to_not_be_null"),
    ("duration_s", "0::BIGINT", "-1::BIGINT", "expect_column_values_to_be_between"),
    ("duration_s", "86400::BIGINT", "86401::BIGINT", "expect_column_values_to_be_between"),
    ("spent", "1000.0::DOUBLE", "1000.1::DOUBLE", "expect_column_values_to_be_between"),
    ("spent", "0.0::DOUBLE", "-0.1::DOUBLE", "expect_column_values_to_be_between"),
    ("age", "'<0'", "'17'", "expect_column_values_to_match_regex"),
    ("age", "'65+'", "'1985-03-02'", "expect_column_values_to_match_regex"),
    ("age", "NULL", "''", "expect_column_values_to_match_regex"),
    ("postcode", "'1'", "'112'", "expect_column_value_lengths_to_be_between"),
    ("postcode", "'ñá'", "NULL", "expect_column_values_to_not_be_null"),
    ("kind", "'data'", "'fax'", "expect_column_values_to_be_in_set"),
    ("kind", "'sms'", "'SMS'", "expect_column_values_to_be_in_set"),
    ("code", "'ZZ0'", "'xAB12'", "expect_column_values_to_match_regex"),
    ("code", "NULL", "'AB12' || chr(10)", "expect_column_values_to_match_regex"),
    ("day", "DATE '2026-11-30'", "DATE '2026-12-01'", "expect_column_values_to_be_between"),
    ("day", "DATE '2026-11-01'", "DATE '2026-10-31'", "expect_column_values_to_be_between"),
    ("at", "TIMESTAMP '2026-11-16'", "TIMESTAMP '2026-11-15 23:59:59.999'", "expect_column_values_to_be_between"),
    ("roaming", "false", "NULL", "expect_column_values_to_not_be_null"),
    ("price", "0.0::DOUBLE", "NULL", "expect_column_values_to_not_be_null"),
]


def test_a_good_delivery_passes_every_check(deliveries: Deliveries) -> None:
    validated = deliveries.judge()
    assert validated.passed
    assert all(check.passed for check in validated.checks)
    assert validated.count.rows_out == 10


@pytest.mark.parametrize(("column", "right", "wrong", "check"), WRONG, ids=lambda value: str(value)[:32])
def test_one_wrong_cell_fails_its_check_and_no_other(column: str, right: str | None, wrong: str, check: str) -> None:
    if right is not None:
        assert about(column, **{column: right}) == []
    assert about(column, **{column: wrong}) == [(check, 1)]


def test_one_wrong_cell_fails_the_delivery(deliveries: Deliveries) -> None:
    validated = deliveries.judge(kind="'fax'")
    failed = [(one.name, one.column, one.rows_failing) for one in validated.checks if not one.passed]
    assert failed == [("expect_column_values_to_be_in_set", "kind", 1)]
    assert not validated.passed


def test_a_column_of_another_type_fails() -> None:
    expected = [one for one in compiled(feed_of()) if one.name == "expect_column_values_to_be_in_type_list"]
    assert [one.column for one in expected] == list(feed_of().kept)
    for other in ("[1, 2]", "TIMESTAMPTZ '2026-11-16 08:00:00+00'", "1.5::DECIMAL(9, 2)", "'x'::BLOB"):
        cells = ", ".join(f"{other} AS {name}" for name in ROW)
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE rows AS SELECT {cells}")
            assert not any(verdict.passed for verdict in judge(connection, "rows", expected))


def test_a_column_too_many_fails_and_is_not_named(deliveries: Deliveries) -> None:
    sql = "SELECT " + ", ".join(f"{value} AS {name}" for name, value in {**ROW, "imei": "'490154203237518'"}.items())
    validated = deliveries.judge(protected=deliveries.protected(sql=sql))
    assert [check.name for check in validated.checks if not check.passed] == ["expect_table_columns_to_match_set"]
    assert "imei" not in validated.model_dump_json()
    assert "imei" not in (deliveries.home / "data_docs" / str(validated.docs)).read_text()


def test_a_column_that_is_not_there_stops_the_delivery(deliveries: Deliveries) -> None:
    sql = "SELECT " + ", ".join(f"{value} AS {name}" for name, value in ROW.items() if name != "kind")
    with pytest.raises(AcequiaError, match="cannot be judged"):
        deliveries.judge(protected=deliveries.protected(sql=sql))


def test_no_rows_at_all(deliveries: Deliveries) -> None:
    feed = feed_of(delivery__rows_between=[0, 5])
    assert deliveries.judge(feed, rows=0).passed


def test_names_that_sql_reserves_or_dislikes(deliveries: Deliveries) -> None:
    text = """
    delivery: {source: {type: folder, path: x.csv}, format: csv, schedule: "0 6 * * *", timezone: UTC, period: day,
               due_within_hours: 30}
    columns:
      select: {type: integer, treat: keep, between: [1, 2]}
      Order Date %: {type: string, treat: keep, one_of: ["it's", "100%", ":x", "$y"]}
      qualify: {type: string, treat: keep, matches: "a|b"}
    tables:
      t: {describe: d, by: [], measures: {n: {count: rows}}, protect: {none_because: public}}
    """
    feed = feed_of(text)
    for said in ("it''s", "100%", ":x", "$y"):
        sql = f"SELECT 1::BIGINT AS \"select\", '{said}' AS \"Order Date %\", 'b' AS qualify"
        assert deliveries.judge(feed, deliveries.protected(sql=sql)).passed
    wrong = "SELECT 3::BIGINT AS \"select\", 'no' AS \"Order Date %\", 'ab' AS qualify"
    failed = [one for one in deliveries.judge(feed, deliveries.protected(sql=wrong)).checks if not one.passed]
    assert [one.column for one in failed] == ["select", "Order Date %", "qualify"]


def test_every_treatment_has_a_type_here() -> None:
    leave_the_type = {"keep", "drop", "truncate_to"}
    assert set(_BECOMES) | leave_the_type == {*WORDS, *FITS}


def test_every_compiled_name_is_known() -> None:
    assert {one.name for one in compiled(feed_of())} <= set(KNOWN)
