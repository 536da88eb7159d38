"""The compose file holds to the Compose specification, and to what production needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = PROJECT / "docker-compose.yml"
SHARED = Path(os.environ.get("ACEQUIA_TEST_SHARED", PROJECT.parent / "shared"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())


def test_it_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    schema = SHARED / "schemas" / "compose" / "compose-spec.json"
    if not schema.exists():
        pytest.skip("the Compose specification's schema is not beside the project (ACEQUIA_TEST_SHARED)")
    jsonschema.validate(compose, json.loads(schema.read_text()))


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        image = service["image"]
        assert re.search(r":\d+\.\d+", image) or image.startswith("${OBJECT_STORE_IMAGE:?"), f"{name}: {image}"
        assert "latest" not in image


def test_long_running_services_are_health_checked(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if service.get("restart") != "no":
            assert service["healthcheck"]["test"], name


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = COMPOSE.read_text()
    assert not re.findall(r"\$\{\w*(?:PASSWORD|SECRET|KEY)\w*(?::-|-|\})", text)
    for line in text.splitlines():
        if re.search(r"(PASSWORD|SECRET|FERNET)\w*:\s", line):
            assert "${" in line, line


def test_only_the_front_doors_are_published_and_only_locally(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"airflow-apiserver": ["127.0.0.1:8080:8080"], "intake": ["127.0.0.1:8443:8443"]}


def test_every_variable_is_made_by_make_env(tmp_path: Path) -> None:
    target = tmp_path / ".env"
    for expected in (0, 1):  # the second time it leaves the file alone
        made = subprocess.run([sys.executable, str(PROJECT / "docker" / "make_env.py"), str(target)], check=False)
        assert made.returncode == expected
    assert target.stat().st_mode & 0o077 == 0
    values = dict(line.split("=", 1) for line in target.read_text().splitlines() if not line.startswith("#"))
    assert set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text())) <= set(values)
    secrets = [value for name, value in values.items() if name != "OBJECT_STORE_IMAGE"]
    assert len(set(secrets)) == len(secrets) and all(len(value) > 12 for value in secrets)


def test_what_the_image_copies_exists() -> None:
    dockerfile = (PROJECT / "docker" / "Dockerfile").read_text()
    for source in re.findall(r"^COPY (.+) \S+$", dockerfile, flags=re.MULTILINE):
        for name in source.split():
            assert (PROJECT / name).exists(), name
