"""Fetching: one file at a time comes into scratch, is opened if it is encrypted, and is sealed for landing at once.

Landing holds what an encrypted file held, sealed to landing's own key, and not what was sent. So whoever reads landing
needs no intake key, the intake key can be replaced, and once landing's key is destroyed nothing opens the bytes any
more: what was sent would still open with the intake key and the escrow key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.errors import CODES, REFUSED, AcequiaError
from acequia.keys import KeyStore
from acequia.receive import envelope
from acequia.receive.names import ENCRYPTED, is_plain, plain_name
from acequia.receive.sealing import Sealing
from acequia.receive.sources.source import Found, Source, changed, too_large


@dataclass(frozen=True)
class Sealed:
    """One file of the delivery under the name that it is kept by; `copy` is encrypted, None if it was not taken.

    `bytes` and `sha256` are of what landing keeps, `sent` of the file as it was sent: both the same unless it came
    encrypted. `error` says why an encrypted one could not be opened; then landing keeps what was sent.
    """

    found: Found
    name: str
    bytes: int
    sha256: str
    copy: Path | None
    sent: tuple[int, str] = (0, "")
    error: AcequiaError | None = None

    @property
    def says(self) -> str:
        """What stands for the content."""
        return self.sha256 if self.copy else f"not taken: {self.found.bytes} bytes"

    @property
    def was_opened(self) -> bool:
        """Whether it came encrypted, and was decrypted."""
        return self.copy is not None and self.sent != (self.bytes, self.sha256)


def fetched(
    source: Source, files: Sequence[Found], terms: Delivery, keys: KeyStore, sealing: Sealing, scratch: Path
) -> Iterator[Sealed]:
    """Fetch each file, open it if it is encrypted, and seal it. From the first that is too large on none is taken."""
    at_most = terms.bytes_at_most
    left = at_most if sum(file.bytes or 0 for file in files) <= at_most else -1
    plain = scratch / "arriving"
    for number, (found, name) in enumerate(zip(files, names(files, terms), strict=True)):
        try:
            if left < 0:
                raise too_large(at_most)
            source.fetch(found, plain, left)
            sent = digest(plain)
            if found.bytes not in (None, sent[0]):
                raise changed()
            error = _opened(plain, keys) if is_encrypted(found, terms) else None
            size, sha256 = sent if error or not is_encrypted(found, terms) else digest(plain)
            copy = scratch / f"{number:05d}.sealed"
            sealing.seal(plain, copy)
        except AcequiaError as failure:
            if failure.code != "file_too_large":
                raise
            left = -1
            yield Sealed(found, name, found.bytes or 0, "", None)
        else:
            left -= sent[0]
            yield Sealed(found, name, size, sha256, copy, sent, error)
        finally:
            plain.unlink(missing_ok=True)


def is_encrypted(found: Found, terms: Delivery) -> bool:
    """Whether a file is one that the partner encrypted, by its name, where that is agreed."""
    return terms.encryption != "none" and found.name.endswith(ENCRYPTED)


def wanted_name(found: Found, terms: Delivery) -> str:
    """The name by which a file is to be kept: without the ending of encrypted ones, since it is kept opened."""
    return plain_name(found.kept_as) if is_encrypted(found, terms) else found.kept_as


def names(files: Sequence[Found], terms: Delivery) -> list[str]:
    """The names under which files are kept. One that is not plain, or is taken, gets another; it is refused later."""
    kept: list[str] = []
    for number, file in enumerate(files, start=1):
        wanted = wanted_name(file, terms)
        kept.append(wanted if is_plain(wanted) and wanted not in kept else f"unnamed-{number}")
    return kept


def digest(file: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file."""
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        return opened.tell(), sha256


def _opened(file: Path, keys: KeyStore) -> AcequiaError | None:
    """Put in the file's place what it holds; what is wrong with it, if it does not open, and it stays as it is."""
    target = file.with_name(f"{file.name}.opened")
    try:
        envelope.unseal(file, target, keys)
        target.replace(file)
    except AcequiaError as error:
        if CODES[error.code].exit_code != REFUSED:
            raise
        return error
    finally:
        target.unlink(missing_ok=True)
    return None
