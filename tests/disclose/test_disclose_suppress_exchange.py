"""Instances in the exchange format of cell suppression are read as what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import benchmark_tables
import numpy as np
import pytest

from acequia.disclose.suppress import suppress


@pytest.fixture(scope="module")
def jj() -> ModuleType:
    spec = importlib.util.spec_from_file_location("jj", Path(__file__).parents[2] / "bench" / "jj.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SMALL = """0
4
0 10 1 u 0 20 2 3 0
1 5 1 s 0 10 0 0 0
2 7 2 s 0 14 0 0 0
3 22 9 z 0 44 0 0 0
1
0.0 4 : 0(1) 1(1) 2(1) 3(-1)
"""


def test_a_small_instance(jj: ModuleType) -> None:
    problem = jj.read(SMALL)
    (layer,) = problem.layers
    assert layer.value.tolist() == [10, 5, 7, 22]
    assert layer.equations.toarray().tolist() == [[1, 1, 1, -1]]
    assert (layer.needs[0].up, layer.needs[0].down) == (3, 2)
    assert problem.fixed.tolist() == [True, False, False, True]
    assert suppress(problem).withheld.tolist() == [True, True, False, False]


def test_what_is_written_is_read_again(jj: ModuleType) -> None:
    problem = benchmark_tables.insee().problem()
    again = jj.read(jj.write(problem))
    assert np.array_equal(again.layers[0].value, problem.layers[0].value)
    assert (again.layers[0].equations != problem.layers[0].equations).nnz == 0
    before = sorted(problem.layers[0].needs, key=lambda need: need.unknown)
    assert [need.unknown for need in again.layers[0].needs] == [need.unknown for need in before]
    assert np.array_equal(again.withheld, problem.withheld)


def test_a_line_that_is_no_cell_is_named(jj: ModuleType) -> None:
    with pytest.raises(ValueError, match="line 4: not a cell"):
        jj.read(SMALL.replace("1 5 1 s", "1 5"))
