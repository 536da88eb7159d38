"""The tables are what the models say, however they came to be."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from acequia.errors import AcequiaError
from acequia.ledger.database import HEAD, MIGRATIONS, VERSION_TABLE, connect, open_database
from acequia.lineage import models as lineage_models
from acequia.settings import Settings


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
