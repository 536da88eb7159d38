"""A test message to everyone who is told of one partner. Nothing of it is entered in the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from acequia.agreement.load import versions
from acequia.errors import AcequiaError
from acequia.notices import mail
from acequia.notices.letters import composed
from acequia.notices.message import payload
from acequia.notices.notice import EVERY_FEED, Due, Endpoint, Notice, Role
from acequia.notices.outcome import UnsentError
from acequia.notices.plan import endpoints
from acequia.notices.round import folder_of
from acequia.notices.subject import Subject
from acequia.notices.webhook import hook
from acequia.receive.connections import Connection, Resolver
from acequia.settings import Settings

_ROLES: tuple[Role, ...] = ("partner", "steward", "dpo", "consumers")


@dataclass(frozen=True)
class Tried:
    """How a test message to one endpoint fared; `problem` is empty where it went out."""

    to: str
    by: str
    sent: bool
    problem: str


def try_endpoints(settings: Settings, partner: str, connect: Resolver, now: datetime) -> Iterator[Tried]:
    """Send a test message to each address and webhook of a partner's agreement.

    Raises:
        AcequiaError: `unknown_name` or `agreement_invalid`.
    """
    subject = Subject(versions(settings.partners, partner), now)
    number = secrets.token_hex(8)  # each test is one of its own
    for role in _ROLES:
        for end in endpoints(subject, _test(subject, role, number)):
            due = Due(_test(subject, role, number), end)
            try:
                _send(settings, connect, due, now)
                yield Tried(end.recipient or role, end.channel, True, "")
            except (UnsentError, AcequiaError) as error:
                what = error.what if isinstance(error, UnsentError) else f"{error.code}: {error.what}"
                yield Tried(end.recipient or role, end.channel, False, what)


def _test(subject: Subject, role: Role, number: str) -> Notice:
    told = subject.common() | {"to": role}
    concerned = tuple(subject.agreement.terms.contacts.consumers) if role == "consumers" else ()
    return Notice(
        "test",
        role,
        subject.agreement.partner,
        EVERY_FEED,
        None,
        number,
        subject.now,
        told,
        subject.language,
        concerned,
    )


def _send(settings: Settings, connect: Resolver, due: Due, now: datetime) -> None:
    if due.endpoint.channel == "webhook":
        _post(connect, due.endpoint, due, now)
        return
    connection = smtp_of(connect)
    letter = composed([due], connection, now)
    if connection is None:
        mail.put(folder_of(settings) / "outbox", letter.name, letter.raw)
        return
    with mail.post(connection) as opened:
        opened.send(letter.sender, letter.to, letter.raw)


def _post(connect: Resolver, end: Endpoint, due: Due, now: datetime) -> None:
    with hook(connect(end.target)) as opened:
        opened.post(f"msg_test_{due.notice.number}", int(now.timestamp()), payload(due.notice))


def smtp_of(connect: Resolver) -> Connection | None:
    """The connection to the mail server; None where none is defined.

    Raises:
        AcequiaError: `connection_invalid`.
    """
    try:
        return connect(mail.CONNECTION)
    except AcequiaError as error:
        if error.code != "connection_unknown":
            raise
        return None


__all__ = ["Tried", "smtp_of", "try_endpoints"]
