"""The exchange format of cell suppression instances, known as JJ: so that instances from elsewhere can be tried.

As tau-ARGUS and sdcTable write it (sdcTable, `createJJFormat`): a line `0`, the number of cells, one line for each cell
(number, value, cost, status, lower, upper, lower and upper protection level, sliding level), the number of equations,
one line for each: right side, how many terms, `:`, then `cell(coefficient)` each. Status: u unsafe, s may be withheld,
z must be published, x withheld besides.

Usage: python bench/jj.py FILE      (solves the instance; costs are those of the file, `--cells` counts cells instead)
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from acequia.disclose.layers import Layer, Need, Problem
from acequia.disclose.suppress import suppress

TERM = re.compile(r"(\d+)\s*\(\s*([-+0-9.eE]+)\s*\)")


def read(text: str, *, counted: bool = False) -> Problem:
    """An instance as a problem of one measure.

    Args:
        text: what the file says.
        counted: every cell costs the same, whatever the file says.

    Raises:
        ValueError: Where it is no such file, with the line.
    """
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    count = int(lines[1])
    cells = [_cell(number, line) for number, line in enumerate(lines[2 : 2 + count], 3)]
    rows = [TERM.findall(line.partition(":")[2]) for line in lines[3 + count : 3 + count + int(lines[2 + count])]]
    entries = [(row, int(at), float(sign)) for row, terms in enumerate(rows) for at, sign in terms]
    places = ([row for row, _, _ in entries], [at for _, at, _ in entries])
    value, cost, lower, upper, down, up, sliding = (np.array([cell[1][at] for cell in cells]) for at in range(7))
    status = np.array([cell[0] for cell in cells])
    unsafe = status == "u"
    needs = [
        Need(at, up=up[at], down=min(down[at], value[at] - lower[at]), width=sliding[at])
        for at in np.flatnonzero(unsafe).tolist()
    ]
    layer = Layer(
        name="value",
        equations=csr_array(([sign for _, _, sign in entries], places), shape=(len(rows), count)),
        value=value,
        lower=lower,
        upper=upper,
        cell=np.arange(count),
        slack=np.zeros(count),
        integer=False,
        needs=tuple(needs),
        sole=np.full(count, -1),
    )
    return Problem([layer], unsafe, unsafe | (status == "z"), np.ones(count) if counted else np.maximum(cost, 1e-6))


def _cell(number: int, line: str) -> tuple[str, list[float]]:
    words = line.replace(":", " ").split()
    status, rest = words[3:4], [*words[4:9], "0"][:5]
    if status not in (["u"], ["s"], ["z"], ["x"]) or len(rest) < 5:
        raise ValueError(f"line {number}: not a cell")
    return status[0], [float(word) for word in (*words[1:3], *rest)]


def write(problem: Problem) -> str:
    """The first measure of a problem in that format."""
    layer = problem.layers[0]
    needs = {need.unknown: need for need in layer.needs}
    lines = ["0", str(len(layer.value))]
    for at, value in enumerate(layer.value.tolist()):
        need = needs.get(at, Need(at))
        status = "u" if problem.withheld[at] else "z" if problem.fixed[at] else "s"
        upper = layer.upper[at] if np.isfinite(layer.upper[at]) else 1e20
        numbers = (layer.lower[at], upper, need.down, need.up, need.width)
        lines.append(f"{at} {value!r} {float(problem.cost[at])!r} {status} " + " ".join(f"{x:.10g}" for x in numbers))
    rows = csr_array(layer.equations)
    lines.append(str(rows.shape[0]))
    for row in range(rows.shape[0]):
        span = slice(rows.indptr[row], rows.indptr[row + 1])
        terms = [f"{at}({sign:g})" for at, sign in zip(rows.indices[span], rows.data[span], strict=True)]
        lines.append(f"0.0 {len(terms)} : " + " ".join(terms))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Solve the instance of a file."""
    names = [word for word in sys.argv[1:] if not word.startswith("--")]
    problem = read(Path(names[0]).read_text(encoding="utf-8"), counted="--cells" in sys.argv)
    pattern = suppress(problem)
    more = int((pattern.withheld & ~problem.withheld).sum())
    print(f"{len(problem.withheld)} cells, {int(problem.withheld.sum())} unsafe: {more} withheld besides")
    print(f"{pattern.method}, cost {pattern.cost:g}, no pattern costs less than {pattern.bound:g}; {pattern.facts}")


if __name__ == "__main__":
    main()
