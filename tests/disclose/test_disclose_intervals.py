"""What the public works out, against the enumeration of every table that agrees with what is published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from acequia.disclose.intervals import exactly_known, exposed, intervals, met, relative, smallest_relative_interval
from acequia.disclose.layers import HIDDEN, KNOWN, Interval, Layer, Need
from acequia.errors import STOPPED, AcequiaError

SMALL = settings(max_examples=60, deadline=None)


def layer(inner: NDArray[np.float64], **given: object) -> Layer:
    """A table with its margins, all cells published unless withheld: 2 or 3 dimensions, the total last in each."""
    full = inner
    for axis in range(inner.ndim):
        full = np.concatenate([full, full.sum(axis=axis, keepdims=True)], axis=axis)
    numbers = np.arange(full.size).reshape(full.shape)
    rows = []
    for axis in range(inner.ndim):
        for line in np.moveaxis(numbers, axis, -1).reshape(-1, full.shape[axis]):
            row = np.zeros(full.size)
            row[line[:-1]], row[line[-1]] = 1, -1
            rows.append(row)
    count = full.size
    none = np.zeros(count)
    plain = Layer("rows", csr_array(np.array(rows)), full.ravel().astype(float), none, none + np.inf,
                  np.arange(count), none, True, (), np.full(count, -1))  # fmt: skip
    return replace(plain, **given)  # type: ignore[arg-type]


def everything(table: Layer, withheld: NDArray[np.bool_], most: int) -> NDArray[np.float64]:
    """Every table of whole numbers up to `most` that agrees with what is published. Shape (tables, n)."""
    free = np.flatnonzero(withheld)
    full = np.repeat(np.where(withheld, 0.0, table.value)[None, :], (most + 1) ** len(free), axis=0)
    full[:, free] = np.indices((most + 1,) * len(free)).reshape(len(free), len(full)).T
    return full[~(table.equations @ full.T).any(axis=0)]


def unpublished(table: Layer, withheld: NDArray[np.bool_]) -> Layer:
    return replace(table, value=np.where(withheld, np.nan, table.value))


tables = st.tuples(st.just(2), st.integers(2, 3)).flatmap(
    lambda shape: st.lists(st.integers(0, 2), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
        lambda values: np.array(values).reshape(shape)
    )
)


@SMALL
@given(inner=tables, data=st.data())
def test_intervals_are_those_of_all_tables_that_agree(inner: NDArray[np.int64], data: st.DataObject) -> None:
    table = layer(inner)
    count = len(table.value)
    free = data.draw(st.lists(st.integers(0, count - 1), unique=True, max_size=5))
    withheld = np.isin(np.arange(count), free)
    agreeing = everything(table, withheld, int(table.value.max()))
    bounded = replace(table, upper=np.full(count, table.value.max()))
    for seen in (bounded, unpublished(bounded, withheld)):
        found = intervals(seen, withheld, range(count))
        assert [one.low for one in found] == agreeing.min(axis=0).tolist()
        assert [one.high for one in found] == agreeing.max(axis=0).tolist()
        assert exactly_known(seen, withheld).tolist() == (agreeing.min(axis=0) == agreeing.max(axis=0)).tolist()


@SMALL
@given(inner=tables, data=st.data())
def test_needs_are_met_as_the_intervals_say(inner: NDArray[np.int64], data: st.DataObject) -> None:
    table = layer(inner)
    count = len(table.value)
    withheld = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    needs = tuple(
        Need(int(one), integers=data.draw(st.integers(0, 4)), up=data.draw(st.sampled_from([0.0, 1.0, 2.0])),
             down=float(min(table.value[one], data.draw(st.sampled_from([0, 1])))),
             width=data.draw(st.sampled_from([0.0, 1e-9, 1.0])))
        for one in np.flatnonzero(withheld)
    )  # fmt: skip
    table = replace(table, needs=needs)
    bad = {one.need.unknown: one.known for one in exposed([table], withheld)}
    found = intervals(table, withheld, [need.unknown for need in needs])
    for need, known in zip(needs, found, strict=True):
        value = table.value[need.unknown]
        wide = (known.low <= value - need.down and known.high >= value + need.up
                and known.high - known.low + 1 >= need.integers and known.high - known.low >= need.width)  # fmt: skip
        assert (need.unknown not in bad) == wide == met(table, need, known.low, known.high)
        assert bad.get(need.unknown, known) == known


@SMALL
@given(inner=tables, data=st.data())
def test_a_sole_contributor_knows_its_own_cells_besides(inner: NDArray[np.int64], data: st.DataObject) -> None:
    table = layer(inner)
    count = len(table.value)
    withheld = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    sole = np.array(data.draw(st.lists(st.sampled_from([-1, -1, 0, 1, 2]), min_size=count, max_size=count)))
    needs = tuple(Need(int(one), integers=data.draw(st.integers(2, 4))) for one in np.flatnonzero(withheld))
    table = replace(table, needs=needs, sole=sole)
    found = exposed([table], withheld)
    everybody = {one.need.unknown for one in found if one.to == -1}
    expected = set()
    for who in sorted(set(sole.tolist()) - {-1}):
        knowing = replace(table, cell=np.where(sole == who, KNOWN, table.cell))
        known = exactly_known(knowing, withheld)
        others = {need.unknown for need in needs if sole[need.unknown] != who} - everybody
        expected |= {(who, unknown) for unknown in others if known[unknown]}
    assert {(one.to, one.need.unknown) for one in found if one.to >= 0} == expected
    assert exposed([table], withheld, knowing=False) == tuple(one for one in found if one.to == -1)


def test_a_single_withheld_cell_is_found_out() -> None:
    table = layer(np.array([[20, 50, 10], [8, 19, 22], [17, 32, 12]]), needs=(Need(4, integers=10),))
    withheld = np.arange(16) == 4
    (leak,) = exposed([table], withheld)
    assert (leak.layer, leak.need.unknown, leak.known, leak.to) == ("rows", 4, Interval(8, 8), -1)


def test_four_withheld_corners_of_the_handbook_leave_an_interval() -> None:
    """Fischetti and Salazar's example: 22 in the middle region is withheld with three more, and lies in 5..30."""
    table = layer(np.array([[20, 50, 10], [8, 19, 22], [17, 32, 12]]))
    withheld = np.isin(np.arange(16), [4, 6, 8, 10])
    assert intervals(table, withheld, [6]) == [Interval(5, 30)]


