"""The tables are what the models say, however they came to be."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.keys import FileKeyStore
from acequia.ledger.book import open_ledger
from acequia.ledger.chain import Place, append
from acequia.ledger.database import HEAD, MIGRATIONS, VERSION_TABLE, connect, open_database, writing
from acequia.ledger.facts import received
from acequia.ledger.projection import after, row_of
from acequia.ledger.signing import Signer
from acequia.lineage import models as lineage_models
from acequia.settings import Settings
from tests.ledger.conftest import ticking
from tests.ledger.deeds import files_of


@pytest.fixture
def settings(home: Path) -> Settings:
    """Nothing is made yet."""
    return Settings.from_environment({"ACEQUIA_HOME": str(home)})


def test_migrations_lead_to_the_models(placed: Settings) -> None:
    with open_database(placed).connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, lineage_models.metadata) == []


def test_the_newest_migration_is_the_one_that_is_looked_for() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


def test_opening_again_changes_nothing(placed: Settings) -> None:
    open_database(placed)
    with open_database(placed).connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all() == [HEAD]


def _open(settings: Settings, barrier: object, tell: Callable[[str], None]) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        tell(open_database(settings).dialect.name)
    except BaseException as error:
        tell(repr(error))
        raise


def test_processes_that_open_it_at_once_migrate_it_once(placed: Settings) -> None:
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(6), context.SimpleQueue()
    started = [context.Process(target=_open, args=(placed, barrier, answers.put)) for _ in range(6)]
    for process in started:
        process.start()
    told = {answers.get() for _ in started}
    for process in started:
        process.join(60)
    assert told == {connect(placed.database).dialect.name}
    assert {"entry", "delivery", "release", "ol_event"} <= set(inspect(connect(placed.database)).get_table_names())


def test_a_database_of_a_newer_version_is_left_alone(placed: Settings) -> None:
    engine = open_database(placed)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(AcequiaError, match="newer version"):
        open_database(placed)


def test_readers_never_wait_for_a_writer_in_sqlite(settings: Settings) -> None:
    with open_database(settings).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_uses_the_driver_that_is_installed(scheme: str) -> None:
    assert connect(f"{scheme}://office@127.0.0.1/ledger").dialect.driver == "psycopg2"


def _made_up_to(settings: Settings, revision: str) -> None:
    """A database as an older version left it."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writing(connect(settings.database)) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.fixture
def empty(home: Path, request: pytest.FixtureRequest, database: str) -> Settings:
    """No tables yet, on each database in turn."""
    made = Settings.from_environment({"ACEQUIA_HOME": str(home / "old")})
    made.home.mkdir(parents=True)
    return made if database.startswith("sqlite") else replace(made, database=database)


def test_an_old_ledger_verifies_and_adds_up_after_its_migration(empty: Settings, keys: FileKeyStore) -> None:
    _made_up_to(empty, "0002")
    engine = connect(empty.database)
    signer = Signer(keys.secret("receipts"))
    delivery = DeliveryId(partner="pula_mobile", feed="events", period="2026-11-16", version=1)
    draft = received(delivery, "a" * 64, "1.2", "b" * 64, files_of("A"))
    with writing(engine) as connection:
        entry = append(connection, signer, draft, Place.of(delivery), ticking()())
        row = row_of(after(None, entry))
        for name in ("sent_at", "arrival", "repeats", "last_repeat_at", "withdrawn_at", "signed_by"):
            del row[name]
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO delivery ({names}) VALUES ({values})"), row)  # noqa: S608
    ledger = open_ledger(empty, keys, ticking("2026-11-18T06:00:00"))
    assert [finding for finding in ledger.verify() if finding.kind != "head_missing"] == []
    (found,) = ledger.deliveries()
    assert (found.sent_at, found.arrival, found.repeats) == (entry.at, "", 0)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, lineage_models.metadata) == []
