"""How much draws tell, at least: the attack that differential privacy must withstand."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import beta

UNSURE = 1e-6  # the chance that a right mechanism is called wrong, over all events that a test looks at


PARTS = [*np.linspace(0.02, 0.98, 49), 0.005, 0.01, 0.99, 0.995]  # where events lie; tails tell of thresholds


def lowest_epsilon(with_one: np.ndarray, without: np.ndarray, delta: float = 0) -> float:
    """A lower bound on epsilon that holds but for a chance of UNSURE, from a statistic of draws on neighbouring inputs.

    For every event "the statistic is at least t", and the opposite, Clopper-Pearson bounds on its chance under both
    inputs give log((p - delta) / q) (Dwork and Roth 2014, definition 2.4); all events together share UNSURE.
    """
    levels = np.unique(np.quantile(np.concatenate([with_one, without]), PARTS))
    events = [(one >= level, other >= level) for level in levels
              for one, other in ((with_one, without), (-with_one, -without))]  # fmt: skip
    events += [(other >= level, one >= level) for level in levels for one, other in ((with_one, without),)]
    alpha, best = UNSURE / (2 * len(events)), 0.0
    for yes, no in events:
        hits, misses = int(yes.sum()), int(no.sum())
        low = beta.ppf(alpha, hits, yes.size - hits + 1) if hits else 0.0
        high = beta.ppf(1 - alpha, misses + 1, no.size - misses) if misses < no.size else 1.0
        if low > delta and high > 0:
            best = max(best, math.log((low - delta) / high))
    return best
