"""Writes .env for docker compose: every secret made here and now, the file readable by its owner only."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path

SECRETS = ("POSTGRES_PASSWORD", "AIRFLOW_DATABASE_PASSWORD", "ACEQUIA_DATABASE_PASSWORD", "REDIS_PASSWORD",
           "AIRFLOW_JWT_SECRET", "AIRFLOW_API_SECRET", "AIRFLOW_ADMIN_PASSWORD", "OBJECT_STORE_SECRET_KEY")  # fmt: skip


def main(target: Path) -> int:
    """Make the file; an existing one is left alone, since its secrets are in use."""
    if target.exists():
        sys.stderr.write(f"{target} is there already; its secrets are in use, so it was left alone.\n")
        return 1
    lines = [f"{name}={secrets.token_urlsafe(32)}" for name in SECRETS]
    lines += [
        f"AIRFLOW_FERNET_KEY={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        f"OBJECT_STORE_ACCESS_KEY=acequia{secrets.token_hex(6)}",
        "# The object store's image, by tag and digest: a release from October 2026 or later (docs/operations.md).",
        "OBJECT_STORE_IMAGE=",
    ]
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    sys.stdout.write(f"{target} written. Set OBJECT_STORE_IMAGE in it, then: docker compose up --build --detach\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".env")))
