"""A hundred deliveries full of hidden people through the whole pipeline: what of them was found, by kind and place.

Usage: python bench/planted.py [DELIVERIES]      (default 100; some three seconds each)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from acequia.simulate.hiding import PLACES, WHAT  # noqa: E402 - the tests' folder must be found first
from tests.pipeline.world import make_world  # noqa: E402
from tests.planted.planting import Tally, case, searched, send  # noqa: E402


def main() -> None:
    """Print the figures."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    began, tally = time.perf_counter(), Tally()
    with tempfile.TemporaryDirectory() as made:
        world = make_world(Path(made))
        for number in range(many):
            send(world, case(number), tally)
        elsewhere = searched(world, tally.people, inside=False)
    print(f"planted: {many} deliveries, {len(tally.people):,} people, {tally.planted.total():,} writings in free text, "
          f"{time.perf_counter() - began:,.0f} s")  # fmt: skip
    print(f"  left in structured columns: {len(tally.structured)}; anywhere else in the home: {len(elsewhere)}")
    print(f"  {'found, %':14}" + "".join(f"{what:>12}" for what in WHAT))
    for place in PLACES:
        print(f"  {place:14}" + "".join(f"{100 * tally.recall(what, places=[place]):12.1f}" for what in WHAT))
    print(f"  {'all':14}" + "".join(f"{100 * tally.recall(what):12.2f}" for what in WHAT))


if __name__ == "__main__":
    main()
