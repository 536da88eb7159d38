"""What it costs to withhold a cell that is safe on its own: totals and important cells stay open, by setting."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from acequia.agreement.protection import Protection
from acequia.disclose.geometry import Key
from acequia.disclose.linked import Release

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT_OPEN = 1e4
"""How many times as dear an important cell is."""
UNIT, AGAIN = 2, 1
"""What a cell costs, and one that the last release withheld: a pattern that still serves is not left for one as good.
Whole numbers, since the search for the least cost ends sooner with them.
"""


def costs(release: Release, before: Collection[Key] = ()) -> NDArray[np.float64]:
    """The cost of each cell, shape (cells,), above zero.

    Args:
        release: the cells.
        before: the keys of the cells that the last release of the table withheld.
    """
    import numpy as np

    protect, shape, primary = release.table.protect, release.shape, release.primary
    found = np.ones(len(shape.keys))
    if not isinstance(protect, Protection):
        return found
    setting, again = protect.secondary, set(before)
    if setting.cost == "contributors" and "contributors" in primary.value:
        found = 1.0 + np.nan_to_num(primary.value["contributors"])
    elif setting.cost == "values":
        first = next((p.layer for p in primary.parts if p.definition[0] == "sum"), "rows")
        found = 1.0 + np.abs(np.nan_to_num(primary.value[first]))
    keep = {by: set(values) for by, values in setting.keep_open.items()}
    for cell, key in enumerate(shape.keys):
        found[cell] *= setting.totals_cost ** shape.depth(key)
        if any(str(value) in keep.get(by, ()) for by, value in zip(shape.by, key, strict=True)):
            found[cell] *= KEPT_OPEN
        found[cell] *= AGAIN if key in again else UNIT
    return np.maximum(np.round(found), 1.0)