def test_sums_may_be_below_zero_and_without_end() -> None:
    table = layer(np.array([[5.0, -3.0], [2.0, 7.0]]), lower=np.full(9, -np.inf), integer=False)
    withheld = np.isin(np.arange(9), [0, 1, 3, 4])
    assert intervals(table, withheld, [0, 8]) == [Interval(-np.inf, np.inf), Interval(11.0, 11.0)]
    assert exposed([replace(table, needs=(Need(0, up=1e6, down=1e6),))], withheld) == ()


def test_what_is_rounded_is_known_within_its_slack() -> None:
    table = layer(np.array([[5.0, 10.0]]), integer=False, slack=np.full(6, 2.5))
    table = replace(table, value=np.array([5.0, 10, 15, 5, 10, 15]))
    (known,) = intervals(table, np.isin(np.arange(6), [0, 3]), [0])
    assert (known.low, known.high) == pytest.approx((0, 10))
    contradictory = replace(table, value=np.array([5.0, 10, 30, 5, 10, 30]))
    with pytest.raises(AcequiaError) as stopped:
        intervals(contradictory, np.zeros(6, dtype=bool), [0])
    assert (stopped.value.code, stopped.value.exit_code) == ("tables_contradict", STOPPED)


def test_published_numbers_that_do_not_add_up_are_told() -> None:
    table = layer(np.array([[5, 3], [2, 7]]))
    wrong = replace(table, value=table.value + (np.arange(9) == 8))
    withheld = np.isin(np.arange(9), [0, 1, 3, 4])
    for seen in (wrong, unpublished(wrong, withheld)):
        with pytest.raises(AcequiaError, match="tables_contradict"):
            intervals(seen, withheld, [0])
    negative = unpublished(replace(table, value=np.where(np.arange(9) == 2, -1, table.value)), withheld)
    with pytest.raises(AcequiaError, match="tables_contradict"):
        exactly_known(negative, withheld)


def test_a_small_cell_beside_huge_ones_is_told_apart_from_noise() -> None:
    inner = np.array([[1e12 + 0.5, 5.25, 3.75], [8e11, 1e3, 9e11]])
    table = layer(inner, integer=False)
    corner = np.isin(np.arange(12), [1, 2, 5, 6])
    for seen in (table, unpublished(table, corner)):
        found = intervals(seen, corner, [1, 2])
        assert [(one.low, one.high) for one in found] == [
            pytest.approx((0, 9), abs=1e-2),
            pytest.approx((0, 9), abs=1e-2),
        ]
    alone = np.isin(np.arange(12), [1, 5, 0, 4, 3, 7])
    single = replace(table, needs=(Need(1, width=1e-9),), cell=np.where(np.arange(12) == 5, KNOWN, table.cell))
    assert exposed([single], alone)[0].need.unknown == 1


def test_hidden_unknowns_stay_unknown_and_known_ones_known() -> None:
    table = layer(np.array([[5, 3], [2, 7]]), cell=np.array([HIDDEN, HIDDEN, 2, HIDDEN, HIDDEN, 5, 6, 7, 8]))
    assert intervals(table, np.zeros(9, dtype=bool), [0]) == [Interval(0, 7)]
    known = replace(table, cell=np.array([KNOWN, HIDDEN, 2, HIDDEN, HIDDEN, 5, 6, 7, 8]))
    assert intervals(known, np.ones(9, dtype=bool), [0, 6]) == [Interval(5, 5), Interval(5, np.inf)]


def test_the_smallest_relative_interval_is_that_of_all_withheld_cells() -> None:
    table = layer(np.array([[20, 50, 10], [8, 19, 22], [17, 32, 12]]))
    withheld = np.isin(np.arange(16), [0, 1, 4, 5, 6, 8, 10, 2])
    least = min(relative(one) for one in intervals(table, withheld, [0, 1, 2, 4, 5, 6, 8, 10]))
    assert smallest_relative_interval(table, withheld) == pytest.approx(least)
    assert smallest_relative_interval(table, np.zeros(16, dtype=bool)) == 2.0
    assert (relative(Interval(3, 3)), relative(Interval(0, 4)), relative(Interval(0, np.inf))) == (0, 2, 2)


@pytest.mark.parametrize("count", [0, 3])
def test_what_no_equation_speaks_of_is_as_unknown_as_before(count: int) -> None:
    table = Layer("rows", csr_array((0, count)), np.full(count, 3.0), np.zeros(count), np.full(count, np.inf),
                  np.arange(count), np.zeros(count), True, tuple(Need(one, integers=5) for one in range(count)),
                  np.full(count, -1))  # fmt: skip
    withheld = np.ones(count, dtype=bool)
    found = intervals(table, withheld, range(count))
    assert found == [Interval(0.0, np.inf)] * count
    assert "-0.0" not in repr(found)
    assert (exposed([table], withheld), exactly_known(table, withheld).tolist()) == ((), [False] * count)
