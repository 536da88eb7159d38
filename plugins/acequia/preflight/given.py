"""The files that somebody names, as a source: which of them the agreed path takes, for which feed and period."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.agreement.model import Agreement
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.receive.manifest import BYTES_AT_MOST, NAME, SIGNED_NAME, SIGNED_SUFFIX, SUFFIX
from acequia.receive.names import Pattern, joined
from acequia.receive.sources.folder import FolderFiles
from acequia.receive.sources.source import Found, Listing, bounded, is_manifest

_LABEL = re.compile(r"\d{4}(?:-W\d{2}|-Q[1-4]|-\d{2}(?:-\d{2})?)?")
_ALL = FolderFiles(Path("/"), (), atomic=True)


@dataclass(frozen=True)
class GivenFiles:
    """Files of one period, named one by one; `atomic`, since nobody writes to them while they are looked at."""

    files: tuple[Path, ...]
    pattern: Pattern
    atomic: bool = True

    def listing(self) -> Listing:
        """The files whose names the agreed path takes, and the manifests; others are not seen, as at the source."""
        found: list[Found] = []
        manifests: list[Found] = []
        for path in sorted(self.files):
            manifest = is_manifest(path.name, self.pattern)
            if manifest or self.pattern.takes(path.name):
                (manifests if manifest else found).append(self._found(path))
        return bounded(Listing(tuple(found), tuple(manifests)))

    def fetch(self, found: Found, target: Path, at_most: int) -> None:
        """Copy the file."""
        _ALL.fetch(found, target, at_most)

    def _found(self, path: Path) -> Found:
        entry = _ALL.follow(str(path))
        if entry is None:
            raise AcequiaError("usage", f"there is no file {path.name}")
        depth = len(self.pattern.fixed) + len(self.pattern.varying)
        folder = joined(path.parent.parts[-depth:]) if depth else ""
        return Found(
            place=str(path),
            folder=str(path.parent),
            name=path.name,
            kept_as=self.pattern.kept_as(folder, path.name),
            bytes=entry.bytes,
            fingerprint=entry.fingerprint,
        )


def given(files: Sequence[Path], terms: Delivery, period: Period) -> GivenFiles:
    """The files as a source. The path's folders count where all files lie in such; else the names alone.

    Raises:
        AcequiaError: `usage` for a file that is not there.
    """
    real = tuple(path.resolve() for path in files)
    absent = [path.name for path in real if not path.is_file()]
    if absent:
        raise AcequiaError("usage", f"there is no file {', '.join(absent)}")
    patterns = _patterns(terms, period)
    for pattern in patterns:
        if all(_lies_in(path, pattern) for path in real):
            return GivenFiles(real, pattern)
    return GivenFiles(real, patterns[-1])


def with_manifests(files: Sequence[Path]) -> tuple[Path, ...]:
    """The files, with the manifests and signatures that lie beside them."""
    beside = {
        path.with_name(name)
        for path in files
        for name in (NAME, SIGNED_NAME, path.name + SUFFIX, path.name + SIGNED_SUFFIX)
    }
    return (*files, *sorted(path for path in beside - set(files) if path.is_file()))


def data_of(files: Sequence[Path]) -> tuple[Path, ...]:
    """The data files in the order in which they are numbered."""
    return tuple(sorted(path.resolve() for path in files if not is_of_manifest(path)))


def is_of_manifest(path: Path) -> bool:
    """Whether a file is a manifest, signed or not."""
    return path.name in (NAME, SIGNED_NAME) or path.name.endswith((SUFFIX, SIGNED_SUFFIX))


def feed_of(agreement: Agreement, files: Sequence[Path]) -> str:
    """The agreement's only feed, or the only one whose path takes the files.

    Raises:
        AcequiaError: `usage`, with the feeds that there are.
    """
    if len(agreement.feeds) == 1:
        return next(iter(agreement.feeds))
    data = [path for path in files if not is_of_manifest(path)]
    takes = [name for name, feed in agreement.feeds.items() if data and _takes(feed.delivery, data)]
    if len(takes) != 1:
        raise AcequiaError("usage", f"say the feed with --feed: {', '.join(agreement.feeds)}")
    return takes[0]


def period_of(terms: Delivery, files: Sequence[Path]) -> Period:
    """The period that the manifest names, or the path of the first file under which the agreed path takes it.

    Raises:
        AcequiaError: `usage`.
    """
    for label in (*_of_manifests(files), *_in_paths(files)):
        period = _read(label, terms)
        if period is not None and all(_lies_in(path.resolve(), _patterns(terms, period)[-1]) or is_of_manifest(path)
                                      for path in files):  # fmt: skip
            return period
    raise AcequiaError("usage", "say with --period which period the files are of; neither manifest nor names tell")


def _patterns(terms: Delivery, period: Period) -> tuple[Pattern, ...]:
    """The agreed path, then with ever fewer folders; last the file's name alone."""
    if terms.source.type == "sql":
        return (Pattern.of("*", period),)
    path = terms.source.names if terms.source.type == "upload" else terms.source.path
    return Pattern.of(path, period).shorter()


def _lies_in(path: Path, pattern: Pattern) -> bool:
    segments = (*pattern.fixed, *pattern.varying)
    folders = path.parent.parts[-len(segments) :] if segments else ()
    fits = len(folders) == len(segments) and all(map(fnmatchcase, folders, segments))
    return fits and (pattern.takes(path.name) or is_of_manifest(path))


def _takes(terms: Delivery, data: Sequence[Path]) -> bool:
    """Whether the agreed path takes all the files for some period that their own paths name."""
    labels = [*_in_paths(data), "2026-11-16"]
    periods = [period for label in labels if (period := _read(label, terms)) is not None]
    return any(
        all(any(_lies_in(path.resolve(), pattern) for pattern in _patterns(terms, period)) for path in data)
        for period in periods
    )


def _of_manifests(files: Sequence[Path]) -> Iterator[str]:
    for path in files:
        if is_of_manifest(path) and path.suffix == ".json" and path.stat().st_size <= BYTES_AT_MOST:
            try:
                label = json.loads(path.read_bytes()).get("period")
            except (ValueError, AttributeError, RecursionError):
                continue  # what is wrong with it is for `receive` to say
            if isinstance(label, str):
                yield label


def _in_paths(files: Sequence[Path]) -> Iterator[str]:
    for path in files:
        for part in (path.name, *reversed(path.resolve().parent.parts)):
            yield from _LABEL.findall(part)


def _read(label: str, terms: Delivery) -> Period | None:
    try:
        return Period.parse(label, terms.period)
    except AcequiaError:
        return None
