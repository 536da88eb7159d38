"""Rows by the releases that they are in: what releases have in common, and what they differ by.

Several sets of deliveries are compared: those that one release is made of, those of another, perhaps with a corrected
version of the same period. A *piece* is all rows that are in exactly the same sets. Where two sets hold different
versions of a period, its rows are told apart one by one, copies counted, as EXCEPT ALL does; a delivery that no other
version stands against goes to its piece as it is, without being read.

A transform can make other rows of more deliveries than of fewer. Then each set is transformed by itself, and its rows
are compared after that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.aggregate.cells import as_engine_failure
from acequia.aggregate.plan import compile_table
from acequia.aggregate.rows import open_rows
from acequia.agreement.model import Feed
from acequia.agreement.tables import Table
from acequia.engine.duck import connect, literal, quoted
from acequia.flow import Protected
from acequia.period import Period

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MOST_SETS = 60


@dataclass(frozen=True)
class Piece:
    """Rows that are in exactly these sets, by number; `made` are Parquet files of them, transformed or not yet."""

    sets: frozenset[int]
    made: tuple[Path, ...]
    transformed: bool = False


def pieces(feed: Feed, sets: Sequence[Sequence[Protected]], *, memory_limit: str, scratch: Path) -> tuple[Piece, ...]:
    """The pieces of at most `MOST_SETS` sets of deliveries, in a fixed order; empty pieces are left out.

    Raises:
        AcequiaError: `engine_failed`, `agreement_invalid` as `aggregate`.
    """
    if feed.transform is not None:
        return tuple(_transformed(feed, sets, memory_limit, scratch))
    found: dict[frozenset[int], list[Path]] = defaultdict(list)
    versions: dict[str, dict[str, tuple[Protected, set[int]]]] = defaultdict(dict)
    for number, parts in enumerate(sets):
        for part in parts:
            of = versions[part.delivery.period].setdefault(str(part.delivery), (part, set()))
            of[1].add(number)
    for period in sorted(versions):
        same = [versions[period][name] for name in sorted(versions[period])]
        if len(same) == 1:
            found[frozenset(same[0][1])].append(Path(same[0][0].path))
            continue
        sources = [f"read_parquet({literal(str(part.path))})" for part, _ in same]
        for places, path in _apart(sources, memory_limit, scratch, f"versions.{period}"):
            within = frozenset(number for place in places for number in same[place][1])
            found[within].append(path)
    return tuple(Piece(within, tuple(found[within])) for within in sorted(found, key=sorted))


def piece_cells(
    name: str, table: Table, feed: Feed, made: Sequence[Piece], window: Period, *, reference: Path,
    memory_limit: str, scratch: Path,
) -> pa.Table:  # fmt: skip
    """The cells of a table over the rows of pieces, read together; with the columns that `plan` describes.

    Raises:
        AcequiaError: as `aggregate`.
    """
    paths = [path for piece in made for path in piece.made]
    with as_engine_failure(f"{name} {window}"), connect(memory_limit, scratch) as connection:
        if any(piece.transformed for piece in made):
            listed = ", ".join(literal(str(path)) for path in paths)
            connection.execute(f"CREATE TEMP VIEW rows AS SELECT * FROM read_parquet([{listed}])")
            types = _types(connection, "rows")
        else:
            types = open_rows(connection, feed, paths)
        plan = compile_table(name, table, feed, types, window, reference)
        for statement in plan.statements:
            connection.execute(statement)
        cells: pa.Table = connection.sql(plan.result).to_arrow_table()
    return cells


def _transformed(feed: Feed, sets: Sequence[Sequence[Protected]], memory_limit: str, scratch: Path) -> Iterator[Piece]:
    sources = []
    for number, parts in enumerate(sets):
        path = scratch / f"set.{number}.parquet"
        with as_engine_failure("rows"), connect(memory_limit, scratch) as connection:
            open_rows(connection, feed, [Path(part.path) for part in parts])
            connection.execute(f"COPY (SELECT * FROM rows) TO {literal(str(path))} (FORMAT parquet)")
        sources.append(f"read_parquet({literal(str(path))})")
    for places, path in _apart(sources, memory_limit, scratch, "sets"):
        yield Piece(places, (path,), transformed=True)


def _apart(
    sources: Sequence[str], memory_limit: str, scratch: Path, name: str
) -> Iterator[tuple[frozenset[int], Path]]:
    """Files with the rows that are in exactly some of the sources, the n-th copy of a row beside every n-th copy."""
    with as_engine_failure("rows"), connect(memory_limit, scratch) as connection:
        columns: dict[str, str] = {}
        for source in sources:
            columns |= {column: kind for column, kind in _types(connection, source).items() if column not in columns}
        alike = ", ".join(quoted(column) for column in columns)
        selects = []
        for place, source in enumerate(sources):
            own = _types(connection, source)
            listed = ", ".join(quoted(c) if c in own else f"CAST(NULL AS {columns[c]}) AS {quoted(c)}" for c in columns)
            copies = f'row_number() OVER (PARTITION BY {alike}) AS "copy:"'
            selects.append(f'SELECT *, {copies}, {1 << place} AS "bit:" FROM (SELECT {listed} FROM {source})')
        bits = 'CAST(bit_or(CAST("bit:" AS BIGINT)) AS BIGINT) AS "within:"'
        union = " UNION ALL ".join(selects)
        connection.execute(
            f'CREATE TEMP TABLE apart AS SELECT {alike}, {bits} FROM ({union}) GROUP BY {alike}, "copy:"'
        )
        masks = [row[0] for row in connection.execute('SELECT DISTINCT "within:" FROM apart ORDER BY 1').fetchall()]
        for mask in masks:
            path = scratch / f"{name}.{mask}.parquet"
            chosen = f'SELECT {alike} FROM apart WHERE "within:" = {mask}'
            connection.execute(f"COPY ({chosen}) TO {literal(str(path))} (FORMAT parquet)")
            yield frozenset(place for place in range(len(sources)) if mask >> place & 1), path


def _types(connection: duckdb.DuckDBPyConnection, relation: str) -> Mapping[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE FROM {relation}").fetchall()}
