"""Every YAML example of the documentation is read by the program that would read it; manifests too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from acequia.agreement.load import load
from acequia.checking import check
from acequia.errors import AcequiaError
from acequia.receive.connections import Connection
from acequia.receive.manifest import parse
from acequia.settings import Settings
from tests.docs.pages import PAGES, PROJECT, Block, blocks

EXAMPLES = [block for page in PAGES for block in blocks(page)]
YAML = [block for block in EXAMPLES if block.language == "yaml"]
MANIFESTS = [block for block in EXAMPLES if block.language == "json" and '"sha256"' in block.text]
# The example of docs/agreement.md that shows what a wrong file gets; the loader's own tests hold its errors.
WRONG = "acme_mobility"


def where(block: Block) -> str:
    return block.where


def frame() -> dict[str, Any]:
    """A small agreement that is valid, for fragments to be put into."""
    return {
        "partner": "some_partner",
        "name": "Some Partner",
        "country": "BW",
        "terms": {
            "version": "1.0",
            "legal_basis": "a law",
            "purposes": ["official_statistics"],
            "signed_on": "2026-03-01",
            "expires_on": "2028-03-01",
            "raw_kept_days": 14,
            "protected_kept_days": 400,
            "contacts": {"partner": "a@some.example", "steward": "b@office.example", "dpo": "c@office.example"},
            "recipients": ["statistics_office"],
        },
        "feeds": {
            "rides": {
                "delivery": {
                    "source": {"type": "folder", "path": "{period}/*.csv"},
                    "format": "csv",
                    "schedule": "0 6 * * *",
                    "timezone": "UTC",
                    "period": "day",
                    "due_within_hours": 24,
                },
                "columns": {"minutes": {"type": "integer", "treat": "keep"}},
                "tables": {
                    "rides_by_day": {
                        "describe": "One row per day.",
                        "by": [],
                        "measures": {"rides_count": {"count": "rows"}},
                        "protect": {"contributor": "rows", "min_contributors": 10},
                    }
                },
            }
        },
    }


def loaded(text: str, folder: Path, partner: str) -> None:
    """Read it; one whose reference tables are there is also held against the engine, as `acequia check` does."""
    (folder / "partners").mkdir()
    path = folder / "partners" / f"{partner}.yaml"
    path.write_text(text, encoding="utf-8")
    load(path)
    shutil.copytree(PROJECT / "config" / "reference", folder / "reference")
    for table in (block for block in EXAMPLES if block.marks.get("file", "").startswith("config/reference/")):
        (folder / "reference" / Path(table.marks["file"]).name).write_text(table.text, encoding="utf-8")
    settings = Settings.from_environment({"ACEQUIA_HOME": str(folder / "home"), "ACEQUIA_CONFIG": str(folder)})
    assert [finding.message for finding in check(settings) if finding.severity == "error"] == []


@pytest.mark.parametrize("block", YAML, ids=where)
def test_every_yaml_example_is_valid(block: Block, tmp_path: Path) -> None:
    said = yaml.safe_load(block.text)
    if said is None:
        assert all(line.startswith("#") for line in block.text.splitlines())
    elif isinstance(said, list):
        assert all("expectation" in one and "describe" in one for one in said)  # expectations/, judged by validate/
    elif "partner" in said and said["partner"] == WRONG:
        with pytest.raises(AcequiaError):
            loaded(block.text, tmp_path, WRONG)
    elif "partner" in said:
        loaded(block.text, tmp_path, said["partner"])
    elif "fragment of" in block.marks:
        whole = frame()
        whole["feeds"]["rides"][block.marks["fragment of"]] |= said
        loaded(yaml.safe_dump(whole), tmp_path, "some_partner")
    else:
        for fields in said.values():
            Connection.model_validate(fields)


@pytest.mark.parametrize("block", MANIFESTS, ids=where)
def test_every_manifest_is_valid(block: Block) -> None:
    assert parse(block.text.encode()).files


def test_there_are_examples() -> None:
    assert len(YAML) >= 4
    assert len(MANIFESTS) >= 2
