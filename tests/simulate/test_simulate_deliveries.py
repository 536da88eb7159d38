"""What the simulator writes: the same bytes again, exactly so many rows, as agreed, with the planted people inside."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.agreement.load import load
from acequia.period import Period
from acequia.simulate.feeds import FEEDS, parts, typical_rows
from acequia.simulate.leaks import leaked
from acequia.simulate.people import PLANTED
from acequia.simulate.write import write
from tests.simulate.made import PARTNERS, ROWS, agreement_of, breaks, days, frame, period_of, written


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_every_feed_of_the_demo_partners_is_simulated() -> None:
    agreed = {(path.stem, feed) for path in PARTNERS.glob("*.yaml") for feed in load(path).agreement.feeds}
    assert agreed == set(FEEDS)


@pytest.mark.parametrize(("partner", "feed"), FEEDS)
def test_the_same_arguments_give_the_same_bytes_and_others_give_others(partner: str, feed: str, tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        written(partner, feed, tmp_path / name, rows=700, seed=seed)
    assert digests(tmp_path / "one") == digests(tmp_path / "two") != digests(tmp_path / "three")


@pytest.mark.parametrize(("partner", "feed"), FEEDS)
def test_a_delivery_conforms_to_its_agreement(partner: str, feed: str, tmp_path: Path) -> None:
    agreed = agreement_of(partner).feed(feed)
    rows = frame(written(partner, feed, tmp_path), agreed)
    assert len(rows) == ROWS
    assert list(rows.columns) == list(agreed.arriving)
    wrong = pd.Series(False, index=rows.index)
    for name, column in agreed.arriving.items():
        wrong |= breaks(rows[name], column)
    if agreed.rows.period_column:
        wrong |= ~days(rows[agreed.rows.period_column], agreed).between(
            pd.Timestamp(period_of(agreed).start), pd.Timestamp(period_of(agreed).last_day)
        )
    tolerated = agreed.rows.set_aside_at_most_pct
    assert 100 * wrong.mean() <= tolerated / 2
    assert wrong.any() == (tolerated > 0)


@pytest.mark.parametrize(("partner", "feed"), FEEDS)
@given(rows=st.integers(1, 1_300))
@settings(max_examples=8, deadline=None)
def test_there_are_exactly_as_many_rows_as_asked_for(partner: str, feed: str, rows: int) -> None:
    agreement = agreement_of(partner)
    for at_least in (1, 3):
        tables = list(parts(agreement, feed, period_of(agreement.feed(feed)), rows=rows, seed=3, at_least=at_least))
        assert sum(table.num_rows for table in tables) == rows
        assert len(tables) == min(rows, at_least)


@pytest.mark.parametrize("rows", [PLANTED, ROWS])
@pytest.mark.parametrize(("partner", "feed"), FEEDS)
def test_planted_people_are_in_the_data_and_in_its_free_text(
    partner: str, feed: str, rows: int, tmp_path: Path
) -> None:
    agreed = agreement_of(partner).feed(feed)
    delivery = written(partner, feed, tmp_path, rows=rows)
    data = frame(delivery, agreed)
    texts = next(name for name, column in agreed.arriving.items() if column.treatment == "scrub_text")
    assert len(delivery.planted) == PLANTED
    in_text = "\n".join(data[texts].dropna()).encode()
    in_columns = data.drop(columns=texts).to_csv(index=False).encode()
    for place in range(PLANTED):
        for what in ("name", "phone", "national_id", "email"):
            assert f"{what} of person {place}" in leaked(in_text, delivery.planted)
        assert [sign for sign in leaked(in_columns, delivery.planted) if sign.endswith(f"person {place}")]


def test_fewer_rows_than_people_plant_as_many_as_fit(tmp_path: Path) -> None:
    delivery = written("pula_mobile", "events", tmp_path, rows=2)
    assert len(delivery.planted) == 2
    assert len(leaked("\n".join(frame(delivery, agreement_of("pula_mobile").feed("events"))["note"]).encode(),
                      delivery.planted)) == 8  # fmt: skip


def test_tiny_deliveries_hold_no_bad_rows(tmp_path: Path) -> None:
    agreed = agreement_of("pula_mobile").feed("events")
    rows = frame(written("pula_mobile", "events", tmp_path, rows=100), agreed)
    assert (rows["duration_s"] >= 0).all()


def test_people_return_on_other_days_and_stay_at_home(tmp_path: Path) -> None:
    agreement = agreement_of("pula_mobile")
    seen = []
    for day in ("2026-11-16", "2026-11-17"):
        delivery = write(agreement, "events", Period.parse(day), out=tmp_path / day, rows=ROWS, seed=1)
        seen.append(frame(delivery, agreement.feed("events")))
    both = set(seen[0]["msisdn"]) & set(seen[1]["msisdn"])
    assert len(both) > 200
    joined = pd.concat(seen).drop_duplicates(["msisdn", "imei"])
    assert joined["msisdn"].is_unique


def test_the_manifest_lists_what_is_there_and_comes_last(tmp_path: Path) -> None:
    delivery = written("pula_mobile", "events", tmp_path)
    assert delivery.manifest == delivery.files[-1]
    listed = json.loads(delivery.manifest.read_text())
    assert listed["period"] == "2026-11-16"
    assert [file["name"] for file in listed["files"]] == [file.name for file in delivery.files[:-1]]
    for file, entry in zip(delivery.files, listed["files"], strict=False):
        assert entry["bytes"] == file.stat().st_size
        assert entry["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert sum(entry["rows"] for entry in listed["files"]) == ROWS


def test_files_lie_where_the_agreement_says(tmp_path: Path) -> None:
    places = {
        ("pula_mobile", "events"): "outbox/events/2026-11-16/events-2026-11-16-01.csv.gz",
        ("ceibo_pay", "transactions"): "v1/transactions/2026-11-16.jsonl",
        ("rambla_market", "scanner"): "scanner/week=20261116/scanner-2026-W47-01.parquet",
    }
    for (partner, feed), place in places.items():
        assert str(written(partner, feed, tmp_path).files[0].relative_to(tmp_path)) == place


def test_weekends_are_quieter_and_weeks_hold_seven_days() -> None:
    saturday, sunday = Period.parse("2026-11-21"), Period.parse("2026-11-22")
    assert typical_rows(1000, sunday) < typical_rows(1000, saturday)
    assert typical_rows(1000, Period.parse("2026-W47")) == 7000
