"""The catalogue for other catalogues: complete by DCAT-AP's own shapes, and right about the releases."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from acequia.publish import catalog
from acequia.publish.dcat import CONTEXT, catalogue, write_catalogue
from acequia.publish.lake import Lake
from tests.publish.cells import NAME, PARTNER, cell, day

SHARED = Path(os.environ.get("ACEQUIA_TEST_SHARED", Path(__file__).resolve().parents[3] / "shared"))
SHAPES = SHARED / "schemas" / "dcat_ap" / "dcat-ap-SHACL.ttl"
ONE = re.compile(r"^<([^>]+)> (.*?) \.$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def written(lake: Lake, publish, home: Path) -> dict[str, Any]:
    publish("2026-03-01")
    publish("2026-03-02")
    publish("2026-03-02", [cell("Maun", 6, 4, "2026-03-02")], version=2)
    publish("2026-03-03")
    lake.withdraw(NAME, "2026-03-03", "sent by mistake")
    return json.loads((home / "lake" / lake.write_catalogue()).read_text())


def test_each_table_is_a_dataset_with_its_current_releases(written: dict[str, Any], home: Path) -> None:
    (dataset,) = written["dcat:dataset"]
    assert dataset["dct:identifier"] == NAME
    assert dataset["dct:description"] == {"@value": "One row per district and hour.", "@language": "en"}
    assert dataset["dct:accrualPeriodicity"]["@id"].endswith("/DAILY")
    assert dataset["dct:temporal"]["dcat:endDate"]["@value"] == "2026-03-02"
    assert dataset["dcat:contactPoint"]["vcard:hasEmail"] == {"@id": "mailto:steward@stats.example"}
    assert len(dataset["dcat:distribution"]) == 2 * 2
    for part in dataset["dcat:distribution"]:
        file = home / "lake" / "open" / part["dcat:downloadURL"]["@id"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == part["spdx:checksum"]["spdx:checksumValue"]["@value"]
        assert (home / "lake" / "open" / part["dcat:accessURL"]["@id"]).is_dir()


def test_the_same_lake_gives_the_same_catalogue(written: dict[str, Any], lake: Lake, home: Path) -> None:
    path = home / "lake" / "open" / "catalog.jsonld"
    before = path.stat().st_mtime_ns
    assert write_catalogue(lake) == "open/catalog.jsonld"
    assert path.stat().st_mtime_ns == before


def test_an_empty_lake_has_a_catalogue_too(lake: Lake) -> None:
    lake.write_catalogue()
    assert catalogue([], "Tables", "Office")["dcat:dataset"] == []


def test_nothing_mandatory_is_absent(written: dict[str, Any]) -> None:
    """The mandatory properties of DCAT-AP 3, written out, for where its shapes are not at hand."""
    mandatory = {
        "dcat:Catalog": {"dct:title", "dct:description", "dct:publisher"},
        "dcat:Dataset": {"dct:title", "dct:description"},
        "dcat:Distribution": {"dcat:accessURL"},
        "foaf:Agent": {"foaf:name"},
        "spdx:Checksum": {"spdx:algorithm", "spdx:checksumValue"},
    }
    seen = set()
    for node in nodes(written):
        for kind in kinds(node):
            seen.add(kind)
            assert mandatory.get(kind, set()) <= node.keys(), kind
    assert mandatory.keys() <= seen


def test_the_shapes_of_dcat_ap_are_kept(written: dict[str, Any]) -> None:
    """How many values, of which class, literal or not: read from the standard's own SHACL file."""
    if not SHAPES.exists():
        pytest.skip("the SHACL shapes of DCAT-AP 3 are not here: set ACEQUIA_TEST_SHARED")
    wrong, checked = [], 0
    rules = list(shapes(SHAPES.read_text(encoding="utf-8")))
    assert len(rules) > 200
    agents = {node["@id"]: node for node in nodes(written) if "@id" in node and "@type" in node}
    for node in nodes(written):
        for kind in kinds(node):
            for rule in rules:
                if rule["target"] == expanded(kind):
                    checked += 1
                    wrong += [f"{kind}: {fault}" for fault in faults(node, rule, agents)]
    assert wrong == []
    assert checked > 300


