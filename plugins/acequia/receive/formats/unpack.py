"""From packed to plain bytes, as a stream with bounds. What a file is, its first bytes say, not its name."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from acequia.errors import AcequiaError

CHUNK = 1 << 20
RATIO_FREE = 100 * 2**20
RATIO_AT_MOST = 200
TIMES_AGREED = 20
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
    try:
        with gzip.GzipFile(fileobj=file) as plain:
            yield from iter(lambda: plain.read(CHUNK), b"")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise AcequiaError("file_truncated", "the gzip file is cut off or damaged") from None


def _unzipped(file: IO[bytes]) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(file) as archive, archive.open(_only_file(archive)) as plain:
            yield from iter(lambda: plain.read(CHUNK), b"")
    except (zipfile.BadZipFile, EOFError, zlib.error):
        raise AcequiaError("file_truncated", "the zip archive is cut off or damaged") from None
    except (RuntimeError, NotImplementedError):
        raise AcequiaError("file_unreadable", "the zip archive is encrypted, or packed in an unusual way") from None


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
