"""Uploads under way: each in a folder of its own, `ACEQUIA_HOME/uploads/<partner>/.open/<id>`, until it is whole.

upload.json   what it is, and how many of its bytes are safe: those that were on disk before this was written
bytes         what arrived; more than is safe may lie there after a crash, and is overwritten
lock          held by whoever writes
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from acequia.intake.protocol import ALGORITHMS, Checksum
from acequia.intake.refusals import Refusal, not_found
from acequia.receive.uploads import settle, write_whole

OPEN = ".open"
KEPT_S = 24 * 3600  # so long after its last byte an upload can be taken up again
SAFE_EVERY = 8 << 20  # bytes without a checksum are made safe this often
_ID = re.compile(r"[0-9a-f]{32}")


class Told(BaseModel):
    """What is known of an upload."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feed: str
    period: str
    name: str
    length: int
    offset: int
    expires: float


@dataclass(frozen=True)
class Partial:
    """One upload under way."""

    folder: Path

    @property
    def id(self) -> str:
        """The upload's id, which its address ends in."""
        return self.folder.name

    @property
    def bytes(self) -> Path:
        """What arrived."""
        return self.folder / "bytes"

    def told(self) -> Told:
        """What is known of it. Refused with 404 once it is gone."""
        try:
            return Told.model_validate_json((self.folder / "upload.json").read_bytes())
        except FileNotFoundError:
            raise not_found() from None

    def tell(self, told: Told) -> None:
        """Write down what is known of it."""
        write_whole(self.folder / "upload.json", told.model_dump_json())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it alone, over all processes. Refused with 423 while another request writes to it."""
        try:
            lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except FileNotFoundError:
            raise not_found() from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Refusal(423, "upload_locked", "another request writes to this upload") from None
        try:
            yield
        finally:
            os.close(lock)

    def discard(self) -> None:
        """Remove it, what it is first: what is left after a crash is no upload any more."""
        (self.folder / "upload.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class Writing:
    """One request's bytes on their way to disk. They count once they are safe; with a checksum, once they fit it."""

    def __init__(self, partial: Partial, told: Told, checksum: Checksum | None, now: float) -> None:
        self.partial, self.told, self.checksum, self.now = partial, told, checksum, now
        self.written = self._safe = 0
        self._digest = ALGORITHMS[checksum.algorithm]() if checksum else None
        self._file: BinaryIO = partial.bytes.open("r+b" if partial.bytes.exists() else "w+b")
        os.fchmod(self._file.fileno(), 0o600)
        self._file.truncate(told.offset)
        self._file.seek(told.offset)

    def write(self, chunk: bytes) -> None:
        """Append a chunk. Refused with 413 when it does not fit into the size that was said."""
        if self.told.offset + self.written + len(chunk) > self.told.length:
            raise Refusal(413, "file_too_large", "there are more bytes than Upload-Length says")
        self._file.write(chunk)
        self.written += len(chunk)
        if self._digest:
            self._digest.update(chunk)
        elif self.written - self._safe >= SAFE_EVERY:
            self._keep()

    def end(self, *, whole: bool) -> Told:
        """Make safe what counts, and close. A request that broke off (not `whole`) keeps what has no checksum."""
        try:
            if self.checksum and self._digest:
                if not whole:
                    return self.told
                self.checksum.require(self._digest.digest())
            self._keep()
            return self._told()
        finally:
            self._file.close()

    def close(self) -> None:
        """Close, and keep nothing more."""
        self._file.close()

    def _keep(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self.partial.tell(self._told())
        self._safe = self.written

    def _told(self) -> Told:
        moved = {"offset": self.told.offset + self.written, "expires": self.now + KEPT_S}
        return self.told.model_copy(update=moved)


def begin(uploads: Path, partner: str, told: Told) -> Partial:
    """A new upload, empty."""
    partial = Partial(uploads / partner / OPEN / secrets.token_hex(16))
    partial.folder.mkdir(parents=True, mode=0o700)
    partial.tell(told)
    settle(partial.folder.parent)
    return partial


def find(uploads: Path, partner: str, number: str) -> Partial:
    """The upload of an id. Refused with 404 if the partner has none of it."""
    if not _ID.fullmatch(number):
        raise not_found()
    return Partial(uploads / partner / OPEN / number)


def under_way(uploads: Path, partner: str) -> list[Partial]:
    """The uploads of a partner that are not whole yet."""
    folders = sorted((uploads / partner / OPEN).glob("*"))
    return [Partial(folder) for folder in folders if _ID.fullmatch(folder.name)]


def expire(uploads: Path, now: float, partner: str = "*") -> int:
    """Remove uploads that nobody has gone on with for a day. Returns how many."""
    gone = 0
    for folder in sorted(uploads.glob(f"{partner}/{OPEN}/*")):
        partial = Partial(folder)
        try:
            if _expires(partial) <= now:
                with partial.held():
                    partial.discard()
                gone += 1
        except Refusal:
            continue  # somebody writes to it just now, or it is gone
    for staged in uploads.glob(f"{partner}/*/*/content/.*"):
        if staged.stat().st_mtime + KEPT_S <= now:
            staged.unlink(missing_ok=True)  # of a server that was killed while it sealed
    return gone


def _expires(partial: Partial) -> float:
    """When it may go; what has lost its description counts from its last change."""
    try:
        return partial.told().expires
    except Refusal:
        return partial.folder.stat().st_mtime + KEPT_S if partial.folder.exists() else float("inf")
