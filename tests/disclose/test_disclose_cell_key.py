"""Cell keys: the noise that a p-table promises, the same for the same group everywhere, and no way to take it off."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.optimize import linprog
from scipy.stats import chisquare

from acequia.aggregate.record_keys import MODULUS, record_key
from acequia.agreement.noise import no_p_table
from acequia.agreement.protection import CellKey, Protection
from acequia.disclose.cell_key import changes, p_table, perturbed
from acequia.disclose.control import disclose
from acequia.errors import AcequiaError
from acequia.flow import Disclosed
from tests.aggregate.made_feeds import a_feed, a_reference, cells_of, frame, protected

SECRET = b"s" * 32
NOISE = {"noise_at_most": 5, "variance": 2.0, "never": 2}
PROTECT: dict[str, Any] = {"contributor": "person", "min_contributors": 10, "cell_key": NOISE}
MEASURES: dict[str, Any] = {"rows_count": {"count": "rows"}, "people_count": {"count_distinct": "person"}}

possible = st.tuples(st.integers(1, 12), st.floats(0.05, 12), st.integers(0, 5)).filter(
    lambda asked: not no_p_table(*asked)
)


# the p-table


@settings(max_examples=80, deadline=None)
@given(possible)
def test_a_p_table_has_mean_zero_its_variance_and_nothing_forbidden(asked: tuple[int, float, int]) -> None:
    most, variance, never = asked
    table = p_table(*asked)
    assert table.of(0)[0].tolist() == [0]
    for count in range(1, most + never + 4):
        d, p = table.of(count)
        assert abs(p.sum() - 1) < 1e-9
        assert abs(d @ p) < 1e-9
        assert abs((d**2) @ p - variance) < 1e-9
        assert (p >= 0).all()
        assert (np.abs(d) <= most).all()
        if count < len(table.rows):
            assert not [int(change) for change in d if 1 <= count + change <= never or count + change < 0]


@settings(max_examples=60, deadline=None)
@given(possible)
def test_a_p_table_is_of_maximum_entropy(asked: tuple[int, float, int]) -> None:
    # where all is positive, the logarithm of such a distribution is a quadratic function of the change, and only then
    for d, p in p_table(*asked).rows[1:]:
        if (p > 1e-9).all() and len(d) > 3:
            terms = np.stack([np.ones(len(d)), d, d**2], axis=1).astype(float)
            _, rest, *_ = np.linalg.lstsq(terms * p[:, None], np.log(p) * p, rcond=None)
            assert float(rest.sum()) < 1e-9


def test_a_p_table_is_the_published_one() -> None:
    # the introduction of the R package ptable: D = 2, V = 1, original frequency 2
    _, p = p_table(2, 1.0, 0).of(2)
    assert p.round(4).tolist() == [0.0638, 0.2447, 0.383, 0.2447, 0.0638]


@pytest.mark.parametrize("never", range(5))
@pytest.mark.parametrize("most", range(1, 7))
def test_there_is_a_p_table_exactly_where_a_linear_program_finds_one(most: int, never: int) -> None:
    for variance in (0.05, 0.5, 0.99, 1, 1.5, 1.99, 2, 2.5, 3.99, 4, 4.5, 5, 5.99, 6, 6.01, 9):
        found = True
        for count in range(1, most + never + 2):
            d = changes(count, most, never).astype(float)
            if len(d) == 0:
                found = False
                break
            program = linprog(np.zeros(len(d)), A_eq=np.stack([np.ones(len(d)), d, d**2]), b_eq=[1, 0, variance])
            found &= program.status == 0
        assert found == (not no_p_table(most, variance, never)), (most, variance, never)
        if found:
            assert p_table(most, variance, never)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"noise_at_most": 5, "variance": 8}, "at most 5"),
        ({"noise_at_most": 5, "variance": 1, "never": 2}, "at least 2 and at most 5"),
        ({"noise_at_most": 3, "variance": 1, "never": 3}, "less than `noise_at_most`"),
        ({"noise_at_most": 5, "variance": 5, "never": 4}, "below 6"),
    ],
)
def test_noise_that_cannot_be_is_refused_with_the_agreement(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CellKey.model_validate(asked)


@pytest.mark.parametrize("other", [{"round_to": 5}, {"dominance": {"n": 1, "k_pct": 50}}, {"p_percent": {"p_pct": 10}}])
def test_noise_stands_alone(other: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="cannot be together"):
        Protection.model_validate({**PROTECT, **other})


@pytest.mark.parametrize(
    "measure", [{"sum": "amount"}, {"mean": "amount"}, {"median": "amount"}, {"count_distinct": "district"}]
)
def test_only_counts_of_rows_and_contributors_can_have_it(measure: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="cell_key"):
        a_feed(tables={"t": {"by": (), "measures": {"m": measure}, "protect": PROTECT}})


@pytest.mark.parametrize("count", [1, 2, 3, 7, 500])
def test_over_many_groups_the_changes_have_the_chances_of_the_p_table(count: int) -> None:
    table, groups = p_table(5, 2.5, 2), 20_000
    drawn = Counter(table.change(count, record_key(SECRET, f"group {number}")) for number in range(groups))
    d, p = table.of(count)
    some = p > 1e-6
    assert chisquare([drawn[int(change)] for change in d[some]], p[some] / p[some].sum() * groups).pvalue > 1e-4


def test_zeros_stay_zeros() -> None:
    assert [perturbed(0, record_key(SECRET, str(number)), 1, p_table(5, 2.0, 2)) for number in range(500)] == [0] * 500


@pytest.mark.parametrize(("count", "largest"), [(1, 1), (10, 10), (17, 5), (10_000, 9_999), (1_000, 1), (64, 7)])
def test_noise_in_units_of_the_largest_has_mean_zero_and_no_small_values(count: int, largest: int) -> None:
    table = p_table(5, 2.0, 2)
    d, p = table.of(count // largest)
    units = count // largest
    after = [(2 * count * (units + int(change)) + units) // (2 * units) for change in d]
    assert abs(sum(a * chance for a, chance in zip(after, p, strict=True)) - count) <= 0.5
    seen = {perturbed(count, record_key(SECRET, str(number)), largest, table) for number in range(2_000)}
    assert seen <= set(after)
    assert not seen & {1, 2}
    assert min(seen) >= 0


# tables


def told(
    folder: Path, rows: Sequence[dict[str, Any]], *, secret: bytes | None = SECRET, **table: Any
) -> tuple[Disclosed, dict[Any, dict[str, Any]]]:
    """The published rows, by the values of the table's columns."""
    a_reference(folder)
    feed = a_feed(tables={"t": {"measures": MEASURES, "protect": PROTECT, **table}})
    days = sorted({row.get("day", 1) for row in rows} | {1})
    parts = tuple(protected(folder, frame([row for row in rows if row.get("day", 1) == day]), day=day) for day in days)
    cells = cells_of(folder, feed, feed.tables["t"], parts, record_keys=secret)
    disclosed = disclose(cells, feed.tables["t"], out=folder / "disclosed.parquet")
    by = feed.tables["t"].by
    return disclosed, {tuple(row[name] for name in by): row for row in pq.read_table(disclosed.path).to_pylist()}


