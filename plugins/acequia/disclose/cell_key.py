"""The cell-key method: counts get a little noise, the same for the same group in every table and for ever.

Every contributor has a *record key*, a whole number that nobody can guess (`aggregate.record_keys`). The sum of the
record keys of a group, modulo a prime, is the group's *cell key*: it depends on who is in the cell and on nothing
else. The cell key is spread once more by a hash, so that keys of groups that differ by one contributor have nothing in
common, and looked up in a *p-table*: for a true count i the probabilities of i - D … i + D, where D is
the largest noise.

Sources: Fraser and Wooton (2005) and Thompson, Broadfoot and Elazar (2013) for the method as the Australian Bureau of
Statistics uses it; Marley and Leaver (2011) for p-tables of maximum entropy; Enderle, Giessing and Tent (2020) and the
Handbook on Statistical Disclosure Control for its use in European censuses. What departs from them: the last hash, and
that a count of rows of which one contributor has several gets its noise in units of the largest contributor.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from acequia.agreement.noise import no_p_table
from acequia.errors import AcequiaError

_SPREAD = b"acequia cell key 1"


@dataclass(frozen=True)
class PTable:
    """Transition probabilities of counts.

    Attributes:
        rows: for i = 0, 1, … the changes d that are possible, shape (k,), and their probabilities, shape (k,), in the
            order of d. The last one stands for every larger count.
        sums: the same probabilities added up, without the last one.
    """

    rows: tuple[tuple[NDArray[np.int64], NDArray[np.float64]], ...]
    sums: tuple[tuple[float, ...], ...]

    def of(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The changes of a true count, and their probabilities."""
        return self.rows[min(count, len(self.rows) - 1)]

    def change(self, count: int, cell_key: int) -> int:
        """The change of a true count for a group's cell key; zero stays zero."""
        changes, _ = self.of(count)
        at = bisect_right(self.sums[min(count, len(self.sums) - 1)], uniform(cell_key))
        return int(changes[at])


def uniform(cell_key: int) -> float:
    """A number in [0, 1) that a cell key gives, of 53 bits."""
    digest = hashlib.blake2b(cell_key.to_bytes(8, "big"), digest_size=8, person=_SPREAD[:16]).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def perturbed(count: int, cell_key: int, largest: int, table: PTable) -> int:
    """What is published for a true count.

    Args:
        count: of rows or of contributors.
        cell_key: of the group behind it.
        largest: how many of the rows the largest contributor has; 1 for a count of contributors.
        table: the transition probabilities.

    With `largest` = m > 1 the noise must hide m rows, not one: count = s * i with i = floor(count / m) is seen as i
    units of s >= m rows each, and s * (i + d) is published, to the nearest whole number. It has the mean of the true
    count, is never below zero, and never between 1 and s times what the p-table forbids.
    """
    if count == 0:
        return 0
    units = count // max(largest, 1)
    after = units + table.change(units, cell_key)
    return (2 * count * after + units) // (2 * units)


@lru_cache(maxsize=64)
def p_table(noise_at_most: int, variance: float, never: int) -> PTable:
    """The p-table of maximum entropy: of all with these properties the one that tells least besides.

    For every true count i > 0: the changes d lie in -min(i, D) … D and lead to 0 or beyond `never`; their mean is 0,
    their variance V. Then p(d) is proportional to exp(a*d + b*d²); a and b minimise the convex dual
    log(sum of exp(a*d + b*(d² - V))), which Newton's method finds.

    Raises:
        AcequiaError: `agreement_invalid` if there is no such table, with the variances for which there is one.
    """
    if wrong := no_p_table(noise_at_most, variance, never):
        raise AcequiaError("agreement_invalid", wrong)
    zero = (np.zeros(1, dtype=np.int64), np.ones(1))
    counts = range(1, noise_at_most + never + 2)
    rows = (zero, *(_row(changes(count, noise_at_most, never), variance) for count in counts))
    return PTable(rows, tuple(_sums(chances) for _, chances in rows))


def _sums(chances: NDArray[np.float64]) -> tuple[float, ...]:
    """Probabilities added up; nothing lies beyond the last one that is above zero."""
    last = int(np.flatnonzero(chances)[-1])
    return tuple(float(value) if place < last else 1.0 for place, value in enumerate(np.cumsum(chances)[:-1]))


def changes(count: int, noise_at_most: int, never: int) -> NDArray[np.int64]:
    """The changes that a true count above zero may have."""
    after = np.arange(max(count - noise_at_most, 0), count + noise_at_most + 1)
    return np.asarray(after[(after == 0) | (after > never)] - count, dtype=np.int64)


def _row(changes: NDArray[np.int64], variance: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The distribution of maximum entropy over these changes, of mean zero and this variance."""
    d = changes.astype(np.float64)
    below, above = changes[changes < 0], changes[changes > 0]
    inner = (float(below.max()), float(above.min())), (float(below.min()), float(above.max()))
    # at the least and at the largest variance there is one distribution only, on two points
    for number, (low, high) in enumerate(inner):
        if abs(variance + low * high) < 1e-9 and not (number == 0 and 0 in changes):
            return changes, np.where(d == low, high, np.where(d == high, -low, 0.0)) / (high - low)
    return changes, _maximum_entropy(d, variance)


def _maximum_entropy(d: NDArray[np.float64], variance: float) -> NDArray[np.float64]:
    """Probabilities proportional to exp(a*d + b*d²) of mean 0 and this variance, by Newton's method on the dual."""
    scale = np.abs(d).max()
    features = np.stack([d / scale, (d**2 - variance) / scale**2])
    at = np.zeros(2)
    for _ in range(500):
        value, p = _dual(at, features)
        slope = features @ p
        if np.abs(slope).max() < 1e-14:
            break
        centred = features - slope[:, None]
        step = np.linalg.lstsq((centred * p) @ centred.T, -slope, rcond=None)[0]
        length = 1.0
        while length > 1e-12 and _dual(at + length * step, features)[0] > value + 1e-4 * length * (slope @ step):
            length /= 2
        if length <= 1e-12:
            break
        at = at + length * step
    return _exact(_dual(at, features)[1], features)


def _exact(p: NDArray[np.float64], features: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is left of the errors of the moments, taken away by factors close to one."""
    conditions = np.vstack([np.ones(features.shape[1]), features])
    wanted = np.array([1.0, 0.0, 0.0])
    for _ in range(5):
        factors = np.linalg.lstsq((conditions * p) @ conditions.T, wanted - conditions @ p, rcond=None)[0]
        p = np.maximum(p * (1 + factors @ conditions), 0.0)
    return p


def _dual(at: NDArray[np.float64], features: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    exponents = at @ features
    top = exponents.max()
    weights = np.exp(exponents - top)
    return float(top + np.log(weights.sum())), weights / weights.sum()
