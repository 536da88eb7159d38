"""The agreement as expectations, in Great Expectations' own names. Pure: no data, no Great Expectations.

Two batches are judged. `rows` holds the protected rows. `measures` holds one row: what was counted on the way there
(rows that arrived, rows that break each rule of the gate, failing rows of each hand-written query), one column each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from acequia.agreement.columns import Column, FirstCharacters, PartOf, Pseudonym, SecondsSince, TopCode
from acequia.agreement.model import Feed
from acequia.flow import Protected
from acequia.protect.same_format import LAYOUT

_DUCKDB: dict[str, tuple[str, ...]] = {
    "string": ("VARCHAR",),
    "integer": ("BIGINT", "INTEGER", "SMALLINT", "TINYINT"),
    "number": ("DOUBLE", "FLOAT"),
    "timestamp": ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    "date": ("DATE",),
    "boolean": ("BOOLEAN",),
}
# What a treatment makes of any type; the others leave the type as it is.
_BECOMES: dict[str, tuple[str, ...]] = {
    "pseudonym": ("string",),
    "scrub_text": ("string",),
    "band": ("string",),
    "lookup": ("string",),
    "first": ("string",),
    "part": ("integer",),
    "seconds_since": ("integer", "number"),
    "round_to": ("integer", "number"),
    "top_code": ("integer", "number"),
}
_PARTS = {"hour": (0, 23), "weekday": (1, 7), "month": (1, 12)}
_PSEUDONYM = "^[0-9a-f]{32}$"
_SAME_FORMAT = rf"^([0-9a-f]{{32}}|{LAYOUT})$"
_BAND = r"^(<[-+.0-9eE]+|[-+.0-9eE]+\.\.[-+.0-9eE]+|[-+.0-9eE]+\+)$"


@dataclass(frozen=True)
class Expected:
    """One expectation. `check` is the name under which its outcome is known, by default Great Expectations' name;
    `counted` is the number that a measure found, which is no value of the data and may be shown: failing rows, or with
    `counts_failing` unset another number.
    """

    name: str
    arguments: Mapping[str, Any]
    describe: str
    check: str = ""
    column: str | None = None
    counted: int | None = None
    counts_failing: bool = True
    place: str = ""

    @property
    def known_as(self) -> str:
        """The check's name."""
        return self.check or self.name


@dataclass(frozen=True)
class Measure:
    """A number that was counted, with the least and the most that is agreed; None where there is no most."""

    check: str
    column: str | None
    count: int
    describe: str
    at_least: int = 0
    at_most: int | None = 0
    counts_failing: bool = True

    def expected(self, label: str) -> Expected:
        """The expectation over the measure's column."""
        arguments: dict[str, Any] = {"column": label, "min_value": self.at_least}
        if self.at_most is not None:
            arguments["max_value"] = self.at_most
        return Expected(
            "expect_column_max_to_be_between",
            arguments,
            self.describe,
            check=self.check,
            column=self.column,
            counted=self.count,
            counts_failing=self.counts_failing,
        )


def compiled(feed: Feed) -> tuple[Expected, ...]:
    """What the agreement says of protected rows: the columns that are there, their types, nulls, ranges and sets."""
    expected = [
        Expected(
            "expect_table_columns_to_match_set",
            {"column_set": sorted(feed.kept), "exact_match": True},
            f"exactly the {len(feed.kept)} agreed columns",
        )
    ]
    for name, key in feed.kept.items():
        column = feed.columns[key]
        expected.append(_of_type(name, column))
        if _never_null(column, feed):
            expected.append(_about(name, "expect_column_values_to_not_be_null", {}, "never null"))
        expected += _by_treatment(name, column)
        expected += _kept_comparable(name, column)
    return tuple(expected)


