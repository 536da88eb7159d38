"""`acequia demo`: the main job for four invented partners, from their servers to the lake, under a real Airflow."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from acequia.demo.airflow import Airflow, running
from acequia.demo.partners import Outboxes, outboxes
from acequia.demo.plan import Delivery, plan
from acequia.errors import AcequiaError
from acequia.opening import ledger_of, project_folder
from acequia.settings import Settings

ON_DEMAND = {"ACEQUIA_ON_DEMAND": "1", "ACEQUIA_POKE_SECONDS": "2", "ACEQUIA_RETRY_SECONDS": "2"}
RUNS_WITHIN_S, CONSUMERS_WITHIN_S, UNWELL_FOR_S = 900.0, 60.0, 90.0
COLUMNS = ("partner", "feed", "period", "version", "rows_in", "rows_set_aside", "cells", "withheld", "tables",
           "status")  # fmt: skip


@dataclass
class Clock:
    """Says lines with the seconds since the start, whichever thread they come from."""

    began: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, text: str) -> None:
        """One line of progress."""
        with self.lock:
            click.echo(f"{time.monotonic() - self.began:5.0f} s  {text}")


def demonstrate(settings: Settings, *, rows: int, keep_running: bool = False) -> int:
    """Run it all; returns the exit code: 0 if every delivery ended as planned."""
    clock, deliveries = Clock(), plan(rows)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    clock.say("starting the partners' servers (SFTP, HTTPS, S3, PostgreSQL) and Airflow")
    with ExitStack() as stack, ThreadPoolExecutor(1) as aside:
        boxes = stack.enter_context(outboxes(settings))
        filling = aside.submit(_fill, boxes, deliveries, clock)
        airflow = stack.enter_context(
            running(
                settings,
                project_folder(),
                extra={**ON_DEMAND, **boxes.environment()},
            )
        )
        clock.say("Airflow is ready: scheduler, dag processor, triggerer, API server")
        filling.result()
        _wait_for_dags(airflow, {delivery.dag_id for delivery in deliveries})
        surprises = _run_all(airflow, boxes, deliveries, clock)
        consumed = _wait_for_consumers(airflow)
        clock.say(f"the example consumer ran for {consumed} days that both daily partners had published")
        if keep_running:
            _stay(airflow, settings)
        clock.say("stopping Airflow and the servers")
    _report(settings, surprises)
    clock.say("done")
    return 1 if surprises else 0


def _fill(boxes: Outboxes, deliveries: list[Delivery], clock: Clock) -> None:
    """The partners put their deliveries out."""
    for delivery in deliveries:
        boxes.put(delivery)
    clock.say(f"{len(deliveries)} deliveries are waiting at the partners")


def _wait_for_dags(airflow: Airflow, wanted: set[str]) -> None:
    deadline = time.monotonic() + 120
    while missing := wanted - airflow.dags():
        if time.monotonic() > deadline:
            raise AcequiaError("internal", f"Airflow did not read {len(missing)} of the feeds' DAGs")
        time.sleep(0.5)


def _run_all(airflow: Airflow, boxes: Outboxes, deliveries: list[Delivery], clock: Clock) -> list[str]:
    """Trigger every delivery's run and wait; returns those that did not end as planned."""
    airflow.pause(True)
    waiting = {airflow.trigger(delivery.dag_id, delivery.period.label): delivery for delivery in deliveries}
    airflow.pause(False)
    total, done, surprises = len(waiting) + sum(delivery.again for delivery in deliveries), 0, []
    clock.say(f"{len(waiting)} runs are triggered, one per feed and period")
    deadline, well_at = time.monotonic() + RUNS_WITHIN_S, time.monotonic()
    while waiting:
        well_at = _still_well(airflow, well_at)
        ended = {run["dag_run_id"]: run["state"] for run in airflow.runs() if run["state"] in ("success", "failed")}
        for run_id in [run_id for run_id in waiting if run_id in ended]:
            delivery, done = waiting.pop(run_id), done + 1
            planned = "failed" if delivery.bad else "success"
            word = "refused, as planned" if delivery.bad else _what_became(airflow, delivery, run_id)
            if ended[run_id] != planned:
                word = f"{ended[run_id]}, which was not planned"
                surprises.append(f"{delivery}: {word}")
            clock.say(f"[{done:2d}/{total}] {delivery}: {word}")
            if delivery.again and boxes.put_again(delivery):
                clock.say(f"        {delivery}: the partner sends a corrected file")
                waiting[airflow.trigger(delivery.dag_id, delivery.period.label)] = _corrected(delivery)
            elif delivery.again:
                total -= 1
        if time.monotonic() > deadline:
            return surprises + [f"{delivery}: not finished in time" for delivery in waiting.values()]
        time.sleep(0.5)
    return surprises


