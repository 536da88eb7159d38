"""The command for partners: judge a file before it is sent. It opens no ledger and no connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from acequia.cli.show import as_json

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Judge files as the server would, before they are sent.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=_FILE)
@click.option("--agreement", required=True, type=_FILE, help="The agreement, <partner>.yaml.")
@click.option("--feed", help="The feed; told by the files' names where it can be.")
@click.option("--period", help="The period; told by the manifest or the files' names where it can be.")
@click.option("--reference", type=_FOLDER, help="The office's reference tables; by default beside the agreement.")
@click.option("--expectations", type=_FOLDER, help="The office's own checks; by default beside the agreement.")
@click.option("--manifest", is_flag=True, help="Judge the manifest too, which lies beside the files or is one of them.")
@click.option("--language", type=click.Choice(["en", "es"]), default="en", show_default=True, help="Of the answer.")
@as_json
def preflight(
    files: tuple[Path, ...],
    agreement: Path,
    feed: str | None,
    period: str | None,
    reference: Path | None,
    expectations: Path | None,
    manifest: bool,
    language: Literal["en", "es"],
    as_json: bool,
) -> None:
    """Judge the FILEs of one delivery as the server would, on this machine: no network, no ledger, nothing kept.

    Says which rows would be set aside and why, by their numbers, never by their values. Exit codes as of `acequia run`:
    0 would be accepted; 3 the agreement forbids it; 4 would be refused; 5 the names are not the agreed ones.
    """
    from acequia.preflight import Asked
    from acequia.preflight import preflight as judge
    from acequia.preflight.words import told

    judged = judge(Asked(files, agreement, feed, period, reference, expectations, manifest))
    click.echo(json.dumps(judged.as_json(), indent=1) if as_json else told(judged, language))
    if not judged.accepted:
        raise click.exceptions.Exit(judged.exit_code)
