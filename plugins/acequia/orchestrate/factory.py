"""One DAG per feed, made from the agreement files. A file that cannot be read yields one DAG that says why."""

from __future__ import annotations

import hashlib
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, Param, get_parsing_context

from acequia.agreement.load import Broken, Signed, history
from acequia.errors import AcequiaError
from acequia.orchestrate.consumers import asset
from acequia.orchestrate.deadline import alerts
from acequia.orchestrate.operators import BrokenAgreement, Protect, Publish, Receive, Validate, WaitForDelivery
from acequia.orchestrate.pools import pool_of
from acequia.orchestrate.timetable import PeriodTimetable
from acequia.settings import Settings

# Transport errors come and go within minutes; a task whose worker was killed is tried again under the same count.
DEFAULTS = {
    "retries": 3,
    "retry_delay": timedelta(seconds=float(os.environ.get("ACEQUIA_RETRY_SECONDS", "30"))),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
}

# A partner's server may be down for hours, and an upload may take as long: what talks to it is tried for five hours.
PATIENT_RETRIES = 15


def register(namespace: dict[str, Any], settings: Settings | None = None) -> None:
    """Put every feed's DAG into a DAG file's namespace; a task's process builds only the one that it runs."""
    settings = settings or Settings.from_environment()
    wanted = get_parsing_context().dag_id
    partner = wanted.split(".")[0] if wanted else None
    for path in sorted(settings.partners.glob("[!.]*.yaml")):
        if partner is None or path.stem == partner:
            for dag in dags_of(path):
                namespace[f"dag_{dag.dag_id.replace('.', '__')}"] = dag


def dags_of(path: Path) -> list[DAG]:
    """The DAGs of one agreement file: valid ones, or the one placeholder. One partner's slip never harms another."""
    try:
        signed = _newest(path)
        dags = [feed_dag(signed, feed_name) for feed_name in signed.agreement.feeds]
        for dag in dags:
            dag.validate()
    except AcequiaError as error:
        return [placeholder(path, str(error))]
    except Exception as error:  # noqa: BLE001 - whatever it is, only this partner may stop
        return [placeholder(path, f"[agreement_invalid] no DAG can be made of this file: {type(error).__name__}")]
    return dags


def _newest(path: Path) -> Signed:
    """The file's agreement, if it and its earlier versions can all be read: else nobody knows which one holds."""
    newest: Signed | None = None
    for found in history(path):
        if isinstance(found, Broken):
            raise found.error
        newest = found
    assert newest is not None  # noqa: S101 - the last of a history is the file itself
    return newest


def feed_dag(signed: Signed, feed_name: str) -> DAG:
    """Wait -> receive -> protect -> validate -> publish, for one feed."""
    agreement = signed.agreement
    feed, partner = agreement.feed(feed_name), agreement.partner
    assets = [asset(f"{partner}.{table}") for table in feed.tables]
    common: dict[str, Any] = {"partner": partner, "feed": feed_name, "pool": pool_of(partner)}
    patient = {**common, "retries": PATIENT_RETRIES}
    with DAG(
        f"{partner}.{feed_name}",
        auto_register=False,
        schedule=PeriodTimetable(
            feed.delivery.schedule,
            timezone=feed.delivery.timezone,
            kind=feed.delivery.period,
            on_demand=os.environ.get("ACEQUIA_ON_DEMAND") == "1",
        ),
        start_date=_midnight(agreement.terms.starts_on or agreement.terms.signed_on),
        end_date=_midnight(agreement.terms.expires_on).add(years=1),
        catchup=False,
        deadline=alerts(partner, feed_name, feed.delivery),
        max_active_runs=4,
        tags=[partner, "feed"],
        params={"agreement": Param(signed.sha256, const=signed.sha256), "period": Param(None, type=["null", "string"])},
        default_args=DEFAULTS,
        description=feed.describe or f"{agreement.name}: {feed_name}",
        doc_md=_words(signed, feed_name),
    ) as dag:
        steps = [
            WaitForDelivery(task_id="wait", poke_s=float(os.environ.get("ACEQUIA_POKE_SECONDS", "60")), **patient),
            Receive(task_id="receive", **patient),
            Protect(task_id="protect", **common),
            Validate(task_id="validate", **common),
            Publish(task_id="publish", outlets=assets, **common),
        ]
        for before, after in zip(steps, steps[1:], strict=False):
            before >> after
    return dag


def placeholder(path: Path, message: str) -> DAG:
    """A DAG of one task that fails with the message."""
    with DAG(
        path.stem,
        auto_register=False,
        schedule=None,
        tags=[path.stem, "broken-agreement"],
        doc_md=f"## {path.name} cannot be used\n```\n{message}\n```",
        params={"agreement": hashlib.sha256(path.read_bytes()).hexdigest()},
    ) as dag:
        BrokenAgreement(task_id="agreement", message=message)
    return dag


def _words(signed: Signed, feed_name: str) -> str:
    """The agreement in plain words, shown by Airflow beside the graph."""
    from acequia.agreement.explain import explain

    return explain(signed.agreement, signed.agreement.language)


def _midnight(day: date) -> pendulum.DateTime:
    return pendulum.datetime(day.year, day.month, day.day)
