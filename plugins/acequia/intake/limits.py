"""How often something may be asked: a bucket per name, which fills again with time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from acequia.intake.refusals import too_much

NAMES_AT_MOST = 10_000


class Limit:
    """At most `burst` at once, and `per_second` over time, for each name. Kept in memory, for so many names."""

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.burst, self.per_second, self.clock = burst, per_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> None:
        """Count one. Refused with 429 when nothing is left."""
        with self._lock:
            left = self._refilled(name)
            if left < 1:
                raise too_much(int((1 - left) / self.per_second) + 1)
            self._keep(name, left - 1)

    def _refilled(self, name: str) -> float:
        left, at = self._left.get(name, (float(self.burst), self.clock()))
        return min(self.burst, left + (self.clock() - at) * self.per_second)

    def _keep(self, name: str, left: float) -> None:
        self._left[name] = (left, self.clock())
        self._left.move_to_end(name)
        if len(self._left) > NAMES_AT_MOST:
            self._left.popitem(last=False)
