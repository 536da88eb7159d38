"""Whether an entry was signed by the office, with the key whose turn it was: entries hand over from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.ledger.chain import TOKEN, Entry
from acequia.ledger.keyring import CHANGED, Keyring, PublicKey, handing_over, name_of
from acequia.ledger.signing import Jwks, claims_of, key_id_of, read_jwks

UNREADABLE = (AcequiaError, ValueError, LookupError, TypeError, AttributeError)


class Turn:
    """Follows the handing over along the chain. What the key store holds counts more than what an entry says.

    Entries are verified by signing them again, which gives the same bytes and is faster; where the key is gone, by its
    public half. That is vouched for by the keys that came after it: they signed what follows on its entries.
    """

    def __init__(self, ring: Keyring, jwks: Jwks) -> None:
        self.ring, self.number = ring, 1
        self._retired: dict[str, int] = {}
        self._signer = ring.kept(1)
        self._public: PublicKey | None = None if self._signer else _first(jwks)

    def wrong(self, entry: Entry) -> str | None:
        """What is wrong with an entry's signature, if anything is; a key that hands over has had its turn."""
        wrong = self._wrong(entry)
        if entry.kind == CHANGED or entry.key == handing_over(self.number + 1):
            wrong = self._hand_over(entry, wrong)
        return wrong

    def ended(self) -> str | None:
        """What is wrong with the key store, now that the last entry was seen."""
        if self._signer is None:
            return f"the signing key {name_of(self.number)} is not in the key store"
        later = name_of(self.number + 1)
        if self.ring.keys.state(later) == "kept":
            return (
                f"the key store holds {later}, and no entry takes it up: either a rotation was not finished (run it "
                "again), or the entries since then were taken out"
            )
        return None

    def _wrong(self, entry: Entry) -> str | None:
        said = {"seq": entry.seq, "hash": entry.hash}
        if self._signer and entry.token == self._signer.sign(TOKEN, said):
            return None
        if self._public and _is_signed(entry.token, self._public, said):
            return None
        retired = self._retired.get(str(key_id_of(entry.token)))
        if retired is not None:
            return f"it was signed with a key that was retired at entry {retired}"
        return "it was not signed by this office"

    def _hand_over(self, entry: Entry, wrong: str | None) -> str | None:
        """Go on with the next key; a lost one could sign nothing, and so the new one has signed this entry."""
        number, last = self.number + 1, self._signer or self._public
        signer = self.ring.kept(number)
        try:
            named = entry.said
            public = PublicKey(number, named["new"]["kid"], named["new"]["x"], named["first_seq"], None, "")
            lost = bool(named["lost"])
        except UNREADABLE:
            named, public, lost = {}, None, False
        if signer is None and (public is None or wrong):
            return wrong  # no key of ours: whoever wrote this handed over to nobody
        if last is not None:
            self._retired[last.key_id] = entry.seq
        self.number, self._signer, self._public = number, signer, None if signer else public
        if lost:
            wrong = self._wrong(entry)
        if signer and public and (signer.key_id, signer.x) != (public.key_id, public.x):
            return wrong or f"it hands over to another key than {name_of(number)} of the key store"
        return wrong


def trusted(ring: Keyring, remembered: Path) -> Jwks:
    """The public keys by what the ledger says of them; if that is damaged, those of the key store.

    Where there is nothing else, as when the only key is lost, those that were handed out are believed.
    """
    keys: dict[str, Mapping[str, Any]] = {}
    with suppress(*UNREADABLE):
        keys = {key["kid"]: key for key in ring.public["keys"]}
    number = 1
    while (state := ring.keys.state(name_of(number))) != "absent":
        if state == "kept" and (signer := ring.signer(number)).key_id not in keys:
            keys[signer.key_id] = signer.public["keys"][0]
        number += 1
    if not keys:
        with suppress(*UNREADABLE):
            return read_jwks(remembered)
    return {"keys": list(keys.values())}


def _first(jwks: Jwks) -> PublicKey | None:
    """The first key, where the key store has it no more."""
    return next((PublicKey(1, key["kid"], key["x"], 1, None, "") for key in jwks["keys"]), None)


def _is_signed(token: str, key: PublicKey, said: Mapping[str, Any]) -> bool:
    plain = {name: value for name, value in key.as_jwk().items() if not name.startswith("acequia")}
    try:
        return claims_of(token, TOKEN, {"keys": [plain]})[0] == said
    except AcequiaError:
        return False
