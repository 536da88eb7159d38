"""What the ledger says of the keys of pseudonyms: made, about to be destroyed, destroyed; and of those of cell noise.

Fingerprints, never keys.
"""

from __future__ import annotations

from collections.abc import Iterable

from acequia.ledger.chain import Draft, Entry, Place

KINDS = ("key_made", "key_destruction_begun", "key_destroyed")
CELLS_MADE = "cell_key_made"


def place_of(partner: str, feed: str, epoch: str) -> Place:
    """Where entries about an epoch's key stand."""
    return Place(partner, feed, epoch)


def made(place: Place, fingerprint: str) -> Draft:
    """The key is in the key store."""
    return Draft("key_made", _key("key_made", place, fingerprint), {"fingerprint": fingerprint})


def destruction_begun(place: Place, fingerprint: str, because: str, by: str) -> Draft:
    """The key is going to be destroyed; noted first, so that whoever finds it half done can finish it."""
    return _destruction("key_destruction_begun", place, fingerprint, because, by)


def destroyed(place: Place, fingerprint: str, because: str, by: str) -> Draft:
    """The key is not in the key store any more, which was looked at, and can never be made again."""
    return _destruction("key_destroyed", place, fingerprint, because, by)


def cells_made(partner: str, fingerprint: str) -> tuple[Place, Draft]:
    """The secret of a partner's cell noise is in the key store: said once, since there is only ever one."""
    return Place(partner, None), Draft(CELLS_MADE, f"{CELLS_MADE}/{partner}", {"fingerprint": fingerprint})


def latest(entries: Iterable[Entry], kind: str, place: Place) -> Entry | None:
    """The last entry of that kind about an epoch's key."""
    found = [entry for entry in entries if entry.kind == kind and _is_about(entry, place)]
    return found[-1] if found else None


def _is_about(entry: Entry, place: Place) -> bool:
    return (entry.partner, entry.feed, entry.period) == (place.partner, place.feed, place.period)


def _destruction(kind: str, place: Place, fingerprint: str, because: str, by: str) -> Draft:
    return Draft(kind, _key(kind, place, fingerprint), {"fingerprint": fingerprint, "because": because, "who": by})


def _key(kind: str, place: Place, fingerprint: str) -> str:
    return f"{kind}/{place.partner}.{place.feed}/{place.period}/{fingerprint}"
