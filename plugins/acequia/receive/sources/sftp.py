"""Files on the partner's SFTP server. The server must prove its host key."""

from __future__ import annotations

import asyncio
import errno
import posixpath
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from acequia.errors import AcequiaError
from acequia.receive.connections import Connection
from acequia.receive.names import Pattern
from acequia.receive.sources.source import Bounded, Entry, Found, Listing, changed, escapes, walk

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")
CHUNK = 4 << 20  # asyncssh reads a chunk by many requests at once
CLOCKS_DIFFER_S = 3600  # SFTP does not tell the server's time: a file counts as old only when it is so by far


@dataclass(frozen=True)
class SftpFiles:
    """The files of one session that match the pattern, below `base` (the login folder unless the connection says)."""

    session: asyncssh.SFTPClient
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    base: str
    pattern: Pattern
    atomic: bool = False

    def listing(self) -> Listing:
        """What is there now."""
        return walk(self, self.pattern)

    def fetch(self, found: Found, target: Path, at_most: int) -> None:
        """Download the file."""

        async def copy() -> None:
            async with self.session.open(self._path(found.place), "rb") as source:
                with target.open("wb") as file:
                    bounded = Bounded(file, at_most)
                    while chunk := await source.read(CHUNK, bounded.written):
                        bounded.write(chunk)
                    if _fingerprint(await source.stat()) != found.fingerprint or bounded.written != found.bytes:
                        raise changed()

        self.do(copy(), missing=changed)

    def scan(self, folder: str) -> Iterator[Entry]:
        """The entries of a folder."""
        path = self._path(folder)
        if not self._exists(path):
            return
        self._require_inside(path)
        for name in self.do(self.session.readdir(path)):
            yield _entry(str(name.filename), name.attrs)

    def follow(self, place: str) -> Entry | None:
        """What a link leads to."""
        path = self._path(place)
        self._require_inside(path)
        if not self._exists(path):
            return None
        return _entry(posixpath.basename(place), self.do(self.session.stat(path)))

    def do(self, work: Coroutine[Any, Any, T], missing: Callable[[], AcequiaError] | None = None) -> T:
        """Run one request and name what went wrong."""
        with _naming_errors(missing):
            found: T = self.run(work)
            return found

    def _path(self, place: str) -> str:
        return posixpath.join("/" if self.pattern.absolute else self.base, place)

    def _exists(self, path: str) -> bool:
        return bool(self.do(self.session.exists(path)))

    def _require_inside(self, path: str) -> None:
        root = self._path("/".join(self.pattern.fixed)) if self.pattern.absolute else self.base
        real, inside = self._real(path), self._real(root)
        if real is None or not (real == inside or real.startswith(inside.rstrip("/") + "/" if inside else "\0")):
            raise escapes()

    def _real(self, path: str) -> str | None:
        """The path without links; None when it leads out of what the server shows us."""
        import asyncssh

        try:
            return str(self.run(self.session.realpath(path)))
        except asyncssh.SFTPNoSuchFile:
            return None


@contextmanager
def sftp_files(connection: Connection, pattern: Pattern) -> Iterator[SftpFiles]:
    """Log in, and out when the block ends. Errors: `source_denied` (login, host key), `source_unreachable`."""
    connection.require("host", "user")
    with asyncio.Runner() as runner:
        with _naming_errors(None):
            client = runner.run(_connect(connection))
        try:
            with _naming_errors(None):
                session = runner.run(_start(client))
            base = connection.path or "."
            yield SftpFiles(session, runner.run, base, pattern)
        finally:
            client.abort()  # no farewell: a server that hangs must not hold us


async def _connect(connection: Connection) -> asyncssh.SSHClientConnection:
    import asyncssh

    asyncssh.set_log_level("WARNING")  # below it, asyncssh writes users and paths to the log
    return await asyncssh.connect(
        connection.host,
        port=connection.port or 22,
        username=connection.user,
        password=connection.password,
        client_keys=[_client_key(connection.private_key)] if connection.private_key else None,
        known_hosts=_known_hosts(connection),
        config=None,  # this machine's ~/.ssh is somebody's own
        agent_path=None,
        connect_timeout=15,
        login_timeout=30,
        keepalive_interval=15,
    )


async def _start(client: asyncssh.SSHClientConnection) -> asyncssh.SFTPClient:
    return await client.start_sftp_client()


def _client_key(given: str) -> asyncssh.SSHKey:
    import asyncssh

    try:
        return asyncssh.import_private_key(given) if "PRIVATE KEY" in given else asyncssh.read_private_key(given)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, OSError):
        raise AcequiaError(
            "connection_invalid", "private_key is neither a key without passphrase nor its file"
        ) from None


def _known_hosts(connection: Connection) -> Any:
    import asyncssh

    if connection.accept_any_host_key:
        return None
    try:
        if connection.host_key:
            return ([asyncssh.import_public_key(connection.host_key)], [], [])
        if connection.known_hosts:
            return asyncssh.read_known_hosts(connection.known_hosts)
    except (asyncssh.KeyImportError, ValueError, OSError):
        raise AcequiaError("connection_invalid", "host_key or known_hosts cannot be read") from None
    raise AcequiaError(
        "connection_invalid", "the connection names no host_key and no known_hosts, so the server cannot be recognised"
    )


@contextmanager
def _naming_errors(missing: Callable[[], AcequiaError] | None) -> Iterator[None]:
    import asyncssh

    try:
        yield
    except asyncssh.HostKeyNotVerifiable:
        raise AcequiaError("source_denied", "the SFTP server's host key is not the one that we know") from None
    except (asyncssh.PermissionDenied, asyncssh.SFTPPermissionDenied):
        raise AcequiaError("source_denied", "the SFTP server refuses the login, or its right to read") from None
    except asyncssh.SFTPNoSuchFile:
        raise (missing or escapes)() from None
    except (asyncssh.Error, OSError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise  # our own disk
        raise AcequiaError(
            "source_unreachable", f"the SFTP server cannot be reached ({type(error).__name__})"
        ) from None


def _entry(name: str, found: asyncssh.SFTPAttrs) -> Entry:
    import asyncssh

    kinds: dict[int | None, Any] = {
        asyncssh.FILEXFER_TYPE_REGULAR: "file",
        asyncssh.FILEXFER_TYPE_DIRECTORY: "folder",
        asyncssh.FILEXFER_TYPE_SYMLINK: "link",
    }
    age = None if found.mtime is None else max(time.time() - found.mtime - CLOCKS_DIFFER_S, 0.0)
    return Entry(name, kinds.get(found.type, "other"), found.size, _fingerprint(found), age, found.mtime)


def _fingerprint(found: asyncssh.SFTPAttrs) -> str:
    return f"{found.size}-{found.mtime}"
