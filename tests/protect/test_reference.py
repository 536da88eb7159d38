"""Reference tables: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from acequia.errors import AcequiaError
from acequia.protect.reference import read_reference


def written(folder: Path, content: bytes) -> Path:
    (folder / "cells.csv").write_bytes(content)
    return folder


def test_values_are_texts_keyed_by_the_first_column(tmp_path):
    table = read_reference(written(tmp_path, b"id,district,code\n C1 , Paysand\xc3\xba ,01\n02,,\n"), "cells")
    assert table.columns == ("id", "district", "code")
    assert table.lookup() == {"C1": "Paysandú"}  # a key without a value is an unknown one
    assert table.lookup("code") == {"C1": "01"}


@pytest.mark.parametrize("change", [lambda text: b"\xef\xbb\xbf" + text, lambda text: text.replace(b"\n", b"\r\n"),
                                    lambda text: text.replace(b"\n", b"\r")])  # fmt: skip
def test_marks_and_other_line_ends_are_read(tmp_path, change):
    assert read_reference(written(tmp_path, change(b"id,zone\n1,Queens\n")), "cells").lookup() == {"1": "Queens"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"id,zone\nC1,a\nC2,b\nC1 ,c\n", "line 4 repeats a key"),
        (b"id,zone\nC1\n", "line 2 has 1 values; there are 2 columns"),
        (b"id,zone,zone\n", "names a column twice"),
        (b"id,zone\nC1,\xff\n", "is not written in UTF-8"),
        (b'id,zone\nC1,"a\n', "is not CSV"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path, content, said):
    with pytest.raises(AcequiaError) as caught:
        read_reference(written(tmp_path, content), "cells")
    assert (caught.value.code, caught.value.who_acts) == ("reference_invalid", "engineer")
    assert said in caught.value.what


def test_a_missing_table_or_column_is_named(tmp_path):
    with pytest.raises(AcequiaError, match="reference_missing"):
        read_reference(tmp_path, "cells")
    table = read_reference(written(tmp_path, b"id,zone\n"), "cells")
    with pytest.raises(AcequiaError, match="has no column region; it has id, zone"):
        table.lookup("region")
    with pytest.raises(AcequiaError, match="has only one column"):
        read_reference(written(tmp_path, b"id\nC1\n"), "cells").lookup()
