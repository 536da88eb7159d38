"""Crooked JSON lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from tests.malformed.cases import OK, Case, case
from tests.malformed.crooked import NAMES, rows

UNREADABLE, EMPTY, INVALID, ENCODING = "file_unreadable", "file_empty", "rows_invalid", "encoding_wrong"
UNLISTED, MISSING, REPEATED = "column_unlisted", "column_missing", "column_repeated"


def objects() -> list[dict]:
    found = []
    for record in rows():
        one: dict = dict(zip(NAMES, record, strict=True))
        found.append({**one, "n": int(one["n"]), "x": float(one["x"]), "ok": one["ok"] == "true"})
    return found


def lines(made: list[dict] | None = None) -> str:
    return "".join(json.dumps(one) + "\n" for one in (objects() if made is None else made))


PLAIN = lines()
FIRST = PLAIN.splitlines()[0]


def with_raw(column: str, raw: str) -> str:
    """Every object with this JSON in place of the column's value."""
    marked = [{**one, column: "\0mark"} for one in objects()]
    return lines(marked).replace('"\\u0000mark"', raw)


def _jsonl(name: str, make: object, *ends: str, file: str = "2026-11-10.jsonl") -> Case:
    return case("jsonl", name, make, *ends, file=file)  # type: ignore[arg-type]


def cases() -> Iterator[Case]:
    yield _jsonl("sound", PLAIN, OK)
    yield _jsonl("packed", gzip.compress(PLAIN.encode()), OK, file="2026-11-10.jsonl.gz")
    yield _jsonl("empty", b"", EMPTY)
    yield _jsonl("blank", b"\n \n\t\n", EMPTY, UNREADABLE)
    yield _jsonl("bom", "\ufeff" + PLAIN, OK)
    yield _jsonl("utf-16", PLAIN.encode("utf-16"), ENCODING)
    yield _jsonl("nul", PLAIN + "\0", ENCODING)
    yield _jsonl("invalid utf-8", PLAIN.encode().replace(b"note 20", b"\xff"), ENCODING)
    yield _jsonl("crlf", PLAIN.replace("\n", "\r\n"), OK)
    yield _jsonl("lone cr", PLAIN.replace("\n", "\r"), OK, UNREADABLE)
    yield _jsonl("no last line end", PLAIN.rstrip(), OK)
    yield _jsonl("cut last line", PLAIN[:-20], UNREADABLE)
    yield _jsonl("one array", json.dumps(objects()), UNREADABLE, OK)
    yield _jsonl("pretty printed", json.dumps(objects()[0], indent=1), UNREADABLE)
    yield _jsonl("two objects on a line", PLAIN.replace("}\n{", "}{", 1), UNREADABLE)
    yield _jsonl("comma between", PLAIN.replace("}\n", "},\n"), UNREADABLE)
    for name, raw in (
        ("null", "null"),
        ("number", "7"),
        ("string", '"text"'),
        ("array", "[1, 2]"),
        ("true", "true"),
        ("word", "undefined"),
        ("comment", "// no"),
        ("single quotes", "{'id': 1}"),
    ):
        yield _jsonl(f"a line that is {name}", PLAIN + raw + "\n", UNREADABLE)
    yield _jsonl("an empty object", PLAIN + "{}\n", OK, INVALID)
    yield _jsonl("only empty objects", "{}\n" * 50, MISSING)
    yield _jsonl("deep arrays", "[" * 200_000 + "]" * 200_000 + "\n", UNREADABLE)
    yield _jsonl("deep objects", '{"a":' * 200_000 + "1" + "}" * 200_000 + "\n", UNREADABLE, MISSING, UNLISTED)
    yield _jsonl("deep in a value", with_raw("note", "[" * 50_000 + "]" * 50_000), UNREADABLE)
    yield _jsonl("nested object", with_raw("note", '{"a": 1}'), UNREADABLE)
    yield _jsonl("nested list", with_raw("note", "[1]"), UNREADABLE)
    yield _jsonl("key twice", PLAIN.replace('"note"', '"n": 1, "note"'), REPEATED)
    yield _jsonl(
        "key twice by an escape", PLAIN.replace('"note"', '"\\u006e": 1, "note"'), REPEATED, UNLISTED, UNREADABLE
    )
    yield _jsonl("unlisted key", PLAIN.replace('"note"', '"other"'), UNLISTED)
    yield _jsonl("unlisted key once", PLAIN.replace('"note": "note 20"', '"other": 1'), UNLISTED)
    yield _jsonl("empty key", PLAIN.replace('"note"', '""'), UNLISTED)
    yield _jsonl("key with a nul", PLAIN.replace('"note"', '"no\\u0000te"'), UNLISTED, UNREADABLE)
    yield _jsonl("key of another case", PLAIN.replace('"id"', '"ID"'), UNLISTED, MISSING)
    yield _jsonl(
        "missing key",
        PLAIN.replace('"id": ', '"note": ').replace(', "note": "note', ', "id_": "note'),
        MISSING,
        UNLISTED,
        REPEATED,
    )
    yield _jsonl("key with a slash", PLAIN.replace('"note"', '"note/../id"'), UNLISTED)
    yield _jsonl("a million distinct keys", _many_keys, UNLISTED)
    yield _jsonl("a line of 100 MB", lambda: PLAIN.replace("note 20", "z" * 100_000_000).encode(), UNREADABLE)
    yield _jsonl("100 MB without line end", lambda: b'{"id": "' + b"z" * 100_000_000, UNREADABLE, MISSING)
    yield _jsonl("a web page", "<!doctype html><html></html>", UNREADABLE, MISSING)
    yield _jsonl("csv", "id,n,x\n1,2,3\n", UNREADABLE, MISSING)
    yield _jsonl("lone surrogate", with_raw("note", '"\\ud800"'), UNREADABLE, OK)
    yield _jsonl("nul in a text", with_raw("note", '"a\\u0000b"'), OK, UNREADABLE)
    yield _jsonl("nul in an id", with_raw("id", '"a\\u0000b"'), OK, UNREADABLE)
    for name, raw, *ends in (
        ("nan", "NaN", INVALID),
        ("infinity", "Infinity", INVALID),
        ("minus infinity", "-Infinity", INVALID),
        ("1e400", "1e400", INVALID, UNREADABLE),
        ("huge integer", "9" * 5000, INVALID, UNREADABLE),
        ("hex", "0x10", UNREADABLE),
        ("plus", "+1", UNREADABLE),
        ("leading zero", "01", UNREADABLE),
        ("leading dot", ".5", UNREADABLE),
        ("trailing dot", "5.", UNREADABLE),
        ("true", "true", INVALID, OK),
        ("empty text", '""', INVALID),
        ("null", "null", INVALID),
        ("text number", '"12"', OK),
        ("minus zero", "-0", OK, INVALID),
        ("1e2", "1e2", OK),
        ("many digits", "1." + "0" * 3000, OK, INVALID),
    ):
        yield _jsonl(f"number {name}", with_raw("n", raw), *ends)
    yield _jsonl("boolean as text", with_raw("ok", '"perhaps"'), INVALID)
    yield _jsonl("date 31 february", with_raw("day", '"2026-02-31"'), INVALID)


def _many_keys() -> bytes:
    keys = (json.dumps({f"k{number}{place}": 1 for place in range(20)}) for number in range(50_000))
    return PLAIN.encode() + "\n".join(keys).encode() + b"\n"
