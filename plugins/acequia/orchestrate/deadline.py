"""Airflow's deadline alerts on the moments of the agreement. They send at once what the ledger says is due."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

if TYPE_CHECKING:
    from acequia.agreement.delivery import Delivery
    from acequia.receive.connections import Connection, Resolver
    from acequia.settings import Settings

LONG_AGO = timedelta(days=7)
log = logging.getLogger(__name__)


class DueAt(BaseDeadlineReference):
    """When the delivery of the run's partition is due, by the terms of the newest agreement."""

    required_kwargs = {"dag_id", "run_id"}

    def __init__(self, kind: str, timezone: str, due_within_hours: int) -> None:
        self.kind, self.timezone, self.due_within_hours = kind, timezone, due_within_hours

    def serialize_reference(self) -> dict[str, Any]:
        """What the scheduler stores."""
        told = {"kind": self.kind, "timezone": self.timezone, "due_within_hours": self.due_within_hours}
        return {**super().serialize_reference(), **told}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> DueAt:
        """What the scheduler reads back."""
        return cls(reference_data["kind"], reference_data["timezone"], reference_data["due_within_hours"])

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str, **_: Any) -> datetime | None:
        """None where the run has no partition, or it was due long ago (a backfill): then the watch alone sends.

        Nothing is raised: it would stop the run.
        """
        from airflow.models import DagRun
        from sqlalchemy import select

        key = session.scalar(select(DagRun.partition_key).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        moment = self.of(key)
        return moment if moment and moment > datetime.now(UTC) - LONG_AGO else None

    def of(self, key: str | None) -> datetime | None:
        """The moment for a period's label, in UTC."""
        from acequia.agreement.calendar import elapsed
        from acequia.errors import AcequiaError
        from acequia.period import Period

        try:
            period = Period.parse(key or "", self.kind)  # type: ignore[arg-type]
        except AcequiaError:
            return None
        return elapsed(period.end, self.timezone, self.due_within_hours).astimezone(UTC)


def alerts(partner: str, feed: str, terms: Delivery) -> list[DeadlineAlert]:
    """One when the delivery is late, one when it is missing. A run that ends well before takes both back."""
    reference = DueAt(terms.period, terms.timezone, terms.due_within_hours)
    after = {"late": timedelta(seconds=1), "missing": timedelta(hours=terms.grace_hours, seconds=1)}
    return [
        DeadlineAlert(
            reference=reference,
            interval=interval,
            callback=AsyncCallback(tell_now, kwargs={"partner": partner, "feed": feed, "alert": name}),
            name=name,
        )
        for name, interval in after.items()
    ]


async def tell_now(partner: str, feed: str, alert: str, **_: Any) -> None:
    """Send what is due to be told about the partner. Nothing is sent twice: the ledger remembers.

    Runs in the triggerer: what runs in an executor is not given Airflow's connections.
    """
    import asyncio

    from acequia.agreement.load import versions
    from acequia.notices.mail import CONNECTION
    from acequia.notices.send import send_due
    from acequia.opening import ledger_of
    from acequia.settings import Settings

    settings = Settings.from_environment()
    agreement = await asyncio.to_thread(versions, settings.partners, partner)
    connect = await _connections(settings, {CONNECTION, *agreement[-1].agreement.notices.webhooks.values()})
    log.info("%s.%s: %s", partner, feed, alert)

    def send() -> list[str]:
        return send_due(settings, ledger_of(settings, connect), [agreement], connect=connect, say=log.info).troubles

    for trouble in await asyncio.to_thread(send):
        log.warning("could not be done: %s", trouble)


async def _connections(settings: Settings, names: set[str]) -> Resolver:
    """A resolver of these, which knows the others from our own places alone: Airflow's are only asked from here."""
    from asgiref.sync import sync_to_async

    from acequia.errors import AcequiaError
    from acequia.orchestrate.connections import airflow_resolver
    from acequia.receive.connections import resolver

    found: dict[str, Connection] = {}
    for name in sorted(names):
        with suppress(AcequiaError):
            found[name] = await sync_to_async(airflow_resolver(settings))(name)
    own = resolver(settings)
    return lambda name: found[name] if name in found else own(name)
