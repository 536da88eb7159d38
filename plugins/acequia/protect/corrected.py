"""Rows that came back corrected: they take the place of the rows that were set aside, and are judged by the same rules.

A file of corrections is Parquet: `_file` and `_row` (both from 1), then the agreed columns as text.
"""

# ruff: noqa: S608  (statements are built from positions, and from names and texts that are quoted)

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.model import Feed
from acequia.engine.duck import literal, quoted
from acequia.protect.rules import Judge
from acequia.receive.formats.opened import Arriving, Opened, stage, unreadable

if TYPE_CHECKING:
    import duckdb

FILE, ROW = "_file", "_row"


def open_corrections(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], feed: Feed, judge: Judge) -> Opened:
    """The corrected rows as a relation like that of a file, with `at_file` and `at_row`; a later one of a row counts.

    Texts are read as the agreed format reads them: the same stand for null, numbers have the same decimal sign. Where
    the format keeps dates as dates, they come back in ISO 8601.
    """
    names = list(judge.readings)
    parts = [_read(connection, path, names, turn) for turn, path in enumerate(paths)]
    own = ", ".join(f"{_null_where_agreed(feed, f'a{place}')} AS a{place}" for place in range(len(names)))
    connection.execute(
        f"CREATE TEMP TABLE corrected AS SELECT at_file, at_row, {own} FROM ({' UNION ALL '.join(parts)}) "
        "QUALIFY row_number() OVER (PARTITION BY at_file, at_row ORDER BY turn DESC) = 1 ORDER BY at_file, at_row"
    )
    columns = {name: _arriving(feed, f"a{place}") for place, name in enumerate(names)}
    told = unreadable("the corrected rows cannot be read")
    return Opened(relation="corrected", numbered="corrected", columns=columns, explain=told)


def stage_corrections(
    connection: duckdb.DuckDBPyConnection, opened: Opened, judge: Judge, values: str, target: Path
) -> None:
    """Judge and type the corrected rows, and write them beside those of the files."""
    stage(
        connection,
        opened,
        lambda relation: (
            f"SELECT at_file AS file, at_row AS row, {values}reason, trouble "
            f"FROM {judge.judged(relation, opened.columns)}"
        ),
        target,
    )


def in_their_place(relation: str, corrected: Path) -> str:
    """The rows of the files, with the corrected ones in the place of those that they correct."""
    rows = f"read_parquet({literal(str(corrected))}, hive_partitioning=false)"
    return (
        f"(SELECT *, false AS corrected FROM {relation} ANTI JOIN (SELECT file, row FROM {rows}) USING (file, row) "
        f"UNION ALL BY NAME SELECT *, true AS corrected FROM {rows})"
    )


def _read(connection: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str], turn: int) -> str:
    source = f"read_parquet({literal(str(path))}, hive_partitioning=false)"
    there = {row[0] for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
    texts = ", ".join(
        f"{quoted(name) if name in there else 'CAST(NULL AS VARCHAR)'} AS a{place}" for place, name in enumerate(names)
    )
    return f"SELECT {FILE} AS at_file, {ROW} AS at_row, {texts}, {turn} AS turn FROM {source}"


def _null_where_agreed(feed: Feed, place: str) -> str:
    """The texts that stand for null are null, as the readers of these formats have it."""
    texts = feed.delivery.options.null_values if feed.delivery.format in ("csv", "xlsx") else ()
    nulls = ", ".join(literal(text) for text in texts)
    return f"CASE WHEN {place} NOT IN ({nulls}) THEN {place} END" if nulls else place


def _arriving(feed: Feed, place: str) -> Arriving:
    terms = feed.delivery
    if terms.format not in ("csv", "xlsx"):
        return Arriving(place, "text", dates_are_iso=terms.format == "parquet")
    comma = terms.format == "csv" and terms.options.decimal_comma
    return Arriving(place, "text", terms.options.null_values, comma, dates_are_iso=terms.format == "xlsx")
