"""Keys in HashiCorp Vault or OpenBao: a KV engine of version 2, through the client hvac."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from acequia.errors import AcequiaError
from acequia.keys.store import State, bytes_of, checked, destroyed, made

_MARK = {"acequia": "destroyed"}


class VaultKeyStore:
    """Secrets at `<mount>/<path>/<name>`, field `value`, written once as version 1.

    A key that is destroyed keeps its metadata, with the mark `acequia=destroyed` and every version destroyed.
    """

    def __init__(self, mount: str, path: str, login: Callable[[], Mapping[str, Any]]) -> None:
        self.mount, self.path, self._login = mount, path.strip("/"), login
        self._made: Any = None

    def secret(self, name: str) -> bytes:
        """Read the secret, or make it. Two processes that ask at once get the same one."""
        return bytes_of(name, self.text(name, made))

    def text(self, name: str, make: Callable[[], str]) -> str:
        """Read the text, or make it. Two processes that ask at once get the same one."""
        state = self.state(name)
        if state in ("destroyed", "half destroyed"):
            raise destroyed(name)
        if state == "absent":
            self._write(name, make())
        return self._read(name)

    def state(self, name: str) -> State:
        """Whether there is such a key."""
        found = self._metadata(name)
        if found is None:
            return "absent"
        versions = found["versions"].values()
        gone = all(version["destroyed"] for version in versions)
        if found.get("custom_metadata") == _MARK:
            return "destroyed" if gone else "half destroyed"
        return "destroyed" if gone and versions else "kept" if versions else "absent"

    def names(self) -> tuple[str, ...]:
        """The names of all keys that are there or were destroyed, in order."""
        with _naming_errors() as errors:
            try:
                listed = self._kv().list_secrets(path=self.path, mount_point=self.mount)
            except errors.InvalidPath:
                return ()
        return tuple(sorted(name for name in listed["data"]["keys"] if not name.endswith("/")))

    def destroy(self, name: str) -> None:
        """Mark the key, destroy every version of it, and look that they are gone."""
        place = {"path": self._place(name), "mount_point": self.mount}
        with _naming_errors():
            self._kv().update_metadata(**place, custom_metadata=_MARK)
            versions = (self._metadata(name) or {"versions": {}})["versions"]
            if versions:
                self._kv().destroy_secret_versions(**place, versions=[int(number) for number in versions])
        if self.state(name) != "destroyed":
            raise AcequiaError("internal", f"the key {name} could not be deleted")

    def _place(self, name: str) -> str:
        return f"{self.path}/{checked(name)}".lstrip("/")

    def _read(self, name: str) -> str:
        with _naming_errors() as errors:
            try:
                answer = self._kv().read_secret_version(
                    path=self._place(name), mount_point=self.mount, raise_on_deleted_version=True
                )
            except errors.InvalidPath:
                said = f"the latest version of {name} was deleted in Vault; undelete it, or destroy the key"
                raise AcequiaError("key_missing", said) from None
        if answer["data"]["metadata"].get("custom_metadata") == _MARK:
            raise destroyed(name)
        return str(answer["data"]["data"]["value"])

    def _write(self, name: str, text: str) -> None:
        """As the first version, or not at all: then another process was first, and its secret counts."""
        with _naming_errors() as errors:
            try:
                self._kv().create_or_update_secret(
                    path=self._place(name), secret={"value": text}, cas=0, mount_point=self.mount
                )
            except errors.InvalidRequest:
                if self._metadata(name) is None:
                    raise

    def _metadata(self, name: str) -> Any:
        with _naming_errors() as errors:
            try:
                found = self._kv().read_secret_metadata(path=self._place(name), mount_point=self.mount)
            except errors.InvalidPath:
                return None
        return found["data"]

    def _kv(self) -> Any:
        if self._made is None:
            import hvac

            given = self._login()
            self._made = hvac.Client(
                url=given.get("base_url"), token=given.get("token"), verify=given.get("ca_file") or True, timeout=30
            )
        return self._made.secrets.kv.v2


@contextmanager
def _naming_errors() -> Iterator[Any]:
    """Vault's own words are not repeated: they may quote what was sent. Yields the client's kinds of error."""
    try:
        from hvac import exceptions as errors
        from requests.exceptions import RequestException
    except ImportError:
        said = "keys in Vault need the package hvac, which is not installed"
        raise AcequiaError("usage", said, do="Install hvac of requirements/runtime.txt.") from None
    try:
        yield errors
    except (errors.Forbidden, errors.Unauthorized):
        raise AcequiaError("store_denied", "Vault refused the token, or the token may not do this") from None
    except (errors.VaultError, RequestException) as error:
        raise AcequiaError("store_unreachable", f"Vault could not be asked: {type(error).__name__}") from None
