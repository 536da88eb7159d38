"""The report on like rows, as the steward sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from acequia.cli.show import as_json, settings_now, show

if TYPE_CHECKING:
    from acequia.flow import DeliveryId, Risk


@click.command(short_help="Show how well protected rows tell people apart.")
@click.argument("partner")
@click.argument("feed")
@click.argument("period")
@as_json
def risk(partner: str, feed: str, period: str, as_json: bool) -> None:
    """Show how well a delivery's protected rows tell one person from another: k-anonymity, uniqueness, l-diversity.

    Rows that are alike in every quasi-identifier form a class. What counts is how many people each class holds.
    """
    delivery, found = _measured(partner, feed, period)
    if as_json:
        click.echo(json.dumps({"delivery": str(delivery), **json.loads(found.model_dump_json())}, indent=1))
        return
    who = "every row counts as a person" if found.person == "rows" else f"{found.people:,} people by {found.person}"
    click.echo(f"{delivery}: {found.rows:,} rows; {who}; {found.rows_of_nobody:,} rows are nobody's.")
    alike = ", ".join(found.quasi_identifiers) or "nothing: no column tells people apart"
    click.echo(f"{found.classes:,} classes of rows alike in {alike}.")
    click.echo(f"k = {found.k}: the smallest class holds {_people(found.k)}; k = {found.k_rows} counted in rows.\n")
    show(_classes(found), as_json=False, empty="")
    if found.unique_by:
        click.echo()
        show(_columns(found), as_json=False, empty="")
    for rows in (_trails(found), _sensitive(found)):
        if rows:
            click.echo()
            show(rows, as_json=False, empty="")


def _measured(partner: str, feed: str, period: str) -> tuple[DeliveryId, Risk]:
    """The latest version of the period that has protected rows, and what was measured of them."""
    from acequia.errors import AcequiaError
    from acequia.flow import DeliveryId, Protected
    from acequia.opening import ledger_of, open_work

    settings = settings_now()
    work = open_work(settings, partner, feed, period)
    label = work.period.label
    versions = [row.version for row in ledger_of(settings).deliveries(partner, feed) if row.period == label]
    for version in sorted(versions, reverse=True):
        delivery = DeliveryId(partner=partner, feed=feed, period=label, version=version)
        record = work.folder(delivery) / "protected.json"
        if record.exists() and (found := Protected.load(record).risk):
            return delivery, found
    raise AcequiaError("protected_missing", "there are no measured protected rows", where=f"{partner}.{feed} {label}")


def _people(many: int) -> str:
    return "one person" if many == 1 else f"{many:,} people"


def _pct(part: int, of: int) -> str:
    return f"{100 * part / of:.2f} %" if of else ""


def _classes(found: Risk) -> list[dict[str, Any]]:
    return [
        {
            "classes of fewer than": _people(limit),
            "people in them": f"{part.people:,}",
            "of all people": _pct(part.people, found.people),
            "rows in them": f"{part.rows:,}",
            "of all rows": _pct(part.rows, found.rows),
        }
        for limit, part in sorted(found.below.items())
    ]


def _columns(found: Risk) -> list[dict[str, Any]]:
    alone = {**found.unique_by, "all of them": found.unique}
    return [
        {"column": name, "alone with a value": f"{people:,}", "of all people": _pct(people, found.people)}
        for name, people in alone.items()
    ]


def _trails(found: Risk) -> list[dict[str, Any]]:
    return [
        {
            "points known of a trail": str(trail.points),
            "people looked at": f"{trail.people:,}",
            "the only one": f"{trail.unique:,}",
            "of those": _pct(trail.unique, trail.people),
        }
        for trail in found.trails
    ]


def _sensitive(found: Risk) -> list[dict[str, Any]]:
    return [
        {
            "sensitive": part.column,
            "distinct l": part.distinct_l,
            "entropy l": f"{part.entropy_l:.2f}",
            "people in classes of one value": f"{part.people_alike:,}",
        }
        for part in found.diversity
    ]
