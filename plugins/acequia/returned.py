"""Rows that were set aside go back to the partner, and come back corrected: a new version of the same delivery.

The version is the files as they arrived, with those rows replaced by their number. It goes through all rooms again and
is judged by the same rules; a row that is not among the corrected ones stays set aside. Its raw bytes are the first
version's, and go with them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acequia import pipeline
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, LandedFile, Protected, Raw
from acequia.ledger.projection import State
from acequia.pauses import require_running
from acequia.protect import returning
from acequia.work import Work

CHUNK = 1 << 20


@dataclass(frozen=True)
class Given:
    """What was handed out: rows by reason."""

    delivery: DeliveryId
    rows: int
    by_reason: Mapping[str, int]


def hand_out(work: Work, out: Path, *, who: str) -> Given:
    """Write the rows that the period's newest version set aside to `out`, as they arrived; the ledger says so first.

    Raises:
        AcequiaError: `usage` for another ending than .csv or .parquet, for a file that is there, and where no row was
            set aside; `unknown_name`, `delivery_withdrawn`, `landing_missing` where they are kept no more.
    """
    if out.suffix not in (".csv", ".parquet"):
        raise AcequiaError("usage", "the file to write ends in neither .csv nor .parquet")
    if out.exists():
        raise AcequiaError("usage", "the file to write is there already; it may hold corrections")
    state = _newest(work)
    with work.scratch() as scratch:
        aside = _aside(work, state, scratch)
        with closing(connect(work.settings.memory_limit, scratch)) as connection:
            by_reason = returning.reasons(connection, aside)
            made = scratch / f"given{out.suffix}"
            returning.write_out(connection, aside, made)
        work.ledger.set_aside_given(state.delivery, who=who, by_reason=by_reason)
        _private(made, out)
    return Given(state.delivery, sum(by_reason.values()), by_reason)


def replay(work: Work, source: Path) -> pipeline.Outcome:
    """Make a version of the period's newest delivery with the corrected rows of `source`, and take it through.

    The same file once more goes on with the version that it made.

    Raises:
        AcequiaError: `correction_invalid` where the file is not the one that was handed out, with values corrected;
            nothing is written then. `unknown_name`, `delivery_withdrawn`, `landing_missing`, and those of all rooms.
    """
    require_running(work.ledger, work.partner, work.feed_name)
    work.signed.agreement.require_in_force(work.period)
    state = _newest(work)
    digest = _sha256(source)
    if _corrects(work, state).get("file_sha256") != digest:
        state = work.ledger.state(_registered(work, state, source, digest))
    raw = _raw(work, state)
    raw.save(work.folder(state.delivery) / "raw.json")
    work.lineage.received(work.signed, work.feed_name, raw)
    work.ledger.receipt("received", state.delivery)
    if pipeline.repeated(work, state.delivery):
        return pipeline.Outcome(state.delivery, (), True)
    return pipeline.carry(work, state.delivery)


def _newest(work: Work) -> State:
    """The newest version of the period."""
    rows = work.ledger.deliveries(work.partner, work.feed_name)
    versions = [row.version for row in rows if row.period == work.period.label]
    if not versions:
        raise AcequiaError("unknown_name", "nothing arrived for this period", where=f"{work.partner}.{work.feed_name}")
    about = {"partner": work.partner, "feed": work.feed_name, "period": work.period.label}
    state = work.ledger.state(DeliveryId(**about, version=max(versions)))
    if state.withdrawn_at is not None:
        raise AcequiaError("delivery_withdrawn", "it was withdrawn", where=str(state.delivery))
    return state


def _aside(work: Work, state: State, scratch: Path) -> Path:
    """The rows that a version set aside, in clear."""
    path = work.folder(state.delivery) / "protected.json"
    if not path.exists():
        what = "the rows that were set aside are not kept any more, or it did not pass the gate"
        raise AcequiaError("landing_missing", what, where=str(state.delivery))
    stored = Protected.load(path).set_aside_stored
    if stored is None:
        raise AcequiaError("usage", "no row of it was set aside", where=str(state.delivery))
    aside = scratch / "aside.parquet"
    work.landing.fetch(stored, aside)
    return aside


def _registered(work: Work, base: State, source: Path, file_sha256: str) -> DeliveryId:
    """Judge the corrections as a file, put those that change something into landing, and register the version."""
    raw = _raw(work, base)
    with work.scratch() as scratch:
        aside, corrections = _aside(work, base, scratch), scratch / "corrections.parquet"
        _require_landed(work, raw)
        with closing(connect(work.settings.memory_limit, scratch)) as connection:
            rows = returning.read_back(connection, aside, source, corrections)
        digest, size = _sha256(corrections), corrections.stat().st_size
        folder = raw.files[0].stored.rpartition("/")[0]
        stored = work.landing.key(folder, f"_corrections.{digest[:16]}.parquet")
        work.landing.put(stored, corrections)
    terms = work.signed.agreement.terms
    told: dict[str, Any] = {
        "delivery": str(base.delivery),
        "original_sha256": base.original_sha256,
        "raw_since": base.raw_since,
        "rows": rows,
        "file_sha256": file_sha256,
        "corrections": {"stored": stored, "bytes": size, "sha256": digest},
    }
    return work.ledger.register(
        work.partner,
        work.feed_name,
        work.period,
        content_sha256=hashlib.sha256(f"{base.content_sha256}\ncorrected by {digest}\n".encode()).hexdigest(),
        agreement_version=work.signed.agreement.terms.version,
        agreement_sha256=work.signed.sha256,
        files=raw.files,
        arrival=base.arrivals[-1] if base.arrivals else "",
        landing_key=str(work.ledger.history(base.delivery)[0].said.get("landing_key", "")),
        kept_days={"raw": terms.raw_kept_days, "protected": terms.protected_kept_days},
        corrects=told,
    )


def _corrects(work: Work, state: State) -> Mapping[str, Any]:
    """What a version says of the one that it corrects; nothing if it arrived as a whole."""
    found: Mapping[str, Any] = work.ledger.history(state.delivery)[0].said.get("corrects", {})
    return found


def _raw(work: Work, state: State) -> Raw:
    """The files of a version; one of corrections is made of those of the version that it corrects."""
    path = work.folder(state.delivery) / "raw.json"
    if path.exists():
        return Raw.load(path)
    if not (corrects := _corrects(work, state)):
        raise AcequiaError("landing_missing", "its raw files are not kept any more", where=str(state.delivery))
    base = _raw(work, work.ledger.state(DeliveryId.parse(corrects["delivery"])))
    return Raw(
        delivery=state.delivery,
        files=base.files,
        content_sha256=state.content_sha256,
        manifest=base.manifest,
        corrections=(*base.corrections, LandedFile(**corrects["corrections"])),
    )


def _require_landed(work: Work, raw: Raw) -> None:
    if not all(work.landing.exists(file.stored) for file in (*raw.files, *raw.corrections)):
        raise AcequiaError("landing_missing", "its raw files are not in landing any more", where=str(raw.delivery))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private(made: Path, out: Path) -> None:
    """Into place whole or not at all, and readable by nobody else from its first byte on."""
    staged = out.with_name(f".{out.name}.{os.getpid()}.partial")
    staged.unlink(missing_ok=True)
    try:
        handle = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as target, made.open("rb") as plain:
            while chunk := plain.read(CHUNK):
                target.write(chunk)
        staged.replace(out)
    finally:
        staged.unlink(missing_ok=True)
