"""An Airflow DAG that deletes raw and protected data past their days, proves it, and keeps the lake small. Daily."""

from __future__ import annotations

import os

import pendulum
from airflow.sdk import DAG

from acequia.orchestrate.operators import Housekeeping

with DAG(
    "housekeeping",
    schedule=None if os.environ.get("ACEQUIA_ON_DEMAND") == "1" else "30 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["housekeeping"],
    doc_md=__doc__,
) as dag:
    Housekeeping(task_id="keep", retries=1)
