"""Each file is read once, in order: judged, typed and written to Parquet in scratch."""

# ruff: noqa: S608  (statements are built from positions, numbers, and texts through `literal`)

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.columns import SecondsSince
from acequia.agreement.model import Feed
from acequia.engine.duck import literal
from acequia.protect.corrected import in_their_place, open_corrections, stage_corrections
from acequia.protect.rules import Judge, Reading
from acequia.receive.formats.opened import Opened, in_file, stage
from acequia.receive.formats.opening import open_file

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Staged:
    """The rows of a delivery in scratch, still raw.

    `relation` is SQL with one row per row that arrived: `file` and `row` (both from 1), `t…` (see `rules.Reading`) for
    the columns that are needed further on, and `reason`: the number of the rule for which the row is set aside, or
    null. The number after the last rule stands for `duplicate`. `corrected` are the rows that came back corrected, if
    any did; the relation then says in `corrected` which of its rows these are.
    """

    opened: tuple[Opened, ...]
    rows_by_file: tuple[int, ...]
    relation: str
    corrected: Opened | None = None

    @property
    def rows(self) -> int:
        """Those of all files."""
        return sum(self.rows_by_file)


def stage_files(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    feed: Feed,
    judge: Judge,
    scratch: Path,
    *,
    corrections: Sequence[Path] = (),
    opener: Callable[[duckdb.DuckDBPyConnection, Path, Feed, Path], Opened] = open_file,
) -> Staged:
    """Read every file of a delivery; the first that must be refused stops it, with its number.

    Duplicates are searched over all files, where the agreement sets them aside: rows that equal an earlier one in every
    arriving column, as read.
    """
    find_duplicates = feed.rows.duplicates == "set_aside"
    needed = list(judge.readings.values()) if find_duplicates else _needed(feed, judge)
    values = "".join(f"{reading.value}, " for reading in needed)
    every = ", ".join(reading.value for reading in judge.readings.values())
    extra = f"hash({every}) AS digest, " if find_duplicates else ""
    opened, parts, rows = [], [], []
    for number, path in enumerate(files, start=1):
        with in_file(number, len(files)):
            file = opener(connection, path, feed, scratch)
            part = scratch / f"staged-{number}.parquet"
            arrived = stage(
                connection,
                file,
                lambda relation, number=number, file=file: (  # type: ignore[misc]
                    f"SELECT CAST({number} AS UINTEGER) AS file, {values}{extra}reason, trouble "
                    f"FROM {judge.judged(relation, file.columns)}"
                ),
                part,
            )
        rows.append(arrived)
        opened.append(file)
        parts.append(part)
    relation = _relation(parts)
    corrected = open_corrections(connection, corrections, feed, judge) if corrections else None
    if corrected:
        place = scratch / "staged-corrections.parquet"
        stage_corrections(connection, corrected, judge, f"{values}{extra}", place)
        relation = in_their_place(relation, place)
    if find_duplicates:
        relation = _without_duplicates(connection, relation, every, len(judge.rules))
    return Staged(tuple(opened), tuple(rows), relation, corrected)


def _needed(feed: Feed, judge: Judge) -> list[Reading]:
    names = {column.from_ or key for key, column in feed.columns.items() if column.treat != "drop"}
    names |= {column.treat.seconds_since for column in feed.columns.values() if isinstance(column.treat, SecondsSince)}
    return [reading for name, reading in judge.readings.items() if name in names]


def _relation(parts: Sequence[Path]) -> str:
    paths = ", ".join(literal(str(part)) for part in parts)
    reader = f"read_parquet([{paths}], file_row_number=true, hive_partitioning=false)"
    return f"(SELECT *, file_row_number + 1 AS row FROM {reader})"


def _without_duplicates(connection: duckdb.DuckDBPyConnection, relation: str, every: str, reason: int) -> str:
    """The relation with its duplicates marked. Only rows whose 64-bit digest is not their own are compared in full."""
    connection.execute(
        "CREATE TEMP TABLE duplicates AS SELECT file, row FROM (SELECT file, row, row_number() OVER "
        f"(PARTITION BY {every} ORDER BY file, row) AS nth FROM {relation} WHERE reason IS NULL AND digest IN "
        f"(SELECT digest FROM {relation} WHERE reason IS NULL GROUP BY digest HAVING count(*) > 1)) WHERE nth > 1"
    )
    marked = f"CAST(CASE WHEN again.row IS NULL THEN reason ELSE {reason} END AS USMALLINT)"
    return (
        f"(SELECT rows.* REPLACE ({marked} AS reason) "
        f"FROM {relation} AS rows LEFT JOIN duplicates AS again ON again.file = rows.file AND again.row = rows.row)"
    )
