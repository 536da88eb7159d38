"""The shape of every source: list the period's files, fetch one. And the walk over folders that several share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from acequia.errors import AcequiaError
from acequia.receive.manifest import NAME, SIGNED_NAME, SIGNED_SUFFIX, SUFFIX
from acequia.receive.names import Pattern, joined, matches_folder

FILES_AT_MOST = 10_000


@dataclass(frozen=True)
class Found:
    """One file at a source. `place` is where the source finds it again, `kept_as` its name in landing.

    `fingerprint` changes when the content does; `age_s` are the seconds since it last changed, and `changed_at` is when
    that was (seconds since 1970), both by the source's own clock, None where the source does not say.
    """

    place: str
    folder: str
    name: str
    kept_as: str
    bytes: int | None
    fingerprint: str
    age_s: float | None = None
    changed_at: float | None = None


@dataclass(frozen=True)
class Listing:
    """The data files of one period and the manifests beside them, each by place in order."""

    files: tuple[Found, ...] = ()
    manifests: tuple[Found, ...] = field(default=())

    @property
    def arrival(self) -> str:
        """A digest that is another once anything was put there again, even with the same bytes."""
        said = sorted([file.place, file.bytes, file.fingerprint] for file in (*self.files, *self.manifests))
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    @property
    def sent_at(self) -> datetime | None:
        """When the last of it appeared, by the source's clock; None when that does not say it of every file."""
        moments = [file.changed_at for file in (*self.files, *self.manifests)]
        known = [moment for moment in moments if moment is not None]
        return datetime.fromtimestamp(max(known), UTC) if known and len(known) == len(moments) else None


class Source(Protocol):
    """One connection, one pattern, one period."""

    @property
    def atomic(self) -> bool:
        """Whether a file is seen whole or not at all."""
        ...

    def listing(self) -> Listing:
        """What is there now. Errors: `source_unreachable`, `source_denied`, `path_escapes`."""
        ...

    def fetch(self, found: Found, target: Path, at_most: int) -> None:
        """Write the file's bytes to `target`, streaming; `file_too_large` once they exceed `at_most`.

        Errors: those of `listing`, and `delivery_unfinished` for a file that changed since it was listed.
        """
        ...


class Bounded:
    """Writes to a file, and stops at the agreed size."""

    def __init__(self, file: BinaryIO, at_most: int) -> None:
        self.file, self.at_most, self.written = file, at_most, 0

    def write(self, chunk: bytes) -> None:
        """Append the chunk; `file_too_large` when it does not fit."""
        self.written += len(chunk)
        if self.written > self.at_most:
            raise too_large(self.at_most)
        self.file.write(chunk)


@dataclass(frozen=True)
class Entry:
    """One entry of a folder; a link is looked at only when its name is ours to take."""

    name: str
    kind: Literal["file", "folder", "link", "other"]
    bytes: int | None = None
    fingerprint: str = ""
    age_s: float | None = None
    changed_at: float | None = None


class Tree(Protocol):
    """A file system below one root, by relative paths."""

    def scan(self, folder: str) -> Iterable[Entry]:
        """The entries of a folder, nothing for one that is not there; `path_escapes` for one outside the root."""
        ...

    def follow(self, place: str) -> Entry | None:
        """What a link leads to, None when it leads nowhere; `path_escapes` outside the root."""
        ...


def walk(tree: Tree, pattern: Pattern) -> Listing:
    """The files that match the pattern, segment by segment, with the manifests that lie beside them."""
    folders = [joined(pattern.fixed)]
    for segment in pattern.varying:
        folders = [
            joined((folder, entry.name))
            for folder in folders
            for entry in tree.scan(folder)
            if matches_folder(segment, entry.name) and _is_folder(tree, folder, entry)
        ]
    files: list[Found] = []
    manifests: list[Found] = []
    for folder in sorted(folders):
        for entry in sorted(tree.scan(folder), key=lambda one: one.name):
            place = joined((folder, entry.name))
            wanted = manifests if is_manifest(entry.name, pattern) else files if pattern.takes(entry.name) else None
            real = tree.follow(place) if wanted is not None and entry.kind == "link" else entry
            if wanted is not None and real is not None and real.kind == "file":
                kept_as = pattern.kept_as(folder, entry.name)
                told = (real.bytes, real.fingerprint, real.age_s, real.changed_at)
                wanted.append(Found(place, folder, entry.name, kept_as, *told))
    return bounded(Listing(tuple(files), tuple(manifests)))


def is_manifest(name: str, pattern: Pattern) -> bool:
    """Whether a file name is that of a manifest for files of the pattern. No such file is data."""
    if name in (NAME, SIGNED_NAME):
        return True
    own = next((name.removesuffix(suffix) for suffix in (SUFFIX, SIGNED_SUFFIX) if name.endswith(suffix)), None)
    return own is not None and pattern.takes(own)


def bounded(listing: Listing) -> Listing:
    """The listing, unless it holds more files than a delivery may (`file_too_large`)."""
    if len(listing.files) > FILES_AT_MOST:
        raise AcequiaError("file_too_large", f"more than {FILES_AT_MOST:,} files are there for the period")
    return listing


def too_large(at_most: int) -> AcequiaError:
    """The delivery exceeds its agreed size."""
    return AcequiaError(
        "file_too_large", f"the delivery is larger than what is left of the agreed size ({at_most:,} bytes)"
    )


def changed() -> AcequiaError:
    """A file is not what was listed a moment ago."""
    return AcequiaError("delivery_unfinished", "a file changed while it was fetched")


def escapes() -> AcequiaError:
    """A path or link leads out of the source's folder."""
    return AcequiaError("path_escapes", "a path or link leads out of the source's own folder")


def _is_folder(tree: Tree, folder: str, entry: Entry) -> bool:
    real = tree.follow(joined((folder, entry.name))) if entry.kind == "link" else entry
    return real is not None and real.kind == "folder"
