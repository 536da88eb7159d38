"""Whether a delivery is there, and until when it is waited for. No Airflow in here: operator and trigger share it."""

from __future__ import annotations

from datetime import UTC, datetime

from acequia.agreement.calendar import due_at, holidays
from acequia.agreement.load import Signed, find
from acequia.errors import AcequiaError
from acequia.opening import ledger_of
from acequia.pauses import require_running
from acequia.period import Period
from acequia.receive.arrive import look
from acequia.receive.connections import Resolver
from acequia.settings import Settings


def terms(settings: Settings, partner: str, feed_name: str, period: str) -> tuple[Signed, datetime | None]:
    """The agreement, and when the delivery is due (UTC); None when nothing is due for the period."""
    signed = find(settings.partners, partner, Period.parse(period))
    delivery = signed.agreement.feed(feed_name).delivery
    wanted = Period.parse(period, delivery.period)
    signed.agreement.require_in_force(wanted)
    if not delivery.is_due(wanted, holidays(settings.reference, delivery.calendar)):
        return signed, None
    return signed, due_at(delivery, wanted).astimezone(UTC)


def require_not_paused(settings: Settings, partner: str, feed_name: str, connect: Resolver) -> None:
    """Stop, as `feed_paused`, where the feed is paused."""
    require_running(ledger_of(settings, connect), partner, feed_name)


def is_there(settings: Settings, signed: Signed, feed_name: str, period: str, connect: Resolver) -> bool:
    """Whether something complete lies at the source. What is wrong with it is for `receive` to say."""
    delivery = signed.agreement.feed(feed_name).delivery
    try:
        found = look(
            delivery,
            partner=signed.agreement.partner,
            feed_name=feed_name,
            period=Period.parse(period, delivery.period),
            connect=connect,
            inbox=settings.home / "inbox" / signed.agreement.partner,
        )
        return found is not None
    except AcequiaError as error:
        if error.code in ("delivery_missing", "delivery_unfinished"):
            return False
        raise
