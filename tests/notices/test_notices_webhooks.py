"""Webhooks to a real HTTPS endpoint: signed as the specification says, tried again, bounded, no trouble to others."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from acequia.errors import AcequiaError
from acequia.notices import mail, webhook
from acequia.notices.overview import look, told
from acequia.notices.trying import GAPS_MINUTES
from acequia.receive.connections import Connection
from tests.notices.hooked import HookServer
from tests.notices.mailbox import MailServer, free_port
from tests.notices.office import CHANGES, Office
from tests.notices.test_notices_mail import KILLED

PROJECT = Path(__file__).resolve().parents[2]
DAY, HOOK = "2026-11-16", "nandu_webhook"
Verified = Callable[[str, dict[str, str], bytes], bool]


@pytest.fixture
def hooked(office: Office, hooks: HookServer) -> Office:
    """A late period, told to the partner's webhook."""
    office.agree(
        terms__signed_on="2026-11-16",
        terms__expires_on="2026-11-16",
        notices={"before_due_hours": 6, "webhooks": {"partner": HOOK, "consumers": "readers_webhook"}},
    )
    office.connections[HOOK] = hooks.connection()
    office.connections["readers_webhook"] = hooks.connection("/readers")
    office.clock.set("2026-11-17T16:00:00")
    for due in office.due():
        if due.notice.kind in ("ending", "ended"):
            office.ledger.note(due.notice.place, due.draft("told", ""))
    return office


