"""Rows that break a rule: counted by rule, and written as they arrived, with their place and the reason."""

# ruff: noqa: S608  (statements are built from positions, numbers, and names and texts that are quoted)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.engine.duck import literal, quoted
from acequia.errors import AcequiaError
from acequia.flow import RuleOutcome
from acequia.protect.parsing import text
from acequia.protect.rules import DUPLICATE, Judge
from acequia.protect.staging import Staged
from acequia.receive.formats.opened import ROW, Opened

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Aside:
    """What was set aside: rows by reason, rows that break each rule (they may break several), and the file that holds
    them in clear, if there are any.
    """

    by_reason: Mapping[str, int]
    outcomes: tuple[RuleOutcome, ...]
    path: Path | None


def set_aside(
    connection: duckdb.DuckDBPyConnection, staged: Staged, judge: Judge, finds_duplicates: bool, target: Path
) -> Aside:
    """Go back to the files for the rows that break a rule; where all rows are sound nothing is read again.

    The file has one row per row set aside: `_file` and `_row` (both from 1, the header apart), `_reason`, then every
    agreed column as text.
    """
    reasons = [*(rule.reason for rule in judge.rules), *([DUPLICATE] if finds_duplicates else [])]
    (broken_rows,) = connection.execute(f"SELECT count(*) FROM {staged.relation} WHERE reason IS NOT NULL").fetchall()[
        0
    ]
    if not broken_rows:
        return Aside({}, _outcomes(judge, [0] * len(judge.rules), finds_duplicates, 0), None)
    _collect(connection, staged, judge)
    counts = dict(connection.execute("SELECT reason, count(*) FROM aside GROUP BY reason ORDER BY reason").fetchall())
    flags = ", ".join(f"count(*) FILTER (b{number})" for number in range(len(judge.rules))) or "0"
    (broken,) = connection.execute(f"SELECT {flags} FROM aside").fetchall()
    _write(connection, judge, reasons, target)
    return Aside(
        {reasons[number]: rows for number, rows in counts.items()},
        _outcomes(judge, list(broken), finds_duplicates, counts.get(len(judge.rules), 0)),
        target,
    )


def _collect(connection: duckdb.DuckDBPyConnection, staged: Staged, judge: Judge) -> None:
    texts = "".join(f", r{reading.place} VARCHAR" for reading in judge.readings.values())
    flags = "".join(f", b{number} BOOLEAN" for number in range(len(judge.rules)))
    connection.execute(f"CREATE TEMP TABLE aside (file UINTEGER, row BIGINT, reason USMALLINT{texts}{flags})")
    as_sent = "reason IS NOT NULL" + (" AND NOT corrected" if staged.corrected else "")
    files = connection.execute(
        f"SELECT file, count(*) FROM {staged.relation} WHERE {as_sent} GROUP BY file ORDER BY file"
    ).fetchall()
    for number, rows in files:
        there = f"SELECT file, row, reason FROM {staged.relation} WHERE file = {number} AND {as_sent}"
        _insert(connection, judge, staged.opened[number - 1], there, f"there.row = here.{ROW}", rows)
    if staged.corrected:
        there = f"SELECT file, row, reason FROM {staged.relation} WHERE reason IS NOT NULL AND corrected"
        (rows,) = connection.execute(f"SELECT count(*) FROM ({there})").fetchall()[0]
        on = "there.file = here.at_file AND there.row = here.at_row"
        _insert(connection, judge, staged.corrected, there, on, rows)


def _insert(
    connection: duckdb.DuckDBPyConnection, judge: Judge, opened: Opened, there: str, on: str, rows: int
) -> None:
    """Add the rows of one file that are set aside, as they arrived; as many as were found."""
    raw = "".join(
        f", {text(f'here.{arriving.sql}', arriving.kind, reading.manner.zone)}"
        if (arriving := opened.columns.get(name))
        else ", NULL"
        for name, reading in judge.readings.items()
    )
    broken = "".join(f", coalesce({rule.broken}, false)" for rule in judge.rules)
    found = connection.execute(
        f"INSERT INTO aside SELECT there.file, there.row, there.reason{raw}{broken} "
        f"FROM {judge.judged(opened.numbered, opened.columns)} AS here JOIN ({there}) AS there ON {on}"
    ).fetchone()
    if not found or found[0] != rows:
        raise AcequiaError("rows_unaccounted", "the rows set aside are not the rows that were found")


def _outcomes(judge: Judge, broken: list[int], finds_duplicates: bool, duplicates: int) -> tuple[RuleOutcome, ...]:
    outcomes = [
        RuleOutcome(column=rule.column, rule=rule.name, rows_failing=rows)
        for rule, rows in zip(judge.rules, broken, strict=False)
    ]
    if finds_duplicates:
        outcomes.append(RuleOutcome(column="", rule=DUPLICATE, rows_failing=duplicates))
    return tuple(outcomes)


def _write(connection: duckdb.DuckDBPyConnection, judge: Judge, reasons: list[str], target: Path) -> None:
    names = ", ".join(literal(reason) for reason in reasons)
    texts = "".join(f", r{reading.place} AS {quoted(name)}" for name, reading in judge.readings.items())
    query = f"SELECT file AS _file, row AS _row, [{names}][reason + 1] AS _reason{texts} FROM aside ORDER BY file, row"
    connection.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
