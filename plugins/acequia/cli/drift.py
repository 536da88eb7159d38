"""The command about deliveries whose columns differ: what seems to have changed, and the next version from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from acequia.cli.show import as_json, settings_now, show
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    from datetime import datetime


@click.command(short_help="Say what changed in a delivery's columns; write the next version.")
@click.argument("partner")
@click.argument("feed")
@click.argument("period")
@as_json
@click.option("--language", type=click.Choice(["en", "es"]), help="English or Spanish; default: that of notices.")
@click.option("--write", is_flag=True, help="Write the agreement's next version, with the changes accepted.")
@click.option("--version", help="The new version, such as 1.3.")
@click.option("--effective-from", type=click.DateTime(["%Y-%m-%d"]), help="The first day on which it holds.")
def drift(
    partner: str,
    feed: str,
    period: str,
    as_json: bool,
    language: str | None,
    write: bool,
    version: str | None,
    effective_from: datetime | None,
) -> None:
    """Say what seems to have changed in the columns of a refused delivery: a machine's proposal, with its evidence.

    It names columns as the partner wrote them, so it is shown to whoever may open the raw files, and to nobody else.
    With --write, --version and --effective-from the changes are accepted: the agreement's file is moved beside the
    earlier versions, and the new one is written, as far as `acequia check` passes it.
    """
    from acequia.drift.words import told
    from acequia.flow import DeliveryId
    from acequia.opening import open_work
    from acequia.proposals import shown

    if write and not (version and effective_from):
        raise AcequiaError("usage", "--write needs --version and --effective-from")
    settings = settings_now()
    work = open_work(settings, partner, feed, period)
    rows = [row for row in work.ledger.deliveries(partner, feed) if row.period == work.period.label]
    if not rows:
        raise AcequiaError("unknown_name", "nothing arrived for this period", where=f"{partner}.{feed} {period}")
    delivery = DeliveryId(partner=partner, feed=feed, period=work.period.label, version=rows[-1].version)
    found = shown(work, delivery)
    if as_json and not write:
        show([found.as_json()] if found else [], as_json=True, empty="")
        return
    notices = work.signed.agreement.notices.language or work.signed.agreement.language
    for sentence in told(found, language or notices) if found else ["The columns are those that are agreed."]:  # type: ignore[arg-type]
        click.echo(sentence)
    if write and version and effective_from:
        from acequia.amending import amend

        if found is None:
            raise AcequiaError("usage", "there is no change to accept", where=str(delivery))
        new, earlier = amend(settings, partner, feed, found, version=version, effective_from=effective_from.date())
        click.echo(
            f"\n{_short(new)} is now version {version}, and holds from {effective_from.date()} on; the one before it "
            f"is {_short(earlier)}.\nLook at it, decide what it leaves open, then run: acequia check {partner}"
        )


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
