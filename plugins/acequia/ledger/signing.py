"""Compact JWS with Ed25519 (RFC 7515, RFC 8037, RFC 9864), by joserfc, and public keys as a JWK set.

A key of the set may say which entries of the ledger it signs (`acequia_first_seq`, `acequia_last_seq`): a key that was
retired signs nothing that comes after, whoever holds it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia import signatures
from acequia.errors import AcequiaError
from acequia.signatures import UnsoundError

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

ALGORITHM = "Ed25519"
ENTRY = "acequia-entry+jwt"
KEYS, SIGNATURE = "acequia-keys+jwt", "acequia_signature"

Jwks = Mapping[str, Any]


def canonical(value: Any) -> str:
    """JSON of one spelling: keys in order, no spaces, no escapes that are not needed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True)
class Signer:
    """Signs with the key made of a 32-byte seed. The same claims always give the same bytes."""

    seed: bytes = field(repr=False)

    @cached_property
    def _key(self) -> OKPKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from joserfc.jwk import OKPKey

        return OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(self.seed))

    @cached_property
    def key_id(self) -> str:
        """The key's thumbprint (RFC 7638)."""
        return self._key.thumbprint()

    @property
    def x(self) -> str:
        """The public half, in base64url."""
        return str(self._key.as_dict(private=False)["x"])

    def catch_up(self, connection: object) -> None:
        """A single key has nothing to learn from the ledger; see `keyring.Keyring`."""

    @property
    def public(self) -> dict[str, Any]:
        """The public key as a JWK set."""
        return {"keys": [{**self._key.as_dict(private=False), "kid": self.key_id, "use": "sig", "alg": ALGORITHM}]}

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """A compact JWS over the claims' canonical JSON."""
        from joserfc import jws

        header = {"alg": ALGORITHM, "kid": self.key_id, "typ": typ}
        return jws.serialize_compact(
            header, canonical(claims).encode(), self._key, registry=signatures.registry(ALGORITHM)
        )


def claims_of(token: str, typ: str, jwks: Jwks) -> tuple[dict[str, Any], str]:
    """The claims of a token and the id of the key that signed it.

    Raises:
        AcequiaError: `receipt_invalid`, with what exactly is wrong with it.
    """
    header = _header(token)
    if header.get("alg") != ALGORITHM:
        raise _invalid(f"it is not signed with {ALGORITHM}")
    if header.get("typ") != typ:
        raise _invalid(f"its type is not {typ}")
    key_id = header.get("kid")
    key = _public_key(jwks, key_id)
    try:
        claims = json.loads(signatures.payload_of(token, key, ALGORITHM))
    except (ValueError, RecursionError):
        raise _invalid("its signature does not fit its content and the key") from None
    if not isinstance(claims, dict):
        raise _invalid("it holds no claims")
    _require_in_time(jwks, key_id, typ, claims)
    return claims, str(key_id)


def _require_in_time(jwks: Jwks, key_id: object, typ: str, claims: Mapping[str, Any]) -> None:
    """A key signs its own entries, and nothing about later ones; about earlier ones it may speak."""
    key = next(key for key in jwks["keys"] if isinstance(key, dict) and key.get("kid") == key_id)
    about = claims.get("seq") if typ == ENTRY else (claims.get("ledger") or {}).get("seq")
    last, first = key.get("acequia_last_seq"), key.get("acequia_first_seq") if typ == ENTRY else None
    if about is not None and last is not None and about > last:
        raise _invalid(f"its key was retired: it signs up to entry {last} of the ledger, and this is entry {about}")
    if about is not None and first is not None and 0 < about < first:
        raise _invalid(f"its key signs from entry {first} of the ledger, and this is entry {about}")


def key_id_of(token: str) -> str | None:
    """Which key a token says that it was signed with. Nothing is verified."""
    try:
        return str(_header(token).get("kid"))
    except AcequiaError:
        return None


