"""The privacy budget: what was spent of it, by which releases, and what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from acequia.cli.show import as_json, settings_now, show
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    from acequia.agreement.privacy import Budget
    from acequia.ledger.budget import Balance, Charge
    from acequia.settings import Settings

Limits = Mapping[tuple[str, str], "Budget"]


@click.command(short_help="Show what is spent and left of the privacy budgets.")
@click.argument("feed", required=False, metavar="[PARTNER.FEED]")
@as_json
def budget(feed: str | None, as_json: bool) -> None:
    """Show what the releases with differential privacy have spent of each feed's budget, and what is left.

    One line per contributor column and span of the data, then each charge with its release. What is spent stays spent,
    also when a release is withdrawn or erased.
    """
    from acequia.ledger import budget as spending
    from acequia.opening import ledger_of

    settings = settings_now()
    wanted = _split(feed)
    limits = {place: limit for place, limit in _limits(settings, wanted).items() if wanted in (None, place)}
    ledger = ledger_of(settings)
    charges = spending.charges(ledger, *(wanted or ()))
    balances = spending.balances(charges, {place: limit.per for place, limit in limits.items()})
    rows = [*(_row(one, limits) for one in balances), *_unspent(balances, limits)]
    if as_json:
        of = [one.charges for one in balances] + [()] * (len(rows) - len(balances))
        told = [row | {"charges": _listed(part, spending.released(ledger, part))}
                for row, part in zip(rows, of, strict=True)]  # fmt: skip
        show(told, as_json=True, empty="")
        return
    show(rows, as_json=False, empty="No feed has a privacy budget: see `privacy.budget` in docs/agreement.md.")
    if charges:
        click.echo()
        show(_listed(charges, spending.released(ledger, charges)), as_json=False, empty="")


def _split(feed: str | None) -> tuple[str, str] | None:
    if feed is None:
        return None
    partner, dot, name = feed.partition(".")
    if not (partner and dot and name):
        raise AcequiaError("usage", "a feed is named PARTNER.FEED")
    return partner, name


def _limits(settings: Settings, wanted: tuple[str, str] | None) -> dict[tuple[str, str], Budget]:
    """The budget of each feed, as the newest version of its agreement says; those that have one."""
    from acequia.agreement.load import Signed, find, load_all

    if wanted is not None:
        found = [find(settings.partners, wanted[0])]
        found[0].agreement.feed(wanted[1])
    else:
        found = [one for one in load_all(settings.partners) if isinstance(one, Signed)]
    return {
        (one.agreement.partner, name): feed.privacy.budget
        for one in found
        for name, feed in one.agreement.feeds.items()
        if feed.privacy.budget is not None
    }


def _row(one: Balance, limits: Limits) -> dict[str, Any]:
    """One span of a budget. Of a feed that has none any more, nothing is left."""
    limit = limits.get((one.partner, one.feed))
    row: dict[str, Any] = {"feed": f"{one.partner}.{one.feed}", "unit": one.unit, "span": one.span}
    for name, spent in (("epsilon", one.epsilon), ("delta", one.delta)):
        whole = Decimal(str(getattr(limit, name))) if limit else Decimal()
        row |= {f"{name}_spent": float(spent), f"{name}_left": float(max(Decimal(), whole - spent))}
    return row


def _unspent(balances: list[Balance], limits: Limits) -> Iterator[dict[str, Any]]:
    drawn_on = {(one.partner, one.feed) for one in balances}
    for (partner, feed), limit in sorted(limits.items()):
        if (partner, feed) not in drawn_on:
            span = "ever" if limit.per == "ever" else f"each {limit.per}"
            yield {"feed": f"{partner}.{feed}", "unit": "", "span": span, "epsilon_spent": 0.0,
                   "epsilon_left": limit.epsilon, "delta_spent": 0.0, "delta_left": limit.delta}  # fmt: skip


def _listed(charges: Sequence[Charge], released: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "charged_at": one.at[:16].replace("T", " "),
            "table": f"{one.partner}.{one.table}",
            "window": one.window,
            "unit": one.unit,
            "epsilon": float(one.epsilon),
            "delta": float(one.delta),
            "deliveries": len(one.deliveries),
            "release": released.get(one.key, "not published yet"),
        }
        for one in charges
    ]
