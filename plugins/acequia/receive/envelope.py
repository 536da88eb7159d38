"""Files that a partner encrypts for us with age: `<name>.age`, to the intake key and to the escrow key.

The intake identities are in the key store, `intake`, `intake.2`, …: the last is the one that partners are given, and
those before it still open what was encrypted to them. Of the escrow key we hold the public half alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.errors import AcequiaError
from acequia.keys import KeyStore
from acequia.settings import Settings

if TYPE_CHECKING:
    from pyrage import x25519

_NAME = re.compile(r"intake(?:\.([2-9]|[1-9]\d+))?")


def names(keys: KeyStore) -> list[str]:
    """The names of the intake identities that are kept, the oldest first."""
    found = {int(match[1] or 1): name for name in keys.names() if (match := _NAME.fullmatch(name))}
    return [name for _, name in sorted(found.items()) if keys.state(name) == "kept"]


def recipient(keys: KeyStore) -> str:
    """The public key to which partners encrypt; its identity is made at the first request."""
    return str(_identity(keys, (names(keys) or [_following(keys)])[-1]).to_public())


def renew(keys: KeyStore) -> str:
    """Make the next intake identity; what was encrypted to the ones before still opens. Returns its public key."""
    return str(_identity(keys, _following(keys)).to_public())


def recipients(settings: Settings, keys: KeyStore) -> list[str]:
    """The public keys to which everything that arrives is encrypted: the intake key, and the escrow key if one is set.

    That is ACEQUIA_ESCROW_RECIPIENT, or the file escrow.pub beside the agreements. Errors: `usage` for no key of age.
    """
    return [recipient(keys), *escrow(settings)]


def escrow(settings: Settings) -> list[str]:
    """The escrow key's public half, if one is set. Its identity is kept offline, for the day on which ours are lost."""
    file = settings.config / "escrow.pub"
    said = settings.escrow or (file.read_text(encoding="utf-8", errors="replace") if file.is_file() else "")
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("#")]
    return [require_recipient(line) for line in lines]


def seal(source: Path, target: Path, recipients: list[str]) -> None:
    """Encrypt a file to these public keys, streaming."""
    import pyrage
    from pyrage import x25519

    pyrage.encrypt_file(str(source), str(target), [x25519.Recipient.from_str(one) for one in recipients])


def unseal(sealed: Path, target: Path, keys: KeyStore) -> None:
    """Decrypt a file with whichever intake identity opens it, streaming. `target` is left only when it is whole.

    Errors: `encryption_for_others`, `encryption_broken`; `key_missing` where there is no intake identity at all.
    """
    import pyrage

    identities = [_identity(keys, name) for name in names(keys)]
    if not identities:
        raise AcequiaError("key_missing", "there is no intake key: `acequia keys intake` makes it")
    try:
        pyrage.decrypt_file(str(sealed), str(target), identities)
    except (pyrage.DecryptError, OSError) as error:
        target.unlink(missing_ok=True)
        if getattr(error, "errno", None) is not None:
            raise  # the disk's own trouble, not the content's
        raise _named(str(error)) from None


def require_recipient(text: str) -> str:
    """The public key of age that a text is; `usage` for another text."""
    from pyrage import RecipientError, x25519

    try:
        return str(x25519.Recipient.from_str(text.strip()))
    except RecipientError:
        raise AcequiaError("usage", "the escrow recipient is no public key of age (age1…)") from None


def _named(said: str) -> AcequiaError:
    """Pyrage has one error for all; only for a file that was encrypted to others does it say something of its own."""
    if said == "No matching keys found":
        return AcequiaError("encryption_for_others", "it is not encrypted to the office's intake key")
    return AcequiaError("encryption_broken", "it is no whole age file: it breaks off, or was altered on the way")


def _following(keys: KeyStore) -> str:
    """The name after the last one that was ever used, also of those that are destroyed."""
    last = max((int(match[1] or 1) for name in keys.names() if (match := _NAME.fullmatch(name))), default=0)
    return "intake" if last == 0 else f"intake.{last + 1}"


def _identity(keys: KeyStore, name: str) -> x25519.Identity:
    from pyrage import x25519

    return x25519.Identity.from_str(keys.text(name, lambda: str(x25519.Identity.generate())))
