"""The keys that sign entries and receipts, one after the other, as the ledger itself tells of them.

The first is `receipts` in the key store, the next `receipts.2`, and so on. An entry `signing_key_changed`, signed with
the old key, names the new one; the entry after it, `signing_key_taken_up`, is signed with the new one. So whoever holds
an old key can sign nothing that comes after, and what was signed before stays verifiable with the public keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from acequia.errors import AcequiaError
from acequia.keys import KeyStore
from acequia.ledger import chain
from acequia.ledger.chain import Entry
from acequia.ledger.signing import ALGORITHM, Jwks, Signer, key_id_of, signed_keys

CHANGED, TAKEN_UP, DESTROYED = "signing_key_changed", "signing_key_taken_up", "signing_key_destroyed"
FIRST_NAME = "receipts"
LOST = "Restore the key store from its backup; if the key is gone for good, run `acequia keys rotate-receipts --lost`."


def name_of(number: int) -> str:
    """The name in the key store of the first, second, … signing key."""
    return FIRST_NAME if number == 1 else f"{FIRST_NAME}.{number}"


def handing_over(number: int) -> str:
    """The natural key of the entry that makes way for a key."""
    return f"{CHANGED}/{number}"


@dataclass(frozen=True)
class PublicKey:
    """A key's public half, and the entries that it signs: from `first_seq` to `last_seq`, None while it is in use."""

    number: int
    key_id: str
    x: str
    first_seq: int
    last_seq: int | None
    introduction: str

    def as_jwk(self) -> dict[str, Any]:
        """As it stands in the file of public keys."""
        jwk = {"crv": "Ed25519", "x": self.x, "kty": "OKP", "kid": self.key_id, "use": "sig", "alg": ALGORITHM}
        said: dict[str, Any] = {"acequia_first_seq": self.first_seq} if self.number > 1 else {}
        if self.last_seq is not None:
            said["acequia_last_seq"] = self.last_seq
        if self.introduction:
            said["acequia_introduced_by"] = self.introduction
        return {**jwk, **said}


class Keyring:
    """Signs with the key that is in force; knows all that were. It can be used wherever one `Signer` can."""

    def __init__(self, keys: KeyStore) -> None:
        self.keys = keys
        self._changes: list[Entry] = []
        self._signers: dict[int, Signer] = {}
        self._compared = self._begun = False

    @property
    def number(self) -> int:
        """Of the key that is in force, as far as the ledger was read."""
        return len(self._changes) + 1

    @property
    def current(self) -> Signer:
        """Signs with the key that is in force."""
        return self.signer(self.number)

    @property
    def key_id(self) -> str:
        """The thumbprint of the key that is in force."""
        return self.current.key_id

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """A compact JWS over the claims, by the key that is in force."""
        return self.current.sign(typ, claims)

    @property
    def known(self) -> tuple[PublicKey, ...]:
        """Every key there was, the first one first."""
        if not self._changes:
            return (PublicKey(1, self.key_id, self.current.x, 1, None, ""),)
        first = _public(1, self._changes[0].said["old"], 1, self._changes[0])
        later = (
            _public(number, entry.said["new"], entry.said["first_seq"], after, entry.said["introduction"])
            for number, (entry, after) in enumerate(zip(self._changes, [*self._changes[1:], None], strict=True), 2)
        )
        return (first, *later)

    @property
    def public(self) -> Jwks:
        """All public keys as a JWK set, with the entries that each of them signs."""
        return {"keys": [key.as_jwk() for key in self.known if key.x]}

    @property
    def published(self) -> Jwks:
        """The same as it is handed out: signed with the key that is in force, so that a change of it shows."""
        return signed_keys(self.current, self.public["keys"])

    def signer(self, number: int) -> Signer:
        """The signer of one key. The first one is made for the first entry, and never again.

        Raises:
            AcequiaError: `key_missing`, with what can be done, if the key was destroyed or is lost.
        """
        if number not in self._signers:
            name, state = name_of(number), self.keys.state(name_of(number))
            if state in ("destroyed", "half destroyed"):
                raise AcequiaError("key_missing", f"the signing key {name} was destroyed", do=LOST)
            if state == "absent" and self._begun:
                raise AcequiaError("key_missing", f"the signing key {name} is not in the key store", do=LOST)
            self._signers[number] = Signer(self.keys.secret(name))
        return self._signers[number]

    def kept(self, number: int) -> Signer | None:
        """The signer of a key if the key store holds it; no key is made."""
        if number not in self._signers and self.keys.state(name_of(number)) != "kept":
            return None
        return self.signer(number)

    def for_entry(self, seq: int) -> Signer:
        """Who signs the receipt of that entry: the key that signed it, or if that is gone, the next one after it.

        A later key may speak for an earlier entry. The other way round nobody believes it.
        """
        number = 1 + sum(entry.said["last_seq"] < seq for entry in self._changes)
        found = (self.kept(later) for later in range(number, self.number))
        return next((signer for signer in found if signer), self.current)

    def catch_up(self, connection: Connection) -> None:
        """Learn from the ledger which keys came meanwhile, and see that the key store has the one that is in force.

        Raises:
            AcequiaError: `key_missing` if it is not the key that signed the ledger's last entry.
        """
        self.learn(connection)
        if not self._compared:
            self._require_same(connection)
            self._compared = True

    def learn(self, connection: Connection) -> None:
        """Learn from the ledger which keys came meanwhile."""
        while (entry := chain.by_key(connection, handing_over(self.number + 1))) is not None:
            self._changes.append(entry)
            self._compared = False
        self._begun = self._begun or chain.last_token(connection) is not None

    def _require_same(self, connection: Connection) -> None:
        token = chain.last_token(connection)
        if token is None:
            return
        if key_id_of(token) not in {self.current.key_id, *(key.key_id for key in self.known)}:
            what = f"the ledger's last entry was signed with another key than {name_of(self.number)} of this key store"
            raise AcequiaError("key_missing", what, do=LOST)


def _public(
    number: int, said: Mapping[str, str], first_seq: int, retired_by: Entry | None, introduction: str = ""
) -> PublicKey:
    last = retired_by.said["last_seq"] if retired_by else None
    return PublicKey(number, said["kid"], said["x"], first_seq, last, introduction)
