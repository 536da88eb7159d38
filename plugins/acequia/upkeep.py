"""Housekeeping: deletes what the agreements say is to be deleted and proves it, closes windows, keeps the lake small.

Everything here can be run at any time, twice, or not at all for a week: it acts on what is due now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from acequia import pipeline, withdrawal
from acequia.agreement.load import Signed, in_force, load_all, versions
from acequia.canary import record as canary
from acequia.deletion import delete_protected, delete_raw, delete_unregistered, shared
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.intake.clearing import clear
from acequia.intake.partial import expire
from acequia.lineage.events import open_lineage
from acequia.opening import lake_of, open_feed
from acequia.period import Period
from acequia.receive.uploads import FOLDER
from acequia.scratch import sweep, sweep_staged
from acequia.settings import Settings
from acequia.work import Work

# Old snapshots are how a reader sees last week's table; files younger than a day may belong to a run under way.
SNAPSHOTS_KEPT, ORPHANS_OLDER_THAN = timedelta(days=30), timedelta(days=1)
LOOKED_FOR_EVERY = timedelta(days=7)


@dataclass(frozen=True)
class Deed:
    """One thing that was done, and to what."""

    deed: str
    what: str
    amount: int

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def keep(settings: Settings, *, today: date | None = None, say: Callable[[str], None] = lambda _: None) -> list[Deed]:
    """All of housekeeping. A broken agreement stops nothing but its own partner's part."""
    today = today or datetime.now(UTC).date()
    deeds = [Deed("plain leftovers removed", "workspace", sum(map(sweep, _scratch_folders(settings))))]
    deeds.append(Deed("uploads left alone removed", "uploads", expire(settings.home / FOLDER, time.time())))
    deeds.append(Deed("unfinished files removed", "home", sum(map(sweep_staged, _written_folders(settings)))))
    failed: list[str] = []
    for found in load_all(settings.partners):
        if not isinstance(found, Signed):
            failed.append(f"{found.path.stem}: its agreement is broken")
            continue
        partner = found.agreement.partner
        for feed_name in _every_feed(settings, partner):
            where = f"{partner}.{feed_name}"
            with _going_on(where, failed):
                deeds += _finish_withdrawals(open_feed(settings, partner, feed_name, today, say=say))
            with _going_on(where, failed):
                deeds += _close_windows(open_feed(settings, partner, feed_name, today, say=say))
            with _going_on(where, failed):
                for deed in _keep_feed(open_feed(settings, partner, feed_name, today, say=say), today):
                    deeds.append(deed)
            with _going_on(where, failed):
                deeds += _look_for_planted(open_feed(settings, partner, feed_name, today, say=say), today)
    with _going_on("the lake", failed):
        deeds += _keep_lake(settings)
    deeds.append(Deed("lineage events forwarded", settings.openlineage_url, open_lineage(settings).forward()))
    done = [deed for deed in deeds if deed.amount]
    if failed:
        for deed in done:
            say(f"{deed.deed}: {deed.what} {deed.amount}")
        raise AcequiaError("internal", f"housekeeping could not finish for {'; '.join(failed)}; the rest is done")
    return done


def _scratch_folders(settings: Settings) -> Iterator[Path]:
    """Where killed steps leave what they had; the next step sweeps the first, the next run of a delivery its own."""
    yield settings.workspace / ".plain"
    yield from settings.workspace.glob("*/*/*/*/.judging")


def _written_folders(settings: Settings) -> Iterator[Path]:
    """Where files are written beside their targets. The lake looks after its own."""
    yield from (settings.home / name for name in ("receipts", "certificates", "ledger", "data_docs"))
    yield settings.workspace
    if not settings.landing.startswith("s3://"):
        yield Path(settings.landing)


@contextmanager
def _going_on(where: str, failed: list[str]) -> Iterator[None]:
    """One part's trouble stops no other part; it is told at the end. An unforeseen error shows its kind alone."""
    try:
        yield
    except AcequiaError as error:
        failed.append(f"{where}: {error.code}")
    except Exception as error:  # noqa: BLE001
        failed.append(f"{where}: {type(error).__name__}")


def _every_feed(settings: Settings, partner: str) -> list[str]:
    """The feeds of every version: what came of one that is agreed no more is still to be deleted."""
    return list(
        dict.fromkeys(name for one in reversed(versions(settings.partners, partner)) for name in one.agreement.feeds)
    )


