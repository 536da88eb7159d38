"""The key of each content in landing: once it is destroyed, no copy of those bytes can be opened, wherever it lies.

A delivery's content is encrypted to an age identity of its own, in the key store as
`landing.<partner>.<feed>.<period>.<content>.<n>`; `n` counts on when the content comes again after its key was
destroyed. The name of an object says which it is (`….k1.age`); one without a number was encrypted to the one key that
all of landing shared, `landing`: those of before, and those of a key store in which no keys can be made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from acequia.errors import AcequiaError
from acequia.keys import KeyStore, fingerprint

SHARED = "landing"
_FOLDER = re.compile(r"([A-Za-z0-9_]+)/([A-Za-z0-9_]+)/([A-Za-z0-9-]+)/([0-9a-f]{16})")
_OBJECT = re.compile(r"(.+)/[^/]+\.k([1-9][0-9]{0,5})\.age")


@dataclass(frozen=True)
class ContentKey:
    """The `number`th key of what lies, or lay, in a folder of landing."""

    folder: str
    number: int

    @property
    def name(self) -> str:
        """Its name in the key store."""
        return f"{SHARED}.{self.folder.replace('/', '.')}.{self.number}"


@dataclass(frozen=True)
class Held:
    """An identity to encrypt to: `key` is None for the shared one."""

    folder: str
    key: ContentKey | None
    text: str

    @property
    def fingerprint(self) -> str:
        """What tells the content's own key from every other; empty for the shared one."""
        return fingerprint(self.text.encode()) if self.key else ""

    def object(self, name: str) -> str:
        """The key in landing of a file of that name."""
        return f"{self.folder}/{name}.k{self.key.number}.age" if self.key else f"{self.folder}/{name}.age"


def of_object(key: str) -> ContentKey | None:
    """The key that an object in landing was encrypted with; None for the shared one."""
    found = _OBJECT.fullmatch(key)
    return ContentKey(found[1], int(found[2])) if found and _FOLDER.fullmatch(found[1]) else None


def hold(keys: KeyStore, folder: str, make: Callable[[], str]) -> Held:
    """The identity of a folder's content: that which is there, else the one that `make` gives, kept from now on.

    Where no key can be made, it is the shared one.
    """
    if not _FOLDER.fullmatch(folder):
        return Held(folder, None, keys.text(SHARED, make))
    number = 1
    while True:
        key = ContentKey(folder, number)
        state = keys.state(key.name)
        if state in ("kept", "absent"):
            try:
                return Held(folder, key, keys.text(key.name, make))
            except AcequiaError as error:
                if state == "absent" and error.code in ("key_missing", "store_denied"):
                    return Held(folder, None, keys.text(SHARED, make))
                if error.code != "key_destroyed":
                    raise
        number += 1


def opened(keys: KeyStore, key: str) -> str:
    """The identity that opens an object in landing. None is ever made here.

    Raises:
        AcequiaError: `landing_missing` if its key was destroyed, `key_missing` if it is lost.
    """
    own = of_object(key)
    try:
        return keys.text(own.name if own else SHARED, _lost)
    except AcequiaError as error:
        if error.code != "key_destroyed":
            raise
        raise AcequiaError("landing_missing", "the key of a raw file was destroyed: it cannot be opened") from None


def every(keys: KeyStore, folder: str) -> tuple[ContentKey, ...]:
    """Every key that a folder's content ever had, destroyed ones too, in order. Nothing is made."""
    found: list[ContentKey] = []
    while _FOLDER.fullmatch(folder) and keys.state((key := ContentKey(folder, len(found) + 1)).name) != "absent":
        found.append(key)
    return tuple(found)


def fingerprint_of(keys: KeyStore, key: ContentKey) -> str:
    """A key's fingerprint; empty if it is not there any more."""
    try:
        return fingerprint(keys.text(key.name, _lost).encode())
    except AcequiaError as error:
        if error.code in ("key_destroyed", "key_missing"):
            return ""
        raise


def listed(keys: KeyStore) -> list[ContentKey]:
    """Every key of a content that the key store knows, destroyed ones too, in order."""
    found = []
    for name in keys.names():
        shared, _, rest = name.partition(".")
        folder, _, number = rest.rpartition(".")
        if shared == SHARED and number.isdecimal() and _FOLDER.fullmatch(folder.replace(".", "/")):
            found.append(ContentKey(folder.replace(".", "/"), int(number)))
    return sorted(found, key=lambda key: (key.folder, key.number))


def _lost() -> str:
    raise AcequiaError("key_missing", "the key of a raw file is not in the key store")