def measures(protected: Protected, feed: Feed) -> tuple[Measure, ...]:
    """What the gate counted: rows that arrived, rows set aside in all, rows that break each rule.

    Duplicates are set aside by agreement, so they do not count against `set_aside_at_most_pct`.
    """
    count, (least, most) = protected.count, feed.delivery.rows_between
    allowed = int(Decimal(str(feed.rows.set_aside_at_most_pct)) * count.rows_in / 100)
    aside = sum(rows for reason, rows in count.set_aside.items() if reason != "duplicate")
    found = [
        Measure("rows_between", None, count.rows_in, f"{count.rows_in} rows arrived; {least} to {most} agreed",
                least, most, counts_failing=False),
        Measure("gate:set_aside", None, aside, f"{aside} of {count.rows_in} rows set aside; at most {allowed} agreed",
                at_most=allowed),
    ]  # fmt: skip
    for outcome in protected.rules:
        limit = None if outcome.rule == "duplicate" else allowed
        said = f"{outcome.rows_failing} of {count.rows_in} rows"
        if limit is not None:
            said += f"; at most {limit} agreed"
        found.append(Measure(f"gate:{outcome.rule}", outcome.column or None, outcome.rows_failing, said, at_most=limit))
    return tuple(found)


def _about(name: str, expectation: str, arguments: Mapping[str, Any], describe: str) -> Expected:
    return Expected(expectation, {"column": name, **arguments}, describe, column=name)


def _of_type(name: str, column: Column) -> Expected:
    kinds = (column.type,) if isinstance(column.treat, Pseudonym) else _BECOMES.get(column.treatment, (column.type,))
    types = [duckdb for kind in kinds for duckdb in _DUCKDB[kind]]
    said = " or ".join(kinds)
    return _about(name, "expect_column_values_to_be_in_type_list", {"type_list": types}, f"of type {said}")


def _never_null(column: Column, feed: Feed) -> bool:
    if column.treatment == "lookup":
        return True  # null and unknown codes become `_U`
    if column.treatment == "scrub_text":
        return False  # a text may be lost altogether rather than kept in doubt
    sources = [column if column.from_ is None else feed.columns[column.from_]]
    if isinstance(column.treat, SecondsSince):
        sources.append(feed.arriving[column.treat.seconds_since])
    return not any(source.may_be_null for source in sources)


def _by_treatment(name: str, column: Column) -> list[Expected]:
    """What the treatment alone promises, whatever the data: the check that it was done."""
    treat = column.treat
    if isinstance(treat, Pseudonym):
        if column.type == "integer":
            return []  # its type says it
        return [_about(name, "expect_column_values_to_match_regex", {"regex": _SAME_FORMAT}, "codes and no other")]
    if treat == "pseudonym":
        return [_about(name, "expect_column_values_to_match_regex", {"regex": _PSEUDONYM}, "pseudonyms and no other")]
    if column.treatment == "band":
        return [_about(name, "expect_column_values_to_match_regex", {"regex": _BAND}, "bands and no other")]
    if isinstance(treat, FirstCharacters):
        bound = {"max_value": treat.first}
        return [_about(name, "expect_column_value_lengths_to_be_between", bound, f"at most {treat.first} characters")]
    if isinstance(treat, PartOf) and treat.part in _PARTS:
        return [_between(name, *_PARTS[treat.part])]
    return []


def _kept_comparable(name: str, column: Column) -> list[Expected]:
    """Rules of the agreement that still mean the same after the treatment."""
    expected = []
    least, most = column.between or (None, None)
    if isinstance(column.treat, TopCode):
        most = column.treat.top_code if most is None else min(most, column.treat.top_code)
    if column.treatment in ("keep", "top_code") and (least, most) != (None, None):
        expected.append(_between(name, least, most))
    if column.treat == "keep" and column.one_of is not None:
        said = f"one of {len(column.one_of)} agreed values"
        expected.append(_about(name, "expect_column_values_to_be_in_set", {"value_set": list(column.one_of)}, said))
    if column.treat == "keep" and column.matches is not None:
        whole = f"^(?:{column.matches})$"
        expected.append(_about(name, "expect_column_values_to_match_regex", {"regex": whole}, "of the agreed pattern"))
    return expected


def _between(name: str, least: Any, most: Any) -> Expected:
    arguments = {key: end for key, end in (("min_value", least), ("max_value", most)) if end is not None}
    said = " and ".join(f"{word} {end}" for word, end in (("at least", least), ("at most", most)) if end is not None)
    return _about(name, "expect_column_values_to_be_between", arguments, said)
