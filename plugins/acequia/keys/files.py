"""Keys in files that only their owner can read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from acequia.errors import AcequiaError
from acequia.keys.store import State, bytes_of, checked, destroyed, made


class FileKeyStore:
    """Secrets in `<folder>/<name>.key`, mode 0600 in a folder of mode 0700; `<name>.destroyed` marks what is gone."""

    suffix = ".key"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def secret(self, name: str) -> bytes:
        """Read the secret, or make it. Two processes that ask at once get the same one."""
        return bytes_of(name, self.text(name, made))

    def text(self, name: str, make: Callable[[], str]) -> str:
        """Read the text, or make it. Two processes that ask at once get the same one."""
        path = self._path(name)
        if self._mark(name).exists():
            raise destroyed(name)
        try:
            kept = path.read_text(encoding="ascii")
        except FileNotFoundError:
            kept = self._keep(name, self._sealed(name, make()))
        return self._opened(name, kept)

    def state(self, name: str) -> State:
        """Whether there is such a key."""
        there, marked = self._path(name).exists(), self._mark(name).exists()
        if marked:
            return "half destroyed" if there else "destroyed"
        return "kept" if there else "absent"

    def names(self) -> tuple[str, ...]:
        """The names of all keys that are there or were destroyed, in order."""
        suffixes = (self.suffix, ".destroyed")
        found = (path for path in self.folder.glob("[!.]*") if path.suffix in suffixes)
        return tuple(sorted({path.name.removesuffix(path.suffix) for path in found}))

    def destroy(self, name: str) -> None:
        """Mark the key as destroyed, overwrite its file, delete it, and look that it is gone."""
        path, mark = self._path(name), self._mark(name)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self._settle()  # the mark is on disk before the key goes
        for file in (path, *self._left_behind(name)):
            _overwrite(file)
            file.unlink(missing_ok=True)
        self._settle()
        if path.exists() or not mark.exists():
            raise AcequiaError("internal", f"the key {name} could not be deleted")

    def _sealed(self, name: str, text: str) -> str:
        """What is written for a secret."""
        return text

    def _opened(self, name: str, kept: str) -> str:
        """The secret of what was written."""
        return kept

    def _path(self, name: str) -> Path:
        return self.folder / f"{checked(name)}{self.suffix}"

    def _mark(self, name: str) -> Path:
        return self.folder / f"{checked(name)}.destroyed"

    def _left_behind(self, name: str) -> Iterator[Path]:
        """What a process that was killed while it made the key left of it."""
        return self.folder.glob(f".{name}{self.suffix}.*")

    def _keep(self, name: str, sealed: str) -> str:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(staged, path)  # fails if another process was first: then its secret counts
        except FileExistsError:
            pass
        finally:
            staged.unlink(missing_ok=True)
        if self._mark(name).exists():  # destroyed between our look and our link
            path.unlink(missing_ok=True)
            raise destroyed(name)
        self._settle()
        return path.read_text(encoding="ascii")

    def _settle(self) -> None:
        """Let what was linked and unlinked survive a crash of the machine."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _overwrite(path: Path) -> None:
    """Random bytes over the secret. Disks and snapshots may keep old blocks: the documentation says so."""
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        pass
