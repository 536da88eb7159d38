"""Checks written by hand, in expectations/<partner>/<feed>/: what the agreement itself cannot say.

Read as they stand, every error at once, without Great Expectations or data: an unknown name never becomes a check that
silently does not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from acequia.agreement.closed import near
from acequia.errors import AcequiaError
from acequia.validate.suite import Expected

# Great Expectations' core names that are judged inside DuckDB. Left out: what it has for pandas alone, what reads other
# tables or holds queries (those stand in .sql files), and what compares distributions.
KNOWN: tuple[str, ...] = (
    "expect_column_distinct_values_to_be_in_set",
    "expect_column_distinct_values_to_contain_set",
    "expect_column_distinct_values_to_equal_set",
    "expect_column_max_to_be_between",
    "expect_column_mean_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_most_common_value_to_be_in_set",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_column_pair_values_to_be_in_set",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_quantile_values_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_to_exist",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_column_value_z_scores_to_be_less_than",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_null",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_unique",
    "expect_column_values_to_match_like_pattern",
    "expect_column_values_to_match_like_pattern_list",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_match_regex_list",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_not_match_like_pattern",
    "expect_column_values_to_not_match_like_pattern_list",
    "expect_column_values_to_not_match_regex",
    "expect_column_values_to_not_match_regex_list",
    "expect_compound_columns_to_be_unique",
    "expect_multicolumn_sum_to_equal",
    "expect_multicolumn_values_to_be_equal",
    "expect_select_column_values_to_be_unique_within_record",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_ordered_list",
    "expect_table_columns_to_match_set",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
)
# What Great Expectations would also take, and what is decided here: results hold no values, every error counts.
_OURS = frozenset({
    "batch_id", "catch_exceptions", "condition_parser", "id", "meta", "notes", "rendered_content", "result_format",
    "row_condition", "severity", "windows",
})  # fmt: skip
_COLUMNS = ("column", "column_A", "column_B", "column_list")
_IGNORED = frozenset({".md", ".txt", ""})


@dataclass(frozen=True)
class Query:
    """One .sql file: a select over the view `rows` that returns one number, how many rows are wrong."""

    name: str
    sql: str
    describe: str
    place: str

    @property
    def check(self) -> str:
        """The check's name."""
        return f"sql:{self.name}"


@dataclass(frozen=True)
class Written:
    """The hand-written checks of one feed, in the order of files and lines."""

    expected: tuple[Expected, ...] = ()
    queries: tuple[Query, ...] = ()


def read_written(folder: Path, columns: Mapping[str, object]) -> Written:
    """The checks in a feed's folder, which need not be there.

    Args:
        folder: expectations/<partner>/<feed>.
        columns: the columns of protected rows; a check may name no other.

    Raises:
        AcequiaError: `agreement_invalid`, with file, line and reason for everything that is wrong in the folder.
    """
    expected: list[Expected] = []
    queries: list[Query] = []
    problems: list[str] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        place = "/".join(path.parts[-3:])
        if path.is_dir() or path.name.startswith(".") or path.suffix in _IGNORED:
            continue
        if path.suffix == ".sql":
            text = path.read_text(encoding="utf-8")
            queries.append(Query(path.stem, text, _first_comment(text), place))
        elif path.suffix in (".yaml", ".yml", ".json"):
            expected += _read_list(path, place, columns, problems)
        else:
            problems.append(f"{place}: only .yaml, .json and .sql files hold checks")
    if problems:
        raise AcequiaError("agreement_invalid", "; ".join(problems), where="/".join(folder.parts[-2:]))
    return Written(tuple(expected), tuple(queries))


def _read_list(path: Path, place: str, columns: Mapping[str, object], problems: list[str]) -> list[Expected]:
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        problems.append(f"{place}{f':{mark.line + 1}' if mark else ''}: cannot be read as {path.suffix[1:].upper()}")
        return []
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        problems.append(f"{place}:1: must be a list of checks, each with `expectation`")
        return []
    found = []
    for item in node.value:
        where = f"{place}:{item.start_mark.line + 1}"
        wrong = list(_wrong(item, columns))
        problems += [f"{where}: {reason}" for reason in wrong]
        if not wrong:
            found.append(_expected(_plain(item), where))
    return found


def _expected(item: dict[str, Any], place: str) -> Expected:
    name, describe = item.pop("expectation"), item.pop("describe", "")
    said = str(describe) or ", ".join(f"{key} {value}" for key, value in item.items() if key not in _COLUMNS)
    named = [item[key] for key in _COLUMNS if key in item]
    column = ", ".join(part for given in named for part in ([given] if isinstance(given, str) else given)) or None
    return Expected(name, item, said, column=column, place=place)


def _wrong(node: yaml.Node, columns: Mapping[str, object]) -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        yield "must be a mapping with `expectation`"
    elif repeated := _repeated(node):
        yield f"`{repeated}` stands twice"
    else:
        try:
            item = _plain(node)
        except yaml.YAMLError:
            yield "holds a value that cannot be read"
            return
        yield from _wrong_name(item.get("expectation"))
        yield from (f"`{key}` is not for a check to say" for key in sorted(map(str, item)) if key in _OURS)
        yield from _wrong_columns(item, columns)


def _wrong_name(name: object) -> Iterator[str]:
    if name is None:
        yield "must name an `expectation`"
    elif name not in KNOWN:
        yield f"`{name}` is no expectation that is known here{_meant(name, KNOWN)}"


def _wrong_columns(item: Mapping[str, Any], columns: Mapping[str, object]) -> Iterator[str]:
    for key in _COLUMNS:
        given = item.get(key, ())
        for column in given if isinstance(given, list | tuple) else (given,):
            if column not in columns:
                yield f"{key}: protected rows have no column `{column}`{_meant(column, columns)}"


def _meant(given: object, choices: Iterable[str]) -> str:
    meant = near(str(given), choices)
    return f"; did you mean {meant}?" if meant else ""


def _repeated(node: yaml.Node) -> str | None:
    """PyYAML lets the last of two equal keys win; here it is an error."""
    parts = node.value if isinstance(node.value, list) else []
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in parts]
        for key in keys:
            if keys.count(key) > 1:
                return str(key)
        parts = [value for _, value in parts]
    return next((found for part in parts if (found := _repeated(part))), None)


def _plain(node: yaml.Node) -> Any:
    return yaml.SafeLoader("").construct_document(node)


def _first_comment(sql: str) -> str:
    lines = [line.strip() for line in sql.splitlines()]
    said = []
    for line in lines:
        if not line.startswith("--"):
            break
        said.append(line.lstrip("- "))
    return " ".join(said).strip()
