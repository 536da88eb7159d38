"""Checks written by hand: they pass, they fail with a count, and a slip of the pen is refused by file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from acequia.agreement.load import load
from acequia.errors import AcequiaError
from acequia.validate.written import KNOWN, read_written
from tests.conftest import PROJECT
from tests.validate.judging import ROW, Deliveries, feed_of

Write = Callable[[str, str], None]

GOOD = """
- expectation: expect_column_pair_values_a_to_be_greater_than_b
  describe: A call is billed for no longer than it lasted.
  column_A: lasted_s
  column_B: duration_s
  or_equal: true
- expectation: expect_column_mean_to_be_between
  column: duration_s
  min_value: 30
  max_value: 600
- expectation: expect_column_values_to_be_unique
  column: note
  mostly: 0.0
"""


def failed(deliveries: Deliveries, **made: str) -> list[tuple[str, str | None, int | None]]:
    checks = deliveries.judge(**made).checks
    return [(check.name, check.column, check.rows_failing) for check in checks if not check.passed]


def test_checks_pass_and_fail(deliveries: Deliveries, write_check: Write) -> None:
    write_check("calls.yaml", GOOD)
    assert failed(deliveries) == []
    assert failed(deliveries, lasted_s="89::BIGINT") == [
        ("expect_column_pair_values_a_to_be_greater_than_b", "lasted_s, duration_s", 1)
    ]
    assert failed(deliveries, duration_s="80000::BIGINT", lasted_s="80000::BIGINT") == [
        ("expect_column_mean_to_be_between", "duration_s", None)
    ]
    said = [check.describe for check in deliveries.judge().checks]
    assert "A call is billed for no longer than it lasted." in said
    assert "min_value 30, max_value 600" in said


def test_json_is_read_like_yaml(deliveries: Deliveries, write_check: Write) -> None:
    write_check("a.json", '[{"expectation": "expect_table_row_count_to_equal", "value": 11}]')
    assert failed(deliveries) == [("expect_table_row_count_to_equal", None, None)]


def test_an_empty_file_and_notes_hold_no_checks(deliveries: Deliveries, write_check: Write) -> None:
    write_check("a.yaml", "# nothing yet\n")
    write_check("README.md", "Why these checks.")
    assert deliveries.judge().passed


def test_everything_wrong_is_told_at_once_with_file_and_line(deliveries: Deliveries, write_check: Write) -> None:
    write_check(
        "a.yaml",
        """
- expectation: expect_column_values_to_be_uniqe
  column: kind
- column: kind
- expectation: expect_column_values_to_be_unique
  column: knd
- expectation: expect_column_values_to_be_unique
  column: kind
  result_format: COMPLETE
- expectation: expect_column_values_to_be_unique
  column: kind
  column: note
