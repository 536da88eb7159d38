"""Every format opens to the same relation; every damaged file is refused with its code, and without its content."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.agreement.model import Feed
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from acequia.receive.formats import unpack
from acequia.receive.formats.opened import ROW, stage
from acequia.receive.formats.opening import open_file

CANARY = "Naledi Motsumi"
WORDS = ["Dikgang tsa mošomo", "šebelo", "ñandú", "Paysandú", "São", "ŋwana", "€5", "Mogoeng 😀"]


def made_feed(columns: dict[str, Any] | None = None, form: str = "csv", **options: Any) -> Feed:
    delivery = {key: options.pop(key) for key in ("bytes_at_most", "rows_between") if key in options}
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "{period}/*"},
                "format": form,
                "options": options,
                "schedule": "0 6 * * *",
                "timezone": "Africa/Gaborone",
                "period": "day",
                "due_within_hours": 30,
                **delivery,
            },
            "columns": columns
            or {
                "name": {"type": "string", "treat": "keep", "keep_because": "made up"},
                "n": {"type": "integer", "treat": "keep"},
                "note": {"type": "string", "treat": "drop", "required": False},
            },
            "tables": {
                "all": {
                    "describe": "Everything.",
                    "by": (),
                    "measures": {"rows_count": {"count": "rows"}},
                    "protect": {"none_because": "a test"},
                }
            },
        }
    )


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Write a file, open it, read its rows in order; check that the numbered relation numbers the same rows."""
    connection = connect("500MB", tmp_path)
    count = 0

    def run(content: bytes, feed: Feed | None = None) -> list[dict[str, Any]]:
        nonlocal count
        count += 1
        path = tmp_path / f"in-{count}"
        path.write_bytes(content)
        opened = open_file(connection, path, feed or made_feed(), tmp_path)
        values = ", ".join(f'{column.sql} AS "{name}"' for name, column in opened.columns.items())
        target = tmp_path / f"out-{count}.parquet"
        rows = stage(connection, opened, lambda relation: f"SELECT {values}, trouble FROM {relation}", target)
        read = connection.execute(
            f"SELECT * EXCLUDE trouble FROM read_parquet('{target}', file_row_number=true) ORDER BY file_row_number"
        )
        names = [column[0] for column in read.description][:-1]
        found = [dict(zip(names, row[:-1], strict=True)) for row in read.fetchall()]
        assert len(found) == rows
        numbered = connection.execute(f"SELECT {ROW}, {values} FROM {opened.numbered} ORDER BY {ROW}").fetchall()
        assert numbered == [(place, *row.values()) for place, row in enumerate(found, start=1)]
        return found

    yield run
    connection.close()


def refused(opens: Callable[..., Any], content: bytes, feed: Feed | None = None) -> AcequiaError:
    """The refusal, once it is sure that neither it nor its traceback quotes the file."""
    with pytest.raises(AcequiaError) as caught:
        opens(content, feed)
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert CANARY not in said
    assert CANARY.split()[0] not in said
    return caught.value


PLAIN = "name,n,note\nMpho,1,a\nThabo,2,\n"
ROWS = [{"name": "Mpho", "n": "1", "note": "a"}, {"name": "Thabo", "n": "2", "note": None}]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (PLAIN.encode(), {}),
        (b"\xef\xbb\xbf" + PLAIN.encode(), {}),
        (PLAIN.replace("\n", "\r\n").encode(), {}),
        (PLAIN.replace("\n", "\r").encode(), {}),
        (PLAIN.rstrip("\n").encode(), {}),
        (PLAIN.replace("Thabo", "\nThabo").encode(), {}),
        (("\n\n" + PLAIN + "\n\n").encode(), {}),
        (PLAIN.replace(",", ";").encode(), {"delimiter": ";"}),
        (PLAIN.replace(",", "\t").encode(), {"delimiter": "\t"}),
        (PLAIN.replace("Mpho", "'Mpho'").encode(), {"quote": "'"}),
        (PLAIN.encode("utf-16"), {"encoding": "utf-16"}),
        (PLAIN.encode("utf-16-le"), {"encoding": "utf-16-le"}),
        (PLAIN.encode("utf-8-sig"), {"encoding": "utf-8-sig"}),
        (PLAIN.encode("cp500"), {"encoding": "cp500"}),
        (PLAIN.split("\n", 1)[1].encode(), {"header": False}),
        ((" name , n,note\n" + PLAIN.split("\n", 1)[1]).encode(), {}),
        (gzip.compress(PLAIN.encode(), mtime=0), {}),
        (gzip.compress(PLAIN[:20].encode(), mtime=0) + gzip.compress(PLAIN[20:].encode(), mtime=0), {}),
        (gzip.compress(PLAIN.encode("latin-1"), mtime=0), {"encoding": "latin-1"}),
        (b"name,n,note\r\nMpho,1,a\nThabo,2,\r\n", {}),
    ],
    ids=[
        "plain", "mark", "crlf", "old mac", "no last line end", "empty line", "empty lines around", "semicolon", "tab",
        "quote", "utf-16", "utf-16 without mark", "utf-8-sig", "ebcdic", "no header", "blanks in header", "gzip",
        "gzip of two members", "gzip of latin-1", "mixed line ends",
    ],
)  # fmt: skip
def test_the_same_rows_however_a_csv_file_is_written(opens, content, options):
    assert opens(content, made_feed(**options)) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "gb18030"])
