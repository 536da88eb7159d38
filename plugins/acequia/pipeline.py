"""The order of the rooms, written once. The DAGs, the command line and the tests call these steps and no others.

Every step can be killed anywhere and run again: it writes beside its target and renames, it finds what an earlier try
finished, and the ledger knows each fact by a key, so that a fact is recorded once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from acequia import auditing, comparisons, corrections, custody, look_back, proposals, spending
from acequia.aggregate.cells import aggregate as aggregate_room
from acequia.aggregate.plan import problems
from acequia.aggregate.record_keys import has_keys
from acequia.canary import record as canary
from acequia.disclose.private import is_private
from acequia.errors import CODES, REFUSED, AcequiaError
from acequia.flow import Cells, DeliveryId, Disclosed, Protected, Published, Raw, Validated
from acequia.pauses import paused, require_running
from acequia.period import Period
from acequia.protect.gate import protect as protect_room
from acequia.protect.pseudonyms import epoch_of, has_pseudonyms, manner, told_apart_otherwise
from acequia.receive.arrive import receive as receive_room
from acequia.validate.verdict import in_words, why_failed
from acequia.validate.verdict import validate as validate_room
from acequia.windows import spans, to_release, under
from acequia.work import Work

Kept = TypeVar("Kept", Protected, Validated)
OF_MANIFEST = frozenset({
    "manifest_missing", "manifest_invalid", "manifest_of_another_agreement", "manifest_of_another_feed",
    "manifest_of_another_period", "checksum_differs", "file_unlisted", "file_not_sent", "rows_differ",
    "signature_missing", "signature_invalid", "signing_key_unknown", "signing_key_not_valid",
    "encryption_missing", "encryption_for_others",
})  # fmt: skip
NOT_STICKY = OF_MANIFEST | {"delivery_of_another_period"}  # it may be withdrawn there meanwhile


@dataclass(frozen=True)
class Outcome:
    """What a run did: `published` holds only tables that changed."""

    delivery: DeliveryId
    published: tuple[Published, ...]
    repeated: bool


def receive(work: Work, from_dir: Path | None = None) -> DeliveryId:
    """Pull the delivery into landing and give it a version. Refused bytes are landed too, then it is raised."""
    _require_running(work)
    agreement, feed = work.signed.agreement, work.feed
    agreement.require_in_force(work.period)
    if wrong := problems(feed, work.settings.reference):
        raise AcequiaError("agreement_invalid", "\n  ".join(wrong), where=f"feeds.{work.feed_name} of {work.partner}")
    if has_pseudonyms(feed):
        custody.refuse_destroyed(work.ledger, work.partner, work.feed_name, epoch_of(work.period, feed.privacy.rotate))
    with corrections.telling_undecided(work), work.scratch() as scratch:
        arrived = receive_room(
            feed.delivery,
            partner=work.partner,
            period=work.period,
            connect=work.connect,
            landing=work.landing,
            inbox=work.settings.home / "inbox" / work.partner,
            scratch=scratch,
            from_dir=from_dir,
            feed_name=work.feed_name,
            signing_keys=agreement.signing_keys,
        )
    delivery = work.ledger.register(
        work.partner,
        work.feed_name,
        work.period,
        content_sha256=arrived.content_sha256,
        agreement_version=agreement.terms.version,
        agreement_sha256=work.signed.sha256,
        files=arrived.files,
        arrival=arrived.arrival,
        sent_at=arrived.sent_at,
        signed_by=arrived.signed_by,
        landing_key=arrived.landing_key,
        kept_days={"raw": agreement.terms.raw_kept_days, "protected": agreement.terms.protected_kept_days},
    )
    raw = Raw(delivery=delivery, files=arrived.files, content_sha256=arrived.content_sha256, manifest=arrived.manifest)
    state = work.ledger.state(delivery)
    if state.withdrawn_at is None and state.content_sha256 == raw.content_sha256:  # else rows of it were corrected
        raw.save(work.folder(delivery) / "raw.json")
        work.lineage.received(work.signed, work.feed_name, raw)
    work.ledger.receipt("received", delivery)
    if state.withdrawn_at is not None:
        raise AcequiaError("delivery_withdrawn", "the same bytes came again", where=str(delivery))
    if arrived.refusal:
        code, what = arrived.refusal
        refusal = AcequiaError(code, what, where=str(delivery))
        if state.is_accepted and state.made_by == work.made_by:
            raise refusal  # the same bytes stand already: what came with them now takes nothing back
        raise refuse(work, delivery, refusal)
    if not state.is_accepted and (taken := corrections.of_another_period(work, raw)):
        raise refuse(work, delivery, taken)
    return delivery


def protect(work: Work, delivery: DeliveryId) -> Protected:
    """Open the delivery, set aside what cannot be read, treat every column; only protected rows leave."""
    _require_running(work)
    out = work.folder(delivery) / "protected.parquet"
    if done := _done(Protected, out.with_suffix(".json"), work, file=out):
        return done
    raw = Raw.load(work.folder(delivery) / "raw.json")
    _keep_key(work, delivery)
    with refusing(work, delivery), work.scratch() as scratch:
        protected = protect_room(
            raw,
            work.feed,
            country=work.signed.agreement.country,
            language=work.signed.agreement.language,
            landing=work.landing,
            keys=work.keys,
            reference=work.settings.reference,
            memory_limit=work.settings.memory_limit,
            scratch=scratch,
            out=out,
        ).model_copy(update={"made_by": work.made_by})
    work.lineage.protected(work.signed, work.feed_name, raw, protected)  # first: what is saved is not told again
    protected.save(out.with_suffix(".json"))
    return protected


def _require_running(work: Work) -> None:
    """A pause stops the next step, also in the middle of a run."""
    require_running(work.ledger, work.partner, work.feed_name)


def _keep_key(work: Work, delivery: DeliveryId) -> None:
    """See that the ledger knows the key before anything is treated with it, and that it was not destroyed."""
    if has_pseudonyms(work.feed):
        epoch = epoch_of(delivery.of_period(), work.feed.privacy.rotate)
        custody.make(work.keys, work.ledger, work.partner, work.feed_name, epoch)


def validate(work: Work, delivery: DeliveryId) -> Validated:
    """Let Great Expectations judge the delivery; a failed check refuses it before anything is aggregated."""
    _require_running(work)
    path = work.folder(delivery) / "validated.json"
    validated = _done(Validated, path, work)
    if validated is None:
        protected = Protected.load(work.folder(delivery) / "protected.json")
        validated = validate_room(
            protected,
            work.feed,
            expectations=work.settings.expectations / work.partner / work.feed_name,
            docs=work.settings.home / "data_docs",
            memory_limit=work.settings.memory_limit,
        ).model_copy(update={"made_by": work.made_by})
        validated = look_back.looked_back(work, validated, protected)
        work.lineage.validated(work.signed, work.feed_name, protected, validated)
        validated.save(path)
    if not validated.passed:
        raise refuse(work, delivery, why_failed(validated), in_words(validated))
    measured = Protected.load(work.folder(delivery) / "protected.json")
    work.ledger.accept(
        delivery,
        count=validated.count,
        made_by=work.made_by,
        scanned=measured.scanned,
        risk=measured.risk,
        differences=corrections.differences(work, delivery),
        mix=measured.mix,
        warnings=look_back.warnings(validated),
    )
    work.ledger.receipt("accepted", delivery)
    return validated


def aggregate(work: Work, delivery: DeliveryId) -> tuple[Cells, ...]:
    """Compute the cells of every table that this delivery brings up to date."""
    _require_running(work)
    return tuple(
        _cells(under(work, window), name, window, delivery, provisional=provisional)
        for name, window, provisional in to_release(work, delivery)
    )


def _cells(work: Work, name: str, window: Period, delivery: DeliveryId, *, provisional: bool) -> Cells:
    """The cells of one table and window, from every accepted delivery that counts to it."""
    deliveries = work.ledger.accepted(work.partner, work.feed_name, window)
    gone = [part for part in deliveries if not (work.folder(part) / "protected.json").exists()]
    if gone:
        raise AcequiaError(
            "protected_missing",
            f"the protected rows of {len(gone)} of the window's {len(deliveries)} deliveries are deleted",
            where=f"{work.partner}.{name} {window}",
        )
    table = work.feed.tables[name]
    secret = custody.cell_secret(work.keys, work.ledger, work.partner) if has_keys(table) else None
    with work.scratch() as scratch:
        cells = aggregate_room(
            name,
            table,
            work.feed,
            tuple(_of_today(work, part) for part in deliveries),
            window,
            provisional=provisional,
            reference=work.settings.reference,
            memory_limit=work.settings.memory_limit,
            scratch=scratch,
            out=work.folder(delivery) / f"cells.{name}.{window}.parquet",
            record_keys=secret,
        )
    cells.save(Path(cells.path).with_suffix(".json"))
    return cells


def _of_today(work: Work, delivery: DeliveryId) -> Protected:
    """The protected rows of a delivery; made again if its people have other pseudonyms than today's would.

    Those of a delivery under an earlier version of the agreement must be the same that this version makes.
    """
    protected = Protected.load(work.folder(delivery) / "protected.json")
    own = work.at(delivery.of_period())
    if otherwise := told_apart_otherwise(own.feed, work.feed):
        what = f"two versions of the agreement tell people apart otherwise: {', '.join(otherwise)}"
        raise AcequiaError("protected_differs", what, where=str(delivery))
    if protected.pseudonyms == manner(own.feed, own.period):
        return protected
    try:
        return protect(own, delivery)
    except AcequiaError as error:
        if error.code != "landing_missing":
            raise
        what = "the raw files of a delivery are deleted, and the agreement has changed its pseudonyms since"
        raise AcequiaError("protected_differs", what, where=str(delivery)) from None


def publish(work: Work, delivery: DeliveryId, cells: tuple[Cells, ...]) -> tuple[Published, ...]:
    """Withhold what must be withheld, publish each table in one commit, record it, sign the receipt.

    Nothing goes out of a feed whose gate lets planted people through: the delivery stays accepted, and can be finished.
    """
    _require_running(work)
    canary.require(work.planted, delivery)
    published = tuple(_release(work, delivery, part) for part in cells)
    work.ledger.certify(delivery)
    work.ledger.finish(delivery)
    work.ledger.receipt("published" if published else "accepted", delivery)
    return published


def restate(work: Work, name: str, window: Period) -> Published:
    """Release a table's window again from what counts to it by now, also while the feed is paused.

    Raises:
        AcequiaError: as `publish`; `protected_missing` where the rows of what counts to it are deleted.
    """
    last = work.ledger.accepted(work.partner, work.feed_name, window)[-1]
    own = under(work, window)
    provisional = window.label not in work.ledger.released_windows(work.partner, name)
    cells = _cells(own, name, window, last, provisional=provisional)
    canary.require(work.at(last.of_period()).planted, last)
    release = _release(own, last, cells, even_paused=True)
    settle(work, last)
    return release


def settle(work: Work, delivery: DeliveryId) -> None:
    """Certify what the delivery released, record that nothing is left to do, and sign the receipt."""
    work.ledger.certify(delivery)
    work.ledger.finish(delivery)
    work.ledger.receipt("published", delivery)


def _release(work: Work, delivery: DeliveryId, cells: Cells, *, even_paused: bool = False) -> Published:
    """Publish one table and window. Deliveries of one window take turns, and whoever comes last has seen them all."""
    with work.lake.lock(f"window.{work.partner}.{cells.table}.{cells.period}"):
        window = Period.parse(cells.period)
        work = under(work, window)
        standing = work.ledger.accepted(work.partner, work.feed_name, window)
        if not standing:
            raise AcequiaError("delivery_withdrawn", "nothing counts to the window any more", where=str(delivery))
        if cells.deliveries != standing:
            cells = _cells(work, cells.table, window, delivery, provisional=cells.provisional)
        table = work.feed.tables[cells.table]
        out = work.folder(delivery) / f"disclosed.{cells.table}.{cells.period}.parquet"
        with work.lake.lock(comparisons.turn(work)):
            if is_private(table):
                disclosed = spending.release(work, cells, out=out)
            else:
                disclosed = auditing.require_safe(work, comparisons.disclosed(work, cells, out=out), cells, table)
            disclosed.save(out.with_suffix(".json"))
            if not even_paused:
                _require_running(work)
            release = work.lake.publish(disclosed, work.signed, work.feed_name)
            # First: who finds the release on record does not come here again.
            work.lineage.published(work.signed, work.feed_name, disclosed, release)
            work.ledger.published(delivery, disclosed, release, corrections.changes(work, disclosed, release))
    work.say(_said(disclosed, release))
    return release


def run(work: Work, from_dir: Path | None = None) -> Outcome:
    """All steps for one delivery. Repeating it with the same bytes changes nothing."""
    delivery = receive(work, from_dir)
    work.say(f"received {delivery}")
    if repeated(work, delivery):
        return Outcome(delivery, (), True)
    return carry(work, delivery)


def carry(work: Work, delivery: DeliveryId) -> Outcome:
    """All steps after `receive`."""
    count = protect(work, delivery).count
    work.say(f"protected {count.rows_out} of {count.rows_in} rows")
    validated = validate(work, delivery)
    work.say(f"validated: {len(validated.checks)} checks passed")
    published = publish(work, delivery, aggregate(work, delivery))
    return Outcome(delivery, tuple(part for part in published if part.changed), False)


def repeated(work: Work, delivery: DeliveryId) -> bool:
    """Whether the ledger holds the end of this delivery under the same feed terms; a sticky refusal is raised again.

    A refusal for the manifest does not stick: the content is the same when only the manifest is corrected, and it has
    just been compared with the files.
    """
    state = work.ledger.state(delivery)
    if state.status == "refused" and state.made_by == work.made_by and state.code not in NOT_STICKY:
        raise AcequiaError(state.code or "internal", state.reason or "refused before", where=str(delivery))
    return state.status in ("published", "accepted") and state.finished and state.made_by == work.made_by


def close(work: Work) -> tuple[Published, ...]:
    """Release the tables that span the work's period, with the deliveries that came, whether or not all did."""
    last = work.ledger.accepted(work.partner, work.feed_name, work.period)
    work = under(work, work.period)
    tables = [name for name, table in work.feed.tables.items() if table.over == work.period.kind]
    if not last or not tables:
        return ()
    cells = tuple(_cells(work, name, work.period, last[-1], provisional=False) for name in tables)
    return publish(work.at(last[-1].of_period()), last[-1], cells)


