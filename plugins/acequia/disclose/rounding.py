"""Controlled rounding: every count to a multiple of a base, so that totals are still the sums of their parts.

Conventional rounding (`rules.rounded`) looks at one cell at a time: rounded parts do not add up to the rounded total,
and the difference tells where within its interval a count lies. Controlled rounding decides all counts of a table
together (Cox 1987; Salazar-González 2006; Handbook on Statistical Disclosure Control, chapter on frequency tables).
With base b and a count a = b*f + r, 0 <= r < b, it is *zero-restricted*: the count becomes b*f or b*(f+1), and stays
where r = 0. With z in {0, 1} for the step up, the program is

    minimise  sum over cells with r > 0 of (b - 2r) * z        (what going up costs more than going down)
    such that every total is the sum of its parts,

an integer program that is solved by HiGHS. In tables of two columns its linear relaxation is a network and whole of
itself: the sum of changes is the least. With three columns or crossed hierarchies it is not (Causey, Cox, Ernst 1985);
up to `EXACT_TO` cells the integer program is solved to the end, beyond that the cells whose count lies close to a
multiple keep what the relaxation gave them, and the others are solved for. There may be no solution at all. Then the
cells concerned may go one multiple further in both directions; where that does not help either they are rounded
conventionally, and the record says so.

Deterministic: the solver works without a clock and by one thread, and a fixed perturbation of the costs, less than what
any two sums of them differ by, settles which of several best solutions it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, eye_array, hstack, vstack
from scipy.sparse.csgraph import connected_components

NODES_AT_MOST = 200
"""Of the solver's search tree: a bound on time that is the same on every machine."""
EXACT_TO = 400
"""Up to so many cells the least sum of changes is looked for when the relaxation does not give it."""
GAP = 0.1
"""By how much of the least sum of changes a solution of more cells may lie above it."""
TRIED_TO = 1_500
"""Up to so many cells the whole integer program is tried when fixing some of them did not help."""
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Rounding:
    """The rounded counts of one measure.

    Attributes:
        counts: shape (n,); multiples of the base; -1 where there was no count.
        further: how many cells were allowed to go further than the next multiples, since nothing else adds up.
        apart: how many cells were rounded conventionally, since no rounding was found that adds up.
    """

    counts: NDArray[np.int64]
    further: int = 0
    apart: int = 0

    @property
    def reach(self) -> int:
        """Over how many multiples of the base a count can have moved at most: 1, or 2 where some went further."""
        return 2 if self.further else 1


