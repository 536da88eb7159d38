"""Each kind of bad delivery is bad in the way it says, and in no other; the table of codes is one of real codes."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from acequia.errors import CODES, AcequiaError
from acequia.period import Period
from acequia.simulate.bad import ABOUT, KINDS, kinds_of
from acequia.simulate.feeds import FEEDS
from acequia.simulate.write import Written
from tests.simulate.made import agreement_of, breaks, days, frame, period_of, written

ROWS = 1_200
FEED_KINDS = [(*names, kind) for names in FEEDS for kind in kinds_of(agreement_of(names[0]).feed(names[1]))]


class Case:
    """One bad delivery, beside the good one that it could have been."""

    def __init__(self, partner: str, feed: str, kind: str, folder: Path) -> None:
        self.agreement = agreement_of(partner)
        self.feed = self.agreement.feed(feed)
        self.good = written(partner, feed, folder / "good", rows=ROWS)
        self.bad = written(partner, feed, folder / "bad", rows=ROWS, bad=kind)

    @property
    def last(self) -> Path:
        return [file for file in self.bad.files if file != self.bad.manifest][-1]

    def text(self, delivery: Written | None = None) -> str:
        files = [file for file in (delivery or self.bad).files if file != (delivery or self.bad).manifest]
        data = files[-1].read_bytes()
        return (gzip.decompress(data) if files[-1].suffix == ".gz" else data).decode(errors="surrogateescape")

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return frame(self.good, self.feed), frame(self.bad, self.feed)

    def listed(self) -> dict[str, str]:
        assert self.bad.manifest
        return {file["name"]: file["sha256"] for file in json.loads(self.bad.manifest.read_text())["files"]}

    def sent(self) -> dict[str, str]:
        files = [file for file in self.bad.files if file != self.bad.manifest]
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def breaking(self) -> int:
        """How many rows break a rule that they do not break in the good delivery."""
        return sum(self._breaking(delivery) for delivery in (self.bad,)) - self._breaking(self.good)

    def _breaking(self, delivery: Written) -> int:
        rows = frame(delivery, self.feed)
        wrong = pd.Series(False, index=rows.index)
        for name, column in self.feed.arriving.items():
            wrong |= breaks(rows[name], column)
        if self.feed.rows.period_column:
            period = period_of(self.feed)
            inside = days(rows[self.feed.rows.period_column], self.feed)
            wrong |= ~inside.between(pd.Timestamp(period.start), pd.Timestamp(period.last_day))
        return int(wrong.sum())


def truncated(case: Case) -> bool:
    with pytest.raises(EOFError):
        gzip.decompress(case.last.read_bytes())
    return True


def archive_bomb(case: Case) -> bool:
    unpacked, data = 0, case.last.read_bytes()
    size = len(data)
    for _ in range(12):  # a few of its members are enough to see where it leads
        unpacker = zlib.decompressobj(31)
        unpacked += len(unpacker.decompress(data))
        data = unpacker.unused_data
    return size < 1_000_000 and unpacked > 800 * (size - len(data))


def wrong_encoding(case: Case) -> bool:
    with pytest.raises(UnicodeDecodeError):
        case.text().encode(errors="surrogateescape").decode(case.feed.delivery.options.encoding)
    return True


def wrong_type(case: Case) -> bool:
    before, after = case.frames()
    changed = [name for name in after if "not available" in set(after[name])]
    return len(changed) == 1 and case.feed.columns[changed[0]].type != "string" and before.shape == after.shape


def duplicates(case: Case) -> bool:
    before, after = case.frames()
    return before.shape == after.shape and after.duplicated().sum() >= 0.09 * ROWS > before.duplicated().sum()


def corrected(case: Case) -> bool:
    before, after = case.frames()
    changed = [name for name in after if not before[name].equals(after[name])]
    return before.shape == after.shape and len(changed) == 1 and case.breaking() == 0


def header(case: Case, delivery: Written | None = None) -> list[str]:
    return case.text(delivery).split("\n", 1)[0].split(",")


IS_BAD: dict[str, Callable[[Case], object]] = {
    "missing": lambda case: case.bad.files == (),
    "unfinished": lambda case: all(file.suffix == ".part" for file in case.bad.files) and case.bad.files,
    "empty": lambda case: case.last.stat().st_size == 0,
    "truncated": truncated,
    "not_the_format": lambda case: case.text().startswith("<!doctype html>"),
    "archive_bomb": archive_bomb,
    "wrong_encoding": wrong_encoding,
    "header_missing": lambda case: (
        header(case) != header(case, case.good) and case.text().count("\n") + 1 == case.text(case.good).count("\n")
    ),
    "header_repeated": lambda case: case.text().split("\n").count(case.text().split("\n")[0]) == 2,
    "column_repeated": lambda case: header(case)[0] == header(case)[1],
    "column_missing": lambda case: len(set(case.frames()[0]) - set(case.frames()[1])) == 1,
    "column_unlisted": lambda case: len(set(case.frames()[1]) - set(case.frames()[0])) == 1,
    "wrong_checksum": lambda case: case.listed().keys() == case.sent().keys() and case.listed() != case.sent(),
    "file_unlisted": lambda case: len(case.sent().keys() - case.listed().keys()) == 1,
    "file_not_sent": lambda case: len(case.listed().keys() - case.sent().keys()) == 1,
    "manifest_missing": lambda case: case.bad.manifest is None and len(case.bad.files) == len(case.good.files) - 1,
    "manifest_invalid": lambda case: pytest.raises(json.JSONDecodeError, case.listed),
    "name_escapes": lambda case: any(name.startswith("../") for name in case.listed()),
    "too_few_rows": lambda case: len(case.frames()[1]) == case.bad.rows < case.feed.delivery.rows_between[0],
    "too_many_rows": lambda case: case.bad.rows > case.feed.delivery.rows_between[1],
    "wrong_type": wrong_type,
    "null_required": lambda case: case.breaking() >= 0.09 * ROWS,
    "out_of_range": lambda case: case.breaking() >= 0.09 * ROWS,
    "not_in_set": lambda case: case.breaking() >= 0.09 * ROWS,
    "outside_period": lambda case: case.breaking() >= 0.09 * ROWS,
    "before_agreement": lambda case: case.bad.period.start < case.agreement.terms.signed_on,
    "after_agreement": lambda case: case.bad.period.last_day > case.agreement.terms.expires_on,
    "duplicates": duplicates,
    "corrected": corrected,
}


def test_every_kind_has_its_check_and_its_feed() -> None:
    assert set(IS_BAD) == set(KINDS) == {kind for *_, kind in FEED_KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_codes_are_those_of_errors(kind: str) -> None:
    code = KINDS[kind]
    assert code is None or code in CODES
    assert ABOUT[kind].describe


@pytest.mark.parametrize(("partner", "feed", "kind"), [case for case in FEED_KINDS if case[2] != "too_many_rows"])
def test_a_bad_delivery_is_bad_in_the_way_it_says(partner: str, feed: str, kind: str, tmp_path: Path) -> None:
    assert IS_BAD[kind](Case(partner, feed, kind, tmp_path))


def test_too_many_rows_are_one_too_many(tmp_path: Path) -> None:
    case = Case("kgale_rides", "driver_hours", "too_many_rows", tmp_path)
    assert IS_BAD["too_many_rows"](case)
    assert sum(pd.read_parquet(file, columns=["trips"]).shape[0] for file in case.bad.files) == 200_001


@pytest.mark.parametrize(("partner", "feed", "kind"), FEED_KINDS)
def test_a_bad_delivery_is_the_same_bytes_again(partner: str, feed: str, kind: str, tmp_path: Path) -> None:
    if kind in ("archive_bomb", "too_many_rows"):
        pytest.skip("large")
    for name in ("one", "two"):
        written(partner, feed, tmp_path / name, rows=300, bad=kind)
    one, two = ([file.read_bytes() for file in sorted((tmp_path / name).rglob("*.*"))] for name in ("one", "two"))
    assert one == two


def test_a_kind_that_a_feed_cannot_have_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AcequiaError) as refusal:
        written("rambla_market", "scanner", tmp_path, bad="header_repeated")
    assert refusal.value.code == "usage"
    with pytest.raises(AcequiaError) as refusal:
        written("rambla_market", "scanner", tmp_path, bad="bad_luck")
    assert refusal.value.code == "unknown_name"
    assert "truncated" in refusal.value.what


def test_periods_outside_the_agreement_are_refused_by_it() -> None:
    agreement = agreement_of("pula_mobile")
    for period, code in (("2026-02-28", "period_outside_agreement"), ("2028-03-01", "agreement_expired")):
        with pytest.raises(AcequiaError) as refusal:
            agreement.require_in_force(Period.parse(period))
        assert refusal.value.code == code
