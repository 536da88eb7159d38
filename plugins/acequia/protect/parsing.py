"""Reading values by the agreed type: SQL expressions over one column, whatever the type in which it arrives.

| type      | read from text                                          | read from typed columns (Parquet)    |
|-----------|---------------------------------------------------------|--------------------------------------|
| string    | as it is                                                | its text; 17850.0 as `17850`         |
| integer   | `12`, `+12`, `12.0`, `1e3`                              | whole numbers of any numeric type    |
| number    | `12`, `12.5`, `.5`, `1e3`; neither NaN nor infinite     | any numeric type, finite             |
| timestamp | ISO 8601, or `parse`; with an offset: the feed's time   | times; with a zone: the feed's time  |
| date      | `2026-11-21`, also with a midnight behind it; or `parse` | dates, and times that are midnight   |
| boolean   | true false 1 0 yes no t f y n, any case                 | booleans, 1 and 0                    |

A local time is taken as written, also in the hour that daylight saving skips or repeats. What cannot be read is null
here, and breaks the rule `type` in `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass

from acequia.agreement.columns import ColumnType
from acequia.engine.duck import literal
from acequia.receive.formats.opened import Arriving, Kind

SQL_TYPE: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "boolean": "BOOLEAN",
}
KIND_OF: dict[ColumnType, Kind] = {
    "string": "text",
    "integer": "integer",
    "number": "float",
    "timestamp": "timestamp",
    "date": "date",
    "boolean": "boolean",
}
_FIRST, _LAST = "TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999999'"
_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"
_WHOLE_FLOATS = 2**53  # beyond it, a double cannot tell one whole number from the next
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
_LOCAL = rf"{_DAY}([ T]{_HOUR})?"
_ZONED = rf"{_DAY}[ T]{_HOUR} ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_MIDNIGHT = rf"{_DAY}([ T]00:00(:00(\.0+)?)?)?"


@dataclass(frozen=True)
class Manner:
    """How times are written and meant: the agreed `parse`, whether it reads an offset, and the feed's zone."""

    zone: str
    parse: str | None = None
    parses_offset: bool = False


def given(column_type: ColumnType, arriving: Arriving) -> str:
    """The value as it was given: null where it stands for null; texts trimmed, unless a text is agreed."""
    if arriving.kind != "text" or column_type == "string":
        return arriving.sql
    trimmed = _trimmed(arriving.sql)
    nulls = [literal(text.strip()) for text in arriving.nulls]
    if len(nulls) <= 1:
        return f"nullif({trimmed}, {nulls[0]})" if nulls else trimmed
    return f"CASE WHEN {trimmed} NOT IN ({', '.join(nulls)}) THEN {trimmed} END"


def typed(column_type: ColumnType, value: str, arriving: Arriving, manner: Manner) -> str:
    """The value in the agreed type; null where it cannot be read.

    Args:
        column_type: as agreed.
        value: SQL of what `given` yields.
        arriving: how the column arrives.
        manner: how times are written.
    """
    if column_type == "string":
        return text(value, arriving.kind, manner.zone)
    if column_type == "integer":
        return _integer(value, arriving)
    if column_type == "number":
        return _number(value, arriving)
    if column_type == "timestamp":
        return _timestamp(value, arriving, manner)
    if column_type == "date":
        return _date(value, arriving, manner)
    return _boolean(text(value, arriving.kind, manner.zone))


def text(value: str, kind: Kind, zone: str = "UTC") -> str:
    """The text form of a value: whole floats and decimals without a fraction, local times in ISO 8601."""
    if kind == "text":
        return value
    if kind == "zoned":
        return f"CAST(timezone({literal(zone)}, {value}) AS VARCHAR)"
    if kind in ("float", "decimal"):
        whole = f"{value} = trunc({value}) AND abs({value}) <= {_WHOLE_FLOATS}"
        return f"CASE WHEN {whole} THEN CAST(TRY_CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"
    return f"CAST({value} AS VARCHAR)"


def _trimmed(value: str) -> str:
    """Trimming by a set of characters is slow, so it is done only where an end needs it (`!` follows the blank)."""
    ends = " OR ".join(f"ends_with({value}, {blank})" for blank in ("' '", "chr(9)", "chr(160)"))
    needs = f"{value} < '!' OR starts_with({value}, chr(160)) OR {ends}"
    return f"CASE WHEN {needs} THEN trim({value}, {_BLANKS}) ELSE {value} END"


def _matches(value: str, pattern: str) -> str:
    return f"regexp_full_match({value}, {literal(pattern)})"


