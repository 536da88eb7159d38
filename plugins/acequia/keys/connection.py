"""Keys that somebody keeps in a connection, such as one of Airflow's: they can be read here, not made or deleted.

The connection's `extra` holds `{"secrets": {"<name>": "<value>"}}`; or its password is the same mapping as JSON, for
backends that hide passwords alone. Each secret stands for itself: were all keys derived from one, none could be
destroyed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from acequia.errors import AcequiaError
from acequia.keys.files import FileKeyStore
from acequia.keys.store import State, bytes_of, checked, destroyed, made


class ConnectionKeyStore:
    """Secrets of a connection, by their names. Only the marks of destroyed keys are kept here, in `folder`."""

    makes_keys = False

    def __init__(self, connection: str, folder: Path, login: Callable[[], Mapping[str, Any]]) -> None:
        self.connection, self._login, self._marks = connection, login, FileKeyStore(folder)

    def secret(self, name: str) -> bytes:
        """The 32 bytes of that name."""
        return bytes_of(name, self.text(name, made))

    def text(self, name: str, make: Callable[[], str]) -> str:
        """The text of that name; `make` is never called.

        Raises:
            AcequiaError: `key_missing`, with what must be put where.
        """
        if self._marks.state(checked(name)) != "absent":
            raise destroyed(name)
        found = self._secrets().get(name)
        if found is None:
            said = f"the connection {self.connection} holds no secret {name}, and keys cannot be made in it from here"
            raise AcequiaError("key_missing", said, do=how_to_make(self.connection, name))
        return found

    def state(self, name: str) -> State:
        """Whether there is such a key."""
        there = name in self._secrets()
        if self._marks.state(name) != "absent":
            return "half destroyed" if there else "destroyed"
        return "kept" if there else "absent"

    def names(self) -> tuple[str, ...]:
        """The names of all keys that are there or were destroyed, in order."""
        return tuple(sorted({*self._secrets(), *self._marks.names()}))

    def destroy(self, name: str) -> None:
        """Mark the key, so that it is used no more; whoever keeps the connection deletes it."""
        self._marks.destroy(name)
        if name in self._secrets():
            said = (
                f"the connection {self.connection} can only be read here: the key {name} is used no more, but is there"
            )
            do = f"Take {name} out of the connection {self.connection} and its backups, then run this again."
            raise AcequiaError("store_denied", said, do=do)

    def _secrets(self) -> dict[str, str]:
        given = self._login()
        found = given.get("secrets")
        if found is None and given.get("password"):
            try:
                found = json.loads(given["password"])
            except ValueError:
                found = None
        if not isinstance(found, Mapping):
            said = f"the connection {self.connection} holds no `secrets`, a mapping of names to values"
            raise AcequiaError("connection_invalid", said)
        return {str(name): str(value) for name, value in found.items()}


def how_to_make(connection: str, name: str) -> str:
    """What whoever keeps the connection must do for a key. Nobody else ever sees it."""
    command = "age-keygen" if name == "landing" else "openssl rand -hex 32"
    return f"Put the output of `{command}` into the connection {connection}, extra: secrets: {name}."


def of_airflow(name: str, environ: Mapping[str, str]) -> Mapping[str, Any] | None:
    """A connection of Airflow's environment form `AIRFLOW_CONN_<ID>`, JSON or URI, read without Airflow."""
    variable = f"AIRFLOW_CONN_{name.upper()}"
    text = environ.get(variable)
    if text is None:
        return None
    try:
        if text.lstrip().startswith("{"):
            given = json.loads(text)
            extra, password = given.get("extra") or {}, given.get("password")
        else:
            parts = urlsplit(text)
            extra = parse_qs(parts.query).get("__extra__", ["{}"])[0]
            password = unquote(parts.password) if parts.password else None
        extra = json.loads(extra) if isinstance(extra, str) else extra
        return {"secrets": extra.get("secrets"), "password": password}
    except (ValueError, AttributeError):
        raise AcequiaError("connection_invalid", f"{variable} is no connection of Airflow") from None
