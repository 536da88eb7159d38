"""Waiting for a delivery without holding a worker: runs in the triggerer, fires once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent


class DeliveryTrigger(BaseTrigger):
    """Looks at the partner's source every `poke_s` seconds until a complete delivery is there, or until it is due."""

    def __init__(self, partner: str, feed: str, period: str, due: str, poke_s: float = 60.0) -> None:
        super().__init__()
        self.partner, self.feed, self.period, self.due, self.poke_s = partner, feed, period, due, poke_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to rebuild it. No secret is among it."""
        return (
            "acequia.orchestrate.trigger.DeliveryTrigger",
            {
                "partner": self.partner,
                "feed": self.feed,
                "period": self.period,
                "due": self.due,
                "poke_s": self.poke_s,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait first: an event within the first second of parking is lost by some Airflow versions."""
        due = datetime.fromisoformat(self.due)
        while True:
            await asyncio.sleep(self.poke_s)
            status = await self._look()
            if status == "waiting" and datetime.now(UTC) > due:
                status = "missing"
            if status != "waiting":
                yield TriggerEvent({"status": status})
                return

    async def _look(self) -> str:
        """A source that cannot be reached, or a broken agreement, is for the task to report: it has the log."""
        from acequia.errors import AcequiaError

        try:
            return "arrived" if await self._is_there() else "waiting"
        except AcequiaError as error:
            return "waiting" if error.retryable else "arrived"

    async def _is_there(self) -> bool:
        from asgiref.sync import sync_to_async

        from acequia.agreement.load import find
        from acequia.orchestrate.connections import airflow_resolver
        from acequia.orchestrate.waiting import is_there
        from acequia.period import Period
        from acequia.settings import Settings

        settings = Settings.from_environment()
        signed = await asyncio.to_thread(find, settings.partners, self.partner, Period.parse(self.period))
        name = getattr(signed.agreement.feed(self.feed).delivery.source, "connection", None)
        connection = await sync_to_async(airflow_resolver(settings))(name) if name else None

        def connect(_: str) -> Any:
            return connection

        return await asyncio.to_thread(is_there, settings, signed, self.feed, self.period, connect)
