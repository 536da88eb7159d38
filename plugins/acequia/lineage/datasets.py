"""Datasets and their facets, as far as several steps need them. Imports the OpenLineage client: import late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.generated import (
    dataset_version_dataset,
    documentation_dataset,
    ownership_dataset,
    schema_dataset,
    tags_dataset,
)

from acequia.agreement.load import Signed
from acequia.agreement.model import Feed
from acequia.lineage import columns
from acequia.lineage.names import Name


def read_from(dataset: Name, facets: Mapping[str, Any], read: Mapping[str, Any] | None = None) -> InputDataset:
    """A dataset that a run read."""
    return InputDataset(dataset.namespace, dataset.name, facets=dict(facets), inputFacets=dict(read or {}))


def written_to(dataset: Name, facets: Mapping[str, Any], wrote: Any) -> OutputDataset:
    """A dataset that a run wrote, with its statistics."""
    return OutputDataset(dataset.namespace, dataset.name, facets=dict(facets), outputFacets={"outputStatistics": wrote})


def raw_facets(signed: Signed, feed: Feed) -> dict[str, Any]:
    """What the agreement says of the raw bytes: columns with their treatment, owner, zone."""
    described = {name: f"treatment: {columns.treatment_in_words(column)}" for name, column in feed.arriving.items()}
    return {
        "schema": schema_of({name: column.type for name, column in feed.arriving.items()}, described),
        "ownership": owners(signed),
        **({"documentation": documentation_dataset.DocumentationDatasetFacet(feed.describe)} if feed.describe else {}),
        **tags(zone="restricted", country=signed.agreement.country),
    }


def schema_of(types: Mapping[str, str], described: Mapping[str, str | None] | None = None) -> Any:
    """Columns in order, with their types and descriptions."""
    fields = [
        schema_dataset.SchemaDatasetFacetFields(name, kind or None, (described or {}).get(name), number)
        for number, (name, kind) in enumerate(types.items(), 1)
    ]
    return schema_dataset.SchemaDatasetFacet(fields)


def version(version: str) -> dict[str, Any]:
    """The facet of a dataset's version."""
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(version)}


def owners(signed: Signed) -> ownership_dataset.OwnershipDatasetFacet:
    """The facet of a dataset's owner: the partner."""
    return ownership_dataset.OwnershipDatasetFacet(
        [ownership_dataset.Owner(f"partner:{signed.agreement.partner}", "DATA_PROVIDER")]
    )


def tags(**told: str) -> dict[str, Any]:
    """The facet of a dataset's tags."""
    fields = [tags_dataset.TagsDatasetFacetFields(key, value, "ACEQUIA") for key, value in told.items()]
    return {"tags": tags_dataset.TagsDatasetFacet(fields)}


def lake_namespace(lake: str) -> str:
    """`s3://bucket`, or `file`: a folder's path is nobody's business elsewhere."""
    return "/".join(lake.split("/")[:3]) if "://" in lake else "file"
