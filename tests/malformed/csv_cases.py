"""Crooked CSV files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.malformed.cases import OK, Case, case
from tests.malformed.crooked import HEADER, NAMES, row, rows

UNREADABLE, TRUNCATED, EMPTY, BOMB = "file_unreadable", "file_truncated", "file_empty", "archive_bomb"
INVALID, ENCODING = "rows_invalid", "encoding_wrong"
UNLISTED, MISSING, REPEATED = "column_unlisted", "column_missing", "column_repeated"


def text(records: list[list[str]] | None = None, *, header: str = HEADER, end: str = "\n") -> str:
    lines = [header, *(",".join(record) for record in (rows() if records is None else records))]
    return end.join(lines) + end


def with_value(column: str, value: str, *, every: bool = True) -> str:
    """All rows, or the tenth alone, with this value in the column, quoted."""
    records = rows()
    place = NAMES.index(column)
    for number, record in enumerate(records):
        if every or number == 9:
            record[place] = '"' + value.replace('"', '""') + '"'
    return text(records)


PLAIN = text().encode()
GZIP = gzip.compress(PLAIN, mtime=0)


def cases() -> Iterator[Case]:
    yield from _lines()
    yield from _quotes()
    yield from _encodings()
    yield from _headers()
    yield from _packed()
    yield from _values()


def _csv(name: str, make: object, *ends: str) -> Case:
    return case("csv", name, make, *ends, file="2026-11-10.csv")  # type: ignore[arg-type]


def _lines() -> Iterator[Case]:
    yield _csv("sound", PLAIN, OK)
    yield _csv("empty", b"", EMPTY)
    for name, content in (("blanks", b"   \n \t\n"), ("line ends", b"\n\r\n\r\r\n"), ("commas", b",,,\n,,,\n")):
        yield _csv(f"only {name}", content, EMPTY)
    yield _csv("a million blank lines", lambda: b"\n" * 1_000_000, EMPTY)
    yield _csv("a million blank lines then sound", lambda: b"\n" * 1_000_000 + PLAIN, EMPTY)
    yield _csv("some blank lines then sound", b"\n\r\n\n" + PLAIN, OK)
    yield _csv("header only", HEADER, "rows_outside_range")
    yield _csv("header only with end", HEADER + "\n", "rows_outside_range")
    yield _csv("crlf", text(end="\r\n"), OK)
    yield _csv("lone cr", text(end="\r"), OK, UNREADABLE)
    yield _csv("mixed line ends", PLAIN.replace(b"\n", b"\r\n", 3).replace(b"p020", b"p020"), OK)
    yield _csv("all three line ends", PLAIN.replace(b"\n", b"\r\n", 3).replace(b"\np030", b"\rp030"), OK, UNREADABLE)
    yield _csv("no last line end", PLAIN.rstrip(), OK)
    yield _csv("blank line in the middle", PLAIN.replace(b"\np020", b"\n\np020"), OK, UNREADABLE, INVALID)
    yield _csv("cut in a value", PLAIN[:-9], OK, UNREADABLE, INVALID)
    yield _csv("cut in a row", PLAIN[:-40], UNREADABLE)
    yield _csv("one value less", PLAIN.replace(b"p020,", b""), UNREADABLE)
    yield _csv("one value more", PLAIN.replace(b"p020,", b"p020,1,"), UNREADABLE)
    yield _csv("one empty value more", PLAIN.replace(b",note 20\n", b",note 20,\n"), UNREADABLE)
    yield _csv("a row of commas", PLAIN.replace(b"\np020", b"\n,,,,,,\np020"), OK, INVALID)
    yield _csv("trailing control z", PLAIN + b"\x1a", UNREADABLE, INVALID)
    yield _csv("form feeds", PLAIN.replace(b"note 20", b"\x0c\x0b\x1c"), OK)
    yield _csv("unicode line ends", PLAIN.replace(b"note 20", "a\u2028b\u0085c".encode()), OK)
    yield _csv("a field of 100 MB", lambda: PLAIN.replace(b"note 20", b"z" * 100_000_000), UNREADABLE)
    yield _csv(
        "a quoted field of 100 MB", lambda: PLAIN.replace(b"note 20", b'"' + b"z\n" * 50_000_000 + b'"'), UNREADABLE
    )
    yield _csv("a first line of 100 MB", lambda: b"z" * 100_000_000, UNREADABLE, UNLISTED)
    yield _csv(
        "no line end in 50 MB of rows", lambda: PLAIN.replace(b"\n", b",") * 30_000, UNLISTED, UNREADABLE, REPEATED
    )
    yield _csv("a row of 100000 values", lambda: PLAIN + b"1," * 100_000 + b"\n", UNREADABLE)
    yield _csv("a row of commas alone", lambda: PLAIN + b"," * 1_000_000 + b"\n", UNREADABLE)
    yield _csv("a comment first", b"# made by hand\n" + PLAIN, UNLISTED)
    yield _csv("sep line of Excel", b"sep=,\n" + PLAIN, UNLISTED)
    yield _csv("a total last", PLAIN + b"Total,40,,,,,\n", OK, INVALID, UNREADABLE)


def _quotes() -> Iterator[Case]:
    yield _csv("quote not closed", PLAIN.replace(b"note 20", b'"note 20'), UNREADABLE)
    yield _csv("quote in the middle", PLAIN.replace(b"note 20", b'no"te 20'), OK, UNREADABLE)
    yield _csv("text after a quote", PLAIN.replace(b"note 20", b'"note" 20'), UNREADABLE)
    yield _csv("quotes of another kind", PLAIN.replace(b"note 20", b"'no,te'"), UNREADABLE)
    yield _csv("escaped by backslash", PLAIN.replace(b"note 20", b'"no\\"te"'), UNREADABLE, OK)
    yield _csv("embedded line ends", PLAIN.replace(b"note 20", b'"a\r\nb\nc\rd"'), OK, UNREADABLE)
    yield _csv("last value's quote not closed", PLAIN.replace(b"note 39", b'"note 39'), UNREADABLE)
    yield _csv("last row's quote not closed", PLAIN.replace(b"p039", b'"p039'), UNREADABLE)
    yield _csv("last quote not closed", PLAIN.rstrip() + b'"', OK, UNREADABLE)
    yield _csv("first quote not closed", b'"' + PLAIN, UNREADABLE, UNLISTED)
    yield _csv("only quotes", b'"""""""\n""""', UNREADABLE, UNLISTED, EMPTY)
    yield _csv("quoted header", ",".join(f'"{name}"' for name in NAMES) + "\n" + text().split("\n", 1)[1], OK)
    yield _csv("every value quoted", text([[f'"{value}"' for value in record] for record in rows()]), OK)


