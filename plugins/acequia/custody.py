"""The keys of pseudonyms as a steward sees them: listed, made ahead, destroyed with proof. Never their bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from acequia.errors import AcequiaError
from acequia.keys import KeyStore, fingerprint
from acequia.ledger import keys as facts
from acequia.ledger.book import Ledger
from acequia.ledger.chain import Entry
from acequia.protect.pseudonyms import named, secret_name


@dataclass(frozen=True)
class Key:
    """The key of one partner, feed and epoch. `state` is that of the key store, or `lost` if the ledger knows a key
    that is neither there nor destroyed; `made_at` and `destroyed_at` are None where the ledger does not say.
    """

    partner: str
    feed: str
    epoch: str
    state: str
    fingerprint: str | None
    made_at: str | None
    destroyed_at: str | None
    because: str | None
    who: str | None

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def listed(keys: KeyStore, ledger: Ledger) -> list[Key]:
    """Every key that the store or the ledger knows, in the order of partner, feed and epoch."""
    entries = ledger.notes(*facts.KINDS)
    places = {found for name in keys.names() if (found := named(name))}
    places |= {(str(entry.partner), str(entry.feed), str(entry.period)) for entry in entries}
    return [_key(keys, entries, *place) for place in sorted(places)]


def make(keys: KeyStore, ledger: Ledger, partner: str, feed: str, epoch: str) -> Key:
    """The epoch's key, made if there is none, and noted in the ledger.

    Raises:
        AcequiaError: `key_destroyed`, also if a backup brought the key back; `key_missing` where none can be made.
    """
    refuse_destroyed(ledger, partner, feed, epoch)
    place, name = facts.place_of(partner, feed, epoch), secret_name(partner, feed, epoch)
    ledger.note(place, facts.made(place, fingerprint(keys.secret(name))))
    return _key(keys, ledger.notes(*facts.KINDS), partner, feed, epoch)


def refuse_destroyed(ledger: Ledger, partner: str, feed: str, epoch: str) -> None:
    """Stop where the ledger says that the epoch's key was destroyed, whatever the store holds.

    Raises:
        AcequiaError: `key_destroyed`.
    """
    if facts.latest(ledger.notes(*facts.KINDS), "key_destroyed", facts.place_of(partner, feed, epoch)):
        name = secret_name(partner, feed, epoch)
        what = f"the key {name} was destroyed, and is never made again"
        raise AcequiaError("key_destroyed", what, where=f"{partner}.{feed} {epoch}")


def destroy(keys: KeyStore, ledger: Ledger, partner: str, feed: str, epoch: str, *, because: str, who: str) -> Key:
    """Destroy an epoch's key for good, and enter in the ledger that it is gone. Killed anywhere, it can be run again.

    The intention is entered first, with the fingerprint; then the store deletes the key and looks that it is gone; then
    that is entered. What was begun is finished with the reason that was given first.

    Raises:
        AcequiaError: `unknown_name` if nobody knows such a key; `store_denied` where the store can only be read.
    """
    place, name = facts.place_of(partner, feed, epoch), secret_name(partner, feed, epoch)
    entries = ledger.notes(*facts.KINDS)
    state = keys.state(name)
    if state == "kept":
        print_of = fingerprint(keys.secret(name))
    else:
        print_of = _print_of(entries, partner, feed, epoch) or "unknown"
        if state == "absent" and print_of == "unknown":
            raise AcequiaError("unknown_name", f"there is no key of {partner}.{feed} for the epoch {epoch}")
    ledger.note(place, facts.destruction_begun(place, print_of, because, who))
    keys.destroy(name)
    if keys.state(name) != "destroyed":
        raise AcequiaError("internal", f"the key {name} is still in the key store")
    begun = facts.latest(ledger.notes(*facts.KINDS), "key_destruction_begun", place)
    said = begun.said if begun else {"because": because, "who": who}
    ledger.note(place, facts.destroyed(place, print_of, said["because"], said["who"]))
    return _key(keys, ledger.notes(*facts.KINDS), partner, feed, epoch)


def cell_secret(keys: KeyStore, ledger: Ledger, partner: str) -> bytes:
    """The secret behind the noise of a partner's cells: made at the first use, noted in the ledger, the same for ever.

    Another one would give every group other noise, and whoever compares both sees through it. So one that is lost is
    not made anew.

    Raises:
        AcequiaError: `key_destroyed`; `key_missing` where it is lost or not the one that the ledger knows.
    """
    name = f"cells.{partner}"
    known = [str(entry.said["fingerprint"]) for entry in ledger.notes(facts.CELLS_MADE) if entry.partner == partner]
    if known and keys.state(name) == "absent":
        what = f"the key {name} is lost; another one would let everybody see through the noise of what is published"
        raise AcequiaError("key_missing", what, where=partner, do="Restore the key store from its backup.")
    secret = keys.secret(name)
    ledger.note(*facts.cells_made(partner, fingerprint(secret)))
    if known and known[0] != fingerprint(secret):
        what = f"the key {name} is not the one that the ledger knows"
        raise AcequiaError("key_missing", what, where=partner, do="Restore the key store from its backup.")
    return secret


def _key(keys: KeyStore, entries: Iterable[Entry], partner: str, feed: str, epoch: str) -> Key:
    entries = list(entries)
    place, name = facts.place_of(partner, feed, epoch), secret_name(partner, feed, epoch)
    state: str = keys.state(name)
    print_of = fingerprint(keys.secret(name)) if state == "kept" else _print_of(entries, partner, feed, epoch)
    made, gone = (facts.latest(entries, kind, place) for kind in ("key_made", "key_destroyed"))
    said = gone.said if gone else {}
    return Key(
        partner=partner,
        feed=feed,
        epoch=epoch,
        state="lost" if state == "absent" else state,
        fingerprint=print_of,
        made_at=made.at if made else None,
        destroyed_at=gone.at if gone else None,
        because=said.get("because"),
        who=said.get("who"),
    )


def _print_of(entries: Iterable[Entry], partner: str, feed: str, epoch: str) -> str | None:
    """The fingerprint of a key that is gone, as the ledger has it."""
    place, known = facts.place_of(partner, feed, epoch), list(entries)
    for kind in ("key_destroyed", "key_destruction_begun", "key_made"):
        if found := facts.latest(known, kind, place):
            return str(found.said["fingerprint"])
    return None