def _finish_withdrawals(work: Work) -> Iterator[Deed]:
    """What a killed command left undone; and bytes that were erased and came again do not stay for their days."""
    for period in withdrawal.unfinished(work):
        withdrawal.complete(work.at(period), delete_everything)
        yield Deed("withdrawals finished", f"{work.partner}.{work.feed_name} {period}", 1)
    for period in withdrawal.refused(work):
        if taken := withdrawal.take_back_refused(work.at(period)):
            yield Deed("refused since publication", f"{work.partner}.{work.feed_name} {period}", len(taken))
    for row in work.ledger.deliveries(work.partner, work.feed_name):
        if row.status == "withdrawn" and row.raw_deleted_at is None:
            delivery = DeliveryId(partner=row.partner, feed=row.feed, period=row.period, version=row.version)
            if work.ledger.state(delivery).erased:
                yield Deed("raw files deleted", str(delivery), delete_raw(work, delivery))


def _close_windows(work: Work) -> list[Deed]:
    """Before anything is deleted: a window that closes tonight still needs its rows."""
    return [Deed("windows closed", f"{work.partner}.{work.feed_name}", len(pipeline.close_due(work)))]


def _keep_feed(work: Work, today: date) -> Iterator[Deed]:
    where = f"{work.partner}.{work.feed_name}"
    yield Deed("missing receipts written", where, work.ledger.write_receipts(work.partner, work.feed_name))
    due = due_for_deletion(work, "raw", today)
    for delivery in due:
        if not shared(work, delivery, due):
            yield Deed("raw files deleted", str(delivery), delete_raw(work, delivery))
    yield Deed("unused uploads deleted", where, clear(work, today))
    unregistered = delete_unregistered(work, today, lambda label: _is_old(work, label, today))
    yield Deed("unregistered raw files deleted", where, unregistered)
    for delivery in due_for_deletion(work, "protected", today):
        yield Deed("protected rows deleted", str(delivery), delete_protected(work, delivery))


def due_for_deletion(work: Work, what: Literal["raw", "protected"], today: date) -> tuple[DeliveryId, ...]:
    """Deliveries of the feed that have been kept for as long as the version in force for their period says."""
    found = {
        delivery
        for days in {_kept_days(one, what) for one in work.versions}
        for delivery in work.ledger.due_for_deletion(what, work.partner, work.feed_name, today, days)
        if _kept_days(in_force(work.versions, delivery.of_period()), what) == days
    }
    return tuple(sorted(found, key=lambda one: (one.of_period(), one.version)))


def _kept_days(signed: Signed, what: str) -> int:
    terms = signed.agreement.terms
    return terms.raw_kept_days if what == "raw" else terms.protected_kept_days


def _look_for_planted(work: Work, today: date) -> list[Deed]:
    """Once a week, and after each change of the terms, as long as a raw delivery is there to plant people in."""
    last = canary.latest(work.ledger, work.partner, work.feed_name)
    if last and last.made_by == work.made_by and today < date.fromisoformat(last.on) + LOOKED_FOR_EVERY:
        return []
    delivery = canary.landed(work.planted)
    if delivery is None:
        return []
    found = canary.search(work.planted, delivery, on=today, occasion=today.isoformat())
    found.require()
    return [Deed("planted people looked for", f"{work.partner}.{work.feed_name}", found.planted)]


def _is_old(work: Work, label: str, today: date) -> bool:
    """Whether a period ended longer ago than raw data is kept, with a day for a run under way."""
    period = Period.parse(label)
    kept = _kept_days(in_force(work.versions, period), "raw")
    return period.end + timedelta(days=kept + 1) < today


def delete_everything(work: Work, delivery: DeliveryId) -> None:
    """Delete a delivery's protected rows and its raw bytes, before their day."""
    delete_protected(work, delivery)
    delete_raw(work, delivery)


def _keep_lake(settings: Settings) -> Iterator[Deed]:
    lake = lake_of(settings)
    for info in lake.tables():
        kept = lake.keep(info.name, snapshots_older_than=SNAPSHOTS_KEPT, orphans_older_than=ORPHANS_OLDER_THAN)
        yield Deed("snapshots expired", info.name, kept.snapshots_expired)
        yield Deed("tables compacted", info.name, int(kept.compacted))
        yield Deed("orphan files removed", info.name, kept.orphans_removed)
    lake.write_catalogue()
