"""The rooms face one way, modules stay small, and each outside library stays in its room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "plugins" / "acequia"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *PROJECT.glob("transforms/*.py"), *PROJECT.glob("dags/*.py"),
                  PROJECT / "plugins" / "acequia_plugin.py"])  # fmt: skip

# Each room may import those above it. What one line holds stands side by side.
ORDER: tuple[tuple[str, ...], ...] = (
    ("errors", "words"),
    ("period", "keys", "settings", "scratch"),
    ("flow",),
    ("engine",),
    ("agreement",),
    ("signatures",),
    ("receive",),
    ("protect",),
    ("validate",),
    ("aggregate",),
    ("disclose", "drift"),
    ("preflight",),
    ("publish",),
    ("ledger",),
    ("lineage",),
    ("custody", "pauses"),
    ("promises",),
    ("notices",),
    ("simulate",),
    ("canary", "scanning"),
    ("work",),
    ("succession", "windows", "corrections", "look_back", "proposals", "deletion", "comparisons", "spending"),
    ("auditing",),
    ("pipeline", "checking", "drafting"),
    ("withdrawal", "returned", "amending"),
    ("opening",),
    ("intake",),
    ("upkeep", "health", "reference", "calendars"),
    ("watch",),
    ("orchestrate",),
    ("demo",),
    ("cli", "training"),
    ("__main__",),
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}

OWNERS = {
    "airflow": ("plugins/acequia/orchestrate/", "plugins/acequia_plugin.py", "dags/"),
    "great_expectations": ("plugins/acequia/validate/",),
    "presidio_analyzer": ("plugins/acequia/protect/",),
    "presidio_anonymizer": ("plugins/acequia/protect/",),
    "pyiceberg": ("plugins/acequia/publish/",),
    "alembic": ("plugins/acequia/ledger/",),
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            if node.module == "acequia":
                yield from (f"acequia.{name.name}" for name in node.names)


def room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


PACKAGED = [path for path in SOURCES if path.is_relative_to(PACKAGE) and path != PACKAGE / "__init__.py"]


def test_every_room_has_its_place_in_the_order() -> None:
    assert {room(path) for path in PACKAGED} == set(RANK)


@pytest.mark.parametrize("path", PACKAGED, ids=name_of)
def test_no_room_imports_a_later_one(path: Path) -> None:
    mine = room(path)
    for module in imported(path):
        parts = module.split(".")
        if parts[0] == "acequia" and len(parts) > 1 and parts[1] in RANK and parts[1] != mine:
            assert RANK[parts[1]] < RANK[mine], f"{mine} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_each_library_stays_in_its_room(path: Path) -> None:
    for module in imported(path):
        owners = OWNERS.get(module.split(".")[0])
        assert owners is None or name_of(path).startswith(owners), f"{module} belongs to {owners}"


@pytest.mark.parametrize("path", [*SOURCES, *sorted((PROJECT / "tests").rglob("*.py"))], ids=name_of)
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def test_airflow_does_not_import_the_package_under_bare_names() -> None:
    assert (PROJECT / "plugins" / ".airflowignore").read_text().split() == ["acequia/"]


def test_the_agreed_top_level_is_there() -> None:
    for name in ("dags", "plugins", "expectations", "transforms", "config", "tests", "docker-compose.yml", "README.md"):
        assert (PROJECT / name).exists(), name


def test_nothing_names_a_package_registry() -> None:
    hosts = re.compile(r"p[y]pi\.org|p[y]thonhosted|registry\.n[p]mjs|d[e]b\.debian\.org")
    for path in [*SOURCES, *PROJECT.glob("requirements/*"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("*.*")]:
        if path.is_file():
            assert not hosts.search(path.read_text(encoding="utf-8", errors="ignore")), path
