"""Keyed pseudonyms: the same person has the same pseudonym within one feed and epoch, and no other anywhere else.

A pseudonym is keyed BLAKE2b (RFC 7693) of the value, of 128 bits, written as 32 hexadecimal digits. Every partner, feed
and epoch has a random secret of its own in the key store, so that destroying one ends that epoch and no other; the key
in use is derived from it with partner, feed and epoch once more, so that even a secret copied to another name gives
other pseudonyms. Without the secret nobody can recompute pseudonyms or try out values. That any two of a billion
people share one by chance has a probability below 10^-20, so collisions do not matter.

Values are compared in a normal form: of what the agreement says they hold (`protect.forms`), else `normal`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from acequia.agreement.model import Feed
from acequia.agreement.privacy import Rotation
from acequia.keys import KeyStore
from acequia.period import Period
from acequia.protect.forms import Form, normal

EPOCH = "none"  # of a feed whose pseudonyms never change
_SECRETS = "pseudonyms"
_BYTES = 16


def epoch_of(period: Period, rotate: Rotation) -> str:
    """The label of the epoch that a delivery's period counts to: `none`, `2026-11`, `2026-Q4` or `2026`.

    A week counts to the month of its Thursday, as everywhere; a period longer than the epoch to that of its first day.
    """
    return EPOCH if rotate == "none" else period.within(rotate).label


def secret_name(partner: str, feed: str, epoch: str = EPOCH) -> str:
    """The name of an epoch's secret in the key store. Names of partners and feeds have no dots."""
    return f"{_SECRETS}.{partner}.{feed}.{epoch}"


def named(name: str) -> tuple[str, str, str] | None:
    """The partner, feed and epoch of a secret's name; None if it is no secret of pseudonyms."""
    parts = name.split(".")
    return (parts[1], parts[2], parts[3]) if len(parts) == 4 and parts[0] == _SECRETS else None


def feed_key(keys: KeyStore, partner: str, feed: str, epoch: str = EPOCH) -> bytes:
    """The 32 bytes that key an epoch's pseudonyms.

    Raises:
        AcequiaError: `key_destroyed`, or `key_missing` where the key store makes no keys.
    """
    purpose = json.dumps(["acequia pseudonyms 2", partner, feed, epoch]).encode()
    return hashlib.blake2b(purpose, key=keys.secret(secret_name(partner, feed, epoch)), digest_size=32).digest()


def has_pseudonyms(feed: Feed) -> bool:
    """Whether a feed needs a key at all."""
    return any(column.treatment == "pseudonym" for column in feed.columns.values())


def manner(feed: Feed, period: Period) -> str:
    """A digest of how the people of a delivery are told apart: rows of another manner cannot be counted with these."""
    columns = {
        name: feed.columns[key].model_dump(mode="json", include={"type", "treat", "holds"})
        for name, key in feed.kept.items()
        if feed.columns[key].treatment == "pseudonym"
    }
    said = json.dumps([epoch_of(period, feed.privacy.rotate), columns], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest() if columns else ""


def told_apart_otherwise(before: Feed, after: Feed) -> tuple[str, ...]:
    """The columns of protected rows whose pseudonyms under one version of a feed are no others' under another version.

    Rows of both cannot be counted together by such a column. One that only one version has is none of them.
    """
    if before is after:
        return ()

    def made(feed: Feed, name: str) -> object:
        column = feed.columns[feed.kept[name]]
        if column.treatment != "pseudonym":
            return None
        return feed.privacy.rotate, column.model_dump(mode="json", include={"type", "treat", "holds"})

    both = before.kept.keys() & after.kept.keys()
    return tuple(sorted(name for name in both if made(before, name) != made(after, name)))


def pseudonyms(key: bytes, form: Form = normal) -> Callable[[list[str]], list[str]]:
    """A function from values to their pseudonyms, in the same order."""
    keyed = hashlib.blake2b(key=key, digest_size=_BYTES)

    def of(values: list[str]) -> list[str]:
        made: list[str] = []
        fresh, add = keyed.copy, made.append
        for value in values:
            state = fresh()
            state.update(form(value).encode())
            add(state.hexdigest())
        return made

    return of
