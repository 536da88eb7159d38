"""The catalogue that others harvest: DCAT-AP 3 as JSON-LD, one dataset for each table, with its current releases.

Addresses are relative to the catalogue's own, so that it is right in a folder, in S3 and behind a portal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acequia.period import Period
from acequia.publish import catalog, open_release
from acequia.publish.release import period_folder

if TYPE_CHECKING:
    from acequia.publish.lake import Lake

PATH = "open/catalog.jsonld"
_EU = "http://publications.europa.eu/resource/authority"
_FREQUENCY = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "quarter": "QUARTERLY", "year": "ANNUAL"}
_MEDIA = {"csv": ("CSV", "text/csv"), "parquet": ("PARQUET", "application/vnd.apache.parquet")}
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


@dataclass(frozen=True)
class Dataset:
    """A table with the data packages of its current releases, by folder below `open/`."""

    info: catalog.TableInfo
    packages: dict[str, dict[str, Any]]


def write_catalogue(lake: Lake, *, title: str = "Curated tables", publisher: str = "Acequia") -> str:
    """Write `open/catalog.jsonld` for all tables of the lake, unless it says just that. Returns its path."""
    datasets = [Dataset(info, _packages(lake, info)) for info in catalog.tables(lake)]
    content = (json.dumps(catalogue(datasets, title, publisher), ensure_ascii=False, indent=1) + "\n").encode()
    if lake.files.read(PATH) != content:
        lake.files.write(PATH, content)
    return PATH


def catalogue(datasets: Sequence[Dataset], title: str, publisher: str) -> dict[str, Any]:
    """The catalogue as JSON-LD. Pure: the same tables and releases give the same document."""
    agent = {"@id": "#publisher", "@type": "foaf:Agent", "foaf:name": publisher}
    return {
        "@context": CONTEXT,
        "@id": "#catalogue",
        "@type": "dcat:Catalog",
        "dct:title": _said(title),
        "dct:description": _said("Aggregate tables from companies' deliveries, protected against disclosure."),
        "dct:publisher": agent,
        "dcat:dataset": [_dataset(dataset) for dataset in datasets],
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    info, told = dataset.info, dataset.info.properties
    language = told.get("acequia.language", "en")
    found: dict[str, Any] = {
        "@id": f"#{info.name}",
        "@type": "dcat:Dataset",
        "dct:identifier": info.name,
        "dct:title": _said(info.name.replace("_", " ").replace(".", ": "), language),
        "dct:description": _said(info.describe or info.name, language),
        "dct:publisher": {"@id": "#publisher"},
        "dct:creator": {
            "@id": f"#{info.namespace}",
            "@type": "foaf:Agent",
            "foaf:name": told.get("acequia.partner-name", info.namespace),
        },
        "dcat:contactPoint": {
            "@type": ["vcard:Kind", "vcard:Organization"],
            "vcard:fn": "Data steward",
            "vcard:hasEmail": {"@id": f"mailto:{told.get('acequia.steward', '')}"},
        },
        "dct:accessRights": {"@id": f"{_EU}/access-right/RESTRICTED", "@type": "dct:RightsStatement"},
        "dct:modified": _typed(info.committed_at.isoformat(timespec="seconds"), "dateTime"),
        "dct:provenance": {
            "@type": "dct:ProvenanceStatement",
            "rdfs:label": _said(_provenance(info)),
        },
        "dcat:keyword": [_said(word.replace("_", " ")) for word in told.get("acequia.purposes", "").split()],
        "dcat:distribution": [part for item in sorted(dataset.packages.items()) for part in _distributions(*item)],
    }
    if kind := told.get("acequia.period-kind"):
        found["dct:accrualPeriodicity"] = {"@id": f"{_EU}/frequency/{_FREQUENCY[kind]}", "@type": "dct:Frequency"}
    if info.periods:
        covered = sorted(Period.parse(label) for label in info.periods)
        found["dct:temporal"] = {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _typed(covered[0].start.isoformat(), "date"),
            "dcat:endDate": _typed(covered[-1].last_day.isoformat(), "date"),
        }
    return found


def _provenance(info: catalog.TableInfo) -> str:
    told = info.properties
    return (
        f"Aggregated under agreement {told.get('acequia.agreement', '')} of {info.namespace} "
        f"(sha256 {told.get('acequia.agreement-sha256', '')}). Legal basis: {told.get('acequia.legal-basis', '')}."
    )


def _distributions(folder: str, package: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for resource in package["resources"]:
        code, media = _MEDIA[resource["format"]]
        address = f"{folder}/{resource['path']}"
        one: dict[str, Any] = {
            "@id": f"#{address}",
            "@type": "dcat:Distribution",
            "dct:title": _said(f"{package['title']} ({resource['format']})"),
            "dcat:accessURL": {"@id": f"{folder}/", "@type": "rdfs:Resource"},
            "dcat:downloadURL": {"@id": address, "@type": "rdfs:Resource"},
            "dct:format": {"@id": f"{_EU}/file-type/{code}", "@type": "dct:MediaTypeOrExtent"},
            "dcat:mediaType": {
                "@id": f"https://www.iana.org/assignments/media-types/{media}",
                "@type": "dct:MediaType",
            },
            "spdx:checksum": {
                "@type": "spdx:Checksum",
                "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256", "@type": "spdx:ChecksumAlgorithm"},
                "spdx:checksumValue": _typed(resource["hash"].removeprefix("sha256:"), "hexBinary"),
            },
        }
        if "bytes" in resource:
            one["dcat:byteSize"] = _typed(str(resource["bytes"]), "nonNegativeInteger")
        found.append(one)
    return found


def _packages(lake: Lake, info: catalog.TableInfo) -> dict[str, dict[str, Any]]:
    found = {}
    partner, table = info.name.split(".")
    for period in info.periods:
        pointer = open_release.latest(lake.files, partner, table, period) or {}
        if pointer.get("status") == "published":
            folder = f"{period_folder(partner, table, period)}/{pointer['release']}"
            found[folder.removeprefix("open/")] = json.loads(lake.files.read(f"{folder}/datapackage.json") or b"{}")
    return {folder: package for folder, package in found.items() if package}


def _said(text: str, language: str = "en") -> dict[str, str]:
    return {"@value": text, "@language": language}


def _typed(text: str, kind: str) -> dict[str, str]:
    return {"@value": text, "@type": f"xsd:{kind}"}
