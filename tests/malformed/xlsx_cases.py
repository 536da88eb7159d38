"""Crooked workbooks."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.malformed.cases import OK, Case, case
from tests.malformed.crooked import NAMES, rows

UNREADABLE, TRUNCATED, EMPTY, BOMB, INVALID = (
    "file_unreadable",
    "file_truncated",
    "file_empty",
    "archive_bomb",
    "rows_invalid",
)
UNLISTED, MISSING, REPEATED, RANGE = "column_unlisted", "column_missing", "column_repeated", "rows_outside_range"
SHEET, STRINGS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"


def workbook(change: Callable[[Workbook], None] | None = None, records: list[list] | None = None) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.append(list(NAMES))
    for record in records if records is not None else rows():
        sheet.append(
            [
                record[0],
                int(record[1]),
                float(record[2]),
                datetime.fromisoformat(record[3]),
                date.fromisoformat(record[4]),
                record[5] == "true",
                record[6],
            ]
        )
    if change:
        change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@cache
def plain() -> bytes:
    """As Excel writes it: texts stand in a table of their own."""
    base, found = workbook(), []

    def shared(match: re.Match[bytes]) -> bytes:
        found.append(match[2])
        return match[1] + b't="s"><v>' + str(len(found) - 1).encode() + b"</v></c>"

    base = replaced(
        SHEET, lambda old: re.sub(rb'(<c r="\w+" )t="inlineStr"><is><t>([^<]*)</t></is></c>', shared, old), base
    )
    strings = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    strings += b"".join(b"<si><t>" + text + b"</t></si>" for text in found) + b"</sst>"
    told = b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    told += b'spreadsheetml.sharedStrings+xml" /></Types>'
    base = replaced("[Content_Types].xml", lambda old: old.replace(b"</Types>", told), base)
    return replaced(STRINGS, strings, base)


def replaced(part: str, change: Callable[[bytes], bytes] | bytes | None, base: bytes | None = None) -> bytes:
    """The workbook with one part changed, added or (None) left out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(base or plain())) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename != part:
                new.writestr(info.filename, old.read(info))
        if change is not None:
            new.writestr(part, change if isinstance(change, bytes) else change(old.read(part)))
    return target.getvalue()


def _xlsx(name: str, make: object, *ends: str) -> Case:
    return case("xlsx", name, make, *ends, file="2026-11-10.xlsx")  # type: ignore[arg-type]


def _set(place: str, value: object) -> Callable[[Workbook], None]:
    return lambda book: book.active.__setitem__(place, value)


def cases() -> Iterator[Case]:
    yield from _files()
    yield from _sheets()
    yield from _xml()