def controlled(counts: Sequence[int | None], equations: Sequence[Mapping[int, float]], base: int) -> Rounding:
    """Round counts to multiples of a base so that totals stay the sums of their parts.

    Args:
        counts: at least 0; None where nothing is published (withheld, missing). An equation with such a cell binds
            nobody: additivity holds among published cells.
        equations: cell -> coefficient, 1 or -1; the sum of coefficient times count is zero. One that the counts do not
            fulfil is no equation between totals and parts, and is left out.
        base: at least 2.
    """
    known = np.array([count is not None for count in counts], dtype=bool)
    exact = np.array([0 if count is None else count for count in counts], dtype=np.int64)
    alone = np.where(known, (2 * exact + base) // (2 * base) * base, -1)
    system = _binding(exact, known, equations)
    if system.shape[0] == 0:
        return Rounding(alone)
    bound = np.unique(system.indices)
    result, further, apart = alone.copy(), 0, 0
    for cells, rows in _attempts(system[:, bound], exact[bound], base):
        own, part = bound[cells], system[rows][:, bound[cells]]
        if (found := _nearest(exact[own], part, base)) is None:
            found = _further(exact[own], part, base)
            further, apart = further + len(own) * (found is not None), apart + len(own) * (found is None)
        if found is not None:
            result[own] = found
    return Rounding(result, further, apart)


def _binding(exact: NDArray[np.int64], known: NDArray[np.bool_], equations: Sequence[Mapping[int, float]]) -> csr_array:
    """The equations between published counts, each once. Shape (m, n), of whole numbers."""
    kept: dict[tuple[tuple[int, int], ...], None] = {}
    for equation in equations:
        terms = tuple(sorted((cell, int(by)) for cell, by in equation.items() if by))
        if all(known[cell] for cell, _ in terms) and sum(by * int(exact[cell]) for cell, by in terms) == 0:
            kept[terms] = None
    rows = [row for row, terms in enumerate(kept) for _ in terms]
    cells = [cell for terms in kept for cell, _ in terms]
    values = [by for terms in kept for _, by in terms]
    return csr_array(coo_array((values, (rows, cells)), shape=(len(kept), len(exact)), dtype=np.int64))


def _attempts(
    system: csr_array, exact: NDArray[np.int64], base: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Everything at once; or, if that cannot be, each part that hangs together by itself."""
    everything = (np.arange(system.shape[1]), np.arange(system.shape[0]))
    if _nearest(exact, system, base) is not None:
        return [everything]
    ties = abs(system)
    _, label = connected_components(ties.T @ ties, directed=False)
    of_row = label[system.indices[system.indptr[:-1]]]
    return [(np.flatnonzero(label == part), np.flatnonzero(of_row == part)) for part in range(label.max() + 1)]


def _nearest(exact: NDArray[np.int64], system: csr_array, base: int) -> NDArray[np.int64] | None:
    """The zero-restricted rounding with the least sum of changes that is found, None if there is none."""
    floor, rest = exact // base, exact % base
    open_ = np.flatnonzero(rest)
    needed = -(system @ floor)
    if len(open_) == 0:
        return None if needed.any() else floor * base
    steps = _steps((base - 2 * rest[open_]).astype(np.float64), system[:, open_].astype(np.float64), needed, base)
    if steps is None:
        return None
    floor[open_] += steps
    return None if (system @ floor).any() else floor * base


def _steps(
    cost: NDArray[np.float64], system: csr_array, needed: NDArray[np.int64], base: int
) -> NDArray[np.int64] | None:
    """Which cells go up: the relaxation where it is whole, else the integer program, the larger ones in part."""
    n = len(cost)
    # one more variable, always 1: the program's value is then the sum of changes, of which a gap is a share
    c = np.append(cost + _perturbation(n), (base - cost).sum() / 2)
    sums = LinearConstraint(hstack([system, csr_array((system.shape[0], 1))], format="csr"), needed, needed)
    low, high, whole_ones = np.append(np.zeros(n), 1), np.ones(n + 1), np.append(np.ones(n), 0)
    relaxed = _solved(c=c, integrality=np.zeros(n + 1), bounds=Bounds(low, high), constraints=sums)
    if relaxed is None:
        return None
    whole = np.rint(relaxed)
    broken = np.abs(relaxed - whole) > 1e-6
    if not broken.any():
        return whole[:n].astype(np.int64)
    found = None
    if n > EXACT_TO:
        kept = ~broken & np.append((np.abs(cost) > base / 2 - 1) & (whole[:n] == (cost < 0)), True)
        bounds = Bounds(np.where(kept, whole, low), np.where(kept, whole, high))
        found = _solved(gap=GAP, c=c, integrality=whole_ones, bounds=bounds, constraints=sums)
    if found is None and n <= TRIED_TO:
        gap = 0.0 if n <= EXACT_TO else GAP
        found = _solved(gap=gap, c=c, integrality=whole_ones, bounds=Bounds(low, high), constraints=sums)
    return None if found is None else np.rint(found[:n]).astype(np.int64)


def _further(exact: NDArray[np.int64], system: csr_array, base: int) -> NDArray[np.int64] | None:
    """The rounding with the least sum of changes where every count but zero may move by less than twice the base."""
    n, floor, rest = len(exact), exact // base, exact % base
    if n > TRIED_TO:
        return None
    low = -np.minimum(floor, 1).astype(np.float64)
    high = np.where(exact == 0, 0.0, np.where(rest == 0, 1.0, 2.0))
    needed = -(system @ floor)
    # t is the size of each change: t >= base*z - rest and t >= rest - base*z
    step, size = eye_array(n) * float(base), eye_array(n)
    sizes = vstack([hstack([-step, size]), hstack([step, size])], format="csr")
    sums = hstack([system.astype(np.float64), csr_array((system.shape[0], n))], format="csr")
    found = _solved(
        gap=GAP,
        c=np.concatenate([_perturbation(n), np.ones(n)]),
        integrality=np.concatenate([np.ones(n), np.zeros(n)]),
        bounds=Bounds(np.concatenate([low, np.zeros(n)]), np.concatenate([high, np.full(n, 2.0 * base)])),
        constraints=[
            LinearConstraint(sums, needed, needed),
            LinearConstraint(sizes, np.concatenate([-rest, rest]), np.inf),
        ],
    )
    if found is None:
        return None
    moved = floor + np.rint(found[:n]).astype(np.int64)
    return None if (system @ moved).any() else moved * base


def _perturbation(n: int) -> NDArray[np.float64]:
    """Numbers that add up to less than a half, each another one: whole costs decide before they do."""
    spread = np.arange(1, n + 1, dtype=np.float64) * _GOLDEN
    return np.asarray(spread % 1.0 / (2.0 * max(n, 1)), dtype=np.float64)


def _solved(gap: float = 0.0, **program: Any) -> NDArray[np.float64] | None:
    """What solves a program, or the best that was found within the bound on the search."""
    result = milp(options={"node_limit": NODES_AT_MOST, "mip_rel_gap": gap}, **program)
    return None if result.x is None else np.asarray(result.x, dtype=np.float64)
