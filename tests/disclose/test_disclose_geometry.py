"""Equations between cells: true of every table that is made from rows, whatever the rows."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.disclose.geometry import Shape, Term, balance, inside, match, matrix, shared

REGIONS = {"Gaborone": "South", "Lobatse": "South", "Maun": "North", "South": "_T", "North": "_T", "_U": "_T"}
ROW = st.tuples(st.sampled_from(["Gaborone", "Lobatse", "Maun", "_U"]), st.sampled_from(["call", "sms"]))
ROWS = st.lists(ROW, max_size=30)


def ways_up(value: str, parents: dict[str, str]) -> list[str]:
    return [value, *(ways_up(parents[value], parents) if value in parents else [])]


def table(rows: list[tuple[str, str]], by: tuple[str, ...], wide: bool) -> tuple[Shape, np.ndarray]:
    """The counts of rows by the columns, with regions and a total of districts where `wide`."""
    parents = REGIONS if wide else {}
    counts: Counter[tuple[str, ...]] = Counter()
    for district, kind in rows:
        values = {"district": ways_up(district, parents), "kind": [kind]}
        counts.update(product(*(values[column] for column in by)))
    keys = tuple(sorted(counts))
    return Shape(by, keys, {"district": parents} if wide else {}), np.array([float(counts[key]) for key in keys])


@settings(deadline=None)
@given(ROWS)
def test_cells_add_up_to_those_above(rows: list[tuple[str, str]]) -> None:
    shape, numbers = table(rows, ("district", "kind"), wide=True)
    equations = inside(shape)
    assert not (matrix(equations, len(numbers)) @ numbers).any()
    wider = {key for key in shape.keys if key[0] in ("South", "North", "_T")}
    assert len(equations) == len(wider)


@settings(deadline=None)
@given(ROWS, st.booleans(), st.booleans())
def test_tables_of_the_same_rows_have_the_same_margins(rows: list[tuple[str, str]], one: bool, other: bool) -> None:
    (first, some), (second, more) = table(rows, ("district", "kind"), one), table(rows, ("kind",), other)
    equations = balance([Term(1, first), Term(-1, second, len(some))])
    assert len(equations) == len({kind for _, kind in rows})
    assert not (matrix(equations, len(some) + len(more)) @ np.concatenate([some, more])).any()


@settings(deadline=None)
@given(ROWS, ROWS)
def test_a_window_is_the_sum_of_its_pieces(rows: list[tuple[str, str]], further: list[tuple[str, str]]) -> None:
    made = [table(part, ("district",), True) for part in ([*rows, *further], rows, further)]
    starts = np.cumsum([0, *(len(numbers) for _, numbers in made)]).tolist()
    terms = [Term(sign, shape, start) for sign, (shape, _), start in zip((-1, 1, 1), made, starts, strict=False)]
    numbers = np.concatenate([numbers for _, numbers in made])
    for equations in (balance(terms), match(terms)):
        assert not (matrix(equations, len(numbers)) @ numbers).any()
    assert len(match(terms)) == len(made[0][0].keys)


def test_what_is_shared_and_how_high_a_cell_lies() -> None:
    shape, _ = table([("Maun", "call"), ("_U", "sms")], ("district", "kind"), True)
    assert shared([shape, Shape(("kind",), ())]) == ["kind"]
    assert {key[0]: shape.depth(key) for key in shape.keys} == {"Maun": 0, "North": 1, "_T": 2, "_U": 0}
    assert shape.above(("_U", "sms")) == [("_T", "sms")]