def type_of(token: str) -> str | None:
    """What a token says that it is; None for no token. Nothing is verified."""
    try:
        return str(_header(token).get("typ"))
    except AcequiaError:
        return None


def signed_keys(signer: Signer, keys: Sequence[Mapping[str, Any]]) -> Jwks:
    """A JWK set that is signed by one of its keys, so that a change of any member shows."""
    return {"keys": list(keys), SIGNATURE: signer.sign(KEYS, {"iss": "acequia", "sha256": _digest(keys)})}


def read_jwks(path: Path) -> Jwks:
    """The key set of a file. One with a signature must be as it was signed; one without has no members of ours.

    Raises:
        AcequiaError: `receipt_invalid`, with what is wrong.
    """
    try:
        found = json.loads(path.read_bytes())
        keys = found["keys"]
    except (OSError, ValueError, KeyError, TypeError):
        keys = None
    if not isinstance(keys, list):
        raise AcequiaError("receipt_invalid", "the file of public keys is not there, or is no JWK set")
    for number, key in enumerate(keys, 1):
        _require_undamaged(number, key)
    if SIGNATURE in found:
        _require_signed(found)
    elif len(found) > 1 or any(name.startswith("acequia") for key in keys for name in key):
        raise _damaged("it is not as it was signed")
    return dict(found)


def _require_undamaged(number: int, key: Any) -> None:
    """The name of a key is the thumbprint of its bytes (RFC 7638), so that neither changes alone."""
    if not isinstance(key, dict) or key.get("crv") != ALGORITHM:
        raise _damaged(f"key {number} is no Ed25519 key")
    said = {name: key.get(name) for name in ("crv", "kty", "x")}
    digest = hashlib.sha256(canonical(said).encode(errors="replace")).digest()
    if key.get("kid") != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
        raise _damaged(f"key {number} is not the one that its name says")


def _require_signed(found: Mapping[str, Any]) -> None:
    try:
        claims, key_id = claims_of(str(found[SIGNATURE]), KEYS, found)
    except AcequiaError as error:
        raise _damaged(f"its signature: {error.what}") from None
    if claims.get("sha256") != _digest(found["keys"]) or set(found) != {"keys", SIGNATURE}:
        raise _damaged("it is not as it was signed")
    if key_id != found["keys"][-1].get("kid"):
        raise _damaged("it was not signed with its newest key")


def _digest(keys: Any) -> str:
    return hashlib.sha256(canonical(keys).encode(errors="replace")).hexdigest()


def _damaged(what: str) -> AcequiaError:
    return AcequiaError("receipt_invalid", f"the file of public keys is damaged, or was changed: {what}")


def as_file(jwks: Jwks) -> str:
    """A key set as it is written."""
    return json.dumps(jwks, indent=1) + "\n"


def write_whole(path: Path, content: str) -> None:
    """Write a file whole or not at all, so that it survives a crash of the machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with staged.open("x", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)


def _header(token: str) -> dict[str, Any]:
    try:
        return signatures.header_of(token)
    except UnsoundError as error:
        raise _invalid(str(error)) from None


def _public_key(jwks: Jwks, key_id: object) -> OKPKey:
    from joserfc.errors import JoseError
    from joserfc.jwk import OKPKey

    found = [key for key in jwks.get("keys", ()) if isinstance(key, dict) and key.get("kid") == key_id]
    if key_id is None or not found:
        raise _invalid("it names a key that is not among the public keys given")
    wanted: dict[str, str | list[str]] = {name: str(found[0].get(name)) for name in ("kty", "crv", "x")}
    try:
        if wanted["kty"] == "OKP" and wanted["crv"] == ALGORITHM:
            return OKPKey.import_key(wanted)
    except (JoseError, ValueError, TypeError):
        pass
    raise _invalid("the public key that it names is no Ed25519 key")


def _invalid(what: str) -> AcequiaError:
    return AcequiaError("receipt_invalid", f"this is not valid: {what}")
