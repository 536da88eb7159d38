"""Crooked deliveries are accepted or refused with a reason of the right kind: in bounded time and memory, without a
trace left, whatever is in them. The quick ones are a sample; `stack` judges them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acequia.errors import CODES, REFUSED
from tests.malformed import csv_cases, jsonl_cases, parquet_cases, xlsx_cases
from tests.malformed.cases import OK, Case
from tests.malformed.judging import RSS_AT_MOST, judge, preload

EVERY = [case for module in (csv_cases, jsonl_cases, parquet_cases, xlsx_cases) for case in module.cases()]
DEADLINE = 240
EVERY_NTH = 12
# Those that once took minutes, gigabytes, or a row without a word; and what is cheap to try.
ALWAYS = {
    "csv-a_row_of_100000_values", "csv-a_row_of_commas_alone", "csv-last_row's_quote_not_closed",
    "csv-some_blank_lines_then_sound", "csv-packed_a_bomb_of_empty_members", "csv-packed_as_zip_of_a_huge_directory",
    "csv-100000_times_one_column", "parquet-rows_stated_absurdly", "parquet-one_id_of_1_MB_by_deltas",
    "xlsx-row_number_of_a_milliard", "xlsx-entity_bomb", "jsonl-deep_objects", "jsonl-cut_last_line",
}  # fmt: skip


def chosen() -> Iterator[object]:
    for number, case in enumerate(EVERY):
        quick = str(case) in ALWAYS or (
            case.form != "xlsx" and number % EVERY_NTH == 0 and not {"MB", "million"} & set(case.name.split("_"))
        )
        yield pytest.param(case, id=str(case), marks=() if quick else (pytest.mark.stack,))


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    preload()


def test_names_are_told_apart() -> None:
    names = [str(case) for case in EVERY]
    assert len(names) == len(set(names)) and set(names) >= ALWAYS


@pytest.mark.parametrize("case", list(chosen()))
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_crooked_file_gets_its_verdict(agreement: Path, tmp_path: Path, case: Case) -> None:
    file, scratch = tmp_path / case.form / case.file, tmp_path / "scratch"
    file.parent.mkdir()
    scratch.mkdir()
    file.write_bytes(case.make())
    verdict = judge(agreement, case.form, file, scratch, DEADLINE)
    assert not verdict.trouble, verdict.trouble
    assert (verdict.code or OK) in case.ends, f"{verdict.code}: {verdict.what}"
    assert verdict.code is None or CODES[verdict.code].exit_code == REFUSED
    assert verdict.left == (), "something was left behind"
    assert verdict.rss < RSS_AT_MOST, f"{verdict.rss:,} bytes"
