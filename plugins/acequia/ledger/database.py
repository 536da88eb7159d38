"""The database of ledger and lineage, SQLite or PostgreSQL; whoever opens it first brings its tables up to date."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    create_engine,
    event,
    exc,
    inspect,
    make_url,
    select,
    table,
    text,
)
from sqlalchemy import column as column_

from acequia.errors import AcequiaError
from acequia.settings import Settings

HEAD = "0004"  # the newest migration; a test compares it with the folder
VERSION_TABLE = "acequia_version"  # Airflow may share the database, and has an alembic_version of its own
MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_WRITING, _LOCK_MIGRATING = 0x61636571, 0x61636572
_WAIT_S = 60


def open_database(settings: Settings) -> Engine:
    """Connect, and run the migrations that are missing. Two processes that come at once run them once."""
    url = _url(settings.database)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = connect(url)
    with _telling():
        _migrate(engine)
    return engine


def connect(url: str | URL) -> Engine:
    """An engine that keeps no connection open, so that it is safe in forked processes and needs no closing."""
    engine = create_engine(_url(url), poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one moment of the database."""
    level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with _telling(), engine.connect().execution_options(**level) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer of the ledger runs beside: what it reads is the newest, and stays so."""
    with _telling(), engine.connect().execution_options(acequia_writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK_WRITING})
        yield connection


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except (exc.DatabaseError, exc.InterfaceError, UnicodeDecodeError) as error:
        if _is_damage(error):
            raise AcequiaError("ledger_broken", "the ledger's database is damaged: SQLite cannot read it") from None
        if isinstance(error, exc.OperationalError | exc.InterfaceError):
            what = "the ledger's database did not answer, or was busy too long"
            raise AcequiaError("store_unreachable", what) from None
        raise


def _is_damage(error: exc.DBAPIError | UnicodeDecodeError) -> bool:
    """Whether SQLite found its file damaged, or without the tables that it had, and not only busy or out of reach."""
    if isinstance(error, UnicodeDecodeError) or "decode to UTF-8" in str(error.orig):
        return True
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT) or (
        code == sqlite3.SQLITE_ERROR and isinstance(error, exc.OperationalError)
    )


def _url(given: str | URL) -> URL:
    try:
        url = make_url(given)
    except exc.ArgumentError:
        raise AcequiaError("usage", "ACEQUIA_DATABASE is no database URL, such as sqlite:////srv/ledger.db") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg2")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise AcequiaError("usage", "ACEQUIA_DATABASE is neither a sqlite: nor a postgresql: URL")
    return url


def _sqlite_connected(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: _sqlite_begin does
    for pragma in (f"busy_timeout = {_WAIT_S * 1000}", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("acequia_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(engine: Engine) -> None:
    if _revision(engine) == HEAD:
        return
    with _alone(engine):
        found = _revision(engine)
        if found == HEAD:
            return
        if found is not None and not list((MIGRATIONS / "versions").glob(f"{found}_*.py")):
            raise AcequiaError("internal", "a newer version of Acequia wrote this database; use that one")
        _upgrade(engine)


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        return connection.execute(select(column_("version_num")).select_from(table(VERSION_TABLE))).scalar()


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Hold off every other process that wants to migrate."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK_MIGRATING})
            yield
        return
    path = Path(str(engine.url.database))
    with path.with_name(f"{path.name}.migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _use_wal(engine)
        yield


def _use_wal(engine: Engine) -> None:
    """Readers then never wait for writers. The file remembers it; SQLite may refuse while others look at a new file."""
    for _ in range(_WAIT_S * 10):
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except Exception:  # noqa: BLE001, S110 - "database is locked", from whichever driver
            time.sleep(0.1)
        finally:
            connection.close()
