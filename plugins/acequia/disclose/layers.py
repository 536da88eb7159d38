"""What disclosure control computes with: unknown numbers, the equations between them, and what must stay unknown.

One *layer* is one measure: a row count, a sum, the contributors. Its *unknowns* are the numbers of cells, whether they
are published or not, and further ones that nobody publishes but that equations speak of: the rest of a window that
another release leaves out, what two vintages differ by. A cell is published or withheld with all its numbers, so the
layers of a table share one *pattern*: which cells are withheld.

Pure: arrays in, arrays out. The same layers serve the suppression, which knows every number, and the auditor, which
knows what is published (`value` is NaN elsewhere).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

HIDDEN, KNOWN = -1, -2
"""In place of a cell: the unknown is never published; the unknown is known whatever is withheld."""


@dataclass(frozen=True)
class Need:
    """What the public may not learn of one unknown. An attacker's interval [low, high] of its value x is wide enough if
    low <= x - down, high >= x + up, high - low >= width, and at least `integers` whole numbers lie in it.

    `down` is no more than x minus the unknown's lower bound: nothing can be lower than that.
    """

    unknown: int
    up: float = 0.0
    down: float = 0.0
    width: float = 0.0
    integers: int = 0


@dataclass(frozen=True)
class Layer:
    """One measure of a system of cells.

    Attributes:
        name: of the measure, for reports.
        equations: shape (m, n); every row is an equation that everybody knows: `equations @ x = 0`.
        value: shape (n,), float; NaN where we do not know it either.
        lower: shape (n,); what everybody knows before, usually 0; -inf for what can be below zero.
        upper: shape (n,); usually inf.
        cell: shape (n,), int; the cell of the pattern that publishes the unknown, HIDDEN or KNOWN. Several unknowns may
            have one cell; a cell may have none here.
        slack: shape (n,); how far a published number can be from the true one (half the base of rounding, the largest
            noise); 0 where it is exact. A published unknown is known to lie in value - slack .. value + slack.
        integer: whether every value is a whole number.
        needs: what must stay unknown.
        sole: shape (n,), int; who is the only contributor of an unknown, as a number; -1 where several or none.
    """

    name: str
    equations: csr_array
    value: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    cell: NDArray[np.int64]
    slack: NDArray[np.float64]
    integer: bool
    needs: tuple[Need, ...]
    sole: NDArray[np.int64]


@dataclass(frozen=True)
class Problem:
    """Which cells to withhold: one pattern over the cells of all layers.

    Attributes:
        layers: the measures.
        withheld: shape (cells,), bool; those that are withheld in any case: unsafe ones, and those that an earlier
            release withheld.
        fixed: shape (cells,), bool; those whose state is settled: withheld above, or public for good.
        cost: shape (cells,); what it costs to withhold one more; above 0 where not fixed.
    """

    layers: Sequence[Layer]
    withheld: NDArray[np.bool_]
    fixed: NDArray[np.bool_]
    cost: NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """What the public can work out of one unknown."""

    low: float
    high: float


@dataclass(frozen=True)
class Exposed:
    """One need that is not met: `layer` and `unknown`, what the public knows, and to whom (a sole contributor's number,
    or -1 for everybody).
    """

    layer: str
    need: Need
    known: Interval
    to: int = -1


@dataclass(frozen=True)
class Pattern:
    """What is withheld, and how that was found.

    Attributes:
        withheld: shape (cells,), bool.
        method: `none`, `exact`, `linear_program` or `everything`.
        cost: the sum over the cells that were withheld besides.
        bound: a lower bound on the cost of any pattern that serves; equal to it where that is proven to be the least.
        facts: counts for the record, such as rounds, programs solved.
    """

    withheld: NDArray[np.bool_]
    method: str
    cost: float
    bound: float
    facts: dict[str, Any]
