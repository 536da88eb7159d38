"""Noise with a proven bound: what a release tells about one contributor, whatever else anybody knows.

The guarantee is (epsilon, delta)-differential privacy (Dwork and Roth, "The Algorithmic Foundations of Differential
Privacy", 2014) for neighbours that differ by all rows of one contributor. `aggregate.private` has bounded what one
contributor moves; here each query gets an equal share of epsilon, and OpenDP draws discrete Laplace noise on whole
numbers (sums are counted in units), so that nothing of a floating-point number's last bits is told (Mironov 2012). Its
own privacy map is asked for what each measurement costs, and the release stops if that is more than was agreed.

Laplace and not Gaussian noise, also where delta is above 0: its guarantee needs no delta, so that delta is spent on one
thing alone, and with the few cells that a contributor counts to it is hardly wider.

Where the cells are not known before, that a cell is there tells of whoever is in it. Then the noisy number of a cell's
contributors must reach a threshold, or the cell is left out whole (OpenDP's `make_laplace_threshold`; Wilson and others
2020); delta is the chance that one contributor's own cells pass it.

All that follows is arithmetic on noisy numbers and costs nothing: no number below 0 where the true one cannot be, and
totals that are the sums of their parts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.aggregate.dimensions import UNKNOWN
from acequia.aggregate.private import CONTRIBUTORS, decimals_of, is_contributors, most_of, queries, terms_of
from acequia.agreement.model import Feed
from acequia.agreement.protection import DifferentialPrivacy, Protection
from acequia.agreement.tables import Sum, Table
from acequia.disclose.noise import above_threshold, share_of, with_noise
from acequia.disclose.structure import structure
from acequia.engine.parquet import write_parquet
from acequia.errors import AcequiaError
from acequia.flow import Cells, Disclosed

if TYPE_CHECKING:
    import pyarrow as pa

RULE = "differential_privacy"
Key = tuple[Any, ...]


def is_private(table: Table) -> bool:
    """Whether the table's cells get noise of this kind, and are not for other rules to look at."""
    return terms_of(table) is not None


def _terms(table: Table) -> DifferentialPrivacy:
    found = terms_of(table)
    if found is None:
        raise AcequiaError("internal", "the table has no differential privacy")
    return found


def noise_of(table: Table) -> dict[str, float]:
    """The scale of the noise by measure and `contributors`, in the published unit. Public: it follows from the
    agreement alone. The standard deviation is the scale times the square root of 2.
    """
    terms, asked = _terms(table), queries(table)
    share, scales = share_of(terms.epsilon, len(asked)), {}
    for query in asked:
        decimals = decimals_of(terms.bounds[query.name]) if query.name in terms.bounds else 0
        scales[query.name] = terms.cells_at_most * most_of(table, query.name, decimals) / share / 10**decimals
    hidden = scales.get("contributors")
    alike = [name for name in table.measures if name not in scales]
    return scales | {name: hidden for name in alike if hidden is not None}


# Drawing


@dataclass(frozen=True)
class _Noisy:
    """Numbers of finest cells, by query, in units; `kept` are the cells' places among those that were computed."""

    kept: list[int]
    numbers: Mapping[str, list[int]]
    decimals: Mapping[str, int | None]


def draw(cells: Cells, table: Table) -> pa.Table:
    """Draw the noise, once: a second call draws other noise, and tells more than was agreed. See `acequia.spending`.

    Returns:
        One row per published cell at every level, in order: `period`, the `by` columns, the measures and
        `contributors_count` (null at wider levels and where nothing asks for contributors).
    """
    import pyarrow.parquet as pq

    made = pq.read_table(cells.path)
    noisy = _drawn(made, table)
    keys = _keys(made, table, noisy.kept)
    numbers = _sound(noisy, table, keys)
    return _rows(made, table, cells, keys, numbers, noisy)


def _drawn(made: pa.Table, table: Table) -> _Noisy:
    import pyarrow as pa

    terms, asked = _terms(table), queries(table)
    share = share_of(terms.epsilon, len(asked))
    at_least = table.protect.min_contributors if isinstance(table.protect, Protection) else 1
    decimals: dict[str, int | None] = {}
    numbers: dict[str, list[int]] = {}
    kept = list(range(made.num_rows))
    for query in asked:
        column = made.column(query.column)
        fraction = pa.types.is_decimal(column.type)
        decimals[query.name] = column.type.scale if fraction else None
        moved = terms.cells_at_most * most_of(table, query.name, column.type.scale if fraction else 0)
        exact = [_whole(number, column.type.scale if fraction else 0) for number in column.to_pylist()]
        if query.column == CONTRIBUTORS:
            found = above_threshold(exact, terms.cells_at_most, share, terms.delta)
            kept = sorted(place for place, number in found.items() if number >= at_least)
            numbers[query.name] = [found[place] for place in kept]
        else:
            numbers[query.name] = with_noise([exact[place] for place in kept], moved, share)
    return _Noisy(kept, numbers, decimals)


