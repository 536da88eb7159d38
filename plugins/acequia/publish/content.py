"""The rows of a publication: checked against the agreement, typed, ordered, and named by a hash of what they say."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.agreement.tables import CountDistinct, CountRows, Table
from acequia.errors import AcequiaError
from acequia.flow import Disclosed

if TYPE_CHECKING:
    import pyarrow as pa

STATUS = ("contributors_count", "cell_status", "withheld_because", "provisional", "delivery")
STATUSES = {
    "published": "The numbers of this row are published.",
    "zero": "Nothing was observed here: counts and sums are truly 0.",
    "withheld": "There are numbers, but publishing them could single someone out; `withheld_because` says which rule.",
    "missing": "There were rows, but no measure could be computed from them.",
}
REASONS = {
    "min_contributors": "Fewer contributors than the agreement requires.",
    "dominance": "The largest contributors make up more of the total than the agreement allows.",
    "p_percent": "A contributor could work out another's contribution too closely.",
    "difference": "Beside an earlier release, this number would give a withheld or unsafe number away.",
    "secondary": "Publishing this number would give another withheld number away.",
    "zeros": "The agreement keeps it open whether anything was observed here.",
}
_EXACT = 2**53
_FIXED = {
    "period": "string",
    "contributors_count": "int64",
    "cell_status": "string",
    "withheld_because": "string",
    "provisional": "bool",
    "delivery": "string",
}


def published_columns(table: Table) -> tuple[str, ...]:
    """The columns of a curated table, in order."""
    return ("period", *table.by, *table.measures, *STATUS)


def read_cells(disclosed: Disclosed, table: Table) -> pa.Table:
    """One row per cell, in the order of period and `by` columns, every column in the type that the lake keeps.

    Raises:
        AcequiaError: `internal` when the file is not what disclosure control wrote or does not fit the agreement;
            `release_stopped` when a withheld cell still holds a number.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    where = f"{disclosed.table} {disclosed.period}"
    try:
        raw = Path(disclosed.path).read_bytes()
    except OSError:
        raise AcequiaError("internal", "the disclosed cells are gone", where=where) from None
    if hashlib.sha256(raw).hexdigest() != disclosed.sha256:
        raise AcequiaError("internal", "the disclosed cells are not the file that was handed over", where=where)
    rows = pq.read_table(pa.BufferReader(raw))
    names = published_columns(table)
    if sorted(rows.column_names) != sorted(names):
        raise AcequiaError("internal", "the disclosed cells have other columns than the agreement says", where=where)
    rows = typed(rows.select(list(names)), table, where)
    _require_sound(rows, table, disclosed, where)
    return ordered(rows, ("period", *table.by))


def typed(rows: pa.Table, table: Table, where: str) -> pa.Table:
    """Every column as the lake keeps it: text, whole numbers of 64 bits, doubles, booleans, dates, microseconds."""
    import pyarrow as pa

    fields, columns = [], []
    for name in rows.column_names:
        column = rows.column(name).combine_chunks()
        wanted = _wanted_type(name, column.type, table)
        if wanted is None:
            raise AcequiaError("internal", f"{name} has a type that the lake does not keep", where=where)
        try:
            columns.append(column.cast(wanted))
        except pa.ArrowInvalid:
            raise AcequiaError("internal", f"{name} holds values that do not fit its type", where=where) from None
        fields.append(pa.field(name, wanted))
    return pa.table(columns, schema=pa.schema(fields))


def _wanted_type(name: str, given: Any, table: Table) -> Any:
    import pyarrow as pa

    if name in _FIXED:
        return pa.type_for_alias(_FIXED[name])
    if isinstance(table.measures.get(name), CountRows | CountDistinct):
        return pa.int64()
    if pa.types.is_null(given):
        return pa.float64() if name in table.measures else pa.string()
    return lake_type(given)


