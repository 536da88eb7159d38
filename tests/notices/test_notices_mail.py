"""Letters through a real mail server: what they are made of, and what becomes of them where something goes wrong."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acequia.errors import AcequiaError
from acequia.notices import mail
from acequia.notices.lock import only_one
from acequia.notices.message import Message
from acequia.notices.outcome import UnsentError
from acequia.notices.overview import look, told
from acequia.receive.connections import Connection
from tests.notices.mailbox import MailServer, free_port, mail_server
from tests.notices.office import CHANGES, Office, letters

DAY, AT = "2026-11-16", datetime(2026, 11, 18, 15, tzinfo=UTC)


@pytest.fixture
def young(office: Office) -> Office:
    """One period is late at the beginning, and no other is due."""
    office.agree(terms__signed_on="2026-11-16", terms__expires_on="2026-11-16", notices={"before_due_hours": 6})
    office.clock.set("2026-11-17T16:00:00")
    for due in office.due():  # that the agreement ends is told elsewhere
        if due.notice.kind in ("ending", "ended"):
            office.ledger.note(due.notice.place, due.draft("told", ""))
    return office


@pytest.fixture
def mailing(young: Office, mails: MailServer) -> Office:
    young.connections[mail.CONNECTION] = mails.connection
    return young


def test_a_letter_has_the_right_headers(mailing: Office, mails: MailServer) -> None:
    assert mailing.send().told == 2
    letter = mails.letters("data@nandu.example")[0]
    assert letter["From"] == "Acequia <acequia@office.example>"
    assert letter["To"].addresses[0].display_name == "Ñandú Bus S.A."
    assert letter["Reply-To"] == "steward@office.example"
    assert letter["Subject"] == "[nandu_bus] rides 2026-11-16 is late"
    assert letter["Date"].datetime == mailing.clock()
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Id"] == "Acequia <nandu_bus.acequia.office.example>"
    assert letter["Message-ID"].endswith("@office.example>")
    plain, html = letter.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "rides for 2026-11-16 was due by 2026-11-17 12:00" in plain.get_content()
    assert 'lang="en"' in html.get_content()
    assert mails.taken[0][1].isascii()


def test_the_language_is_that_of_the_agreement(mailing: Office, mails: MailServer) -> None:
    mailing.agree(
        terms__signed_on="2026-11-16", terms__expires_on="2026-11-16", language="es", notices={"before_due_hours": 6}
    )
    mailing.send()
    assert "[nandu_bus] rides 2026-11-16 está atrasada" in mails.subjects()


LONG = [
    "[nandu_bus] recorridos 2026-11-16 está atrasada: todavía no llegó nada, ni llegará mañana según se cree",
    "[nandu_bus] " + "x" * 138,
    "[nandu_bus] " + "ñ" * 138,
    "[nandu_bus] " + "😀" * 60,
    "[nandu_bus] rides_by_line 2026-11 is published, and so are many other tables of that partner, all at once",
    "[nandu_bus] a  b   c " + "palabra " * 16 + "é ",
]


@pytest.mark.parametrize("subject", LONG)
def test_a_long_subject_arrives_as_it_was_written(mails: MailServer, subject: str) -> None:
    """Through a real server, and read by both of Python's parsers."""
    raw = composed(subject)
    with mail.post(mails.connection) as session:
        session.send("acequia@office.example", "data@nandu.example", raw)
    assert mails.letters("data@nandu.example")[-1]["Subject"] == subject
    require_folded(mails.taken[-1][1], subject)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=150))
@example("x" * 150)
@example("á b" * 50)
def test_any_subject_is_folded_as_the_standards_say(subject: str) -> None:
    require_folded(composed(subject), mail.plain(subject))


def composed(subject: str) -> bytes:
    return mail.compose(
        mail.address("data@nandu.example"), Message(subject, "text", "<p>html</p>"),
        sender=mail.address("acequia@office.example", "Acequia"), answer_to="steward@office.example",
        partner="nandu_bus", name="0" * 32, at=AT,
    )  # fmt: skip


def require_folded(raw: bytes, subject: str) -> None:
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("ascii")
    found = re.search(r"^Subject: .*(?:\n[ \t].*)*", head, re.MULTILINE)
    assert found is not None
    assert all(len(line) <= 78 for line in found[0].split("\n"))
    assert all(len(word) <= 75 for word in re.findall(r"=\?utf-8\?\S*\?=", found[0], re.IGNORECASE))
    for word in re.findall(r"=\?utf-8\?\S*\?=", found[0], re.IGNORECASE):
        str(make_header(decode_header(word)))  # each of them is whole characters
    assert str(make_header(decode_header(found[0].partition(" ")[2]))).strip() == subject.strip()
    assert str(message_from_bytes(raw, policy=default)["Subject"]).strip() == subject.strip()