def _whole(number: Any, decimals: int) -> int:
    return int(number.scaleb(decimals)) if isinstance(number, Decimal) else int(number)


# What follows from noisy numbers


def _keys(made: pa.Table, table: Table, kept: Sequence[int]) -> list[list[Key]]:
    """Per finest cell and `by` column, its values from the finest level to the widest."""
    columns = []
    for by in table.by:
        above = [f"above:{by}:{level}" for level in range(1, len(table.hierarchy.get(by, (by,))))]
        columns.append(list(zip(*(made.column(name).to_pylist() for name in (by, *above)), strict=True)))
    return [[column[place] for column in columns] for place in kept]


def _sound(noisy: _Noisy, table: Table, keys: Sequence[Sequence[Key]]) -> dict[str, list[int]]:
    """No number below 0 where the true one cannot be.

    Where totals are published, the parts of each widest total are brought to the nearest numbers of 0 or more that add
    up to it: cutting each at 0 would make totals too large.
    """
    bounds = _terms(table).bounds
    sound = dict(noisy.numbers)
    for name, numbers in noisy.numbers.items():
        if isinstance(table.measures.get(name), Sum) and bounds[name][0] < 0:
            continue
        if not table.hierarchy:
            sound[name] = [max(0, number) for number in numbers]
            continue
        widest: dict[Key, list[int]] = defaultdict(list)
        for place, key in enumerate(keys):
            widest[tuple(values[-1] for values in key)].append(place)
        sound[name] = list(numbers)
        for places in widest.values():
            for place, number in zip(places, nearest([numbers[place] for place in places]), strict=True):
                sound[name][place] = number
    return sound


