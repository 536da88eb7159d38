"""Loads the heavy libraries once, in the scheduler, so that the tasks it forks find them loaded.

Great Expectations alone takes seconds to import; a small delivery takes less. Imported by Airflow's local settings
where ACEQUIA_PRELOAD is set; it matters only for executors that fork (LocalExecutor).
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys

LIBRARIES = (
    "duckdb",
    "pyarrow.parquet",
    "pandas",
    "presidio_analyzer",
    "pyiceberg.catalog.sql",
    "acequia.pipeline",
)

if os.environ.get("ACEQUIA_PRELOAD") == "1" and "scheduler" in sys.argv:
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    with contextlib.suppress(ImportError):
        importlib.import_module("acequia.validate.arbiter").preload()
    with contextlib.suppress(Exception):  # a model that is missing is told by the task that needs it
        importlib.import_module("acequia.protect.scrub").preload()
