"""Parquet files and Excel workbooks, sound and damaged."""

from __future__ import annotations

import io
import traceback
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.agreement.model import Feed
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from acequia.receive.formats import sheet, unpack
from acequia.receive.formats.opened import ROW, Opened, stage
from acequia.receive.formats.opening import open_file

CANARY = "Naledi Motsumi"


def made_feed(form: str, columns: dict[str, Any] | None = None, **options: Any) -> Feed:
    delivery = {key: options.pop(key) for key in ("bytes_at_most", "rows_between") if key in options}
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "{period}/*"},
                "format": form,
                "options": options,
                "schedule": "0 6 * * *",
                "timezone": "America/Montevideo",
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


PARQUET, XLSX = made_feed("parquet"), made_feed("xlsx")


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Callable[..., tuple[Opened, list[dict[str, Any]]]]]:
    """Write a file, open it, read its rows in order as texts."""
    connection = connect("500MB", tmp_path)
    count = 0

    def run(content: bytes, feed: Feed) -> tuple[Opened, list[dict[str, Any]]]:
        nonlocal count
        count += 1
        path = tmp_path / f"in-{count}"
        path.write_bytes(content)
        opened = open_file(connection, path, feed, tmp_path)
        values = ", ".join(f'CAST({column.sql} AS VARCHAR) AS "{name}"' for name, column in opened.columns.items())
        target = tmp_path / f"out-{count}.parquet"
        stage(connection, opened, lambda relation: f"SELECT {values}, trouble FROM {relation}", target)
        found = pq.read_table(target).drop_columns("trouble").to_pylist()
        numbers = connection.execute(f"SELECT {ROW} FROM {opened.numbered} ORDER BY {ROW}").fetchall()
        assert [number for (number,) in numbers] == list(range(1, len(found) + 1))
        return opened, found

    yield run
    connection.close()


def refused(opens: Callable[..., Any], content: bytes, feed: Feed) -> AcequiaError:
    """The refusal, once it is sure that neither it nor its traceback quotes the file."""
    with pytest.raises(AcequiaError) as caught:
        opens(content, feed)
    assert CANARY.split()[0] not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    return caught.value


def parquet(columns: dict[str, Any] | pa.Table, **options: Any) -> bytes:
    made = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), made, **options)
    return made.getvalue()


SOUND = parquet({"name": [CANARY, "Thabo"], "n": [1, 2]})


def test_parquet_columns_keep_their_kind(opens):
    at = datetime(2026, 11, 16, 12, 30)  # noqa: DTZ001
    columns = {
        "text": pa.array(["ñ"]),
        "dictionary": pa.array(["ñ"]).dictionary_encode(),
        "large": pa.array(["ñ"], pa.large_string()),
        "bytes": pa.array(["ñ".encode()], pa.binary()),
        "small": pa.array([1], pa.int8()),
        "unsigned": pa.array([2**64 - 1], pa.uint64()),
        "float": pa.array([1.5], pa.float32()),
        "double": pa.array([1.5]),
        "decimal": pa.array([Decimal("1.50")]),
        "flag": pa.array([True]),
        "day": pa.array([date(2026, 11, 16)]),
        "naive": pa.array([at], pa.timestamp("us")),
        "nanos": pa.array([at], pa.timestamp("ns")),
        "zoned": pa.array([at], pa.timestamp("us", "America/New_York")),
        "clock": pa.array([time(1, 2)]),
        "nothing": pa.array([None]),
    }
    feed = made_feed("parquet", {name: {"type": "string", "treat": "keep"} for name in columns})
    opened, found = opens(parquet(columns), feed)
    assert {name: column.kind for name, column in opened.columns.items()} == {
        "text": "text", "dictionary": "text", "large": "text", "bytes": "text", "small": "integer",
        "unsigned": "integer", "float": "float", "double": "float", "decimal": "decimal", "flag": "boolean",
        "day": "date", "naive": "timestamp", "nanos": "timestamp", "zoned": "zoned", "clock": "other",
        "nothing": opened.columns["nothing"].kind,
    }  # fmt: skip
    assert found[0]["bytes"] == "ñ"
    assert found[0]["unsigned"] == str(2**64 - 1)


