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


@pytest.mark.parametrize("measures", [{"x": {"sum": "amount"}}, {"x": {"count": "rows"}, "m": {"mean": "amount"}}])
def test_sums_and_row_counts_can_be_dominated(measures: dict[str, object]) -> None:
    assert table(measures, None).protect


@pytest.mark.parametrize(
    ("measures", "of"),
    [({"m": {"mean": "amount"}}, None), ({"m": {"mean": "amount"}, "x": {"sum": "amount"}}, ("m",))],
)
def test_nothing_to_look_at_is_refused(measures: dict[str, object], of: tuple[str, ...] | None) -> None:
    with pytest.raises(ValidationError, match="needs a `sum` or a `count: rows`"):
        table(measures, of)
