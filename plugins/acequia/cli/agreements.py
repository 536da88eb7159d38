"""Commands about agreements: check, explain, new-partner."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from acequia.cli.show import as_json, settings_now, show
from acequia.errors import FORBIDDEN, AcequiaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from acequia.agreement.model import Agreement
    from acequia.checking import Finding
    from acequia.settings import Settings


@click.command(short_help="Check the agreement files: every error at once.")
@click.argument("partner", required=False)
@as_json
def check(partner: str | None, as_json: bool) -> None:
    """Check the agreement files: every error at once, with its line. Exit code 3 if there is any."""
    from acequia.checking import check as check_files

    settings = settings_now()
    findings = check_files(settings, partner)
    files = len([path for path in settings.partners.glob("*.yaml") if partner in (None, path.stem)])
    held = list(_versions(settings, partner))
    errors = sum(finding.severity == "error" for finding in findings)
    told = f"{files} agreement{'s' * (files != 1)} checked"
    if as_json or not findings:
        show([finding.as_row() for finding in findings], as_json=as_json, empty=f"{told}: no error, no warning.")
    else:
        for finding in findings:
            click.echo(_said(finding))
        click.echo(f"\n{told}: {errors} error{'s' * (errors != 1)}, {len(findings) - errors} to look at.")
    for line in () if as_json else held:
        click.echo(line)
    if errors:
        raise click.exceptions.Exit(FORBIDDEN)


def _versions(settings: Settings, partner: str | None) -> Iterator[str]:
    """Which version holds when, of the agreements that have had more than one."""
    from acequia.agreement.load import Signed, histories

    for files in histories(settings.partners):
        if len(files) < 2 or partner not in (None, files[-1].path.stem):
            continue
        sound = [one.agreement.terms for one in files if isinstance(one, Signed)]
        if len(sound) == len(files):
            ends = [f"before {after.holds_from}" for after in sound[1:]] + [f"until {sound[-1].expires_on}"]
            told = (f"{one.version} from {one.holds_from}, {end}" for one, end in zip(sound, ends, strict=True))
            yield f"{files[-1].path.stem}, periods that begin: {'; '.join(told)}."


def _said(finding: Finding) -> str:
    """As compilers say it, so that editors find the line."""
    place = f"{finding.place}: " if finding.place else ""
    choices = f"\n    choices: {', '.join(finding.choices)}" if finding.choices else ""
    return f"{finding.path}:{finding.line}:{finding.column}: {finding.severity}: {place}{finding.message}{choices}"


@click.command("explain", short_help="Say an agreement in plain words.")
@click.argument("partner")
@click.option("--language", type=click.Choice(["en", "es"]), help="English or Spanish; default: the agreement's.")
@click.option("--version", help="An earlier version, such as 1.2.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The version that holds on this day.")
@click.option("--changes", is_flag=True, help="Say what that version changes of the one before it.")
def explain_(partner: str, language: str | None, version: str | None, on: datetime | None, changes: bool) -> None:
    """Say an agreement in plain words: what arrives, what happens to it, what is published, for whom.

    It is the newest version, unless one is named. With --changes: what it changes of the version before it, and first
    of all where people are protected less.
    """
    from acequia.agreement.changes import changes as changes_of
    from acequia.agreement.explain import explain
    from acequia.agreement.load import find, versions

    settings = settings_now()
    if not (version or on or changes):
        agreement = find(settings.partners, partner).agreement
        click.echo(explain(agreement, language or agreement.language))  # type: ignore[arg-type]
        return
    known = [one.agreement for one in versions(settings.partners, partner)]
    place = _place(known, version, on)
    said = language or known[place].language
    if not changes:
        click.echo(explain(known[place], said))  # type: ignore[arg-type]
        return
    if not place:
        raise AcequiaError("usage", f"version {known[0].terms.version} is the first: it changes nothing")
    click.echo(changes_of(known[place - 1], known[place], said))  # type: ignore[arg-type]


def _place(known: list[Agreement], version: str | None, on: datetime | None) -> int:
    """Which of the versions is meant: the one named, the one that holds on a day, or the newest."""
    names = [one.terms.version for one in known]
    if version is not None:
        if version not in names:
            raise AcequiaError("unknown_name", f"there is no version {version}; there are {', '.join(names)}")
        return names.index(version)
    if on is None:
        return len(known) - 1
    holding = [n for n, one in enumerate(known) if one.terms.holds_from <= on.date()]
    if not holding or known[holding[-1]].terms.expires_on < on.date():
        raise AcequiaError("unknown_name", f"no version holds on {on.date()}")
    return holding[-1]


@click.command("new-partner", short_help="Draft an agreement file from a sample.")
@click.argument("name")
@click.option("--sample", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
              help="A sample of a delivery; its columns are listed, its values are not kept.")  # fmt: skip
@click.option("--feed", default="deliveries", show_default=True, help="The name of the feed.")
@click.option("--country", default="BW", show_default=True, help="Two letters, ISO 3166.")
@click.option("--language", type=click.Choice(["en", "es"]), default="en", show_default=True, help="Of free text.")
def new_partner(name: str, sample: Path, feed: str, country: str, language: str) -> None:
    """Draft an agreement file from a sample delivery. Every column is dropped until someone decides otherwise."""
    from acequia.agreement.closed import NAME
    from acequia.drafting import draft
    from acequia.opening import prepare_home
    from acequia.scratch import scratch_folder

    if not re.fullmatch(NAME.strip("^$"), name):
        raise AcequiaError("usage", "a partner's name is small letters, digits and _, such as pula_mobile")
    settings = settings_now()
    path = settings.partners / f"{name}.yaml"
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    if path.exists():
        raise AcequiaError("usage", f"{shown} is there already")
    prepare_home(settings)
    with scratch_folder(settings.workspace / ".plain") as scratch:
        text = draft(name, feed, country, language, sample, scratch)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"{shown} is drafted. Decide each column's treatment and the tables, then run: acequia check {name}")
