"""Which cells of real tables are unsafe, why, and what must stay unknown: against the rows themselves."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.disclose.primary import Primary, judge
from tests.aggregate.made_feeds import a_feed, a_reference, cells_of, frame, protected

MEASURES: dict[str, Any] = {
    "n": {"count": "rows"},
    "late": {"count": "rows", "where": "is_late"},
    "people": {"count_distinct": "person"},
    "amount_sum": {"sum": "amount"},
    "amount_mean": {"mean": "amount"},
    "price": {"ratio": {"of": "amount", "to": "quantity"}},
}
ROW = st.fixed_dictionaries(
    {
        "person": st.sampled_from([None, *"abcdefgh"]),
        "kind": st.sampled_from([None, "call", "sms", "data"]),
        "district": st.sampled_from(["Gaborone", "Maun"]),
        "amount": st.none() | st.integers(0, 40).map(lambda quarters: quarters / 4) | st.integers(-4, 900).map(float),
        "quantity": st.none() | st.integers(1, 9),
        "is_late": st.booleans(),
    }
)


def judged(rows: list[dict[str, Any]], protect: dict[str, Any], **table: Any) -> tuple[list[dict[str, Any]], Primary]:
    table = {"by": ("district",), "measures": MEASURES, **table, "protect": protect}
    feed = a_feed(tables={"t": table})
    with tempfile.TemporaryDirectory() as place:
        a_reference(Path(place))
        parts = (protected(Path(place), frame(rows)),)
        made = pq.read_table(cells_of(Path(place), feed, feed.tables["t"], parts, record_keys=b"k" * 32).path)
    return made.to_pylist(), judge(made, feed.tables["t"])


def contributions(rows: list[dict[str, Any]], column: str, name: str) -> list[Fraction]:
    sums: dict[Any, Fraction] = {}
    for row in rows:
        one = Fraction(1) if name == "n" else Fraction(int(row["is_late"])) if name == "late" else row["amount"]
        if one is not None:
            sums[row[column]] = sums.get(row[column], Fraction(0)) + Fraction(one)
    return sorted(sums.values(), reverse=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(ROW, max_size=40),
    least=st.integers(1, 4),
    partners=st.integers(1, 3),
    n=st.integers(1, 3),
    k=st.sampled_from([30, 50.5, 80]),
    p=st.sampled_from([5, 12.5, 90]),
    q=st.sampled_from([90, 100]),
    also_rules=st.booleans(),
)
def test_every_cell_has_its_reason_and_its_levels(
    rows: list[dict[str, Any]], least: int, partners: int, n: int, k: float, p: float, q: float, also_rules: bool
) -> None:
    of = ("n", "late", "amount_sum", "amount_mean")
    rules = {"dominance": {"n": n, "k_pct": k, "of": of}, "p_percent": {"p_pct": p, "q_pct": q, "of": of}}
    also = ({"contributor": "kind", "min_contributors": partners, **(rules if also_rules else {})},)
    protect = {"contributor": "person", "min_contributors": least, "also": also, **rules}
    cells, primary = judged(rows, protect)
    units = [("person", least, True), ("kind", partners, also_rules)]
    for place, cell in enumerate(cells):
        inside = [row for row in rows if row["district"] == cell["district"]]
        few = _few(inside, units)
        levels = {name: _levels(inside, name, units, n, Fraction(k), Fraction(p) / Fraction(q))
                  for name in of}  # fmt: skip
        wanted = (
            "min_contributors" if few
            else "dominance" if any(level[0] for level in levels.values())
            else "p_percent" if any(level[1] for level in levels.values())
            else None
        )  # fmt: skip
        assert primary.reasons[place] == wanted
        for name, (nk, pq_) in levels.items():
            layer = "amount_mean:sum" if name == "amount_mean" else name
            share = (
                Fraction(3, 10) * abs(Fraction(cell[f"total:{name}"] or 0)) if name in few and "amount" in name else 0
            )
            assert primary.up[layer][place] == pytest.approx(float(max(nk, pq_, share)))
            room = primary.value[layer][place] - primary.lower[layer][place]
            assert primary.down[layer][place] == pytest.approx(min(float(max(nk, pq_, share)), np.nan_to_num(room)))
        if "" in few:
            assert primary.integers["rows"][place] == max(2, few[""])
            assert primary.integers["contributors"][place] >= few[""]


def _few(rows: list[dict[str, Any]], units: list[tuple[str, int, bool]]) -> dict[str, int]:
    """The numbers that rest on too few, with the largest threshold that they miss."""
    rests_on = {
        "": rows, "n": rows, "late": [row for row in rows if row["is_late"]],
        "people": [row for row in rows if row["person"] is not None],
        "amount_sum": [row for row in rows if row["amount"] is not None],
        "amount_mean": [row for row in rows if row["amount"] is not None],
        "price": [row for row in rows if (row["amount"], row["quantity"]) != (None, None)],
    }  # fmt: skip
    found = {}
    for name, some in rests_on.items():
        missed = [least for column, least, _ in units if some and len({row[column] for row in some} - {None}) < least]
        if missed:
            found[name] = max(missed)
    return found


def _levels(
    rows: list[dict[str, Any]], name: str, units: list[tuple[str, int, bool]], n: int, k: Fraction, p_of_q: Fraction
) -> tuple[Fraction, Fraction]:
    levels = [(Fraction(0), Fraction(0))]
    for column, _, concentrated in units:
        parts = contributions(rows, column, name)
        total = sum(parts)
        if concentrated and total > 0 and parts[-1] >= 0:
            dominance = 100 / k * sum(parts[:n]) - total
            inference = p_of_q * parts[0] - (total - sum(parts[:2]))
            levels.append((max(dominance, Fraction(0)), max(inference, Fraction(0))))
    return max(one for one, _ in levels), max(other for _, other in levels)


def people(district: str, amounts: list[float]) -> list[dict[str, Any]]:
    return [{"person": f"{district}{i}", "district": district, "amount": amount} for i, amount in enumerate(amounts)]


def test_negative_contributions_leave_the_frequency_rule_alone() -> None:
    rows = people("Maun", [1000.0, -1.0, 1.0]) + people("Gaborone", [1000.0, 1.0, 1.0])
    rules = {
        "dominance": {"n": 1, "k_pct": 50, "of": ("amount_sum",)},
        "p_percent": {"p_pct": 10, "of": ("amount_sum",)},
    }
    _, primary = judged(rows, {"contributor": "person", "min_contributors": 3, **rules})
    assert primary.reasons == ["dominance", None]
    assert primary.lower["amount_sum"].tolist() == [-np.inf, -np.inf]
    _, primary = judged(rows, {"contributor": "person", "min_contributors": 4, **rules})
    assert primary.reasons == ["min_contributors", "min_contributors"]


def test_zero_cells_are_unsafe_by_setting() -> None:
    rows = people("Maun", [1.0, 1.0])
    for zeros, reason in (("publish", None), ("withhold", "zeros")):
        _, primary = judged(rows, {"contributor": "person", "min_contributors": 2, "zeros": zeros}, cells="all")
        assert [found for found in primary.reasons if found] == [reason] * 3 if reason else not any(primary.reasons)
        assert (primary.integers["rows"] > 0).sum() == (3 if reason else 0)


def test_a_number_that_rests_on_few_hides_the_whole_cell() -> None:
    rows = [*people("Maun", [5.0] * 6), {"person": "late", "district": "Maun", "is_late": True, "amount": 5.0}]
    _, primary = judged([{"is_late": False, **row} for row in rows], {"contributor": "person", "min_contributors": 3})
    assert primary.reasons == ["min_contributors"]
    assert primary.integers["late"].tolist() == [3]  # the one late row
    assert primary.integers["rows"].tolist() == [2]  # the others need only not be known exactly
    assert primary.up["amount_sum"].tolist() == [0]
    assert primary.width["amount_sum"][0] > 0


def test_noise_stands_in_for_withholding() -> None:
    measures = {"n": {"count": "rows"}}
    noise = {"cell_key": {"noise_at_most": 5, "variance": 2}}
    _, primary = judged(
        people("Maun", [1.0]), {"contributor": "person", "min_contributors": 9, **noise}, measures=measures
    )
    assert primary.reasons == [None]


def test_who_is_alone_is_numbered() -> None:
    rows = people("Maun", [1.0]) + people("Gaborone", [1.0, 2.0])
    cells, primary = judged(rows, {"contributor": "person", "min_contributors": 1})
    assert {cell["district"]: int(who) for cell, who in zip(cells, primary.sole, strict=True)} == {
        "Maun": 0,
        "Gaborone": -1,
    }
    assert len(primary.soles) == 1


def test_needs_count_from_where_they_are_asked() -> None:
    rows = people("Gaborone", [1.0, 2.0]) + people("Maun", [100.0])
    _, primary = judged(rows, {"contributor": "person", "min_contributors": 2})
    (need,) = primary.needs("amount_sum", 10)
    assert (need.unknown, need.up, need.down) == (11, 30.0, 30.0)
    (need,) = primary.needs("contributors")
    assert (need.unknown, need.integers) == (1, 2)


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ({"call": 20, "sms": 20}, "min_contributors"),  # of two companies each knows the other
        ({"call": 20, "sms": 20, "data": 20}, None),
        ({"call": 90, "sms": 4, "data": 4}, "dominance"),
        ({"call": 60, "sms": 35, "data": 1}, "p_percent"),  # the second knows the first to within one of sixty
    ],
    ids=str,
)
def test_the_companies_of_a_pooled_table_are_protected_from_each_other(
    shares: dict[str, int], reason: str | None
) -> None:
    """Many people stand behind every cell; the companies (here `kind`) have rules of their own."""
    rows = [{"person": f"{company}{i}", "kind": company, "district": "Maun", "amount": 1.0}
            for company, people_ in shares.items() for i in range(people_)]  # fmt: skip
    rules = {"dominance": {"n": 1, "k_pct": 75}, "p_percent": {"p_pct": 5}}
    also = ({"contributor": "kind", "min_contributors": 3, **rules},)
    cells, primary = judged(rows, {"contributor": "person", "min_contributors": 10, "also": also})
    assert [cell["cell:contributors"] for cell in cells] == [sum(shares.values())]
    assert primary.reasons == [reason]
    _, primary = judged(rows, {"contributor": "person", "min_contributors": 10})
    assert primary.reasons == [None]
