"""Watching under Airflow: the same look, but what is new is run by the feed's own DAG, one run for each coming."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from acequia.orchestrate.operators import plain_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from acequia.settings import Settings
    from acequia.watch.looking import Coming, Eyes

RUN_OF_WATCH = "watch__"
RUNS_AT_MOST = 200  # the rest follows in the next round


def schedule() -> str | None:
    """When the DAG of the watch runs: a cron, or never by itself where everything is triggered."""
    if os.environ.get("ACEQUIA_ON_DEMAND") == "1":
        return None
    return os.environ.get("ACEQUIA_WATCH_SCHEDULE", "*/15 * * * *")


class LookAround(BaseOperator):
    """Looks at every source; returns, for each thing that is new, which run of which DAG takes it."""

    ui_color = "#dceefb"

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Returns what TriggerDagRunOperator needs, one for each; no values of the data."""
        from acequia.watch.looking import look_around

        with plain_errors():
            eyes = _eyes()
            seen = look_around(eyes)
            for where in seen.paused:
                self.log.info("%s: paused, nothing is taken", where)
            runs = list(_runs(eyes, seen.comings))
            for run in runs:
                self.log.info("%s: %s", run["trigger_dag_id"], run["trigger_run_id"])
            self.log.info("%d periods looked at, %d runs", seen.looked_at, len(runs))
            context["ti"].xcom_push(key="troubles", value=seen.troubles)
        return runs


class SendNotices(BaseOperator):
    """Sends the notices that are due: the ledger decides which, and remembers them."""

    ui_color = "#dceefb"

    def execute(self, context: Context) -> dict[str, int]:
        """Returns counts. What could not be looked at or told fails the task, so that somebody sees it."""
        from acequia.notices.send import send_due
        from acequia.opening import ledger_of
        from acequia.orchestrate.connections import airflow_resolver
        from acequia.settings import Settings

        with plain_errors():
            settings = Settings.from_environment()
            connect = airflow_resolver(settings)
            told = send_due(settings, ledger_of(settings, connect), connect=connect, say=self.log.info)
        troubles = [*(context["ti"].xcom_pull(task_ids="look", key="troubles") or ()), *told.troubles]
        if troubles:
            raise AirflowFailException(f"everything else was done, but not: {'; '.join(troubles)}")
        return {"told": told.told, "left": told.left}


def _eyes() -> Eyes:
    from acequia.opening import ledger_of
    from acequia.orchestrate.connections import airflow_resolver
    from acequia.settings import Settings
    from acequia.watch.looking import Eyes

    settings = Settings.from_environment()
    connect = airflow_resolver(settings)
    ledger = ledger_of(settings, connect)
    return Eyes(settings, ledger, connect, ledger.clock().astimezone(UTC))


def _runs(eyes: Eyes, comings: list[Coming]) -> Iterator[dict[str, Any]]:
    """One run for each coming that nobody seems to be at. Its id holds the coming, so that no other has it."""
    from acequia.watch.tries import Patience, Tries

    # A run that waits for the period looks every minute itself; a big extract, or a retry, may take hours.
    patience = Patience(
        first=timedelta(seconds=float(os.environ.get("ACEQUIA_WATCH_PATIENCE_SECONDS", "300"))),
        slow=timedelta(hours=6),
        again=timedelta(hours=6),
    )
    tries, made = Tries.of(eyes.settings, "airflow"), 0
    for coming in comings:
        number = tries.number(coming.key, coming.arrival, eyes.now, patience, slow=coming.why != "new")
        if number is not None and made < RUNS_AT_MOST and _has_dag(eyes.settings, coming):
            made += 1
            tries.tried(coming.key, eyes.now)
            yield {
                "trigger_dag_id": f"{coming.partner}.{coming.feed}",
                "trigger_run_id": f"{RUN_OF_WATCH}{coming.period}__{coming.arrival[:16]}__{number}",
                "conf": {"period": coming.period.label},
            }
    tries.keep({coming.key for coming in comings})


def _has_dag(settings: Settings, coming: Coming) -> bool:
    """DAGs are made of the newest version; a feed that only earlier ones know is run by hand."""
    from acequia.agreement.load import find

    return coming.feed in find(settings.partners, coming.partner).agreement.feeds


def take_partition(dag_run: Any) -> None:
    """Give a run of the watch its partition. Airflow 3.3 loses the key on the way from the task that triggers a run.

    Runs in the scheduler, inside the transaction that holds the run, before its tasks are scheduled.
    """
    period = (dag_run.conf or {}).get("period")
    if dag_run.run_id.startswith(RUN_OF_WATCH) and dag_run.partition_key is None and isinstance(period, str):
        dag_run.partition_key = period
        with suppress(Exception):  # the date is for lists alone
            dag_run.partition_date = dag_run.dag.timetable.resolve_partition_date(period)
