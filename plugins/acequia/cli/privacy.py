"""Commands about personal data: scan a file, plant people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from acequia.cli.show import as_json, settings_now, show
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    from acequia.canary.record import Canary

PLACES = ("column", "place", "kind", "planted", "found", "survived", "recall_pct")
country = click.option("--country", default="BW", show_default=True, help="Two letters, ISO 3166: whose numbers.")
language = click.option(
    "--language", type=click.Choice(["en", "es"]), default="en", show_default=True, help="The language of texts."
)


@click.command(short_help="Say what a file's columns look like.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@country
@language
@click.option("--agreement", "agreed", nargs=2, metavar="PARTNER FEED",
              help="Read it as a delivery of this feed, and show the agreed treatments.")  # fmt: skip
@as_json
def scan(file: Path, country: str, language: str, agreed: tuple[str, str] | None, as_json: bool) -> None:
    """Say what the columns of a CSV, JSONL, Parquet or XLSX file look like, and what is proposed. Prints no value."""
    from acequia.agreement.load import find
    from acequia.opening import prepare_home
    from acequia.scanning import scan as scan_file
    from acequia.scanning import scan_as
    from acequia.scratch import scratch_folder

    settings = settings_now()
    prepare_home(settings)
    with scratch_folder(settings.workspace / ".plain") as scratch:
        if agreed:
            terms = find(settings.partners, agreed[0]).agreement
            feed = terms.feed(agreed[1])
            found = scan_as(file, feed, country=terms.country, language=terms.language, scratch=scratch)
        else:
            found = scan_file(file, country=country.upper(), language=language, scratch=scratch)
    if as_json:
        click.echo(json.dumps([looks.as_row() | {"looks_like": looks.found} for looks in found], indent=1))
        return
    show([looks.as_row() for looks in found], as_json=False, empty="The file has no column.", wide=40)


@click.command(short_help="Plant invented people and see who comes through.")
@click.argument("partner", required=False)
@click.argument("feed", required=False)
@click.argument("period", required=False)
@click.option("--list", "listing", is_flag=True, help="List the searches on record instead.")
@as_json
def canary(partner: str | None, feed: str | None, period: str | None, listing: bool, as_json: bool) -> None:
    """Plant invented people in a copy of a landed delivery, take it through the gate, and say who comes through.

    The newest accepted delivery, unless PERIOD says another. Nothing but the counts is kept. Exit code 6 if fewer are
    found than the agreement wants; then nothing of the feed is published either.
    """
    from acequia.canary import record
    from acequia.opening import ledger_of

    if listing:
        found = record.listed(ledger_of(settings_now()), partner, feed)
        rows = [one.as_json() if as_json else one.as_row() for one in found]
        show(rows, as_json=as_json, empty="Nobody was planted yet.", wide=40)
        return
    if partner is None or feed is None:
        raise AcequiaError("usage", "name a partner and a feed, or ask for --list")
    one = _search(partner, feed, period)
    if as_json:
        click.echo(json.dumps(one.as_json(), indent=1))
    else:
        rows = [tally.as_row() for tally in one.places]
        show(rows, as_json=False, empty="Nobody can hide in this feed.", columns=PLACES)
        told = ", ".join(f"{kind} {share:g} %" for kind, share in one.recall.items()) or "nothing to find"
        click.echo(f"\n{one.delivery}: {one.planted} planted; found, in the worst place: {told}.")
    one.require()


def _search(partner: str, feed: str, period: str | None) -> Canary:
    from datetime import UTC, datetime

    from acequia.canary import record
    from acequia.opening import open_feed, open_work

    settings = settings_now()
    if period:
        work = open_work(settings, partner, feed, period)
    else:
        work = open_feed(settings, partner, feed, datetime.now(UTC).date())
    subject, wanted = work.planted, work.period
    accepted = {one.period: one for one in subject.ledger.accepted(partner, feed)}
    delivery = accepted.get(wanted.label) if period else record.landed(subject)
    if delivery is None:
        which = f"for {wanted}" if period else "whose raw files are still landed"
        raise AcequiaError("unknown_name", f"there is no accepted delivery {which}", where=f"{partner}.{feed}")
    return record.search(subject, delivery)
