"""Protection that does not hold together is refused when the agreement is checked, with the place and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from acequia.aggregate.plan import problems
from acequia.agreement.closed import Misfit
from acequia.agreement.protectable import MEDIAN_AT_LEAST
from acequia.agreement.tables import Table
from tests.aggregate.made_feeds import a_feed, a_reference

COUNT, SUM, MEAN, MEDIAN = {"count": "rows"}, {"sum": "amount"}, {"mean": "amount"}, {"median": "amount"}


def misfits(protect: dict[str, Any], **measures: Any) -> list[Misfit]:
    protect = {"contributor": "person", "min_contributors": 15, **protect}
    try:
        Table.model_validate(
            {"describe": "One.", "by": ("district",), "measures": measures or {"n": COUNT}, "protect": protect}
        )
    except ValidationError as refused:
        found: list[Misfit] = []
        for error in refused.errors():
            loc = tuple(part for part in error["loc"] if part not in ("some", *measures))
            found += [misfit.below(*loc) for misfit in error["ctx"]["misfits"]]
        return found
    return []


def told(tmp_path: Path, protect: dict[str, Any], **measures: Any) -> list[str]:
    protect = {"contributor": "person", "min_contributors": 15, **protect}
    feed = a_feed(tables={"t": {"by": ("district",), "measures": measures, "protect": protect}})
    return problems(feed, a_reference(tmp_path))


@pytest.mark.parametrize("measure", ["max", "min", "maximum", "minimum", "percentile", "quantile", "first", "Max"])
def test_a_measure_that_no_rule_can_protect(measure: str) -> None:
    (misfit,) = misfits({}, most={measure: "amount"})
    assert (misfit.place, misfit.choices[:3]) == (("measures", measure), ("count", "count_distinct", "sum"))
    assert "no rule can protect" in misfit.message


@pytest.mark.parametrize(
    ("protect", "measures", "place", "said"),
    [
        ({"rounding": "controlled"}, {"n": COUNT}, ("rounding",), "`round_to`"),
        ({"secondary": {"keep_open": {"kind": ("call",)}}}, {"n": COUNT}, ("secondary", "keep_open", "kind"), "`by`"),
        ({"cell_key": {"noise_at_most": 5, "variance": 2}}, {"n": COUNT, "x": SUM}, ("cell_key",), "x is a sum"),
        ({"cell_key": {"noise_at_most": 5, "variance": 2}}, {"m": MEDIAN}, ("cell_key",), "m is a median"),
        ({"cell_key": {"noise_at_most": 5, "variance": 2}, "p_percent": {"p_pct": 5}}, {"n": COUNT}, ("cell_key",),
         "p_percent"),
        ({"p_percent": {"p_pct": 5, "of": ("m",)}}, {"n": COUNT, "m": MEDIAN}, ("p_percent", "of", 0), "nobody holds"),
        ({"p_percent": {"p_pct": 50, "q_pct": 49}}, {"n": COUNT}, ("p_percent", "q_pct"), "at least `p_pct`"),
    ],
)  # fmt: skip
def test_keys_that_do_not_fit_each_other(
    protect: dict[str, Any], measures: dict[str, Any], place: tuple[str | int, ...], said: str
) -> None:
    (misfit,) = misfits(protect, **measures)
    assert misfit.place == ("protect", *place)
    assert said in misfit.message


def test_a_median_of_few_is_one_persons_number(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, {"min_contributors": MEDIAN_AT_LEAST - 1}, n=COUNT, m=MEDIAN)
    assert problem.startswith("tables.t.measures.m: a median is one contributor's own number")
    assert "`min_contributors` must be at least 10" in problem
    assert told(tmp_path, {"min_contributors": MEDIAN_AT_LEAST}, n=COUNT, m=MEDIAN) == []


def test_a_sum_and_its_mean_give_a_rounded_count_back(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, {"round_to": 5}, n=COUNT, x=SUM, m={"mean": " amount "})
    assert problem.startswith("tables.t.measures.m: gives a rounded count back exactly: x is the sum of the same")
    assert told(tmp_path, {}, n=COUNT, x=SUM, m=MEAN) == []  # the count is published as it is
    assert told(tmp_path, {"round_to": 5}, n=COUNT, m=MEAN) == []
    assert len(told(tmp_path, {"round_to": 5}, x=SUM, m={"ratio": {"of": "amount", "to": "1"}})) == 1
    assert told(tmp_path, {"round_to": 5}, x=SUM, m={"ratio": {"of": "amount", "to": "quantity"}}) == []
    (problem,) = told(tmp_path, {"round_to": 5}, x={"sum": "1"})
    assert "say `count: rows`" in problem
    late = {"mean": "amount", "where": "is_late"}
    assert told(tmp_path, {"round_to": 5}, x=SUM, m=late) == []
    assert len(told(tmp_path, {"round_to": 5}, x={**SUM, "where": "is_late"}, m=late)) == 1


@pytest.mark.parametrize(
    ("column", "value", "wrong"),
    [
        ("district", "Maun", False),
        ("district", "Maum", True),
        ("district", "South", False),
        ("district", "_T", False),
        ("kind", "call", False),
        ("kind", "cal", True),
        ("hour", "7", False),  # only the rows can tell
    ],
)
def test_important_cells_must_be_cells(column: str, value: str, wrong: bool, tmp_path: Path) -> None:
    secondary = {"keep_open": {column: (value,)}}
    table = {
        "by": ("district", "kind", "hour"),
        "hierarchy": {"district": ("country", "region", "district")},
        "measures": {"n": COUNT},
        "protect": {"contributor": "person", "min_contributors": 15, "secondary": secondary},
    }
    found = problems(a_feed(tables={"t": table}), a_reference(tmp_path))
    assert bool(found) == wrong
    if wrong:
        place = f"tables.t.protect.secondary.keep_open.{column}"
        assert found == [f"{place}: {value} is no value that the column or a level of it can have"]
