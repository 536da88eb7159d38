"""Files that the partner uploaded here. A delivery is seen whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from acequia.errors import AcequiaError
from acequia.keys import KeyStore
from acequia.receive import envelope
from acequia.receive.names import Pattern
from acequia.receive.sources.source import Found, Listing, changed, is_manifest, too_large
from acequia.receive.uploads import Kept, Shelf


@dataclass(frozen=True)
class UploadedFiles:
    """The delivery on a shelf; `keys` open what was sealed here, None for whoever only looks."""

    shelf: Shelf
    agreed: Pattern
    keys: KeyStore | None
    atomic: bool = True

    def listing(self) -> Listing:
        """What is there now."""
        found = [(kept.name, _found(kept)) for kept in self.shelf.delivered()]
        return Listing(
            tuple(file for name, file in found if not is_manifest(name, self.agreed)),
            tuple(file for name, file in found if is_manifest(name, self.agreed)),
        )

    def fetch(self, found: Found, target: Path, at_most: int) -> None:
        """Copy the file as it was sent."""
        kept = next((kept for kept in self.shelf.delivered() if kept.upload == found.fingerprint), None)
        if kept is None:
            raise changed()
        if kept.bytes > at_most:
            raise too_large(at_most)
        try:
            self._open(kept, target)
        except FileNotFoundError:
            raise changed() from None
        with target.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != kept.sha256:
                raise _spoilt()

    def _open(self, kept: Kept, target: Path) -> None:
        content = self.shelf.content(kept.upload)
        if not kept.sealed:
            shutil.copyfile(content, target)
            return
        if self.keys is None:
            raise AcequiaError("internal", "an upload cannot be opened by who only looks")
        if not content.exists():
            raise FileNotFoundError
        try:
            envelope.unseal(content, target, self.keys)
        except AcequiaError as error:
            if error.code == "key_missing":
                raise
            raise _spoilt() from None


def forget(shelf: Shelf, arrivals: Collection[str]) -> int:
    """Delete the delivery on a shelf if its arrival is one of these; how many files went."""
    delivered = tuple(_found(kept) for kept in shelf.delivered())
    return shelf.forget() if delivered and Listing(delivered).arrival in arrivals else 0


def _found(kept: Kept) -> Found:
    age = max(time.time() - kept.at, 0.0)
    return Found(kept.name, "", kept.name, kept.name, kept.bytes, kept.upload, age, kept.at)


def _spoilt() -> AcequiaError:
    """We saw these bytes when they came: whatever happened to them since happened here."""
    return AcequiaError("internal", "an upload is not any more what the partner uploaded: ask for it again")
