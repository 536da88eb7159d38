"""Keeping the lake small and honest: expiry of old snapshots, compaction, removal of what nobody refers to.

Iceberg keeps every version that it ever committed, and a killed writer leaves files behind; neither goes by itself. The
order of a night is `expire`, `compact`, `collect_orphans`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from acequia.publish import open_release
from acequia.publish.commit import split
from acequia.publish.content import ordered
from acequia.publish.files import storing
from acequia.publish.lock import insist
from acequia.publish.shape import keys_told

if TYPE_CHECKING:
    from pyiceberg.table import Table as LakeTable

    from acequia.publish.lake import Lake

HINT = "version-hint.text"


@dataclass(frozen=True)
class Collected:
    """What was removed: files of tables that no snapshot refers to, and their bytes; files of unfinished releases."""

    files: int
    bytes: int
    release_files: int = 0


@dataclass(frozen=True)
class Compacted:
    """How many data files a table had and has. Equal numbers: nothing was to be gained."""

    files_before: int
    files_after: int


@dataclass(frozen=True)
class Kept:
    """What a night's housekeeping did to a table."""

    snapshots_expired: int
    compacted: bool
    orphans_removed: int
    bytes_removed: int


def keep(lake: Lake, name: str, *, snapshots_older_than: dt.timedelta, orphans_older_than: dt.timedelta) -> Kept:
    """A night's work on one table: expire, compact, collect."""
    snapshots = expire(lake, name, snapshots_older_than)
    compacted = compact(lake, name)
    collected = collect_orphans(lake, name, orphans_older_than)
    return Kept(
        snapshots_expired=snapshots,
        compacted=compacted.files_after < compacted.files_before,
        orphans_removed=collected.files + collected.release_files,
        bytes_removed=collected.bytes,
    )


def expire(lake: Lake, name: str, older_than: dt.timedelta, *, now: dt.datetime | None = None) -> int:
    """Forget a table's snapshots older than this, except the current one. Returns how many.

    What they say of deliveries is forgotten with them; lineage and ledger hold it. Files go with `collect_orphans`.
    """
    before = (now or dt.datetime.now(dt.UTC)) - older_than
    with storing(name), lake.lock(name):
        expired = insist(lambda: forget(lake.load(name), before))
        lake.write_hint(lake.load(name))
        return expired


def compact(lake: Lake, name: str, *, at_least: int = 8) -> Compacted:
    """Put the many small files of a year into one, in one commit, where at least so many files hold its rows.

    Every delivery adds a file; reading hundreds is slow, most of all in S3. Rows do not change.
    """
    with storing(name), lake.lock(name):
        before = _data_files(lake.load(name))
        for year in _years(lake.load(name)) if before >= at_least else ():
            insist(partial(_compact, lake, name, year, at_least))
        table = lake.load(name)
        lake.write_hint(table)
        return Compacted(before, _data_files(table))


def collect_orphans(lake: Lake, name: str, older_than: dt.timedelta) -> Collected:
    """Remove files of a table that nothing refers to and that are older than this, and unfinished releases.

    Writers hold the table's lock while their files are not yet referred to, so any age is safe for Acequia's own;
    choose the longest run of any other program that writes to the lake.
    """
    with storing(name), lake.lock(name):
        found = remove_unreferenced(lake, lake.load(name), older_than)
        return replace(found, release_files=open_release.sweep(lake.files, *split(name)))


def forget(table: LakeTable, before: dt.datetime | None) -> int:
    """Forget snapshots older than a moment, or all; the current one stays. Returns how many."""
    cut = None if before is None else before.timestamp() * 1000
    current = table.metadata.current_snapshot_id
    old = [
        snapshot.snapshot_id
        for snapshot in table.metadata.snapshots
        if snapshot.snapshot_id != current and (cut is None or snapshot.timestamp_ms < cut)
    ]
    if old:
        table.maintenance.expire_snapshots().by_ids(old).commit()
    return len(old)


def _compact(lake: Lake, name: str, year: str, at_least: int) -> None:
    from pyiceberg.expressions import StartsWith

    table = lake.load(name)
    chosen = StartsWith(term="period", value=year)
    scan = table.scan(row_filter=chosen)
    if len(list(scan.plan_files())) < at_least:
        return
    rows = ordered(scan.to_arrow(), ("period", *keys_told(table.properties)))
    table.overwrite(rows, chosen, snapshot_properties={"acequia.what": "compacted", "acequia.year": year})


def _years(table: LakeTable) -> list[str]:
    rows = table.scan(selected_fields=("period",)).to_arrow()
    return sorted({label[:4] for label in rows["period"].unique().to_pylist()})


def _data_files(table: LakeTable) -> int:
    return len(list(table.scan().plan_files()))


def remove_unreferenced(lake: Lake, table: LakeTable, older_than: dt.timedelta | None) -> Collected:
    """List first, then read the references: a file that is committed in between is kept."""
    from pyarrow.fs import FileSelector, FileType

    filesystem, top = lake.files.filesystem, _key(table.location())
    found = filesystem.get_file_info(FileSelector(top, recursive=True, allow_not_found=True))
    cut = None if older_than is None else dt.datetime.now(dt.UTC) - older_than
    kept = set(_referenced(table.refresh()))
    dead = [
        entry
        for entry in found
        if entry.type == FileType.File
        and entry.path not in kept
        and entry.base_name != HINT
        and (cut is None or entry.mtime < cut)
    ]
    for entry in dead:
        filesystem.delete_file(entry.path)
    return Collected(len(dead), sum(entry.size for entry in dead))


def _referenced(table: LakeTable) -> Iterator[str]:
    """Every file that the table's metadata names, directly or through its manifests."""
    metadata = table.metadata
    yield _key(table.metadata_location)
    yield from (_key(entry.metadata_file) for entry in metadata.metadata_log)
    yield from (_key(entry.statistics_path) for entry in metadata.statistics)
    seen = set()
    for snapshot in metadata.snapshots:
        yield _key(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                yield _key(manifest.manifest_path)
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                    yield _key(entry.data_file.file_path)


def _key(location: str) -> str:
    """A location as the file system takes it."""
    parts = urlparse(location)
    return f"{parts.netloc}{parts.path}" if parts.scheme == "s3" else parts.path