@pytest.fixture
def verified() -> Verified:
    """The program that docs/notices.md shows."""
    page = (PROJECT / "docs" / "notices.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Verified] = {}
    exec(program, names)
    return names["verified"]


def test_signatures_are_those_of_the_specification() -> None:
    """The example that the specification's own libraries are tested with."""
    secret = webhook.secret_of(Connection(token="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    said = webhook.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_posted_is_verified_by_the_documentation(
    hooked: Office, hooks: HookServer, verified: Verified, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hooked.send().told == 3  # two letters, one post
    ((headers, body),) = hooks.at()
    monkeypatch.setattr(time, "time", lambda: hooked.clock().timestamp() + 299)
    assert verified(hooks.token, headers, body)
    assert not verified(hooks.token, headers, body + b" ")
    assert not verified(hooks.token, headers | {"webhook-id": "msg_x"}, body)
    assert not verified("whsec_" + base64.b64encode(bytes(32)).decode(), headers, body)
    monkeypatch.setattr(time, "time", lambda: hooked.clock().timestamp() + 301)
    assert not verified(hooks.token, headers, body)
    assert headers["content-type"] == "application/json"
    said = json.loads(body)
    assert (said["type"], said["timestamp"]) == ("acequia.late", "2026-11-17T15:00:00Z")
    assert said["data"]["period"] == DAY
    assert said["data"]["facts"]["missing_from"] == "2026-11-18T15:00:00Z"


def test_the_documentation_shows_what_is_posted(hooked: Office, hooks: HookServer) -> None:
    hooked.send()
    page = (PROJECT / "docs" / "notices.md").read_text()
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    posted, example = json.loads(hooks.at()[0][1]), json.loads(shown)
    assert posted.keys() == example.keys()
    assert posted["data"].keys() == example["data"].keys()
    common = {"name", "agreement_version", "questions"}
    assert posted["data"]["facts"].keys() - common == example["data"]["facts"].keys()


def test_consumers_are_told_of_a_restatement(hooked: Office, hooks: HookServer) -> None:
    hooked.published(hooked.accepted(DAY, "A"), content="one")
    hooked.published(hooked.accepted(DAY, "B"), content="two", changes=CHANGES)
    hooked.send()
    assert hooks.types("/readers") == ["acequia.published", "acequia.restated"]
    said = json.loads(hooks.at("/readers")[1][1])["data"]
    assert said["recipients"] == ["ministry_of_transport"]
    assert said["facts"]["changes"]["measures"] == {"rides_count": {"total_pct": 1.2, "largest_pct": 12.5}}


def test_a_dead_endpoint_is_tried_again_with_growing_gaps(hooked: Office, hooks: HookServer) -> None:
    hooks.answers["/partner"] = 503
    hooked.accepted(DAY)
    hooked.send()
    for number, gap in enumerate(GAPS_MINUTES, 1):
        hooked.clock.go(minutes=gap, seconds=-1)
        hooked.send()
        assert len(hooks.at()) == number
        hooked.clock.go(seconds=1)
        hooked.send()
        assert len(hooks.at()) == number + 1
    assert len({body for _, body in hooks.at()}) == 1
    assert len({headers["webhook-id"] for headers, _ in hooks.at()}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in hooks.at()}) == len(GAPS_MINUTES) + 1
    hooks.answers.clear()
    hooked.clock.go(days=1)
    assert hooked.send().told == 1
    assert look(hooked.settings, hooked.connect, hooked.clock())[1].count("fails") == 0


def test_a_dead_endpoint_delays_no_other(hooked: Office, hooks: HookServer, mails: MailServer) -> None:
    hooked.connections[mail.CONNECTION] = mails.connection
    dead = Connection(url=f"https://127.0.0.1:{free_port()}/x", token=hooks.token)
    hooked.connections[HOOK] = dead
    hooked.published(hooked.accepted(DAY))
    done = hooked.send()
    assert done.troubles == ["partner of nandu_bus by webhook: the endpoint does not answer"]
    assert hooks.types("/readers") == ["acequia.published"]
    assert len(mails.taken) == 2
    assert hooked.send().told == 0


def test_after_days_it_is_given_up_and_told_by_the_doctor(hooked: Office, hooks: HookServer) -> None:
    hooks.answers["/partner"] = 500
    hooked.accepted(DAY)
    for _ in range(7):
        hooked.send()
        hooked.clock.go(days=1, seconds=1)
    (row,) = [row for row in told(hooked.ledger) if (row["kind"], row["by"]) == ("accepted", "webhook")]
    assert row["outcome"] == "given_up"
    state, said = look(hooked.settings, hooked.connect, hooked.clock())
    assert state == "look"
    assert "1 given up for the partner of nandu_bus by webhook (the endpoint answered 500)" in said
    hooks.answers.clear()
    hooked.clock.go(days=1)
    assert hooked.send().told == 0
    hooked.clock.go(days=31)
    hooked.send()
    assert "given up" not in look(hooked.settings, hooked.connect, hooked.clock())[1]


def test_a_message_that_is_refused_stops_no_other(hooked: Office, hooks: HookServer) -> None:
    hooks.answers["/partner"] = 400
    hooked.accepted(DAY)
    hooked.send()
    hooks.answers.clear()
    hooked.arrived(DAY, arrival="again")
    hooked.send()
    assert hooks.types() == ["acequia.accepted", "acequia.repeated"]
    hooked.clock.go(minutes=2)
    hooked.send()
    assert hooks.types() == ["acequia.accepted", "acequia.repeated", "acequia.accepted"]


@pytest.mark.parametrize("status", [301, 302, 307, 308, 410])
def test_redirects_are_not_followed(hooked: Office, hooks: HookServer, status: int) -> None:
    hooks.answers["/partner"] = status
    assert hooked.send().troubles == [f"partner of nandu_bus by webhook: the endpoint answered {status}"]
    assert hooks.at("/elsewhere") == []


def test_an_endpoint_that_drips_is_cut_off(hooked: Office, hooks: HookServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TAKEN_WITHIN_S", 0.5)
    hooks.drips.add("/partner")
    begun = time.monotonic()
    assert "the transfer failed" in hooked.send().troubles[0]
    assert time.monotonic() - begun < 8


def test_a_certificate_of_another_is_refused(hooked: Office, hooks: HookServer, tmp_path: Path) -> None:
    from acequia.demo.servers.https import _certificates

    _certificates(tmp_path)
    hooked.connections[HOOK] = hooks.connection().model_copy(update={"ca_file": str(tmp_path / "ca.pem")})
    assert hooked.send().troubles == [
        "partner of nandu_bus by webhook: the endpoint's certificate is not one that we trust"
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://127.0.0.1/x"},
        {"url": "not an address"},
        {"url": None},
        {"token": None},
        {"token": "whsec_short"},
        {"token": "whsec_" + base64.b64encode(bytes(23)).decode()},
        {"token": "whsec_" + base64.b64encode(bytes(65)).decode()},
        {"ca_file": "/nowhere"},
    ],
)
def test_connections_that_are_none(hooked: Office, hooks: HookServer, fields: dict[str, str | None]) -> None:
    connection = hooks.connection().model_copy(update=fields)
    with pytest.raises(AcequiaError) as told_, webhook.hook(connection):
        pass
    assert told_.value.code == "connection_invalid"
    hooked.connections[HOOK] = connection
    assert hooked.send().troubles == ["partner of nandu_bus by webhook: connection_invalid"]
    assert hooks.token not in str(told_.value)


def test_the_secret_is_nowhere_on_disk(hooked: Office, hooks: HookServer) -> None:
    hooks.answers["/partner"] = 500
    hooked.send()
    written = b"".join(path.read_bytes() for path in hooked.settings.home.rglob("*") if path.is_file())
    assert hooks.token.encode() not in written
    assert hooks.base.encode() not in written


def test_killed_between_posting_and_noting(hooked: Office, hooks: HookServer, tmp_path: Path) -> None:
    """Posted once more, with the same id and the same bytes, and then never again."""
    hooked.send()  # letters, to the outbox
    hooked.accepted(DAY)
    hooked.settings.home.joinpath("notices", "outbox").chmod(0o700)
    for due in hooked.due():
        if due.endpoint.channel == "mail":
            hooked.ledger.note(due.notice.place, due.draft("told", ""))
    program = tmp_path / "killed.py"
    program.write_text(KILLED)
    env = {
        **os.environ,
        "ACEQUIA_HOME": str(hooked.settings.home),
        "ACEQUIA_CONFIG": str(hooked.settings.config),
        f"ACEQUIA_CONNECTION_{HOOK.upper()}": hooks.connection().as_json(),
    }
    command = [sys.executable, str(program), hooked.clock().isoformat()]
    ended = subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert hooks.types() == ["acequia.late", "acequia.accepted"]
    for _ in range(3):
        hooked.clock.go(minutes=1)
        hooked.send()
    assert hooks.types() == ["acequia.late", "acequia.accepted", "acequia.accepted"]
    (first, one), (again, two) = hooks.at()[1:]
    assert first["webhook-id"] == again["webhook-id"]
    assert first["webhook-timestamp"] != again["webhook-timestamp"]
    assert one == two
