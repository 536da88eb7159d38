"""Text files as plain UTF-8 on disk: unpacked, decoded strictly, without byte order mark. One pass, bounded memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from acequia.errors import AcequiaError
from acequia.receive.formats.unpack import CHUNK, chunks, is_packed


@dataclass(frozen=True)
class PlainText:
    """A UTF-8 file, and how many of its line ends are of each kind (those inside quotes are counted too)."""

    path: Path
    crlf: int
    lf: int
    cr: int

    @property
    def mixed(self) -> bool:
        """Whether there is more than one kind of line end."""
        return sum(count > 0 for count in (self.crlf, self.lf, self.cr)) > 1


class LineEnds:
    """Counts line ends over chunks."""

    def __init__(self) -> None:
        self.returns = self.feeds = self.pairs = 0
        self._after_return = False

    def see(self, chunk: bytes) -> None:
        """Count one chunk; a pair may be cut by its edge."""
        self.feeds += chunk.count(b"\n")
        returns = chunk.count(b"\r")
        if returns:
            self.pairs += chunk.count(b"\r\n")
        self.pairs += self._after_return and chunk[:1] == b"\n"
        self.returns += returns
        self._after_return = chunk[-1:] == b"\r"


def plain_text(path: Path, target: Path, *, encoding: str, bytes_at_most: int) -> PlainText:
    """The file as UTF-8: itself where it is that already, otherwise written to `target`.

    Raises:
        AcequiaError: `file_empty`, `encoding_wrong` with the place of the first wrong byte, or what unpacking refuses.
    """
    codec = codecs.lookup(encoding).name
    as_it_is = codec in ("utf-8", "utf-8-sig", "ascii") and not is_packed(path) and not _has_mark(path)
    ends, some = LineEnds(), False
    decoded = _decoded(chunks(path, bytes_at_most), codec, as_it_is)
    if as_it_is:
        for chunk in decoded:
            ends.see(chunk)
            some = True
    else:
        with target.open("wb") as out:
            for chunk in decoded:
                ends.see(chunk)
                some = some or bool(chunk)
                out.write(chunk)
    if not some:
        raise AcequiaError("file_empty", "the file holds nothing")
    pairs = ends.pairs
    return PlainText(path if as_it_is else target, pairs, ends.feeds - pairs, ends.returns - pairs)


def head(path: Path, target: Path, encoding: str, bytes_at_most: int) -> PlainText:
    """The whole lines in the first MB of the file, as UTF-8; where one line is longer, what there is of it."""
    plain = next(chunks(path, bytes_at_most), b"")
    codec = codecs.lookup(encoding).name
    text = codecs.getincrementaldecoder("utf-8-sig" if codec == "utf-8" else codec)(errors="replace").decode(plain)
    cut = max(text.rfind("\n"), text.rfind("\r")) + 1
    target.write_bytes(text[: cut or len(text)].encode("utf-8"))
    return PlainText(target, 0, 0, 0)


def unified(text: PlainText, target: Path) -> PlainText:
    """The same text with a line feed for every line end."""
    held, lines = b"", 0
    with text.path.open("rb") as file, target.open("wb") as out:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            whole = held + chunk
            held = b"\r" if whole.endswith(b"\r") else b""
            plain = whole.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            lines += plain.count(b"\n")
            out.write(plain)
        out.write(b"\n" if held else b"")
    return PlainText(target, 0, lines + bool(held), 0)


def _has_mark(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == codecs.BOM_UTF8


def _decoded(plain: Iterator[bytes], codec: str, as_it_is: bool) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8-sig" if codec == "utf-8" else codec)(errors="strict")
    read = 0
    try:
        for chunk in plain:
            yield _encoded(decoder.decode(chunk), chunk if as_it_is else None)
            read += len(chunk)
        yield _encoded(decoder.decode(b"", final=True), b"" if as_it_is else None)
    except UnicodeError:
        raise AcequiaError(
            "encoding_wrong", f"the file is not written in {codec}: it ceases to be so after {_mega(read)}"
        ) from None


def _encoded(text: str, same: bytes | None) -> bytes:
    # A NUL is no text in any encoding of tables: it is what UTF-16 looks like when it is read as something else.
    if "\0" in text:
        raise UnicodeError
    return text.encode("utf-8") if same is None else same


def _mega(read: int) -> str:
    return f"the first {read // CHUNK} MB" if read >= CHUNK else "less than 1 MB"
