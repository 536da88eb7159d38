"""Partners of each kind, against real servers, and our office that receives from them."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from acequia.keys import FileKeyStore
from acequia.receive.buckets import s3_client
from acequia.receive.landing import Landing
from tests.receive.partners import Office, Partner


@pytest.fixture
def office(home: Path, keys: FileKeyStore) -> Office:
    (home / "inbox").mkdir(parents=True)
    return Office(home, Landing(str(home / "landing"), keys))


@pytest.fixture
def folder_partner(office: Office) -> Partner:
    def put(path: str, content: bytes) -> None:
        file = office.home / "inbox" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    return Partner(put, lambda path: {"type": "folder", "path": path}, None)


@pytest.fixture
def sftp_partner(sftp_server) -> Partner:
    own = secrets.token_hex(4)

    def put(path: str, content: bytes) -> None:
        file = sftp_server.folder / own / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    (sftp_server.folder / own).mkdir()
    connection = sftp_server.connection.model_copy(update={"path": own})
    return Partner(put, lambda path: {"type": "sftp", "connection": "c", "path": path}, connection)


@pytest.fixture
def s3_partner(s3_bucket) -> Partner:
    bucket, connection = s3_bucket
    client = s3_client(connection)

    def put(path: str, content: bytes) -> None:
        client.put_object(Bucket=bucket, Key=path, Body=content)

    return Partner(put, lambda path: {"type": "s3", "connection": "c", "bucket": bucket, "path": path}, connection)


@pytest.fixture
def https_partner(https_server) -> Partner:
    own = secrets.token_hex(4)

    def put(path: str, content: bytes) -> None:
        file = https_server.folder / own / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    connection = https_server.connection
    connection = connection.model_copy(update={"base_url": f"{connection.base_url}{own}"})
    return Partner(put, lambda path: {"type": "https", "connection": "c", "path": path}, connection)


@pytest.fixture(params=["folder", "sftp", "s3", "https"])
def partner(request: pytest.FixtureRequest) -> Partner:
    """A partner of each kind that delivers files."""
    return request.getfixturevalue(f"{request.param}_partner")