def _encodings() -> Iterator[Case]:
    yield _csv("bom", "\ufeff" + text(), OK)
    yield _csv("two boms", "\ufeff\ufeff" + text(), UNLISTED, OK)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-7"):
        ends = (OK,) if encoding == "utf-7" else (ENCODING,)
        yield _csv(f"in {encoding}", text().encode(encoding), *ends)
    for encoding in ("latin-1", "cp1252", "shift_jis"):
        yield _csv(
            f"in {encoding}",
            text().replace("note 20", "ñandú" if encoding != "shift_jis" else "テ").encode(encoding),
            ENCODING,
        )
    yield _csv("in ebcdic", text().encode("cp500"), ENCODING)
    for name, wrong in (
        ("nul", b"\0"),
        ("lone continuation", b"\x80"),
        ("overlong", b"\xc0\xaf"),
        ("cut", b"\xe2\x82"),
        ("surrogate", b"\xed\xa0\x80"),
        ("beyond unicode", b"\xf4\x90\x80\x80"),
        ("ff", b"\xff"),
    ):
        yield _csv(f"invalid utf-8 {name}", PLAIN.replace(b"note 20", wrong), ENCODING)
        yield _csv(f"invalid utf-8 {name} at the end", PLAIN + wrong, ENCODING)
    yield _csv("all nul", b"\0" * 100_000, ENCODING)
    yield _csv("other planes", PLAIN.replace(b"note 20", "👩🏽‍🚀\u202e𝔘\ufffe".encode()), OK)
    yield _csv("random bytes", bytes(range(256)) * 50, ENCODING)


