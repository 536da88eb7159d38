"""OpenLineage events of the steps, by pure functions. They hold names, counts, hashes and the agreement's own words.

One event a run, when it is over: COMPLETE, or FAIL for a refusal. Imports the OpenLineage client: import late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from openlineage.client.event_v2 import InputDataset, RunState
from openlineage.client.generated import (
    data_quality_assertions_dataset,
    documentation_dataset,
    error_message_run,
    input_statistics_input_dataset,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    storage_dataset,
    symlinks_dataset,
)

from acequia.agreement.load import Signed
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, Disclosed, Protected, Published, Raw, Validated
from acequia.lineage import columns, names
from acequia.lineage.datasets import (
    lake_namespace,
    owners,
    raw_facets,
    read_from,
    schema_of,
    tags,
    version,
    written_to,
)
from acequia.lineage.envelope import Event, about_delivery, event, rows
from acequia.lineage.facets import DisclosureDatasetFacet


def received(signed: Signed, feed_name: str, raw: Raw, at: datetime) -> Event:
    """The partner's files became raw bytes in landing."""
    feed, partner = signed.agreement.feed(feed_name), signed.agreement.partner
    size = sum(file.bytes for file in raw.files)
    source, landing = names.source(partner, feed), names.landing(partner, feed_name)
    told = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(size=size, fileCount=len(raw.files))
    facets = {
        **raw_facets(signed, feed),
        **version(str(raw.delivery)),
        "storage": storage_dataset.StorageDatasetFacet("landing, encrypted", feed.delivery.format),
    }
    about = about_delivery(signed, feed_name, "receive", raw.delivery, contentSha256=raw.content_sha256)
    return event(
        signed,
        feed_name,
        about,
        names.run_id("receive", raw.delivery, raw.content_sha256),
        at,
        inputs=[InputDataset(source.namespace, source.name)],
        outputs=[written_to(landing, facets, told)],
    )


def protected(signed: Signed, feed_name: str, raw: Raw, made: Protected, at: datetime) -> Event:
    """Raw bytes became protected rows."""
    feed, partner = signed.agreement.feed(feed_name), signed.agreement.partner
    landing, workspace = names.landing(partner, feed_name), names.workspace(partner, feed_name)
    size = sum(file.bytes for file in raw.files)
    read = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(made.count.rows_in, size, len(raw.files))
    wrote = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(made.count.rows_out, fileCount=1)
    facets = {
        "schema": schema_of(made.columns),
        "columnLineage": columns.of_gate(feed, landing),
        "storage": storage_dataset.StorageDatasetFacet("workspace", "parquet"),
        **version(names.protected_version(made)),
        **tags(zone="restricted", direct_identifiers="none"),
    }
    told = {"contentSha256": made.sha256, "madeBy": made.made_by, **rows(made.count)}
    inputs = [read_from(landing, {**raw_facets(signed, feed), **version(str(raw.delivery))}, {"inputStatistics": read})]
    return event(
        signed,
        feed_name,
        about_delivery(signed, feed_name, "protect", made.delivery, **told),
        names.run_id("protect", made.delivery, made.made_by),
        at,
        inputs=inputs,
        outputs=[written_to(workspace, facets, wrote)],
    )


def validated(signed: Signed, feed_name: str, made: Protected, verdict: Validated, at: datetime) -> Event:
    """Great Expectations judged the protected rows. Assertions say how many rows failed, never which or why."""
    workspace = names.workspace(signed.agreement.partner, feed_name)
    assertions = [
        data_quality_assertions_dataset.Assertion(
            assertion=check.name,
            success=check.passed,
            column=check.column,
            severity="error",
            description=check.describe or None,
            actual=None if check.rows_failing is None else f"{check.rows_failing} rows failing",
            params=None,
        )
        for check in verdict.checks
    ]
    read = {"dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions)}
    about = about_delivery(
        signed, feed_name, "validate", verdict.delivery, madeBy=verdict.made_by, **rows(verdict.count)
    )
    return event(
        signed,
        feed_name,
        about,
        names.run_id("validate", verdict.delivery, verdict.made_by),
        at,
        inputs=[read_from(workspace, version(names.protected_version(made)), read)],
    )


def published(
    signed: Signed,
    feed_name: str,
    disclosed: Disclosed,
    release: Published,
    at: datetime,
    *,
    lake: str,
    versions: Mapping[str, str],
    schema: Mapping[str, str],
) -> Event:
    """Cells went out as a table.

    Args:
        signed: The agreement.
        feed_name: The feed.
        disclosed: The cells after disclosure control.
        release: Where they went.
        at: When.
        lake: The lake's place.
        versions: Delivery -> the version of its protected rows that was read.
        schema: The published columns and their types.
    """
    feed, partner = signed.agreement.feed(feed_name), signed.agreement.partner
    table, workspace = names.table(partner, disclosed.table), names.workspace(partner, feed_name)
    deliveries = sorted(disclosed.deliveries, key=lambda part: (part.of_period(), part.version))
    agreed = feed.tables[disclosed.table]
    facets = {
        "schema": schema_of(schema, {name: measure.describe for name, measure in agreed.measures.items()}),
        "columnLineage": columns.of_table(feed, agreed, workspace),
        "documentation": documentation_dataset.DocumentationDatasetFacet(agreed.describe),
        "ownership": owners(signed),
        "storage": storage_dataset.StorageDatasetFacet("iceberg", "parquet"),
        "symlinks": symlinks_dataset.SymlinksDatasetFacet(
            [symlinks_dataset.Identifier(lake_namespace(lake), table.name, "TABLE")]
        ),
        "lifecycleStateChange": lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
            lifecycle_state_change_dataset.LifecycleStateChange.OVERWRITE
        ),
        "acequia_disclosure": DisclosureDatasetFacet(
            cells=disclosed.cells,
            withheld=dict(disclosed.withheld),
            provisional=disclosed.provisional,
            rules=sorted(disclosed.rules),  # not their parameters: events may leave the house
        ),
        **version(str(release.snapshot_id)),
        **tags(zone="lake", recipients=", ".join(agreed.recipients or signed.agreement.terms.recipients)),
    }
    wrote = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(disclosed.cells)
    about = about_delivery(signed, feed_name, "publish", deliveries[-1], contentSha256=release.content_sha256)
    about.deliveries, about.period = [str(part) for part in deliveries], disclosed.period
    what = (table.name, disclosed.period, release.snapshot_id, release.content_sha256, disclosed.provisional)
    return event(
        signed,
        feed_name,
        about,
        names.run_id("publish", *what, *(versions.get(str(part), str(part)) for part in deliveries)),
        at,
        inputs=[read_from(workspace, version(versions.get(str(part), str(part)))) for part in deliveries],
        outputs=[written_to(table, facets, wrote)],
        job=f"publish.{disclosed.table}",
    )


def refused(signed: Signed, feed_name: str, delivery: DeliveryId, error: AcequiaError, at: datetime) -> Event:
    """The delivery was refused: its run failed."""
    landing = names.landing(signed.agreement.partner, feed_name)
    return event(
        signed,
        feed_name,
        about_delivery(signed, feed_name, "deliver", delivery),
        names.delivery_run(signed, delivery),
        at,
        inputs=[read_from(landing, version(str(delivery)))],
        state=RunState.FAIL,
        facets={
            "errorMessage": error_message_run.ErrorMessageRunFacet(f"[{error.code}] {error.what}", "python"),
        },
    )
