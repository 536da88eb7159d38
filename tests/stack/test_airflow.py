"""A real Airflow: workers and scheduler killed, real feeds, a broken partner file beside good ones."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acequia import pipeline
from acequia.agreement.calendar import holidays
from acequia.agreement.load import find
from acequia.demo import airflow as stack
from acequia.flow import DeliveryId
from acequia.opening import ledger_of, open_work
from acequia.period import Period
from acequia.settings import Settings
from tests.pipeline.world import PROJECT, World, make_world
from tests.real.conftest import SHARED

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
DAYS = ("2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12")
QUICK = {
    "ACEQUIA_ON_DEMAND": "1",
    "ACEQUIA_POKE_SECONDS": "2",
    "ACEQUIA_RETRY_SECONDS": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("stack"))
    for name in ("rambla_market", "kgale_rides"):
        (made.settings.partners / f"{name}.yaml").unlink()
    real = PROJECT / "tests" / "real" / "config"
    shutil.copy(real / "partners" / "online_retail.yaml", made.settings.partners)
    (made.settings.partners / "broken_one.yaml").write_text("partner: broken_one\nfeeds: [\n")
    for day in DAYS:
        made.deliver("ceibo_pay", "transactions", day)
    return made


def start(world: World) -> Any:
    return stack.running(world.settings, PROJECT, extra=QUICK, say=lambda _: None)


def wait_for_dags(airflow: stack.Airflow, *wanted: str) -> None:
    deadline = time.monotonic() + 90
    while not set(wanted) <= airflow.dags():
        assert time.monotonic() < deadline, "Airflow did not read the DAGs"
        time.sleep(0.5)


def finished(airflow: stack.Airflow, dag_id: str, seconds: float = 240) -> dict[str, str]:
    """Period -> state, once every run of the DAG has ended."""
    deadline = time.monotonic() + seconds
    while True:
        runs = airflow.runs(dag_id)
        if all(run["state"] in ("success", "failed") for run in runs):
            return {run["partition_key"]: run["state"] for run in runs}
        assert time.monotonic() < deadline, [(run["partition_key"], run["state"]) for run in runs]
        time.sleep(0.5)


def workers(process_id: int) -> Iterator[int]:
    """The processes of LocalExecutor and its tasks, in the session that we started."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(entry.name)) == process_id and b"LocalExecutor" in (entry / "cmdline").read_bytes():
                yield int(entry.name)
        except OSError:
            continue


def state_of(world: World) -> tuple[Any, ...]:
    """Statuses, tables' rows and each delivery's entries, without times and hashes."""
    from acequia.opening import lake_of

    lake, book = lake_of(world.settings), ledger_of(world.settings)
    statuses = {name: status for name, status in world.statuses().items() if name.startswith("ceibo_pay")}
    rows = {info.name: lake.read(info.name).to_pylist() for info in lake.tables() if info.name.startswith("ceibo")}
    entries = {name: sorted(entry.kind for entry in book.history(DeliveryId.parse(name))) for name in statuses}
    assert book.verify() == []
    return statuses, rows, entries


def undisturbed(world: World, tmp_path: Path) -> tuple[Any, ...]:
    """The same deliveries, one after the other, without Airflow and without accident."""
    calm = make_world(tmp_path / "calm")
    for name in ("inbox", "keys"):
        shutil.copytree(world.settings.home / name, calm.settings.home / name)
    for day in DAYS:
        calm.run("ceibo_pay", "transactions", day)
    return state_of(calm)


def test_killed_workers_and_a_killed_scheduler_change_nothing(world: World, tmp_path: Path) -> None:
    moments = random.Random(47)
    with start(world) as airflow:
        wait_for_dags(airflow, "ceibo_pay.transactions")
        airflow.pause(True)
        for day in DAYS:
            airflow.trigger("ceibo_pay.transactions", day)
        airflow.pause(False)
        for _ in range(3):
            time.sleep(moments.uniform(1, 4))
            alive = list(workers(airflow.process.pid))
            if alive:
                os.kill(moments.choice(alive), signal.SIGKILL)
        time.sleep(moments.uniform(0, 3))
        os.killpg(airflow.process.pid, signal.SIGKILL)
    with start(world) as airflow:
        assert set(finished(airflow, "ceibo_pay.transactions").values()) == {"success"}
    assert state_of(world) == undisturbed(world, tmp_path)


