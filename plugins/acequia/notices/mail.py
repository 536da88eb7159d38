"""Mail: letters with headers that cannot be led astray, sent by SMTP with verified TLS, or written to the outbox."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from pathlib import Path

from acequia.errors import AcequiaError
from acequia.notices.facts import line
from acequia.notices.message import Message
from acequia.notices.outcome import UnsentError
from acequia.receive.connections import Connection

CONNECTION = "acequia_smtp"
ANSWERED_WITHIN_S, TAKEN_WITHIN_S = 20.0, 60.0
_IMPLICIT_PORT, _SUBMISSION_PORT = 465, 587
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class _Letters(EmailPolicy):
    """As SMTP wants letters, with subjects in encoded words of 75 characters at most (RFC 2047, 2).

    The package's own are longer where a word is, and change with plain text, so that programs lose spaces between.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        """A header in lines of 78 characters at most (RFC 5322, 2.1.1)."""
        text = str(value)
        if name.lower() != "subject" or (text.isascii() and len(text) <= _SUBJECT_LINE):
            return super().fold_binary(name, value)
        folded = Header(text, "utf-8", maxlinelen=_ENCODED_WORD, header_name=name).encode(linesep="\r\n")
        return f"{name}: {folded}\r\n".encode("ascii")


_ENCODED_WORD, _SUBJECT_LINE = 75, 78 - len("Subject: ")
_LETTERS = _Letters(linesep="\r\n", raise_on_defect=False)


def address(written: str, name: str = "") -> Address:
    """A mail address with a display name; an international domain in its ASCII form.

    Raises:
        UnsentError: where no mail can be sent to what is written.
    """
    local, _, domain = written.rpartition("@")
    try:
        if plain(written) != written:
            raise ValueError
        ascii_domain = domain.encode("idna").decode("ascii")
        return Address(display_name=plain(name)[:100], addr_spec=f"{local}@{ascii_domain}".encode("ascii").decode())
    except (ValueError, IndexError, MessageError):  # of UnicodeError and of what the parser says of other slips
        raise UnsentError("the address is none that mail can be sent to") from None


def plain(text: str) -> str:
    """For a header: on one line, and without encoded words (RFC 2047), which the email package decodes, line ends
    included, and writes out as they are.
    """
    return line(text).replace("=?", "= ?")


def sender_of(connection: Connection | None, steward: str) -> str:
    """Whose address stands in From: the connection's `sender`, else its user, else the steward."""
    if connection is not None:
        for written in (connection.sender, connection.user):
            if written and "@" in written:
                return written
    return steward


def compose(
    to: Address, message: Message, *, sender: Address, answer_to: str, partner: str, name: str, at: datetime
) -> bytes:
    """A letter, ready to be sent. The same arguments give the same bytes.

    Args:
        to: to whom.
        message: what it says.
        sender: from whom.
        answer_to: where answers go.
        partner: the agreement's partner, for List-Id.
        name: what makes its Message-ID, letters and digits.
        at: the moment that it bears.
    """
    letter = EmailMessage(policy=_LETTERS)
    letter["From"] = sender
    letter["To"] = to
    letter["Reply-To"] = address(answer_to)
    letter["Subject"] = plain(message.subject)
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<{name}@{sender.domain}>"
    letter["List-Id"] = f"Acequia <{partner}.acequia.{sender.domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text, cte="quoted-printable")
    letter.add_alternative(message.html, subtype="html", cte="quoted-printable")
    letter.set_boundary(f"=_{name}")
    return letter.as_bytes()


