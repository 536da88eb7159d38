"""Taking turns: one writer per table at a time.

Iceberg's own check at each commit is what keeps a table right. The lock spares writers long rounds of retries, and lets
files that nobody refers to be removed without asking how old they are.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from acequia.errors import AcequiaError

if TYPE_CHECKING:
    from sqlalchemy import Engine

Made = TypeVar("Made")
PATIENCE_S, ATTEMPTS = 600.0, 10


@contextmanager
def file_lock(folder: Path, name: str, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Held by an open file, so that it ends with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        give_up = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise _busy(name, patience_s) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def database_lock(engine: Engine, name: str, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """A session lock of PostgreSQL, so that it ends with the connection, and holds across machines."""
    from sqlalchemy import text
    from sqlalchemy.exc import OperationalError, SQLAlchemyError

    key = {"name": f"acequia.lake.{name}"}
    with engine.connect() as connection:
        try:
            connection.execute(text(f"SET LOCAL lock_timeout = '{int(patience_s * 1000)}ms'"))
            connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), key)
            connection.commit()
        except OperationalError as error:
            if type(error.orig).__name__ == "LockNotAvailable":
                raise _busy(name, patience_s) from None
            raise
        try:
            yield
        finally:
            try:
                connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), key)
                connection.commit()
            except SQLAlchemyError:
                connection.invalidate()  # the server drops the lock with the connection


def insist(work: Callable[[], Made]) -> Made:
    """Try again when another writer was faster: Iceberg refused the commit, so nothing of it is there.

    `work` looks at the table afresh each time. A commit that the lock does not cover (another program's) costs a round.
    """
    from pyiceberg.exceptions import CommitFailedException, ValidationException
    from sqlalchemy.exc import OperationalError

    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except (CommitFailedException, ValidationException, OperationalError):
            time.sleep(random.uniform(0.05, 0.2) * attempt)
    try:
        return work()
    except (CommitFailedException, ValidationException):
        raise AcequiaError("store_unreachable", "other writers of the table were faster, again and again") from None


def _busy(name: str, patience_s: float) -> AcequiaError:
    return AcequiaError("store_unreachable", f"another process has been writing {name} for over {patience_s:g} s")
