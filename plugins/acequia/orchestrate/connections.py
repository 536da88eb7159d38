"""Connections under Airflow: the project's own places first, then Airflow's connections and secrets backends."""

from __future__ import annotations

from typing import Any

from acequia.errors import AcequiaError
from acequia.receive.connections import Connection, Resolver, resolver
from acequia.settings import Settings


def airflow_resolver(settings: Settings) -> Resolver:
    """Environment, then connections.yaml, then Airflow."""
    own = resolver(settings)

    def connect(name: str) -> Connection:
        try:
            return own(name)
        except AcequiaError as error:
            if error.code != "connection_unknown":
                raise
        return from_airflow(name)

    return connect


def from_airflow(name: str) -> Connection:
    """An Airflow connection as ours: host, port, login, password; everything else by its name in `extra`."""
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = AirflowConnection.get(name)
    except AirflowNotFoundException:
        raise AcequiaError(
            "connection_unknown", f"no connection {name}: neither in connections.yaml nor in Airflow"
        ) from None
    return translate(found.host, found.port, found.login, found.password, dict(found.extra_dejson))


def translate(
    host: str | None, port: int | None, login: str | None, password: str | None, extra: dict[str, Any]
) -> Connection:
    """The pure part: Airflow's fields to ours. For S3, login and password are the access and secret key."""
    known = {key: value for key, value in extra.items() if key in Connection.model_fields}
    if "endpoint_url" in extra or extra.get("region_name"):
        known |= {"access_key": login, "secret_key": password}
        known.setdefault("region", extra.get("region_name"))
    else:
        known |= {"user": login, "password": password}
    if host and host.startswith("https://"):
        known.setdefault("base_url", host if port is None else f"{host}:{port}")
    elif host:
        known |= {"host": host, "port": port}
    return Connection(**{key: value for key, value in known.items() if value is not None})
