"""Commands about the keys of pseudonyms: list, new, destroy. None prints a key."""

from __future__ import annotations

import getpass
import os

import click

from acequia.cli.show import as_json, settings_now, show
from acequia.keys import KeyStore

LISTED = ("partner", "feed", "epoch", "state", "fingerprint", "made_at", "destroyed_at")


@click.group(short_help="The keys of pseudonyms: list, make ahead, destroy with proof.")
def keys() -> None:
    """Look after the keys of pseudonyms. A key itself is never printed, and there is no command to export one."""


@keys.command("list", short_help="List the keys by partner, feed and epoch.")
@click.option("--landing", is_flag=True, help="List the keys of what is in landing instead: one for each content.")
@as_json
def keys_list(landing: bool, as_json: bool) -> None:
    """List the keys by partner, feed and epoch, with the fingerprint of each, and what became of it."""
    from acequia.custody import listed
    from acequia.opening import keys_of, ledger_of

    settings = settings_now()
    if landing:
        _list_landing(keys_of(settings), as_json=as_json)
        return
    rows = [key.as_row() for key in listed(keys_of(settings), ledger_of(settings))]
    if not as_json:
        rows = [row | {name: _minute(row[name]) for name in ("made_at", "destroyed_at")} for row in rows]
    show(rows, as_json=as_json, columns=LISTED, empty="No key yet: they are made when first needed.")


@keys.command("new", short_help="Make a key ahead of its first delivery.")
@click.argument("partner")
@click.argument("feed")
@click.argument("epoch")
def keys_new(partner: str, feed: str, epoch: str) -> None:
    """Make the key of an EPOCH (none, 2026-11, 2026-Q4, 2026) ahead of its first delivery; enter it in the ledger.

    Where the key store can only be read, this says what must be put where.
    """
    from acequia.agreement.load import find
    from acequia.custody import make
    from acequia.opening import keys_of, ledger_of
    from acequia.period import Period
    from acequia.protect.pseudonyms import EPOCH

    settings = settings_now()
    last = None if epoch == EPOCH else Period.holding("day", Period.parse(epoch).last_day)
    rotate = find(settings.partners, partner, last).agreement.feed(feed).privacy.rotate
    if rotate != "none" or epoch != EPOCH:
        Period.parse(epoch, "year" if rotate == "none" else rotate)
    made = make(keys_of(settings), ledger_of(settings), partner, feed, epoch)
    click.echo(f"{partner}.{feed} {epoch}: the key is there, fingerprint {made.fingerprint}.")


@keys.command("destroy", short_help="Destroy the key of an epoch, with proof in the ledger.")
@click.argument("partner")
@click.argument("feed")
@click.argument("epoch")
@click.option("--because", required=True, help="Why; entered in the ledger.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def keys_destroy(partner: str, feed: str, epoch: str, because: str, yes: bool) -> None:
    """Destroy the key of an EPOCH, look that it is gone, and enter that in the ledger with its fingerprint.

    No delivery of that epoch can be protected again, and nobody can say any more whose a pseudonym was.
    """
    from acequia.custody import destroy
    from acequia.opening import keys_of, ledger_of

    if not yes:
        click.confirm(f"Destroy the key of {partner}.{feed} for the epoch {epoch}? Nothing brings it back", abort=True)
    settings = settings_now()
    gone = destroy(keys_of(settings), ledger_of(settings), partner, feed, epoch, because=because, who=_who())
    click.echo(f"{partner}.{feed} {epoch}: the key {gone.fingerprint} is destroyed; the ledger says so.")


@keys.command("intake", short_help="The public keys to which partners encrypt their files.")
@click.option("--new", is_flag=True, help="Make a new intake key first; files to the ones before still open.")
@as_json
def keys_intake(new: bool, as_json: bool) -> None:
    """Print the recipients for `age -R`: the intake key, made now if there is none, and the escrow key if one is set.

    The escrow key is set by ACEQUIA_ESCROW_RECIPIENT or by the file escrow.pub beside the agreements: its identity is
    kept offline. Give partners this list by a way that they trust.
    """
    from acequia.opening import keys_of, prepare_home
    from acequia.receive import envelope

    settings = settings_now()
    prepare_home(settings)
    store = keys_of(settings)
    escrow = envelope.escrow(settings)
    intake = envelope.renew(store) if new else envelope.recipient(store)
    rows = [{"key": envelope.names(store)[-1], "recipient": intake}]
    rows += [{"key": "escrow", "recipient": recipient} for recipient in escrow]
    if as_json:
        show(rows, as_json=True, columns=("key", "recipient"), empty="")
        return
    for row in rows:
        click.echo(f"# {row['key']}\n{row['recipient']}")


@keys.command("rotate-receipts", short_help="Change the key that signs receipts and the ledger.")
@click.option("--because", required=True, help="Why; entered in the ledger.")
@click.option("--lost", is_flag=True, help="The old key is gone for good, and cannot introduce the new one.")
@click.option("--destroy-old", is_flag=True, help="Destroy the keys that are not in use any more.")
def keys_rotate_receipts(because: str, lost: bool, destroy_old: bool) -> None:
    """Change the key that signs receipts and the ledger. What was signed before stays valid, and verifiable offline.

    The old key introduces the new one in the ledger, and is believed for nothing that comes after. Hand the new file of
    public keys to partners.
    """
    from acequia.ledger import rotation
    from acequia.ledger.receipts import keys_path
    from acequia.opening import ledger_of

    settings = settings_now()
    ledger = ledger_of(settings)
    now = rotation.rotate(ledger, because=because, who=_who(), lost=lost)
    click.echo(
        f"The key {now.key_id} (number {now.number}) signs from now on; {now.old_key_id} up to entry {now.last_seq}."
    )
    for name in rotation.destroy_old(ledger) if destroy_old else ():
        click.echo(f"The key {name} is destroyed; the ledger says so.")
    click.echo(f"Hand out the public keys: {keys_path(settings.home)}")


def _list_landing(store: KeyStore, *, as_json: bool) -> None:
    from acequia.receive.content_keys import fingerprint_of, listed

    rows = []
    for key in listed(store):
        partner, feed, period, content = key.folder.split("/")
        place = {"partner": partner, "feed": feed, "period": period, "content": content, "number": key.number}
        rows.append(place | {"state": store.state(key.name), "fingerprint": fingerprint_of(store, key) or None})
    show(rows, as_json=as_json, empty="No key yet: each content in landing gets one when it arrives.")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"  # in a container whose user has no name


def _minute(moment: str | None) -> str | None:
    return moment and moment[:16].replace("T", " ")