def _headers() -> Iterator[Case]:
    body = text().split("\n", 1)[1]
    yield _csv("no header", body, UNLISTED)
    yield _csv("header twice", PLAIN.replace(b"\np020", b"\n" + HEADER.encode() + b"\np020"), "header_repeated")
    yield _csv("upper case", HEADER.upper() + "\n" + body, UNLISTED)
    yield _csv("blanks around", " , ".join(NAMES) + " \n" + body, OK)
    yield _csv("no-break blanks", "\u00a0,".join(NAMES) + "\n" + body, OK, UNLISTED)
    yield _csv("zero width space", HEADER.replace("id", "\u200bid") + "\n" + body, UNLISTED)
    yield _csv("a homoglyph", HEADER.replace("at", "аt") + "\n" + body, UNLISTED)
    yield _csv("twice the same", HEADER.replace("note", "n") + "\n" + body, REPEATED)
    yield _csv("twice but for a blank", HEADER.replace("note", "n ") + "\n" + body, REPEATED)
    yield _csv("twice but for case", HEADER.replace("note", "N") + "\n" + body, UNLISTED)
    yield _csv("one missing", "\n".join(line.split(",", 1)[1] for line in text().splitlines()), MISSING)
    yield _csv("one name empty", HEADER.replace("note", "") + "\n" + body, UNLISTED)
    yield _csv("one column more", "\n".join(line + ",1" for line in text().splitlines()), UNLISTED)
    yield _csv("a column without a name", HEADER + ",\n" + body.replace("\n", ",\n"), UNLISTED)
    yield _csv("100000 columns", lambda: (",".join(f"c{n}" for n in range(100_000)) + "\n").encode() * 3, UNLISTED)
    yield _csv("100000 times one column", lambda: (",".join(["n"] * 100_000) + "\n").encode() * 3, REPEATED)
    yield _csv("a name of 1 MB", lambda: ("z" * 1_000_000 + "," + HEADER + "\n").encode(), UNREADABLE)
    yield _csv("names with sql", 'id,n,x,at,day,ok,"note\'); DROP TABLE rows; --"\n' + body, UNLISTED)
    yield _csv("semicolons", PLAIN.replace(b",", b";"), UNLISTED)
    yield _csv("tabs", PLAIN.replace(b",", b"\t"), UNLISTED)
    yield _csv("a web page", b"<!doctype html><html><body>Sign in</body></html>", UNLISTED)
    yield _csv("json", b'[{"id": 1}]', UNLISTED, UNREADABLE)
    yield _csv("a picture", b"\x89PNG\r\n\x1a\n" + bytes(1000), ENCODING)


