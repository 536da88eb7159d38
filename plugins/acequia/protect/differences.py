"""How the protected rows of one version differ from those of the version that stood before it. Counts, never values."""

# ruff: noqa: S608  (statements are built from numbers, and from names and paths that are quoted)

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.model import Feed
from acequia.engine.duck import connect, literal, quoted
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    import duckdb


def identity(feed: Feed) -> tuple[str, ...]:
    """The protected columns that tell which row is meant: every pseudonym, and the time that decides its period.

    Without a pseudonym nothing does, and a row that was changed is one that went and one that came.
    """
    named = [name for name, key in feed.kept.items() if feed.columns[key].treatment == "pseudonym"]
    when = feed.rows.period_column
    timed = [name for name, key in feed.kept.items() if when and (feed.columns[key].from_ or key) == when]
    return tuple(dict.fromkeys([*named, *timed])) if named else ()


def row_differences(
    before: Path, after: Path, *, identified_by: Sequence[str], memory_limit: str, scratch: Path
) -> dict[str, int]:
    """Rows added, removed and changed between two files of protected rows, as multisets of the columns of both.

    Args:
        before: the Parquet of the version that stood.
        after: that of the new one.
        identified_by: columns that tell which row is meant; a row that went and one that came with the same values of
            these are one row that changed. None: nothing tells.
        memory_limit: of the engine, which spills to `scratch`.
        scratch: for what does not fit.

    Returns:
        `rows_before`, `rows_after`, `added`, `removed`, `changed`: rows; after - before = added - removed.
    """
    import duckdb

    try:
        with closing(connect(memory_limit, scratch)) as connection:
            return _counted(connection, before, after, identified_by)
    except duckdb.Error as failure:
        what = f"the engine stopped while comparing versions: {type(failure).__name__}"
        raise AcequiaError("engine_failed", what) from None


def _counted(
    connection: duckdb.DuckDBPyConnection, before: Path, after: Path, identified_by: Sequence[str]
) -> dict[str, int]:
    columns = {path: _columns(connection, path) for path in (before, after)}
    shared = [name for name in columns[before] if name in columns[after]]
    parts = [f"SELECT {_selected(shared, columns, path)}, {side} AS side FROM {_read(path)}"
             for path, side in ((before, -1), (after, 1))]  # fmt: skip
    places = [f"c{number}" for number in range(len(shared))]
    connection.execute(
        f"CREATE TEMP TABLE differing AS SELECT {''.join(f'{place}, ' for place in places)}"
        f"CAST(sum(side) AS BIGINT) AS more FROM ({' UNION ALL '.join(parts)}) "
        f"GROUP BY {', '.join(places) or '1'} HAVING sum(side) <> 0"
    )
    own = [places[shared.index(name)] for name in identified_by if name in shared]
    grouped = f" GROUP BY {', '.join(own)}" if own else ""
    by = f"SELECT sum(greatest(more, 0)) AS came, sum(greatest(-more, 0)) AS went FROM differing{grouped}"
    paired = "least(came, went)" if own else "0"
    counted = connection.execute(
        f"SELECT coalesce(sum(came - {paired}), 0), coalesce(sum(went - {paired}), 0), coalesce(sum({paired}), 0) "
        f"FROM ({by})"
    ).fetchall()[0]
    told = {"rows_before": _rows(connection, before), "rows_after": _rows(connection, after)}
    return told | dict(zip(("added", "removed", "changed"), map(int, counted), strict=True))


def _rows(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {_read(path)}").fetchall()[0][0])


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, hive_partitioning=false)"


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    rows = connection.execute(f"DESCRIBE FROM {_read(path)}").fetchall()
    return {row[0]: row[1] for row in rows}


def _selected(shared: Sequence[str], columns: dict[Path, dict[str, str]], path: Path) -> str:
    """The columns that both have, by place; as text where an agreement gave them another type since."""
    told = []
    for number, name in enumerate(shared):
        same = len({found[name] for found in columns.values()}) == 1
        told.append(f"{quoted(name) if same else f'CAST({quoted(name)} AS VARCHAR)'} AS c{number}")
    return ", ".join(told) or "1 AS none"
