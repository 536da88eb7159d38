"""The signed form of a manifest: a compact JWS over it, by one of the keys that the agreement names.

    {"alg": "Ed25519", "kid": "desk-2026", "typ": "acequia-manifest+jwt"}

It must say of which agreement, feed and period it is, so that nothing signed can be put where it was not meant to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from acequia import signatures
from acequia.agreement.promises import SigningKey
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.receive.manifest import BYTES_AT_MOST, Manifest, parse
from acequia.signatures import ED25519, EDDSA, UnsoundError

TYPE = "acequia-manifest+jwt"
TOKEN_AT_MOST = BYTES_AT_MOST * 3 // 2  # Base64 makes a third more of it
_HEAD = frozenset({"alg", "kid", "typ"})


@dataclass(frozen=True)
class Trust:
    """Who may sign for this delivery: the partner's keys by `kid`, and the period that must lie within a key's."""

    period: Period
    keys: Mapping[str, SigningKey] = field(default_factory=dict)

    def opened(self, raw: bytes) -> tuple[Manifest, str]:
        """The manifest that was signed, and the id of the key.

        Errors: `signature_invalid`, `signing_key_unknown`, `signing_key_not_valid`, and those of `manifest.parse`.
        """
        token = _token(raw)
        try:
            kid = self._key_named(signatures.header_of(token))
            key = signatures.public_key(self.keys[kid].public)
            payload = signatures.payload_of(token, key, ED25519, EDDSA)
        except UnsoundError as error:
            raise _invalid(str(error)) from None
        manifest = parse(payload)
        if None in (manifest.agreement, manifest.feed, manifest.period):
            raise AcequiaError("manifest_invalid", "a signed manifest says its agreement, feed and period")
        return manifest, kid

    def _key_named(self, header: Mapping[str, Any]) -> str:
        if header.get("alg") not in (ED25519, EDDSA):
            raise UnsoundError("it is not signed with Ed25519")
        if header.get("typ", TYPE) != TYPE or not header.keys() <= _HEAD:
            raise UnsoundError(f"its head holds more than alg, kid, and typ {TYPE}")
        kid = header.get("kid")
        if not isinstance(kid, str) or kid not in self.keys:
            raise AcequiaError(
                "signing_key_unknown", "the manifest is signed by a key that the agreement does not name"
            )
        key = self.keys[kid]
        if self.period.start < key.from_ or (key.until is not None and self.period.last_day > key.until):
            held = f"{key.from_} to {key.until or 'the end of the agreement'}"
            raise AcequiaError("signing_key_not_valid", f"the key {kid} signs periods from {held}, not {self.period}")
        return kid


def unverified(raw: bytes) -> Manifest:
    """What a signed manifest says before anyone has looked at who signed it: only to know which files to look for."""
    import base64

    try:
        token = _token(raw)
        signatures.header_of(token)
        return parse(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    except UnsoundError as error:
        raise _invalid(str(error)) from None


def _token(raw: bytes) -> str:
    """The token of a file, which may end its one line."""
    line = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        return line.decode("ascii")
    except UnicodeDecodeError:
        raise _invalid("it is no compact JWS") from None


def _invalid(what: str) -> AcequiaError:
    return AcequiaError("signature_invalid", f"the manifest's signature proves nothing: {what}")
