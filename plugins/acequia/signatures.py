"""Compact JWS with Ed25519 (RFC 7515, 8037, 9864), by joserfc: what partners sign and what we sign is read by one rule.

A token has one spelling: whoever changes a bit of it, even one that Base64 ignores, has another one, which is refused.
"""

from __future__ import annotations

import base64
import json
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey
    from joserfc.jws import JWSRegistry

ED25519 = "Ed25519"  # the name of RFC 9864; RFC 8037 calls the same signature EdDSA
EDDSA = "EdDSA"
_BYTES_AT_MOST = 16 * 2**20  # joserfc stops at 128 kB, which a delivery of a thousand files passes


class UnsoundError(ValueError):
    """A token that proves nothing; its text says why, and holds nothing of the token."""


def header_of(token: str) -> dict[str, Any]:
    """The head of a token, not verified yet. Raises `UnsoundError` for what is no compact JWS in its one spelling."""
    try:
        parts = [part.encode("ascii") for part in token.split(".")]
        decoded = [base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)) for part in parts]
        header = json.loads(decoded[0])
    except (ValueError, RecursionError):
        raise UnsoundError("it is no compact JWS") from None
    # The last character of Base64 has bits that say nothing: only one spelling is let through.
    spelt = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in decoded]
    if len(parts) != 3 or spelt != parts or not isinstance(header, dict):
        raise UnsoundError("it is no compact JWS")
    return header


def payload_of(token: str, key: OKPKey, *algorithms: str) -> bytes:
    """What was signed. Raises `UnsoundError` unless the signature is this key's over exactly this token."""
    from joserfc import jws
    from joserfc.errors import JoseError, SecurityWarning

    header_of(token)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of the older name of the same signature
            found = jws.deserialize_compact(token, key, algorithms=list(algorithms), registry=registry(*algorithms))
        return found.payload
    except (JoseError, ValueError, TypeError):
        raise UnsoundError("its signature does not fit its content and the key") from None


def public_key(der: str) -> OKPKey:
    """An Ed25519 public key out of the line that `openssl pkey -pubout` writes between BEGIN and END."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key
    from joserfc.jwk import OKPKey

    try:
        found = load_der_public_key(base64.b64decode(der, validate=True))
    except ValueError:
        raise UnsoundError("the public key is no Ed25519 key") from None
    if not isinstance(found, Ed25519PublicKey):
        raise UnsoundError("the public key is no Ed25519 key")
    return OKPKey.import_key(found)


def registry(*algorithms: str) -> JWSRegistry:
    """Joserfc's table of what is allowed: these algorithms, and tokens as large as a manifest or receipt can be."""
    from joserfc.jws import JWSRegistry

    found = JWSRegistry(algorithms=list(algorithms))
    found.max_payload_length = _BYTES_AT_MOST
    return found
