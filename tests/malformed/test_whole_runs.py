"""Crooked deliveries through the whole pipeline: refused with a receipt and kept, or published whole; no half."""

from __future__ import annotations

from pathlib import Path

import pytest

from acequia import pipeline
from acequia.errors import CODES, REFUSED, AcequiaError
from acequia.opening import lake_of, landing_of, ledger_of, open_work
from acequia.preflight import Asked, preflight
from acequia.settings import Settings
from tests.malformed import crooked
from tests.malformed.cases import OK, Case
from tests.malformed.test_malformed import EVERY

QUICK = ("csv-cut_in_a_row", "parquet-pages_of_ones")
WHOLE = (
    *QUICK, "csv-sound", "csv-a_total_last", "csv-packed_cut_at_11", "csv-value_number_1e19", "csv-value_text_formula",
    "csv-same_row_40_times", "jsonl-sound", "jsonl-number_nan", "jsonl-deep_objects", "parquet-sound", "parquet-int96",
    "parquet-rows_stated_absurdly", "parquet-timestamps_far_away", "xlsx-sound", "xlsx-errors", "xlsx-entity_bomb",
    "xlsx-macros",
)  # fmt: skip
CASES = [
    pytest.param(case, id=str(case), marks=() if str(case) in QUICK else (pytest.mark.stack,))
    for case in EVERY
    if str(case) in WHOLE
]


@pytest.mark.parametrize("case", CASES)
def test_a_crooked_file_is_refused_or_published_whole(tmp_path: Path, case: Case) -> None:
    agreement = crooked.config(tmp_path)
    settings = Settings.from_environment(
        {"ACEQUIA_HOME": str(tmp_path / "home"), "ACEQUIA_CONFIG": str(tmp_path / "config")}
    )
    file = settings.home / "inbox" / crooked.PARTNER / case.form / case.file
    file.parent.mkdir(parents=True)
    file.write_bytes(case.make())
    told = preflight(Asked((file,), agreement, case.form, crooked.PERIOD))
    code, what = None, ""
    try:
        pipeline.run(open_work(settings, crooked.PARTNER, case.form, crooked.PERIOD))
    except AcequiaError as error:
        code, what = error.code, error.what
        assert CODES[code].exit_code == REFUSED
    assert (code, what) == (told.code, told.what)
    assert (code or OK) in case.ends
    book = ledger_of(settings)
    (row,) = book.deliveries()
    assert (row.status, row.code) == (("refused", code) if code else ("published", None))
    assert [info.name for info in lake_of(settings).tables()] == ([] if code else [f"crooked.hours_{case.form}"])
    assert book.verify() == [] and landing_of(settings).list("")
    plain = settings.workspace / ".plain"
    assert not plain.exists() or not list(plain.iterdir()), "plain bytes were left behind"
