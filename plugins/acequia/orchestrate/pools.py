"""A pool per partner: a partner with a thousand files to catch up on cannot keep another one waiting."""

from __future__ import annotations

import logging
import os

log = logging.getLogger(__name__)
_made: set[str] = set()


def pool_of(partner: str) -> str:
    """The name of a partner's pool."""
    return f"acequia_{partner}"


def ensure_pool(dag_id: str) -> None:
    """Make the pool of a feed's DAG if there is none; an existing one keeps the size that an engineer gave it.

    Runs in the scheduler, where Airflow's database is at hand. A failure is logged and tried again at the next run.
    """
    partner, dot, _ = dag_id.partition(".")
    if not dot or partner in _made:
        return
    try:
        _make(pool_of(partner), int(os.environ.get("ACEQUIA_POOL_SLOTS", "4")))
        _made.add(partner)
    except Exception as error:  # noqa: BLE001 - a listener must never stop the scheduler
        log.warning("pool %s could not be made: %s", pool_of(partner), type(error).__name__)


def _make(name: str, slots: int) -> None:
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    with create_session() as session:
        if Pool.get_pool(name, session=session) is None:
            Pool.create_or_update_pool(
                name, slots=slots, description="one partner's share (Acequia)", include_deferred=False, session=session
            )