def test_letters_of_setswana_and_spanish_survive(opens, encoding):
    text = "name,n\n" + "".join(f"{word},1\n" for word in WORDS)
    assert [row["name"] for row in opens(text.encode(encoding), made_feed(encoding=encoding))] == WORDS


def test_a_latin_1_file_is_read_as_such(opens):
    found = opens("name,n\nPeñarol áéíóú,1\n".encode("latin-1"), made_feed(encoding="latin-1"))
    assert found[0]["name"] == "Peñarol áéíóú"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("more", [",", ',""', ",,", ",,,,"])
def test_empty_values_behind_the_last_column_are_too_many(opens, more, end):
    # A row that slipped by one column looks like this, too.
    text = f'name,n,note\n"x,\n",1,\n{CANARY},2,{more}'.replace("\n", end or "\n") + end
    error = refused(opens, text.encode())
    assert error.code == "file_unreadable"
    assert "holds more values than there are columns" in error.what


def test_an_empty_last_column_is_none_too_many(opens):
    found = opens(b'name,n,note\n"x,\ny",1,""\nMpho,2,\n"Thabo",,')
    assert [row["n"] for row in found] == ["1", "2", None]


def test_line_ends_inside_quotes_are_data(opens):
    found = opens(b'name,n\r\n"two\nlines",1\r\n"two\r\nmore",2\r\n')
    assert [row["name"] for row in found] == ["two\nlines", "two\r\nmore"]


def test_quotes_inside_values(opens):
    found = opens(b'name,n\n5" nail,1\n"a ""b"" c",2\n')
    assert [row["name"] for row in found] == ['5" nail', 'a "b" c']


@pytest.mark.parametrize(
    ("nulls", "expected"),
    [
        (("",), [None, "NA", "-"]),
        (("NA",), ["", None, "-"]),
        (("", "NA", "-"), [None, None, None]),
        ((), ["", "NA", "-"]),
    ],
)
def test_the_agreed_texts_are_null_and_no_others(opens, nulls, expected):
    assert [row["name"] for row in opens(b'name,n\n"",1\nNA,1\n"-",1\n', made_feed(null_values=nulls))] == expected


def test_columns_may_come_in_another_order_and_optional_ones_not_at_all(opens):
    assert opens(b"n,name\n1,Mpho\n") == [{"name": "Mpho", "n": "1"}]
    assert opens(b"Mpho,1\n", made_feed(header=False)) == [{"name": "Mpho", "n": "1"}]


def test_a_name_in_other_letters_is_another_name(opens):
    assert refused(opens, b"Name,n\nMpho,1\n").code == "column_unlisted"


def test_a_header_alone_is_a_file_without_rows(opens):
    assert opens(b"name,n\n") == []
    assert opens(b"name,n") == []


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "xlsx"])
def test_an_empty_file_is_file_empty(opens, form):
    assert refused(opens, b"", made_feed(form=form)).code == "file_empty"


@pytest.mark.parametrize("content", [b"\n\n\n", b"\xef\xbb\xbf", b",,\n", gzip.compress(b"", mtime=0)])
def test_a_file_without_even_a_header_is_file_empty(opens, content):
    assert refused(opens, content).code == "file_empty"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (f"name,n\nMpho,1\n{CANARY}\n", "file_unreadable", "line 3 holds fewer values"),
        (f"name,n\nMpho,1\n{CANARY},1,2,3\n", "file_unreadable", "line 3 holds more values"),
        (f'name,n\nMpho,1\n"{CANARY},2\nThabo,3\n', "file_unreadable", "line 3 holds a quote that is not closed"),
        (f'name,n\nMpho,1\n"a"{CANARY},2\n', "file_unreadable", "line 3"),
        (f"{CANARY},7\nMpho,1\n", "column_unlisted", "2 column(s) arrived that the agreement does not list"),
        (f"name,n,{CANARY}\nMpho,1,x\n", "column_unlisted", "1 column(s) arrived"),
        (f"name,note\n{CANARY},1\n", "column_missing", "agreed columns did not arrive: n"),
        (f"name,n,n\n{CANARY},1,2\n", "column_repeated", "more than once: n"),
        (f"name,n\n{CANARY},1\nname,n\n{CANARY},1\n", "header_repeated", "in row 2"),
        (f"name;n\n{CANARY};1\n", "column_unlisted", "of the agreed ones these are missing: name, n"),
    ],
)
def test_a_bad_csv_file_is_refused_by_name_and_place_only(opens, content, code, said):
    error = refused(opens, content.encode())
    assert error.code == code
    assert said in error.what


