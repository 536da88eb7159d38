"""An example of a ministry's own Airflow DAG: it runs for a day once both daily partners have published that day.

It needs nothing but the names of the tables. Replace the task by what your ministry does with the numbers.
"""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, PartitionedAssetTimetable, task

from acequia.orchestrate.consumers import asset, read_table

with DAG(
    "example_consumer",
    schedule=PartitionedAssetTimetable(
        assets=asset("pula_mobile.active_subscribers_by_district_hour") & asset("ceibo_pay.payments_by_department_kind")
    ),
    start_date=pendulum.datetime(2026, 1, 1),
    catchup=False,
    tags=["consumer", "example"],
    doc_md=__doc__,
) as dag:

    @task(show_return_value_in_logs=False)
    def compare(partition_key: str | None = None) -> dict[str, int]:
        """Counts the published cells of both tables for the day."""
        return {
            table: len(read_table(table, partition_key))
            for table in ("pula_mobile.active_subscribers_by_district_hour", "ceibo_pay.payments_by_department_kind")
        }

    compare()