def test_what_was_told_is_not_told_again(mailing: Office, mails: MailServer) -> None:
    assert [mailing.send().told for _ in range(3)] == [2, 0, 0]
    assert len(mails.taken) == 2
    assert [row["outcome"] for row in told(mailing.ledger) if row["kind"] == "late"] == ["told", "told"]
    assert mailing.ledger.verify() == []


def test_many_of_a_kind_are_one_letter(office: Office, mails: MailServer) -> None:
    """Two days of outage, and fifty periods are missing: one letter for each who is told."""
    office.connections[mail.CONNECTION] = mails.connection
    office.agree(terms__signed_on="2026-09-28")
    office.clock.set("2026-11-20T12:00:00")
    done = office.send()
    assert done.told > 150
    assert len(mails.subjects("data@nandu.example")) <= 3
    assert "[nandu_bus] 51 deliveries are missing" in mails.subjects("steward@office.example")
    assert office.send().told == 0


def test_a_restatement_reaches_those_who_may_read_the_table(mailing: Office, mails: MailServer) -> None:
    mailing.published(mailing.accepted(DAY, "A"), content="one")
    mailing.send()
    mails.taken.clear()
    mailing.published(mailing.accepted(DAY, "B"), content="two", changes=CHANGES)
    mailing.send()
    restated = "[nandu_bus] nandu_bus.rides_by_line 2026-11-16 is restated"
    for address in ("data@transport.example", "steward@office.example", "data@nandu.example"):
        assert restated in mails.subjects(address)
    assert mails.subjects("bank@central.example") == []
    text = mails.letters("data@transport.example")[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "rides_count: total +1.2 %, one cell by at most 12.5 %" in " ".join(text.split())


# Without a server


def test_without_a_connection_letters_are_files(young: Office) -> None:
    done = young.send()
    assert (done.told, done.written) == (2, 2)
    found = letters(young.settings.home)
    assert len(found) == 2
    read = message_from_bytes(found[0].read_bytes(), policy=default)
    assert read["From"] == "Acequia <steward@office.example>"
    assert young.send().told == 0
    state, said = look(young.settings, young.connect, young.clock())
    assert state == "look"
    assert "outbox" in said


def test_a_server_that_is_down_delays_and_loses_nothing(young: Office, authority: Path) -> None:
    port = free_port()
    young.connections[mail.CONNECTION] = Connection(host="127.0.0.1", port=port, ca_file=str(authority / "ca.pem"))
    done = young.send()
    assert (done.told, done.left) == (0, 2)
    assert done.troubles == ["mail server: the mail server does not answer"]
    young.clock.go(seconds=30)
    assert young.send().troubles == []  # it is not its turn yet
    young.clock.set("2026-11-20T18:00:00")  # two days later: missing, second reminder; late is no news any more
    with mail_server(authority) as server:
        young.connections[mail.CONNECTION] = server.connection
        young.send()
        assert sorted(set(server.subjects())) == [
            "[nandu_bus] rides 2026-11-16 is missing (reminder 2)",
            "[nandu_bus] rides 2026-11-16 will be late",
        ]
    assert look(young.settings, young.connect, young.clock())[0] == "well"


def test_one_refused_address_harms_no_other(mailing: Office, mails: MailServer) -> None:
    mails.refusing["data@nandu.example"] = 550
    done = mailing.send()
    assert (done.told, done.left) == (1, 1)
    assert done.troubles == ["partner of nandu_bus by mail: the mail server refused the address (550)"]
    assert [to for to, _ in mails.taken] == ["steward@office.example"]
    assert "Boitumelo" not in str(done)
    mails.refusing.clear()
    mailing.clock.go(minutes=2)
    assert mailing.send().told == 1
    assert list((mailing.settings.home / "notices" / "under_way").iterdir()) == []


def test_an_address_that_is_refused_for_days_is_given_up(mailing: Office, mails: MailServer) -> None:
    mails.refusing["data@nandu.example"] = 550
    mailing.accepted(DAY)
    given_up = []
    for _ in range(2 * 7):
        given_up.append(mailing.send().given_up)
        mailing.clock.go(hours=12)
    assert [number for number, gone in enumerate(given_up) if gone] == [10]  # after five days
    assert [row["outcome"] for row in told(mailing.ledger) if row["kind"] == "accepted"] == ["given_up"]
    state, said = look(mailing.settings, mailing.connect, mailing.clock())
    assert state == "look"
    assert "given up for the partner of nandu_bus by mail" in said


def test_an_address_that_is_none(mailing: Office) -> None:
    mailing.agree(terms__signed_on="2026-11-16", terms__contacts__partner="a,b<c@nandu.example")
    done = mailing.send()
    assert (done.told, done.left) == (1, 1)
    assert "partner of nandu_bus by mail: the address is none that mail can be sent to" in done.troubles


def test_a_slow_server_is_cut_off(young: Office, mails: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It took the letter, and says so too late: the letter is sent once more, as it was."""
    young.connections[mail.CONNECTION] = mails.connection
    monkeypatch.setattr(mail, "TAKEN_WITHIN_S", 0.5)
    mails.slow_s = 2
    begun = time.monotonic()
    assert young.send().troubles == ["mail server: the mail server hung up"]
    assert time.monotonic() - begun < 5
    monkeypatch.undo()
    mails.slow_s = 0
    young.clock.go(minutes=20)
    assert young.send().told == 2
    assert len(mails.taken) == 3
    assert len(set(mails.ids())) == 2
    assert young.send().told == 0


@contextmanager
def dripping() -> Iterator[int]:
    """A server that greets for ever, a byte now and then."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def greet() -> None:
        line, _ = listening.accept()
        with line:
            while not stop.wait(0.05):
                try:
                    line.send(b"2")
                except OSError:
                    return

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    stop.set()
    listening.close()
    thread.join(5)


def test_a_server_that_drips_is_cut_off(young: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "TAKEN_WITHIN_S", 0.5)
    with dripping() as port:
        young.connections[mail.CONNECTION] = Connection(host="127.0.0.1", port=port, tls="none")
        begun = time.monotonic()
        assert young.send().left == 2
        assert time.monotonic() - begun < 5


# How it is protected


def test_a_certificate_of_another_is_refused(young: Office, mails: MailServer, tmp_path: Path) -> None:
    from acequia.demo.servers.https import _certificates

    _certificates(tmp_path)
    young.connections[mail.CONNECTION] = mails.connection.model_copy(update={"ca_file": str(tmp_path / "ca.pem")})
    assert young.send().troubles == ["mail server: the mail server's certificate is not one that we trust"]
    assert mails.taken == []


def test_a_certificate_of_another_name_is_refused(
    young: Office, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is reached under a name that its certificate does not bear."""
    reach = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda place, *a, **k: reach(("127.0.0.1", place[1]), *a, **k))
    young.connections[mail.CONNECTION] = mails.connection.model_copy(update={"host": "mail.office.example"})
    assert young.send().troubles == ["mail server: the mail server's certificate is not one that we trust"]


def test_without_starttls_nothing_is_sent(young: Office, authority: Path) -> None:
    with mail_server(authority, auth_required=False) as plain:
        young.connections[mail.CONNECTION] = plain.connection
        assert "STARTTLS" in young.send().troubles[0]
        assert plain.taken == []
        young.clock.go(minutes=20)
        young.connections[mail.CONNECTION] = Connection(host="127.0.0.1", port=plain.connection.port, tls="none")
        assert young.send().told == 2


def test_plain_is_for_this_machine_alone(young: Office) -> None:
    young.connections[mail.CONNECTION] = Connection(host="mail.office.example", port=25, tls="none")
    assert young.send().troubles == ["mail server: connection_invalid"]


def test_a_wrong_password(young: Office, mails: MailServer) -> None:
    young.connections[mail.CONNECTION] = mails.connection.model_copy(update={"password": "wrong"})
    assert young.send().troubles == ["mail server: the mail server refused the login (535)"]


def test_tls_from_the_first_byte(young: Office, authority: Path) -> None:
    import ssl

    from aiosmtpd.controller import Controller

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    port = free_port()
    connection = Connection(host="127.0.0.1", port=port, ca_file=str(authority / "ca.pem"), tls="implicit")
    server = MailServer(connection)
    controller = Controller(server, hostname="127.0.0.1", port=port, ssl_context=context)
    controller.start()
    try:
        young.connections[mail.CONNECTION] = connection
        assert young.send().told == 2
    finally:
        controller.stop()


@given(st.text(max_size=200), st.text(max_size=200))
@example("a\r\nBcc: everyone@x.example", "x\r\n\r\nhello")
@example("=?utf-8?q?=0D=0ABcc:x?=", "\u2028Bcc: x")
def test_no_header_can_be_smuggled_in(subject: str, name: str) -> None:
    raw = mail.compose(
        mail.address("data@nandu.example", name), Message(subject, "text", "<p>html</p>"),
        sender=mail.address("acequia@office.example", "Acequia"), answer_to="steward@office.example",
        partner="nandu_bus", name="0" * 32, at=AT,
    )  # fmt: skip
    read = message_from_bytes(raw, policy=default)
    assert sorted(read.keys()) == sorted(
        ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Id", "Auto-Submitted", "MIME-Version",
         "Content-Type"]
    )  # fmt: skip
    assert [one.addr_spec for one in read["To"].addresses] == ["data@nandu.example"]


@given(st.from_regex(r"[^@\s]+@[^@\s]+", fullmatch=True))
@example("a@b\x00")
@example("a,b@c.example")
@example("<a>@c.example")
@example('"a"@c.example')
@example("data@münchen.example")
@example("ñ@x.example")
def test_an_address_is_one_or_is_refused(written: str) -> None:
    """What an agreement takes for an address is sent to as it stands, in ASCII, or not at all."""
    try:
        found = mail.address(written)
    except UnsentError:
        pass
    else:
        assert found.addr_spec.isascii()
        assert len(found.addr_spec.splitlines()) == 1
        assert str(found).count("@") >= 1


# Killed, twice at once, clocks that jump

KILLED = """
import os, signal, sys
from acequia.keys import FileKeyStore
from acequia.ledger.book import open_ledger
from acequia.notices import round as rounds
from acequia.notices.send import send_due
from acequia.settings import Settings
from datetime import datetime

settings = Settings.from_environment()
rounds.note_each = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
clock = lambda: datetime.fromisoformat(sys.argv[1])
send_due(settings, open_ledger(settings, FileKeyStore(settings.home / "keys"), clock))
"""


def test_killed_between_sending_and_noting(mailing: Office, mails: MailServer, tmp_path: Path) -> None:
    """It is sent once more, with the same Message-ID, whatever became due meanwhile; and then never again."""
    program = tmp_path / "killed.py"
    program.write_text(textwrap.dedent(KILLED))
    env = {
        **os.environ,
        "ACEQUIA_HOME": str(mailing.settings.home),
        "ACEQUIA_CONFIG": str(mailing.settings.config),
        "ACEQUIA_CONNECTION_ACEQUIA_SMTP": mails.connection.as_json(),
    }
    command = [sys.executable, str(program), mailing.clock().isoformat()]
    ended = subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert len(mails.taken) == 1
    mailing.clock.go(minutes=1)
    mailing.accepted(DAY)  # late is no news any more, and the letter is under way
    mailing.send()
    mailing.clock.go(minutes=1)
    mailing.send()
    first = mails.ids()[0]
    assert mails.ids().count(first) == 2
    assert mails.taken[0] == mails.taken[1]
    assert len(mails.ids()) - 1 == len(set(mails.ids()))


def test_two_rounds_at_once_are_one(mailing: Office, mails: MailServer) -> None:
    mails.slow_s = 0.3
    done = []
    threads = [threading.Thread(target=lambda: done.append(mailing.send())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(one.told for one in done) == [0, 0, 0, 2]
    assert [one.busy for one in done].count(True) == 3
    assert len(mails.taken) == 2


def test_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    with only_one(tmp_path) as first, only_one(tmp_path) as second:
        assert (first, second) == (True, False)
    with only_one(tmp_path) as third:
        assert third


def test_a_clock_that_jumps_tells_nothing_twice(mailing: Office, mails: MailServer) -> None:
    mailing.send()
    right = mailing.clock()
    mailing.clock.go(days=3)
    mailing.send()  # missing, as that clock has it
    there = len(mails.taken)
    mails.refusing["steward@office.example"] = 450
    mailing.clock.go(days=8)
    mailing.send()
    mailing.clock.now = right
    mails.refusing.clear()
    assert mailing.send().told == 0
    for _ in range(48):
        mailing.clock.go(hours=1)
        mailing.send()
    assert mails.subjects()[there + 1 :] == 2 * ["[nandu_bus] rides 2026-11-16 is missing (reminder 1)"]
    mailing.clock.now = right + timedelta(days=11)
    mailing.send()
    # The steward's fourth reminder: no gap of the wrong clock holds it up. The partner had it then.
    assert [to for to, _ in mails.taken[there + 3 :]] == ["steward@office.example"]
    assert len(set(mails.ids())) == len(mails.ids())


def test_a_letter_that_cannot_be_read_is_written_anew(mailing: Office, mails: MailServer) -> None:
    under_way = mailing.settings.home / "notices" / "under_way"
    under_way.mkdir(parents=True)
    (under_way / "half.json").write_text('{"name": ')
    (mailing.settings.home / "notices" / "trying.json").write_text("")
    assert mailing.send().told == 2


def test_an_agreement_that_cannot_be_read_harms_no_other(mailing: Office) -> None:
    (mailing.settings.partners / "broken.yaml").write_text("partner: broken\n")
    done = mailing.send()
    assert done.told == 2
    assert done.troubles == ["broken: agreement_invalid"]


def test_a_connection_must_say_where(young: Office) -> None:
    young.connections[mail.CONNECTION] = Connection(user="x")
    assert young.send().troubles == ["mail server: connection_invalid"]
    with pytest.raises(AcequiaError):
        mail.post(Connection(host="localhost", ca_file="/nowhere")).__enter__()
