"""A feed of 10 households at threshold 15: nothing may be told, nothing is, and both the run and the release say so."""

from __future__ import annotations

import csv
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from acequia import pipeline
from acequia.opening import lake_of, open_work
from acequia.publish.release import nothing_told
from tests.pipeline.world import DAY, World

PARTNER, FEED, TABLE = "sol_meters", "readings", "energy_by_hour"
HOUSEHOLDS, HOURS = 10, 6
KWH = {(house, hour): 517.0 + 31.625 * house + 0.4375 * hour for house in range(HOUSEHOLDS) for hour in range(HOURS)}
NUMBERS = ("readings_count", "households_count", "energy_kwh_sum", "energy_kwh_mean", "contributors_count")


def agree(world: World, threshold: int) -> None:
    """A partner of its own, with the terms of another."""
    agreement = yaml.safe_load((world.settings.partners / "kgale_rides.yaml").read_text())
    agreement |= {"partner": PARTNER, "name": "Sol Meters", "feeds": {FEED: a_feed(threshold)}}
    agreement.pop("signing_keys", None)
    path = world.settings.partners / f"{PARTNER}.yaml"
    path.write_text(yaml.safe_dump(agreement, sort_keys=False), encoding="utf-8")


def a_feed(threshold: int) -> dict[str, Any]:
    return {
        "delivery": {
            "source": {"type": "folder", "path": "readings-{period}.csv"},
            "settle_seconds": 0,
            "format": "csv",
            "schedule": "0 6 * * *",
            "timezone": "Africa/Gaborone",
            "period": "day",
            "due_within_hours": 30,
        },
        "columns": {
            "meter": {"type": "string", "treat": "pseudonym", "as": "household"},
            "read_at": {"type": "timestamp", "treat": {"part": "hour"}, "as": "hour"},
            "energy_kwh": {"type": "number", "treat": "keep"},
        },
        "tables": {
            TABLE: {
                "describe": "One row per hour.",
                "by": ["hour"],
                "hierarchy": {"hour": ["day", "hour"]},
                "measures": {
                    "readings_count": {"count": "rows"},
                    "households_count": {"count_distinct": "household"},
                    "energy_kwh_sum": {"sum": "energy_kwh"},
                    "energy_kwh_mean": {"mean": "energy_kwh"},
                },
                "protect": {"contributor": "household", "min_contributors": threshold},
            }
        },
    }


def run(world: World, threshold: int) -> str:
    """Deliver and run; what the run said."""
    agree(world, threshold)
    inbox = world.settings.home / "inbox" / PARTNER
    inbox.mkdir(parents=True)
    rows = [f"M{house:03d},{DAY} {hour:02d}:00:00,{kwh}" for (house, hour), kwh in KWH.items()]
    (inbox / f"readings-{DAY}.csv").write_text("\n".join(["meter,read_at,energy_kwh", *rows]) + "\n", encoding="utf-8")
    said: list[str] = []
    work = open_work(world.settings, PARTNER, FEED, DAY)
    pipeline.run(replace(work, say=said.append))
    return "\n".join(said)


def release_of(world: World) -> Path:
    (folder,) = (Path(world.settings.lake) / "open" / PARTNER / TABLE / DAY).glob("release-*")
    return folder


def test_a_feed_of_ten_households_at_threshold_fifteen_publishes_nothing_and_says_so(world: World) -> None:
    said = run(world, 15)
    assert f"{HOURS + 1} cells, {HOURS + 1} withheld: no number may be told" in said
    release = release_of(world)
    assert "No number of it may be told" in (release / "README.txt").read_text(encoding="utf-8")
    for rows in (
        list(csv.DictReader((release / "data.csv").open(encoding="utf-8", newline=""))),
        pq.read_table(release / "data.parquet").to_pylist(),
        lake_of(world.settings).read(f"{PARTNER}.{TABLE}").to_pylist(),
    ):
        assert {row["hour"] for row in rows} == {*map(str, range(HOURS)), "_T"}
        assert {row["cell_status"] for row in rows} == {"withheld"}
        assert {row["withheld_because"] for row in rows} == {"min_contributors"}
        assert {row[name] for row in rows for name in NUMBERS} <= {None, ""}


def test_no_number_of_theirs_is_in_any_byte_that_is_public(world: World) -> None:
    run(world, 15)
    sums = [sum(kwh for (_, at), kwh in KWH.items() if at == hour) for hour in range(HOURS)]
    numbers = [*KWH.values(), *sums, *(total / HOUSEHOLDS for total in sums), sum(KWH.values())]
    open_files = [path for path in (Path(world.settings.lake) / "open").rglob("*") if path.is_file()]
    assert len(open_files) > 5
    for path in open_files:
        content = path.read_bytes()
        for number in numbers:
            assert struct.pack("<d", number) not in content, path
            assert f"{number:.10g}".encode() not in content, path
    parquet = pq.ParquetFile(release_of(world) / "data.parquet")
    places = {name: parquet.schema_arrow.names.index(name) for name in NUMBERS}
    for group in range(parquet.metadata.num_row_groups):
        for name, place in places.items():
            statistics = parquet.metadata.row_group(group).column(place).statistics
            assert statistics is None or not statistics.has_min_max, name


def test_at_threshold_ten_all_is_told(world: World) -> None:
    said = run(world, HOUSEHOLDS)
    assert f"{HOURS + 1} cells, 0 withheld" in said
    assert "no number may be told" not in said
    assert "No number of it may be told" not in (release_of(world) / "README.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("statuses", [[], ["published"], ["withheld", "zero"], ["withheld", "missing"]])
def test_a_release_that_tells_something_is_none_that_tells_nothing(statuses: list[str]) -> None:
    assert not nothing_told(statuses)
    assert nothing_told(["withheld", "withheld"])