def test_parquet_columns_are_found_by_name(opens):
    content = parquet({"n": [1], "name": ["a"]})
    assert opens(content, PARQUET)[1] == [{"name": "a", "n": "1"}]


@pytest.mark.parametrize(
    ("columns", "code", "said"),
    [
        ({"name": [CANARY], "n": [1], CANARY: [1]}, "column_unlisted", "1 column(s)"),
        ({"name": [CANARY]}, "column_missing", "n"),
        ({"name": [[CANARY]], "n": [1]}, "file_unreadable", "column name holds lists"),
        ({"name": [{"first": CANARY, "n": 1}], "n": [1]}, "file_unreadable", "column name holds lists or records"),
        (pa.table([[CANARY], [1], [2]], names=["name", "n", "n"]), "column_repeated", "n"),
        ({"name": [b"\xff" + CANARY.encode()], "n": [1]}, "encoding_wrong", ""),
        ({"name": [CANARY] * 11, "n": [1] * 11}, "rows_outside_range", "11 rows; the agreement allows 10"),
    ],
)
def test_a_bad_parquet_file_is_refused_by_name_only(opens, columns, code, said):
    feed = made_feed("parquet", rows_between=(1, 10))
    error = refused(opens, parquet(columns), feed)
    assert error.code == code
    assert said in error.what


@pytest.mark.parametrize("cut", [1, 4, 11, 50, -200, -8, -4, -1])
def test_a_truncated_parquet_file_is_refused(opens, cut):
    assert refused(opens, SOUND[:cut], PARQUET).code in ("file_truncated", "file_unreadable")
    if cut > 4 or cut < 0:
        assert refused(opens, SOUND[:cut], PARQUET).code == "file_truncated"


def test_what_is_no_parquet_file_is_refused(opens):
    assert refused(opens, f"name,n\n{CANARY},1\n".encode(), PARQUET).code == "file_unreadable"
    assert refused(opens, SOUND[:100] + SOUND[-8:], PARQUET).code == "file_unreadable"


def test_a_parquet_bomb_is_refused_by_what_its_footer_states(opens, monkeypatch):
    monkeypatch.setattr(unpack, "RATIO_FREE", 1 << 20)
    bomb = parquet({"name": ["a" * 1000] * 200_000, "n": [1] * 200_000}, use_dictionary=False, compression="zstd")
    assert len(bomb) * 200 < 200_000_000
    assert refused(opens, bomb, PARQUET).code == "archive_bomb"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=4, max_value=len(SOUND) - 5), value=st.integers(min_value=0, max_value=255))
def test_a_damaged_parquet_file_is_read_or_refused_with_a_code(opens, place, value):
    damaged = bytearray(SOUND)
    damaged[place] = value
    try:
        opens(bytes(damaged), PARQUET)
    except AcequiaError as error:
        assert error.exit_code == 4  # noqa: PT017
        assert CANARY.split()[0] not in "".join(traceback.format_exception(error))


def test_the_same_rows_of_a_file_with_many_row_groups(opens):
    content = parquet({"name": ["a"] * 50_000, "n": list(range(50_000))}, row_group_size=700)
    assert [int(row["n"]) for row in opens(content, PARQUET)[1]] == list(range(50_000))


# Excel


def workbook(
    *rows: tuple[Any, ...], title: str = "data", more: dict[str, list[tuple[Any, ...]]] | None = None
) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for name, others in (more or {}).items():
        other = book.create_sheet(name)
        for row in others:
            other.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


HEAD = ("name", "n", "note")


def test_cells_become_texts(opens):
    content = workbook(
        HEAD,
        ("ñandú", 12, None),
        (17850.0, 2.5, "x"),
        (True, datetime(2026, 11, 16, 6, 30), date(2026, 11, 16)),  # noqa: DTZ001
        ("NA", "", "=1+1"),
    )
    feed = made_feed("xlsx", null_values=("", "NA"))
    assert opens(content, feed)[1] == [
        {"name": "ñandú", "n": "12", "note": None},
        {"name": "17850", "n": "2.5", "note": "x"},
        {"name": "true", "n": "2026-11-16 06:30:00", "note": "2026-11-16 00:00:00"},
        {"name": None, "n": None, "note": None},  # a formula without a stored value
    ]


