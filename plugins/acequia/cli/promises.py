"""Commands about what should arrive: calendar, watch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from acequia.cli.show import as_json, progress, settings_now, show
from acequia.promises.states import STATES

if TYPE_CHECKING:
    from acequia.agreement.load import Signed
    from acequia.promises.board import Promise
    from acequia.settings import Settings

LISTED = ("partner", "feed", "period", "state", "due_at", "sent_at", "version", "repeats", "code")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(short_help="Show what is due, late, missing, repeated, corrected.")
@click.argument("partner", required=False)
@click.argument("feed", required=False)
@click.option("--from", "first", type=_DAY, help="First day; by default 14 days ago.")
@click.option("--to", "last", type=_DAY, help="Last day; by default tomorrow.")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these; may be given often.")
@click.option("--levels", is_flag=True, help="Instead, how many promises were kept, per feed and month.")
@as_json
def calendar(
    partner: str | None,
    feed: str | None,
    first: datetime | None,
    last: datetime | None,
    states: tuple[str, ...],
    levels: bool,
    as_json: bool,
) -> None:
    """Show one line per feed and period whose last day lies between two days, both included, with its state.

    States: not_due, expected, on_time, late, missing, partial, duplicate, corrected, refused, withdrawn
    (docs/deliveries.md). They follow from the calendar of the agreement and from the ledger alone.
    """
    from acequia.opening import ledger_of
    from acequia.promises.board import board
    from acequia.promises.service import service_level

    settings = settings_now()
    now = datetime.now(UTC)
    days = _day(first, now.date() - timedelta(days=14)), _day(last, now.date() + timedelta(days=1))
    found = board(_agreements(settings, partner, feed), settings.reference, ledger_of(settings), *days, now)
    chosen = [one for one in found if feed in (None, one.feed) and (not states or one.state in states)]
    if levels:
        show([level.as_row() for level in service_level(chosen)], as_json=as_json, empty="Nothing was due.")
    elif as_json:
        show([one.as_row() for one in chosen], as_json=True, empty="")
    else:
        show([_line(one) for one in chosen], as_json=False, columns=LISTED, empty="Nothing.")
        if chosen:
            click.echo(_counted(chosen))


def _day(given: datetime | None, default: date) -> date:
    return given.date() if given else default


def _agreements(settings: Settings, partner: str | None, feed: str | None) -> list[Sequence[Signed]]:
    """The agreements asked about. A broken one among many is told and left out; one that was asked for is an error."""
    from acequia.agreement.load import Broken, load_all, versions
    from acequia.errors import AcequiaError

    if partner is not None:
        known = versions(settings.partners, partner)
        if feed is not None and not any(feed in one.agreement.feeds for one in known):
            known[-1].agreement.feed(feed)
        return [known]
    found: list[Sequence[Signed]] = []
    for one in load_all(settings.partners):
        try:
            if isinstance(one, Broken):
                raise one.error
            found.append(versions(settings.partners, one.path.stem))
        except AcequiaError as error:
            click.echo(f"{one.path.stem} is left out: {error.code}", err=True)
    return found


def _line(promise: Promise) -> dict[str, Any]:
    row = promise.as_row()
    told = promise.state + ("" if promise.decided else ", not decided") + (", paused" if promise.paused else "")
    told += ", newest refused" if promise.newest_refused else ""
    short = {name: row[name] and row[name][:16].replace("T", " ") for name in ("due_at", "sent_at")}
    return row | short | {"state": told, "version": promise.stands, "repeats": promise.repeats or None}


def _counted(promises: list[Promise]) -> str:
    counts = Counter(promise.state for promise in promises)
    return f"{len(promises)}: " + ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


@click.command(short_help="Take what is new at the sources; tell what is due.")
@click.argument("partner", required=False)
@click.option("--every", type=click.IntRange(min=1), help="Go on, with so many seconds from one round to the next.")
@click.option("--quiet", is_flag=True, help="Do not tell the steps.")
@as_json
def watch(partner: str | None, every: int | None, quiet: bool, as_json: bool) -> None:
    """One round: look at every source for what is new, run it in the order of periods, send the notices that are due.

    What lies there of the last days (`delivery.watched_days`) is found, whenever it came: late files, corrections,
    everything that came while nobody looked. A paused feed is left alone; a broken partner stops no other. Exit code
    1 if something kept the round from doing all of this (not of a refused delivery).
    """
    from acequia.agreement.load import find
    from acequia.watch.round import Watch

    settings = settings_now()
    if partner is not None:
        find(settings.partners, partner)
    while True:
        began = time.monotonic()
        done = Watch.of(settings, progress(quiet or as_json)).round(partner)
        failed = _told(done, as_json=as_json)
        if every is None:
            raise click.exceptions.Exit(int(failed))
        time.sleep(max(0.0, every - (time.monotonic() - began)))


def _told(done: Any, *, as_json: bool) -> bool:
    """Print a round; whether something of it failed by our fault."""
    show([ran.as_row() for ran in done.ran], as_json=as_json, columns=("partner", "feed", "period", "why", "result",
         "delivery", "code"), empty="Nothing new.")  # fmt: skip
    troubles = [*done.troubles, *(done.told.troubles if done.told else ())]
    if not as_json:
        notices = done.told.told if done.told else 0
        click.echo(f"{done.looked_at:,} periods looked at, {len(done.ran)} run, {notices} notices.")
        for trouble in troubles:
            click.echo(f"could not be done: {trouble}", err=True)
    return bool(troubles) or any(ran.result == "stopped" for ran in done.ran)