def test_a_refusal_fails_at_once_and_a_broken_file_harms_nobody(world: World) -> None:
    world.deliver("pula_mobile", "events", "2026-11-09", bad="column_missing")
    retail = SHARED / "retail_uci_online" / "by-day" / "2010-12-01.csv"
    if retail.exists():
        inbox = world.settings.home / "inbox" / "online_retail"
        inbox.mkdir(parents=True, exist_ok=True)
        shutil.copy(retail, inbox)
    with start(world) as airflow:
        wait_for_dags(airflow, "ceibo_pay.transactions", "pula_mobile.events", "broken_one")
        assert airflow.import_errors() == []
        refused = airflow.trigger("pula_mobile.events", "2026-11-09")
        day = coming_day(world)
        waiting = airflow.trigger("ceibo_pay.transactions", day)
        if retail.exists():
            wait_for_dags(airflow, "online_retail.invoices")
            airflow.trigger("online_retail.invoices", "2010-12-01")
        assert finished(airflow, "pula_mobile.events") == {"2026-11-09": "failed"}
        tasks = airflow.call("GET", f"/api/v2/dags/pula_mobile.events/dagRuns/{refused}/taskInstances")
        tries = {task["task_id"]: task["try_number"] for task in tasks["task_instances"] if task["state"] == "failed"}
        assert tries and set(tries.values()) == {1}, "a refusal is not tried again"
        arrives_late(world, airflow, day, waiting)
        backfilled(world, airflow)
        if retail.exists():
            assert finished(airflow, "online_retail.invoices") == {"2010-12-01": "success"}
    statuses = world.statuses()
    assert statuses["pula_mobile.events.2026-11-09.v1"] == "refused"
    if retail.exists():
        assert statuses["online_retail.invoices.2010-12-01.v1"] == "published"


def coming_day(world: World) -> str:
    """The next day for which a delivery is due, and not overdue, by today's calendar."""
    terms = find(world.settings.partners, "ceibo_pay").agreement.feed("transactions").delivery
    days_off = holidays(world.settings.reference, terms.calendar)
    day = Period.holding("day", datetime.now(UTC).date())
    while not terms.is_due(day, days_off):
        day = day.next()
    return day.label


def arrives_late(world: World, airflow: stack.Airflow, day: str, run_id: str) -> None:
    """The run waits, deferred, holding no worker, and goes on when the file comes."""
    dag_id, deadline = "ceibo_pay.transactions", time.monotonic() + 60
    while airflow.tasks(dag_id, run_id)["wait"] != "deferred":
        assert time.monotonic() < deadline, airflow.tasks(dag_id, run_id)
        time.sleep(0.5)
    world.deliver("ceibo_pay", "transactions", day)
    assert finished(airflow, dag_id)[day] == "success"
    assert world.statuses()[f"ceibo_pay.transactions.{day}.v1"] == "published"


def backfilled(world: World, airflow: stack.Airflow) -> None:
    """Airflow's own backfill makes one run per period."""
    days = ("2026-11-14", "2026-11-15")
    for day in days:
        world.deliver("ceibo_pay", "transactions", day)
    asked = {
        "dag_id": "ceibo_pay.transactions",
        "from_date": f"{days[0]}T00:00:00Z",
        "to_date": f"{days[-1]}T00:00:00Z",
        "reprocess_behavior": "none",
        "max_active_runs": 2,
    }
    airflow.call("POST", "/api/v2/backfills", asked)
    deadline = time.monotonic() + 120
    while not set(days) <= {run["partition_key"] for run in airflow.runs(asked["dag_id"])}:
        assert time.monotonic() < deadline, "the backfill made no runs"
        time.sleep(0.5)
    states = finished(airflow, asked["dag_id"])
    assert {day: states[day] for day in days} == dict.fromkeys(days, "success")
    for day in days:
        assert world.statuses()[f"ceibo_pay.transactions.{day}.v1"] == "published"


def test_the_same_real_feed_without_airflow(world: World, tmp_path: Path) -> None:
    """What Airflow published for the real feed equals what the command line publishes."""
    retail = SHARED / "retail_uci_online" / "by-day" / "2010-12-01.csv"
    if not retail.exists():
        pytest.skip("the real data set is absent (docs/real-data.md says where it comes from)")
    from acequia.opening import lake_of

    plain = Settings.from_environment(
        {"ACEQUIA_HOME": str(tmp_path / "home"), "ACEQUIA_CONFIG": str(world.settings.config)}
    )
    pipeline.run(open_work(plain, "online_retail", "invoices", "2010-12-01"), retail.parent)
    for table in ("sales_by_country_day", "valid_sales_by_country_day"):
        ours, theirs = (lake_of(s).read(f"online_retail.{table}").to_pylist() for s in (plain, world.settings))
        assert ours == theirs and ours
