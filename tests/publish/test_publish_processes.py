"""Real processes: killed in the middle, or publishing the same deliveries at once, on SQLite, PostgreSQL and S3."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import signal
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from acequia.errors import AcequiaError
from acequia.publish import housekeeping
from acequia.publish.commit import facts_of
from acequia.publish.lake import Lake, open_lake
from acequia.publish.lock import database_lock, file_lock
from acequia.receive.connections import Connection
from acequia.settings import Settings
from tests.publish import cells
from tests.publish.cells import NAME, PARTNER, TABLE, day, days

PROCESSES = multiprocessing.get_context("forkserver")  # real processes that need not import everything anew
PROCESSES.set_forkserver_preload(["tests.publish.preload"])


class Place:
    """A lake somewhere, and processes that publish to it."""

    def __init__(self, folder: Path, connection: Connection | None = None, **environ: str) -> None:
        self.folder, self.connection = folder, connection
        self.environ = {"ACEQUIA_HOME": str(folder / "home"), **environ}
        self.lake = open_lake(Settings.from_environment(self.environ), connection)

    def start(self, labels: list[str], *how: str) -> BaseProcess:
        told = (str(self.folder), self.environ, self.connection, labels, how)
        process = PROCESSES.Process(target=cells.work, args=told)
        process.start()
        return process

    def publish(self, *labels: str) -> list[Any]:
        """In this process."""
        terms = cells.signed(self.folder / "agreements")
        done = [
            self.lake.publish(cells.disclosed(self.folder, label, day(label)), terms, cells.FEED) for label in labels
        ]
        return [(one.period, one.snapshot_id, one.changed) for one in done]

    def ended(self, process: BaseProcess, code: int = 0) -> list[Any]:
        process.join(120)
        assert process.exitcode == code
        return [json.loads(line) for line in (self.folder / f"said.{process.pid}").read_text().splitlines()]


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The catalog in SQLite; files in a folder, or in S3."""
    if request.param == "folder":
        made = Place(tmp_path)
    else:
        bucket, connection = request.getfixturevalue("s3_bucket")
        made = Place(tmp_path, connection, ACEQUIA_LAKE=f"s3://{bucket}/lake")
    yield made
    made.lake.close()


@pytest.fixture
def postgres_place(postgres_url: str, tmp_path: Path) -> Any:
    made = Place(tmp_path, ACEQUIA_DATABASE=postgres_url)
    yield made
    made.lake.close()


def commits(lake: Lake) -> Counter[str]:
    """How often each period was committed: snapshots that added rows."""
    snapshots = lake.load(NAME).metadata.snapshots
    return Counter(facts_of(s)["acequia.period"] for s in snapshots if int(facts_of(s).get("added-records", "0")))


def stored_once(lake: Lake, labels: list[str], *outcomes: list[Any]) -> None:
    assert commits(lake) == dict.fromkeys(labels, 1)
    assert lake.read(NAME).to_pylist() == [row for label in labels for row in day(label)]
    said = [row for outcome in outcomes for row in outcome]
    assert Counter(label for label, _, changed in said if changed) == dict.fromkeys(labels, 1)
    for label in labels:
        assert len({snapshot for said_label, snapshot, _ in said if said_label == label}) == 1
        folder = f"open/{PARTNER}/{TABLE}/{label}"
        releases = {path.split("/")[4] for path in lake.files.listing(folder)} - {"latest.json"}
        assert len(releases) == 1


def test_two_processes_store_the_same_deliveries_once(place: Place) -> None:
    labels = days(4)
    one, two = place.start(labels), place.start(labels)
    stored_once(place.lake, labels, place.ended(one), place.ended(two))


def test_two_processes_store_the_same_deliveries_once_on_postgresql(postgres_place: Place) -> None:
    labels = days(4)
    one, two = postgres_place.start(labels), postgres_place.start(labels)
    stored_once(postgres_place.lake, labels, postgres_place.ended(one), postgres_place.ended(two))


def test_the_lake_is_right_even_without_the_lock(tmp_path: Path) -> None:
    """Iceberg's own check decides; the lock only spares retries."""
    place, labels = Place(tmp_path), days(4)
    one, two = place.start(labels, "without_lock"), place.start(labels, "without_lock")
    outcomes = place.ended(one), place.ended(two)
    assert commits(place.lake) == dict.fromkeys(labels, 1)
    assert place.lake.read(NAME).num_rows == 4 * len(labels)
    assert sum(changed for outcome in outcomes for *_, changed in outcome) == len(labels)
    place.lake.close()


