"""One commit: look whether the lake holds the content, bring the columns up to date, replace the period."""

from __future__ import annotations

import json
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from acequia.agreement.load import Signed
from acequia.errors import AcequiaError
from acequia.flow import Disclosed
from acequia.publish import open_release
from acequia.publish.content import digest
from acequia.publish.release import named
from acequia.publish.shape import TABLE_PROPERTIES, evolve

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table as LakeTable

    from acequia.publish.lake import Lake


def replace_period(
    lake: Lake, name: str, rows: pa.Table, schema: Schema, told: Mapping[str, str], facts: Mapping[str, str]
) -> tuple[int, bool]:
    """One try: look first, then bring the columns up to date, then replace the period in one commit."""
    from pyiceberg.expressions import EqualTo

    table = _load_or_create(lake, name, schema, told)
    period, content = facts["acequia.period"], facts["acequia.content-sha256"]
    if (found := _held(lake, table, period, content)) is not None:
        return found, False
    evolve(table, schema, told)
    with _quiet():
        table.overwrite(_fitted(rows, table), EqualTo(term="period", value=period), snapshot_properties=dict(facts))
    return snapshot_of(table), True


def _load_or_create(lake: Lake, name: str, schema: Schema, told: Mapping[str, str]) -> LakeTable:
    from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError, TableAlreadyExistsError
    from sqlalchemy.exc import IntegrityError

    partner, table_name = split(name)
    with suppress(NoSuchTableError):
        return lake.catalog.load_table((partner, table_name))
    with suppress(NamespaceAlreadyExistsError, IntegrityError):  # another process was first
        lake.catalog.create_namespace(partner, {"partner": told["acequia.partner-name"]})
    try:
        return lake.catalog.create_table(
            (partner, table_name),
            schema,
            location=f"{lake.warehouse}/{partner}/{table_name}",
            properties={**TABLE_PROPERTIES, **told},
        )
    except TableAlreadyExistsError:
        return lake.catalog.load_table((partner, table_name))


def _held(lake: Lake, table: LakeTable, period: str, content: str) -> int | None:
    """The snapshot through which the table holds this content, or None. Snapshots expire, so rows decide at last."""
    from pyiceberg.expressions import EqualTo

    for snapshot in reversed(table.metadata.snapshots):
        facts = facts_of(snapshot)
        if facts.get("acequia.period") == period and facts.get("acequia.what") != "compacted":
            return snapshot.snapshot_id if facts.get("acequia.content-sha256") == content else None
    if not table.metadata.snapshots:
        return None
    rows = table.scan(row_filter=EqualTo(term="period", value=period)).to_arrow()
    if rows.num_rows == 0:  # never published, or published without a cell: only the release tells
        pointer = open_release.latest(lake.files, *split(".".join(table.name())), period)
        return snapshot_of(table) if pointer and pointer.get("content_sha256") == content else None
    return snapshot_of(table) if digest(rows) == content else None


def split(name: str) -> tuple[str, str]:
    """Namespace and table of `<partner>.<table>`."""
    partner, dot, table = name.partition(".")
    if not (partner and dot and table) or "." in table or "/" in name:
        raise AcequiaError("usage", "a table is named <partner>.<table>")
    return partner, table


def snapshot_of(table: LakeTable) -> int:
    """The id of the table's current snapshot."""
    current = table.metadata.current_snapshot_id
    if current is None:
        raise AcequiaError("internal", "the table has no snapshot", where=".".join(table.name()))
    return current


def facts_of(snapshot: Any) -> dict[str, str]:
    """What was written on a snapshot."""
    return dict(snapshot.summary.additional_properties) if snapshot.summary else {}


def facts_for(disclosed: Disclosed, signed: Signed, content: str, run: str) -> dict[str, str]:
    """What is written on the snapshots of a publication: ids, the rules by name, the cells withheld by reason.

    Consumers can read it, so a rule's parameters stay out: those of dominance help to work out what was withheld.
    """
    said = f"{signed.agreement.partner}.{disclosed.table}/{disclosed.period}/{content}/{signed.sha256}"
    rules = {"withheld": dict(disclosed.withheld), "rules": sorted(disclosed.rules)}
    return {
        "acequia.what": "published",
        "acequia.delivery": " ".join(named(disclosed)),
        "acequia.period": disclosed.period,
        "acequia.agreement": signed.agreement.terms.version,
        "acequia.agreement-sha256": signed.sha256,
        "acequia.run": run or str(uuid.uuid5(uuid.NAMESPACE_URL, said)),
        "acequia.disclosure": json.dumps(rules, sort_keys=True, separators=(",", ":")),
        "acequia.content-sha256": content,
        "acequia.provisional": str(disclosed.provisional).lower(),
    }


def _fitted(rows: pa.Table, table: LakeTable) -> pa.Table:
    """The rows with the table's columns: in its order and types, null where the agreement has the column no more."""
    import pyarrow as pa
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    wanted = schema_to_pyarrow(table.schema(), include_field_ids=False)
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in wanted
    ]
    return pa.table(columns, names=wanted.names)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without pyiceberg's warning that the first delivery of a period replaces nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
