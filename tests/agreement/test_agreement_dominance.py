"""A dominance rule must have something to look at: a table that promises protection it cannot have is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from acequia.agreement.tables import Table


def table(measures: dict[str, object], of: tuple[str, ...] | None) -> Table:
    dominance = {"n": 1, "k_pct": 50, **({"of": of} if of else {})}
    return Table.model_validate(
        {
            "describe": "One row per district.",
            "by": ("district",),
            "measures": measures,
            "protect": {"contributor": "msisdn", "min_contributors": 10, "dominance": dominance},
        }
    )


SUM, COUNT, MEAN = {"sum": "amount"}, {"count": "rows"}, {"mean": "amount"}
MEDIAN, PEOPLE = {"median": "amount"}, {"count_distinct": "msisdn"}


@pytest.mark.parametrize("measures", [{"x": SUM}, {"x": COUNT, "m": MEDIAN}, {"x": COUNT, "m": MEAN}])
def test_sums_and_row_counts_can_be_dominated(measures: dict[str, object]) -> None:
    found = table(measures, None)
    assert found.looked_at(found.protect.dominance) == ("x",)


def test_a_mean_is_looked_at_where_it_is_named() -> None:
    found = table({"m": MEAN, "x": SUM}, ("m",))
    assert found.looked_at(found.protect.dominance) == ("m",)


@pytest.mark.parametrize(
    ("measures", "of"),
    [({"m": MEDIAN}, None), ({"n": PEOPLE}, None), ({"m": MEAN}, None)],
)
def test_nothing_to_look_at_is_refused(measures: dict[str, object], of: tuple[str, ...] | None) -> None:
    with pytest.raises(ValidationError, match="needs a `sum` or a `count: rows`"):
        table(measures, of)


@pytest.mark.parametrize("rule", [{"dominance": {"n": 1, "k_pct": 50}}, {"p_percent": {"p_pct": 10}}], ids=str)
@pytest.mark.parametrize("also", [False, True], ids=["contributors", "further_unit"])
def test_a_measure_without_shares_is_told_with_its_place(rule: dict[str, dict[str, object]], also: bool) -> None:
    ((key, terms),) = rule.items()
    rules = {key: {**terms, "of": ("x", "m")}}
    protect: dict[str, object] = {"contributor": "msisdn", "min_contributors": 10}
    protect |= {"also": ({"contributor": "operator", "min_contributors": 3, **rules},)} if also else rules
    with pytest.raises(ValidationError) as refused:
        Table.model_validate(
            {"describe": "One.", "by": ("district",), "measures": {"x": SUM, "m": MEDIAN}, "protect": protect}
        )
    ((misfit,),) = [error["ctx"]["misfits"] for error in refused.value.errors()]
    assert misfit.place == (*(("also", 0) if also else ()), key, "of", 1)
    assert "nobody holds a share of it" in misfit.message
