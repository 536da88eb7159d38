"""A real SMTP server on this machine, which takes letters, refuses some, or takes its time."""

from __future__ import annotations

import asyncio
import email
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from acequia.receive.connections import Connection

logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns of its own deprecations
USER, PASSWORD = "acequia@office.example", "correct horse"


@dataclass
class MailServer:
    """`taken` holds every letter with whom it was for. Addresses in `refusing` are refused with their code."""

    connection: Connection
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    refusing: dict[str, int] = field(default_factory=dict)
    slow_s: float = 0.0
    hang_up: bool = False
    sessions: int = 0

    def letters(self, to: str | None = None) -> list[EmailMessage]:
        return [
            email.message_from_bytes(raw, policy=default)  # type: ignore[misc]
            for address, raw in self.taken
            if to in (None, address)
        ]

    def subjects(self, to: str | None = None) -> list[str]:
        return [str(letter["Subject"]) for letter in self.letters(to)]

    def ids(self) -> list[str]:
        return [str(letter["Message-ID"]) for letter in self.letters()]

    # What aiosmtpd asks

    async def handle_RCPT(self, _: Any, __: Session, envelope: Envelope, address: str, ___: Any) -> str:  # noqa: N802
        if address in self.refusing:
            return f"{self.refusing[address]} no such desk: it holds Boitumelo Kgosi"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken += [(address, envelope.content or b"") for address in envelope.rcpt_tos]  # type: ignore[misc]
        await asyncio.sleep(self.slow_s)
        return "250 OK"


class _Controller(Controller):
    def factory(self) -> Any:
        self.handler.sessions += 1
        return super().factory()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _checked(*given: Any) -> AuthResult:
    told = given[-1]
    right = isinstance(told, LoginPassword) and (told.login, told.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@contextmanager
def mail_server(authority: Path, **options: Any) -> Iterator[MailServer]:
    """STARTTLS and a login are required, unless `options` of aiosmtpd say otherwise."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    port = free_port()
    connection = Connection(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, ca_file=str(authority / "ca.pem")
    )
    server = MailServer(connection)
    chosen = {"tls_context": context, "require_starttls": True, "authenticator": _checked, "auth_required": True}
    chosen = options or chosen
    controller = _Controller(server, hostname="127.0.0.1", port=port, **chosen)
    controller.start()
    server.sessions = 0
    try:
        yield server
    finally:
        controller.stop()
