"""What every event has around its datasets: run, job, agreement, nominal time. Imports the OpenLineage client."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.generated import job_type_job, nominal_time_run, parent_run
from openlineage.client.serde import Serde

from acequia import __version__
from acequia.agreement.load import Signed
from acequia.agreement.model import Feed
from acequia.flow import Count, DeliveryId
from acequia.lineage import names
from acequia.lineage.facets import AgreementRunFacet, DeliveryRunFacet
from acequia.period import Period

PRODUCER = f"urn:acequia:{__version__}"
Event = dict[str, Any]


def event(
    signed: Signed,
    feed_name: str,
    about: DeliveryRunFacet,
    run_id: str,
    at: datetime,
    *,
    inputs: list[InputDataset],
    outputs: list[OutputDataset] | None = None,
    state: RunState = RunState.COMPLETE,
    facets: Mapping[str, Any] | None = None,
    job: str = "",
) -> Event:
    """One event of a run, as JSON values."""
    own = f"{signed.agreement.partner}.{feed_name}"
    delivery = DeliveryId.parse(about.delivery)
    run_facets: dict[str, Any] = {
        "nominalTime": _nominal(signed.agreement.feed(feed_name), Period.parse(about.period)),
        "acequia_agreement": _agreement(signed),
        "acequia_delivery": about,
        **(facets or {}),
    }
    if about.step != "deliver":
        run_facets["parent"] = parent_run.ParentRunFacet(
            run=parent_run.Run(names.delivery_run(signed, delivery)), job=parent_run.Job(names.NAMESPACE, own)
        )
    name = own if about.step == "deliver" else f"{own}.{job or about.step}"
    kind = job_type_job.JobTypeJobFacet("BATCH", "ACEQUIA", "DELIVERY" if about.step == "deliver" else "STEP")
    whole = RunEvent(
        eventTime=at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        eventType=state,
        run=Run(run_id, run_facets),
        job=Job(names.NAMESPACE, name, {"jobType": kind}),
        inputs=inputs,
        outputs=outputs or [],
    )
    told = Serde.to_dict(whole)
    _sign(told)
    return told


def _sign(value: Any) -> None:
    """Name us as the producer: the client has one name for the whole process, and Airflow's provider may set it."""
    if isinstance(value, dict):
        for key in ("producer", "_producer"):
            if key in value:
                value[key] = PRODUCER
        for part in value.values():
            _sign(part)
    elif isinstance(value, list):
        for part in value:
            _sign(part)


def about_delivery(signed: Signed, feed_name: str, step: str, delivery: DeliveryId, **told: Any) -> DeliveryRunFacet:
    """The facet that names step and delivery."""
    return DeliveryRunFacet(
        step=step,
        delivery=str(delivery),
        deliveries=[str(delivery)],
        partner=signed.agreement.partner,
        feed=feed_name,
        period=delivery.period,
        **told,
    )


def _agreement(signed: Signed) -> AgreementRunFacet:
    terms = signed.agreement.terms
    return AgreementRunFacet(
        partner=signed.agreement.partner,
        version=terms.version,
        sha256=signed.sha256,
        legalBasis=terms.legal_basis,
        purposes=list(terms.purposes),
        signedOn=terms.signed_on.isoformat(),
        expiresOn=terms.expires_on.isoformat(),
    )


def _nominal(feed: Feed, period: Period) -> nominal_time_run.NominalTimeRunFacet:
    zone = feed.delivery.zone
    start, end = (datetime.combine(day, time.min, tzinfo=zone).isoformat() for day in (period.start, period.end))
    return nominal_time_run.NominalTimeRunFacet(start, end)


def rows(count: Count) -> dict[str, Any]:
    """The facet's fields that count rows."""
    return {"rowsIn": count.rows_in, "rowsOut": count.rows_out, "setAside": dict(count.set_aside)}