def close_due(work: Work) -> tuple[Published, ...]:
    """Release every window whose time and grace are past and that was not released yet."""
    published: list[Published] = []
    if paused(work.ledger, work.partner, work.feed_name):
        return ()
    accepted = work.ledger.accepted(work.partner, work.feed_name)
    for kind in spans(work):
        for window in sorted({part.of_period().within(kind) for part in accepted}):
            feed = under(work, window).feed
            names = [name for name, table in feed.tables.items() if table.over == kind]
            missing = [name for name in names if window.label not in work.ledger.released_windows(work.partner, name)]
            if missing and work.ledger.is_past(window.end, feed.delivery):
                published += close(replace(work, period=window))
    return tuple(published)


def refuse(
    work: Work, delivery: DeliveryId, error: AcequiaError, found: Mapping[str, object] | None = None
) -> AcequiaError:
    """Record a refusal with its receipt; the bytes stay in landing, marked as quarantined. Returns what to raise."""
    work.lineage.refused(work.signed, work.feed_name, delivery, error)
    said = {"code": error.code, "reason": error.what, "who_acts": error.who_acts, "made_by": work.made_by}
    work.ledger.refuse(delivery, **said, found={**(found or {}), **proposals.noted(work, delivery, error.code)})
    work.ledger.receipt("refused", delivery)
    return AcequiaError(error.code, error.what, where=str(delivery), do=error.what_to_do)


@contextmanager
def refusing(work: Work, delivery: DeliveryId) -> Iterator[None]:
    """Record a refusal raised inside the block; other errors pass, since the run can be repeated."""
    try:
        yield
    except AcequiaError as error:
        if CODES[error.code].exit_code == REFUSED:
            raise refuse(work, delivery, AcequiaError(error.code, error.what, where=str(delivery))) from None
        raise


def _done(kind: type[Kept], path: Path, work: Work, file: Path | None = None) -> Kept | None:
    if not path.exists() or (file is not None and not file.exists()):
        return None
    kept = kind.load(path)
    return kept if kept.made_by == work.made_by else None


def _said(disclosed: Disclosed, release: Published) -> str:
    withheld = sum(disclosed.withheld.values())
    state = "published" if release.changed else "unchanged"
    nothing = ": no number may be told without singling someone out" if 0 < disclosed.cells == withheld else ""
    return f"{state} {release.table} {disclosed.period}: {disclosed.cells} cells, {withheld} withheld{nothing}"
