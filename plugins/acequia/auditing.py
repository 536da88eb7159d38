"""The auditor at work: what is public in the lake, one feed at a time, and the last look before a release goes out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.agreement.tables import Table
from acequia.comparisons import known_releases
from acequia.disclose import certificate, stop
from acequia.disclose.audit import NARROW_PCT, Audited, audit, standing
from acequia.disclose.counts import further
from acequia.disclose.public import Told, related, told
from acequia.disclose.structure import of_published, structure
from acequia.errors import AcequiaError
from acequia.flow import Cells, Disclosed
from acequia.period import Period
from acequia.publish import open_release
from acequia.publish.content import digest, read_cells
from acequia.publish.files import Files
from acequia.publish.release import COMPLETE, period_folder, release_name

if TYPE_CHECKING:
    from acequia.work import Work


def public(files: Files, partner: str, feed: str | None = None, window: Period | None = None) -> Iterator[Told]:
    """Every complete release of a partner's tables that is public, by table and period; of one feed, where given, and
    of the periods that a window is linked with.

    A release of before structures were told is left out: nothing is known of its shape.
    """
    tables = sorted({path.split("/")[2] for path in files.listing(f"open/{partner}") if path.count("/") >= 4})
    found = [(table, *release) for table in tables for release in open_release.releases(files, partner, table)]
    labels = {Period.parse(period) for _, period, _ in found}
    wanted = labels if window is None else related(labels, window)
    for table, period, folder in found:
        if Period.parse(period) in wanted:
            package = json.loads(files.read(f"{folder}/datapackage.json") or b"{}").get("acequia", {})
            shape = package.get("structure")
            if shape is None or (feed is not None and shape["feed"] != feed):
                continue
            yield _read(files, shape, partner, table, period, folder)


def _read(files: Files, shape: dict[str, Any], partner: str, table: str, period: str, folder: str) -> Told:
    import pyarrow.parquet as pq

    rows = pq.read_table(io.BytesIO(files.read(f"{folder}/data.parquet") or b""))
    pointer, release = open_release.latest(files, partner, table, period) or {}, folder.rsplit("/", 1)[1]
    current = pointer.get("release") == release and pointer.get("status") == "published"
    name = f"{partner}.{table}"
    return told(rows, shape, id=_id(name, period, release), table=name, period=period, current=current)


def _id(name: str, period: str, release: str) -> str:
    return f"{name}/{period}/{release}"


def audit_table(files: Files, name: str, *, narrow_pct: float = NARROW_PCT) -> Audited:
    """Audit a table with all tables of its feed, over all periods and vintages.

    Raises:
        AcequiaError: `unknown_name` where no release of it tells its shape.
    """
    partner, _, table = name.partition(".")
    found = list(public(files, partner)) if partner and table else []
    feeds = {one.feed for one in found if one.table == name}
    if not feeds:
        raise AcequiaError("unknown_name", "the lake has no open release of that table; see `acequia tables`")
    return audit([one for one in found if one.feed in feeds], narrow_pct=narrow_pct)


def require_safe(work: Work, disclosed: Disclosed, cells: Cells, table: Table) -> Disclosed:
    """Look at what would be public with this release, and let it go or stop it.

    Adds the public structure and the facts of the certificate to what is released. What is public already, as it is, is
    not looked at again.

    Raises:
        AcequiaError: `release_stopped` where a number that must stay unknown could be worked out.
    """
    rows = read_cells(disclosed, table)
    shape = of_published(structure(cells, table, work.feed, work.feed_name), rows)
    if further(disclosed.rules):
        shape["rounding"]["reach"] = 2  # multiples of the base, since the next ones did not add up
    name, release = f"{work.partner}.{cells.table}", release_name(digest(rows))
    if work.lake.files.exists(f"{period_folder(work.partner, cells.table, cells.period)}/{release}/{COMPLETE}"):
        return disclosed.model_copy(update={"structure": shape, "certificate": _told_before(disclosed)})
    new = told(rows, shape, id=_id(name, cells.period, release), table=name, period=cells.period, current=True)
    window = Period.parse(cells.period)
    known = standing(list(public(work.lake.files, work.partner, work.feed_name, window)), new)
    audited = stop.require(known, new, cells, table, nested=_nested(work, cells, name), where=f"{name} {cells.period}")
    facts = certificate.facts(audited, known, new, method=str(disclosed.pattern.get("method", "none")))
    return disclosed.model_copy(update={"structure": shape, "certificate": facts})


def _told_before(disclosed: Disclosed) -> Mapping[str, object]:
    """The certificate of the same release by a run that was killed after it."""
    path = Path(disclosed.path).with_suffix(".json")
    before = Disclosed.load(path) if path.exists() else None
    return before.certificate if before is not None and before.sha256 == disclosed.sha256 else {}


def _nested(work: Work, cells: Cells, name: str) -> set[str]:
    """The vintages of this window of which one is made of all that the other is made of."""
    mine = frozenset(str(delivery) for delivery in cells.deliveries)
    return {
        _id(name, cells.period, release_name(content))
        for one in known_releases(work, cells.table, Period.parse(cells.period))
        if (one.record.table, one.record.period) == (cells.table, cells.period)
        and (one.deliveries <= mine or mine <= one.deliveries)
        for content in one.record.contents
    }


def recompute(files: Files, folder: str) -> list[str]:
    """Work out a release's certificate again from the public files alone.

    Args:
        files: the lake, or any folder that holds `open/` as it does.
        folder: the release, such as `open/pula_mobile/calls/2026-11/release-0123456789ab`.

    Returns:
        The names of what the certificate says otherwise; empty where it is right.

    Raises:
        AcequiaError: `unknown_name` where there is no such release or certificate, or one that it names is gone.
    """
    said = _certificate(files, folder)
    partner, table, period, release = folder.rstrip("/").split("/")[-4:]
    own = _id(f"{partner}.{table}", period, release)
    standing_then = {own: True, **{one["release"]: one["standing"] for one in said["considered"]}}
    there = {one.id: one for one in public(files, partner, window=Period.parse(period)) if one.id in standing_then}
    if gone := sorted(standing_then.keys() - there.keys()):
        raise AcequiaError("unknown_name", f"{len(gone)} of the releases that it considered are not public any more")
    known = [replace(one, current=standing_then[name]) for name, one in there.items()]
    found = certificate.facts(audit(known, around=own), known, there[own], method=said["method"])
    wrong = certificate.differs(said, found)
    return [*wrong, *(["content_sha256"] if _content(files, folder) != said["content_sha256"] else [])]


def _certificate(files: Files, folder: str) -> dict[str, Any]:
    raw = files.read(f"{folder}/certificate.json")
    if raw is None:
        raise AcequiaError("unknown_name", "there is no certificate.json in that folder", where=folder)
    said: dict[str, Any] = json.loads(raw)
    return said


def _content(files: Files, folder: str) -> str:
    import pyarrow.parquet as pq

    return digest(pq.read_table(io.BytesIO(files.read(f"{folder}/data.parquet") or b"")))
