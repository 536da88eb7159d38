"""Encrypts a delivery while it is fetched: before its content is known, and so before its key has a name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acequia.receive.content_keys import Held, hold
from acequia.receive.landing import Landing

if TYPE_CHECKING:
    from pyrage import x25519


class Sealing:
    """One delivery's way into landing, under an identity of its own that is kept once its content has a name.

    If the content has a key already (it came before, or a killed run had begun to land it), that one counts: what is
    there stays, and what is not is encrypted again.
    """

    def __init__(self, landing: Landing) -> None:
        self.landing = landing
        self._own: str | None = None
        self._held: dict[str, Held] = {}

    @property
    def fingerprint(self) -> str:
        """That of the key under which the files landed; empty for the shared one, or if none did."""
        return next((held.fingerprint for held in self._held.values()), "")

    def seal(self, source: Path, target: Path) -> None:
        """Encrypt a file, streaming."""
        import pyrage

        pyrage.encrypt_file(str(source), str(target), [self._identity().to_public()])

    def land(self, folder: str, name: str, sealed: Path) -> str:
        """Store what `seal` wrote. It may be moved, so do not use it afterwards.

        Args:
            folder: the content's, below the landing root.
            name: of the file in it, without `.age`.
            sealed: the encrypted file.

        Returns:
            The key under which it lies.
        """
        held = self._hold(folder)
        key = held.object(name)
        if held.text == self._own:
            self.landing.store(key, sealed, anew=held.key is not None)
        elif not self.landing.exists(key):
            self._seal_again(sealed, held)
            self.landing.store(key, sealed)
        return key

    def put(self, folder: str, name: str, source: Path) -> str:
        """Encrypt a file beside those that landed, and store it; its key in landing."""
        key = self._hold(folder).object(name)
        self.landing.put(key, source)
        return key

    def _hold(self, folder: str) -> Held:
        if folder not in self._held:
            self._held[folder] = hold(self.landing.keys, folder, lambda: str(self._identity()))
        return self._held[folder]

    def _identity(self) -> x25519.Identity:
        from pyrage import x25519

        if self._own is None:
            own = self.landing.makes_keys
            self._own = str(x25519.Identity.generate()) if own else self.landing.shared()
        return x25519.Identity.from_str(self._own)

    def _seal_again(self, sealed: Path, held: Held) -> None:
        import pyrage
        from pyrage import x25519

        plain = sealed.with_name(f"{sealed.name}.plain")
        try:
            pyrage.decrypt_file(str(sealed), str(plain), [self._identity()])
            pyrage.encrypt_file(str(plain), str(sealed), [x25519.Identity.from_str(held.text).to_public()])
        finally:
            plain.unlink(missing_ok=True)
