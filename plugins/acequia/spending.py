"""Releases with differential privacy: drawn once, charged once, and the same numbers ever after.

OpenDP takes its chance from the operating system, so noise cannot be made again; it is remembered. The order is what
makes that safe, wherever a process is killed:

1. Look for the release's charge, under its natural key. Without one: look whether the budget has room, else stop.
2. Draw, and keep the noisy cells in a file of their own. Nothing is public; a second try draws again, and may.
3. Charge the release in the ledger, with the digest of the draw. From here on this draw is the release.
4. Publish it. A second try finds the charge, and the draw that it names.

If the kept file is lost, the open releases are looked through for the rows with that digest. If they are not there
either, the release stays as it is: to draw again would tell more than was charged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.privacy import Budget
from acequia.agreement.protection import DifferentialPrivacy, Protection
from acequia.agreement.tables import Table
from acequia.disclose import certificate, private
from acequia.disclose.audit import audit
from acequia.disclose.public import told
from acequia.engine.parquet import write_parquet
from acequia.errors import AcequiaError
from acequia.flow import Cells, Disclosed
from acequia.ledger import budget
from acequia.ledger.budget import Charge
from acequia.publish.content import digest, read_cells
from acequia.publish.open_release import releases
from acequia.publish.release import release_name
from acequia.work import Work

if TYPE_CHECKING:
    import pyarrow as pa


def release(work: Work, cells: Cells, *, out: Path) -> Disclosed:
    """The published table of a release with differential privacy: drawn and charged now, or as it was before.

    Raises:
        AcequiaError: `budget_exceeded` before anything is drawn or written; `release_stopped` where the draw is lost.
    """
    table = work.feed.tables[cells.table]
    asked, limit = _asked(work, cells, table)
    standing = budget.charged(work.ledger, asked.key)
    if standing is None:
        budget.require_room(work.ledger, asked, limit)
        standing = _drawn_and_charged(work, cells, table, asked, limit)
    noisy = _noisy(work, standing, table)
    return _certified(work, private.disclosed(noisy, cells, table, out=out), noisy, cells)


def _certified(work: Work, disclosed: Disclosed, noisy: pa.Table, cells: Cells) -> Disclosed:
    """With what the public is told of the release: its shape, and a certificate that says what was promised.

    There is nothing for the auditor to find: no cell is withheld, and noisy numbers give no equations.
    """
    table = work.feed.tables[cells.table]
    shape = private.shape(noisy, cells, table, work.feed, work.feed_name)
    rows, name = read_cells(disclosed, table), f"{work.partner}.{cells.table}"
    own = f"{name}/{cells.period}/{release_name(digest(rows))}"
    new = told(rows, shape, id=own, table=name, period=cells.period, current=True)
    facts = certificate.facts(audit([new], around=own), [new], new, method="none")
    promised = {**facts, private.RULE: private.rules(table)[private.RULE]}
    return disclosed.model_copy(update={"structure": shape, "certificate": promised})


def _asked(work: Work, cells: Cells, table: Table) -> tuple[Charge, Budget]:
    """The charge of this release, and the budget that it is asked of."""
    limit, protect = work.feed.privacy.budget, table.protect
    terms = protect.differential_privacy if isinstance(protect, Protection) else None
    if limit is None or not isinstance(protect, Protection) or not isinstance(terms, DifferentialPrivacy):
        raise AcequiaError("agreement_invalid", "the feed has no `privacy.budget`", where=f"tables.{cells.table}")
    asked = Charge(
        partner=work.partner,
        feed=work.feed_name,
        unit=protect.contributor,
        table=cells.table,
        window=cells.period,
        deliveries=tuple(sorted(str(part) for part in cells.deliveries)),
        terms=terms_of(work, table),
        epsilon=budget.exact(terms.epsilon),
        delta=budget.exact(terms.delta),
    )
    return asked, limit


def terms_of(work: Work, table: Table) -> str:
    """A digest of all that decides a table's numbers, besides the deliveries: not of what they are called, who may read
    them, or the version of this program.
    """
    agreement, feed = work.signed.agreement, work.feed
    aside = {"describe": True, "recipients": True, "release": True, "measures": {"__all__": {"describe", "unit"}}}
    said = {
        "table": table.model_dump(mode="json", exclude=aside),  # type: ignore[arg-type]
        "columns": {
            name: column.model_dump(mode="json", exclude={"describe", "unit"}) for name, column in feed.columns.items()
        },
        "about": [agreement.country, agreement.language, feed.transform, feed.privacy.rotate],
        "files": work.read_for_numbers,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _drawn_and_charged(work: Work, cells: Cells, table: Table, asked: Charge, limit: Budget) -> Charge:
    noisy = private.draw(cells, table)
    drawn = replace(asked, noisy_sha256=digest(noisy))
    _keep(work, drawn, noisy)
    try:
        standing = budget.charge(work.ledger, drawn, limit)
    except AcequiaError:
        _place(work, drawn).unlink(missing_ok=True)  # another release took the room meanwhile
        raise
    for path in _place(work, standing).parent.glob(f"{asked.id}-*.parquet"):
        if path != _place(work, standing):  # of a try that was killed before it was charged
            path.unlink(missing_ok=True)
    return standing


def _place(work: Work, one: Charge) -> Path:
    """Where the noisy cells of a charge are kept: restricted, though they hold nothing but what may be published."""
    return kept_in(work) / one.table / one.window / f"{one.id}-{one.noisy_sha256}.parquet"


def kept_in(work: Work) -> Path:
    """The folder of a partner's draws."""
    return work.settings.home / "private" / work.partner


def forget(work: Work, table: str, window: str) -> None:
    """Remove the draws of a window whose releases were erased. Their charges stay, so they are never drawn again; the
    one that still stands is read back from its open release when it is needed.
    """
    shutil.rmtree(kept_in(work) / table / window, ignore_errors=True)


def _keep(work: Work, one: Charge, noisy: pa.Table) -> None:
    """Write the draw, and see that it is on disk before it is charged: the power may fail in between."""
    path = _place(work, one)
    (work.settings.home / "private").mkdir(parents=True, exist_ok=True, mode=0o700)
    write_parquet(noisy, path)
    for place in (path, path.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _noisy(work: Work, one: Charge, table: Table) -> pa.Table:
    """The noisy cells that were charged: as they were kept, or as they were published."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = _place(work, one)
    if path.exists():
        try:
            kept = pq.read_table(pa.BufferReader(path.read_bytes()))
        except pa.ArrowInvalid:
            kept = None
        if kept is not None and digest(kept) == one.noisy_sha256:
            return kept
    for period, folder in releases(work.lake.files, work.partner, one.table):
        content = work.lake.files.read(f"{folder}/data.parquet") if period == one.window else None
        found = _as_drawn(content, table) if content else None
        if found is not None and digest(found) == one.noisy_sha256:
            _keep(work, one, found)
            return found
    raise AcequiaError(
        "release_stopped",
        "the noise that was charged is lost, and no open release holds it; other noise would tell more than was paid",
        where=f"{one.partner}.{one.table} {one.window}",
        do="Restore the folder `private` from its backup, or have the deliveries sent again: a release of its own.",
    )


def _as_drawn(content: bytes, table: Table) -> pa.Table | None:
    """The rows of an open release, without what was added to the draw; None where the table had other columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pq.read_table(pa.BufferReader(content))
    names = ["period", *table.by, *table.measures, "contributors_count"]
    if any(name not in rows.column_names for name in names):
        return None
    return rows.select(names).replace_schema_metadata(None)
