"""Which period a run is for, and which keys are taken."""

from __future__ import annotations

import pendulum
import pytest
from airflow.exceptions import InvalidPartitionKeyError
from airflow.timetables.base import TimeRestriction

from acequia.orchestrate.timetable import PeriodTimetable
from acequia.period import Period


def timetable(cron: str, kind: str, zone: str = "Africa/Gaborone", on_demand: bool = False) -> PeriodTimetable:
    return PeriodTimetable(cron, timezone=zone, kind=kind, on_demand=on_demand)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cron", "kind", "run", "key"),
    [
        ("0 6 * * *", "day", "2026-11-22T06:00", "2026-11-21"),
        ("0 0 * * *", "day", "2026-11-22T00:00", "2026-11-21"),
        ("30 23 * * *", "day", "2026-11-22T23:30", "2026-11-21"),
        ("0 9 * * 1", "week", "2026-11-23T09:00", "2026-W47"),
        ("0 9 * * 3", "week", "2026-11-25T09:00", "2026-W47"),
        ("0 9 * * 1", "week", "2027-01-04T09:00", "2026-W53"),
        ("0 5 2 * *", "month", "2026-11-02T05:00", "2026-10"),
        ("0 5 2 1 *", "month", "2027-01-02T05:00", "2026-12"),
        ("0 5 10 1,4,7,10 *", "quarter", "2026-10-10T05:00", "2026-Q3"),
        ("0 5 10 1 *", "year", "2027-01-10T05:00", "2026"),
    ],
)
def test_a_run_is_for_the_period_that_ended_last(cron: str, kind: str, run: str, key: str) -> None:
    table = timetable(cron, kind)
    date, found = table._get_partition_info(pendulum.parse(run, tz="Africa/Gaborone"))  # type: ignore[arg-type]
    assert found == key
    assert date.in_timezone("Africa/Gaborone").date() == Period.parse(key).start


@pytest.mark.parametrize(
    ("kind", "key"),
    [("day", "2026-11-21"), ("week", "2026-W47"), ("month", "2026-11"), ("quarter", "2026-Q4"), ("year", "2026")],
)
def test_a_label_is_read_back(kind: str, key: str) -> None:
    table = timetable("0 6 * * *", kind, "America/Montevideo")
    date = table.resolve_partition_date(key)
    assert date is not None and table._format_key(pendulum.instance(date)) == key


@pytest.mark.parametrize(
    ("kind", "key"), [("week", "2026-11-21"), ("day", "2026-W47"), ("month", "last month"), ("day", "")]
)
def test_a_key_of_another_kind_is_refused(kind: str, key: str) -> None:
    with pytest.raises(InvalidPartitionKeyError):
        timetable("0 6 * * *", kind)._decode_partition_date(key)


def test_a_backfill_makes_each_period_once() -> None:
    infos = timetable("0 5 2 * *", "month").iter_partition_dagrun_infos(
        earliest=pendulum.datetime(2026, 7, 1), latest=pendulum.datetime(2026, 10, 31)
    )
    assert [info.partition_key for info in infos] == ["2026-07", "2026-08", "2026-09", "2026-10"]
    weeks = timetable("0 9 * * 1", "week").iter_partition_dagrun_infos(
        earliest=pendulum.datetime(2026, 11, 4), latest=pendulum.datetime(2026, 11, 20)
    )
    assert [info.partition_key for info in weeks] == ["2026-W46", "2026-W47"]


def test_it_survives_the_scheduler() -> None:
    table = timetable("0 9 * * 1", "week", "America/Montevideo", on_demand=True)
    again = PeriodTimetable.deserialize(table.serialize())
    assert again.serialize() == table.serialize()
    assert again.summary == table.summary


def test_on_demand_it_schedules_nothing() -> None:
    asked = {
        "last_dagrun_info": None,
        "restriction": TimeRestriction(earliest=pendulum.datetime(2026, 1, 1), latest=None, catchup=False),
    }
    assert timetable("0 6 * * *", "day", on_demand=True).next_dagrun_info_v2(**asked) is None
    scheduled = timetable("0 6 * * *", "day").next_dagrun_info_v2(**asked)
    assert scheduled is not None and scheduled.partition_key