def _packed() -> Iterator[Case]:
    def packed(name: str, make: object, *ends: str, file: str = "2026-11-10.csv.gz") -> Case:
        return case("csv", f"packed {name}", make, *ends, file=file)  # type: ignore[arg-type]

    yield packed("sound", GZIP, OK)
    yield packed("empty inside", gzip.compress(b""), EMPTY)
    yield packed("not packed", PLAIN, OK)
    yield packed("magic alone", GZIP[:2], TRUNCATED)
    yield packed("header alone", GZIP[:10], TRUNCATED)
    for cut in (11, len(GZIP) // 2, len(GZIP) - 8, len(GZIP) - 1):
        yield packed(f"cut at {cut}", GZIP[:cut], TRUNCATED)
    yield packed("two members", gzip.compress(PLAIN[:500]) + gzip.compress(PLAIN[500:]), OK)
    yield packed(
        "an empty member between", gzip.compress(PLAIN[:500]) + gzip.compress(b"") + gzip.compress(PLAIN[500:]), OK
    )
    yield packed("second member cut", GZIP + gzip.compress(PLAIN)[:-9], TRUNCATED)
    yield packed("zeros behind", GZIP + bytes(5000), OK)
    yield packed("rubbish behind", GZIP + b"rubbish", TRUNCATED)
    yield packed("zeros and rubbish behind", GZIP + bytes(2_000_000) + b"rubbish", TRUNCATED)
    yield packed(
        "zeros and a member behind", GZIP[:0] + gzip.compress(PLAIN[:500]) + bytes(7) + gzip.compress(PLAIN[500:]), OK
    )
    yield packed("wrong checksum", GZIP[:-8] + struct.pack("<I", 1) + GZIP[-4:], TRUNCATED)
    yield packed("wrong length", GZIP[:-4] + struct.pack("<I", 1), TRUNCATED)
    yield packed("unknown method", GZIP[:2] + b"\x07" + GZIP[3:], TRUNCATED)
    yield packed("reserved flags", GZIP[:3] + b"\xe0" + GZIP[4:], TRUNCATED, OK)
    yield packed("a name of 20 MB", lambda: GZIP[:3] + b"\x08" + GZIP[4:10] + b"n" * 20_000_000 + b"\0" + GZIP[10:], OK)
    yield packed("a name without end", lambda: GZIP[:3] + b"\x08" + GZIP[4:10] + b"n" * 5_000_000, TRUNCATED)
    yield packed("a bomb", lambda: gzip.compress(PLAIN + b"a" * 300_000_000, 1), BOMB)
    yield packed("a bomb of members", lambda: GZIP + gzip.compress(bytes(1 << 20)) * 400, BOMB, ENCODING)
    yield packed("a bomb of empty members", lambda: gzip.compress(b"") * 500_000 + GZIP, BOMB)
    yield packed("some empty members", gzip.compress(b"") * 500 + GZIP, OK)
    yield packed("twice", gzip.compress(GZIP), ENCODING)
    yield packed("as zlib", zlib.compress(PLAIN), ENCODING, UNLISTED)
    yield packed("as bzip2", bz2.compress(PLAIN), ENCODING)
    yield packed("as xz", lzma.compress(PLAIN), ENCODING)
    yield packed("as zip", zipped({"a.csv": PLAIN}), OK)
    yield packed("as zip of two", zipped({"a.csv": PLAIN, "b.csv": PLAIN}), UNREADABLE)
    yield packed("as zip of none", zipped({}), UNREADABLE)
    yield packed("as zip that climbs", zipped({"../a.csv": PLAIN}), "name_escapes")
    yield packed("as zip of an absolute name", zipped({"/etc/a.csv": PLAIN}), "name_escapes")
    yield packed("as zip cut", zipped({"a.csv": PLAIN})[:-30], TRUNCATED)
    yield packed("as zip with a wrong checksum", zipped({"a.csv": PLAIN}).replace(b"note 2", b"note 3"), TRUNCATED, OK)
    yield packed("as zip bomb", lambda: zipped({"a.csv": b"a" * 300_000_000}), BOMB)
    yield packed("as zip in a zip", zipped({"a.zip": zipped({"a.csv": PLAIN})}), ENCODING)
    yield packed("as zip with a lying size", _lying_zip(), TRUNCATED, OK, UNREADABLE)
    yield packed("as zip of a huge directory", _wide_zip, TRUNCATED, UNREADABLE)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield packed(f"as zip of method {method}", zipped({"a.csv": PLAIN}, method), OK)
    damaged = bytearray(zipped({"a.csv": PLAIN * 20}, zipfile.ZIP_LZMA))
    damaged[80] ^= 0xFF
    yield packed("as zip of damaged lzma", bytes(damaged), TRUNCATED)
    yield packed("as encrypted zip", _encrypted_zip(), UNREADABLE)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)
    return made.getvalue()


def _lying_zip() -> bytes:
    made = bytearray(zipped({"a.csv": PLAIN}))
    place = made.rindex(b"PK\x01\x02")
    made[place + 24 : place + 28] = struct.pack("<I", 100)
    return bytes(made)


def _wide_zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(40_000):
            archive.writestr(f"{number}.csv", b"")
    return made.getvalue()


