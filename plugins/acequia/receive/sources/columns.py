"""Columns of a database's answer: Python values to Parquet types, chunk by chunk, the same whatever the chunks are."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["integer", "number", "boolean", "timestamp", "instant", "date", "text"]
INT64 = range(-(2**63), 2**63)

_SQL: dict[Kind, str] = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "instant": "TIMESTAMPTZ",
    "date": "DATE",
    "text": "VARCHAR",
}


@dataclass
class Column:
    """One column, with the kinds of value that it has shown so far."""

    name: str
    kinds: set[Kind] = field(default_factory=set)

    def read(self, values: Sequence[Any]) -> pa.Array:
        """One chunk's values as an array. Decimals become integers where they all are, else doubles."""
        import pyarrow as pa

        present = [value for value in values if value is not None]
        kind = kind_of(present) if present else "text"
        self.kinds |= {kind} if present else set()
        types = {
            "integer": pa.int64(),
            "number": pa.float64(),
            "boolean": pa.bool_(),
            "timestamp": pa.timestamp("us"),
            "instant": pa.timestamp("us", "UTC"),
            "date": pa.date32(),
            "text": pa.string(),
        }
        made: Callable[[Any], Any] = _MADE.get(kind, lambda value: value)
        return pa.array([None if value is None else made(value) for value in values], types[kind])

    def cast(self, place: str) -> str:
        """The SQL expression that brings the chunks' values (column `place`) to the type that fits all of them."""
        return f"CAST({place} AS {_SQL[self.kind]})"

    @property
    def kind(self) -> Kind:
        """The kind that fits every chunk."""
        if len(self.kinds) == 1:
            return next(iter(self.kinds))
        if self.kinds == {"integer", "number"}:
            return "number"
        return "timestamp" if self.kinds == {"date", "timestamp"} else "text"


def kind_of(present: Sequence[Any]) -> Kind:
    """The kind that fits all of the values, none of which is null."""
    types = {type(value) for value in present}
    if types <= {int, float, Decimal}:
        return _number(present, types)
    if types == {bool}:
        return "boolean"
    if types == {date}:
        return "date"
    if types == {datetime}:
        zoned = {value.tzinfo is not None for value in present}
        return "text" if len(zoned) > 1 else "instant" if True in zoned else "timestamp"
    return "text"


def _number(present: Sequence[Any], types: set[type]) -> Kind:
    if float in types or not all(_is_whole(value) for value in present):
        return "number"
    return "integer" if all(int(value) in INT64 for value in present) else "text"


def _is_whole(value: int | Decimal) -> bool:
    return isinstance(value, int) or (value.is_finite() and value == value.to_integral_value())


def as_text(value: Any) -> str:
    """A value as text; bytes in hexadecimal, structures as JSON, durations in seconds."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


_MADE: dict[Kind, Callable[[Any], Any]] = {"integer": int, "number": float, "text": as_text}
