"""What the processes of test_publish_processes.py need, imported once."""

import duckdb  # noqa: F401
import psycopg2  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pyiceberg.catalog.sql  # noqa: F401
import pyiceberg.io.pyarrow  # noqa: F401

import tests.publish.cells  # noqa: F401