- nothing
""",
    )
    write_check("b.yaml", "expectation: expect_table_row_count_to_equal")
    write_check("c.yaml", "- [")
    write_check("d.csv", "x")
    with pytest.raises(AcequiaError) as caught:
        deliveries.judge()
    assert caught.value.code == "agreement_invalid"
    assert caught.value.where == "pula_mobile/events"
    place = "pula_mobile/events"
    assert caught.value.what.split("; ") == [
        f"{place}/a.yaml:2: `expect_column_values_to_be_uniqe` is no expectation that is known here",
        "did you mean expect_column_values_to_be_unique?",
        f"{place}/a.yaml:4: must name an `expectation`",
        f"{place}/a.yaml:5: column: protected rows have no column `knd`",
        "did you mean kind?",
        f"{place}/a.yaml:7: `result_format` is not for a check to say",
        f"{place}/a.yaml:10: `column` stands twice",
        f"{place}/a.yaml:13: must be a mapping with `expectation`",
        f"{place}/b.yaml:1: must be a list of checks, each with `expectation`",
        f"{place}/c.yaml:1: cannot be read as YAML",
        f"{place}/d.csv: only .yaml, .json and .sql files hold checks",
    ]


@pytest.mark.parametrize("column", ["imei", "cell_id", "started_at"])
def test_columns_that_the_gate_drops_or_renames_are_not_there(
    deliveries: Deliveries, write_check: Write, column: str
) -> None:
    write_check("a.yaml", f"- {{expectation: expect_column_values_to_be_unique, column: {column}}}")
    with pytest.raises(AcequiaError, match=f"protected rows have no column `{column}`"):
        read_written(deliveries.expectations, feed_of().kept)


@pytest.mark.parametrize(
    "check",
    [
        "{expectation: expect_column_values_to_be_between, column: kind, min_valeu: 3}",
        "{expectation: expect_column_values_to_be_between, min_value: 3}",
        "{expectation: expect_column_values_to_be_unique, column: kind, mostly: 2}",
        "{expectation: expect_column_values_to_match_regex, column: duration_s, regex: a}",
        "{expectation: expect_column_mean_to_be_between, column: kind, min_value: 3}",
    ],
)
def test_a_check_that_cannot_be_judged_neither_passes_nor_fails(
    deliveries: Deliveries, write_check: Write, check: str
) -> None:
    write_check("a.yaml", f"- {{expectation: expect_table_row_count_to_equal, value: 10}}\n- {check}\n")
    with pytest.raises(AcequiaError) as caught:
        deliveries.judge()
    assert caught.value.code == "agreement_invalid"
    assert caught.value.what.startswith("pula_mobile/events/a.yaml:2: ")


def test_a_query_counts_failing_rows(deliveries: Deliveries, write_check: Write) -> None:
    sql = "-- A text message has no duration.\nselect count(*) from rows where kind = 'sms' and duration_s > 0;\n"
    write_check("sms_without_duration.sql", sql)
    validated = deliveries.judge()
    check = next(one for one in validated.checks if one.name == "sql:sms_without_duration")
    assert (check.passed, check.rows_failing, check.describe) == (True, 0, "A text message has no duration.")
    assert failed(deliveries, kind="'sms'") == [("sql:sms_without_duration", None, 1)]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select 1; select 2", "must be one select"),
        ("drop view rows", "must be one select"),
        ("copy rows to 'x.csv'", "must be one select"),
        ("", "must be one select"),
        ("select count(*) from nowhere", "Catalog Error"),
        ("select count(*) from rows where nothing = 1", "Binder Error"),
        ("selec 1", "Parser Error"),
        ("select kind from rows", "must return one row"),
        ("select 1, 2", "must return one row"),
        ("select 'three'", "must return one row"),
        ("select -1", "must return one row"),
        ("select null", "must return one row"),
        ("select 0.5", "must return one row"),
        ("select count(*) from rows where note::integer = 1", r"fails on this data \(ConversionException\)"),
        ("select count(*) from read_text('/etc/hostname')", r"fails on this data \(PermissionException\)"),
    ],
)
def test_a_query_that_is_none_is_refused(deliveries: Deliveries, write_check: Write, sql: str, said: str) -> None:
    write_check("a.sql", sql)
    with pytest.raises(AcequiaError, match=f"pula_mobile/events/a.sql: .*{said}") as caught:
        deliveries.judge(note="'canary 71 123 456'")
    assert caught.value.code == "agreement_invalid"
    assert "canary" not in str(caught.value)


def test_the_known_names_are_great_expectations_own() -> None:
    from acequia.validate.arbiter import _library

    for name in KNOWN:
        assert _library().get_expectation_impl(name)


# What each name needs beside `column`; with it, every known name is judged and none is an error.
ARGUMENTS: dict[str, dict[str, object]] = {
    "expect_column_distinct_values_to_be_in_set": {"column": "kind", "value_set": ["call"]},
    "expect_column_distinct_values_to_contain_set": {"column": "kind", "value_set": ["call"]},
    "expect_column_distinct_values_to_equal_set": {"column": "kind", "value_set": ["call"]},
    "expect_column_most_common_value_to_be_in_set": {"column": "kind", "value_set": ["call"]},
    "expect_column_values_to_be_in_set": {"column": "kind", "value_set": ["call"]},
    "expect_column_values_to_not_be_in_set": {"column": "kind", "value_set": ["fax"]},
    "expect_column_values_to_match_regex": {"column": "kind", "regex": "a"},
    "expect_column_values_to_not_match_regex": {"column": "kind", "regex": "z"},
    "expect_column_values_to_match_regex_list": {"column": "kind", "regex_list": ["a"]},
    "expect_column_values_to_not_match_regex_list": {"column": "kind", "regex_list": ["z"]},
    "expect_column_values_to_match_like_pattern": {"column": "kind", "like_pattern": "c%"},
    "expect_column_values_to_not_match_like_pattern": {"column": "kind", "like_pattern": "z%"},
    "expect_column_values_to_match_like_pattern_list": {"column": "kind", "like_pattern_list": ["c%"]},
    "expect_column_values_to_not_match_like_pattern_list": {"column": "kind", "like_pattern_list": ["z%"]},
    "expect_column_value_lengths_to_be_between": {"column": "kind", "max_value": 4},
    "expect_column_value_lengths_to_equal": {"column": "kind", "value": 4},
    "expect_column_pair_values_a_to_be_greater_than_b": {
        "column_A": "lasted_s",
        "column_B": "duration_s",
        "or_equal": True,
    },
    "expect_column_pair_values_to_be_equal": {"column_A": "lasted_s", "column_B": "duration_s"},
    "expect_column_pair_values_to_be_in_set": {
        "column_A": "kind",
        "column_B": "kind",
        "value_pairs_set": [["call", "call"]],
    },
    "expect_compound_columns_to_be_unique": {"column_list": ["kind", "id"]},
    "expect_select_column_values_to_be_unique_within_record": {"column_list": ["kind", "code"]},
    "expect_multicolumn_values_to_be_equal": {"column_list": ["lasted_s", "duration_s"]},
    "expect_multicolumn_sum_to_equal": {"column_list": ["lasted_s", "duration_s"], "sum_total": 180},
    "expect_column_quantile_values_to_be_between": {
        "column": "duration_s",
        "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0, 100]]},
    },
    "expect_column_values_to_be_of_type": {"column": "kind", "type_": "VARCHAR"},
    "expect_column_values_to_be_in_type_list": {"column": "kind", "type_list": ["VARCHAR"]},
    "expect_column_values_to_be_null": {"column": "empty"},
    "expect_column_values_to_not_be_null": {"column": "id"},
    "expect_column_to_exist": {"column": "id"},
    "expect_column_values_to_be_unique": {"column": "id"},
    "expect_column_proportion_of_unique_values_to_be_between": {"column": "id", "min_value": 1},
    "expect_column_value_z_scores_to_be_less_than": {"column": "id", "threshold": 3, "double_sided": True},
    "expect_table_columns_to_match_ordered_list": {"column_list": ["id", "empty", *ROW]},
    "expect_table_columns_to_match_set": {"column_set": ["id", "empty", *ROW]},
    "expect_table_column_count_to_equal": {"value": len(ROW) + 2},
    "expect_table_column_count_to_be_between": {"min_value": 1},
    "expect_table_row_count_to_equal": {"value": 10},
    "expect_table_row_count_to_be_between": {"min_value": 10},
}


def test_every_known_name_is_judged_inside_duckdb(deliveries: Deliveries) -> None:
    from acequia.engine.duck import connect
    from acequia.validate.arbiter import judge
    from acequia.validate.suite import Expected

    usual = ", ".join(f"{value} AS {name}" for name, value in ROW.items())
    usually = {"column": "duration_s", "min_value": 0, "max_value": 1000}
    expected = [Expected(name, ARGUMENTS.get(name, usually), "") for name in KNOWN]
    with connect("1GB", deliveries.home) as connection:
        connection.execute(f"CREATE TABLE rows AS SELECT i AS id, NULL::VARCHAR AS empty, {usual} FROM range(10) t(i)")
        verdicts = judge(connection, "rows", expected)
    assert [verdict.expected.name for verdict in verdicts if not verdict.passed] == []
    assert len(verdicts) == len(KNOWN)


SHIPPED = sorted(path for path in (PROJECT / "expectations").glob("*/*") if path.is_dir())


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: "/".join(path.parts[-2:]))
def test_shipped_checks_belong_to_a_feed_and_can_be_read(folder: Path) -> None:
    agreement = load(PROJECT / "config" / "partners" / f"{folder.parent.name}.yaml").agreement
    written = read_written(folder, agreement.feed(folder.name).kept)
    assert written.expected or written.queries
    assert all(one.describe for one in (*written.expected, *written.queries))


def test_the_examples_of_the_readme_can_be_read(deliveries: Deliveries, write_check: Write) -> None:
    readme = (PROJECT / "expectations" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", readme, flags=re.DOTALL)
    (query,) = re.findall(r"```sql\n(.*?)```", readme, flags=re.DOTALL)
    write_check("a.yaml", example)
    write_check("b.sql", query)
    columns = dict.fromkeys(("district", "duration_s", "billed_s"), "")
    written = read_written(deliveries.expectations, columns)
    assert [one.describe for one in written.queries] == ["A text message takes no time."]
    assert len(written.expected) == 3
