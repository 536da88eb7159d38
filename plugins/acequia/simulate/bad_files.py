"""Bad kinds that are in a file as a whole. Each takes the file's path, changes it, and gives the path that is left."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

from acequia.agreement.model import Feed
from acequia.simulate.render import packed

BOMB_MEMBERS, BOMB_MEMBER_BYTES = 128, 2**22
"""A bomb unpacks to their product, 512 MiB; on disk it has half a MiB."""


def unfinished(file: Path, feed: Feed) -> Path:
    """Half of it, under the name that it had while it was uploaded."""
    partial = file.with_name(f"{file.name}.part")
    partial.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    file.unlink()
    return partial


def empty(file: Path, feed: Feed) -> Path:
    """0 bytes."""
    file.write_bytes(b"")
    return file


def truncated(file: Path, feed: Feed) -> Path:
    """Its first half."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


def not_the_format(file: Path, feed: Feed) -> Path:
    """A web page, as a server gives it to whoever is not logged in."""
    file.write_text("<!doctype html><html><head><title>Sign in</title></head><body>Sign in</body></html>\n")
    return file


def archive_bomb(file: Path, feed: Feed) -> Path:
    """The header, then one letter over and over. It is made quickly: members of a gzip file may follow each other."""
    header = gzip.decompress(file.read_bytes()).split(b"\n", 1)[0]
    member = packed(b"a" * BOMB_MEMBER_BYTES)
    with file.open("wb") as bomb:
        bomb.write(packed(header + b"\n"))
        for _ in range(BOMB_MEMBERS):
            bomb.write(member)
    return file


def wrong_encoding(file: Path, feed: Feed) -> Path:
    """Text as an old office program saves it: one byte a letter, which no UTF-8 decoder accepts."""
    agreed = feed.delivery.options.encoding
    other = "utf-16" if agreed.lower().replace("_", "-") in ("latin-1", "iso-8859-1", "cp1252") else "latin-1"
    text = _read(file).decode(agreed)
    first, rest = text.split("\n", 1)
    # One letter with an accent is enough to make the difference, whatever the rows held.
    return _write(file, (first + "\n" + _accented(rest)).encode(other, errors="replace"))


def header_missing(file: Path, feed: Feed) -> Path:
    """The rows alone: a program would take the first person for the columns' names."""
    return _write(file, _read(file).split(b"\n", 1)[1])


def header_repeated(file: Path, feed: Feed) -> Path:
    """As when two exports are put one after the other."""
    lines = _read(file).split(b"\n")
    middle = len(lines) // 2
    return _write(file, b"\n".join([*lines[:middle], lines[0], *lines[middle:]]))


def column_repeated(file: Path, feed: Feed) -> Path:
    """The first column's name twice."""
    delimiter = feed.delivery.options.delimiter.encode()
    header, rest = _read(file).split(b"\n", 1)
    names = header.split(delimiter)
    return _write(file, delimiter.join([names[0], names[0], *names[2:]]) + b"\n" + rest)


CHANGES: dict[str, Callable[[Path, Feed], Path]] = {
    change.__name__: change
    for change in (unfinished, empty, truncated, not_the_format, archive_bomb, wrong_encoding, header_missing,
                   header_repeated, column_repeated)
}  # fmt: skip


def _read(file: Path) -> bytes:
    data = file.read_bytes()
    return gzip.decompress(data) if file.suffix == ".gz" else data


def _write(file: Path, data: bytes) -> Path:
    file.write_bytes(packed(data) if file.suffix == ".gz" else data)
    return file


def _accented(text: str) -> str:
    """Text with an accent in the first letter that a word of the rows has."""
    for place, sign in enumerate(text):
        if sign in "aeiou":
            return f"{text[:place]}{dict(zip('aeiou', 'áéíóú', strict=True))[sign]}{text[place + 1 :]}"
    return text
