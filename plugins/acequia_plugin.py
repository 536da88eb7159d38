"""What Acequia adds to Airflow itself: the timetable of periods, a pool per partner that is always there, the moments
of the agreement as deadlines, and the partition of the runs that the watch starts.

Airflow imports this file in each of its processes, so nothing heavy is imported here.
"""

from __future__ import annotations

from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from acequia.orchestrate.deadline import DueAt
from acequia.orchestrate.pools import ensure_pool
from acequia.orchestrate.timetable import PeriodTimetable
from acequia.orchestrate.watching import take_partition


class FeedRuns:
    """Makes a partner's pool when its first run starts: a task in a pool that does not exist would wait for ever.
    Gives the runs that the watch triggers their partition.
    """

    @hookimpl
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        """Called in the scheduler, before the run's tasks are scheduled."""
        take_partition(dag_run)
        ensure_pool(dag_run)


class AcequiaPlugin(AirflowPlugin):
    """Registered under the name `acequia`."""

    name = "acequia"
    timetables = [PeriodTimetable]
    listeners = [FeedRuns()]
    deadline_references = [DueAt]
