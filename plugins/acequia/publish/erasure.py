"""Erasure: rows leave the table, its history, the disk and every open release, and counts prove it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError
from acequia.publish import open_release
from acequia.publish.commit import split
from acequia.publish.files import storing
from acequia.publish.housekeeping import forget, remove_unreferenced
from acequia.publish.lock import insist

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import Table as LakeTable

    from acequia.publish.lake import Lake


@dataclass(frozen=True)
class Erased:
    """The proof of an erasure, in counts. `rows_left` is what a search afterwards found, and is 0."""

    table: str
    periods: tuple[str, ...]
    rows: int
    rows_left: int
    snapshots: int
    files: int
    bytes: int
    release_files: int


def erase(
    lake: Lake,
    name: str,
    *,
    period: str | None = None,
    where: Mapping[str, Any] | None = None,
    because: str,
    keep: str | None = None,
) -> Erased:
    """Remove rows for good: from the table, from its history, from the disk, and from every open release.

    Rows of `period` and with the values of `where` (both given: both hold). The history of the whole table is
    forgotten, since any version may hold the rows; open releases that hold one of them are removed whole and a
    `tombstone.json` says so. Content that was erased cannot be published again; a corrected delivery can. `because` is
    kept in the lake: it names a decision (a case number), never a person. With `keep`, the content hash of the release
    of `period` that counts, that one stays, and all that came before it goes.

    Raises:
        AcequiaError: `usage` without a choice of rows or for a column that the table does not have.
    """
    partner, table_name = split(name)
    with storing(name), lake.lock(name):
        table = lake.load(name)
        chosen = _chosen(table, period, where)
        hit = table.scan(row_filter=chosen, selected_fields=("period",)).to_arrow()
        periods = set(hit["period"].to_pylist()) | ({period} if period else set())
        buried, release_files = _bury(lake, partner, table_name, period, where, because, keep)
        facts = {"acequia.what": "erased", "acequia.because": because, **({"acequia.period": period} if period else {})}
        insist(lambda: _delete(lake.load(name), None if keep else chosen, facts))
        snapshots = insist(lambda: forget(lake.load(name), None))
        table = lake.load(name)
        lake.write_hint(table)
        gone = remove_unreferenced(lake, table, None)
        left = 0 if keep else table.scan(row_filter=chosen, selected_fields=("period",)).to_arrow().num_rows
    if left:
        raise AcequiaError(
            "internal", f"{left} rows were written while they were being erased; erase again", where=name
        )
    return Erased(
        table=name,
        periods=tuple(sorted(periods | buried)),
        rows=0 if keep else hit.num_rows,
        rows_left=left,
        snapshots=snapshots,
        files=gone.files,
        bytes=gone.bytes,
        release_files=release_files,
    )


def _chosen(table: LakeTable, period: str | None, where: Mapping[str, Any] | None) -> BooleanExpression:
    from pyiceberg.expressions import And, EqualTo

    wanted = {**({"period": period} if period else {}), **(where or {})}
    if not wanted:
        raise AcequiaError("usage", "name the period or the values whose rows are erased")
    unknown = [column for column in wanted if column not in table.schema().column_names]
    if unknown:
        raise AcequiaError("usage", f"the table has no column {', '.join(unknown)}", where=".".join(table.name()))
    parts = [EqualTo(term=column, value=value) for column, value in wanted.items()]
    return parts[0] if len(parts) == 1 else And(*parts)


def _delete(table: LakeTable, chosen: BooleanExpression | None, facts: dict[str, str]) -> None:
    """Delete, if anything is chosen, then commit once more: the manifests of the last commit list the removed files
    with their lowest and highest values, those of the one after do not.
    """
    import warnings

    from pyiceberg.io.pyarrow import schema_to_pyarrow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nothing to delete is fine: older versions may hold the rows
        if chosen is not None:
            table.delete(chosen, snapshot_properties=facts)
    table.append(schema_to_pyarrow(table.schema(), include_field_ids=False).empty_table(), snapshot_properties=facts)


def _bury(
    lake: Lake,
    partner: str,
    table: str,
    period: str | None,
    where: Mapping[str, Any] | None,
    because: str,
    keep: str | None,
) -> tuple[set[str], int]:
    """Remove the open releases that hold such rows. Returns their periods, and how many files went."""
    removed = open_release.sweep(lake.files, partner, table)
    condemned: dict[str, set[str]] = {}
    for label, folder in open_release.releases(lake.files, partner, table):
        if period in (None, label) and (not where or _holds(lake, folder, where)):
            package = json.loads(lake.files.read(f"{folder}/datapackage.json") or b"{}")
            content = package["acequia"]["lineage"]["content_sha256"]
            if content != keep:
                condemned.setdefault(label, set()).add(content)
    for label, contents in sorted(condemned.items()):
        removed += open_release.bury(lake.files, partner, table, label, contents, because)
    return set(condemned), removed


def _holds(lake: Lake, folder: str, where: Mapping[str, Any]) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows: pa.Table = pq.read_table(pa.BufferReader(lake.files.read(f"{folder}/data.parquet")))
    for column, value in where.items():
        if column not in rows.column_names:
            return False
        rows = rows.filter(pc.equal(rows[column], pa.scalar(value).cast(rows.schema.field(column).type)))
    return bool(rows.num_rows)