def people(district: str, first: int, last: int, **more: Any) -> list[dict[str, Any]]:
    return [{"district": district, "person": f"p{number}", **more} for number in range(first, last)]


def counts(row: dict[str, Any]) -> tuple[int, int]:
    return row["rows_count"], row["people_count"]


def test_the_same_group_has_the_same_noise_in_every_table(tmp_path: Path) -> None:
    rows = [*people("Gaborone", 0, 40, kind="card"), *people("Maun", 40, 47, kind="cash")]
    _, by_district = told(tmp_path, rows, by=("district",))
    _, by_kind = told(tmp_path, rows, by=("kind",))
    _, both = told(tmp_path, list(reversed(rows)), by=("kind", "district"), hierarchy={"district": ("all", "district")})
    assert counts(by_district["Gaborone",]) == counts(by_kind["card",]) == counts(both["card", "Gaborone"])
    assert counts(both["card", "_T"]) == counts(both["card", "Gaborone"])
    assert counts(by_district["Maun",]) == counts(by_kind["cash",]) == counts(both["cash", "_T"])
    # a person with one row: both counts have the same records, and so has contributors_count
    assert all(len({*counts(row), row["contributors_count"]}) == 1 for row in both.values())


def test_averaging_tables_and_runs_of_the_same_group_tells_nothing_new(tmp_path: Path) -> None:
    rows = people("Gaborone", 0, 9)
    found = {counts(told(tmp_path, rows, by=("district",))[1]["Gaborone",]) for _ in range(5)}
    for kind in ("a", "b", "c"):  # the same people, told apart by something else each time
        made = [{**row, "kind": kind} for row in rows]
        found |= {counts(row) for row in told(tmp_path, made, by=("kind",))[1].values()}
    assert len(found) == 1


def test_a_month_to_date_does_not_flicker_where_nobody_came(tmp_path: Path) -> None:
    month = {"by": ("district",), "over": "month", "release": "each_delivery"}
    first = [*people("Gaborone", 0, 9, day=1), *people("Maun", 0, 5, day=1)]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    _, early = told(tmp_path / "one", first, **month)
    _, late = told(tmp_path / "two", [*first, *people("Maun", 5, 7, day=2)], **month)
    assert counts(early["Gaborone",]) == counts(late["Gaborone",])