def test_a_file_without_header_that_has_one_is_refused(opens):
    assert refused(opens, PLAIN.encode(), made_feed(header=False)).code == "header_repeated"
    assert refused(opens, b"Mpho\n", made_feed(header=False)).code == "column_missing"
    assert refused(opens, b"a,1,b,c\n", made_feed(header=False)).code == "column_unlisted"


def test_the_first_of_many_bad_lines_is_named_in_a_long_file(opens):
    lines = [f"{n},{n}" for n in range(200_000)]
    lines[150_000] = lines[190_000] = CANARY
    error = refused(opens, ("name,n\n" + "\n".join(lines)).encode())
    assert (error.code, "line 150002 " in error.what) == ("file_unreadable", True)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (f"name,n\n{CANARY} ñ,1\n".encode("latin-1"), "utf-8"),
        (PLAIN.encode("utf-16"), "utf-8"),
        (PLAIN.encode("utf-16-le"), "utf-8"),
        (f"name,n\n{CANARY} ñ,1\n".encode(), "ascii"),
        (PLAIN.encode() + b"x", "utf-16-le"),
        (gzip.compress(f"name,n\n{CANARY} ñ,1\n".encode("latin-1"), mtime=0), "utf-8"),
        (b"name,n\nMpho,1\n" + "ñ".encode()[:1], "utf-8"),
    ],
)
def test_a_wrong_encoding_is_refused(opens, content, encoding):
    assert refused(opens, content, made_feed(encoding=encoding)).code == "encoding_wrong"


@pytest.mark.parametrize("cut", [3, 12, 40, -9, -1])
def test_a_truncated_gzip_file_is_refused(opens, cut):
    packed = gzip.compress((PLAIN + f"{CANARY},3,\n" * 50).encode())
    assert refused(opens, packed[:cut]).code == "file_truncated"


def test_a_damaged_gzip_file_is_refused(opens):
    packed = bytearray(gzip.compress(PLAIN.encode()))
    packed[-6] ^= 0xFF  # its checksum
    assert refused(opens, bytes(packed)).code == "file_truncated"
    assert refused(opens, gzip.compress(PLAIN.encode()) + b"more").code == "file_truncated"


def test_an_archive_bomb_is_refused_by_its_ratio(opens, monkeypatch):
    monkeypatch.setattr(unpack, "RATIO_FREE", 1 << 20)
    bomb = gzip.compress(b"name,n\n" + b"a,1\n" * 1_000_000)
    assert len(bomb) * unpack.RATIO_AT_MOST < 4_000_000
    assert refused(opens, bomb).code == "archive_bomb"
    assert refused(opens, zipped({"a.csv": b"a,1\n" * 1_000_000})).code == "archive_bomb"


def test_an_archive_bomb_is_refused_by_the_agreed_size(opens):
    packed = gzip.compress(b"name,n\n" + b"a,1\n" * 100_000)
    assert len(opens(packed, made_feed(bytes_at_most=1_000_000))) == 100_000
    assert refused(opens, packed, made_feed(bytes_at_most=10_000)).code == "archive_bomb"


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def test_a_zip_archive_of_one_file_is_read(opens):
    assert opens(zipped({"data/part.csv": PLAIN.encode(), "__MACOSX/._part.csv": b"x"})) == ROWS


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "file_unreadable"),
        ({"a.csv": b"name,n\n", f"{CANARY}.csv": b"name,n\n"}, "file_unreadable"),
        ({f"../{CANARY}.csv": PLAIN.encode()}, "name_escapes"),
        ({f"/{CANARY}.csv": PLAIN.encode()}, "name_escapes"),
        ({f"a\\..\\{CANARY}.csv": PLAIN.encode()}, "name_escapes"),
    ],
)
def test_other_archives_are_refused(opens, files, code):
    assert refused(opens, zipped(files)).code == code


def test_a_truncated_or_encrypted_zip_archive_is_refused(opens):
    packed = zipped({"a.csv": PLAIN.encode() * 50})
    assert refused(opens, packed[:-30]).code == "file_truncated"
    encrypted = packed.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    )
    assert refused(opens, encrypted).code == "file_unreadable"


# JSON lines


def lines(*objects: Any) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in objects).encode()


JSONL = made_feed(form="jsonl")


