"""What a lake table is told of itself by the agreement: columns with their meaning and unit, terms, recipients."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from acequia.agreement.load import Signed
from acequia.agreement.model import Feed
from acequia.agreement.tables import CountDistinct, CountRows, Mean, Median, Ratio, Sum, Table
from acequia.disclose import counts
from acequia.disclose.private import in_words
from acequia.errors import AcequiaError
from acequia.period import Period

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table as LakeTable

# Why each: facts of the measurements in docs/decisions. Version 2 because writing version 3 is not implemented; many
# retries with short waits because the default of four loses commits; small metadata because every commit copies it.
TABLE_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "commit.retry.num-retries": "20",
    "commit.retry.max-wait-ms": "2000",
    "commit.manifest-merge.enabled": "true",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}
_STATUS_TEXT = {
    "period": "The period that the row describes, such as 2026-11-21, 2026-W47 or 2026-11.",
    "contributors_count": "How many contributors (people or companies) stand behind the row; empty where withheld.",
    "cell_status": "published, zero, withheld or missing.",
    "withheld_because": "The rule that keeps the numbers back; empty in rows that are not withheld.",
    "provisional": "True while deliveries of the period are still expected; the row will be replaced.",
    "delivery": "What the row was computed from: a delivery, or the window of several.",
}


@dataclass(frozen=True)
class ColumnInfo:
    """What one column means. `role` is period, key, measure or status."""

    name: str
    type: str
    role: str
    describe: str
    unit: str = ""


def columns_of(rows: pa.Schema, feed: Feed, table: Table) -> tuple[ColumnInfo, ...]:
    """The columns of a publication with their meaning, in order."""
    found = (_column(field.name, _type_name(field.type), feed, table) for field in rows)
    return tuple(replace(column, describe=_with_noise(column, table)) for column in found)


def _with_noise(column: ColumnInfo, table: Table) -> str:
    """Its meaning, and how its numbers were changed to protect people."""
    said = (column.describe, counts.in_words(table, column.name), in_words(table, column.name))
    return " ".join(part for part in said if part)


def _column(name: str, type_: str, feed: Feed, table: Table) -> ColumnInfo:
    if name in table.measures:
        measure = table.measures[name]
        return ColumnInfo(name, type_, "measure", measure.describe or _measured(measure), measure.unit or "")
    if name in table.by:
        column = feed.columns.get(feed.kept.get(name, ""))
        told = (column.describe if column else None) or f"The {name.replace('_', ' ')} that the row describes."
        codes = " _U: unknown, _T: the total of all." if type_ == "string" else ""
        return ColumnInfo(name, type_, "key", told + codes, (column.unit if column else None) or "")
    return ColumnInfo(name, type_, "period" if name == "period" else "status", _STATUS_TEXT[name])


def _measured(measure: Any) -> str:
    if isinstance(measure, CountRows):
        told = "How many rows of the delivery count to it"
    elif isinstance(measure, CountDistinct):
        told = f"How many different values of {measure.count_distinct} there are"
    elif isinstance(measure, Ratio):
        told = f"Sum of {measure.ratio.of}, divided by sum of {measure.ratio.to}"
    else:
        kinds = ((Sum, "sum", "Sum"), (Mean, "mean", "Mean"), (Median, "median", "Median"))
        told = next(f"{word} of {getattr(measure, key)}" for kind, key, word in kinds if isinstance(measure, kind))
    return f"{told}, where {measure.where}." if measure.where else f"{told}."


def _type_name(type_: Any) -> str:
    """The type as Data Package names it."""
    import pyarrow as pa

    if pa.types.is_timestamp(type_):
        return "datetime"
    return {"int64": "integer", "double": "number", "bool": "boolean", "date32[day]": "date"}.get(str(type_), "string")


def lake_schema(rows: pa.Schema, columns: tuple[ColumnInfo, ...]) -> Schema:
    """The Iceberg schema: every column may be null, so that a later version may leave it out."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import (
        BooleanType,
        DateType,
        DoubleType,
        LongType,
        NestedField,
        StringType,
        TimestampType,
        TimestamptzType,
    )

    kinds = {
        "string": StringType(),
        "int64": LongType(),
        "double": DoubleType(),
        "bool": BooleanType(),
        "date32[day]": DateType(),
        "timestamp[us]": TimestampType(),
        "timestamp[us, tz=UTC]": TimestamptzType(),
    }
    return Schema(
        *(
            NestedField(number, field.name, kinds[str(field.type)], required=False, doc=_doc(column))
            for number, (field, column) in enumerate(zip(rows, columns, strict=True), 1)
        )
    )


