"""Opens what a step needs: agreement, keys, stores, ledger. The only place that knows how the parts are found."""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

from acequia.agreement.load import Signed, in_force, versions
from acequia.keys import KeyStore
from acequia.keys.choice import open_store
from acequia.ledger.book import Ledger, open_ledger
from acequia.lineage.events import open_lineage
from acequia.period import Period
from acequia.publish.lake import Lake, open_lake
from acequia.receive.connections import Connection, Resolver, resolver
from acequia.receive.landing import Landing
from acequia.settings import Settings
from acequia.work import Work

LAKE_CONNECTION, LANDING_CONNECTION = "acequia_lake", "acequia_landing"


def keys_of(settings: Settings, connect: Resolver | None = None) -> KeyStore:
    """The key store of this installation, as ACEQUIA_KEYS names it."""
    found = connect or resolver(settings)
    return open_store(settings.keys, settings.home / "keys", lambda name: found(name).model_dump(exclude_none=True))


def prepare_home(settings: Settings) -> None:
    """Make ACEQUIA_HOME, and keep it private to its owner, also where somebody made it before with other rights."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if stat.S_IMODE(settings.home.stat().st_mode) & 0o077:
        with suppress(PermissionError):  # another user's folder: `acequia doctor` says so
            settings.home.chmod(0o700)


def ledger_of(settings: Settings, connect: Resolver | None = None) -> Ledger:
    """The ledger, its tables brought up to date."""
    prepare_home(settings)
    return open_ledger(settings, keys_of(settings, connect))


def lake_of(settings: Settings, connect: Resolver | None = None) -> Lake:
    """The lake; on S3 with the connection `acequia_lake`, or the usual environment of S3 clients."""
    return open_lake(settings, _store_connection(settings.lake, LAKE_CONNECTION, connect or resolver(settings)))


def landing_of(settings: Settings, connect: Resolver | None = None) -> Landing:
    """Landing; on S3 with the connection `acequia_landing`."""
    connection = _store_connection(settings.landing, LANDING_CONNECTION, connect or resolver(settings))
    return Landing(settings.landing, keys_of(settings, connect), connection)


def open_work(
    settings: Settings,
    partner: str,
    feed_name: str,
    period: str | Period,
    *,
    connect: Resolver | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Work:
    """Everything for one feed and period, under the version of the agreement that is in force for it.

    Names are checked here, so that a slip is told before anything is opened.
    """
    found = versions(settings.partners, partner)
    wanted = Period.parse(period) if isinstance(period, str) else period
    signed = in_force(found, wanted)
    feed = signed.agreement.feed(feed_name)
    if isinstance(period, str):
        Period.parse(period, feed.delivery.period)  # says which kind of period the feed has
    return _opened(settings, found, signed, feed_name, wanted, connect, say)


def open_feed(
    settings: Settings,
    partner: str,
    feed_name: str,
    today: date,
    *,
    connect: Resolver | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Work:
    """A feed as the last version that knows it has agreed it by now, also where the newest knows it no more.

    Raises:
        AcequiaError: `unknown_name` if no version has such a feed.
    """
    found = versions(settings.partners, partner)
    knowing = [one for one in found if feed_name in one.agreement.feeds] or list(found)
    signed = ([one for one in knowing if one.agreement.terms.holds_from <= today] or knowing[:1])[-1]
    kind = signed.agreement.feed(feed_name).delivery.period
    return _opened(settings, found, signed, feed_name, Period.holding(kind, today), connect, say)


def _opened(
    settings: Settings,
    found: tuple[Signed, ...],
    signed: Signed,
    feed_name: str,
    period: Period,
    connect: Resolver | None,
    say: Callable[[str], None],
) -> Work:
    prepare_home(settings)
    connect = connect or resolver(settings)
    return Work(
        settings=settings,
        signed=signed,
        feed_name=feed_name,
        period=period,
        connect=connect,
        keys=keys_of(settings, connect),
        landing=landing_of(settings, connect),
        lake=lake_of(settings, connect),
        ledger=ledger_of(settings, connect),
        lineage=open_lineage(settings),
        say=say,
        versions=found,
    )


def _store_connection(place: str, name: str, connect: Resolver) -> Connection | None:
    """The connection of a store in S3, if one is defined; a folder needs none."""
    if not place.startswith("s3://"):
        return None
    from acequia.errors import AcequiaError

    try:
        return connect(name)
    except AcequiaError as error:
        if error.code == "connection_unknown":
            return None
        raise


def project_folder() -> Path:
    """The folder that holds plugins/, from which Airflow is started."""
    return Path(__file__).resolve().parents[2]
