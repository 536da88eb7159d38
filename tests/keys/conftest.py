"""Every key store there is, each with a real server, or one that speaks like it, behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from acequia.demo.servers.s3 import REGION, S3Server
from acequia.errors import AcequiaError
from acequia.keys import KeyStore
from acequia.keys.choice import open_store
from tests.keys.vault_server import Vault, vault_server


@dataclass
class Kept:
    """A store and its surroundings: `again` opens it anew, `provide` is how a key gets in, `remove` takes it out."""

    again: Callable[[], KeyStore]
    everything: Callable[[], bytes]
    provide: Callable[[str, str], None] | None = None
    remove: Callable[[str], None] | None = None
    connections: dict[str, Any] = field(default_factory=dict)

    @property
    def makes(self) -> bool:
        return self.provide is None


@pytest.fixture(scope="session")
def vault() -> Iterator[Vault]:
    with vault_server() as server:
        yield server


@pytest.fixture(scope="session")
def kms_key(s3_server: S3Server) -> str:
    return kms(s3_server).create_key(Description="acequia")["KeyMetadata"]["KeyId"]


def kms(server: S3Server) -> Any:
    import boto3

    return boto3.client(
        "kms",
        endpoint_url=server.endpoint_url,
        region_name=REGION,
        aws_access_key_id=server.root.access_key,
        aws_secret_access_key=server.root.secret_key,
    )


def asking(connections: dict[str, Any]) -> Callable[[str], Any]:
    def ask(name: str) -> Any:
        if name not in connections:
            raise AcequiaError("connection_unknown", f"there is no connection {name}")
        return connections[name]

    return ask


def bytes_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.fixture(params=["file", "airflow", "airflow environment", "vault", "awskms"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    folder = tmp_path / "keys"
    if request.param == "file":
        return Kept(lambda: open_store("file", folder, asking({}), {}), lambda: bytes_below(folder))
    if request.param == "vault":
        vault: Vault = request.getfixturevalue("vault")
        vault.kept.clear()
        connections = {"acequia_vault": {"base_url": vault.url, "token": vault.token}}
        return Kept(
            lambda: open_store("vault:secret/acequia", folder, asking(connections), {}),
            lambda: json.dumps(vault.kept).encode(),
            connections=connections,
        )
    if request.param == "awskms":
        server: S3Server = request.getfixturevalue("s3_server")
        connections = {"acequia_kms": server.root.model_dump(exclude_none=True)}
        name = f"awskms:{request.getfixturevalue('kms_key')}"
        return Kept(
            lambda: open_store(name, folder, asking(connections), {}),
            lambda: bytes_below(folder),
            connections=connections,
        )
    secrets: dict[str, str] = {"other": "1" * 64}
    environ: dict[str, str] = {}
    connections = {}

    def settle() -> None:
        if request.param == "airflow":
            connections["vaulted"] = {"secrets": dict(secrets)}
        else:
            environ["AIRFLOW_CONN_VAULTED"] = json.dumps({"conn_type": "generic", "extra": {"secrets": secrets}})

    def provide(name: str, text: str) -> None:
        secrets[name] = text
        settle()

    def remove(name: str) -> None:
        secrets.pop(name)
        settle()

    settle()
    return Kept(
        lambda: open_store("airflow:vaulted", folder, asking(connections), environ),
        lambda: json.dumps(secrets).encode() + bytes_below(folder),
        provide,
        remove,
        connections,
    )
