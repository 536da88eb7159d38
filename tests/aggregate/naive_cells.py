"""The tables' semantics once more, written for reading and not for speed: plain Python, one cell at a time."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from statistics import median
from typing import Any

import pandas as pd

REGION = {"Gaborone": "South", "Lobatse": "South", "Maun": "North", "Kasane": "North"}
DISTRICTS, KINDS = ("Gaborone", "Kasane", "Lobatse", "Maun"), ("call", "data", "sms")


def naive(rows: pd.DataFrame, spec: dict[str, Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Cells by their key (the `by` values): numbers, `rows`, `contributors`, `status`, `because`."""
    if spec["where"]:
        rows = rows[(rows["quantity"].notna()) & (rows["quantity"] > 0)]
    records: list[dict[str, Any]] = rows.astype(object).where(rows.notna(), None).to_dict("records")
    cells: dict[tuple[Any, ...], dict[str, Any]] = {}
    for depths in product(*(range(len(spec["hierarchy"].get(by, (by,)))) for by in spec["by"])):
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for record in records:
            key = _key(tuple(record[by] for by in spec["by"]), depths, spec)
            if None not in [value for value, depth in zip(key, depths, strict=True) if depth]:
                groups.setdefault(key, []).append(record)
        cells.update({key: _cell(members, spec) for key, members in groups.items()})
        for key in _grid(records, spec) if spec["cells"] == "all" else ():
            cells.setdefault(_key(key, depths, spec), _cell([], spec))
    _protect(cells, spec)
    return cells


def _key(values: tuple[Any, ...], depths: tuple[int, ...], spec: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(_up(by, value, depth, spec) for by, value, depth in zip(spec["by"], values, depths, strict=True))


def _up(by: str, value: Any, depth: int, spec: dict[str, Any]) -> Any:
    levels = spec["hierarchy"].get(by, (by,))[::-1]
    if len(levels) > 1 and value is not None:
        value = str(value)
    if depth == 0:
        return value
    return REGION.get(value) if levels[depth] == "region" else "_T"


def _grid(records: list[dict[str, Any]], spec: dict[str, Any]) -> list[tuple[Any, ...]]:
    known = {"district": DISTRICTS, "kind": KINDS, "hour": sorted({record["hour"] for record in records})}
    return list(product(*(known[by] for by in spec["by"])))


def _exact(value: Any) -> Decimal:
    place = Decimal("1e-12") if abs(value) < 8192 else Decimal("1e-9")
    return Decimal(repr(float(value))).quantize(place, ROUND_HALF_UP)


def _cell(rows: list[dict[str, Any]], spec: dict[str, Any]) -> dict[str, Any]:
    calls = [row for row in rows if row["kind"] == "call"]
    amounts = [_exact(row["amount"]) for row in rows if row["amount"] is not None]
    call_amounts = [_exact(row["amount"]) for row in calls if row["amount"] is not None]
    quantities = [row["quantity"] for row in rows if row["quantity"] is not None]
    numbers = {
        "rows_count": len(rows),
        "calls_count": len(calls),
        "people_count": len({row["person"] for row in rows} - {None}),
        "kinds_count": len({row["kind"] for row in rows} - {None}),
        "calling_count": len({row["person"] for row in calls} - {None}),
        "amount_sum": float(sum(amounts)) if amounts or not rows else None,
        "call_amount_sum": float(sum(call_amounts)) if call_amounts or not calls else None,
        "quantity_sum": sum(quantities) if quantities or not rows else None,
        "amount_mean": float(sum(amounts)) / len(amounts) if amounts else None,
        "amount_median": float(median(amounts)) if amounts else None,
        "price": float(sum(amounts)) / sum(quantities) if amounts and sum(quantities) else None,
    }
    rests_on = {
        "rows_count": rows, "people_count": [row for row in rows if row["person"] is not None],
        "kinds_count": [row for row in rows if row["kind"] is not None],
        "calls_count": calls, "calling_count": [row for row in calls if row["person"] is not None],
        "amount_sum": [row for row in rows if row["amount"] is not None],
        "amount_mean": [row for row in rows if row["amount"] is not None],
        "amount_median": [row for row in rows if row["amount"] is not None],
        "call_amount_sum": [row for row in calls if row["amount"] is not None],
        "quantity_sum": [row for row in rows if row["quantity"] is not None],
        "price": [row for row in rows if row["amount"] is not None or row["quantity"] is not None],
    }  # fmt: skip
    return {
        "numbers": {name: number for name, number in numbers.items() if name in spec["measures"]},
        "rows": len(rows),
        "contributors": _contributors(rows, spec),
        "support": {m: (len(rests_on[m]), _contributors(rests_on[m], spec)) for m in spec["measures"]},
        "contributions": {
            "rows_count": _by_contributor([(row, Decimal(1)) for row in rows], rows, spec),
            "calls_count": _by_contributor([(row, Decimal(1)) for row in calls], rows, spec),
            "amount_sum": _by_contributor([(row, _exact(row["amount"])) for row in rests_on["amount_sum"]], rows, spec),
            "call_amount_sum": _by_contributor(
                [(row, _exact(row["amount"])) for row in rests_on["call_amount_sum"]], rows, spec),
            "quantity_sum": _by_contributor(
                [(row, Decimal(row["quantity"])) for row in rests_on["quantity_sum"]], rows, spec),
        },
    }  # fmt: skip


def _contributors(rows: list[dict[str, Any]], spec: dict[str, Any]) -> int:
    return len(rows) if spec["contributor"] == "rows" else len({row["person"] for row in rows} - {None})


def _by_contributor(
    parts: list[tuple[dict[str, Any], Decimal]], rows: list[dict[str, Any]], spec: dict[str, Any]
) -> list[Decimal]:
    if spec["contributor"] == "rows":
        return [amount for _, amount in parts]
    sums: dict[Any, Decimal] = {}
    for row, amount in parts:
        sums[row["person"]] = sums.get(row["person"], Decimal(0)) + amount
    return list(sums.values())


def _protect(cells: dict[tuple[Any, ...], dict[str, Any]], spec: dict[str, Any]) -> None:
    """What the rules say of each cell by itself."""
    for cell in cells.values():
        cell["because"] = _why(cell, spec)
    for cell in cells.values():
        numbers = cell["numbers"].values()
        cell["status"] = (
            "withheld" if cell["because"]
            else "zero" if cell["rows"] == 0
            else "missing" if all(number is None for number in numbers)
            else "published"
        )  # fmt: skip


def _why(cell: dict[str, Any], spec: dict[str, Any]) -> str | None:
    for rows, contributors in [(cell["rows"], cell["contributors"]), *cell["support"].values()]:
        if rows and contributors < spec["min_contributors"]:
            return "min_contributors"
    n, k_pct = spec["dominance"] or (0, 0)
    for measure, parts in cell["contributions"].items():
        if n and measure in spec["measures"] and parts and min(parts) >= 0 and sum(parts) > 0:
            top = sum(sorted(parts, reverse=True)[:n])
            if top / sum(parts) * 100 > Decimal(str(k_pct)):
                return "dominance"
    return "zeros" if cell["rows"] == 0 and spec["zeros"] == "withhold" else None
