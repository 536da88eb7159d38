"""Waiting until what lies at a source is whole: manifests first, then sizes that no longer change."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.errors import AcequiaError
from acequia.receive.manifest import BYTES_AT_MOST, SUFFIX, Manifest, parse
from acequia.receive.sources.source import Found, Listing, Source


@dataclass(frozen=True)
class Group:
    """A manifest, or what is wrong with it, and the files that it is about."""

    files: tuple[Found, ...]
    manifest: Manifest | None = None
    error: AcequiaError | None = None


def listed(source: Source, terms: Delivery, *, complete: bool = False) -> Listing:
    """What is there; `delivery_missing` for nothing, `delivery_unfinished` when an agreed manifest is still to come.

    With `complete`, nothing is to come any more: the lack of a manifest is for the caller to judge.
    """
    listing = source.listing()
    if not listing.files:
        raise AcequiaError("delivery_missing", "nothing is there for the period")
    if terms.manifest == "required" and not complete and without_manifest(listing):
        raise AcequiaError("delivery_unfinished", "files are there, but not yet the manifest, which comes last")
    return listing


def settled(source: Source, terms: Delivery, listing: Listing, groups: Sequence[Group]) -> None:
    """Return when nothing grows any more; `delivery_unfinished` when something changed meanwhile.

    There is no need to wait where files appear whole, where every file has the size that its manifest says, or where
    nothing has changed for long enough.
    """
    if source.atomic or not terms.settle_seconds or _as_listed(groups) or _is_old(listing, terms.settle_seconds):
        return
    time.sleep(terms.settle_seconds)
    require_same(source, listing)


def require_same(source: Source, listing: Listing) -> None:
    """Refuse, as `delivery_unfinished`, when the source holds something else than a moment ago."""
    if _state(source.listing()) != _state(listing):
        raise AcequiaError("delivery_unfinished", "a file is still growing, or files are still being added")


def grouped(source: Source, terms: Delivery, listing: Listing, scratch: Path) -> tuple[Group, ...]:
    """Every file with the manifest that speaks of it: its own before its folder's. None where none is agreed."""
    if terms.manifest == "none":
        return (Group(listing.files),)
    covers: dict[Found | None, list[Found]] = {}
    for file in listing.files:
        covers.setdefault(_of_file(file, listing), []).append(file)
    return tuple(
        Group(tuple(files)) if found is None else _read(source, found, tuple(files), scratch)
        for found, files in covers.items()
    )


def without_manifest(listing: Listing) -> bool:
    """Whether a file lies there that no manifest speaks of."""
    return any(_of_file(file, listing) is None for file in listing.files)


def _of_file(file: Found, listing: Listing) -> Found | None:
    beside = {found.name: found for found in listing.manifests if found.folder == file.folder}
    own = beside.get(file.name + SUFFIX)
    return own or next((found for name, found in beside.items() if not name.endswith(SUFFIX)), None)


def _read(source: Source, found: Found, files: tuple[Found, ...], scratch: Path) -> Group:
    copy = scratch / "manifest"
    try:
        source.fetch(found, copy, BYTES_AT_MOST)
        return Group(files, manifest=parse(copy.read_bytes()))
    except AcequiaError as error:
        if error.code == "file_too_large":
            error = AcequiaError("manifest_invalid", f"the manifest is larger than {BYTES_AT_MOST:,} bytes")
        if error.code not in ("manifest_invalid", "name_escapes"):
            raise
        return Group(files, error=error)
    finally:
        copy.unlink(missing_ok=True)


def _as_listed(groups: Sequence[Group]) -> bool:
    return all(
        group.manifest is not None
        and {name: file.bytes for name, file in group.manifest.by_name.items()}
        == {file.name: file.bytes for file in group.files}
        for group in groups
    )


def _is_old(listing: Listing, seconds: int) -> bool:
    return all(file.age_s is not None and file.age_s >= seconds for file in (*listing.files, *listing.manifests))


def _state(listing: Listing) -> Mapping[str, tuple[int | None, str]]:
    return {file.place: (file.bytes, file.fingerprint) for file in (*listing.files, *listing.manifests)}
