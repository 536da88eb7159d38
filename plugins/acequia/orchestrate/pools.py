"""A pool per partner: a partner with a thousand files to catch up on cannot keep another one waiting."""

from __future__ import annotations

import os
from typing import Any

_made: set[str] = set()


def pool_of(partner: str) -> str:
    """The name of a partner's pool."""
    return f"acequia_{partner}"


def ensure_pool(dag_run: Any) -> None:
    """Make the pool of a feed's DAG if there is none; an existing one keeps the size that an engineer gave it.

    Runs in the scheduler, inside the transaction that holds the run: a session of its own would close that one.
    """
    from airflow.models.pool import Pool
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    partner, dot, _ = dag_run.dag_id.partition(".")
    session = object_session(dag_run)
    if not dot or partner in {"acequia", *_made} or session is None:
        return
    name = pool_of(partner)
    if session.scalar(select(Pool.pool).where(Pool.pool == name)) is None:
        slots = int(os.environ.get("ACEQUIA_POOL_SLOTS", "4"))
        session.add(Pool(pool=name, slots=slots, description="one partner's share (Acequia)", include_deferred=False))
        session.flush()
    _made.add(partner)