def nearest(numbers: Sequence[int]) -> list[int]:
    """The whole numbers of 0 or more with the same total (0 if that is below 0) that are nearest to these.

    Nearest by squares: every number is lowered alike, and what would fall below 0 is 0 (the projection on a simplex).
    Fractions that are left over go to the largest remainders, the first of equal ones.
    """
    total = max(0, sum(numbers))
    if not numbers or min(numbers) >= 0:
        return list(numbers)
    lowered, among, so_far = 0, 1, 0
    for place, number in enumerate(sorted(numbers, reverse=True), 1):
        so_far += number
        if place * number >= so_far - total:
            lowered, among = so_far - total, place
    over = [max(0, among * number - lowered) for number in numbers]
    whole = [part // among for part in over]
    by_remainder = sorted(range(len(over)), key=lambda place: (-(over[place] % among), place))
    for place in by_remainder[: total - sum(whole)]:
        whole[place] += 1
    return whole


def _rows(
    made: pa.Table,
    table: Table,
    cells: Cells,
    keys: list[list[Key]],
    numbers: Mapping[str, list[int]],
    noisy: _Noisy,
) -> pa.Table:
    """Every level's cells, in the order of keys, nulls last, finest levels first."""
    import pyarrow as pa

    found = sorted(_levels(table, keys), key=_order)
    columns: dict[str, Any] = {"period": pa.array([cells.period] * len(found), pa.string())}
    for place, by in enumerate(table.by):
        columns[by] = pa.array([key[place] for key, _, _ in found], made.column(by).type)
    for name in table.measures:
        source = name if name in numbers else "contributors"
        sums = (sum(numbers[source][part] for part in parts) for _, _, parts in found)
        columns[name] = _as_published(sums, noisy.decimals[source])
    people = _contributors(table, numbers)
    told = [people[parts[0]] if people and not any(depths) else None for _, depths, parts in found]
    return pa.table(columns | {"contributors_count": pa.array(told, pa.int64())})


def _levels(table: Table, keys: list[list[Key]]) -> Iterator[tuple[Key, tuple[int, ...], list[int]]]:
    """Each cell with its key, its depth in each column, and the finest cells that it is the sum of."""
    heights = [len(table.hierarchy.get(by, (by,))) for by in table.by]
    for depths in product(*(range(height) for height in heights)):
        sums: dict[Key, list[int]] = defaultdict(list)
        for place, key in enumerate(keys):
            values = tuple(column[depth] for column, depth in zip(key, depths, strict=True))
            # what is unknown has its finest cell; a wider one would have the same key
            unknown = any(depth and value == UNKNOWN for value, depth in zip(values, depths, strict=True))
            if not unknown:
                sums[values].append(place)
        for values, places in sums.items():
            yield values, depths, places


def _order(cell: tuple[Key, tuple[int, ...], list[int]]) -> list[Any]:
    key, depths, _ = cell
    return [*((value is None, value != value, value) if value is not None else (True, False, 0) for value in key),
            *depths]  # fmt: skip


def _as_published(units: Iterable[int], decimals: int | None) -> pa.Array:
    import pyarrow as pa

    if decimals is None:
        return pa.array(units, pa.int64())
    return pa.array([float(Decimal(number).scaleb(-decimals)) for number in units], pa.float64())


def _contributors(table: Table, numbers: Mapping[str, list[int]]) -> list[int] | None:
    if "contributors" in numbers:
        return numbers["contributors"]
    same = next((name for name in table.measures if is_contributors(table, name)), None)
    return None if same is None else numbers[same]


# The published table


def disclosed(noisy: pa.Table, cells: Cells, table: Table, *, out: Path) -> Disclosed:
    """Write the published table of noisy cells. None is withheld: what could single out is left out, or noise."""
    import pyarrow as pa

    delivery = str(cells.deliveries[0]) if table.over == "delivery" and len(cells.deliveries) == 1 else cells.period
    many = noisy.num_rows
    more = {
        "cell_status": pa.array(["published"] * many, pa.string()),
        "withheld_because": pa.array([None] * many, pa.string()),
        "provisional": pa.array([cells.provisional] * many, pa.bool_()),
        "delivery": pa.array([delivery] * many, pa.string()),
    }
    for name, column in more.items():
        noisy = noisy.append_column(name, column)
    return Disclosed(
        table=cells.table,
        period=cells.period,
        deliveries=cells.deliveries,
        path=str(out),
        sha256=write_parquet(noisy, out),
        cells=many,
        provisional=cells.provisional,
        rules=rules(table),
    )


def rules(table: Table) -> dict[str, object]:
    """What was applied. All of it may be known to everybody: the guarantee does not rest on it being secret."""
    terms = _terms(table)
    contributor = table.protect.contributor if isinstance(table.protect, Protection) else ""
    said = {"epsilon": terms.epsilon, "delta": terms.delta, "cells_at_most": terms.cells_at_most,
            "rows_at_most": terms.rows_at_most, "noise": "discrete_laplace", "scale": noise_of(table)}  # fmt: skip
    return {"contributor": contributor, RULE: said}


def shape(noisy: pa.Table, cells: Cells, table: Table, feed: Feed, feed_name: str) -> dict[str, Any]:
    """The public structure of a release: as of any other, from published cells alone."""
    import pyarrow.parquet as pq

    told = structure(cells, table.model_copy(update={"hierarchy": {}}), feed, feed_name)
    made = pq.read_table(cells.path)
    there = set(zip(*(noisy.column(by).to_pylist() for by in table.by), strict=True))
    finest = _keys(made, table, range(made.num_rows))
    public = [key for key in finest if tuple(values[0] for values in key) in there]
    for place, column in enumerate(told["by"]):
        if column["name"] in table.hierarchy:
            paths = ([value for depth, value in enumerate(key[place]) if not (depth and value == UNKNOWN)]
                     for key in public)  # fmt: skip
            parents = {str(low): str(high) for path in paths for low, high in pairwise(path)}
            column |= {"levels": list(table.hierarchy[column["name"]]), "parents": dict(sorted(parents.items()))}
    return told


def in_words(table: Table, name: str) -> str:
    """What a reader of one column must know of its noise, in a sentence; empty where it has none."""
    if not is_private(table) or name not in (*table.measures, "contributors_count"):
        return ""
    scales, terms = noise_of(table), _terms(table)
    if name == "contributors_count":
        same = next((measure for measure in table.measures if is_contributors(table, measure)), "contributors")
        if same not in scales:
            return "Always empty: it would cost privacy."
        name = same
    delta = f", delta {terms.delta:g}" if terms.delta else ""
    return (
        f"With noise (discrete Laplace, scale {scales[name]:.6g}) for differential privacy: epsilon {terms.epsilon:g}"
        f"{delta} for the whole release."
    )
