"""Commands about deliveries: run, deliveries, close."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from acequia.cli.show import as_json, progress, settings_now, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acequia.flow import Published
    from acequia.ledger.projection import Release

# What fits a line; the rest is in the JSON.
LISTED = ("partner", "feed", "period", "version", "status", "code", "rows_in", "rows_set_aside", "cells", "withheld",
          "received_at")  # fmt: skip


@click.command(short_help="Run one delivery through all rooms.")
@click.argument("partner")
@click.argument("feed")
@click.argument("period")
@click.option("--from", "from_dir", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Read the delivery's files from this folder instead of the agreed source.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Do not tell the steps.")
@as_json
def run(partner: str, feed: str, period: str, from_dir: Path | None, quiet: bool, as_json: bool) -> None:
    """Run one delivery through all rooms: pull, protect, validate, aggregate, withhold, publish.

    Exit codes: 0 published or nothing to do; 1 our fault; 2 usage; 3 the agreement forbids it; 4 the delivery was
    refused; 5 it is missing; 6 disclosure control or a search for planted people stopped the release.
    """
    from acequia import pipeline
    from acequia.opening import open_work
    from acequia.withdrawal import taking_back

    work = open_work(settings_now(), partner, feed, period, say=progress(quiet or as_json))
    with taking_back(work):
        outcome = pipeline.run(work, from_dir)
    rows = [part.model_dump(mode="json") for part in outcome.published]
    if as_json:
        said = {"delivery": str(outcome.delivery), "repeated": outcome.repeated, "published": rows}
        click.echo(json.dumps(said, indent=1))
    elif outcome.repeated:
        click.echo(f"{outcome.delivery}: the same content was published before; nothing to do.")
    else:
        standing = [] if outcome.published else work.ledger.state(outcome.delivery).current
        click.echo(f"{outcome.delivery}: accepted; {_what_became(outcome.published, standing)}.")


def _what_became(published: Sequence[Published], standing: Sequence[Release]) -> str:
    """`standing`: where nothing was published now, what the ledger says that was, by another run."""
    if published:
        return f"published {', '.join(f'{part.table} {part.period}' for part in published)}"
    if standing:
        there = ", ".join(f"{part.table_name} {part.window_label}" for part in standing)
        return f"another process published it meanwhile, in {there}; nothing was left to do"
    return "published no table yet"


@click.command(short_help="Release a longer window with what came.")
@click.argument("partner")
@click.argument("feed")
@click.argument("window")
def close(partner: str, feed: str, window: str) -> None:
    """Release the tables of a longer WINDOW (2026-11) with the deliveries that came, without waiting for the rest."""
    from acequia import pipeline
    from acequia.opening import open_feed
    from acequia.period import Period

    wanted = Period.parse(window)
    work = open_feed(settings_now(), partner, feed, wanted.last_day, say=progress(False))
    published = pipeline.close(replace(work, period=wanted))
    click.echo(", ".join(f"{part.table} {part.period}" for part in published) or "nothing to release")


@click.command(short_help="List what arrived and what became of it.")
@click.argument("partner", required=False)
@click.argument("feed", required=False)
@as_json
def deliveries(partner: str | None, feed: str | None, as_json: bool) -> None:
    """List what arrived and what became of it; a refused delivery with its reason. JSON has every detail."""
    from acequia.opening import ledger_of

    found = ledger_of(settings_now()).deliveries(partner, feed)
    if as_json:
        show([asdict(row) for row in found], as_json=True, empty="")
        return
    rows = [row.as_row() | {"received_at": row.received_at[:16].replace("T", " ")} for row in found]
    show(rows, as_json=False, columns=LISTED, empty="No delivery yet.")
    for row in found:
        if row.status == "refused":
            click.echo(f"\n{row.partner}.{row.feed}.{row.period}.v{row.version} was refused: {row.reason}\n"
                       f"  who acts: {row.who_acts}\n  what to do: {row.what_to_do}")  # fmt: skip
