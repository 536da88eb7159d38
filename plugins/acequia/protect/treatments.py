"""What happens to each column, one small function per treatment: SQL in, SQL out.

Each takes the agreed column and a `Place` with the SQL of its values, and says what the protected value is and of which
type. None treats null as anything but null, save `lookup`, for which null is an unknown code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from acequia.agreement.columns import (
    Band,
    Column,
    ColumnType,
    FirstCharacters,
    PartOf,
    Pseudonym,
    RoundTo,
    SecondsSince,
    TopCode,
    TruncateTo,
)
from acequia.engine.duck import literal

Settings = TypeVar("Settings")

UNKNOWN = "_U"  # SDMX's code for unknown
_EXACT_BELOW = 10**15
_SCALE = 10**9


@dataclass(frozen=True)
class Treated:
    """A protected value: its SQL, and its type in the words of the agreement."""

    sql: str
    type: ColumnType


@dataclass(frozen=True)
class Place:
    """Where a column's values are found: `value` in the agreed type; `becomes` is what a table of distinct values, or a
    reference table, says of it; `others` are the values of the other arriving columns by name.
    """

    value: str
    becomes: str = ""
    others: Mapping[str, str] = field(default_factory=dict)


def drop(_: Column, __: Place) -> None:
    """Nothing remains."""
    return


def keep(column: Column, place: Place) -> Treated:
    """The value itself."""
    return Treated(place.value, column.type)


def pseudonym(column: Column, place: Place) -> Treated:
    """The value's pseudonym, of the table made of the distinct values; in the same format it is of the same type."""
    if isinstance(column.treat, Pseudonym) and column.type == "integer":
        return Treated(f"CAST({place.becomes} AS BIGINT)", "integer")
    return Treated(place.becomes, "string")


def scrub_text(_: Column, place: Place) -> Treated:
    """The text without personal data, of the table that `scrub` made of the distinct texts."""
    return Treated(place.becomes, "string")


def truncate_to(column: Column, place: Place) -> Treated:
    """The start of the hour, day, week (Monday), month, quarter or year; a date stays a date."""
    treat = _as(TruncateTo, column)
    cut = f"date_trunc({literal(treat.truncate_to)}, {place.value})"
    return Treated(f"CAST({cut} AS {'DATE' if column.type == 'date' else 'TIMESTAMP'})", column.type)


def part(column: Column, place: Place) -> Treated:
    """Hour of the day 0..23, ISO weekday 1 (Monday) .. 7, month 1..12, or the year."""
    unit = _as(PartOf, column).part
    name = "isodow" if unit == "weekday" else unit
    return Treated(f"CAST(date_part({literal(name)}, {place.value}) AS BIGINT)", "integer")


def seconds_since(column: Column, place: Place) -> Treated:
    """Seconds between two local times as their clocks show them, to the microsecond; negative if it is the earlier."""
    other = place.others[_as(SecondsSince, column).seconds_since]
    return Treated(f"(CAST(epoch_us({place.value}) - epoch_us({other}) AS DOUBLE) / 1000000)", "number")


def band(column: Column, place: Place) -> Treated:
    """The label of the band: `<0`, `0..18`, `18..65`, `65+`; a lower edge belongs to its band."""
    edges = _as(Band, column).band
    whens = [f"WHEN {place.value} < {_number(edges[0])} THEN {literal(f'<{_label(edges[0])}')}"]
    for low, high in zip(edges, edges[1:], strict=False):
        whens.append(f"WHEN {place.value} < {_number(high)} THEN {literal(f'{_label(low)}..{_label(high)}')}")
    whens.append(f"WHEN {place.value} >= {_number(edges[-1])} THEN {literal(f'{_label(edges[-1])}+')}")
    return Treated(f"CASE {' '.join(whens)} END", "string")


def lookup(_: Column, place: Place) -> Treated:
    """What the reference table says of the code; `_U` for a code that it does not hold, and for null."""
    return Treated(f"coalesce({place.becomes}, {literal(UNKNOWN)})", "string")


def round_to(column: Column, place: Place) -> Treated:
    """The nearest multiple, half away from zero. Decimal fractions count as written: 0.15 rounds to 0.2 by 0.1.

    The arithmetic is in whole billionths; beyond 1e15, where doubles hold no such fraction, it is the engine's.
    """
    step = _as(RoundTo, column).round_to
    if column.type == "integer" and step == int(step):
        return Treated(f"TRY_CAST({_nearest(f'CAST({place.value} AS HUGEINT)', int(step))} AS BIGINT)", "integer")
    scaled, value = round(step * _SCALE), f"CAST({place.value} AS DOUBLE)"
    if scaled < 1 or step >= _EXACT_BELOW:
        return Treated(f"(round({value} / {_number(step)}) * {_number(step)})", "number")
    exact = f"(CAST({_nearest(f'TRY_CAST(round({value} * {_SCALE}) AS HUGEINT)', scaled)} AS DOUBLE) / {_SCALE})"
    rough = f"(round({value} / {_number(step)}) * {_number(step)})"
    return Treated(f"CASE WHEN abs({value}) < {_EXACT_BELOW} THEN {exact} ELSE {rough} END", "number")


def top_code(column: Column, place: Place) -> Treated:
    """The value, or the bound where it is greater. A whole number stays one if the bound is whole."""
    bound = _as(TopCode, column).top_code
    whole = column.type == "integer" and bound == int(bound) and abs(bound) < _EXACT_BELOW
    sql_type, limit = ("BIGINT", str(int(bound))) if whole else ("DOUBLE", _number(bound))
    capped = f"CASE WHEN {place.value} > {limit} THEN {limit} ELSE {place.value} END"
    return Treated(f"CAST({capped} AS {sql_type})", "integer" if whole else "number")


def first(column: Column, place: Place) -> Treated:
    """The first characters of a text."""
    return Treated(f"left({place.value}, {_as(FirstCharacters, column).first})", "string")


TREATMENTS: dict[str, Callable[[Column, Place], Treated | None]] = {
    "drop": drop,
    "keep": keep,
    "pseudonym": pseudonym,
    "scrub_text": scrub_text,
    "truncate_to": truncate_to,
    "part": part,
    "seconds_since": seconds_since,
    "band": band,
    "lookup": lookup,
    "round_to": round_to,
    "top_code": top_code,
    "first": first,
}


def _as(kind: type[Settings], column: Column) -> Settings:
    if not isinstance(column.treat, kind):
        raise TypeError(f"not a {kind.__name__}")
    return column.treat


def _nearest(whole: str, step: int) -> str:
    """SQL: a whole number rounded to a multiple, half away from zero, by whole numbers alone."""
    return f"(sign({whole}) * ((2 * abs({whole}) + {step}) // {2 * step}) * {step})"


def _number(value: float) -> str:
    return f"CAST({float(value)!r} AS DOUBLE)"


def _label(edge: float) -> str:
    return str(int(edge)) if edge == int(edge) else repr(float(edge))
