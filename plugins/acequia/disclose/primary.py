"""Which cells are unsafe on their own, why, and what must stay unknown of them: from cells to the needs of layers.

A cell is judged by all of its numbers together, since it is withheld with all of them. The first rule that it breaks
gives the reason: `min_contributors`, `dominance`, `p_percent`, `zeros`. What must stay unknown is the most that any
broken rule asks for. Tables without protection, and those whose counts get noise in place of withholding
(`cell_key`, `differential_privacy`), have no unsafe cells here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from acequia.agreement.protection import Dominance, PPercent, Protection, Unit
from acequia.agreement.tables import CountDistinct, CountRows, Mean, Ratio, Sum, Table
from acequia.disclose.layers import Need
from acequia.disclose.rules import dominance_level, inference_level, too_few

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

KNOWN_WITHIN = 1e-3
"""A sum that need not stay unknown by a level of its own must not be known to within this share of it either."""


@dataclass(frozen=True)
class Part:
    """One number behind the measures of a table: what becomes a layer.

    Attributes:
        layer: `rows`, `contributors`, `<m>` for a count, a distinct count and a sum, `<m>:sum` and `<m>:n` behind a
            mean, `<m>:of` and `<m>:to` behind a ratio. A median has none.
        measure: the measure that it is behind; None for `rows` and `contributors`.
        column: of the cells, with the exact numbers.
        definition: what is counted or added, of which rows: parts with the same one have the same number in every
            table that counts the same rows (a table's own `where` is not in it).
        adds_up: whether a total is the sum of its parts; numbers of different people are not.
    """

    layer: str
    measure: str | None
    column: str
    definition: tuple[str, str, str]
    adds_up: bool = True


@dataclass(frozen=True)
class Primary:
    """What the rules say of each cell of a table; every array has one entry per cell, in the order of the cells.

    Attributes:
        reasons: the first reason why a cell is unsafe; None where it is safe.
        parts: the numbers behind the measures, in the order of the table.
        value: per layer, shape (cells,), float; NaN where there is none (a sum over no value).
        lower: per layer, shape (cells,), float; 0 for counts and for sums in which no contribution is below zero
            anywhere in the table, else -inf.
        up: per layer, shape (cells,), float, in the unit of the measure: how far above the value the public's interval
            must reach.
        down: the same below the value, no more than value - lower.
        width: per layer, shape (cells,), float: how wide the interval must be at least.
        integers: per layer, shape (cells,), int: how many whole numbers it must hold at least (0: any).
        whole: per layer, whether every value is a whole number.
        sole: shape (cells,), int; who is the only contributor of a cell, as a place in `soles`; -1 where several or
            nobody.
        soles: a stable name for each sole contributor, the same in every table with the same contributor column.
    """

    reasons: list[str | None]
    parts: tuple[Part, ...]
    value: dict[str, NDArray[np.float64]]
    lower: dict[str, NDArray[np.float64]]
    up: dict[str, NDArray[np.float64]]
    down: dict[str, NDArray[np.float64]]
    width: dict[str, NDArray[np.float64]]
    integers: dict[str, NDArray[np.int64]]
    whole: dict[str, bool]
    sole: NDArray[np.int64]
    soles: tuple[str, ...]

    @property
    def unsafe(self) -> NDArray[np.bool_]:
        """Shape (cells,): the cells that are withheld on their own account."""
        import numpy as np

        return np.array([reason is not None for reason in self.reasons], dtype=bool)

    def needs(self, layer: str, offset: int = 0) -> tuple[Need, ...]:
        """The needs of one layer; the unknown of cell i is `offset + i`. Cells of which nothing is needed have none."""
        up, down = self.up[layer], self.down[layer]
        width, integers = self.width[layer], self.integers[layer]
        some = ((up > 0) | (down > 0) | (width > 0) | (integers > 0)).nonzero()[0]
        return tuple(
            Need(offset + int(i), float(up[i]), float(down[i]), float(width[i]), int(integers[i])) for i in some
        )


def parts_of(table: Table) -> tuple[Part, ...]:
    """The numbers behind a table's measures, and those of rows and contributors, in a fixed order."""
    protect = table.protect
    contributor = protect.contributor if isinstance(protect, Protection) else ""
    each_row = contributor == "rows"
    who = ("rows", "", "") if each_row else ("distinct", contributor, "")
    found = [
        Part("rows", None, "cell:rows", ("rows", "", "")),
        Part("contributors", None, "cell:contributors", who, adds_up=each_row),
    ]
    for name, measure in table.measures.items():
        found += _parts(name, measure, measure.where or "")
    return tuple(found)


def _parts(name: str, measure: object, where: str) -> Iterator[Part]:
    if isinstance(measure, CountRows):
        yield Part(name, name, f"total:{name}", ("rows", "", where))
    elif isinstance(measure, CountDistinct):
        yield Part(name, name, name, ("distinct", measure.count_distinct, where), adds_up=False)
    elif isinstance(measure, Sum):
        yield Part(name, name, f"total:{name}", ("sum", measure.sum, where))
    elif isinstance(measure, Mean):
        yield Part(f"{name}:sum", name, f"total:{name}", ("sum", measure.mean, where))
        yield Part(f"{name}:n", name, f"rows:{name}", ("values", measure.mean, where))
    elif isinstance(measure, Ratio):
        yield Part(f"{name}:of", name, f"total:{name}:of", ("sum", measure.ratio.of, where))
        yield Part(f"{name}:to", name, f"total:{name}:to", ("sum", measure.ratio.to, where))


def judge(made: pa.Table, table: Table) -> Primary:
    """Judge the cells of one table and window.

    Args:
        made: the cells, with the columns that `aggregate.plan` describes.
        table: as agreed.
    """
    parts = parts_of(table) if isinstance(table.protect, Protection) else ()
    judged = _Judged(made, parts)
    protect = table.protect
    if isinstance(protect, Protection) and protect.cell_key is None and protect.differential_privacy is None:
        units: list[tuple[str, Protection | Unit]] = [("", protect)]
        units += [(f"also{number}:", unit) for number, unit in enumerate(protect.also)]
        for prefix, unit in units:
            judged.frequency(prefix, unit.min_contributors, table, protect.secondary.range_pct)
        for prefix, unit in units:
            judged.concentration("dominance", prefix, unit.dominance, table)
        for prefix, unit in units:
            judged.concentration("p_percent", prefix, unit.p_percent, table)
        if protect.zeros == "withhold":
            judged.zeros()
    return judged.primary()


class _Judged:
    """The needs as they come together, rule after rule."""

    def __init__(self, made: pa.Table, parts: tuple[Part, ...]) -> None:
        import numpy as np

        self.made, self.parts, self.cells = made, parts, made.num_rows
        self.reasons: list[str | None] = [None] * self.cells
        self.lists: dict[str, list[Any]] = {}
        self.whole = {part.layer: _whole(made.schema.field(part.column).type) for part in parts}
        self.value = {part.layer: np.array(self._floats(part.column), dtype=float) for part in parts}
        self.lower = {part.layer: np.full(self.cells, self._lower(part)) for part in parts}
        self.up, self.down, self.width = (
            {part.layer: np.zeros(self.cells) for part in parts} for _ in range(3)
        )  # fmt: skip
        self.integers = {part.layer: np.zeros(self.cells, dtype=np.int64) for part in parts}

    def frequency(self, prefix: str, at_least: int, table: Table, range_pct: float) -> None:
        """Minimum contributors, of the cell and of each number: a filter or missing values can leave one number to
        fewer contributors than the cell as a whole.
        """
        columns: list[tuple[str, str, str | None]] = [("cell:rows", f"{prefix or 'cell:'}contributors", None)]
        columns += [(f"rows:{name}", f"{prefix}support:{name}", name) for name in table.measures]
        for rows, who, measure in columns:
            for cell, (of, by) in enumerate(zip(self._list(rows), self._list(who), strict=True)):
                if too_few(of, by, at_least):
                    self.reasons[cell] = self.reasons[cell] or "min_contributors"
                    self._few(cell, measure, at_least, range_pct / 100)

    def _few(self, cell: int, measure: str | None, at_least: int, share: float) -> None:
        for part in self.parts:
            if part.measure != measure:
                continue
            if part.definition[0] == "sum":
                self._levels(part.layer, cell, share * abs(self.value[part.layer][cell]))
            else:
                self.integers[part.layer][cell] = max(self.integers[part.layer][cell], at_least)

    def concentration(self, reason: str, prefix: str, rule: Dominance | PPercent | None, table: Table) -> None:
        """Dominance or the p% rule, of each measure that it looks at."""
        for name in table.looked_at(rule):
            layer = f"{name}:sum" if isinstance(table.measures[name], Mean) else name
            for cell, level in enumerate(self._rule_levels(rule, prefix, name)):
                if level > 0:
                    self.reasons[cell] = self.reasons[cell] or reason
                    self._levels(layer, cell, float(level))

    def _rule_levels(self, rule: Dominance | PPercent | None, prefix: str, name: str) -> Iterator[Decimal]:
        total, below = self._list(f"total:{name}"), self._list(f"{prefix}negative:{name}")
        if isinstance(rule, Dominance):
            k = Decimal(str(rule.k_pct))
            for top, of, negative in zip(self._list(f"{prefix}top:{name}"), total, below, strict=True):
                yield Decimal(0) if None in (top, of) else dominance_level(top, of, negative, k)
        elif rule is not None:
            p, q = Decimal(str(rule.p_pct)), Decimal(str(rule.q_pct))
            largest = zip(self._list(f"{prefix}first:{name}"), self._list(f"{prefix}second:{name}"), strict=True)
            for (first, second), of, negative in zip(largest, total, below, strict=True):
                unknown = None in (first, of)
                yield Decimal(0) if unknown else inference_level(first, second or Decimal(0), of, negative, p, q)

    def zeros(self) -> None:
        """Cells that nobody is in."""
        for cell, rows in enumerate(self._list("cell:rows")):
            if rows == 0:
                self.reasons[cell] = self.reasons[cell] or "zeros"
                self.integers["rows"][cell] = max(self.integers["rows"][cell], 2)

    def _levels(self, layer: str, cell: int, level: float) -> None:
        if level != level:  # a sum over no value has nothing to protect
            return
        room = self.value[layer][cell] - self.lower[layer][cell]
        self.up[layer][cell] = max(self.up[layer][cell], level)
        self.down[layer][cell] = max(self.down[layer][cell], min(level, room))

    def primary(self) -> Primary:
        """All of it; besides, no other number of an unsafe cell may be known exactly."""
        import numpy as np

        unsafe = np.array([reason is not None for reason in self.reasons], dtype=bool)
        for part in self.parts:
            layer = part.layer
            # of zero people or a zero sum nothing is left to hide: its total may be zero, and public, as well
            some = unsafe & (np.nan_to_num(self.value[layer]) != 0)
            if self.whole[layer]:
                self.integers[layer][some] = np.maximum(self.integers[layer][some], 2)
            else:
                self.width[layer][some] = KNOWN_WITHIN * np.abs(self.value[layer][some])
        sole, soles = self._sole()
        return Primary(
            self.reasons, self.parts, self.value, self.lower, self.up, self.down, self.width, self.integers,
            self.whole, sole, soles,
        )  # fmt: skip

    def _sole(self) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        import numpy as np

        named = self._list("sole") if "sole" in self.made.column_names else [None] * self.cells
        soles = tuple(sorted({name for name in named if name is not None}))
        places = {name: place for place, name in enumerate(soles)}
        return np.array([-1 if name is None else places[name] for name in named], dtype=np.int64), soles

    def _lower(self, part: Part) -> float:
        name = f"negative:{part.column.removeprefix('total:')}"
        signed = part.definition[0] == "sum" and (name not in self.made.column_names or any(self._list(name)))
        return float("-inf") if signed else 0.0

    def _floats(self, column: str) -> list[float]:
        return [float("nan") if number is None else float(number) for number in self._list(column)]

    def _list(self, column: str) -> list[Any]:
        if column not in self.lists:
            self.lists[column] = self.made.column(column).to_pylist()
        return self.lists[column]


def _whole(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0))