def _encrypted_zip() -> bytes:
    made = bytearray(zipped({"a.csv": PLAIN}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = made.index(signature) + offset
        made[place] |= 1
    return bytes(made)


def _values() -> Iterator[Case]:
    def value(name: str, column: str, written: str, *ends: str) -> Case:
        return _csv(f"value {name}", with_value(column, written), *ends)

    for name, written in (
        ("1e400", "1e400"),
        ("nan", "NaN"),
        ("infinity", "-Infinity"),
        ("hex", "0x1F"),
        ("underscore", "1_000"),
        ("arabic digits", "٣٤"),
        ("full width digits", "３４"),
        ("bengali", "৩"),
        ("superscript", "²"),
        ("fraction", "½"),
        ("minus sign", "\u22125"),
        ("thousands", "1,000"),
        ("plus plus", "++1"),
        ("a dot", "."),
        ("an e", "e5"),
        ("long", "9" * 5000),
        ("deep exponent", "1e99999999"),
        ("formula", "=1+1"),
        ("dde", "=cmd|' /C calc'!A0"),
        ("at sign", "@SUM(1)"),
        ("word", "twelve"),
        ("blank in it", "1 2"),
        ("nul text", "NULL"),
        ("dash", "-"),
    ):
        yield value(f"number {name}", "x", written, INVALID)
        yield value(f"integer {name}", "n", written, INVALID)
    yield value("integer beyond 64 bits", "n", str(2**70), INVALID)
    yield value("integer with fraction", "n", "1.5", INVALID)
    yield value("integer out of range", "n", "-1", INVALID)
    yield value("number tiny", "x", "1e-320", OK)
    yield value("number 1e19", "x", "1e19", OK)
    yield value("number 1e21", "x", "1e21", INVALID)
    yield value("number formula with plus", "x", "+1", OK)
    for name, written in (
        ("31 february", "2026-02-31"),
        ("year 0", "0000-01-01"),
        ("year 10000", "10000-01-01"),
        ("month 13", "2026-13-01"),
        ("negative", "-2026-11-10"),
        ("american", "11/10/2026"),
        ("two digits", "26-11-10"),
        ("serial", "46336"),
        ("epoch", "1762732800"),
        ("infinity", "infinity"),
        ("word", "yesterday"),
        ("week", "2026-W46-2"),
        ("bc", "2026-11-10 (BC)"),
        ("other digits", "２０２６-１１-１０"),
        ("hour 24", "2026-11-10 24:00:00"),
        ("minute 60", "2026-11-10 10:60:00"),
        ("leap second", "2026-11-10 23:59:60"),
        ("offset 99", "2026-11-10T10:00:00+99:99"),
        ("zone name", "2026-11-10 10:00 Africa/Gaborone"),
        ("zone letter", "2026-11-10 10:00:00 CAT"),
        ("long", "2026-11-10" * 1000),
    ):
        yield value(f"date {name}", "day", written, INVALID)
        yield value(f"time {name}", "at", written, INVALID, *((OK,) if name in ("31 february",) else ()))
    for name, written in (
        ("offset", "2026-11-10T10:00:00+02:00"),
        ("z", "2026-11-10T08:00:00Z"),
        ("year 1", "0001-01-01 00:00"),
        ("year 9999", "9999-12-31 23:59:59.999999999"),
        ("offset over the end", "9999-12-31T23:59:59-14:00"),
        ("offset under the start", "0001-01-01T00:00:00+14:00"),
        ("spaces", "  2026-11-10 10:00  "),
    ):
        yield value(f"time {name}", "at", written, OK, INVALID)
    for name, written in (
        ("formula", '=HYPERLINK("http://x.example")'),
        ("control signs", "\x01\x02\x1b[31m"),
        ("bidi", "\u202eabc"),
        ("very long", "n" * 1_000_000),
        ("sql", "'; DROP TABLE rows; --"),
        ("zero width", "\u200b"),
    ):
        yield value(f"text {name}", "note", written, OK)
        yield value(f"id {name}", "id", written, OK)
    yield value("id empty", "id", "", INVALID)
    yield value("boolean word", "ok", "maybe", INVALID)
    yield value("one wrong row", "x", "12", OK)
    yield _csv("one wrong value", with_value("x", "twelve", every=False), OK)
    yield _csv("same row 40 times", text([row(1)] * 40), OK)
