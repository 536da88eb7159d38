"""Connections: where a partner's server is and how we log in. Kept out of agreements, which anyone may read."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acequia.errors import AcequiaError
from acequia.settings import Settings

Secret = Annotated[str | None, Field(repr=False)]


class Connection(BaseModel):
    """One server and one login. Every field is optional; each kind of source says which it needs.

    `private_key` is a path or the PEM text itself; `host_key` an OpenSSH public key (`ssh-ed25519 AAAA…`);
    `known_hosts` a file of them; `ca_file` a PEM file of the authorities to trust instead of the system's; `url` an
    SQLAlchemy URL, or where a webhook is posted; `path` a folder to start from; `secrets` keys by name (see
    `keys.connection`); `sender` the address in which mail is sent, `tls` how. Secrets are left out of `repr`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    user: str | None = None
    password: Secret = None
    private_key: Secret = None
    known_hosts: str | None = None
    host_key: str | None = None
    accept_any_host_key: bool = False
    base_url: str | None = None
    ca_file: str | None = None
    token: Secret = None
    endpoint_url: str | None = None
    region: str | None = None
    access_key: Secret = None
    secret_key: Secret = None
    url: Secret = None
    path: str | None = None
    secrets: Annotated[dict[str, str] | None, Field(repr=False)] = None
    sender: str | None = None
    tls: Literal["starttls", "implicit", "none"] | None = None

    def require(self, *names: str) -> None:
        """Refuse a connection that lacks a field, as `connection_invalid`."""
        absent = [name for name in names if getattr(self, name) is None]
        if absent:
            raise AcequiaError("connection_invalid", f"the connection does not say {', '.join(absent)}")

    def as_json(self) -> str:
        """The value of `ACEQUIA_CONNECTION_<ID>`. Holds the secrets."""
        return self.model_dump_json(exclude_defaults=True)


Resolver = Callable[[str], Connection]


def resolver(settings: Settings, environ: Mapping[str, str] | None = None) -> Resolver:
    """Find connections in `ACEQUIA_CONNECTION_<ID>` (JSON), else in connections.yaml under ACEQUIA_HOME.

    The file maps ids to fields, and must be readable by its owner alone. Errors: `connection_unknown`,
    `connection_invalid`.
    """
    env = os.environ if environ is None else environ
    file = settings.home / "connections.yaml"

    def resolve(name: str) -> Connection:
        variable = variable_of(name)
        if variable in env:
            return _connection(_json(env[variable], variable), variable)
        listed = _listed(file)
        if name not in listed:
            raise AcequiaError(
                "connection_unknown", f"there is no connection {name}, neither in {variable} nor in {file}"
            )
        return _connection(listed[name], f"{name} in {file.name}")

    return resolve


def variable_of(name: str) -> str:
    """The environment variable of a connection."""
    return f"ACEQUIA_CONNECTION_{name.upper()}"


def _connection(fields: object, place: str) -> Connection:
    try:
        return Connection.model_validate(fields)
    except ValidationError as error:
        known = sorted({str(part["loc"][0]) for part in error.errors() if part["loc"]} & set(Connection.model_fields))
        hint = f" (look at {', '.join(known)})" if known else ""
        raise AcequiaError(
            "connection_invalid",
            f"{place} is not a connection{hint}; its fields are {', '.join(Connection.model_fields)}",
        ) from None


def _json(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise AcequiaError("connection_invalid", f"{place} is not JSON") from None


def _listed(file: Path) -> Mapping[str, object]:
    try:
        with file.open(encoding="utf-8") as opened:
            if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                raise AcequiaError(
                    "connection_invalid", f"{file} holds secrets and can be read by others: run chmod 600 on it"
                )
            listed = yaml.safe_load(opened) or {}
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError):
        raise AcequiaError("connection_invalid", f"{file} is not YAML") from None
    if not isinstance(listed, dict):
        raise AcequiaError("connection_invalid", f"{file} does not map names to connections")
    return listed
