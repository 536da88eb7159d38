"""The key store: named secrets, each made once, kept in files that only their owner can read.

Rooms ask for a secret by name and derive what they need from it. Other stores (a cloud's key service, Vault) take this
class's place by offering the same methods.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class KeyStore(Protocol):
    """What rooms need of a key store."""

    def secret(self, name: str) -> bytes:
        """The 32 bytes of that name; made at the first request, the same ever after."""
        ...

    def text(self, name: str, make: Callable[[], str]) -> str:
        """A secret that has a form of its own, such as a private key; `make` is called at the first request."""
        ...


class FileKeyStore:
    """Secrets in `<folder>/<name>.key`, mode 0600 in a folder of mode 0700."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def secret(self, name: str) -> bytes:
        """Read the secret, or make it. Two processes that ask at once get the same one."""
        return bytes.fromhex(self.text(name, lambda: secrets.token_hex(32)))

    def text(self, name: str, make: Callable[[], str]) -> str:
        """Read the text, or make it. Two processes that ask at once get the same one."""
        path = self.folder / f"{name}.key"
        try:
            return path.read_text(encoding="ascii")
        except FileNotFoundError:
            return self._keep(path, make())

    def _keep(self, path: Path, made: str) -> str:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(staged, path)  # fails if another process was first: then its secret counts
        except FileExistsError:
            pass
        finally:
            staged.unlink()
        return path.read_text(encoding="ascii")
