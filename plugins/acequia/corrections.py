"""What a delivery changes: against the version that stood, against other periods, and in the tables made from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, Disclosed, Protected, Published, Raw
from acequia.ledger import vintages
from acequia.protect.differences import identity, row_differences
from acequia.work import Work


def of_another_period(work: Work, raw: Raw) -> AcequiaError | None:
    """The refusal of a delivery whose files are, byte for byte, those that stand for another period of the feed.

    Two deliveries without rows are alike and right. Where rows carry no time that decides their period, a manifest that
    names this period is believed: a register may stay as it was.
    """
    delivery = raw.delivery
    other = vintages.same_files(work.ledger.engine, delivery, [file.sha256 for file in raw.files])
    if other is None:
        return None
    says_so = bool(raw.manifest) and (raw.manifest or {}).get("period") == delivery.period
    if says_so and work.feed.rows.period_column is None:
        return None
    what = f"its files are, byte for byte, those of {other.period}, which stand"
    return AcequiaError("delivery_of_another_period", what, where=str(delivery))


@contextmanager
def telling_undecided(work: Work) -> Iterator[None]:
    """Say of a delivery that is missing at its source whether it arrived already, and nothing was decided about it.

    A run may be killed once it has registered a delivery, and the source may lose the files before the next. Landing
    holds the bytes, but what was found wrong on arrival (a checksum, a signature) is on record with the decision alone:
    to go on without it could let through what must be refused.
    """
    try:
        yield
    except AcequiaError as error:
        undecided = [
            row.version for row in work.ledger.deliveries(work.partner, work.feed_name)
            if row.period == work.period.label and row.status == "received"
        ] if error.code == "delivery_missing" else []  # fmt: skip
        if not undecided:
            raise
        what = (
            f"version {undecided[-1]} arrived and nothing was decided about it, but its files are gone from the source"
        )
        do = "Put the same files there again: the run goes on with this version, from the beginning of its checks."
        raise AcequiaError(error.code, what, where=error.where, do=do) from None


def differences(work: Work, delivery: DeliveryId) -> Mapping[str, Any] | None:
    """How the delivery's protected rows differ from those of the version that stands for its period, in counts.

    None where no other version stands; `unknown` instead of counts where the other's rows are deleted, or people have
    other pseudonyms in them.
    """
    if work.ledger.state(delivery).is_accepted:
        return None
    standing = work.ledger.accepted(work.partner, work.feed_name, delivery.of_period())
    if not standing or standing[0] == delivery:
        return None
    before, after = (_protected(work, part) for part in (standing[0], delivery))
    told = {"against": str(standing[0])}
    if before is None or after is None:
        return told | {"unknown": "protected_missing"}
    if before.pseudonyms != after.pseudonyms:
        return told | {"unknown": "protected_differs"}
    with work.scratch() as scratch:
        return told | row_differences(
            Path(before.path),
            Path(after.path),
            identified_by=identity(work.feed),
            memory_limit=work.settings.memory_limit,
            scratch=scratch,
        )


def changes(work: Work, disclosed: Disclosed, release: Published) -> Mapping[str, Any] | None:
    """How a release differs from the one that stood before it; None for the first, or where nothing differs.

    What stood before is what the ledger says, so that a run that was killed after its commit finds the same.
    """
    before = vintages.standing_release(work.ledger.engine, work.partner, disclosed.table, disclosed.period)
    if before is None or before == release.content_sha256:
        return None
    table = work.feed.tables[disclosed.table]
    found = work.lake.changes(release.table, disclosed.period, before, release.content_sha256, table)
    return {"before_sha256": before, **(found or {"unknown": "release_erased"})}


def _protected(work: Work, delivery: DeliveryId) -> Protected | None:
    path = work.folder(delivery) / "protected.json"
    if not path.exists():
        return None
    found = Protected.load(path)
    return found if Path(found.path).exists() else None
