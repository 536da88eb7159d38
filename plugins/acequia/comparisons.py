"""What a release can be compared with by anybody, since it is public: earlier releases of its feed.

Beside a delivery's cells stands a *record* of what was decided on them: `cells.<table>.<window>.<id>.json` with its
Parquet, where the id names the cells' content and the table's terms. It is written before the release goes out, so that
a run that is killed, a backfill and a cleared task find it: the same cells under the same terms are told in the same
way for ever. A record counts as a release as long as one of its contents is among the lake's open releases.

Of a feed one release is decided on at a time. What the rows of earlier deliveries can no longer tell, since they are
deleted, is not compared; the equations between tables of the same deliveries are.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from acequia.aggregate.pieces import MOST_SETS, piece_cells, pieces
from acequia.agreement.tables import Table
from acequia.disclose.control import Decision, disclose, is_withholding
from acequia.disclose.geometry import Key
from acequia.disclose.linked import Difference, Links, Piece, Release
from acequia.disclose.primary import parts_of
from acequia.flow import Cells, DeliveryId, Disclosed, Protected, Reference
from acequia.ledger import models
from acequia.ledger.database import reading
from acequia.period import Period
from acequia.publish.content import digest, read_cells
from acequia.publish.release import COMPLETE, period_folder, release_name
from acequia.work import Work

if TYPE_CHECKING:
    from acequia.aggregate.pieces import Piece as Rows

NEAREST = 1
"""Of the vintages of one window so many are always compared with, the latest first."""


class Record(Reference):
    """What was decided on some cells: `reasons` in their order, None for an open cell; `contents` of the releases."""

    table: str
    period: str
    spec: str
    deliveries: tuple[DeliveryId, ...]
    cells: str
    reasons: tuple[str | None, ...]
    pattern: dict[str, Any]
    contents: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """A release that is public, with the record of it; `seq` is its entry in the ledger, the last one of several."""

    record: Record
    path: Path
    seq: int

    @cached_property
    def release(self) -> Release:
        """As disclosure control sees it."""
        import numpy as np
        import pyarrow.parquet as pq

        made = pq.read_table(self.path.with_suffix(".parquet"))
        seen = np.array([reason is None for reason in self.record.reasons], dtype=bool)
        compared = frozenset(cell for cell, reason in enumerate(self.record.reasons) if reason == "difference")
        return Release(self.table, made, seen, self.deliveries, compared)

    @cached_property
    def table(self) -> Table:
        """The table as it was agreed then."""
        return Table.model_validate_json(self.record.spec)

    @property
    def deliveries(self) -> frozenset[str]:
        """The names of what it is made of."""
        return frozenset(str(part) for part in self.record.deliveries)

    @cached_property
    def open(self) -> frozenset[Key]:
        """The keys whose numbers are public."""
        keys = self.release.shape.keys
        return frozenset(key for key, reason in zip(keys, self.record.reasons, strict=True) if reason is None)

    @property
    def withheld(self) -> frozenset[Key]:
        """The keys whose numbers are not."""
        return frozenset(self.release.shape.keys) - self.open


def disclosed(work: Work, cells: Cells, *, out: Path) -> Disclosed:
    """Disclose cells with regard to everything of the feed that is public, and keep the record of it.

    To be called by one at a time for a feed (`turn`).
    """
    table = work.feed.tables[cells.table]
    if not is_withholding(table):
        return disclose(cells, table, out=out)
    path = record_path(cells, table)
    known = known_releases(work, cells.table, Period.parse(cells.period))
    same = next((one.record for one in known if one.path.name == path.name), None)
    if same is not None:
        decided = Decision(list(same.reasons), dict(same.pattern))
        made = disclose(cells, table, out=out, decided=decided)
    else:
        others = [one for one in known if one.record.table == cells.table]
        last = max(others, key=lambda one: one.seq, default=None)
        links = linked(work, cells, known)
        made = disclose(cells, table, out=out, links=links, before=last.withheld if last else ())
    _keep(path, cells, table, made, same)
    return made


def turn(work: Work) -> str:
    """The lock under which releases of the feed are decided on and go out."""
    return f"disclosure.{work.partner}.{work.feed_name}"


def record_path(cells: Cells, table: Table) -> Path:
    """Where the record of these cells under these terms stands."""
    terms = json.dumps(table.model_dump(mode="json"), sort_keys=True)
    name = hashlib.sha256(f"{cells.sha256} {terms}".encode()).hexdigest()[:16]
    return Path(cells.path).with_name(f"cells.{cells.table}.{cells.period}.{name}.json")


def _keep(path: Path, cells: Cells, table: Table, made: Disclosed, same: Record | None) -> None:
    """Keep the record beside the cells, the Parquet first: a record without it counts for nothing."""
    content = digest(read_cells(made, table))
    contents = sorted({content, *(same.contents if same else ())})
    if not path.with_suffix(".parquet").exists():
        staged = path.with_suffix(".partial")
        shutil.copyfile(cells.path, staged)
        staged.replace(path.with_suffix(".parquet"))
    reasons = _reasons(made)
    record = Record(
        table=cells.table, period=cells.period, spec=table.model_dump_json(exclude_unset=True),
        deliveries=cells.deliveries, cells=cells.sha256, reasons=reasons, pattern=dict(made.pattern),
        contents=tuple(contents),
    )  # fmt: skip
    record.save(path)


def _reasons(made: Disclosed) -> tuple[str | None, ...]:
    import pyarrow.parquet as pq

    return tuple(pq.read_table(made.path, columns=["withheld_because"]).column(0).to_pylist())


def known_releases(work: Work, table: str, window: Period) -> list[Known]:
    """The feed's releases that are public, that overlap with a window and of which there is a record, and those of the
    table's window before; the earliest first.
    """
    at = _entries(work)
    found: dict[str, Known] = {}
    for path in _near(work, table, window):
        record = Record.load(path)
        if any(_is_public(work, record, content) for content in record.contents):
            seq = max(at.get((record.table, record.period, content), 2**62) for content in record.contents)
            if path.name not in found or found[path.name].seq < seq:
                found[path.name] = Known(record, path, seq)
    return sorted(found.values(), key=lambda one: (one.seq, one.path.name))


def _near(work: Work, table: str, window: Period) -> list[Path]:
    """The records to open, told by their names: a feed of years has thousands."""
    every = sorted((work.settings.workspace / work.partner / work.feed_name).glob("*/*/cells.*.*.*.json"))
    whole = [path for path in every if path.with_suffix(".parquet").exists()]
    told = [(path, path.name.split(".")[1], Period.parse(path.name.split(".")[2])) for path in whole]
    past = [period for _, name, period in told if name == table and period.end <= window.start]
    last = max(past, key=lambda period: period.start, default=None)
    return [
        path
        for path, name, period in told
        if (period.start < window.end and window.start < period.end) or (name == table and period == last)
    ]


def _entries(work: Work) -> dict[tuple[str, str, str], int]:
    of = models.release.c
    wanted = select(of.table_name, of.window_label, of.content_sha256, of.seq).where(of.partner == work.partner)
    with reading(work.ledger.engine) as connection:
        return {(row[0], row[1], row[2]): row[3] for row in connection.execute(wanted.order_by(of.seq))}


def _is_public(work: Work, record: Record, content: str) -> bool:
    folder = period_folder(work.partner, record.table, record.period)
    return work.lake.files.exists(f"{folder}/{release_name(content)}/{COMPLETE}")


def forget(work: Work, table: str, period: str) -> None:
    """Remove the records of a window whose releases are public no more: they were erased."""
    feed = work.settings.workspace / work.partner / work.feed_name
    for path in sorted(feed.glob(f"*/*/cells.{table}.{period}.*.json")):
        record = Record.load(path)
        if not any(_is_public(work, record, content) for content in record.contents):
            path.with_suffix(".parquet").unlink(missing_ok=True)
            path.unlink()  # last: by it whoever was killed here is found again


def linked(work: Work, cells: Cells, known: Sequence[Known]) -> Links:
    """What a release about to be made can be compared with."""
    table, window = work.feed.tables[cells.table], Period.parse(cells.period)
    own = {(*part.definition, table.where or "") for part in parts_of(table)}
    earlier = [one for one in known if _overlap(one, window) and own & set(_definitions(one.table))]
    chosen = _nearest(earlier, cells)
    releases = tuple(one.release for one in chosen)
    vintages = frozenset(n for n, one in enumerate(chosen, 1) if _is_vintage(one, cells))
    with work.scratch() as scratch:
        rows, differences = _pieces(work, cells, chosen, vintages, scratch)
    return Links(releases, rows, differences, vintages)


def _definitions(table: Table) -> Iterator[tuple[str, str, str, str]]:
    for part in parts_of(table) if is_withholding(table) else ():
        yield (*part.definition, table.where or "")


def _overlap(one: Known, window: Period) -> bool:
    other = Period.parse(one.record.period)
    return other.start < window.end and window.start < other.end


def _is_vintage(one: Known, cells: Cells) -> bool:
    return (one.record.table, one.record.period) == (cells.table, cells.period)


def _nearest(earlier: Sequence[Known], cells: Cells) -> list[Known]:
    """Those that can tell something. Of vintages of one window, those that a later one says all of are left out: its
    open cells are open there as well, and it lies between them and the new release.
    """
    mine = frozenset(str(delivery) for delivery in cells.deliveries)
    chosen: list[Known] = []
    of_window: list[Known] = []
    for one in reversed(earlier):
        if not _is_vintage(one, cells):
            chosen.append(one)
            continue
        between = [later for later in of_window if one.deliveries <= later.deliveries <= mine]
        said = frozenset(key for later in between for key in later.open)
        if len(of_window) < NEAREST or not one.open <= said:
            of_window.append(one)
    return [*reversed(of_window), *reversed(chosen)][-MOST_SETS + 1 :]


def _pieces(
    work: Work, cells: Cells, chosen: Sequence[Known], vintages: frozenset[int], scratch: Path
) -> tuple[tuple[Piece, ...], tuple[Difference, ...]]:
    """The rows of all, by the releases that they are in, as cells on the columns that releases share."""
    sets = [tuple(_protected(work, part) for part in cells.deliveries)]
    numbers = [0]
    for number, one in enumerate(chosen, 1):
        parts = tuple(_protected(work, part) for part in one.record.deliveries)
        if None not in parts:
            sets.append(parts)
            numbers.append(number)
    whole = [tuple(part for part in parts if part is not None) for parts in sets]
    if len({frozenset(str(part.delivery) for part in parts) for parts in whole}) < 2:
        return (), ()
    limit = work.settings.memory_limit
    rows = pieces(work.feed, whole, memory_limit=limit, scratch=scratch)
    made = _Made(work, cells, scratch)
    found = []
    for columns in _shared(made.table, [chosen[number - 1] for number in numbers[1:]], cells):
        for piece in rows:
            within = frozenset(numbers[place] for place in piece.sets)
            found.append(Piece(made.release(columns, [piece]), within))
    differences = [
        Difference(made.release(made.table.by, apart), number)
        for place, number in enumerate(numbers)
        if number in vintages and (apart := _apart(rows, place))
    ]
    return tuple(found), tuple(differences)


def _apart(rows: Sequence[Rows], place: int) -> list[Rows]:
    """The rows that are either in the new release or in that one, where there are some of both kinds."""
    came = [piece for piece in rows if 0 in piece.sets and place not in piece.sets]
    went = [piece for piece in rows if 0 not in piece.sets and place in piece.sets]
    return [*came, *went] if came and went else []


def _shared(table: Table, chosen: Sequence[Known], cells: Cells) -> list[tuple[str, ...]]:
    mine = frozenset(str(delivery) for delivery in cells.deliveries)
    others = [one for one in chosen if one.deliveries != mine]
    return list(dict.fromkeys(tuple(by for by in table.by if by in one.table.by) for one in others))


@dataclass(frozen=True)
class _Made:
    """Cells of pieces, under the rules of the table that is to be decided on."""

    work: Work
    cells: Cells
    scratch: Path

    @property
    def table(self) -> Table:
        return self.work.feed.tables[self.cells.table]

    def release(self, columns: Sequence[str], made: Sequence[Rows]) -> Release:
        hierarchy = {by: levels for by, levels in self.table.hierarchy.items() if by in columns}
        some = {"by": tuple(columns), "hierarchy": hierarchy, "cells": "observed"}
        table = self.table.model_copy(update=some)
        cells = piece_cells(
            self.cells.table, table, self.work.feed, made, Period.parse(self.cells.period),
            reference=self.work.settings.reference, memory_limit=self.work.settings.memory_limit, scratch=self.scratch,
        )  # fmt: skip
        return Release(table, cells)


def _protected(work: Work, delivery: DeliveryId) -> Protected | None:
    path = work.folder(delivery) / "protected.json"
    found = Protected.load(path) if path.exists() else None
    return found if found is not None and Path(found.path).exists() else None
