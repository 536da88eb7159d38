"""Cells: exact, independent of the order of rows, of threads, and of how many deliveries they come in."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from acequia.errors import AcequiaError
from acequia.period import Period
from tests.aggregate.made_feeds import SCHEMA, a_feed, a_reference, cells_of, frame, protected

OPEN = {"none_because": "made up"}
EVERYTHING: dict[str, Any] = {
    "by": ("district", "hour"),
    "hierarchy": {"district": ("country", "region", "district")},
    "measures": {
        "rows_count": {"count": "rows"},
        "people_count": {"count_distinct": "person"},
        "kinds_count": {"count_distinct": "kind"},
        "amount_sum": {"sum": "amount"},
        "amount_mean": {"mean": "amount"},
        "amount_median": {"median": "amount"},
        "price": {"ratio": {"of": "amount", "to": "quantity"}},
        "late_pct": {"mean": "100 * cast(is_late as integer)"},
    },
    "protect": {"contributor": "person", "min_contributors": 2, "dominance": {"n": 2, "k_pct": 50}},
}


def one_table(**table: Any) -> tuple[Any, Any]:
    feed = a_feed(tables={"t": table})
    return feed, feed.tables["t"]


def rows_of(path: Path | str) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def many_rows(how_many: int) -> list[dict[str, Any]]:
    draw = random.Random(7)
    return [
        {
            "person": draw.choice([None, *(f"p{number}" for number in range(200))]),
            "district": draw.choice(["Gaborone", "Lobatse", "Maun", "Kasane", "_U"]),
            "kind": draw.choice(["call", "sms", None]),
            "hour": draw.randrange(3),
            "amount": draw.choice([draw.gauss(100, 1e6), 0.1, -0.0, 0.0]),
            "quantity": draw.randrange(1, 9),
            "is_late": draw.random() < 0.3,
        }
        for _ in range(how_many)
    ]


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    a_reference(tmp_path)
    feed, table = one_table(**EVERYTHING, over="month")
    rows = many_rows(20_000)
    first = cells_of(tmp_path, feed, table, (protected(tmp_path, frame(rows)),), threads=1, name="first")
    again = cells_of(tmp_path, feed, table, (protected(tmp_path, frame(rows)),), threads=2, name="again")
    random.Random(3).shuffle(rows)
    parts = (protected(tmp_path, frame(rows[:7000]), day=2), protected(tmp_path, frame(rows[7000:]), day=1))
    shuffled = cells_of(tmp_path, feed, table, parts, threads=2, name="shuffled")
    assert first.sha256 == again.sha256 == shuffled.sha256
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "shuffled.parquet").read_bytes()


def test_every_row_is_in_one_finest_cell_and_in_every_total(tmp_path: Path) -> None:
    a_reference(tmp_path)
    feed, table = one_table(**EVERYTHING)
    cells = rows_of(cells_of(tmp_path, feed, table, (protected(tmp_path, frame(many_rows(5000))),)).path)
    for level in (0, 2):
        assert sum(cell["rows_count"] for cell in cells if cell["level:district"] == level) == 5000
    unknown = sum(cell["rows_count"] for cell in cells if cell["district"] == "_U")
    assert sum(cell["rows_count"] for cell in cells if cell["level:district"] == 1) == 5000 - unknown
    keys = [(cell["district"], cell["hour"]) for cell in cells]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_no_rows_give_no_cells_of_the_same_columns(tmp_path: Path) -> None:
    a_reference(tmp_path)
    feed, table = one_table(**EVERYTHING)
    some = cells_of(tmp_path, feed, table, (protected(tmp_path, frame(many_rows(50))),), name="some")
    none = cells_of(tmp_path, feed, table, (protected(tmp_path, frame([])),), name="none")
    assert none.cells == 0
    assert pq.read_schema(none.path) == pq.read_schema(some.path)
    assert pq.read_schema(some.path).field("price").type == pa.float64()


def test_a_table_without_columns_is_one_cell_or_none(tmp_path: Path) -> None:
    feed, table = one_table(by=(), measures={"rows_count": {"count": "rows"}}, protect=OPEN)
    assert cells_of(tmp_path, feed, table, (protected(tmp_path, frame([])),)).cells == 0
    cells = cells_of(tmp_path, feed, table, (protected(tmp_path, frame(many_rows(9))),))
    assert [row["rows_count"] for row in rows_of(cells.path)] == [9]


def test_sums_are_what_the_partner_wrote(tmp_path: Path) -> None:
    draw = random.Random(1)
    amounts = [str(Decimal(draw.randrange(-(10**14), 10**14)).scaleb(-draw.choice([2, 5, 9]))) for _ in range(4000)]
    feed, table = one_table(by=(), measures={"x": {"sum": "amount"}, "m": {"mean": "amount"}}, protect=OPEN)
    part = protected(tmp_path, frame([{"amount": float(amount)} for amount in amounts]))
    (cell,) = rows_of(cells_of(tmp_path, feed, table, (part,)).path)
    exact = sum(Decimal(repr(float(amount))).quantize(Decimal("1e-9")) for amount in amounts)
    assert cell["x"] == float(exact)
    assert cell["m"] == float(exact) / 4000


def test_true_counts_as_one(tmp_path: Path) -> None:
    measures = {"late_count": {"sum": "is_late"}, "late_share": {"mean": "is_late"}}
    feed, table = one_table(by=(), measures=measures, protect=OPEN)
    part = protected(tmp_path, frame([{"is_late": True}, {"is_late": False}, {"is_late": None}]))
    (cell,) = rows_of(cells_of(tmp_path, feed, table, (part,)).path)
    assert (cell["late_count"], cell["late_share"]) == (1, 0.5)


@pytest.mark.parametrize("amounts", [[1e26], [9e25, 9e25], [float("inf")], [float("nan")], [-1e26, 1e26]])
def test_what_cannot_be_added_exactly_stops_the_work(amounts: list[float], tmp_path: Path) -> None:
    feed, table = one_table(by=(), measures={"x": {"sum": "amount"}}, protect=OPEN)
    rows = pa.Table.from_pylist([{"amount": amount} for amount in amounts], pa.schema([SCHEMA.field("amount")]))
    with pytest.raises(AcequiaError) as stopped:
        cells_of(tmp_path, feed, table, (protected(tmp_path, rows),))
    assert stopped.value.code == "engine_failed"
    assert "e+" not in str(stopped.value)
    assert "999" not in str(stopped.value)
    assert not (tmp_path / "cells.parquet").exists()


def test_whole_numbers_beyond_64_bits_stop_the_work(tmp_path: Path) -> None:
    feed, table = one_table(by=(), measures={"x": {"sum": "quantity"}}, protect=OPEN)
    part = protected(tmp_path, frame([{"quantity": 2**62}] * 2))
    with pytest.raises(AcequiaError, match="engine_failed"):
        cells_of(tmp_path, feed, table, (part,))


def test_distinct_people_of_a_month_are_counted_once(tmp_path: Path) -> None:
    feed, table = one_table(
        by=("district",),
        over="month",
        measures={"people_count": {"count_distinct": "person"}, "kinds_count": {"count_distinct": "kind"}},
        protect={"contributor": "person", "min_contributors": 1},
    )
    days = [[("a", "call"), ("b", "sms")], [("a", "call"), ("a", "sms")], [("c", None), (None, "call")]]
    parts = tuple(
        protected(tmp_path, frame([{"district": "Maun", "person": p, "kind": k} for p, k in rows]), day=day)
        for day, rows in enumerate(days, 1)
    )
    cells = cells_of(tmp_path, feed, table, parts, provisional=True)
    (cell,) = rows_of(cells.path)
    assert (cell["people_count"], cell["kinds_count"], cell["cell:contributors"], cell["cell:rows"]) == (3, 2, 3, 6)
    assert (cells.provisional, cells.period, len(cells.deliveries)) == (True, "2026-11", 3)


def drifted(tmp_path: Path, *columns: pa.Array) -> tuple[Any, ...]:
    return tuple(
        protected(tmp_path, pa.table({"district": ["Maun"] * len(column), "quantity": column}), day=day)
        for day, column in enumerate(columns, 1)
    )


def test_types_that_drift_are_joined_as_now_agreed(tmp_path: Path) -> None:
    measures = {"x": {"sum": "quantity"}, "people_count": {"count_distinct": "person"}}
    feed, table = one_table(by=("district",), over="month", measures=measures, protect=OPEN)
    parts = drifted(tmp_path, pa.array([1, 2], pa.int64()), pa.array([3.0, None], pa.float64()))
    (cell,) = rows_of(cells_of(tmp_path, feed, table, parts).path)
    assert (cell["x"], type(cell["x"])) == (6, int)  # agreed as integer; `person` did not arrive yet
    assert cell["people_count"] == 0

    parts = drifted(tmp_path, pa.array([1, 2], pa.int64()), pa.array([3.5, None], pa.float64()))
    with pytest.raises(AcequiaError, match="not whole"):
        cells_of(tmp_path, feed, table, parts)

    columns = {
        "place": {"type": "string", "treat": "keep", "as": "district"},
        "quantity": {"type": "number", "treat": "keep"},
    }
    measured = {"by": ("district",), "over": "month", "measures": {"x": {"sum": "quantity"}}, "protect": OPEN}
    number = a_feed(columns=columns, tables={"t": measured})
    (cell,) = rows_of(cells_of(tmp_path, number, number.tables["t"], parts).path)
    assert cell["x"] == 6.5


def test_types_that_cannot_be_joined_are_an_error_of_the_agreement(tmp_path: Path) -> None:
    feed, table = one_table(by=("district",), over="month", measures={"x": {"sum": "quantity"}}, protect=OPEN)
    parts = drifted(tmp_path, pa.array([1, 2], pa.int64()), pa.array(["secret", "b"]))
    with pytest.raises(AcequiaError, match="`quantity` changed its type") as refused:
        cells_of(tmp_path, feed, table, parts)
    assert refused.value.code == "agreement_invalid"
    assert "secret" not in str(refused.value)


def test_a_grid_has_every_combination_once(tmp_path: Path) -> None:
    a_reference(tmp_path)
    feed, table = one_table(
        by=("district", "kind"),
        cells="all",
        hierarchy={"district": ("country", "region", "district")},
        measures={"n": {"count": "rows"}, "x": {"sum": "amount"}, "q": {"sum": "quantity"}, "m": {"mean": "amount"}},
        protect={"contributor": "person", "min_contributors": 1},
    )
    part = protected(tmp_path, frame([{"district": "Maun", "kind": "call", "amount": 2.0, "person": "a"},
                                      {"district": "_U", "kind": "call", "person": "b"}]))  # fmt: skip
    cells = rows_of(cells_of(tmp_path, feed, table, (part,)).path)
    # 4 districts, 2 regions, 1 country by 3 kinds; and the unknown district, where it was seen
    assert len(cells) == 7 * 3 + 1
    zeros = [cell for cell in cells if cell["cell:rows"] == 0]
    assert len(zeros) == 21 - 3
    assert {(z["n"], z["x"], z["q"], z["m"], z["cell:contributors"]) for z in zeros} == {(0, 0.0, 0, None, 0)}
    assert {
        (z["district"], z["above:district:1"], z["above:district:2"]) for z in zeros if z["level:district"] == 0
    } >= {("Kasane", "North", "_T")}


def test_a_grid_has_the_days_of_the_period(tmp_path: Path) -> None:
    columns = {"sold_at": {"type": "timestamp", "treat": {"truncate_to": "day"}, "as": "sold_on"}}
    feed = a_feed(
        columns=columns,
        rows={"period_column": "sold_at"},
        tables={"t": {"by": ("sold_on",), "cells": "all", "over": "month", "measures": {"n": {"count": "rows"}},
                      "protect": OPEN}},
    )  # fmt: skip
    sold = pa.table({"sold_on": pa.array([1793836800000000], pa.timestamp("us"))})  # 2026-11-05
    cells = rows_of(cells_of(tmp_path, feed, feed.tables["t"], (protected(tmp_path, sold),)).path)
    assert [cell["n"] for cell in cells] == [0] * 4 + [1] + [0] * 25


def test_an_hour_that_clocks_skip_has_no_cell(tmp_path: Path) -> None:
    columns = {"at": {"type": "timestamp", "treat": {"truncate_to": "hour"}, "as": "hour"}}
    feed = a_feed(
        columns=columns,
        rows={"period_column": "at"},
        tables={"t": {"by": ("hour",), "cells": "all", "measures": {"n": {"count": "rows"}}, "protect": OPEN}},
    )
    feed = feed.model_copy(update={"delivery": feed.delivery.model_copy(update={"timezone": "Europe/Madrid"})})
    part = protected(tmp_path, pa.table({"hour": pa.array([], pa.timestamp("us"))}))
    from acequia.aggregate.cells import aggregate

    day = Period.parse("2026-03-29")
    cells = aggregate("t", feed.tables["t"], feed, (part,), day, provisional=False, reference=tmp_path,
                      memory_limit="1GB", scratch=tmp_path, out=tmp_path / "x.parquet")  # fmt: skip
    hours = [row["hour"].hour for row in rows_of(cells.path)]
    assert hours == [0, 1, *range(3, 24)]


def test_a_grid_that_would_never_end_is_refused(tmp_path: Path) -> None:
    columns = {f"c{n}": {"type": "integer", "treat": "keep", "one_of": tuple(range(300))} for n in range(3)}
    feed = a_feed(columns=columns, tables={"t": {"by": tuple(columns), "cells": "all", "protect": OPEN,
                                                "measures": {"n": {"count": "rows"}}}})  # fmt: skip
    part = protected(tmp_path, pa.table({name: pa.array([], pa.int64()) for name in columns}))
    with pytest.raises(AcequiaError, match="too many cells"):
        cells_of(tmp_path, feed, feed.tables["t"], (part,))


def test_a_transform_takes_the_rows_place(tmp_path: Path) -> None:
    columns = {name: {"type": "number", "treat": "keep"} for name in ("duration_s", "distance", "fare")}
    speed = {"ratio": {"of": "distance", "to": "duration_s / 3600"}}
    tables = {"t": {"by": (), "protect": OPEN, "measures": {"trips_count": {"count": "rows"}, "speed": speed}}}
    feed = a_feed(columns=columns, tables=tables, transform="trips.valid_trips")
    rows = pa.table({"duration_s": [1800.0, 7200.0, -1.0], "distance": [10.0, 20.0, 99.0], "fare": [5.0, 5.0, 5.0]})
    (cell,) = rows_of(cells_of(tmp_path, feed, feed.tables["t"], (protected(tmp_path, rows),)).path)
    assert (cell["trips_count"], cell["speed"]) == (2, 12.0)  # 30 over 2.5 hours, not the mean of 20 and 10


def test_columns_with_odd_names_and_values(tmp_path: Path) -> None:
    columns = {"Customer's \u00e5ge": {"type": "string", "treat": "keep", "as": "select"}}
    feed = a_feed(columns=columns, tables={"group": {"by": ("select",), "protect": OPEN, "measures": {
        "order": {"count": "rows", "where": "\"select\" <> 'it''s'"}}}})  # fmt: skip
    part = protected(tmp_path, pa.table({"select": ["it's", 'a"b', None, "a;b", "it's"]}))
    cells = rows_of(cells_of(tmp_path, feed, feed.tables["group"], (part,)).path)
    assert [(cell["select"], cell["order"]) for cell in cells] == [('a"b', 1), ("a;b", 1), ("it's", 0), (None, 0)]


def test_columns_may_have_the_names_that_plans_use(tmp_path: Path) -> None:
    names = ("c", "k0", "k1", "x0", "q0", "n", "m0", "rows", "groups", "cells", "picked", "protected", "w0", "l0", "at")
    columns = {name: {"type": "integer", "treat": "keep"} for name in names}
    measures = {name: {"sum": f"{name} + c + k0 + x0 + n"} for name in ("m0", "n", "x0", "rows", "cells")}
    table = {"by": ("k1", "x0", "c"), "where": "c > 0", "measures": {**measures, "d": {"count_distinct": "q0"}}}
    table["measures"] = {f"{name}_sum": measure for name, measure in table["measures"].items()}
    table["protect"] = {"contributor": "n", "min_contributors": 1, "dominance": {"n": 1, "k_pct": 50}}
    feed = a_feed(columns=columns, tables={"cells": {**table, "hierarchy": {"c": ("rows", "c")}}})
    rows = pa.table({name: [number + 1, number + 1] for number, name in enumerate(names)})
    cells = rows_of(cells_of(tmp_path, feed, feed.tables["cells"], (protected(tmp_path, rows),)).path)
    # c=1 k0=2 k1=3 x0=4 n=6 m0=7 rows=8 cells=10; two rows, so twice
    assert [(cell["c"], cell["m0_sum"], cell["rows_sum"], cell["cells_sum"]) for cell in cells] == [
        ("1", 2 * (7 + 13), 2 * (8 + 13), 2 * (10 + 13)), ("_T", 2 * (7 + 13), 2 * (8 + 13), 2 * (10 + 13))
    ]  # fmt: skip
    assert {(cell["k1"], cell["x0"], cell["d_sum"], cell["cell:contributors"]) for cell in cells} == {(3, 4, 1, 1)}
