"""Commands about notices: list, send, test."""

from __future__ import annotations

import click

from acequia.cli.show import as_json, progress, settings_now, show
from acequia.errors import OURS

_TOLD = ("at", "kind", "partner", "feed", "period", "to", "by", "outcome")
_DUE = ("kind", "partner", "feed", "period", "to", "by", "at")
_SHOWN_AT_MOST = 100


@click.group(short_help="Who is told what became of a delivery: list, send, test.")
def notices() -> None:
    """Notices to partner, steward, protection officer and consumers, by e-mail and signed webhook: docs/notices.md."""


@notices.command("list", short_help="List what was told, or what is due to be.")
@click.argument("partner", required=False)
@click.option("--due", is_flag=True, help="What the next round would tell, in place of what was told.")
@as_json
def notices_list(partner: str | None, due: bool, as_json: bool) -> None:
    """List what was told, the newest last (the last hundred; as JSON all of it); with --due what is to be told now."""
    from acequia.notices.overview import told
    from acequia.notices.send import list_due
    from acequia.opening import ledger_of

    settings = settings_now()
    ledger = ledger_of(settings)
    if due:
        found, troubles = list_due(settings, ledger)
        rows = [one.as_row() for one in found if partner in (None, one.notice.partner)]
        show([_plain(row, as_json) for row in rows], as_json=as_json, columns=_DUE, empty="Nothing is due to be told.")
        for trouble in troubles:
            click.echo(f"not looked at: {trouble}", err=True)
        return
    rows = list(told(ledger, partner))
    rows = rows if as_json else rows[-_SHOWN_AT_MOST:]
    show([_plain(row, as_json) for row in rows], as_json=as_json, columns=_TOLD, empty="Nothing was told yet.")


@notices.command("send", short_help="Send what is due, once.")
@as_json
def notices_send(as_json: bool) -> None:
    """Send what is due, once; `acequia watch` does it after each look. Exit code 1 if somebody was not reached."""
    from acequia.notices.send import send_due
    from acequia.opening import ledger_of

    settings = settings_now()
    done = send_due(settings, ledger_of(settings), say=progress(as_json))
    row = {"told": done.told, "to_outbox": done.written, "left": done.left, "given_up": done.given_up}
    if done.busy:
        click.echo("Another round is under way; it tells what is due.", err=True)
    show([row], as_json=as_json, empty="")
    for trouble in done.troubles:
        click.echo(f"problem: {trouble}", err=True)
    if done.troubles:
        raise click.exceptions.Exit(OURS)


@notices.command("test", short_help="Send a test message to everyone of a partner.")
@click.argument("partner")
@as_json
def notices_test(partner: str, as_json: bool) -> None:
    """Send a test message to each address and webhook of a PARTNER's agreement. Exit code 1 if one did not go out."""
    from dataclasses import asdict

    from acequia.ledger.book import now
    from acequia.notices.trial import try_endpoints
    from acequia.receive.connections import resolver

    settings = settings_now()
    tried = list(try_endpoints(settings, partner, resolver(settings), now()))
    show([asdict(one) for one in tried], as_json=as_json, empty="", wide=60)
    if not all(one.sent for one in tried):
        raise click.exceptions.Exit(OURS)


def _plain(row: dict[str, object], as_json: bool) -> dict[str, object]:
    """Moments to the minute, for people."""
    return row if as_json else row | {"at": str(row["at"])[:16].replace("T", " ")}
