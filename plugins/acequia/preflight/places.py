"""Where the rows stand that would be set aside: numbers of files and rows, by reason."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from acequia.engine.duck import connect
from acequia.flow import Protected
from acequia.preflight.judged import Reason
from acequia.receive.landing import Landing

FIRST = 10
_MEMORY = "256MB"


def reasons(protected: Protected, landing: Landing, scratch: Path) -> tuple[Reason, ...]:
    """Each reason with its rows, the first of them by place, in the order in which reasons are told."""
    if protected.set_aside_stored is None:
        return ()
    plain = scratch / "aside.parquet"
    landing.fetch(protected.set_aside_stored, plain)
    first: dict[str, list[tuple[int, int]]] = {reason: [] for reason in protected.count.set_aside}
    query = (
        "SELECT _reason, _file, _row FROM (SELECT _reason, _file, _row, row_number() OVER "
        "(PARTITION BY _reason ORDER BY _file, _row) AS nth FROM read_parquet(?, hive_partitioning=false)) "
        "WHERE nth <= ? ORDER BY _file, _row"
    )
    with closing(connect(_MEMORY, scratch)) as connection:
        for reason, file, row in connection.execute(query, [str(plain), FIRST]).fetchall():
            first[reason].append((int(file), int(row)))
    plain.unlink()
    return tuple(_told(reason, rows, first[reason]) for reason, rows in protected.count.set_aside.items())


def _told(reason: str, rows: int, first: list[tuple[int, int]]) -> Reason:
    rule, _, column = reason.partition(":")
    return Reason(rule, column, rows, tuple(first))
