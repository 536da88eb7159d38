"""The attack on tables of three dimensions with hierarchies, against two linear programs for each unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from acequia.disclose import proofs
from acequia.disclose.intervals import exactly_known, exposed, intervals
from acequia.disclose.layers import KNOWN, Layer, Need

ADDS = (
    np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]),
    np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]),
    np.array([[1, 0], [0, 1], [1, 1]]),
)
LINES = (((4, 0, 1), (5, 2, 3), (6, 4, 5)), ((3, 0, 1, 2),), ((2, 0, 1),))
CELLS = 7 * 4 * 3
INTEGER, SUM, SIGNED, ROUNDED = "integer", "sum", "signed", "rounded"


def system(seed: int, kind: str, share: float = 0.6) -> tuple[Layer, NDArray[np.bool_]]:
    """Regions in two groups, by three activities, by two sizes; and which cells are withheld."""
    random = np.random.default_rng(seed)
    values = random.integers(0, 12, (4, 3, 2)).astype(float)
    if kind != INTEGER:
        values = np.round(values * random.lognormal(4, 2, values.shape), 2)
    if kind == SIGNED:
        values -= np.round(random.lognormal(4, 2, values.shape), 2)
    for axis, adds in enumerate(ADDS):
        values = np.moveaxis(np.tensordot(adds, values, axes=(1, axis)), 0, axis)
    cells = np.arange(CELLS).reshape(values.shape)
    rows = []
    for axis, lines in enumerate(LINES):
        for line in lines:
            for one in np.moveaxis(np.take(cells, line, axis=axis), axis, -1).reshape(-1, len(line)):
                row = np.zeros(CELLS)
                row[one[0]], row[one[1:]] = -1, 1
                rows.append(row)
    withheld = random.random(CELLS) < share
    value = values.ravel()
    lower = np.where(random.random(CELLS) < 0.5, -np.inf, value - 7) if kind == SIGNED else np.zeros(CELLS)
    needs = tuple(
        Need(int(one), integers=4) if kind == INTEGER
        else Need(int(one), up=0.3 * abs(value[one]), down=0.3 * min(abs(value[one]), value[one] - lower[one]),
                  width=1e-9)
        for one in np.flatnonzero(withheld)
    )  # fmt: skip
    sole = np.where(random.random(CELLS) < 0.2, random.integers(0, 6, CELLS), -1)
    slack = np.full(CELLS, 2.5 if kind == ROUNDED else 0.0)
    table = Layer(kind, csr_array(np.array(rows)), value, lower, np.full(CELLS, np.inf), np.arange(CELLS), slack,
                  kind == INTEGER, needs, sole)  # fmt: skip
    return table, withheld


def ends(table: Layer, withheld: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The least and the greatest value of each unknown, by the plainest programs. Shape (n, 2)."""
    open_cells = ~(withheld & (table.cell != KNOWN))
    slack = np.where(table.cell == KNOWN, 0, table.slack)
    low = np.where(open_cells, np.maximum(table.value - slack, table.lower), table.lower)
    high = np.where(open_cells, table.value + slack, table.upper)
    unit = 64.0
    found = np.array([[table.value, table.value]] * 1).reshape(2, -1).T.copy()
    for one in np.flatnonzero(high > low):
        for side, sign in ((0, 1.0), (1, -1.0)):
            goal = np.zeros(len(low))
            goal[one] = sign
            limits = np.column_stack([low - table.value, high - table.value]) / unit
            solved = linprog(goal, A_eq=table.equations, b_eq=np.zeros(table.equations.shape[0]), bounds=limits)
            found[one, side] = table.value[one] + solved.x[one] * unit if solved.status == 0 else -sign * np.inf
    return found


def near(found: NDArray[np.float64], table: Layer) -> object:
    return pytest.approx(found, rel=1e-6, abs=1e-6 * float(np.abs(table.value).max()))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from([INTEGER, SUM, SIGNED, ROUNDED]))
def test_intervals_of_linked_tables_are_those_of_plain_programs(seed: int, kind: str) -> None:
    table, withheld = system(seed, kind)
    expected = ends(table, withheld)
    if kind == INTEGER:
        expected = np.column_stack([np.ceil(expected[:, 0] - 1e-6), np.floor(expected[:, 1] + 1e-6)])
    found = intervals(table, withheld, range(CELLS))
    assert np.array([(one.low, one.high) for one in found]) == near(expected, table)
    if kind != ROUNDED:
        public = replace(table, value=np.where(withheld, np.nan, table.value))
        found = intervals(public, withheld, range(CELLS))
        assert np.array([(one.low, one.high) for one in found]) == near(expected, table)
        assert (exactly_known(public, withheld) == exactly_known(table, withheld)).all()


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from([INTEGER, SUM, SIGNED, ROUNDED]), small=st.booleans())
def test_exposed_needs_are_those_of_plain_programs(seed: int, kind: str, small: bool) -> None:
    """Also when parts count as large, so that the moves around an unknown are tried first."""
    table, withheld = system(seed, kind, 0.5)
    with pytest.MonkeyPatch.context() as patch:
        if small:
            patch.setattr(proofs, "SMALL", 5)
            patch.setattr(proofs, "LARGE", 12)
        found = {(one.to, one.need.unknown) for one in exposed([table], withheld)}
    expected = {(-1, unknown) for unknown in _narrow(table, ends(table, withheld), 4)}
    everybody = {unknown for _, unknown in expected}
    for who in range(6):
        knowing = replace(table, cell=np.where(table.sole == who, KNOWN, table.cell))
        narrow = _narrow(knowing, ends(knowing, withheld), 2)
        expected |= {(who, one) for one in narrow if table.sole[one] != who and one not in everybody}
    assert found == expected


def _narrow(table: Layer, known: NDArray[np.float64], integers: int) -> set[int]:
    found = set()
    for need in table.needs:
        low, high = known[need.unknown]
        value = table.value[need.unknown]
        loose = 1e-6 * (need.up + need.down) + 1e-9 * abs(value)
        wide = low <= value - need.down + loose and high >= value + need.up - loose
        exact = high - low <= 3e-9 * abs(value) and need.width > 0
        if need.integers:
            wide = np.floor(high + 1e-6) - np.ceil(low - 1e-6) + 1 >= integers
        if not wide or exact:
            found.add(need.unknown)
    return found


def test_without_suppression_the_attack_finds_what_is_withheld_alone() -> None:
    """Only unsafe cells withheld, none besides: most of them are exactly known."""
    table, _ = system(3, INTEGER)
    unsafe = (table.value > 0) & (table.value < 4)
    needs = tuple(Need(int(one), integers=4) for one in np.flatnonzero(unsafe))
    table = replace(table, needs=needs, sole=np.full(CELLS, -1))
    leaks = exposed([table], unsafe)
    assert len(needs) >= 5
    assert {one.need.unknown for one in leaks} == {need.unknown for need in needs}
    assert all(one.known.low == one.known.high == table.value[one.need.unknown] for one in leaks)
    everything = np.ones(CELLS, dtype=bool)
    assert exposed([table], everything) == ()


def test_the_same_attack_tells_the_same() -> None:
    table, withheld = system(11, SUM, 0.4)
    assert exposed([table, table], withheld) == exposed([table, table], withheld)
