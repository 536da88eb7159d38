"""Events into the five tables beside the ledger. One that is told again changes nothing but the order of the newest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from acequia.ledger.signing import canonical
from acequia.lineage import models

Event = Mapping[str, Any]


def ingest(connection: Connection, event: Event) -> bool:
    """Store an event and what can be asked of it; False if it was stored before."""
    key = _key(event)
    run_id = event["run"]["runId"]
    if connection.execute(select(models.event.c.id).where(models.event.c.event_key == key)).first():
        _bring_forward(connection, run_id)
        return False
    connection.execute(
        insert(models.event).values(
            event_key=key,
            event_time=event["eventTime"],
            event_type=event["eventType"],
            run_id=run_id,
            job=event["job"]["name"],
            body=canonical(event),
            filed=False,
            sent=0,
        )
    )
    _ingest_run(connection, event)
    return True


def newest_version(connection: Connection, dataset: str, delivery: str) -> str | None:
    """The version that the newest run for a delivery wrote of a dataset."""
    found = connection.execute(
        select(models.io.c.version)
        .join(models.run, models.run.c.run_id == models.io.c.run_id)
        .where(models.run.c.delivery == delivery, models.run.c.step == "protect", models.io.c.direction == "out")
        .where(models.io.c.dataset == dataset)
        .order_by(models.run.c.seen.desc())
        .limit(1)
    )
    return found.scalar()


def _key(event: Event) -> str:
    """What makes two events the same one: the run and its end. Not the time: a repeated step tells it later."""
    run = event["run"]
    why = run["facets"].get("errorMessage", {}).get("message", "")
    return hashlib.sha256(canonical([run["runId"], event["eventType"], why]).encode()).hexdigest()


def _bring_forward(connection: Connection, run_id: str) -> None:
    """An agreement that is put back makes an older run the newest again."""
    run = models.run.c
    this = connection.execute(select(run.delivery, run.step, run.seen).where(run.run_id == run_id)).first()
    if this is None:
        return
    same = select(func.max(run.seen)).where(run.delivery == this.delivery, run.step == this.step)
    if this.seen != connection.execute(same).scalar():
        connection.execute(update(models.run).where(run.run_id == run_id).values(seen=_next(connection)))


def _next(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(models.run.c.seen), 0))).scalar_one()) + 1


def _ingest_run(connection: Connection, event: Event) -> None:
    run_id, facets = event["run"]["runId"], event["run"]["facets"]
    about, agreement = facets["acequia_delivery"], facets["acequia_agreement"]
    row = {
        "seen": _next(connection),
        "job": event["job"]["name"],
        "step": about["step"],
        "parent_run_id": facets.get("parent", {}).get("run", {}).get("runId"),
        "state": event["eventType"],
        "delivery": about["delivery"],
        "period": about["period"],
        "agreement_version": agreement["version"],
        "agreement_sha256": agreement["sha256"],
        "ended_at": event["eventTime"],
    }
    if connection.execute(update(models.run).where(models.run.c.run_id == run_id).values(**row)).rowcount:
        return  # a run that failed, and failed again for another reason, read what it read before
    connection.execute(insert(models.run).values(run_id=run_id, **row))
    for table, rows in (
        (models.io, list(_io(event))),
        (models.check, list(_checks(event))),
        (models.column, list(_columns(event))),
    ):
        if rows:
            connection.execute(insert(table), [{"run_id": run_id, **found} for found in rows])


def _io(event: Event) -> Iterator[dict[str, Any]]:
    seen = set()
    for direction, side in (("in", "inputs"), ("out", "outputs")):
        for dataset in event[side]:
            row = {"direction": direction, "dataset": _name(dataset), "version": _version(dataset)}
            if tuple(row.values()) not in seen:
                seen.add(tuple(row.values()))
                yield row


def _checks(event: Event) -> Iterator[dict[str, Any]]:
    number = 0
    for dataset in event["inputs"]:
        facet = dataset.get("inputFacets", {}).get("dataQualityAssertions", {})
        for assertion in facet.get("assertions", ()):
            number += 1
            yield {
                "number": number,
                "dataset": _name(dataset),
                "version": _version(dataset),
                "assertion": assertion["assertion"][:200],
                "column_name": assertion.get("column"),
                "passed": assertion["success"],
            }


def _columns(event: Event) -> Iterator[dict[str, Any]]:
    number = 0
    for dataset in event["outputs"]:
        facet = dataset.get("facets", {}).get("columnLineage", {})
        ways = [(name, field) for name, told in facet.get("fields", {}).items() for field in told["inputFields"]]
        for name, field in [*ways, *((None, field) for field in facet.get("dataset", ()))]:
            how = (field.get("transformations") or [{}])[0]
            number += 1
            yield {
                "number": number,
                "out_dataset": _name(dataset),
                "out_column": name,
                "in_dataset": _name(field),
                "in_column": field["field"],
                "kind": f"{how.get('type', '')} {how.get('subtype', '')}".strip(),
                "masking": bool(how.get("masking")),
                "description": how.get("description"),
            }


def _name(dataset: Mapping[str, Any]) -> str:
    return f"{dataset['namespace']}|{dataset['name']}"


def _version(dataset: Mapping[str, Any]) -> str:
    return str(dataset.get("facets", {}).get("version", {}).get("datasetVersion", ""))
