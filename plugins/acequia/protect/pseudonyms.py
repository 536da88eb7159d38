"""Keyed pseudonyms: the same person has the same pseudonym within one feed of one partner, and no other anywhere else.

A pseudonym is keyed BLAKE2b (RFC 7693) of the value, of 128 bits, written as 32 hexadecimal digits. Its key is derived
from the installation's secret `pseudonyms`, for the partner, the feed and an epoch. Without the secret nobody can
recompute pseudonyms or try out values. That any two of a billion people share one by chance has a probability below
10^-20, so collisions do not matter.

Values are compared in their text form, in Unicode's normal form NFKC, without blanks at either end: `17850`, `17850 `
and `１７８５０` in full width are one person.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable

from acequia.keys import KeyStore

SECRET = "pseudonyms"  # noqa: S105  (a name, not the secret)
EPOCH = "none"  # every period has the same key; rotation would make it a year or a quarter
_BYTES = 16


def feed_key(keys: KeyStore, partner: str, feed: str, epoch: str = EPOCH) -> bytes:
    """The 32 bytes that key a feed's pseudonyms."""
    purpose = json.dumps(["acequia pseudonyms 1", partner, feed, epoch]).encode()
    return hashlib.blake2b(purpose, key=keys.secret(SECRET), digest_size=32).digest()


def pseudonyms(key: bytes) -> Callable[[list[str]], list[str]]:
    """A function from values to their pseudonyms, in the same order."""
    keyed = hashlib.blake2b(key=key, digest_size=_BYTES)

    def of(values: list[str]) -> list[str]:
        made = []
        for value in values:
            state = keyed.copy()
            state.update(normal(value).encode())
            made.append(state.hexdigest())
        return made

    return of


def normal(value: str) -> str:
    """The form in which values are compared."""
    return value.strip() if value.isascii() else unicodedata.normalize("NFKC", value).strip()
