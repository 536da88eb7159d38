"""An office, a real mail server with TLS, a real HTTPS endpoint for webhooks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acequia.keys import FileKeyStore
from acequia.ledger.book import open_ledger
from acequia.ledger.database import open_database
from acequia.notices.first_seen import note_new
from acequia.settings import Settings
from tests.notices.hooked import HookServer, hook_server
from tests.notices.mailbox import MailServer, mail_server
from tests.notices.office import Clock, Office


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Making its tables takes longer than most tests."""
    settings = Settings.from_environment({"ACEQUIA_HOME": str(tmp_path_factory.mktemp("empty"))})
    open_database(settings)
    return settings.home / "ledger.db"


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def office(tmp_path: Path, empty_ledger: Path) -> Office:
    settings = Settings.from_environment(
        {"ACEQUIA_HOME": str(tmp_path / "home"), "ACEQUIA_CONFIG": str(tmp_path / "config")}
    )
    settings.home.mkdir(mode=0o700)
    settings.reference.mkdir(parents=True)
    shutil.copy(empty_ledger, settings.home / "ledger.db")
    clock = Clock()
    found = Office(settings, open_ledger(settings, FileKeyStore(settings.home / "keys"), clock), clock)
    found.agree()
    # It has looked after its feeds for long: what an office that is new is spared is tested apart.
    clock.now, today = LONG_AGO, clock.now
    note_new(found.ledger, [found.versions])
    clock.now = today
    return found


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority's certificate, and one of ours for 127.0.0.1 and localhost."""
    from acequia.demo.servers.https import _certificates

    folder = tmp_path_factory.mktemp("authority")
    _certificates(folder)
    return folder


@pytest.fixture
def mails(authority: Path) -> Iterator[MailServer]:
    with mail_server(authority) as server:
        yield server


@pytest.fixture
def hooks(authority: Path) -> Iterator[HookServer]:
    with hook_server(authority) as server:
        yield server
