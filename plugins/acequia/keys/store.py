"""What every key store offers, and what all of them share: safe names, fingerprints, the words of their refusals."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Literal, Protocol

from acequia.errors import AcequiaError

State = Literal["kept", "destroyed", "half destroyed", "absent"]
"""Of a name: its key can be used; it is gone for good; it is used no more, but not gone yet; there never was one."""

_NAME = re.compile(r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*")
_NAME_AT_MOST = 200  # with suffixes, within the 255 bytes of a file name


class KeyStore(Protocol):
    """What rooms need of a key store. Names are safe file names."""

    def secret(self, name: str) -> bytes:
        """The 32 bytes of that name; made at the first request, the same ever after.

        Raises:
            AcequiaError: `key_destroyed`; `key_missing` where the store cannot make keys.
        """
        ...

    def text(self, name: str, make: Callable[[], str]) -> str:
        """A secret that has a form of its own, such as a private key; `make` is called at the first request."""
        ...

    def state(self, name: str) -> State:
        """Whether there is such a key."""
        ...

    def names(self) -> tuple[str, ...]:
        """The names of all keys that are there or were destroyed, in order."""
        ...

    def destroy(self, name: str) -> None:
        """Delete the key, make sure that it is gone, and leave a mark so that it is never made again.

        It can be killed anywhere and called again; a key that is destroyed stays destroyed.

        Raises:
            AcequiaError: `store_denied` where the store can only be read: whoever keeps it must delete the key there.
        """
        ...


def checked(name: str) -> str:
    """The name, if it can be a file's anywhere."""
    if not _NAME.fullmatch(name) or len(name) > _NAME_AT_MOST:
        raise AcequiaError("usage", "a key's name is not made of letters, digits and single dots")
    return name


def made() -> str:
    """A new secret of 32 bytes from the operating system's generator, as text."""
    return secrets.token_hex(32)


def bytes_of(name: str, text: str) -> bytes:
    """The 32 bytes that a text stands for."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise AcequiaError("key_missing", f"the secret {name} is not 64 hexadecimal digits")
    return found


def fingerprint(secret: bytes) -> str:
    """32 hexadecimal digits that tell a key from every other and say nothing of it: whoever tries must try 2^256."""
    return hashlib.blake2b(secret, digest_size=16, person=b"acequia keyprint").hexdigest()


def destroyed(name: str) -> AcequiaError:
    """The refusal of a key that is destroyed."""
    return AcequiaError("key_destroyed", f"the key {name} was destroyed, and is never made again")