def test_json_lines_become_texts(opens):
    found = opens(
        lines({"name": "Mpho", "n": 1}, {"n": 2.5, "name": None}, {"name": True, "n": "7", "note": 'a "b" ñ\n'})
        + b'\n{"name":"\\u0161","n":17850.0}\n',
        JSONL,
    )
    assert found == [
        {"name": "Mpho", "n": "1", "note": None},
        {"name": None, "n": "2.5", "note": None},
        {"name": "true", "n": "7", "note": 'a "b" ñ\n'},
        {"name": "š", "n": "17850.0", "note": None},
    ]


@pytest.mark.parametrize(
    "change",
    [
        gzip.compress,
        lambda plain: b"\xef\xbb\xbf" + plain,
        lambda plain: plain.replace(b"\n", b"\r\n"),
        lambda plain: plain.replace(b"\n", b"\r"),
        lambda plain: plain.rstrip(b"\n"),
    ],
    ids=["gzip", "mark", "crlf", "old mac", "no last line end"],
)
def test_the_same_rows_however_json_lines_are_written(opens, change):
    plain = lines({"name": "Mpho", "n": 1}, {"name": "Thabo", "n": 2})
    assert [row["name"] for row in opens(change(plain), JSONL)] == ["Mpho", "Thabo"]


def test_odd_column_names_are_found_in_json_lines(opens):
    names = ["a.b", "a/b", "~c", "d e", "é", "$", "x'y", "[0]"]
    feed = made_feed({name: {"type": "string", "treat": "keep"} for name in names}, form="jsonl")
    assert opens(lines({name: name for name in names}), feed) == [{name: name for name in names}]


def test_a_required_key_may_be_absent_from_some_rows_but_not_from_all(opens):
    late = lines(*[{"name": "a"}] * 1500, {"name": "b", "n": 1})
    assert len(opens(late, JSONL)) == 1501
    error = refused(opens, lines(*[{"name": CANARY}] * 1500), JSONL)
    assert (error.code, error.what) == ("column_missing", "agreed columns did not arrive: n")


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (lines({"name": "a", "n": 1}, {"name": CANARY, "n": 1, CANARY: 1}), "column_unlisted", "1 column(s)"),
        (lines({"name": "a", "n": 1}, {"name": {"first": CANARY}, "n": 1}), "file_unreadable", "row 2 holds a list or"),
        (lines({"name": "a", "n": [CANARY]}), "file_unreadable", "row 1 holds a list or"),
        (lines({"name": "a", "n": 1}) + f'{{"name": "{CANARY}'.encode(), "file_unreadable", "row 2 is not one JSON"),
        (lines({"name": "a", "n": 1}) + f"[\"{CANARY}\"]\n".encode(), "file_unreadable", "row 2 is not one JSON"),
        (lines({"name": "a", "n": 1}) + b"null\n", "file_unreadable", "row 2 is not one JSON"),
        (f'{{"name": "a", "n": 1}} {{"name": "{CANARY}", "n": 1}}\n'.encode(), "file_unreadable", "row 1 is not one"),
        (f'{{"name": "a", "n": 1, "name": "{CANARY}"}}\n'.encode(), "column_repeated", "row 1 holds a key twice"),
        (f'[{{"name": "{CANARY}", "n": 1}}]\n'.encode(), "file_unreadable", "row 1 is not one JSON"),
        (b"\n\n", "file_empty", ""),
        (lines({"name": CANARY, "n": 1}).replace(b"a", b"\xe1"), "encoding_wrong", ""),
    ],
)  # fmt: skip
def test_bad_json_lines_are_refused_by_place_only(opens, content, code, said):
    error = refused(opens, content, JSONL)
    assert error.code == code
    assert said in error.what


def test_the_order_of_long_files_is_kept(opens):
    many = 200_000
    found = opens(("name,n\n" + "".join(f"r{n},{n}\n" for n in range(many))).encode())
    assert [int(row["n"]) for row in found] == list(range(many))
    found = opens(lines(*({"name": "a", "n": n} for n in range(many // 4))), JSONL)
    assert [int(row["n"]) for row in found] == list(range(many // 4))


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6), end=st.sampled_from(["\n", "\r\n"]))
def test_what_pythons_csv_writes_is_read_alike(opens, rows, end):
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("name", "n", "note"), *rows])
    found = opens(made.getvalue().encode(), made_feed(null_values=()))
    assert [tuple(row.values()) for row in found] == rows


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_what_pythons_json_writes_is_read_alike(opens, rows):
    found = opens(lines(*({"name": name, "n": n} for name, n in rows)), JSONL)
    assert [(row["name"], row["n"]) for row in found] == rows


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60), form=st.sampled_from(["csv", "jsonl", "parquet", "xlsx"]))
def test_any_bytes_are_read_or_refused_with_a_code(opens, content, form):
    try:
        opens(content, made_feed(form=form))
    except AcequiaError as error:
        assert error.exit_code == 4  # noqa: PT017
        assert not re.search(r"engine", error.what)