def lake_type(given: Any) -> Any:
    """The type in which the lake keeps values of an Arrow type; None for those that it does not keep."""
    import pyarrow as pa

    kinds = (
        (pa.types.is_boolean, pa.bool_()),
        (pa.types.is_integer, pa.int64()),
        (pa.types.is_floating, pa.float64()),
        (pa.types.is_decimal, pa.float64()),
        (pa.types.is_date, pa.date32()),
        (lambda kind: pa.types.is_timestamp(kind) and kind.tz is None, pa.timestamp("us")),
        (lambda kind: pa.types.is_timestamp(kind), pa.timestamp("us", "UTC")),
        (_is_text, pa.string()),
    )
    return next((kept for holds, kept in kinds if holds(given)), None)


def _is_text(given: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(given):
        return _is_text(given.value_type)
    return bool(pa.types.is_string(given) or pa.types.is_large_string(given) or pa.types.is_string_view(given))


def _require_sound(rows: pa.Table, table: Table, disclosed: Disclosed, where: str) -> None:
    """The last look before anything is shared: right period, one row per cell, no number in a withheld cell."""
    import pyarrow.compute as pc

    if rows.num_rows != disclosed.cells:
        raise AcequiaError("rows_unaccounted", f"{disclosed.cells} cells disclosed, {rows.num_rows} found", where=where)
    if not rows.num_rows:
        return
    if pc.unique(rows["period"]).to_pylist() != [disclosed.period]:
        raise AcequiaError("internal", "the disclosed cells are of another period", where=where)
    keys = ["period", *table.by]
    if rows.group_by(keys).aggregate([]).num_rows != rows.num_rows:
        raise AcequiaError("internal", "two rows describe the same cell", where=where)
    if not set(pc.unique(rows["cell_status"]).to_pylist()) <= set(STATUSES):
        raise AcequiaError("internal", "a cell has a status that is not known", where=where)
    hidden = rows.filter(pc.equal(rows["cell_status"], "withheld"))
    numbers = sum(hidden.num_rows - hidden[name].null_count for name in (*table.measures, "contributors_count"))
    if numbers:
        raise AcequiaError("release_stopped", f"{numbers} numbers stand in withheld cells", where=where)


def ordered(rows: pa.Table, keys: Iterable[str]) -> pa.Table:
    """The same rows in the order of these columns, nulls last."""
    return rows.sort_by([(key, "ascending") for key in keys]) if rows.num_rows else rows


def lines(rows: pa.Table) -> pa.Array:
    """Each row as one line of JSON: its columns that hold a value, by name. A number is written in its shortest form, a
    whole one without decimals, times as ISO 8601.

    So a row says the same before and after its table gains a column or a column is widened.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def member(name: str) -> Callable[[Any], str]:
        start = f"{write(name)}:"
        return lambda value: start + write(_plain(value))

    members = joined([written(rows[name], member(name)) for name in sorted(rows.column_names)], skip_nulls=True)
    brackets = [pa.scalar(sign, pa.large_string()) for sign in ("{", "}", "")]
    return pc.binary_join_element_wise(brackets[0], members, *brackets[1:])


def written(column: pa.ChunkedArray, write: Callable[[Any], str]) -> pa.Array:
    """A column as text, null where it is null. Each different value is written once."""
    import pyarrow as pa

    encoded = pa.concat_arrays(column.chunks or [pa.nulls(0, column.type)]).dictionary_encode()
    words = pa.array([write(value) for value in encoded.dictionary.to_pylist()], pa.large_string())
    return words.take(encoded.indices)


def joined(columns: list[pa.Array], *, skip_nulls: bool) -> pa.Array:
    """The texts of each row with commas between; a null is left out, or empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nulls = {"null_handling": "skip"} if skip_nulls else {"null_handling": "replace", "null_replacement": ""}
    return pc.binary_join_element_wise(*columns, pa.scalar(",", pa.large_string()), **nulls)


def digest(rows: pa.Table) -> str:
    """SHA-256 of the rows' sorted lines, each ended by a newline: the same rows in any order and file have the same."""
    found = hashlib.sha256()
    for line in sorted(lines(rows).to_pylist()):
        found.update(line.encode() + b"\n")
    return found.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        return (value.astimezone(dt.UTC) if value.tzinfo else value).isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value
