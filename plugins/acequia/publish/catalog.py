"""What the lake holds: its tables, their history, and their rows as they stand or stood."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError
from acequia.publish.commit import facts_of
from acequia.publish.content import ordered
from acequia.publish.files import storing
from acequia.publish.shape import ColumnInfo, columns_told, keys_told

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table as LakeTable

    from acequia.publish.lake import Lake


@dataclass(frozen=True)
class TableInfo:
    """One curated table as it stands. `name`: `<partner>.<table>`; `withheld_share`: 0..1 of its rows."""

    name: str
    describe: str
    rows: int
    periods: tuple[str, ...]
    snapshot_id: int
    committed_at: dt.datetime
    withheld_share: float | None
    provisional_periods: tuple[str, ...]
    columns: tuple[ColumnInfo, ...]
    properties: dict[str, str]

    @property
    def namespace(self) -> str:
        """The partner."""
        return self.name.split(".")[0]

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        withheld = None if self.withheld_share is None else round(100 * self.withheld_share, 1)
        return {
            "table": self.name,
            "describe": self.describe,
            "rows": self.rows,
            "periods": len(self.periods),
            "first": self.periods[0] if self.periods else None,
            "last": self.periods[-1] if self.periods else None,
            "withheld_pct": withheld,
            "changed_at": self.committed_at.isoformat(timespec="seconds"),
        }


@dataclass(frozen=True)
class Vintage:
    """One change of a table. `what` is published, withdrawn, erased or compacted; times are UTC."""

    snapshot_id: int
    committed_at: dt.datetime
    what: str
    period: str
    delivery: str
    agreement: str
    run: str
    disclosure: str
    content_sha256: str
    rows: int


def tables(lake: Lake, namespaces: Collection[str] | None = None) -> list[TableInfo]:
    """Every published table, by name; of these partners only, where given."""
    with storing("lake"):
        return [_info(found) for found in _published(lake, namespaces)]


def table(lake: Lake, name: str) -> TableInfo:
    """One table; `unknown_name` where there is none."""
    with storing(name):
        return _info(_with_snapshot(lake, name))


def history(lake: Lake, name: str) -> list[Vintage]:
    """The changes of a table that have not expired, oldest first."""
    with storing(name):
        return [_vintage(snapshot) for snapshot in _visible(lake.load(name))]


def read(
    lake: Lake,
    name: str,
    *,
    period: str | None = None,
    snapshot: int | None = None,
    as_of: dt.datetime | None = None,
) -> pa.Table:
    """Rows of a table, in the order of period and keys: as it stands, or as it stood at a snapshot or a moment.

    Raises:
        AcequiaError: `unknown_name` for a table or snapshot that the lake does not hold (any more).
    """
    from pyiceberg.expressions import AlwaysTrue, EqualTo

    if snapshot is not None and as_of is not None:
        raise AcequiaError("usage", "give a snapshot or a moment, not both")
    with storing(name):
        held = _with_snapshot(lake, name)
        if as_of is not None:
            snapshot = _stood_at(held, as_of)
        elif snapshot is not None and held.snapshot_by_id(snapshot) is None:
            raise AcequiaError("unknown_name", "the lake holds no such snapshot any more", where=name)
        chosen = EqualTo(term="period", value=period) if period is not None else AlwaysTrue()
        rows = held.scan(row_filter=chosen, snapshot_id=snapshot).to_arrow()
        keys = [key for key in ("period", *keys_told(held.properties)) if key in rows.column_names]
        return ordered(rows, keys)


def _published(lake: Lake, namespaces: Collection[str] | None) -> Iterator[LakeTable]:
    for (namespace,) in sorted(lake.catalog.list_namespaces()):
        if namespaces is None or namespace in namespaces:
            for identifier in sorted(lake.catalog.list_tables(namespace)):
                found = lake.catalog.load_table(identifier)
                if found.current_snapshot() is not None:
                    yield found


def _with_snapshot(lake: Lake, name: str) -> LakeTable:
    found = lake.load(name)
    if found.current_snapshot() is None:
        raise AcequiaError("unknown_name", "nothing has been published to this table yet", where=name)
    return found


def _info(held: LakeTable) -> TableInfo:
    import pyarrow.compute as pc

    rows = held.scan(selected_fields=("period", "cell_status", "provisional")).to_arrow()
    withheld = pc.sum(pc.equal(rows["cell_status"], "withheld")).as_py() or 0
    last = _visible(held)[-1]
    return TableInfo(
        name=".".join(held.name()),
        describe=held.properties.get("acequia.describe", ""),
        rows=rows.num_rows,
        periods=_labels(rows),
        snapshot_id=last.snapshot_id,
        committed_at=_moment(last),
        withheld_share=withheld / rows.num_rows if rows.num_rows else None,
        provisional_periods=_labels(rows.filter(rows["provisional"])),
        columns=columns_told(held.properties),
        properties=dict(held.properties),
    )


def _labels(rows: pa.Table) -> tuple[str, ...]:
    import pyarrow.compute as pc

    return tuple(sorted(pc.unique(rows["period"]).to_pylist()))


def _visible(held: LakeTable) -> list[Any]:
    """The snapshots that readers saw. An overwrite writes two in one commit: rows gone, then rows added; the first was
    never current.
    """
    snapshots = held.metadata.snapshots
    never_seen = {
        child.parent_snapshot_id
        for child in snapshots
        for parent in [held.snapshot_by_id(child.parent_snapshot_id) if child.parent_snapshot_id else None]
        if parent is not None and _told(parent) == _told(child)
    }
    return [snapshot for snapshot in snapshots if snapshot.snapshot_id not in never_seen]


def _told(snapshot: Any) -> dict[str, str]:
    return {key: value for key, value in facts_of(snapshot).items() if key.startswith("acequia.")}


def _moment(snapshot: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=dt.UTC)


def _stood_at(held: LakeTable, moment: dt.datetime) -> int:
    if moment.tzinfo is None:
        raise AcequiaError("usage", "give the moment with its time zone, such as 2026-11-22T12:00:00+00:00")
    seen = [snapshot for snapshot in _visible(held) if _moment(snapshot) <= moment]
    if not seen:
        oldest = _moment(_visible(held)[0]).isoformat(timespec="seconds")
        raise AcequiaError(
            "unknown_name",
            f"the lake's own history starts at {oldest}; earlier vintages are in the open releases",
            where=".".join(held.name()),
        )
    return int(seen[-1].snapshot_id)


def _vintage(snapshot: Any) -> Vintage:
    facts = facts_of(snapshot)
    return Vintage(
        snapshot_id=snapshot.snapshot_id,
        committed_at=_moment(snapshot),
        what=facts.get("acequia.what", "published"),
        period=facts.get("acequia.period", ""),
        delivery=facts.get("acequia.delivery", ""),
        agreement=facts.get("acequia.agreement", ""),
        run=facts.get("acequia.run", ""),
        disclosure=facts.get("acequia.disclosure", ""),
        content_sha256=facts.get("acequia.content-sha256", ""),
        rows=int(facts.get("total-records", "0")),
    )
