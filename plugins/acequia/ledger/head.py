"""The signed head: the last entry's token, kept outside the database, so that a tail that is cut off is missed."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError
from acequia.ledger.chain import FIRST, TOKEN
from acequia.ledger.signing import Jwks, Signer, claims_of, write_whole

if TYPE_CHECKING:
    from acequia.ledger.keyring import Keyring


def path_of(home: Path) -> Path:
    """Where the head is."""
    return home / "ledger" / "head.jws"


def show(home: Path, token: str, signer: Signer | Keyring) -> None:
    """Put the token in place, unless another process was here with a later one. It may lag behind, never run ahead."""
    path = path_of(home)
    if path.exists() and path.read_bytes() == token.encode():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (path.parent / ".head.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _seq(path, signer.public) < claims_of(token, TOKEN, signer.public)[0]["seq"]:
            write_whole(path, token)


def forget_unless_known(home: Path, jwks: Jwks) -> None:
    """Remove a head of which nobody can tell any more whether it is the office's: its key is lost."""
    try:
        read(home, jwks)
    except AcequiaError:
        path_of(home).unlink(missing_ok=True)


def begin(home: Path, signer: Signer | Keyring) -> None:
    """A head that names nothing, in place before the first entry is: then a missing head always means something."""
    show(home, signer.sign(TOKEN, {"seq": 0, "hash": FIRST}), signer)


def read(home: Path, jwks: Jwks) -> dict[str, Any] | None:
    """`seq` and `hash` of the head; None if there is none.

    Raises:
        AcequiaError: `receipt_invalid` if it is not the office's.
    """
    try:
        token = path_of(home).read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        token = ""
    return claims_of(token, TOKEN, jwks)[0]


def _seq(path: Path, jwks: Jwks) -> int:
    try:
        found = read(path.parents[1], jwks)
    except AcequiaError:
        # A forged head is left for `verify` to find, not papered over.
        return 2**63
    return int(found["seq"]) if found else -1