def test_the_difference_of_two_tables_is_not_the_person_between_them(tmp_path: Path) -> None:
    seen, pairs = Counter[int](), []
    table = p_table(5, 2.0, 0)
    for number in range(4_000):  # whatever the secret, so many groups stand for so many secrets
        group = sum(record_key(SECRET, f"{number}/{person}") for person in range(30)) % MODULUS
        with_one = (group + record_key(SECRET, f"{number}/more")) % MODULUS
        before, after = perturbed(30, group, 1, table), perturbed(31, with_one, 1, table)
        seen[after - before] += 1
        pairs.append((before - 30, after - 31))
    exact = seen[1] / 4_000
    of_two = sum(p**2 for p in table.of(31)[1])  # how often two independent changes are the same
    assert abs(exact - of_two) < 0.03
    assert exact < 0.25
    assert abs(float(np.corrcoef(np.array(pairs).T)[0, 1])) < 0.05


def test_region_against_region_minus_town_does_not_give_the_town(tmp_path: Path) -> None:
    rows = [*people("Gaborone", 0, 30), *people("Lobatse", 30, 32)]  # two people in the town
    found = Counter[int]()
    for number in range(24):
        secret = bytes([number]) * 32
        _, region = told(tmp_path, rows, by=(), secret=secret)
        _, without = told(tmp_path, rows, by=(), where="district <> 'Lobatse'", secret=secret)
        _, towns = told(tmp_path, rows, by=("district",), secret=secret)
        assert counts(towns["Gaborone",]) == counts(without[()])  # the same people
        found[region[()]["people_count"] - without[()]["people_count"]] += 1
    assert len(found) >= 4
    assert found[2] < 12


def test_one_person_with_ten_thousand_rows_is_hidden(tmp_path: Path) -> None:
    heavy = people("Maun", 0, 1) * 10_000
    found = {
        counts(row)[0]
        for number in range(12)
        for row in told(tmp_path, heavy, by=("district",), cells="all", secret=bytes([number]) * 32)[1].values()
        if row["district"] == "Maun"
    }
    assert found <= {0, 30_000, 40_000, 50_000, 60_000}
    assert len(found) > 1


def test_where_every_row_is_another_contributor(tmp_path: Path) -> None:
    table = {"measures": {"rows_count": {"count": "rows"}}, "protect": {**PROTECT, "contributor": "rows"}}
    rows = [{"district": "Maun", "amount": float(number), "kind": "x"} for number in range(20)]
    _, one = told(tmp_path, rows, by=("district",), **table)
    _, other = told(tmp_path, list(reversed(rows)), by=("kind",), **table)
    assert one["Maun",]["rows_count"] == other["x",]["rows_count"] == one["Maun",]["contributors_count"]
    assert abs(one["Maun",]["rows_count"] - 20) <= 5


def test_what_noise_makes_zero_looks_like_a_cell_of_nobody(tmp_path: Path) -> None:
    rows = [row for number, place in enumerate(("Gaborone", "Lobatse", "Maun", "Kasane"))
            for row in people(place, number, number + 1)]  # fmt: skip
    (_, observed), (_, everywhere) = (
        told(tmp_path, rows, by=("district",), cells=kind) for kind in ("observed", "all")
    )
    gone = {key for key, row in everywhere.items() if row["cell_status"] == "zero"}
    assert gone
    assert observed.keys() == everywhere.keys() - gone
    assert {counts(everywhere[key]) for key in gone} == {(0, 0)}
    assert {value for row in observed.values() for value in counts(row)} <= {0, 3, 4, 5, 6}


def test_no_cell_is_withheld_and_the_rules_are_named(tmp_path: Path) -> None:
    rows = [*people("Gaborone", 0, 40), *people("Maun", 0, 2)]
    disclosed, _ = told(tmp_path, rows, by=("district",), hierarchy={"district": ("all", "district")})
    assert disclosed.withheld == {}
    assert disclosed.rules["cell_key"] == NOISE
    assert "secondary" not in disclosed.rules


def test_rows_of_nobody_count_as_those_of_one_contributor(tmp_path: Path) -> None:
    rows = [*people("Maun", 0, 50), *({"district": "Maun", "person": None} for _ in range(10))]
    _, table = told(tmp_path, rows, by=("district",))
    units = math.floor(60 / 10)
    assert table["Maun",]["rows_count"] in {60 // units * (units + d) for d in range(-5, 6)}
    assert abs(table["Maun",]["people_count"] - 50) <= 5


def test_without_the_secret_there_are_no_cells(tmp_path: Path) -> None:
    with pytest.raises(AcequiaError) as error:
        told(tmp_path, people("Maun", 0, 3), by=("district",), secret=None)
    assert error.value.code == "key_missing"
    assert not (tmp_path / "cells.parquet").exists()


def test_the_secret_is_in_no_file(tmp_path: Path) -> None:
    told(tmp_path, people("Maun", 0, 3), by=("district",))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert not [path for path in files if SECRET in path.read_bytes() or SECRET.hex().encode() in path.read_bytes()]


def test_another_secret_gives_other_noise(tmp_path: Path) -> None:
    rows = [row for number in range(30) for row in people(f"place {number}", number, number + 20)]
    first, second = (told(tmp_path, rows, by=("district",), secret=bytes([n]) * 32)[1] for n in (1, 2))
    assert sum(counts(first[key]) != counts(second[key]) for key in first) > 10
