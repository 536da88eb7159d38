"""The commands of the intake, as an operator types them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from pyrage import x25519

from acequia.cli import cli
from acequia.errors import AcequiaError
from tests.pipeline.world import make_world


@pytest.fixture
def acequia(tmp_path):
    settings = make_world(tmp_path).settings
    env = {"ACEQUIA_HOME": str(settings.home), "ACEQUIA_CONFIG": str(settings.config)}

    def run(*words, **more):
        return CliRunner().invoke(cli, words, env=env | more)

    return run


def test_a_token_is_printed_once_listed_without_itself_and_revoked(acequia):
    said = acequia("intake", "token", "pula_mobile", "--days", "7")
    token = said.stdout.strip()
    assert token.startswith("acequia_")
    (listed,) = json.loads(acequia("intake", "tokens", "--json").stdout)
    assert (listed["partner"], listed["state"]) == ("pula_mobile", "valid")
    assert token not in acequia("intake", "tokens", "--json").stdout
    assert acequia("intake", "revoke", "pula_mobile", listed["id"]).exit_code == 0
    assert json.loads(acequia("intake", "tokens", "--json").stdout)[0]["state"] == "revoked"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("intake", "token", "nobody"), "unknown_name"),
        (("intake", "token", "pula_mobile", "--days", "0"), "usage"),
        (("intake", "revoke", "pula_mobile", "12345678"), "unknown_name"),
        (("intake", "serve", "--host", "0.0.0.0"), "usage"),
        (("intake", "serve", "--certificate", "a", "--key", "b"), "usage"),
    ],
)
def test_slips_are_told(acequia, words, code):
    ended = acequia(*words)
    assert isinstance(ended.exception, AcequiaError) and ended.exception.code == code


def test_the_recipients_are_printed_as_age_reads_them(acequia, tmp_path):
    first = acequia("keys", "intake").stdout
    assert acequia("keys", "intake").stdout == first
    escrow = str(x25519.Identity.generate().to_public())
    said = acequia("keys", "intake", "--new", ACEQUIA_ESCROW_RECIPIENT=escrow).stdout
    keys = [line for line in said.splitlines() if not line.startswith("#")]
    assert keys[1] == escrow and keys[0] not in first
    (tmp_path / "config" / "escrow.pub").write_text(f"# the office's escrow key\n{escrow}\n")
    assert acequia("keys", "intake").stdout == said
    (tmp_path / "config" / "escrow.pub").write_text("no key\n")
    assert acequia("keys", "intake").exception.code == "usage"
    assert "AGE-SECRET" not in said