class Post:
    """An open session with a mail server. One letter goes to one address, so that one refusal harms no other."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp

    def send(self, sender: str, to: str, letter: bytes) -> None:
        """Hand the letter over.

        Raises:
            UnsentError: with `scope` "address" where this one was refused, "server" where the rest would fare no
                better; `unknown` where the server may have taken it.
        """
        with _naming_errors(), _bounded(self._smtp):
            self._smtp.sendmail(sender, [to], letter)


@contextmanager
def post(connection: Connection) -> Iterator[Post]:
    """Open a session, and close it when the block ends.

    STARTTLS is required, on port 465 (or by `tls: implicit`) TLS from the first byte; `tls: none` is for a server on
    this very machine. Certificates are verified, by `ca_file` where it is given.

    Raises:
        UnsentError: where the server cannot be reached, or its certificate or our login is refused.
        AcequiaError: `connection_invalid`.
    """
    connection.require("host")
    host, manner = str(connection.host), _manner(connection)
    port = connection.port or (_IMPLICIT_PORT if manner == "implicit" else _SUBMISSION_PORT)
    context = _trusted(connection.ca_file)
    own = _own_name()
    smtp = (
        smtplib.SMTP_SSL(timeout=ANSWERED_WITHIN_S, context=context, local_hostname=own)
        if manner == "implicit"
        else smtplib.SMTP(timeout=ANSWERED_WITHIN_S, local_hostname=own)
    )
    # Which name the certificate must bear. smtplib takes it together with connecting alone, and nobody could cut that
    # short.
    smtp._host = host  # type: ignore[attr-defined] # noqa: SLF001
    try:
        with _naming_errors(), _bounded(smtp):
            smtp.connect(host, port)
            if manner == "starttls":
                smtp.starttls(context=context)
            if connection.user and connection.password:
                smtp.login(connection.user, connection.password)
        yield Post(smtp)
    finally:
        with contextlib.suppress(smtplib.SMTPException, OSError, ValueError), _bounded(smtp, 5):
            smtp.quit()
        smtp.close()


def _manner(connection: Connection) -> str:
    manner = connection.tls or ("implicit" if connection.port == _IMPLICIT_PORT else "starttls")
    if manner == "none" and connection.host not in _HERE:
        raise AcequiaError("connection_invalid", "tls: none is for a mail server on this machine alone")
    return manner


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise AcequiaError("connection_invalid", "ca_file cannot be read as PEM") from None


def _own_name() -> str:
    """What we call ourselves. smtplib would ask the network for it, for as long as that takes."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


@contextmanager
def _bounded(smtp: smtplib.SMTP, seconds: float | None = None) -> Iterator[None]:
    """Cut the line after so many seconds: a server that sends a byte now and then would never time out."""

    def cut() -> None:
        if smtp.sock is not None:
            with contextlib.suppress(OSError):
                smtp.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds or TAKEN_WITHIN_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _naming_errors() -> Iterator[None]:
    """What went wrong, in our words: a server's answer may hold anything."""
    try:
        yield
    except smtplib.SMTPException as error:
        raise _answered(error) from None
    except ssl.SSLError:
        raise UnsentError("the mail server's certificate is not one that we trust", scope="server") from None
    except OSError as error:
        unknown = not isinstance(error, ConnectionRefusedError | socket.gaierror)
        raise UnsentError("the mail server does not answer", scope="server", unknown=unknown) from None


def _answered(error: smtplib.SMTPException) -> UnsentError:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return UnsentError(f"the mail server refused the address ({codes[0]})")
    if isinstance(error, smtplib.SMTPDataError):
        return UnsentError(f"the mail server refused the letter ({error.smtp_code})")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return UnsentError("the mail server hung up", scope="server", unknown=True)
    what = _REFUSALS.get(type(error), "the mail server answered something else")
    code = f" ({error.smtp_code})" if isinstance(error, smtplib.SMTPResponseException) else ""
    return UnsentError(what + code, scope="server")


_REFUSALS = {
    smtplib.SMTPAuthenticationError: "the mail server refused the login",
    smtplib.SMTPSenderRefused: "the mail server refused the sender",
    smtplib.SMTPNotSupportedError: "the mail server offers no STARTTLS, or no login",
}


def put(folder: Path, name: str, letter: bytes) -> None:
    """Write a letter to the outbox, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = folder / f".{name}.partial"
    staged.write_bytes(letter)
    staged.replace(folder / f"{name}.eml")
