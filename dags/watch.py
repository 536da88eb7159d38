"""An Airflow DAG that looks at every partner's source, starts a feed's run for what is new, and sends due notices.

Feeds run by their schedules. What came late, was corrected, or came while nothing ran here is found by this DAG, as
long as the agreement says (`delivery.watched_days`).
"""

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

from acequia.orchestrate.watching import LookAround, SendNotices, schedule

with DAG(
    "acequia.watch",
    schedule=schedule(),
    start_date=pendulum.datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["watch"],
    doc_md=__doc__,
) as dag:
    look = LookAround(task_id="look", retries=1)
    trigger = TriggerDagRunOperator.partial(
        task_id="trigger",
        logical_date=None,
        skip_when_already_exists=True,
        openlineage_inject_parent_info=False,
        retries=2,
        map_index_template="{{ task.trigger_dag_id }} {{ task.conf['period'] }}",
    ).expand_kwargs(look.output)
    trigger >> SendNotices(task_id="notices", trigger_rule="all_done", retries=0)