def test_the_check_of_shapes_finds_what_is_wrong(written: dict[str, Any]) -> None:
    if not SHAPES.exists():
        pytest.skip("the SHACL shapes of DCAT-AP 3 are not here: set ACEQUIA_TEST_SHARED")
    rules = [rule for rule in shapes(SHAPES.read_text(encoding="utf-8")) if rule["target"].endswith("#Dataset")]
    dataset = dict(written["dcat:dataset"][0])
    del dataset["dct:description"]
    dataset["dct:accessRights"] = "restricted"
    found = [fault for rule in rules for fault in faults(dataset, rule, {})]
    assert any("description" in fault for fault in found)
    assert any("accessRights" in fault for fault in found)


def test_a_description_in_spanish_says_so(lake: Lake, publish) -> None:
    from dataclasses import replace

    from acequia.publish.dcat import Dataset

    publish("2026-03-01", day("2026-03-01"))
    info = catalog.table(lake, NAME)
    info = replace(info, properties={**info.properties, "acequia.language": "es"})
    (dataset,) = catalogue([Dataset(info, {})], "Tables", "Office")["dcat:dataset"]
    assert dataset["dct:description"]["@language"] == "es"
    assert dataset["dct:creator"]["foaf:name"] == "Kalahari Cabs (Pty) Ltd"
    assert PARTNER in dataset["dct:provenance"]["rdfs:label"]["@value"]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every node of the JSON-LD, without its context."""
    if isinstance(value, list):
        for item in value:
            yield from nodes(item)
    elif isinstance(value, dict) and "@value" not in value:
        yield value
        for key, item in value.items():
            if not key.startswith("@"):
                yield from nodes(item)


def kinds(node: dict[str, Any]) -> list[str]:
    kind = node.get("@type", [])
    return [kind] if isinstance(kind, str) else kind


def expanded(name: str) -> str:
    prefix, colon, rest = name.partition(":")
    return CONTEXT[prefix] + rest if colon and prefix in CONTEXT else name


def shapes(text: str) -> Iterator[dict[str, Any]]:
    """One rule for each property shape and target class of a Turtle file written one statement a block."""
    prefixes = dict(re.findall(r"@prefix (\w+): <([^>]+)>", text))

    def full(term: str) -> str:
        if term.startswith("<"):
            return term[1:-1]
        prefix, _, rest = term.partition(":")
        return prefixes[prefix] + rest

    blocks = dict(ONE.findall(text))
    for body in blocks.values():
        target = re.search(r"shacl:targetClass (\S+)", body)
        for name in re.findall(r"<([^>]+Shape/[^>]+)>", body) if target else ():
            inside = blocks.get(name, "")
            path = re.search(r"shacl:path (\S+)", inside)
            if path:
                found = {key: re.search(rf"shacl:{key} (\S+?)[\s;]", inside + " ") for key in _KEYS}
                rule = {key: match.group(1) for key, match in found.items() if match}
                yield {**rule, "target": full(target.group(1)), "path": full(path.group(1)), "of": _of(rule, full)}


def _of(rule: dict[str, str], full: Callable[[str], str]) -> str | None:
    return full(rule["class"]) if "class" in rule else None


_KEYS = ("minCount", "maxCount", "nodeKind", "class")


def faults(node: dict[str, Any], rule: dict[str, Any], known: dict[str, Any]) -> Iterator[str]:
    values = next((value for key, value in node.items() if expanded(key) == rule["path"]), [])
    values = values if isinstance(values, list) else [values]
    if len(values) < int(rule.get("minCount", 0)):
        yield f"{rule['path']} is absent"
    if len(values) > int(rule.get("maxCount", len(values))):
        yield f"{rule['path']} is there {len(values)} times"
    for value in values:
        literal = not isinstance(value, dict) or "@value" in value
        if rule.get("nodeKind") == "shacl:Literal" and not literal:
            yield f"{rule['path']} is not a literal"
        if rule.get("nodeKind") in ("shacl:BlankNodeOrIRI", "shacl:IRI") and literal:
            yield f"{rule['path']} is a literal"
        if rule["of"]:
            node_itself = known.get(value.get("@id"), value) if isinstance(value, dict) else {}
            if rule["of"] not in map(expanded, kinds(node_itself)):
                yield f"{rule['path']} is not a {rule['of']}"