@pytest.mark.parametrize("moment", ["before_commit", "after_commit", "inside_release"])
def test_a_killed_publication_leaves_a_readable_table_and_is_completed(place: Place, moment: str) -> None:
    place.publish("2026-03-01")
    place.ended(place.start(["2026-03-02"], moment), -signal.SIGKILL)
    known = {"2026-03-01"} | ({"2026-03-02"} if moment != "before_commit" else set())
    assert set(place.lake.table(NAME).periods) == known
    outcome = place.publish("2026-03-01", "2026-03-02")
    assert [changed for *_, changed in outcome] == [False, moment == "before_commit"]
    assert place.lake.read(NAME).to_pylist() == [*day("2026-03-01"), *day("2026-03-02")]
    assert commits(place.lake) == {"2026-03-01": 1, "2026-03-02": 1}
    removed = housekeeping.collect_orphans(place.lake, NAME, dt.timedelta(0))
    assert bool(removed.files) == (moment == "before_commit")
    left = place.lake.files.listing(f"open/{PARTNER}/{TABLE}")
    assert len(left) == 2 * 6
    assert not [path for path in left if "partial" in path]
    assert place.lake.read(NAME).num_rows == 8


def test_a_lock_is_waited_for_and_given_up(tmp_path: Path) -> None:
    with (
        file_lock(tmp_path, "a"),
        file_lock(tmp_path, "b"),
        pytest.raises(AcequiaError, match="another process") as caught,
        file_lock(tmp_path, "a", patience_s=0.05),
    ):
        pass
    assert caught.value.retryable
    with file_lock(tmp_path, "a", patience_s=0):
        pass


def test_a_lock_of_the_database_is_waited_for_and_given_up(postgres_url: str) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(postgres_url)
    try:
        with (
            database_lock(engine, "a"),
            database_lock(engine, "b"),
            pytest.raises(AcequiaError, match="another process") as caught,
            database_lock(engine, "a", patience_s=0.05),
        ):
            pass
        assert caught.value.retryable
        with database_lock(engine, "a", patience_s=0.05):
            pass
    finally:
        engine.dispose()


def test_an_s3_lake_does_all_that_a_folder_does(
    s3_bucket: tuple[str, Connection], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path, s3_bucket[1], ACEQUIA_LAKE=f"s3://{s3_bucket[0]}/lake")
    lake, terms = place.lake, cells.signed(tmp_path)
    for label in days(4):
        lake.publish(cells.disclosed(tmp_path, label, day(label)), terms, cells.FEED)
    assert lake.query(f"FROM {NAME}").num_rows == 16
    assert housekeeping.compact(lake, NAME, at_least=4) == housekeeping.Compacted(4, 1)
    assert lake.read(NAME).to_pylist() == [row for label in days(4) for row in day(label)]
    erased = lake.erase(NAME, period="2026-03-01", because="case 7")
    assert (erased.rows, erased.rows_left) == (4, 0)
    assert erased.files > 4
    assert lake.files.listing(f"open/{PARTNER}/{TABLE}/2026-03-01") == [
        f"open/{PARTNER}/{TABLE}/2026-03-01/tombstone.json"
    ]
    lake.write_catalogue()
    assert b"2026-03-02" in (lake.files.read("open/catalog.jsonld") or b"")
    assert not (place.folder / "home" / "lake").exists()
    lake.close()


def test_an_s3_lake_reads_its_keys_from_the_environment(
    s3_bucket: tuple[str, Connection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, connection = s3_bucket
    monkeypatch.setenv("ACEQUIA_LAKE_ENDPOINT", connection.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", connection.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", connection.secret_key)
    place = Place(tmp_path, ACEQUIA_LAKE=f"s3://{bucket}/lake")
    place.lake.files.write("open/x.txt", b"x")
    assert place.lake.files.read("open/x.txt") == b"x"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(AcequiaError) as caught:
        Place(tmp_path, ACEQUIA_LAKE=f"s3://{bucket}/lake").lake.publish(
            cells.disclosed(tmp_path, "2026-03-01", day("2026-03-01")), cells.signed(tmp_path), cells.FEED
        )
    assert caught.value.code == "store_unreachable"
    assert "wrong" not in str(caught.value)
