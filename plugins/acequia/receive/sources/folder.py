"""Files in a folder of this machine."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from acequia.errors import AcequiaError
from acequia.receive.names import Pattern
from acequia.receive.sources.source import Bounded, Entry, Found, Listing, changed, escapes, walk

CHUNK = 1 << 20


@dataclass(frozen=True)
class FolderFiles:
    """The files below `root` that match the first of the patterns that matches any."""

    root: Path
    patterns: tuple[Pattern, ...]
    atomic: bool = False

    def listing(self) -> Listing:
        """What is there now."""
        if any(pattern.absolute for pattern in self.patterns):
            raise escapes()
        found = Listing()
        for pattern in self.patterns:
            found = walk(self, pattern)
            if found.files:
                break
        return found

    def fetch(self, found: Found, target: Path, at_most: int) -> None:
        """Copy the file."""
        real = self._inside(found.place)
        try:
            with real.open("rb") as source, target.open("wb") as copy:
                before, bounded = _fingerprint(os.fstat(source.fileno())), Bounded(copy, at_most)
                while chunk := source.read(CHUNK):
                    bounded.write(chunk)
                after = _fingerprint(os.fstat(source.fileno()))
        except FileNotFoundError:
            raise changed() from None
        except OSError as error:
            raise _named(error) from None
        if not found.fingerprint == before == after:
            raise changed()

    def scan(self, folder: str) -> Iterator[Entry]:
        """The entries of a folder."""
        try:
            with os.scandir(self._inside(folder)) as entries:
                for entry in entries:
                    link = entry.is_symlink()
                    yield Entry(entry.name, "link") if link else _entry(entry.name, entry.stat(follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _named(error) from None

    def follow(self, place: str) -> Entry | None:
        """What a link leads to."""
        try:
            return _entry(Path(place).name, self._inside(place).stat())
        except FileNotFoundError:
            return None

    def _inside(self, place: str) -> Path:
        try:
            root, real = self.root.resolve(), (self.root / place).resolve()
        except RuntimeError:  # links in a circle
            raise escapes() from None
        if not real.is_relative_to(root):
            raise escapes()
        return real


def _entry(name: str, found: os.stat_result) -> Entry:
    kind = "file" if stat.S_ISREG(found.st_mode) else "folder" if stat.S_ISDIR(found.st_mode) else "other"
    at = found.st_mtime
    return Entry(name, kind, found.st_size, _fingerprint(found), time.time() - at, at)  # type: ignore[arg-type]


def _fingerprint(found: os.stat_result) -> str:
    return f"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}"


def _named(error: OSError) -> Exception:
    if isinstance(error, PermissionError):
        return AcequiaError("source_denied", "the folder or a file in it may not be read")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return error  # our own disk
    return AcequiaError("source_unreachable", f"the folder cannot be read ({type(error).__name__})")
