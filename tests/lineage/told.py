"""Invented steps of the partners in config/partners, and the JSON schemas of OpenLineage."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acequia.agreement.load import Signed, load
from acequia.agreement.model import Feed
from acequia.flow import (
    Check,
    Count,
    DeliveryId,
    Disclosed,
    LandedFile,
    Protected,
    Published,
    Raw,
    Validated,
)
from acequia.lineage.events import Lineage

PROJECT = Path(__file__).resolve().parents[2]
PARTNERS = sorted((PROJECT / "config" / "partners").glob("*.yaml"))
OWN_SCHEMAS = PROJECT / "plugins" / "acequia" / "lineage" / "schemas"
PERIODS = {"day": "2026-11-16", "week": "2026-W46", "month": "2026-11", "quarter": "2026-Q4", "year": "2026"}
ONE, TWO = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def spec_folder() -> Path | None:
    shared = Path(os.environ.get("ACEQUIA_TEST_SHARED") or PROJECT.parent / "shared")
    found = shared / "schemas" / "openlineage" / "spec"
    return found if found.is_dir() else None


@dataclass(frozen=True)
class Steps:
    """What the rooms would hand over for one delivery of a feed."""

    signed: Signed
    feed_name: str
    raw: Raw
    protected: Protected
    validated: Validated
    published: tuple[tuple[Disclosed, Published], ...]

    @property
    def feed(self) -> Feed:
        return self.signed.agreement.feed(self.feed_name)

    def tell(self, lineage: Lineage) -> None:
        lineage.received(self.signed, self.feed_name, self.raw)
        lineage.protected(self.signed, self.feed_name, self.raw, self.protected)
        lineage.validated(self.signed, self.feed_name, self.protected, self.validated)
        for disclosed, release in self.published:
            lineage.published(self.signed, self.feed_name, disclosed, release)


def agreement(partner: str = "pula_mobile") -> Signed:
    return load(PROJECT / "config" / "partners" / f"{partner}.yaml")


def steps_of(
    signed: Signed,
    feed_name: str,
    *,
    period: str | None = None,
    version: int = 1,
    made_by: str = ONE,
    snapshot: int = 0,
    together_with: tuple[DeliveryId, ...] = (),
    window: str | None = None,
) -> Steps:
    """One delivery through all steps; with `together_with`, its tables are of a window with those deliveries too."""
    feed = signed.agreement.feed(feed_name)
    label = period or PERIODS[feed.delivery.period]
    delivery = DeliveryId(partner=signed.agreement.partner, feed=feed_name, period=label, version=version)
    content = sha(str(delivery))
    name = "Boitumelo Kgosi +267 71 234 567.csv.gz"
    files = (LandedFile(name=name, stored=f"landing/{name}.age", bytes=1234, sha256=content),)
    count = Count(rows_in=100, rows_out=97, set_aside={"duplicate": 3})
    types = dict.fromkeys(feed.kept, "VARCHAR")
    checks = (
        Check(name="gate:null:msisdn", column=next(iter(feed.kept)), passed=True, rows_failing=0),
        Check(name="rows_between", column=None, passed=True, describe="between 1 and 1000 rows"),
    )
    published = tuple(
        _published(signed, table, (*together_with, delivery), window or label, snapshot + number)
        for number, table in enumerate(feed.tables, 1)
    )
    return Steps(
        signed=signed,
        feed_name=feed_name,
        raw=Raw(delivery=delivery, files=files, content_sha256=content),
        protected=Protected(
            delivery=delivery, path="/nowhere/protected.parquet", sha256=sha(made_by), columns=types, count=count,
            made_by=made_by,
        ),
        validated=Validated(delivery=delivery, passed=True, checks=checks, count=count, made_by=made_by),
        published=published,
    )  # fmt: skip


def _published(
    signed: Signed, table: str, deliveries: tuple[DeliveryId, ...], window: str, snapshot: int
) -> tuple[Disclosed, Published]:
    content = sha(f"{table} {window} {snapshot}")
    disclosed = Disclosed(
        table=table, period=window, deliveries=deliveries, path="/nowhere/disclosed.parquet", sha256=content, cells=12,
        withheld={"min_contributors": 2}, rules={"min_contributors": 15},
    )  # fmt: skip
    name = f"{signed.agreement.partner}.{table}"
    return disclosed, Published(table=name, period=window, snapshot_id=snapshot, changed=True, content_sha256=content)


def validator(spec: Path) -> Any:
    """A function that gives everything in an event that the specification, or our own schemas, forbid."""
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    documents = [json.loads(path.read_bytes()) for path in (spec / "OpenLineage.json", *spec.glob("facets/*.json"))]
    documents += [json.loads(path.read_bytes()) for path in OWN_SCHEMAS.glob("*.json")]
    known = {document["$id"]: document for document in documents}
    registry: Any = Registry().with_resources(
        (name, Resource.from_contents(document, default_specification=DRAFT202012)) for name, document in known.items()
    )

    def against(reference: str, value: object) -> Iterator[str]:
        if reference.split("#")[0] not in known:
            yield f"no schema {reference}"
            return
        checker = Draft202012Validator({"$ref": reference}, registry=registry, format_checker=FormatChecker())
        for error in checker.iter_errors(value):
            yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"

    def validate(event: Mapping[str, Any]) -> list[str]:
        found = list(against(event["schemaURL"], event))
        for facets in facets_of(event):
            for facet in facets.values():
                found += against(facet["_schemaURL"], facet)
        return found

    return validate


def facets_of(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield event["run"].get("facets", {})
    yield event["job"].get("facets", {})
    for dataset in (*event["inputs"], *event["outputs"]):
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield dataset.get(kind, {})


def told(lineage: Lineage) -> list[dict[str, Any]]:
    """The events in the file."""
    return [json.loads(line) for line in lineage.file.read_text(encoding="utf-8").splitlines()]