def _doc(column: ColumnInfo) -> str:
    return f"{column.describe} Unit: {column.unit}." if column.unit else column.describe


def described(
    signed: Signed, feed_name: str, name: str, period: str, columns: tuple[ColumnInfo, ...]
) -> dict[str, str]:
    """The table's own properties, so that whoever reads the lake needs no agreement file to understand it."""
    agreement, feed = signed.agreement, signed.agreement.feed(feed_name)
    table = feed.tables[name]
    kept = [
        {"name": c.name, "type": c.type, "role": c.role, "describe": c.describe, "unit": c.unit} for c in columns
    ]  # fmt: skip
    return {
        "comment": table.describe,
        "acequia.partner": agreement.partner,
        "acequia.partner-name": agreement.name,
        "acequia.country": agreement.country,
        "acequia.language": agreement.language,
        "acequia.feed": feed_name,
        "acequia.describe": table.describe,
        "acequia.agreement": agreement.terms.version,
        "acequia.agreement-sha256": signed.sha256,
        "acequia.legal-basis": agreement.terms.legal_basis,
        "acequia.purposes": " ".join(agreement.terms.purposes),
        "acequia.steward": agreement.terms.contacts.steward,
        "acequia.recipients": " ".join(table.recipients or agreement.terms.recipients),
        "acequia.period-kind": Period.parse(period).kind,
        "acequia.columns": json.dumps(kept, ensure_ascii=False, separators=(",", ":")),
    }


def columns_told(properties: Mapping[str, str]) -> tuple[ColumnInfo, ...]:
    """The columns as the newest agreement describes them, out of a table's properties."""
    return tuple(ColumnInfo(**column) for column in json.loads(properties.get("acequia.columns", "[]")))


def keys_told(properties: Mapping[str, str]) -> tuple[str, ...]:
    """The `by` columns, out of a table's properties."""
    return tuple(column.name for column in columns_told(properties) if column.role == "key")


def evolve(table: LakeTable, wanted: Schema, properties: Mapping[str, str]) -> None:
    """Bring a table's columns and properties up to a new agreement version, in one commit; nothing if they are.

    A new column is added, one no longer published stays and is null in new rows, a narrow number is widened.

    Raises:
        AcequiaError: `agreement_invalid` where a column changes its type in a way that old rows do not survive.
    """
    from pyiceberg.schema import Schema

    fields = [_merged(table, field) for field in wanted.fields]
    have = {field.name: (field.field_type, field.doc) for field in table.schema().fields}
    same = all(have.get(field.name) == (field.field_type, field.doc) for field in fields)
    stale = {key: value for key, value in properties.items() if table.properties.get(key) != value}
    if same and not stale:
        return
    with table.transaction() as change:
        if not same:
            with change.update_schema() as update:
                update.union_by_name(Schema(*fields))
        if stale:
            change.set_properties(stale)


def _merged(table: LakeTable, wanted: Any) -> Any:
    """The field as the table will keep it: the wider of the old and the new type."""
    from pyiceberg.exceptions import ResolveError
    from pyiceberg.schema import promote
    from pyiceberg.types import DoubleType, LongType

    old = next((field for field in table.schema().fields if field.name == wanted.name), None)
    if old is None or old.field_type == wanted.field_type:
        return wanted
    if old.field_type == DoubleType() and wanted.field_type == LongType():
        return wanted.model_copy(update={"field_type": DoubleType()})  # whole numbers are written as doubles
    try:
        return wanted.model_copy(update={"field_type": promote(old.field_type, wanted.field_type)})
    except ResolveError:
        name = ".".join(table.name())
        raise AcequiaError(
            "agreement_invalid",
            f"{wanted.name} was published as {old.field_type} and would now be {wanted.field_type}",
            where=name,
            do="Give the column another name in the new version of the agreement; what was published stays as it is.",
        ) from None
