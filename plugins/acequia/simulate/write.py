"""Writes one delivery as files: data first, the manifest last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from acequia.agreement.delivery import PathTemplate
from acequia.agreement.model import Agreement, Feed
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.simulate import bad as spoil
from acequia.simulate.feeds import parts, planted
from acequia.simulate.hiding import FILE_NAME, require_known
from acequia.simulate.manifest import write_manifest
from acequia.simulate.people import Person
from acequia.simulate.render import render

FILES_A_DELIVERY, WORTH_SEVERAL_FILES = 2, 500


@dataclass(frozen=True)
class Written:
    """A delivery on disk. `files` in the order of upload: data first, then the manifest, if there is one.

    `period` is what it is delivered for: another one than was asked for where that is what is bad about it. `rows` and
    `planted` say what the data files hold, before anything was broken in transport.
    """

    files: tuple[Path, ...]
    manifest: Path | None
    planted: tuple[Person, ...]
    rows: int
    period: Period


def write(
    agreement: Agreement,
    feed_name: str,
    period: Period,
    *,
    out: Path,
    rows: int,
    seed: int,
    bad: str | None = None,
    hide: Sequence[str] = (),
) -> Written:
    """Write a delivery below `out`, at the path that the agreement names; the same arguments give the same bytes.

    For a feed out of a database the files hold what the query would bring. `bad` is one of `bad.KINDS`; `hide` are
    hiding places of planted people (`hiding.PLACES`, `file_name`, or `all`). Errors: `usage` for a kind that this feed
    cannot have, `unknown_name`.
    """
    feed = agreement.feed(feed_name)
    spoil.require_fits(bad, feed)
    hide = require_known(hide)
    period = spoil.other_period(bad, agreement, period)
    rows = spoil.other_size(bad, feed, rows)
    if bad == "missing":
        return Written((), None, (), 0, period)
    people = tuple(planted(seed, agreement.partner, feed_name, period, hide))
    named = people[-1].name if FILE_NAME in hide else None
    data, counts = _data_files(
        agreement, feed_name, period, out=out, rows=rows, seed=seed, bad=bad, hide=hide, named=named
    )
    data = spoil.spoil_files(bad, feed, data)
    manifest = None
    if feed.delivery.manifest != "none":
        manifest = write_manifest(data, counts, period)
        data, manifest = spoil.spoil_transport(bad, feed, data, manifest)
    people = people[: counts[0]]
    return Written((*data, *([manifest] if manifest else [])), manifest, people, sum(counts), period)


def _data_files(
    agreement: Agreement,
    feed_name: str,
    period: Period,
    *,
    out: Path,
    rows: int,
    seed: int,
    bad: str | None,
    hide: Sequence[str],
    named: str | None,
) -> tuple[list[Path], list[int]]:
    feed = agreement.feed(feed_name)
    template = template_of(feed, feed_name, period)
    several = "*" in template.name
    at_least = FILES_A_DELIVERY if several and rows >= WORTH_SEVERAL_FILES else 1
    files: list[Path] = []
    counts: list[int] = []
    made = parts(agreement, feed_name, period, rows=rows, seed=seed, at_least=at_least, hide=hide)
    for number, table in enumerate(made):
        table = spoil.spoil_rows(bad, feed, table)
        called = f"{feed_name}-{period}-{number + 1:02d}" + (f" {named}" if named else "")
        name = template.name.replace("*", called)
        path = out / template.with_name(name)
        render(table, feed, path, append=path in files)
        files.append(path)
        counts.append(table.num_rows)
    if several:
        return files, counts
    return files[:1], [sum(counts)]


def template_of(feed: Feed, feed_name: str, period: Period) -> PurePosixPath:
    """Where the agreement expects the files, with the period filled in; a `*` may be left in the file's name."""
    source = feed.delivery.source
    if source.type == "sql":
        return PurePosixPath("*.parquet")
    path = PurePosixPath(PathTemplate.fill(source.path, period))
    if any(sign in str(path.parent) for sign in "*?[") or any(sign in path.name for sign in "?["):
        raise AcequiaError("usage", "simulated deliveries need a path whose only wildcard is `*` in the file's name")
    return path


__all__ = ["Written", "planted", "template_of", "write"]
