"""Opens the key store that ACEQUIA_KEYS names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.keys.files import FileKeyStore
from acequia.keys.store import KeyStore

Ask = Callable[[str], Mapping[str, Any]]
"""A connection's fields by its id. Raises `connection_unknown`."""

KMS_CONNECTION, VAULT_CONNECTION = "acequia_kms", "acequia_vault"
SHAPES = "file, airflow:<connection>, vault:<mount>/<path> or awskms:<key id or alias>"


def open_store(setting: str, folder: Path, ask: Ask, environ: Mapping[str, str] | None = None) -> KeyStore:
    """The store of a setting such as `vault:secret/acequia`. Nothing is asked yet.

    Args:
        setting: see `SHAPES`.
        folder: for keys in files, and for the marks of destroyed keys.
        ask: how connections are found.
        environ: for tests; by default the environment.
    """
    env = os.environ if environ is None else environ
    kind, _, rest = setting.partition(":")
    if setting in ("", "file"):
        return FileKeyStore(folder)
    if kind == "airflow" and rest:
        from acequia.keys.connection import ConnectionKeyStore, of_airflow

        return ConnectionKeyStore(rest, folder, lambda: of_airflow(rest, env) or ask(rest))
    if kind == "vault" and "/" in rest.strip("/"):
        from acequia.keys.vault import VaultKeyStore

        mount, _, path = rest.strip("/").partition("/")
        return VaultKeyStore(mount, path, partial(_vault_login, ask, env))
    if kind == "awskms" and rest:
        from acequia.keys.kms import KmsKeyStore

        return KmsKeyStore(folder, rest, partial(_asked, ask, KMS_CONNECTION))
    raise AcequiaError("usage", f"ACEQUIA_KEYS is none of {SHAPES}")


def _vault_login(ask: Ask, env: Mapping[str, str]) -> Mapping[str, Any]:
    """The connection `acequia_vault`, or what Vault's own client reads."""
    usual = {"base_url": env.get("VAULT_ADDR"), "token": env.get("VAULT_TOKEN"), "ca_file": env.get("VAULT_CACERT")}
    return _asked(ask, VAULT_CONNECTION) or usual


def _asked(ask: Ask, name: str) -> Mapping[str, Any]:
    """A connection that need not be there."""
    try:
        return ask(name)
    except AcequiaError as error:
        if error.code == "connection_unknown":
            return {}
        raise
