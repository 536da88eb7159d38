"""From packed to plain bytes, as a stream with bounds. What a file is, its first bytes say, not its name."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

from acequia.errors import AcequiaError

CHUNK = 1 << 20
RATIO_FREE = 100 * 2**20
RATIO_AT_MOST = 200
TIMES_AGREED = 20
DIRECTORY_AT_MOST = 2**20
_PIECE, _EMPTY_AT_MOST = 1 << 16, 1000
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")


def unpacked_at_most(packed: int, bytes_at_most: int) -> int:
    """The bytes that a file may unpack to.

    200 times its own size once it passes 100 MB (a gzip file of real rows has a ratio of 3 to 30), and never more than
    20 times the size that the agreement allows for what is delivered.
    """
    return min(max(RATIO_FREE, RATIO_AT_MOST * packed), TIMES_AGREED * bytes_at_most)


def is_packed(path: Path) -> bool:
    """Whether the file is gzip or zip."""
    with path.open("rb") as file:
        head = file.read(4)
    return head[:2] == GZIP or head in ZIP


def chunks(path: Path, bytes_at_most: int) -> Iterator[bytes]:
    """The plain bytes of a file that may be gzip, or a zip archive of one file.

    Raises:
        AcequiaError: `file_truncated`, `archive_bomb`, `name_escapes`, or `file_unreadable` (several files in one
            archive).
    """
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head[:2] == GZIP:
            plain = _gunzipped(file)
        elif head in ZIP:
            plain = _unzipped(file)
        else:
            yield from iter(lambda: file.read(CHUNK), b"")
            return
        yield from _bounded(plain, unpacked_at_most(path.stat().st_size, bytes_at_most))


def _bounded(plain: Iterator[bytes], at_most: int) -> Iterator[bytes]:
    total = 0
    for chunk in plain:
        total += len(chunk)
        if total > at_most:
            raise AcequiaError("archive_bomb", f"the file unpacks to more than {at_most} bytes")
        yield chunk


def _gunzipped(file: IO[bytes]) -> Iterator[bytes]:
    """Members follow one another; zeros behind them are padding. zlib reads the headers too: one may be very long."""
    empty = 0
    try:
        held = file.read(_PIECE)
        while held:
            unpacker, some = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), False
            while not unpacker.eof:
                if plain := unpacker.decompress(held, CHUNK):
                    some = True
                    yield plain
                held = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail or file.read(_PIECE)
                if not held and not unpacker.eof:
                    raise EOFError
            while not (held := held.lstrip(b"\0")) and (more := file.read(_PIECE)):
                held = more
            empty += not some
            if empty > _EMPTY_AT_MOST:
                raise AcequiaError("archive_bomb", f"the gzip file holds more than {_EMPTY_AT_MOST} empty members")
    except (EOFError, zlib.error):
        raise AcequiaError("file_truncated", "the gzip file is cut off or damaged") from None


def _unzipped(file: IO[bytes]) -> Iterator[bytes]:
    with closing(open_zip(file)) as archive:
        part = _only_file(archive)
        try:
            with archive.open(part) as plain:
                yield from iter(lambda: plain.read(CHUNK), b"")
        except (RuntimeError, NotImplementedError):
            raise AcequiaError("file_unreadable", "the zip archive is encrypted, or packed unusually") from None
        except Exception:  # noqa: BLE001 - what damage makes the library raise is not listed anywhere
            raise AcequiaError("file_truncated", "the zip archive is cut off or damaged") from None


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """A zip archive whose directory has a sane size; the library holds all of it in memory, many times over.

    Raises:
        AcequiaError: `file_truncated`.
    """
    careful = _Careful(file)
    try:
        archive = zipfile.ZipFile(careful)
    except Exception:  # noqa: BLE001 - as above
        raise AcequiaError("file_truncated", "the archive is cut off or damaged") from None
    careful.at_most = None
    return archive


class _Careful:
    """A file that refuses to be read in large pieces while its directory is looked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file: IO[bytes] = file
        self.at_most: int | None = DIRECTORY_AT_MOST
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """As a file does."""
        if self.at_most is None:
            return self.file.read(size)
        found = self.file.read(size if 0 <= size <= self.at_most else self.at_most + 1)
        if len(found) > self.at_most:
            raise zipfile.BadZipFile
        return found

    def close(self) -> None:
        """The file is closed by whoever opened it."""


def _only_file(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [info for info in archive.infolist() if not info.is_dir()]
    for info in files:
        place = PurePosixPath(info.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in info.filename:
            raise AcequiaError("name_escapes", "the archive holds a name that climbs out of its folder")
    files = [info for info in files if not info.filename.startswith("__MACOSX/")]
    if len(files) != 1:
        raise AcequiaError("file_unreadable", f"the archive holds {len(files)} files; one is expected")
    return files[0]
