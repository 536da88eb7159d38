"""Deleting what was agreed to be deleted, so that it can be proved: objects first, then the key that alone opens them.

Killed anywhere, it can be run again: what is about to go is noted before anything goes, and the ledger has the end of
it only when objects and key were looked for and not found.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.keys import KeyStore
from acequia.receive import content_keys
from acequia.receive.content_keys import ContentKey
from acequia.receive.sources.uploaded import forget
from acequia.receive.uploads import FOLDER, Shelf
from acequia.work import Work

GONE = "{objects} encrypted objects were deleted from landing, and none was found there afterwards. "
DESTROYED = (
    "The key that alone opened them was destroyed in the key store, and was not found there afterwards: without it no "
    "copy of these objects can be opened, in a backup of landing or anywhere else. This says nothing of copies of the "
    "files as they were sent, such as in a backup of uploads or with the sender: those open with other keys, or with "
    "none."
)
SHARED = (
    "They were encrypted with a key that other deliveries share, which is kept: a copy in a backup could be opened "
    "until that backup is gone."
)
HELD = "The key that opened them is not used any more, but this key store does not let it be destroyed."


def delete_raw(work: Work, delivery: DeliveryId) -> int:
    """Delete the raw bytes of a delivery and of every version that holds the same, set-aside rows included.

    Returns:
        How many objects of landing went now.
    """
    folder = work.ledger.state(delivery).landed_in
    holders = _holders(work, delivery, folder)
    objects = work.landing.list(folder + "/") if folder else ()
    found = {
        "objects": len(objects),
        "shared": sum(content_keys.of_object(key) is None for key in objects),
        "keys": {str(key.number): content_keys.fingerprint_of(work.keys, key) for key in _keys(work.keys, folder)},
    }
    begun = [work.ledger.raw_deletion_begun(holder, found) for holder in holders]
    for key in objects:
        work.landing.delete(key)
    _forget_upload(work, holders)
    if left := (work.landing.list(folder + "/") if folder else ()):
        raise AcequiaError("internal", f"{len(left)} raw files are still in landing", where=str(delivery))
    destroyed = _destroyed(work.keys, folder)
    for holder, first in zip(holders, begun, strict=True):
        proof = _proof(first, destroyed=destroyed, at=work.ledger.clock().isoformat(timespec="seconds"))
        work.ledger.raw_deleted(holder, files=int(first["objects"]), proof=proof)
        work.ledger.receipt("raw_deleted", holder)
    return len(objects)


def _forget_upload(work: Work, holders: Sequence[DeliveryId]) -> None:
    """What the partner uploaded lies with us as well, encrypted to the intake key: it goes with what landed of it."""
    for holder in holders:
        shelf = Shelf.of(work.settings.home / FOLDER, holder.partner, holder.feed, holder.of_period())
        forget(shelf, work.ledger.state(holder).arrivals)


def delete_protected(work: Work, delivery: DeliveryId) -> int:
    """Delete a delivery's protected rows and cells from the workspace, and record that they are gone."""
    folder = work.folder(delivery)
    files = work.ledger.protected_deletion_begun(delivery, len(list(folder.glob("*.parquet"))))
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise AcequiaError("internal", "protected rows could not be removed", where=str(delivery))
    work.ledger.protected_deleted(delivery, files=files, proof={"files_left": 0})
    work.ledger.receipt("protected_deleted", delivery)
    return files


def shared(work: Work, delivery: DeliveryId, due: Sequence[DeliveryId]) -> bool:
    """Whether another version, whose day has not come, holds the same bytes (sent, changed, sent again)."""
    holders = _holders(work, delivery, work.ledger.state(delivery).landed_in)
    return any(other not in due for other in holders)


def delete_unregistered(work: Work, today: date, is_old: Callable[[str], bool]) -> int:
    """Delete what a killed run landed and no later one registered, and keys under which nothing lies.

    Args:
        work: the feed.
        today: the day.
        is_old: whether something of that period may go.

    Returns:
        How many objects went.
    """
    feed = f"{work.partner}/{work.feed_name}/"
    known = set(_landed_in(work))
    objects = [key for key in work.landing.list(feed) if key.rpartition("/")[0] not in known]
    keys = [key for key in content_keys.listed(work.keys) if key.folder.startswith(feed) and key.folder not in known]
    idle = {key.name: key for key in keys if work.keys.state(key.name) != "destroyed"}
    forgotten = [key for key in objects if is_old(key.split("/")[2])]
    forgotten += [name for name, key in idle.items() if is_old(key.folder.split("/")[2])]
    gone = _seen_before(work, forgotten, today)
    for key in gone:
        work.keys.destroy(key) if key in idle else work.landing.delete(key)
    return sum(key not in idle for key in gone)


def _seen_before(work: Work, forgotten: Sequence[str], today: date) -> list[str]:
    """A run under way lands its files a moment before it registers them: only what was here the day before goes."""
    note = work.settings.home / "unregistered" / f"{work.partner}.{work.feed_name}.json"
    seen = json.loads(note.read_text()) if note.exists() else {}
    gone = [key for key in forgotten if date.fromisoformat(seen.get(key, today.isoformat())) < today]
    left = {key: seen.get(key, today.isoformat()) for key in forgotten if key not in gone}
    if left or seen:
        note.parent.mkdir(exist_ok=True, mode=0o700)
        note.write_text(json.dumps(left))
    return gone


def _landed_in(work: Work) -> Iterator[str]:
    """The folders in landing of which the ledger says that raw bytes lie there."""
    for row in work.ledger.deliveries(work.partner, work.feed_name):
        if row.raw_deleted_at is None:
            delivery = DeliveryId(partner=row.partner, feed=row.feed, period=row.period, version=row.version)
            yield work.ledger.state(delivery).landed_in


def _holders(work: Work, delivery: DeliveryId, folder: str) -> list[DeliveryId]:
    """The versions whose raw bytes lie in that folder; the delivery among them, if they are there."""
    rows = [row for row in work.ledger.deliveries(delivery.partner, delivery.feed) if row.period == delivery.period]
    there = (delivery.model_copy(update={"version": row.version}) for row in rows if row.raw_deleted_at is None)
    return [other for other in there if other == delivery or (folder and work.ledger.state(other).landed_in == folder)]


def _keys(keys: KeyStore, folder: str) -> Iterable[ContentKey]:
    """The keys of a content that are not destroyed yet: one, as a rule."""
    return [key for key in content_keys.every(keys, folder) if keys.state(key.name) != "destroyed"]


def _destroyed(keys: KeyStore, folder: str) -> bool:
    """Destroy the keys of a content; whether none is left."""
    for key in _keys(keys, folder):
        try:
            keys.destroy(key.name)
        except AcequiaError as error:
            if error.code != "store_denied":
                raise
    return not _keys(keys, folder)


def _proof(begun: Mapping[str, Any], *, destroyed: bool, at: str) -> dict[str, object]:
    """How it was made sure, for the receipt: what is said, and what it is said of."""
    gone = GONE.format(objects=begun["objects"])
    told: dict[str, object] = {"objects_deleted": begun["objects"], "objects_left": 0}
    if begun["shared"] or not begun["keys"]:
        return {**told, "key": "shared, not destroyed", "says": gone + SHARED}
    told |= {"key_fingerprints": [begun["keys"][number] for number in sorted(begun["keys"], key=int)]}
    if not destroyed:
        return {**told, "key": "not destroyed", "says": gone + HELD}
    return {**told, "key": "destroyed", "key_destroyed_at": at, "says": gone + DESTROYED}
