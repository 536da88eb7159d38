"""Whether new public keys were introduced by those that somebody knows: each signing key introduces the next one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.ledger.signing import Jwks, claims_of, key_id_of, read_jwks

INTRODUCTION = "acequia-key+jwt"


def require_introduced(jwks: Path, known: Path) -> int:
    """Follow the introductions from keys that are known to those that are not.

    An introduction is worth as much as the key that signed it: whoever stole that key can make one, too.

    Args:
        jwks: the new file of public keys.
        known: an earlier one, that was handed over by a way that is trusted.

    Returns:
        How many keys are new.

    Raises:
        AcequiaError: `receipt_invalid`, with the key that nobody known introduced.
    """
    trusted = {str(key["kid"]): key for key in read_jwks(known)["keys"]}
    fresh = [key for key in read_jwks(jwks)["keys"] if key["kid"] not in trusted]
    for key in fresh:
        _require_by_known(key, trusted)
        trusted[str(key["kid"])] = key
    return len(fresh)


def _require_by_known(key: Mapping[str, Any], trusted: Mapping[str, Mapping[str, Any]]) -> None:
    token = str(key.get("acequia_introduced_by", ""))
    plain: Jwks = {"keys": [_plain(one) for kid, one in trusted.items() if kid == key_id_of(token)]}
    try:
        said = claims_of(token, INTRODUCTION, plain)[0]
    except AcequiaError:
        said = {}
    same = (said.get("kid"), said.get("x"), said.get("first_seq"))
    if not said or same != (key["kid"], key["x"], key.get("acequia_first_seq")):
        what = f"the public key {key['kid']} was introduced by none of those that are known"
        raise AcequiaError("receipt_invalid", what, do="Ask the office for its keys by a way that you trust.")


def _plain(key: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if not name.startswith("acequia")}
