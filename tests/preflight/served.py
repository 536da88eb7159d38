"""What the server says of a delivery, in the words in which preflight says it: for holding the two side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acequia import pipeline
from acequia.errors import AcequiaError
from acequia.flow import Disclosed, Validated
from acequia.opening import open_work
from acequia.preflight import Asked, Judged, preflight
from tests.pipeline.world import World


@dataclass(frozen=True)
class Said:
    """A verdict with its counts; None and nothing where it was refused before they were made."""

    code: str | None
    what: str
    rows: tuple[int, int] | None
    set_aside: Mapping[str, int]
    checks: tuple[tuple[str, str | None, bool, int | None], ...]
    tables: Mapping[str, tuple[int, Mapping[str, int]]]


def by_server(world: World, partner: str, feed: str, period: str, folder: Path) -> Said:
    """The whole pipeline, ledger and lake included, over the files of a folder."""
    code, what = None, ""
    work = open_work(world.settings, partner, feed, period)
    try:
        pipeline.run(work, folder)
    except AcequiaError as error:
        code, what = error.code, error.what
    workspace = world.settings.workspace / partner / feed / period / "v1"
    validated = workspace / "validated.json"
    if not validated.exists():
        return Said(code, what, None, {}, (), {})
    found = Validated.load(validated)
    tables = {}
    for path in sorted(workspace.glob("disclosed.*.json")):
        told = Disclosed.load(path)
        if work.feed.tables[told.table].over == "delivery":
            tables[told.table] = (told.cells, dict(told.withheld))
    count = found.count
    checks = tuple((check.name, check.column, check.passed, check.rows_failing) for check in found.checks)
    return Said(code, what, (count.rows_in, count.rows_out), dict(count.set_aside), checks, tables)


def by_preflight(world: World, partner: str, feed: str, period: str, files: Sequence[Path]) -> Said:
    """The same files on the partner's premises."""
    return said(judged(world, partner, feed, period, files))


def judged(world: World, partner: str, feed: str, period: str, files: Sequence[Path]) -> Judged:
    agreement = world.settings.partners / f"{partner}.yaml"
    return preflight(Asked(tuple(files), agreement, feed, period, manifest=True))


def said(found: Judged) -> Said:
    checks = tuple((check.name, check.column, check.passed, check.rows_failing) for check in found.checks)
    tables = {one.table: (one.cells, dict(one.withheld)) for one in found.tables}
    aside = {f"{one.rule}:{one.column}" if one.column else one.rule: one.rows for one in found.reasons}
    rows = (found.count.rows_in, found.count.rows_out) if found.count else None
    return Said(found.code, found.what, rows, aside, checks, tables)
