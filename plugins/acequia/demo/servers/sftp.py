"""A partner's SFTP server: one user, confined to one folder, with its own host key."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.demo.servers.child import LOOPBACK
from acequia.receive.connections import Connection

if TYPE_CHECKING:
    import asyncssh


@dataclass(frozen=True)
class SftpServer:
    """A running server: `connection` logs in by password, `by_key` by private key. Both see `folder` as `/`."""

    folder: Path
    connection: Connection
    by_key: Connection


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    """Serve the folder until the block ends. Runs in a thread of this process."""
    import asyncssh

    folder.mkdir(parents=True, exist_ok=True)
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    user, password = "partner", secrets.token_urlsafe(18)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sftp-server", daemon=True)
    thread.start()
    try:
        door = _Door(user, password, user_key.convert_to_public())
        server = asyncio.run_coroutine_threadsafe(_listen(folder, host_key, door), loop).result(30)
        public = Connection(
            host=LOOPBACK,
            port=server.sockets[0].getsockname()[1],
            user=user,
            host_key=host_key.export_public_key().decode().strip(),
        )
        yield SftpServer(
            folder=folder,
            connection=public.model_copy(update={"password": password}),
            by_key=public.model_copy(update={"private_key": user_key.export_private_key().decode()}),
        )
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@dataclass(frozen=True)
class _Door:
    user: str
    password: str
    key: asyncssh.SSHKey

    def server(self) -> asyncssh.SSHServer:
        """The callbacks of one connection."""
        import asyncssh

        door = self

        class Server(asyncssh.SSHServer):  # type: ignore[misc]
            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                known = username == door.user
                return secrets.compare_digest(password.encode(), door.password.encode()) and known

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: Any) -> bool:
                return username == door.user and key == door.key

        return Server()


async def _listen(folder: Path, host_key: asyncssh.SSHKey, door: _Door) -> asyncssh.SSHAcceptor:
    import asyncssh

    def confined(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(folder.resolve()).encode())

    return await asyncssh.listen(
        LOOPBACK, 0, server_factory=door.server, server_host_keys=[host_key], sftp_factory=confined, allow_scp=False
    )


async def _close(server: asyncssh.SSHAcceptor) -> None:
    server.close()
    await server.wait_closed()
