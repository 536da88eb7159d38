"""The key store: named secrets, each made once, destroyed for good, and never shown.

Rooms ask for a secret by name and derive what they need from it. `FileKeyStore` is the default; `choice.open_store`
opens the others by the setting ACEQUIA_KEYS. There is no way to export a key: rooms that work with it get it, and no
command prints it.
"""

from acequia.keys.files import FileKeyStore
from acequia.keys.store import KeyStore, State, fingerprint

__all__ = ["FileKeyStore", "KeyStore", "State", "fingerprint"]
