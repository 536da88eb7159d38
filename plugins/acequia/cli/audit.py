"""The command of whoever doubts: what can be worked out of what is published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from acequia.cli.show import as_json, settings_now

if TYPE_CHECKING:
    from acequia.disclose.audit import Audited, Difference, Seen


@click.command(short_help="Work out withheld numbers from what is public, as an attacker would.")
@click.argument("table", required=False)
@click.option("--file", "file", type=click.Path(path_type=Path), help="A table of somebody else, Parquet or CSV.")
@click.option("--by", help="Of --file: the columns whose values make a cell, with commas between.")
@click.option("--value", help="Of --file: the columns with numbers, with commas between.")
@click.option("--status", help="Of --file: a column that says which cells are withheld, besides empty ones.")
@click.option("--withheld", help="Of --status: the codes that mean withheld, with commas between; by default "
              "withheld, suppressed, confidential, primary, secondary, c and x.")  # fmt: skip
@click.option("--hierarchy", multiple=True, metavar="COLUMN=FILE",
              help="Of --file: a CSV, each line a value of the column and the one above it.")  # fmt: skip
@click.option("--total", help="Of --file: the code of the total of all; by default _T, Total, or an empty key.")
@click.option("--rounded-to", type=click.FloatRange(min=0), default=0.0, help="Of --file: the base of rounding.")
@click.option("--narrow", type=click.FloatRange(min=0, max=200),
              help="Report sums known to within this per cent; by default 0.1, of --file 10.")  # fmt: skip
@click.option("--certificate", "folder", type=click.Path(path_type=Path),
              help="The folder of an open release: work its certificate out again.")  # fmt: skip
@as_json
def audit(
    table: str | None,
    file: Path | None,
    by: str | None,
    value: str | None,
    status: str | None,
    withheld: str | None,
    hierarchy: tuple[str, ...],
    total: str | None,
    rounded_to: float,
    narrow: float | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Work out the least and the greatest value of every withheld number of TABLE, from public files alone: all tables
    of its feed, all periods, all vintages.

    Ends with exit code 6 if a number is known exactly or too closely, two vintages differ by too few, or totals are not
    what their parts allow; else with 0.
    """
    if sum(one is not None for one in (table, file, folder)) != 1:
        raise click.UsageError("give one of TABLE, --file and --certificate")
    if file is None and (by is not None or value is not None or status or hierarchy or total is not None or rounded_to):
        raise click.UsageError("--by, --value, --status, --hierarchy, --total and --rounded-to go with --file")
    if withheld is not None and not status:
        raise click.UsageError("--withheld goes with --status")
    if folder is not None:
        click.get_current_context().exit(_recomputed(folder, as_json))
    elif file is not None:
        from acequia.disclose.audit import NARROW_PCT_OF_OTHERS
        from acequia.disclose.audit import audit as audit_
        from acequia.disclose.third_party import Asked, read
        from acequia.errors import AcequiaError

        asked = Asked(_listed(by), _named(value), status, _files(hierarchy), total, rounded_to, _listed(withheld))
        try:
            audited = audit_([read(file, asked)], narrow_pct=NARROW_PCT_OF_OTHERS if narrow is None else narrow)
        except AcequiaError as error:
            raise AcequiaError(error.code, error.what, where=error.where or file.name) from None
        click.get_current_context().exit(_tell(audited, as_json, every=True))
    else:
        from acequia.auditing import audit_table
        from acequia.disclose.audit import NARROW_PCT
        from acequia.opening import lake_of

        files = lake_of(settings_now()).files
        audited = audit_table(files, str(table), narrow_pct=NARROW_PCT if narrow is None else narrow)
        click.get_current_context().exit(_tell(audited, as_json, every=False))


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _named(value: str | None) -> tuple[str, ...]:
    names = _listed(value)
    if not names:
        raise click.UsageError("--file needs --value: the columns with numbers")
    return names


def _files(given: tuple[str, ...]) -> dict[str, Path]:
    found = {}
    for one in given:
        column, sign, path = one.partition("=")
        if not (column and sign and path):
            raise click.UsageError("--hierarchy takes COLUMN=FILE")
        found[column] = Path(path)
    return found


def _tell(audited: Audited, as_json: bool, *, every: bool) -> int:
    """Print what was found; the exit code."""
    import json

    from acequia.errors import STOPPED

    findings = audited.findings
    if as_json:
        told = {
            "releases": list(audited.releases),
            "cells": audited.cells,
            "numbers_withheld": len(audited.seen),
            "contradicts": audited.contradicts,
            "findings": [one.as_row() for one in findings],
            "intervals": [one.as_row() for one in audited.seen],
        }
        click.echo(json.dumps(told, indent=1, default=str))
        return STOPPED if findings else 0
    shown = audited.seen if every else [one for one in audited.seen if one.found]
    _table([*shown, *audited.differences])
    if audited.contradicts:
        click.echo("What is published contradicts itself between releases, so each was looked at by itself.")
    releases = f"{len(audited.releases)} release{'s' if len(audited.releases) > 1 else ''}"
    click.echo(f"{releases}, {audited.cells:,} cells, {_number(len(audited.seen))}: {_words(audited)}.")
    return STOPPED if findings else 0


def _number(withheld: int) -> str:
    return f"{withheld:,} withheld number{'s' if withheld != 1 else ''}"


def _words(audited: Audited) -> str:
    kinds = {"exactly_known": "known exactly", "too_narrow": "known too closely"}
    told = [f"{sum(one.found == kind for one in audited.seen):,} {words}" for kind, words in kinds.items()]
    return ", ".join([*told, f"{len(audited.differences):,} differences that tell of few"])


def _table(found: list[Seen | Difference]) -> None:
    from acequia.cli.show import show

    if not found:
        return
    rows = []
    for one in found:
        row = one.as_row()
        cell = ", ".join(value or "(empty)" for value in row["cell"].values())
        rows.append({"release": row["release"], "cell": cell, "measure": row["measure"], "low": row["low"],
                     "high": row["high"], "found": (row["found"] or "").replace("_", " ")})  # fmt: skip
    if len({row["release"] for row in rows}) == 1:
        rows = [{name: row[name] for name in row if name != "release"} for row in rows]
    show(rows, as_json=False, empty="")


def _recomputed(folder: Path, as_json: bool) -> int:
    import json

    from acequia.auditing import recompute
    from acequia.errors import STOPPED, AcequiaError
    from acequia.publish.files import Files

    parts = folder.resolve().parts
    if len(parts) < 6 or parts[-5] != "open":
        raise AcequiaError("usage", "give the folder of a release, such as open/PARTNER/TABLE/PERIOD/release-…")
    wrong = recompute(Files(str(Path(*parts[:-5]))), "/".join(parts[-5:]))
    if as_json:
        click.echo(json.dumps({"right": not wrong, "differs": wrong}, indent=1))
    elif wrong:
        click.echo(f"The certificate says otherwise than the public files: {', '.join(wrong)}.")
    else:
        click.echo("The certificate is right: the public files give the same.")
    return STOPPED if wrong else 0
