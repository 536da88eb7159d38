"""The end of an upload: sealed at once if the partner did not encrypt it, put on the shelf, its plain bytes removed.

Killed anywhere and done again, it ends the same: the upload stays under way until its last step.
"""

from __future__ import annotations

import os
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.errors import AcequiaError
from acequia.intake.partial import Partial, Told
from acequia.receive import envelope
from acequia.receive.fetching import digest
from acequia.receive.manifest import NAME, SIGNED_NAME, Manifest, parse
from acequia.receive.names import ENCRYPTED
from acequia.receive.signed import unverified
from acequia.receive.uploads import Kept, Shelf, settle


def finish(partial: Partial, told: Told, shelf: Shelf, terms: Delivery, recipients: list[str], at: float) -> None:
    """Put a whole upload on its shelf, and complete the delivery if it is the manifest. The caller holds the upload.

    Args:
        partial: the upload, all of its bytes safe.
        told: what it is.
        shelf: where it belongs.
        terms: how the feed is delivered.
        recipients: public keys of age to which it is sealed.
        at: the moment (seconds since 1970).
    """
    if partial.bytes.exists():
        size, sha256 = digest(partial.bytes)
        older = _older_files(partial.bytes, told.name)
        sealed = not (terms.encryption != "none" and told.name.endswith(ENCRYPTED))
        _place(partial.bytes, shelf.content(partial.id), recipients if sealed else [])
        shelf.put(Kept(name=told.name, upload=partial.id, bytes=size, sha256=sha256, sealed=sealed, at=at))
        if is_whole_manifest(told.name):
            shelf.complete(also_older=older)
    partial.discard()


def is_whole_manifest(name: str) -> bool:
    """Whether it is the manifest of all files, which comes last."""
    return name in (NAME, SIGNED_NAME)


def _place(plain: Path, content: Path, recipients: list[str]) -> None:
    """Put the bytes on the shelf, sealed unless there are no recipients: then the partner has encrypted them."""
    content.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = content.with_name(f".{content.name}.{os.getpid()}")
    try:
        if recipients:
            envelope.seal(plain, staged, recipients)
        else:
            staged.unlink(missing_ok=True)
            os.link(plain, staged)
        with staged.open("rb+") as file:
            os.fchmod(file.fileno(), 0o600)
            os.fsync(file.fileno())
        staged.replace(content)
    finally:
        staged.unlink(missing_ok=True)
    settle(content.parent)


def _older_files(file: Path, name: str) -> list[str]:
    """The files that a manifest lists: those that were not sent again count from the delivery before."""
    if not is_whole_manifest(name):
        return []
    try:
        manifest: Manifest = unverified(file.read_bytes()) if name == SIGNED_NAME else parse(file.read_bytes())
    except AcequiaError:
        return []  # it is for the pipeline to refuse it
    return list(manifest.by_name)
