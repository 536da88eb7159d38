"""Differential privacy under attack: what one contributor moves, what 20,000 draws tell of one, what totals say."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from acequia.aggregate.plan import problems
from acequia.aggregate.private import CONTRIBUTORS, most_of, queries
from acequia.agreement.model import Feed
from acequia.disclose import noise, private
from acequia.engine.transforms import load, looks_at_each_alone
from acequia.errors import AcequiaError
from acequia.flow import Cells
from acequia.publish.content import read_cells
from tests.aggregate.made_feeds import a_feed, a_reference, cells_of, frame, protected
from tests.disclose.lower_bound import UNSURE, lowest_epsilon
from transforms import ALONE

DRAWS = 20_000
DISTRICTS = ("Gaborone", "Kasane", "Lobatse", "Maun")
MEASURES: dict[str, Any] = {
    "rows_count": {"count": "rows"},
    "late_count": {"count": "rows", "where": "is_late"},
    "people_count": {"count_distinct": "person"},
    "amount_sum": {"sum": "amount"},
    "quantity_sum": {"sum": "quantity"},
}
BOUNDS = {"amount_sum": (-5.0, 20.5), "quantity_sum": (0.0, 30.0)}


def feed_of(
    *,
    measures: tuple[str, ...] = tuple(MEASURES),
    budget: dict[str, Any] | None = {"epsilon": 100, "delta": 0.05},  # noqa: B006 - only read
    contributor: str = "person",
    by: tuple[str, ...] = ("district", "kind"),
    cells: str = "observed",
    hierarchy: dict[str, Any] | None = None,
    **terms: Any,
) -> Feed:
    chosen = {"epsilon": 1.0, "delta": 1e-3 if cells == "observed" else 0, "cells_at_most": 2, "rows_at_most": 3}
    bounds = {name: bound for name, bound in BOUNDS.items() if name in measures}
    table = {
        "by": by,
        "cells": cells,
        "hierarchy": hierarchy or {},
        "measures": {name: MEASURES[name] for name in measures},
        "protect": {
            "contributor": contributor,
            "min_contributors": 1,
            "differential_privacy": {**chosen, "bounds": bounds, **terms},
        },
    }
    return a_feed(tables={"t": table}, privacy={"budget": budget} if budget else {})


def one_row(person: str | None, district: str = "Maun", kind: str = "call", **more: Any) -> dict[str, Any]:
    return {
        "person": person,
        "district": district,
        "kind": kind,
        "amount": 7.25,
        "quantity": 2,
        "is_late": True,
        **more,
    }


@pytest.fixture
def place(tmp_path: Path) -> Path:
    a_reference(tmp_path)
    return tmp_path


def made(folder: Path, feed: Feed, rows: list[dict[str, Any]], name: str = "cells") -> Cells:
    return cells_of(folder, feed, feed.tables["t"], (protected(folder, frame(rows)),), name=name)


def numbers(cells: Cells, feed: Feed) -> dict[str, dict[tuple[Any, ...], int]]:
    """Query -> cell -> its exact number, in units."""
    found: dict[str, dict[tuple[Any, ...], int]] = {}
    rows = pq.read_table(cells.path)
    for query in queries(feed.tables["t"]):
        column = rows.column(query.column)
        scale = getattr(column.type, "scale", 0)
        keys = zip(*(rows.column(by).to_pylist() for by in feed.tables["t"].by), strict=True)
        found[query.name] = {key: int(number * 10**scale) for key, number in zip(keys, column.to_pylist(), strict=True)}
    return found


def moved(left: dict[Any, int], right: dict[Any, int]) -> int:
    return sum(abs(left.get(key, 0) - right.get(key, 0)) for key in left.keys() | right.keys())


def claimed(cells: Cells, feed: Feed) -> dict[str, int]:
    """Query -> by how much one contributor may move it, in units."""
    table, rows = feed.tables["t"], pq.read_table(cells.path)
    terms = table.protect.differential_privacy  # type: ignore[union-attr]
    assert terms is not None
    return {
        query.name: terms.cells_at_most
        * most_of(table, query.name, getattr(rows.column(query.column).type, "scale", 0))
        for query in queries(table)
    }


# What one contributor moves

ROW = st.fixed_dictionaries(
    {
        "person": st.sampled_from([None, "a", "b", "c"]),
        "district": st.sampled_from(["Gaborone", "Lobatse", "Maun", "_U"]),
        "kind": st.sampled_from([None, "call", "sms", "data"]),
        "amount": st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.1, 1e-9, -4.9999999, 20.5])),
        "quantity": st.one_of(st.none(), st.integers(-9, 2**40)),
        "is_late": st.one_of(st.none(), st.booleans()),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(ROW, max_size=25),
    st.lists(ROW, min_size=1, max_size=25),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(["observed", "all"]),
)
def test_one_contributor_moves_no_query_by_more_than_is_claimed(
    others: list[dict[str, Any]], own: list[dict[str, Any]], cells: int, rows: int, known: str
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        a_reference(folder)
        feed = feed_of(cells=known, cells_at_most=cells, rows_at_most=rows)
        mine = [row | {"person": "me"} for row in own]
        together, without = made(folder, feed, others + mine), made(folder, feed, others, "without")
        left, right, most = numbers(together, feed), numbers(without, feed), claimed(together, feed)
        assert most
        for name in most:
            assert moved(left[name], right[name]) <= most[name], name


def test_a_user_with_ten_thousand_rows_is_bounded(place: Path) -> None:
    """And the bound is reached: nothing smaller would do."""
    feed = feed_of(cells_at_most=2, rows_at_most=3)
    crowd = [one_row(f"p{n}", district, kind) for n, (district, kind) in
             enumerate(itertools.product(DISTRICTS, ("call", "sms", "data")))]  # fmt: skip
    keys = itertools.cycle(itertools.product(DISTRICTS, ("call", "sms", "data")))
    heavy = [one_row("heavy", district, kind) for district, kind in itertools.islice(keys, 10_000)]
    together, without = made(place, feed, crowd + heavy), made(place, feed, crowd, "without")
    left, right, most = numbers(together, feed), numbers(without, feed), claimed(together, feed)
    assert {name: moved(left[name], right[name]) for name in most} == most
    changed = {key for name in most for key in left[name] if left[name][key] != right[name].get(key)}
    assert len(changed) == 2


def test_the_cells_that_are_kept_depend_on_no_order_and_no_other_contributor(place: Path) -> None:
    feed = feed_of(cells="all", cells_at_most=1, measures=("rows_count",))
    own = [one_row("me", district, kind) for district in DISTRICTS for kind in ("call", "sms", "data")]
    alone = numbers(made(place, feed, own), feed)["rows_count"]
    assert sum(alone.values()) == 1
    others = [one_row(f"p{n}", DISTRICTS[n % 4], "sms") for n in range(40)]
    before = numbers(made(place, feed, others), feed)["rows_count"]
    after = numbers(made(place, feed, [*own[::-1], *others[::-1]]), feed)["rows_count"]
    assert {key: after[key] - before[key] for key in after} == alone


def test_rows_of_nobody_and_rows_outside_the_known_cells_are_left_out(place: Path) -> None:
    feed = feed_of(cells="all", cells_at_most=1, measures=("rows_count",))
    rows = [one_row(None), one_row("a", "_U"), one_row("a", "Maun")]  # the unknown takes no cell of a's
    found = numbers(made(place, feed, rows), feed)["rows_count"]
    assert len(found) == 12
    assert {key: count for key, count in found.items() if count} == {("Maun", "call"): 1}


# What draws tell of one contributor


def drawn(cells: Cells, feed: Feed, without: Cells, together: Cells) -> np.ndarray:
    """20,000 draws of every query, and of each how well they fit the table with one more contributor.

    The likelihood ratio over all queries: no event tells the two apart better (Neyman and Pearson).
    """
    table = feed.tables["t"]
    terms = table.protect.differential_privacy  # type: ignore[union-attr]
    assert terms is not None
    share = noise.share_of(terms.epsilon, len(queries(table)))
    fit = np.zeros(DRAWS)
    own, left, right = (numbers(part, feed) for part in (cells, without, together))
    for name, most in claimed(cells, feed).items():
        for key in sorted(own[name], key=str):
            if left[name][key] != right[name][key]:  # the rest tells nothing
                noisy = np.array(noise.with_noise([own[name][key]] * DRAWS, most, share))
                fit += (np.abs(noisy - left[name][key]) - np.abs(noisy - right[name][key])) * share / most
    return fit


def attacked(place: Path, feed: Feed) -> float:
    crowd = [one_row(f"p{n}", DISTRICTS[n % 4], ("call", "sms", "data")[n % 3]) for n in range(60)]
    heavy = [one_row("heavy", district, kind, amount=1e6, quantity=10**6)
             for district in DISTRICTS for kind in ("call", "sms", "data") for _ in range(40)]  # fmt: skip
    together, without = made(place, feed, crowd + heavy), made(place, feed, crowd, "without")
    with_one, without_one = (drawn(cells, feed, without, together) for cells in (together, without))
    return lowest_epsilon(with_one, without_one)


ONE_NUMBER: dict[str, Any] = {"measures": ("rows_count",), "cells_at_most": 1, "rows_at_most": 1}


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 2.5])
def test_twenty_thousand_draws_of_one_number_tell_no_more_than_is_claimed(place: Path, epsilon: float) -> None:
    found = attacked(place, feed_of(cells="all", epsilon=epsilon, **ONE_NUMBER))
    assert 0.6 * epsilon < found <= epsilon  # the attack is good enough to come near


def test_twenty_thousand_draws_of_every_measure_tell_no_more_than_is_claimed(place: Path) -> None:
    found = attacked(place, feed_of(cells="all", epsilon=2.0, cells_at_most=3, rows_at_most=5))
    assert 0.3 < found <= 2.0


@pytest.mark.parametrize("part", [0.5, 0.75])
def test_noise_that_is_too_small_is_found_out(place: Path, monkeypatch: pytest.MonkeyPatch, part: float) -> None:
    right = noise.scale_for
    monkeypatch.setattr(noise, "scale_for", lambda moved, epsilon: part * right(moved, epsilon))
    assert attacked(place, feed_of(cells="all", epsilon=1.0, **ONE_NUMBER)) > 1.0


def test_bounding_that_is_left_out_is_found_out(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from acequia.aggregate import private as bounding

    loose = bounding.Bounded._kept
    monkeypatch.setattr(bounding.Bounded, "_kept", lambda self, *of: loose(self, *of).replace("<= 1", "<= 12"))
    assert attacked(place, feed_of(cells="all", epsilon=1.0, **ONE_NUMBER)) > 1.0


def published_alone(feed: Feed) -> int:
    """Of 20,000 cells in which one contributor is alone, how many are published."""
    table = feed.tables["t"]
    share = noise.share_of(1.0, len(queries(table)))
    terms = table.protect.differential_privacy  # type: ignore[union-attr]
    assert terms is not None
    return len(noise.above_threshold([1] * DRAWS, terms.cells_at_most, share, terms.delta))


def test_a_cell_of_one_contributor_is_published_no_more_often_than_delta(monkeypatch: pytest.MonkeyPatch) -> None:
    delta = 0.02
    feed = feed_of(measures=("rows_count",), delta=delta, cells_at_most=1)
    hits = published_alone(feed)
    assert hits > 0  # delta is spent: a threshold any lower would be too low
    assert beta.ppf(UNSURE, hits, DRAWS - hits + 1) <= delta
    right = noise.threshold_for
    monkeypatch.setattr(noise, "threshold_for", lambda *of: right(*of) - 3)
    with pytest.raises(AcequiaError, match="more than was agreed"):
        published_alone(feed)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 10), st.integers(1, 50), st.sampled_from([1e-9, 1e-6, 1e-3]))
def test_the_threshold_is_the_lowest_that_serves(epsilon: float, cells: int, delta: float) -> None:
    scale = noise.scale_for(cells, epsilon)
    lowest = noise.threshold_for(scale, cells, delta)
    told, below = (noise._threshold(scale, at).map((cells, cells, 1))[1] for at in (lowest, lowest - 1))
    assert told <= delta < below


@given(st.floats(0.001, 100), st.integers(1, 100))
def test_shares_add_up_to_no_more_than_the_whole(epsilon: float, parts: int) -> None:
    share = noise.share_of(epsilon, parts)
    assert Fraction(share) * parts <= Fraction(epsilon)
    assert share == pytest.approx(epsilon / parts)


def test_the_noise_is_as_wide_as_readers_are_told(place: Path) -> None:
    feed = feed_of(cells="all", by=("district",), measures=("rows_count", "amount_sum"), epsilon=0.5)
    cells, scales = made(place, feed, []), private.noise_of(feed.tables["t"])
    share = noise.share_of(0.5, 2)
    for name, most in claimed(cells, feed).items():
        units = 10 ** getattr(pq.read_table(cells.path).column(f"private:{name}").type, "scale", 0)
        drawn_once = np.array(noise.with_noise([0] * DRAWS, most, share)) / units
        assert np.std(drawn_once) == pytest.approx(scales[name] * math.sqrt(2), rel=0.06)
        assert abs(np.mean(drawn_once)) < 6 * np.std(drawn_once) / math.sqrt(DRAWS)


# What is published


def test_totals_are_the_sums_of_their_parts_and_nothing_is_below_zero(place: Path) -> None:
    feed = feed_of(
        cells="all",
        hierarchy={"district": ("country", "region", "district"), "kind": ("all", "kind")},
        measures=("rows_count", "late_count", "amount_sum", "quantity_sum"),
        epsilon=0.2,
    )
    rows = private.draw(made(place, feed, [one_row(f"p{n}") for n in range(30)]), feed.tables["t"]).to_pylist()
    at = {(row["district"], row["kind"]): row for row in rows}
    assert len(at) == len(rows) == (4 + 2 + 1) * (3 + 1)
    regions = {"South": ("Gaborone", "Lobatse"), "North": ("Kasane", "Maun")}
    for name in ("rows_count", "late_count", "amount_sum", "quantity_sum"):
        for kind in ("call", "sms", "data", "_T"):
            for region, parts in {**regions, "_T": ("South", "North")}.items():
                assert at[region, kind][name] == pytest.approx(sum(at[part, kind][name] for part in parts))
        for district in (*DISTRICTS, "South", "_T"):
            by_kind = [at[district, kind][name] for kind in ("call", "sms", "data")]
            assert at[district, "_T"][name] == pytest.approx(sum(by_kind))
        if name != "amount_sum":
            assert min(row[name] for row in rows) >= 0


def test_unknown_cells_of_many_are_there_and_those_of_few_are_not(place: Path) -> None:
    feed = feed_of(epsilon=20.0, delta=1e-6, cells_at_most=1, by=("district", "hour"))
    rows = [one_row(f"p{n}", "Gaborone", hour=1) for n in range(300)] + [one_row("alone", "Maun", hour=2)]
    cells = made(place, feed, rows)
    out = private.disclosed(private.draw(cells, feed.tables["t"]), cells, feed.tables["t"], out=place / "out.parquet")
    published = read_cells(out, feed.tables["t"]).to_pylist()
    assert [(row["district"], row["hour"], row["cell_status"]) for row in published] == [("Gaborone", 1, "published")]
    assert published[0]["contributors_count"] == published[0]["people_count"]
    assert abs(published[0]["contributors_count"] - 300) < 60
    assert "withheld" not in str(out.rules) and out.withheld == {}


@pytest.mark.parametrize("known", ["observed", "all"])
def test_no_rows_at_all(place: Path, known: str) -> None:
    feed = feed_of(cells=known)
    cells = made(place, feed, [])
    out = private.disclosed(private.draw(cells, feed.tables["t"]), cells, feed.tables["t"], out=place / "out.parquet")
    assert read_cells(out, feed.tables["t"]).num_rows == (12 if known == "all" else 0)


def test_the_contributors_cost_nothing_where_a_measure_counts_them() -> None:
    counted = feed_of(cells="all", measures=("people_count", "rows_count"))
    assert [query.name for query in queries(counted.tables["t"])] == ["people_count", "rows_count"]
    hidden = feed_of(measures=("people_count", "rows_count"))
    assert [query.column for query in queries(hidden.tables["t"])] == [CONTRIBUTORS, "private:rows_count"]


def projections(numbers: list[int]) -> Iterator[int]:
    """The squared distances of every list of whole numbers of 0 or more with the same total."""
    total = max(0, sum(numbers))
    for parts in itertools.product(range(total + 1), repeat=len(numbers)):
        if sum(parts) == total:
            yield sum((part - number) ** 2 for part, number in zip(parts, numbers, strict=True))


@settings(deadline=None)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=4))
def test_numbers_below_zero_go_to_the_nearest_ones_with_the_same_total(numbers: list[int]) -> None:
    found = private.nearest(numbers)
    assert min(found) >= 0
    assert sum(found) == max(0, sum(numbers))
    assert sum((one - other) ** 2 for one, other in zip(found, numbers, strict=True)) == min(projections(numbers))


# What is refused before anything is read


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"budget": None}, "needs a `privacy.budget`"),
        ({"budget": {"epsilon": 0.5, "delta": 0.05}}, "costs more than the whole"),
        ({"contributor": "rows", "measures": ("rows_count",)}, "not `rows`"),
        ({"delta": 0}, "need `delta` above 0"),
        ({"cells": "all", "by": ("district", "hour")}, "the values of `hour` are not known before"),
        ({"bounds": {"amount_sum": (0.0, 5.0)}}, "bounds needs `quantity_sum`"),
        ({"bounds": {**BOUNDS, "rows_count": (0.0, 5.0)}}, "bounds.rows_count: is no sum"),
        ({"bounds": {**BOUNDS, "amount_sum": (5.0, 0.0)}}, "the least first"),
        ({"bounds": {**BOUNDS, "amount_sum": (0.0, 0.0)}}, "not both 0"),
        ({"bounds": {**BOUNDS, "amount_sum": (0.0, 1e19)}}, "too large"),
        ({"hierarchy": {"district": ("country", "district")}}, "contributors do not add up to totals"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else "-".join(value.split()[:4]),
)
def test_what_cannot_be_private_is_refused_when_it_is_checked(place: Path, terms: dict[str, Any], said: str) -> None:
    found = problems(feed_of(**terms), place / "reference")
    assert any(said in problem and problem.startswith("tables.t") for problem in found), found


@pytest.mark.parametrize(
    "measure",
    [
        {"mean": "amount"},
        {"median": "amount"},
        {"ratio": {"of": "amount", "to": "quantity"}},
        {"count_distinct": "district"},
    ],
    ids=lambda measure: next(iter(measure)),
)
def test_a_measure_that_one_contributor_moves_without_bound_is_refused(
    place: Path, measure: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MEASURES, "wild", measure)
    found = problems(feed_of(measures=("rows_count", "wild")), place / "reference")
    assert any(
        problem.startswith("tables.t.measures.wild: ") and "differential_privacy" in problem for problem in found
    )


LOOKED_AT: dict[str, dict[str, tuple[str, str]]] = {
    "energy.complete_days": {
        "meter": ("VARCHAR", "'m' || (i % 3)"),
        "read_at": ("TIMESTAMP", "TIMESTAMP '2026-11-01' + INTERVAL (30 * (i // 3 + i // 150)) MINUTE"),
        "consumption_kwh": ("DOUBLE", "CASE WHEN i % 40 <> 7 THEN i END"),
    },
    "mobility.active_subscribers": {
        "msisdn": ("VARCHAR", "CASE WHEN i < 350 THEN 'busy' ELSE 'm' || (i % 3) END"),
        "started_hour": ("TIMESTAMP", "TIMESTAMP '2026-11-01 20:00'"),
    },
    "mobility.home_district": {
        "msisdn": ("VARCHAR", "'m' || (i % 4)"),
        "started_hour": ("TIMESTAMP", "TIMESTAMP '2026-11-01 20:00' + INTERVAL (i % 60) HOUR"),
        "district": ("VARCHAR", "'d' || (i * i % 5)"),
    },
    "payments.completed_only": {"status": ("VARCHAR", "CASE WHEN i % 3 = 1 THEN 'completed' ELSE 'failed' END")},
    "prices.unit_values": {"quantity": ("INTEGER", "i % 5 - 1"), "price": ("DOUBLE", "i % 7 - 1")},
    "trips.valid_trips": {
        "duration_s": ("INTEGER", "i * 97 % 15000 - 100"),
        "distance": ("DOUBLE", "i % 7 - 1"),
        "fare": ("DOUBLE", "i % 6 - 1"),
    },
}


@pytest.mark.parametrize("name", sorted(ALONE))
def test_a_transform_that_is_said_to_look_at_each_alone_does(name: str) -> None:
    """Without a contributor's rows, the others' come out as they did."""
    columns = LOOKED_AT[name]
    who = ALONE[name] or "person"
    made_up = columns if ALONE[name] else {"person": ("VARCHAR", "'m' || (i % 4)"), **columns}
    selected = ", ".join(f"CAST({sql} AS {kind}) AS {column}" for column, (kind, sql) in made_up.items())
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW everybody AS SELECT {selected} FROM range(600) AS r(i)")  # noqa: S608
        everybody = connection.execute(f"SELECT * FROM ({load(name)('everybody')}) ORDER BY ALL").fetchall()  # noqa: S608
        at = [column[0] for column in connection.execute(load(name)("everybody")).description].index(who)
        people = [row[0] for row in connection.execute(f"SELECT DISTINCT {who} FROM everybody").fetchall()]  # noqa: S608
        assert len(everybody) > 2
        assert len(people) > 2
        for gone in people:
            connection.execute(f"CREATE OR REPLACE VIEW others AS SELECT * FROM everybody WHERE {who} <> '{gone}'")  # noqa: S608
            others = connection.execute(f"SELECT * FROM ({load(name)('others')}) ORDER BY ALL").fetchall()  # noqa: S608
            assert others == [row for row in everybody if row[at] != gone]


@pytest.mark.parametrize(
    ("name", "contributor", "refused"),
    [("mobility.active_subscribers", "msisdn", False), ("mobility.active_subscribers", "imei", True),
     ("payments.completed_only", "imei", False), ("own.ranks", "msisdn", True)],
)  # fmt: skip
def test_a_transform_that_mixes_contributors_is_refused(name: str, contributor: str, refused: bool) -> None:
    assert looks_at_each_alone(name, contributor) is not refused


def test_what_is_right_has_no_problem(place: Path) -> None:
    for known in ("observed", "all"):
        assert problems(feed_of(cells=known), place / "reference") == []
