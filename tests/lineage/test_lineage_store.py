"""Events are kept once, in tables, file and endpoint, whatever breaks; and tell where a table comes from."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import func, select

from acequia.errors import AcequiaError
from acequia.flow import Check
from acequia.lineage import models, outbox
from acequia.lineage.events import Lineage, open_lineage
from acequia.lineage.questions import columns, upstream
from acequia.settings import Settings
from tests.lineage.told import TWO, Steps, agreement, steps_of, told

FORK = multiprocessing.get_context("fork")
TABLE = "pula_mobile.active_subscribers_by_district_hour"


@pytest.fixture(params=["sqlite", "postgresql"])
def placed(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if request.param == "sqlite":
        return settings
    return replace(settings, database=str(request.getfixturevalue("postgres_url")))


def fixed() -> datetime:
    return datetime(2026, 11, 17, 6, tzinfo=UTC)


@pytest.fixture
def lineage(settings: Settings) -> Lineage:
    return open_lineage(settings, fixed)


def steps(**given: Any) -> Steps:
    return steps_of(agreement(), "events", **given)


def rows(lineage: Lineage, table: Any = models.event) -> int:
    with lineage.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_steps_told_again_are_one_event(lineage: Lineage) -> None:
    for _ in range(3):
        steps().tell(lineage)
        assert rows(lineage) == len(told(lineage)) == 3 + len(steps().published)
    refusal = (agreement(), "events", steps().raw.delivery, AcequiaError("rows_invalid", "1 of 2 checks failed"))
    lineage.refused(*refusal)
    lineage.refused(*refusal)
    lineage.refused(*refusal[:3], AcequiaError("rows_invalid", "2 of 2 checks failed"))
    assert [event["eventType"] for event in told(lineage)[-3:]] == ["COMPLETE", "FAIL", "FAIL"]


def test_a_line_that_a_crash_tore_is_replaced(lineage: Lineage) -> None:
    steps().tell(lineage)
    whole = lineage.file.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    lineage.file.write_bytes(whole[: last + 100])  # killed while the last line was written
    with lineage.engine.begin() as connection:
        newest = select(func.max(models.event.c.id)).scalar_subquery()
        connection.execute(models.event.update().where(models.event.c.id == newest).values(filed=False))
    steps().tell(lineage)
    assert lineage.file.read_bytes() == whole


def test_a_line_written_just_before_a_crash_is_not_written_twice(lineage: Lineage) -> None:
    steps().tell(lineage)
    whole = lineage.file.read_bytes()
    with lineage.engine.begin() as connection:
        connection.execute(models.event.update().where(models.event.c.id > 2).values(filed=False))
    steps().tell(lineage)
    assert lineage.file.read_bytes() == whole


def _tell(settings: Settings, days: int) -> None:
    lineage = open_lineage(settings, fixed)
    for day in range(1, days + 1):
        steps(period=f"2026-11-{day:02d}", snapshot=100 * day).tell(lineage)


def test_processes_that_tell_at_once_tell_each_event_once(placed: Settings) -> None:
    started = [FORK.Process(target=_tell, args=(placed, 3)) for _ in range(3)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
        assert process.exitcode == 0
    lineage = open_lineage(placed, fixed)
    found = [json.dumps(event) for event in told(lineage)]
    assert len(found) == len(set(found)) == rows(lineage) == 3 * (3 + len(steps().published))


def test_killed_at_random_moments_nothing_is_lost_or_doubled(settings: Settings) -> None:
    open_lineage(settings)
    for delay in (0.05, 0.1, 0.2, 0.3, 0.4):
        process = FORK.Process(target=_tell, args=(settings, 28))
        process.start()
        time.sleep(delay)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    _tell(settings, 4)
    lineage = open_lineage(settings, fixed)
    found = [json.dumps(event) for event in told(lineage)]
    assert len(found) == len(set(found)) == rows(lineage)
    assert rows(lineage) >= 4 * (3 + len(steps().published))


@contextmanager
def endpoint(answer: int = 201) -> Iterator[tuple[str, list[dict[str, Any]], list[int]]]:
    """A small OpenLineage endpoint: its address, what it got, and what it answers."""
    got: list[dict[str, Any]] = []
    answers = [answer]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if answers[0] < 300:
                got.append({"path": self.path, **body})
            self.send_response(answers[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got, answers
    finally:
        server.shutdown()
        server.server_close()


def test_events_are_forwarded_once_and_in_order(settings: Settings) -> None:
    with endpoint() as (url, got, _):
        lineage = open_lineage(replace(settings, openlineage_url=url), fixed)
        for _ in range(2):
            steps().tell(lineage)
        assert [event["run"]["runId"] for event in got] == [event["run"]["runId"] for event in told(lineage)]
        assert {event["path"] for event in got} == {"/api/v1/lineage"}
    assert outbox.endpoint("https://catalog.example/api/v1/openlineage/lineage").endswith("/openlineage/lineage")


def test_a_dead_endpoint_harms_nothing_and_gets_everything_later(settings: Settings) -> None:
    dead = open_lineage(replace(settings, openlineage_url="http://127.0.0.1:1"), fixed)
    started = time.monotonic()
    steps().tell(dead)
    assert time.monotonic() - started < 2
    assert rows(dead) == len(told(dead)) == 3 + len(steps().published)
    with endpoint() as (url, got, _):
        alive = open_lineage(replace(settings, openlineage_url=url), fixed)
        steps().tell(alive)
        assert got == []  # within a minute after a failure it is let alone
        assert alive.forward() == len(got) == rows(alive)
        assert alive.forward() == 0


def test_an_endpoint_that_hangs_costs_one_wait(settings: Settings) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = replace(settings, openlineage_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        steps().tell(open_lineage(hanging, fixed))
        assert time.monotonic() - started < 6


def test_an_event_that_the_endpoint_will_never_take_does_not_hold_up_the_others(settings: Settings) -> None:
    with endpoint(422) as (url, got, answers):
        lineage = open_lineage(replace(settings, openlineage_url=url), fixed)
        steps().tell(lineage)
        answers[0] = 503
        steps(period="2026-11-17", snapshot=50).tell(lineage)
        answers[0] = 200
        assert lineage.forward() == len(got) == 3 + len(steps().published)


def test_upstream_says_which_deliveries_checks_and_runs_stand_behind_a_table(placed: Settings) -> None:
    lineage = open_lineage(placed, fixed)
    days = [steps(period=f"2026-11-{day:02d}", snapshot=100 * day) for day in (16, 17)]
    for day in days:
        day.tell(lineage)
    found = upstream(placed, TABLE)
    assert [(row.period, row.delivery) for row in found] == [
        ("2026-11-16", "pula_mobile.events.2026-11-16.v1"),
        ("2026-11-17", "pula_mobile.events.2026-11-17.v1"),
    ]
    first = found[0]
    assert (first.agreement_version, first.agreement_sha256) == (
        agreement().agreement.terms.version,
        agreement().sha256,
    )
    assert (first.checks_passed, first.checks_failed, first.failed_checks) == (2, 0, ())
    assert list(first.runs) == ["receive", "protect", "validate", "publish"]
    assert {event["run"]["runId"] for event in told(lineage)} >= set(first.runs.values())
    assert upstream(placed, TABLE, period="2026-11-17") == found[1:]
    assert upstream(placed, TABLE, period="2026-11-18") == []
    assert upstream(placed, "pula_mobile.no_such_table") == []
    assert first.as_row()["runs"].startswith(f"receive {first.runs['receive'][:8]}, protect ")


def test_a_table_over_a_month_has_all_its_deliveries_behind_it(placed: Settings) -> None:
    lineage = open_lineage(placed, fixed)
    earlier = [steps(period=f"2026-11-{day:02d}", snapshot=100 * day) for day in (1, 2, 9)]
    for day in earlier:
        day.tell(lineage)
    last = steps(
        period="2026-11-30",
        snapshot=7000,
        together_with=tuple(day.raw.delivery for day in earlier),
        window="2026-11",
    )
    last.tell(lineage)
    found = upstream(placed, TABLE, period="2026-11")
    assert [row.delivery.split(".")[2] for row in found] == ["2026-11-01", "2026-11-02", "2026-11-09", "2026-11-30"]
    assert len({row.runs["publish"] for row in found}) == 1
    assert len({row.runs["protect"] for row in found}) == 4
    assert {row.checks_passed for row in found} == {2}


def test_a_correction_stands_behind_the_table_and_the_version_before_behind_its_snapshot(
    lineage: Lineage, settings: Settings
) -> None:
    first, second = steps(snapshot=10), steps(version=2, snapshot=20)
    first.tell(lineage)
    second.tell(lineage)
    assert [row.delivery[-2:] for row in upstream(settings, TABLE)] == ["v2"]
    (before,) = upstream(settings, TABLE, snapshot=first.published[0][1].snapshot_id)
    assert before.delivery.endswith("v1")


def test_a_delivery_read_again_under_another_agreement_shows_that_reading(lineage: Lineage, settings: Settings) -> None:
    first, second = steps(snapshot=10), steps(snapshot=20, made_by=TWO)
    failed = Check(name="expect_x", column="kind", passed=False, rows_failing=3)
    second = replace(second, validated=second.validated.model_copy(update={"checks": (failed,)}))
    for told_ in (first, second):
        told_.tell(lineage)
    (row,) = upstream(settings, TABLE)
    assert (row.checks_passed, row.checks_failed, row.failed_checks) == (0, 1, ("kind: expect_x",))
    assert row.runs["protect"] != upstream(settings, TABLE, snapshot=11)[0].runs["protect"]

    first.tell(lineage)  # the agreement is put back, and the table is published from the first reading once more
    (row,) = upstream(settings, TABLE)
    assert (row.checks_passed, row.checks_failed) == (2, 0)


def test_columns_are_followed_to_what_arrived(lineage: Lineage, settings: Settings) -> None:
    steps().tell(lineage)
    ways = {(way.column, way.arrived_as): way for way in columns(settings, TABLE)}
    counted = ways["contributors_count", "msisdn"]
    assert (counted.treatment, counted.masked) == ("pseudonym", True)
    assert columns(settings, "pula_mobile.nothing") == []


def test_upstream_of_many_months_answers_at_once(settings: Settings) -> None:
    lineage = open_lineage(settings, fixed)
    from acequia.ledger.database import writing
    from acequia.lineage import build, names, store

    signed, feed = agreement(), "events"
    with writing(lineage.engine) as connection:
        for month in range(4):
            made = [steps(period=f"{2021 + month // 12}-{month % 12 + 1:02d}-{day:02d}") for day in range(1, 29)]
            versions = {str(one.raw.delivery): names.protected_version(one.protected) for one in made}
            for one in made:
                store.ingest(connection, build.received(signed, feed, one.raw, fixed()))
                store.ingest(connection, build.protected(signed, feed, one.raw, one.protected, fixed()))
                store.ingest(connection, build.validated(signed, feed, one.protected, one.validated, fixed()))
            disclosed, release = steps(
                together_with=tuple(one.raw.delivery for one in made[:-1]),
                period=made[-1].raw.delivery.period,
                window=made[-1].raw.delivery.period[:7],
                snapshot=month * 100,
            ).published[0]
            told_ = build.published(
                signed, feed, disclosed, release, fixed(), lake="/lake", versions=versions, schema={}
            )
            store.ingest(connection, told_)
    started = time.monotonic()
    assert len(upstream(settings, TABLE, period="2021-04")) == 28
    assert time.monotonic() - started < 2
    started = time.monotonic()
    assert len(upstream(settings, TABLE)) == 4 * 28
    assert time.monotonic() - started < 2
