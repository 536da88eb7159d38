"""Compact JWS with Ed25519 (RFC 7515, RFC 8037, RFC 9864), by joserfc: one key, and its public half as a JWK set."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey
    from joserfc.jws import JWSRegistry

ALGORITHM = "Ed25519"
_BYTES_AT_MOST = 16 * 2**20  # joserfc stops at 128 kB, which a delivery of a thousand files passes

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
    def public(self) -> dict[str, Any]:
        """The public key as a JWK set."""
        return {"keys": [{**self._key.as_dict(private=False), "kid": self.key_id, "use": "sig", "alg": ALGORITHM}]}

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """A compact JWS over the claims' canonical JSON."""
        from joserfc import jws

        header = {"alg": ALGORITHM, "kid": self.key_id, "typ": typ}
        return jws.serialize_compact(header, canonical(claims).encode(), self._key, registry=_registry())


def claims_of(token: str, typ: str, jwks: Jwks) -> tuple[dict[str, Any], str]:
    """The claims of a token and the id of the key that signed it.

    Raises:
        AcequiaError: `receipt_invalid`, with what exactly is wrong with it.
    """
    from joserfc import jws
    from joserfc.errors import JoseError

    header = _header(token)
    if header.get("alg") != ALGORITHM:
        raise _invalid(f"it is not signed with {ALGORITHM}")
    if header.get("typ") != typ:
        raise _invalid(f"its type is not {typ}")
    key_id = header.get("kid")
    key = _public_key(jwks, key_id)
    try:
        payload = jws.deserialize_compact(token, key, algorithms=[ALGORITHM], registry=_registry()).payload
        claims = json.loads(payload)
    except (JoseError, ValueError, TypeError):
        raise _invalid("its signature does not fit its content and the key") from None
    if not isinstance(claims, dict):
        raise _invalid("it holds no claims")
    return claims, str(key_id)


def type_of(token: str) -> str | None:
    """What a token says that it is; None for no token. Nothing is verified."""
    try:
        return str(_header(token).get("typ"))
    except AcequiaError:
        return None


def read_jwks(path: Path) -> Jwks:
    """The key set of a file."""
    try:
        found = json.loads(path.read_bytes())
        if isinstance(found["keys"], list):
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise AcequiaError("receipt_invalid", "the file of public keys is not there, or is no JWK set")


def offer_jwks(signer: Signer, path: Path) -> None:
    """Write the public key beside those of earlier keys, so that what they signed can still be verified."""
    known = read_jwks(path)["keys"] if path.exists() else []
    if any(key.get("kid") == signer.key_id for key in known):
        return
    write_whole(path, json.dumps({"keys": [*known, *signer.public["keys"]]}, indent=1) + "\n")


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
        parts = [part.encode("ascii") for part in token.split(".")]
        decoded = [base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)) for part in parts]
        header = json.loads(decoded[0])
    except ValueError:
        raise _invalid("it is no compact JWS") from None
    # The last character of Base64 has bits that say nothing: only one spelling is let through.
    spelt = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in decoded]
    if len(parts) != 3 or spelt != parts or not isinstance(header, dict):
        raise _invalid("it is no compact JWS")
    return header


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


def _registry() -> JWSRegistry:
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=[ALGORITHM])
    registry.max_payload_length = _BYTES_AT_MOST
    return registry


def _invalid(what: str) -> AcequiaError:
    return AcequiaError("receipt_invalid", f"this is not valid: {what}")
