"""Commands of partner and steward over what was delivered: withdraw, pause, resume, set-aside, replay."""

from __future__ import annotations

from pathlib import Path

import click

from acequia.cli.show import as_json, progress, settings_now, show, user

_because = click.option("--because", required=True, help="Why: a decision, never a person; entered in the ledger.")


@click.command(short_help="Take a delivery back: it counts to nothing any more.")
@click.argument("partner")
@click.argument("feed")
@click.argument("period")
@_because
@click.option("--erase", is_flag=True, help="Erase the tables' history, protected rows and raw bytes, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def withdraw(partner: str, feed: str, period: str, because: str, erase: bool, yes: bool, as_json: bool) -> None:
    """Withdraw every version of a PERIOD: the ledger says so at once, then each table that used it is recomputed
    without it, or taken out of the lake where nothing is left.

    The same bytes sent again stay withdrawn; other bytes are a new version. Killed anywhere, run it again.
    """
    from acequia import withdrawal
    from acequia.opening import open_work
    from acequia.upkeep import delete_everything

    if not yes:
        more = " and erase every trace of it" if erase else ""
        click.confirm(f"Withdraw {partner}.{feed} {period}{more}? Nothing brings these bytes back", abort=True)
    work = open_work(settings_now(), partner, feed, period, say=progress(as_json))
    done = withdrawal.withdraw(work, who=user(), because=because, erase=erase, delete=delete_everything)
    show(
        [part.as_row() for part in done],
        as_json=as_json,
        columns=("table", "period", "done", "because"),
        empty="It is withdrawn; no table is to be changed.",
    )


@click.command(short_help="Stop a partner, or one of its feeds, at once.")
@click.argument("partner")
@click.argument("feed", required=False)
@_because
def pause(partner: str, feed: str | None, because: str) -> None:
    """Stop a PARTNER, or one FEED of it, at once: a run under way stops before its next step or table.

    Nothing is lost: what arrives meanwhile stays at the source, and is worked through after `acequia resume`.
    """
    from acequia.opening import ledger_of
    from acequia.pauses import EVERY_FEED
    from acequia.pauses import pause as pause_

    place = _named(partner, feed)
    changed = pause_(ledger_of(settings_now()), partner, feed or EVERY_FEED, who=user(), because=because)
    click.echo(f"{place} is paused." if changed else f"{place} was paused already.")


@click.command(short_help="Let a partner, or one of its feeds, go on.")
@click.argument("partner")
@click.argument("feed", required=False)
@_because
def resume(partner: str, feed: str | None, because: str) -> None:
    """Let a PARTNER, or one FEED of it, go on. A feed that was paused by itself is resumed by itself."""
    from acequia.opening import ledger_of
    from acequia.pauses import EVERY_FEED, pauses
    from acequia.pauses import resume as resume_

    place, ledger = _named(partner, feed), ledger_of(settings_now())
    changed = resume_(ledger, partner, feed or EVERY_FEED, who=user(), because=because)
    click.echo(f"{place} goes on." if changed else f"{place} was not paused.")
    for left in pauses(ledger):
        if left.partner == partner and (feed is None or left.feed == EVERY_FEED):
            whole = left.feed == EVERY_FEED
            click.echo(f"still paused: {partner if whole else f'{partner}.{left.feed}'}, since {left.since[:16]}")


def _named(partner: str, feed: str | None) -> str:
    """The place as it is said; a name that no agreement has is refused."""
    from acequia.agreement.load import find

    agreement = find(settings_now().partners, partner).agreement
    if feed is None:
        return partner
    agreement.feed(feed)
    return f"{partner}.{feed}"


@click.command("set-aside", short_help="Hand out the rows that were set aside, for the partner.")
@click.argument("partner")
@click.argument("feed")
@click.argument("period")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help="The file to write, .csv or .parquet, readable by you alone.")  # fmt: skip
def set_aside(partner: str, feed: str, period: str, out: Path) -> None:
    """Write the rows of a PERIOD's newest version that were set aside, as they arrived, with file, row and reason.

    They are the partner's own rows, with everything in them: hand them to nobody else. Corrected, they come back by
    `acequia replay`.
    """
    from acequia import returned
    from acequia.opening import open_work

    work = open_work(settings_now(), partner, feed, period)
    given = returned.hand_out(work, out, who=user())
    reasons = ", ".join(f"{reason}: {rows:,}" for reason, rows in given.by_reason.items())
    click.echo(f"{given.delivery}: {given.rows:,} rows that were set aside ({reasons}) are in {out}.")


@click.command(short_help="Take corrected rows back: a new version of the delivery.")
@click.argument("partner")
@click.argument("feed")
@click.argument("period")
@click.option("--from", "source", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The file of `acequia set-aside`, with values corrected.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Do not tell the steps.")
def replay(partner: str, feed: str, period: str, source: Path, quiet: bool) -> None:
    """Make a new version of a PERIOD's delivery, with the rows that were set aside replaced by their corrections, and
    take it through all rooms. A row that is not in the file stays set aside.
    """
    from acequia import returned
    from acequia.opening import open_work

    work = open_work(settings_now(), partner, feed, period, say=progress(quiet))
    outcome = returned.replay(work, source)
    tables = ", ".join(f"{part.table} {part.period}" for part in outcome.published) or "no table"
    click.echo(f"{outcome.delivery}: " + ("nothing to do." if outcome.repeated else f"accepted; changed {tables}."))


__all__ = ["pause", "replay", "resume", "set_aside", "withdraw"]
