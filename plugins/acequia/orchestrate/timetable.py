"""When a feed's DAG runs, and which period each run is for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.exceptions import InvalidPartitionKeyError
from airflow.timetables.base import DagRunInfo
from airflow.timetables.trigger import CronPartitionTimetable

from acequia.errors import AcequiaError
from acequia.period import Period, PeriodKind

if TYPE_CHECKING:
    from pendulum import DateTime


class PeriodTimetable(CronPartitionTimetable):
    """Runs at the cron times; each run's partition is the period that ended last before it, by its label.

    Airflow's own timetable finds the partition by counting cron ticks and cannot read weeks or quarters back from a
    key. Here a key is a period's label (`2026-11-21`, `2026-W47`, `2026-11`), whatever the cron says.
    """

    def __init__(self, cron: str, *, timezone: Any, kind: PeriodKind, on_demand: bool = False) -> None:
        super().__init__(cron, timezone=timezone, run_offset=-1)
        self._kind, self._on_demand = kind, on_demand

    def serialize(self) -> dict[str, Any]:
        """What the scheduler stores."""
        return {
            "expression": self._expression,
            "timezone": str(self._timezone.name),
            "kind": self._kind,
            "on_demand": self._on_demand,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> PeriodTimetable:
        """What the scheduler reads back."""
        return cls(
            data["expression"], timezone=data["timezone"], kind=data["kind"], on_demand=data.get("on_demand", False)
        )

    @property
    def summary(self) -> str:
        """What the list of DAGs shows."""
        return f"{self._expression} ({self._timezone.name}), per {self._kind}"

    def next_dagrun_info_v2(self, **asked: Any) -> DagRunInfo | None:
        """The next scheduled run; none where runs are only made on demand (a demonstration, a test)."""
        return None if self._on_demand else super().next_dagrun_info_v2(**asked)

    def _local_day(self, moment: DateTime) -> dt.date:
        return pendulum.instance(moment).in_timezone(self._timezone).date()

    def _starts_at(self, period: Period) -> DateTime:
        return pendulum.datetime(period.start.year, period.start.month, period.start.day, tz=self._timezone)

    def _get_partition_date(self, *, run_date: DateTime) -> DateTime:
        return self._starts_at(Period.holding(self._kind, self._local_day(run_date)).previous())

    def _format_key(self, partition_date: DateTime) -> str:
        return Period.holding(self._kind, self._local_day(partition_date)).label

    def _decode_partition_date(self, partition_key: str) -> dt.datetime:
        try:
            return self._starts_at(Period.parse(partition_key, self._kind))
        except AcequiaError as error:
            raise InvalidPartitionKeyError(error.what) from None

    def iter_partition_dagrun_infos(self, *, earliest: dt.datetime, latest: dt.datetime) -> Iterable[DagRunInfo]:
        """One run per period that starts inside the window: what a backfill asks for."""
        first = self._local_day(self.localize_partition_datetime(earliest))
        last = self._local_day(self.localize_partition_datetime(latest))
        period = Period.holding(self._kind, first)
        period = period if period.start >= first else period.next()
        while period.start <= last:
            starts = self._starts_at(period).in_timezone("UTC")
            yield DagRunInfo(run_after=starts, data_interval=None, partition_date=starts, partition_key=period.label)
            period = period.next()
