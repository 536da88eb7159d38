"""What the watch gives to Airflow, without one running: partitions, deadlines, skipping what is paused."""

from __future__ import annotations

import runpy
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.serialization.serialized_objects import DagSerialization

from acequia.agreement.calendar import due_at
from acequia.agreement.load import load
from acequia.errors import AcequiaError
from acequia.orchestrate.deadline import DueAt, alerts
from acequia.orchestrate.factory import dags_of
from acequia.orchestrate.operators import period_of, plain_errors
from acequia.orchestrate.timetable import PeriodTimetable
from acequia.orchestrate.watching import take_partition
from acequia.period import Period

PARTNERS = sorted((Path(__file__).resolve().parents[2] / "config" / "partners").glob("*.yaml"))


@pytest.mark.parametrize("path", PARTNERS, ids=lambda path: path.stem)
def test_deadlines_are_the_moments_of_the_agreement(path: Path) -> None:
    for name, feed in load(path).agreement.feeds.items():
        late, missing = alerts(path.stem, name, feed.delivery)
        stored = late.reference.serialize_reference()
        reference = DueAt.deserialize_reference(stored)
        for label in {"day": ["2026-03-29", "2026-11-10"], "week": ["2026-W13"], "month": ["2026-10"]}[
            feed.delivery.period
        ]:
            period = Period.parse(label)
            assert reference.of(label) == due_at(feed.delivery, period).astimezone(UTC)
        assert reference.of(None) is None and reference.of("2026-13-45") is None and reference.of("2026-Q9") is None
        assert (missing.interval - late.interval).total_seconds() == 3600 * feed.delivery.grace_hours


@pytest.mark.parametrize(
    ("run_id", "key", "conf", "expected"),
    [
        ("watch__2026-W47__0123456789abcdef__1", None, {"period": "2026-W47"}, "2026-W47"),
        ("watch__2026-W47__0123456789abcdef__1", "2026-W46", {"period": "2026-W47"}, "2026-W46"),
        ("manual__2026-11-22", None, {"period": "2026-W47"}, None),
        ("watch__x", None, None, None),
    ],
)
def test_a_run_of_the_watch_gets_its_partition(
    run_id: str, key: str | None, conf: dict[str, str] | None, expected: str | None
) -> None:
    timetable = PeriodTimetable("0 9 * * 1", timezone="America/Montevideo", kind="week")
    dag = SimpleNamespace(timetable=timetable)
    run = SimpleNamespace(run_id=run_id, partition_key=key, partition_date=None, conf=conf, dag=dag)
    take_partition(run)
    assert run.partition_key == expected
    if expected and key is None:
        assert run.partition_date.isoformat() == "2026-11-16T00:00:00-03:00"


@pytest.mark.parametrize(
    ("key", "said", "expected"),
    [("2026-W46", "2026-W47", "2026-W46"), (None, "2026-W47", "2026-W47"), ("", "2026-W47", "2026-W47")],
)
def test_without_a_partition_the_runs_parameter_says_the_period(key: str | None, said: str, expected: str) -> None:
    """What the watch passes on as `conf` is a parameter of the run, which every DAG of a feed takes."""
    from airflow.sdk.definitions.param import ParamsDict

    dag = dags_of(next(path for path in PARTNERS if path.stem == "rambla_market"))[0]
    given = ParamsDict({**dag.params})
    given.update({"period": said})
    context = {"dag_run": SimpleNamespace(partition_key=key), "params": given.validate()}
    assert period_of(context) == expected  # type: ignore[arg-type]


def test_a_run_that_names_no_period_fails_and_says_what_to_do() -> None:
    context = {"dag_run": SimpleNamespace(partition_key=None), "params": {"period": None}}
    with pytest.raises(AirflowFailException, match="names no period"):
        period_of(context)  # type: ignore[arg-type]


def test_what_is_paused_is_skipped_with_a_plain_sentence() -> None:
    with pytest.raises(AirflowSkipException, match="one.two: it is paused; nothing is taken until"), plain_errors():
        raise AcequiaError("feed_paused", "it is paused", where="one.two")


def test_the_dag_of_the_watch_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACEQUIA_ON_DEMAND", raising=False)
    dag = runpy.run_path(str(PARTNERS[0].parents[2] / "dags" / "watch.py"))["dag"]
    dag.validate()
    assert [task.task_id for task in dag.topological_sort()] == ["look", "trigger", "notices"]
    assert dag.schedule == "*/15 * * * *" and dag.max_active_runs == 1
    first, second = (DagSerialization.to_dict(dag) for _ in range(2))
    assert first == second
