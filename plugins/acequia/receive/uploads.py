"""Where uploads lie once they are whole: a shelf per feed and period, `ACEQUIA_HOME/uploads/<partner>/<feed>/<period>`.

    content/<id>.age     what was uploaded: encrypted by the partner, or sealed to the intake key once it was whole
    waiting/<name>.json  an upload that no delivery holds yet (its file is named by the name's digest)
    delivery.json        the delivery: replaced whole when a manifest comes, or when the partner says that it is all

A reader sees one delivery or the next, never a mixture of both.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from acequia.period import Period

FOLDER = "uploads"


class Kept(BaseModel):
    """One upload: `bytes` and `sha256` are of what the partner sent, `at` is when it was whole (seconds since 1970).

    `sealed` says that we encrypted it; otherwise its content is what was sent, byte by byte.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    upload: str
    bytes: int
    sha256: str
    sealed: bool
    at: float


class Delivery(BaseModel):
    """What a partner has completed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[Kept, ...] = ()


@dataclass(frozen=True)
class Shelf:
    """The uploads of one feed and period."""

    folder: Path

    @classmethod
    def of(cls, uploads: Path, partner: str, feed: str, period: Period) -> Shelf:
        """The shelf of a feed and period, below the folder of all uploads."""
        return cls(uploads / partner / feed / period.label)

    def content(self, upload: str) -> Path:
        """Where the bytes of an upload are."""
        return self.folder / "content" / f"{upload}.age"

    def delivered(self) -> tuple[Kept, ...]:
        """The files of the delivery that was completed last; none before the first."""
        try:
            return Delivery.model_validate_json(self._delivery.read_bytes()).files
        except FileNotFoundError:
            return ()

    def waiting(self) -> tuple[Kept, ...]:
        """The uploads that came since, by name."""
        known = {kept.upload for kept in self.delivered()}
        found = [Kept.model_validate_json(raw) for raw in _contents((self.folder / "waiting").glob("*.json"))]
        return tuple(sorted((kept for kept in found if kept.upload not in known), key=lambda kept: kept.name))

    def put(self, kept: Kept) -> None:
        """Add an upload whose content is in place. One of the same name that waits already is replaced."""
        with self._locked():
            if kept.upload not in {one.upload for one in self.delivered()}:
                stem = hashlib.sha256(kept.name.encode()).hexdigest()[:32]
                write_whole(self.folder / "waiting" / f"{stem}.json", kept.model_dump_json())

    def complete(self, *, also_older: Iterable[str] = ()) -> bool:
        """Make a delivery of all that waits; whether anything did.

        Args:
            also_older: names of files of the delivery before that belong to this one as well, if no newer one came.
        """
        with self._locked():
            waiting = self.waiting()
            if waiting:
                names = {kept.name for kept in waiting}
                wanted = set(also_older) - names
                older = [kept for kept in self.delivered() if kept.name in wanted]
                files = sorted((*waiting, *older), key=lambda kept: kept.name)
                write_whole(self._delivery, Delivery(files=tuple(files)).model_dump_json())
            self._sweep()
            return bool(waiting)

    def drop(self, upload: str) -> bool:
        """Remove an upload that waits; whether there was one."""
        with self._locked():
            notes = (self.folder / "waiting").glob("*.json")
            found = [note for note in notes if Kept.model_validate_json(note.read_bytes()).upload == upload]
            for note in found:
                note.unlink()
            self._sweep()
            return bool(found)

    def forget(self) -> int:
        """Delete the delivery and its content, but not what waits. Returns how many files went."""
        with self._locked():
            gone = len(self.delivered())
            self._delivery.unlink(missing_ok=True)
            self._sweep()
            return gone

    def _sweep(self) -> None:
        """Remove what nothing speaks of any more: notes of what was delivered, and content that was replaced."""
        delivered = {kept.upload for kept in self.delivered()}
        for note in (self.folder / "waiting").glob("*.json"):
            if Kept.model_validate_json(note.read_bytes()).upload in delivered:
                note.unlink(missing_ok=True)
        spoken_of = delivered | {kept.upload for kept in self.waiting()}
        for file in (self.folder / "content").glob("*.age"):
            if file.stem not in spoken_of:
                file.unlink(missing_ok=True)

    @property
    def _delivery(self) -> Path:
        return self.folder / "delivery.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time, over all processes."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def shelves(uploads: Path, partner: str, feed: str) -> Iterator[tuple[Period, Shelf]]:
    """The shelves of a feed, by period."""
    for folder in sorted((uploads / partner / feed).glob("[!.]*")):
        yield Period.parse(folder.name), Shelf(folder)


def write_whole(path: Path, content: str) -> None:
    """Write a small file whole or not at all, for its owner alone, so that it survives a crash of the machine."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Let what was put into a folder survive a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _contents(files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        try:
            yield file.read_bytes()
        except FileNotFoundError:  # completed between our look and our reading
            continue