def _what_became(airflow: Airflow, delivery: Delivery, run_id: str) -> str:
    published = airflow.tasks(delivery.dag_id, run_id)["publish"] == "success"
    return "published" if published else "nothing new"


def _still_well(airflow: Airflow, well_at: float) -> float:
    """When Airflow was last seen well; a part that stays down is told, not waited for."""
    now = time.monotonic()
    if now - well_at > 5 and airflow.healthy():
        return now
    if now - well_at > UNWELL_FOR_S:
        log = airflow.home / "standalone.log"
        raise AcequiaError("internal", f"a part of Airflow is down since {now - well_at:.0f} s; see {log}")
    return well_at


def _corrected(delivery: Delivery) -> Delivery:
    return Delivery(delivery.partner, delivery.feed, delivery.period, delivery.rows)


def _wait_for_consumers(airflow: Airflow) -> int:
    deadline = time.monotonic() + CONSUMERS_WITHIN_S
    while time.monotonic() < deadline:
        states = [run["state"] for run in airflow.runs("example_consumer")]
        if all(state in ("success", "failed") for state in states):
            return states.count("success")
        time.sleep(0.5)
    return 0


def _stay(airflow: Airflow, settings: Settings) -> None:
    click.echo(f"\nAirflow: {airflow.url} (user admin; password in {settings.home / 'airflow' / 'passwords.json'})")
    click.echo("Press Ctrl-C to stop.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("")


def _report(settings: Settings, surprises: list[str]) -> None:
    rows = [row.as_row() for row in ledger_of(settings).deliveries()]
    rows.sort(key=lambda row: (row["partner"], row["feed"], row["period"], row["version"]))
    heads = [name.replace("_", " ") for name in COLUMNS]
    click.echo("\n" + tabulate([[_cell(row.get(name)) for name in COLUMNS] for row in rows], headers=heads))
    click.echo("\nWhat to open next:")
    for command, why in _next(settings, rows):
        click.echo(f"  {command}\n      {why}")
    for surprise in surprises:
        click.echo(f"not as planned: {surprise}", err=True)


def _cell(value: Any) -> Any:
    return "" if value is None else str(value).replace(", ", "\n")


def _next(settings: Settings, rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    here = Path.cwd()

    def short(path: Path) -> str:
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

    acequia = ".venv/bin/acequia"
    table = "pula_mobile.active_subscribers_by_district_hour"
    yield f"{acequia} tables", "the curated tables"
    yield f'{acequia} query "from {table} limit 5"', "their cells; a withheld cell keeps its key and says why"
    yield f"{acequia} calendar pula_mobile --from 2026-11-09 --to 2026-11-15", "what was due, and what became of it"
    yield f"{acequia} lineage {table}", "the deliveries, agreement and checks behind a table"
    refused = next((row for row in rows if row["status"] == "refused"), None)
    if refused:
        folder = settings.home / "receipts" / refused["partner"] / refused["feed"] / refused["period"] / "v1"
        yield f"{acequia} verify {short(folder / '02-refused.jws')}", "the signed receipt of the refused delivery"
    yield f"{acequia} explain pula_mobile", "the agreement in plain words"
    yield short(settings.home / "data_docs"), "Great Expectations' report of every delivery (open an index.html)"
    yield short(Path(settings.lake) / "open"), "the open releases: Parquet and CSV with data dictionary and checksums"
