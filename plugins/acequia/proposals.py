"""Proposals for deliveries whose columns differ: made when one is refused, kept encrypted beside its raw bytes.

Names of columns are the partner's text, and of a header that shifted they are a row of data. So a proposal lies in
landing, goes with the raw bytes, and is shown to who may open these; ledger and receipts hold counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing

from acequia.agreement.load import Signed
from acequia.drift.observed import observe
from acequia.drift.proposal import Drift, proposal
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, LandedFile, Mix, Raw
from acequia.work import Work

# Refusals that a change of columns may be behind.
OF_COLUMNS = frozenset({"column_missing", "column_unlisted", "column_repeated", "header_repeated", "rows_invalid"})
FILES_AT_MOST, BYTES_AT_MOST = 10, 2 * 2**30
_MEMORY = "512MB"


def noted(work: Work, delivery: DeliveryId, code: str) -> Mapping[str, object]:
    """What the ledger keeps of the proposal for a delivery that is refused: how many changes of each kind.

    Empty where there is none, or where none can be made: a refusal must never fail for it.
    """
    if code not in OF_COLUMNS:
        return {}
    try:
        drift = look(work, delivery)
        if drift is None or not drift.changes:
            return {}
        _keep(work, delivery, drift)
    except AcequiaError:
        return {}
    return {"drift": drift.counts}


def shown(work: Work, delivery: DeliveryId) -> Drift | None:
    """The proposal that was kept, or one made now; None where the columns are those agreed.

    Raises:
        AcequiaError: `landing_missing` where the raw bytes are deleted: the proposal is gone with them.
    """
    kept = _kept(work, delivery)
    if kept is None:
        drift = look(work, delivery)
        return drift if drift and drift.changes else None
    with work.scratch() as scratch:
        target = scratch / "drift.json"
        work.landing.fetch(kept, target)
        return Drift.of_json(json.loads(target.read_bytes()))


def look(work: Work, delivery: DeliveryId) -> Drift | None:
    """Look at the delivery's files, until one has other columns; None where it has none that could be looked at."""
    drift = None
    for file in _files(work, delivery)[:FILES_AT_MOST]:
        if file.bytes > BYTES_AT_MOST:
            continue
        with work.scratch() as scratch:
            path = scratch / "file"
            work.landing.fetch(file.stored, path)
            with closing(connect(_MEMORY, scratch)) as connection:
                drift = proposal(observe(connection, path, work.feed, scratch), work.feed, _past(work, delivery))
        if drift.changes:
            return drift
    return drift


def base(work: Work) -> Signed:
    """The newest version of the agreement: what the next one is written from."""
    return (work.versions or (work.signed,))[-1]


def _files(work: Work, delivery: DeliveryId) -> tuple[LandedFile, ...]:
    path = work.folder(delivery) / "raw.json"
    if not path.exists():
        raise AcequiaError("landing_missing", "the delivery's raw files are not there any more", where=str(delivery))
    return Raw.load(path).files


def _past(work: Work, delivery: DeliveryId) -> Mapping[str, Mix]:
    """What the last accepted delivery before this one was made of, so far as that is the same under these terms."""
    period = delivery.of_period()
    before = [one.period for one in work.ledger.accepted(work.partner, work.feed_name) if one.of_period() < period]
    said = work.ledger.remembered(work.partner, work.feed_name, before[-1:])
    return {name: Mix.model_validate(of) for body in said.values() for name, of in body.get("mix", {}).items()}


def _keep(work: Work, delivery: DeliveryId, drift: Drift) -> None:
    with work.scratch() as scratch:
        source = scratch / "drift.json"
        source.write_text(json.dumps(drift.as_json(), ensure_ascii=False, sort_keys=True), encoding="utf-8")
        folder = work.ledger.state(delivery).landed_in
        work.landing.put(work.landing.key(folder, f"{_name(work)}.json"), source)


def _kept(work: Work, delivery: DeliveryId) -> str | None:
    folder = work.ledger.state(delivery).landed_in
    keys = work.landing.list(f"{folder}/{_name(work)}.") if folder else ()
    return keys[0] if keys else None


def _name(work: Work) -> str:
    """Under other terms the same bytes may drift otherwise."""
    return f"_drift.{work.made_by[:16]}"