def test_empty_rows_at_the_end_are_no_rows_but_those_between_are(opens):
    content = workbook((), HEAD, ("a", 1), (), (None, None, None), ("b", 2), (), (None,), ("", ""))
    assert [row["name"] for row in opens(content, XLSX)[1]] == ["a", None, None, "b"]


def test_the_agreed_sheet_is_read_and_the_first_by_default(opens):
    content = workbook(HEAD, ("first", 1), more={"second": [HEAD, ("second", 2)]})
    assert opens(content, XLSX)[1][0]["name"] == "first"
    assert opens(content, made_feed("xlsx", sheet="second"))[1][0]["name"] == "second"
    assert refused(opens, content, made_feed("xlsx", sheet="third")).code == "file_unreadable"


def test_a_sheet_without_header(opens):
    assert opens(workbook(("a", 1)), made_feed("xlsx", header=False))[1] == [{"name": "a", "n": "1"}]


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        ([], "file_empty", ""),
        ([(), (None,)], "file_empty", ""),
        ([("name", "n", CANARY), (CANARY, 1, 1)], "column_unlisted", "1 column(s)"),
        ([("name", None, "n"), (CANARY, 1, 1)], "column_unlisted", "1 column(s)"),
        ([("name", "note"), (CANARY, 1)], "column_missing", "n"),
        ([("name", "n", "n"), (CANARY, 1, 1)], "column_repeated", "n"),
        ([HEAD, ("a", 1), (CANARY, 1, 1, CANARY)], "file_unreadable", "row 2 holds more values"),
        ([HEAD, ("a", 1), HEAD, (CANARY, 1)], "header_repeated", "row 2"),
    ],
)
def test_a_bad_sheet_is_refused_by_name_and_place_only(opens, rows, code, said):
    error = refused(opens, workbook(*rows), XLSX)
    assert error.code == code
    assert said in error.what


def test_a_damaged_workbook_is_refused(opens):
    sound = workbook(HEAD, (CANARY, 1))
    assert refused(opens, sound[:-40], XLSX).code == "file_truncated"
    assert refused(opens, f"name,n\n{CANARY},1\n".encode(), XLSX).code == "file_unreadable"
    assert (
        refused(opens, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 64, XLSX).code == "file_unreadable"
    )  # encrypted, or .xls
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr(CANARY, CANARY)
    assert refused(opens, other.getvalue(), XLSX).code == "file_unreadable"
    broken = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sound)) as source, zipfile.ZipFile(broken, "w") as archive:
        for name in source.namelist():
            text = source.read(name)
            archive.writestr(name, text[: len(text) // 2] if name.endswith("sheet1.xml") else text)
    assert refused(opens, broken.getvalue(), XLSX).code == "file_unreadable"


def test_a_workbook_bomb_is_refused(opens, monkeypatch):
    content = workbook(HEAD, *[("a" * 100, 1)] * 3000)
    assert len(opens(content, XLSX)[1]) == 3000
    monkeypatch.setattr(sheet, "_HELD_AT_MOST", 10_000)
    assert refused(opens, content, XLSX).code == "archive_bomb"
    assert refused(opens, content, made_feed("xlsx", bytes_at_most=1000)).code == "archive_bomb"


def test_more_rows_than_one_batch(opens, monkeypatch):
    monkeypatch.setattr(sheet, "_BATCH", 7)
    content = workbook(HEAD, *[("a", n) for n in range(50)])
    assert [row["n"] for row in opens(content, XLSX)[1]] == [str(n) for n in range(50)]


def test_the_engine_is_the_one_that_the_lock_names():
    # Offsets are read by its calendar (ICU), JSON and Parquet by its own readers; all must be built in, since nothing
    # is ever downloaded.
    with duckdb.connect(config={"autoload_known_extensions": "false"}) as connection:
        found = connection.execute("SELECT extension_name FROM duckdb_extensions() WHERE loaded").fetchall()
    assert {"icu", "json", "parquet"} <= {name for (name,) in found}
