"""Real servers for tests, each started once a session and only when a test asks for it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from acequia.demo.servers import https, s3, sftp, sql
from acequia.receive.connections import Connection


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sftp.SftpServer]:
    """`.folder` is what the partner sees as `/`; `.connection` logs in by password, `.by_key` by key."""
    with sftp.sftp_server(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture(scope="session")
def https_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[https.HttpsServer]:
    """`.folder` is served at `.connection.base_url`."""
    with https.https_server(tmp_path_factory.mktemp("https"), tmp_path_factory.mktemp("authority")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[s3.S3Server]:
    """`.bucket(name)` makes a bucket and a user who can reach nothing else."""
    with s3.s3_server() as server:
        yield server


@pytest.fixture
def s3_bucket(s3_server: s3.S3Server) -> tuple[str, Connection]:
    """The name of a new bucket, and the login of its user."""
    name = f"test-{secrets.token_hex(6)}"
    return name, s3_server.bucket(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sql.SqlServer]:
    """`.database(name)` makes a database (its owner's URL), `.reader(database, user)` a user who may only read."""
    with sql.sql_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: sql.SqlServer) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty database, dropped after the test."""
    name = f"test_{secrets.token_hex(6)}"
    yield postgres_server.database(name)
    postgres_server.drop(name)
