"""The open release: each publication also as plain Parquet and CSV with its data dictionary and checksums.

`open/<partner>/<table>/<period>/release-<first 12 of the content's SHA-256>/` is written once and never changed; the
`latest.json` beside the releases names the one that counts. Same content, same bytes: nothing here asks for the time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError
from acequia.publish.files import Files
from acequia.publish.release import COMPLETE, Release, as_json, contents, period_folder, release_name

if TYPE_CHECKING:
    import pyarrow as pa


def write(files: Files, release: Release, rows: pa.Table) -> str:
    """Write a release unless it is there, then point to it. Returns its folder below the lake."""
    if not files.exists(f"{release.folder}/{COMPLETE}"):
        files.write_folder(release.folder, contents(release, rows))
    known = latest(files, release.partner, release.table, release.period) or {}
    if (known.get("status"), known.get("content_sha256")) != ("published", release.content_sha256):
        pointer = {
            "table": release.name,
            "period": release.period,
            "status": "published",
            "release": release_name(release.content_sha256),
            "content_sha256": release.content_sha256,
            "snapshot_id": release.lineage["snapshot_id"],
            "provisional": release.provisional,
        }
        point(files, release.period_folder, pointer)
    return release.folder


def point(files: Files, folder: str, pointer: Mapping[str, Any]) -> None:
    """Set `latest.json`, if it says something else."""
    content = as_json(pointer)
    if files.read(f"{folder}/latest.json") != content:
        files.write(f"{folder}/latest.json", content)


def latest(files: Files, partner: str, table: str, period: str) -> dict[str, Any] | None:
    """What `latest.json` says, or None where nothing was published."""
    content = files.read(f"{period_folder(partner, table, period)}/latest.json")
    return json.loads(content) if content else None


def refuse_erased(files: Files, partner: str, table: str, period: str, content_sha256: str) -> None:
    """Stop rows from coming back that were erased: the same content cannot be published again (`release_stopped`)."""
    content = files.read(f"{period_folder(partner, table, period)}/tombstone.json")
    if content and content_sha256 in json.loads(content)["content_sha256"]:
        raise AcequiaError(
            "release_stopped",
            "this content was erased; only a corrected delivery can take its place",
            where=f"{partner}.{table} {period}",
        )


def bury(files: Files, partner: str, table: str, period: str, erased: set[str], because: str) -> int:
    """Remove the releases with these content hashes, leaving `tombstone.json`. Returns how many files went."""
    folder = period_folder(partner, table, period)
    if not erased:
        return 0
    known = json.loads(files.read(f"{folder}/tombstone.json") or b'{"content_sha256": [], "because": []}')
    files.write(
        f"{folder}/tombstone.json",
        as_json(
            {
                "table": f"{partner}.{table}",
                "period": period,
                "status": "erased",
                "content_sha256": sorted(erased | set(known["content_sha256"])),
                "because": [*known["because"], *([because] if because not in known["because"] else [])],
            }
        ),
    )
    removed = 0
    told = json.loads(files.read(f"{folder}/changes.json") or b"{}")
    if erased & {told.get("content_sha256"), told.get("compared_with", {}).get("content_sha256")}:
        files.delete(f"{folder}/changes.json")
        removed += 1
    pointer = latest(files, partner, table, period)
    if pointer and pointer.get("content_sha256") in erased:
        files.delete(f"{folder}/latest.json")
        removed += 1
    # The folders last: as long as one is there, whoever was killed here comes back.
    removed += sum(files.delete_folder(f"{folder}/{release_name(content)}") for content in sorted(erased))
    return removed


def releases(files: Files, partner: str, table: str) -> Iterator[tuple[str, str]]:
    """Every complete release of a table, as period and folder below the lake, in order."""
    for path in files.listing(f"open/{partner}/{table}"):
        parts = path.split("/")
        if len(parts) == 6 and parts[5] == COMPLETE and not parts[4].startswith("."):
            yield parts[3], path.removesuffix(f"/{COMPLETE}")


def sweep(files: Files, partner: str, table: str) -> int:
    """Remove what killed writers left of releases that are not complete; needs the table's lock. How many files."""
    top = f"open/{partner}/{table}"
    found = files.listing(top)
    complete = {path.rsplit("/", 1)[0] for path in found if path.endswith(f"/{COMPLETE}") and "/." not in path}
    loose = [path for path in found if _is_loose(path, complete)]
    for folder in sorted({path.rsplit("/", 1)[0] for path in loose if path.count("/") == 5}):
        files.delete_folder(folder)
    for path in loose:
        files.delete(path)
    return len(loose)


def _is_loose(path: str, complete: set[str]) -> bool:
    """Whether a file belongs to no complete release: an unfinished folder's, or one staged beside a pointer."""
    folder, name = path.rsplit("/", 1)
    if path.count("/") == 5:
        return folder not in complete
    return name.endswith(".partial")
