"""The only room that knows Airflow: DAGs from agreements, waiting, retries, pools, assets. It calls pipeline.py."""