def _with_point(value: str, arriving: Arriving) -> str:
    if not arriving.decimal_comma:
        return value
    return f"CASE WHEN NOT contains({value}, '.') THEN replace({value}, ',', '.') END"


def _integer(value: str, arriving: Arriving) -> str:
    kind = arriving.kind
    if kind == "integer":
        return f"TRY_CAST({value} AS BIGINT)"
    if kind == "decimal":
        return f"CASE WHEN {value} = trunc({value}) THEN TRY_CAST({value} AS BIGINT) END"
    if kind == "float":
        return _whole(value)
    if kind != "text":
        return "CAST(NULL AS BIGINT)"
    point = _with_point(value, arriving)
    return (
        f"CASE WHEN {_matches(value, '[+-]?[0-9]+')} THEN TRY_CAST({value} AS BIGINT) "
        rf"WHEN {_matches(point, '[+-]?[0-9]+[.]0*')} THEN TRY_CAST(split_part({point}, '.', 1) AS BIGINT) "
        f"WHEN {_matches(point, _NUMBER)} THEN {_whole(f'TRY_CAST({point} AS DOUBLE)')} END"
    )


def _whole(number: str) -> str:
    is_whole = f"abs({number}) <= {_WHOLE_FLOATS} AND {number} = trunc({number})"
    return f"CASE WHEN {is_whole} THEN TRY_CAST({number} AS BIGINT) END"


def _number(value: str, arriving: Arriving) -> str:
    if arriving.kind in ("integer", "decimal", "float"):
        return _finite(f"TRY_CAST({value} AS DOUBLE)")
    if arriving.kind != "text":
        return "CAST(NULL AS DOUBLE)"
    point = _with_point(value, arriving)
    return f"CASE WHEN {_matches(point, _NUMBER)} THEN {_finite(f'TRY_CAST({point} AS DOUBLE)')} END"


def _finite(number: str) -> str:
    """A number that can be added up exactly with a million others of its size: not NaN, and below 1e20."""
    return f"CASE WHEN isfinite({number}) AND abs({number}) < 1e20 THEN {number} END"


def _timestamp(value: str, arriving: Arriving, manner: Manner) -> str:
    if arriving.kind in ("timestamp", "date"):
        return _in_calendar(f"TRY_CAST({value} AS TIMESTAMP)")
    if arriving.kind == "zoned":
        return _in_calendar(_local(value, manner))
    if arriving.kind != "text":
        return "CAST(NULL AS TIMESTAMP)"
    iso = (
        f"CASE WHEN {_matches(value, _LOCAL)} THEN TRY_CAST({value} AS TIMESTAMP) WHEN {_matches(value, _ZONED)} "
        f"THEN {_local(f'TRY_CAST(replace({_tight(value)}, chr(32), chr(84)) AS TIMESTAMPTZ)', manner)} END"
    )
    return _in_calendar(_parsed(value, iso, arriving, manner))


def _tight(value: str) -> str:
    """Without the blank that some writers set before the offset."""
    return rf"regexp_replace({value}, ' ([Z+-][0-9:]*)$', '\1')"


def _local(moment: str, manner: Manner) -> str:
    return f"timezone({literal(manner.zone)}, {moment})"


def _parsed(value: str, iso: str, arriving: Arriving, manner: Manner) -> str:
    if manner.parse is None:
        return iso
    moment = f"try_strptime({value}, {literal(manner.parse)})"
    parsed = _local(moment, manner) if manner.parses_offset else moment
    return f"coalesce({parsed}, {iso})" if arriving.dates_are_iso else parsed


def _in_calendar(moment: str) -> str:
    return f"CASE WHEN {moment} BETWEEN {_FIRST} AND {_LAST} THEN {moment} END"


def _date(value: str, arriving: Arriving, manner: Manner) -> str:
    if arriving.kind == "text" and manner.parse is None:
        moment = f"CASE WHEN {_matches(value, _MIDNIGHT)} THEN TRY_CAST({value} AS TIMESTAMP) END"
        return f"CAST({_in_calendar(moment)} AS DATE)"
    moment = _timestamp(value, arriving, manner)
    if arriving.kind == "text":
        return f"CAST({moment} AS DATE)"
    return f"CASE WHEN {moment} = date_trunc('day', {moment}) THEN CAST({moment} AS DATE) END"


def _boolean(words: str) -> str:
    return (
        f"CASE WHEN lower({words}) IN ('true', '1', 'yes', 't', 'y') THEN true "
        f"WHEN lower({words}) IN ('false', '0', 'no', 'f', 'n') THEN false END"
    )
