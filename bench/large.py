"""What a large delivery costs: memory, scratch, and time of receive, protect and validate, by the memory limit.

Usage: python bench/large.py [GB] [LIMIT ...]      (default 2, limits 1GB 2GB 4GB; one CSV, one CSV.gz, four CSV.gz)
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.large.measure import make, measure


def main(size: float, limits: list[str]) -> None:
    """Print one line per layout and limit."""
    print(f"{'layout':>12} {'limit':>6} {'rows':>11} {'RSS':>8} {'scratch':>8} {'landing':>8}  seconds")
    for name, files, packed in (("one CSV", 1, False), ("one CSV.gz", 1, True), ("four CSV.gz", 4, True)):
        with tempfile.TemporaryDirectory(prefix="acequia-large-") as folder:
            root = Path(folder)
            make(root / "inbox", int(size * 2**30), files=files, packed=packed)
            for limit in limits:
                found = measure(root / "inbox", root / "work", limit, packed=packed)
                shutil.rmtree(root / "work")
                seconds = ", ".join(f"{room} {took:.0f}" for room, took in found.seconds.items())
                print(f"{name:>12} {limit:>6} {found.rows_in:>11,} {_gib(found.rss)} {_gib(found.scratch)} "
                      f"{_gib(found.landing)}  {seconds}", flush=True)  # fmt: skip


def _gib(size: int) -> str:
    return f"{size / 2**30:>7.2f}G"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 2, sys.argv[2:] or ["1GB", "2GB", "4GB"])
