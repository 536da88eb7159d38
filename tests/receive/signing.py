"""A partner's signing key, and tokens made with it by hand, so that they can also be wrong."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from acequia.agreement.promises import SigningKey

ABOUT = {"agreement": "pula", "feed": "events", "period": "2026-11-21"}


def spelt(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True)
class Desk:
    """Somebody who can sign."""

    key: Ed25519PrivateKey

    @classmethod
    def of(cls, number: int) -> Desk:
        return cls(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))

    @property
    def public(self) -> str:
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def agreed(self, first: str = "2026-01-01", last: str | None = None) -> SigningKey:
        return SigningKey.model_validate({"public": self.public, "from": first, "until": last})

    def sign(self, manifest: dict[str, Any] | bytes, **head: Any) -> bytes:
        """A compact JWS; a head of None is left out."""
        raw = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        usual = {"alg": "Ed25519", "kid": "desk-1", "typ": "acequia-manifest+jwt", **head}
        said = json.dumps({name: value for name, value in usual.items() if value is not None}).encode()
        signed = f"{spelt(said)}.{spelt(raw)}"
        return f"{signed}.{spelt(self.key.sign(signed.encode()))}".encode()
