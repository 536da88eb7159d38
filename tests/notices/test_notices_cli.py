"""`acequia notices` as it is typed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from acequia.cli import cli
from tests.notices.hooked import HookServer
from tests.notices.mailbox import MailServer
from tests.notices.office import Office


def typed(office: Office, *words: str, **connections: str) -> Result:
    env = {"ACEQUIA_HOME": str(office.settings.home), "ACEQUIA_CONFIG": str(office.settings.config)}
    env |= {f"ACEQUIA_CONNECTION_{name.upper()}": said for name, said in connections.items()}
    return CliRunner().invoke(cli, ["notices", *words], env=env, catch_exceptions=False)


@pytest.fixture
def lasting(office: Office) -> Office:
    """Its agreement ends in the far future, and nothing is due: what is told depends on no clock."""
    office.agree(
        terms__expires_on="2099-12-31", terms__signed_on="2099-01-01", notices={"webhooks": {"partner": "hook"}}
    )
    return office


def test_nothing_was_told_and_nothing_is_due(lasting: Office) -> None:
    assert typed(lasting, "list").output == "Nothing was told yet.\n"
    assert typed(lasting, "list", "--due").output == "Nothing is due to be told.\n"
    sent = typed(lasting, "send", "--json")
    assert (sent.exit_code, json.loads(sent.output)) == (
        0, [{"told": 0, "to_outbox": 0, "left": 0, "given_up": 0}],
    )  # fmt: skip


def test_send_then_list(office: Office) -> None:
    due = json.loads(typed(office, "list", "--due", "--json").output)
    assert {row["kind"] for row in due} >= {"missing"}
    assert typed(office, "send").exit_code == 0
    told = json.loads(typed(office, "list", "nandu_bus", "--json").output)
    assert len(told) == len(due)
    assert {row["outcome"] for row in told} == {"written"}
    assert typed(office, "list", "--due").output == "Nothing is due to be told.\n"
    assert len(typed(office, "list").output.splitlines()) == 102
    assert typed(office, "list", "another").output == "Nothing was told yet.\n"


def test_a_test_reaches_everyone(lasting: Office, mails: MailServer, hooks: HookServer) -> None:
    mails.refusing["dpo@office.example"] = 550
    tried = typed(
        lasting, "test", "nandu_bus", "--json",
        acequia_smtp=mails.connection.as_json(), hook=hooks.connection().as_json(),
    )  # fmt: skip
    assert tried.exit_code == 1
    rows = {(row["to"], row["by"]): row["problem"] for row in json.loads(tried.output)}
    assert rows == {
        ("partner", "mail"): "",
        ("partner", "webhook"): "",
        ("steward", "mail"): "",
        ("dpo", "mail"): "the mail server refused the address (550)",
        ("ministry_of_transport", "mail"): "",
        ("central_bank", "mail"): "",
    }
    assert hooks.types() == ["acequia.test"]
    assert mails.subjects("data@nandu.example") == ["[nandu_bus] a test"]
    assert typed(lasting, "list").output == "Nothing was told yet.\n"


def test_a_partner_that_is_none(lasting: Office) -> None:
    from acequia.errors import AcequiaError

    with pytest.raises(AcequiaError, match="unknown_name"):
        typed(lasting, "test", "nobody")


def test_whoever_was_not_reached_is_said(office: Office) -> None:
    sent = typed(office, "send", acequia_smtp='{"host": "127.0.0.1", "port": 1, "tls": "none"}')
    assert sent.exit_code == 1
    assert "mail server: the mail server does not answer" in sent.output
