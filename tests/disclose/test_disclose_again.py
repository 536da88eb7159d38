"""What was decided once is told again, whatever is public by now; what an earlier release hides stays hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from acequia import comparisons
from acequia.aggregate.cells import aggregate
from acequia.flow import Disclosed, Protected
from acequia.period import Period
from tests.aggregate.made_feeds import a_feed, a_reference, frame, protected

TABLE: dict[str, Any] = {
    "by": ("district",),
    "measures": {"rows_count": {"count": "rows"}, "people_count": {"count_distinct": "person"}},
    "protect": {"contributor": "person", "min_contributors": 5},
    "over": "month",
    "release": "each_delivery",
}


class Office:
    """A feed whose releases are public at once, or never where `public` is False."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, public: bool = True) -> None:
        self.folder, self.feed = folder, a_feed(tables={"t": TABLE})
        a_reference(folder)
        monkeypatch.setattr(comparisons, "_entries", lambda work: {})
        monkeypatch.setattr(comparisons, "_is_public", lambda work, record, content: public)
        settings = SimpleNamespace(reference=folder / "reference", memory_limit="1GB", workspace=folder)
        self.work: Any = SimpleNamespace(
            feed=self.feed, settings=settings, scratch=self.scratch, partner="pula", feed_name="events",
            folder=lambda delivery: folder / delivery.folder,
        )  # fmt: skip

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        yield self.folder

    def deliver(self, day: int, people: dict[str, int]) -> Protected:
        rows = [
            {"district": district, "person": f"{district}{day}-{number}"}
            for district, count in people.items()
            for number in range(count)
        ]
        made = protected(self.folder, frame(rows), day=day)
        made.save(self.folder / made.delivery.folder / "protected.json")
        return made

    def release(self, *parts: Protected) -> Disclosed:
        out = self.folder / parts[-1].delivery.folder / "cells.t.2026-11.parquet"
        cells = aggregate(
            "t", self.feed.tables["t"], self.feed, parts, Period.parse("2026-11"), provisional=False,
            reference=self.folder / "reference", memory_limit="1GB", scratch=self.folder, out=out,
        )  # fmt: skip
        return comparisons.disclosed(self.work, cells, out=out.with_name("disclosed.parquet"))


def because(made: Disclosed) -> dict[str, str | None]:
    rows = pq.read_table(made.path).to_pylist()
    return {row["district"]: row["withheld_because"] for row in rows}


def test_a_small_difference_is_withheld_and_a_large_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(tmp_path, monkeypatch)
    first, second = office.deliver(1, {"Maun": 9, "Kasane": 9}), office.deliver(2, {"Maun": 4, "Kasane": 5})
    assert because(office.release(first)) == {"Maun": None, "Kasane": None}
    assert because(office.release(first, second)) == {"Maun": "difference", "Kasane": None}
    # the third day's five and the second day's four are nine: they may be told together
    third = office.deliver(3, {"Maun": 5})
    assert because(office.release(first, second, third)) == {"Maun": None, "Kasane": None}


def test_nothing_that_is_not_public_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(tmp_path, monkeypatch, public=False)
    first, second = office.deliver(1, {"Maun": 9}), office.deliver(2, {"Maun": 4})
    office.release(first)
    assert because(office.release(first, second)) == {"Maun": None}


def test_fifty_runs_of_one_release_tell_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(tmp_path, monkeypatch)
    first, second = office.deliver(1, {"Maun": 9, "Kasane": 9}), office.deliver(2, {"Maun": 4, "Kasane": 5})
    once, then = office.release(first), office.release(first, second)
    assert {office.release(first).sha256 for _ in range(25)} == {once.sha256}  # though more is public by now
    assert {office.release(first, second).sha256 for _ in range(25)} == {then.sha256}


def test_a_restatement_that_takes_few_people_out_is_withheld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(tmp_path, monkeypatch)
    first, second = office.deliver(1, {"Maun": 9, "Kasane": 9}), office.deliver(2, {"Maun": 2, "Kasane": 7})
    office.release(first, second)
    assert because(office.release(first)) == {"Maun": "difference", "Kasane": None}