def _files() -> Iterator[Case]:
    yield _xlsx("sound", plain, OK)
    yield _xlsx("empty", b"", EMPTY)
    yield _xlsx("csv", b"id,n\n1,2\n", UNREADABLE)
    yield _xlsx("ole with a password", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000), UNREADABLE)
    yield _xlsx("magic alone", b"PK\x03\x04", TRUNCATED)
    yield _xlsx("an empty zip", b"PK\x05\x06" + bytes(18), UNREADABLE)
    for part in (10, 50, 90, 99):
        yield _xlsx(f"first {part} percent", lambda part=part: plain()[: len(plain()) * part // 100], TRUNCATED)
    yield _xlsx("rubbish behind", lambda: plain() + b"rubbish" * 10, OK, TRUNCATED, UNREADABLE)
    yield _xlsx("a zip of a csv", lambda: _zip({"a.csv": b"id\n"}), UNREADABLE)
    yield _xlsx("a bomb in a sheet", lambda: replaced(SHEET, lambda old: old + b" " * 400_000_000), BOMB)
    yield _xlsx("a bomb in the strings", lambda: replaced(STRINGS, b" " * 400_000_000), BOMB)
    yield _xlsx("100000 parts", lambda: _zip({f"xl/{n}": b"" for n in range(100_000)}), TRUNCATED)
    for part in (
        "[Content_Types].xml",
        "_rels/.rels",
        BOOK,
        "xl/_rels/workbook.xml.rels",
        SHEET,
        STRINGS,
        "xl/styles.xml",
    ):
        ends = (
            (OK, UNREADABLE) if part == "_rels/.rels" else (UNREADABLE, INVALID) if "styles" in part else (UNREADABLE,)
        )
        yield _xlsx(f"without {part.rsplit('/', 1)[-1]}", lambda part=part: replaced(part, None), *ends)
        yield _xlsx(f"{part.rsplit('/', 1)[-1]} is empty", lambda part=part: replaced(part, b""), *ends)
        yield _xlsx(f"{part.rsplit('/', 1)[-1]} is no xml", lambda part=part: replaced(part, b"{}"), *ends)
        yield _xlsx(
            f"{part.rsplit('/', 1)[-1]} breaks off",
            lambda part=part: replaced(part, lambda old: old[: len(old) // 2]),
            *ends,
            OK,
        )
    yield _xlsx("macros", lambda: replaced("xl/vbaProject.bin", bytes(10_000)), OK)
    yield _xlsx(
        "an external link", lambda: replaced("xl/externalLinks/externalLink1.xml", b"<a href='http://x.example'/>"), OK
    )


def _sheets() -> Iterator[Case]:
    yield _xlsx("no rows", lambda: workbook(records=[]), RANGE)
    yield _xlsx(
        "formulas never computed",
        lambda: workbook(lambda book: [book.active.__setitem__(f"C{n}", "=1+1") for n in range(2, 42)]),
        INVALID,
    )
    yield _xlsx(
        "errors",
        lambda: workbook(lambda book: [book.active.__setitem__(f"C{n}", "#DIV/0!") for n in range(2, 42)]),
        INVALID,
    )
    yield _xlsx("one error", lambda: workbook(_set("C3", "#N/A")), OK)
    yield _xlsx("merged cells", lambda: workbook(lambda book: book.active.merge_cells("A2:G3")), OK, INVALID)
    yield _xlsx("merged header", lambda: workbook(lambda book: book.active.merge_cells("A1:B1")), UNLISTED, MISSING)
    yield _xlsx(
        "dates as serials", lambda: workbook(lambda book: [_plain_number(book, f"E{n}") for n in range(2, 42)]), INVALID
    )
    yield _xlsx("epoch of 1904", lambda: workbook(lambda book: setattr(book, "epoch", CALENDAR_MAC_1904)), OK, INVALID)
    yield _xlsx("a value beside", lambda: workbook(_set("J5", "beside")), UNREADABLE)
    yield _xlsx("a value far right", lambda: workbook(_set("XFD5", "far")), UNREADABLE)
    yield _xlsx("a value far below", lambda: workbook(_set("A1048576", "far")), INVALID, RANGE)
    yield _xlsx(
        "a title above",
        lambda: workbook(lambda book: book.active.insert_rows(1) or book.active.__setitem__("A1", "Report")),
        UNLISTED,
    )
    yield _xlsx("empty rows above", lambda: workbook(lambda book: book.active.insert_rows(1, 3)), OK)
    yield _xlsx("empty rows within", lambda: workbook(lambda book: book.active.insert_rows(5, 3)), OK, INVALID)
    yield _xlsx(
        "hidden sheet first",
        lambda: workbook(lambda book: setattr(book.create_sheet("hidden", 0), "sheet_state", "hidden")),
        EMPTY,
        OK,
    )
    yield _xlsx("a chart sheet alone", _only_chart, UNREADABLE)
    yield _xlsx(
        "header twice",
        lambda: workbook(lambda book: [book.active.cell(9, n + 1, name) for n, name in enumerate(NAMES)]),
        "header_repeated",
    )
    yield _xlsx("column twice", lambda: workbook(_set("G1", "n")), REPEATED)
    yield _xlsx("column unlisted", lambda: workbook(_set("H1", "more")), UNLISTED)
    yield _xlsx("long text", lambda: workbook(_set("G2", "z" * 32_767)), OK)


def _xml() -> Iterator[Case]:
    def sheet(name: str, change: Callable[[bytes], bytes], *ends: str) -> Case:
        return _xlsx(name, lambda: replaced(SHEET, change), *ends)

    entity = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    for number in range(12):
        name, of = chr(99 + number), chr(98 + number)
        entity += f'<!ENTITY {name} "{f"&{of};" * 10}">'.encode()
    yield sheet("entity bomb", lambda old: _doctype(old, entity + b"]>", b"&n;"), UNREADABLE)
    outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    yield sheet("entity of a file", lambda old: _doctype(old, outside, b"&a;"), UNREADABLE)
    yield sheet(
        "entity of another server",
        lambda old: _doctype(old, outside.replace(b"file:///etc/passwd", b"http://x.example/"), b"&a;"),
        UNREADABLE,
    )
    quadratic = b'<!DOCTYPE x [<!ENTITY a "' + b"z" * 100_000 + b'">]>'
    yield sheet("quadratic entities", lambda old: _doctype(old, quadratic, b"&a;" * 20_000), UNREADABLE)
    yield _xlsx(
        "strings beyond the table",
        lambda: replaced(SHEET, lambda old: old.replace(b't="s"><v>3</v>', b't="s"><v>99999</v>')),
        UNREADABLE,
    )
    yield _xlsx(
        "strings below zero",
        lambda: replaced(SHEET, lambda old: old.replace(b't="s"><v>3</v>', b't="s"><v>-1</v>')),
        OK,
        UNREADABLE,
        UNLISTED,
        REPEATED,
    )
    yield sheet("row number of a milliard", lambda old: old.replace(b'<row r="9"', b'<row r="999999999"'), UNREADABLE)
    yield sheet("row number of words", lambda old: old.replace(b'<row r="9"', b'<row r="nine"'), UNREADABLE)
    yield sheet("row number below zero", lambda old: old.replace(b'<row r="9"', b'<row r="-9"'), OK, UNREADABLE)
    yield sheet("rows out of order", lambda old: old.replace(b'<row r="9"', b'<row r="2"'), OK, UNREADABLE)
    yield sheet("cell without place", lambda old: old.replace(b' r="C5"', b""), OK, UNREADABLE, INVALID)
    yield sheet("cell of a strange place", lambda old: old.replace(b' r="C5"', b' r="$$"'), UNREADABLE)
    yield sheet("column beyond Excel", lambda old: old.replace(b' r="C5"', b' r="ZZZZ5"'), UNREADABLE)
    yield sheet(
        "number of words", lambda old: old.replace(b'r="B5" t="n"><v>3</v>', b'r="B5" t="n"><v>three</v>'), UNREADABLE
    )
    yield sheet(
        "date beyond the calendar",
        lambda old: old.replace(b"<v>46336</v>", b"<v>99999999999</v>"),
        OK,
        INVALID,
        UNREADABLE,
    )
    yield sheet("unknown cell type", lambda old: old.replace(b't="n"', b't="zz"'), OK, INVALID, UNREADABLE)
    yield sheet(
        "a million empty rows", lambda old: old.replace(b"</sheetData>", b"<row/>" * 1_000_000 + b"</sheetData>"), OK
    )
    yield sheet(
        "two million empty rows",
        lambda old: old.replace(b"</sheetData>", b"<row/>" * 2_000_000 + b"</sheetData>"),
        UNREADABLE,
    )
    yield sheet(
        "4 million strange elements",
        lambda old: old.replace(b"</sheetData>", b"<z/>" * 4_000_000 + b"</sheetData>"),
        OK,
        UNREADABLE,
    )
    yield sheet(
        "deep elements",
        lambda old: old.replace(b"</sheetData>", b"<z>" * 300_000 + b"</z>" * 300_000 + b"</sheetData>"),
        OK,
        UNREADABLE,
    )
    yield sheet(
        "wide empty rows",
        lambda old: old.replace(b"</sheetData>", b'<row><c r="XFD1"/></row>' * 100_000 + b"</sheetData>"),
        OK,
        UNREADABLE,
    )
    yield _xlsx(
        "10 million empty strings",
        lambda: replaced(STRINGS, lambda old: old.replace(b"</sst>", b"<si/>" * 10_000_000 + b"</sst>")),
        OK,
        UNREADABLE,
    )
    yield _xlsx(
        "5 million styles",
        lambda: replaced("xl/styles.xml", lambda old: old.replace(b"</cellXfs>", b"<xf/>" * 5_000_000 + b"</cellXfs>")),
        BOMB,
    )
    yield _xlsx(
        "10000 sheets named",
        lambda: replaced(
            BOOK,
            lambda old: old.replace(b"</sheets>", b'<sheet name="a" sheetId="1" r:id="rId1"/>' * 10_000 + b"</sheets>"),
        ),
        OK,
        UNREADABLE,
    )


def _doctype(old: bytes, doctype: bytes, reference: bytes) -> bytes:
    start = old.index(b"?>") + 2 if old.startswith(b"<?xml") else 0
    body = old[start:].replace(
        b"<sheetData>", b'<sheetData><row><c t="inlineStr"><is><t>' + reference + b"</t></is></c></row>"
    )
    return old[:start] + doctype + body


def _plain_number(book: Workbook, place: str) -> None:
    book.active[place].value = 46336
    book.active[place].number_format = "General"


def _only_chart() -> bytes:
    def change(book: Workbook) -> None:
        book.create_chartsheet("chart", 0)
        book.remove(book["Sheet"])

    return workbook(change)


def _zip(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()
