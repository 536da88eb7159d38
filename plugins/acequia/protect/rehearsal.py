"""The gate, over a small changed copy of a delivery, in scratch alone: how it is measured without harm to anything."""

# ruff: noqa: S608  (statements are built from positions, numbers, and texts through `literal`)

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.agreement.model import Feed
from acequia.engine.duck import connect, literal
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.protect.rules import Judge, compiled
from acequia.protect.staging import Staged, stage_files
from acequia.protect.treating import Means, write_protected
from acequia.receive.formats.columnar import text_or_typed
from acequia.receive.formats.opened import Arriving, Opened, unreadable
from acequia.receive.formats.opening import open_file

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_KEY = hashlib.blake2b(b"a rehearsal's pseudonyms are nobody's", digest_size=32).digest()


@dataclass(frozen=True)
class Setting:
    """Where and in what a rehearsal takes place: the agreement's country and language, and the engine's bounds."""

    country: str
    language: str
    reference: Path
    memory_limit: str
    scratch: Path


@dataclass(frozen=True)
class Rehearsed:
    """What came of the copy: the protected rows, and for each the number of its row in the copy (from 0), in order.

    Rows of the copy that are not there were set aside.
    """

    table: pa.Table
    rows: tuple[int, ...]


def rehearse(
    file: Path, feed: Feed, period: Period, change: Callable[[pa.Table], pa.Table], *, rows: int, setting: Setting
) -> Rehearsed:
    """Take the first sound rows of a delivered file, change them, and take the copy through the gate.

    Args:
        file: a delivered file in scratch, decrypted.
        feed: as agreed.
        period: of the delivery.
        change: given the rows as they arrived (one column per agreed column that did), the copy: as many columns of
            these names, text wherever it was changed, any number of rows.
        rows: how many rows are taken, at most.
        setting: countries, reference tables, scratch.

    Raises:
        AcequiaError: the file is refused, or the engine fails; no message holds a value.
    """
    import pyarrow.parquet as pq

    with _engine_failures(), closing(connect(setting.memory_limit, setting.scratch)) as connection:
        judge = compiled(feed, period, connection)
        opened = open_file(connection, file, feed, setting.scratch)
        copy = change(_sample(connection, opened, judge, rows, setting.scratch / "sample.parquet"))
        staged = _staged(connection, copy, opened, feed, judge, setting.scratch)
        means = Means(
            _KEY,
            setting.language,
            setting.country,
            setting.reference,
            setting.scratch,
            feed.privacy.recall_at_least_pct,
        )
        target = setting.scratch / "rehearsed.parquet"
        write_protected(connection, staged, judge, feed, means, target)
        kept = f"SELECT row - 1 FROM {staged.relation} AS rows WHERE reason IS NULL ORDER BY file, row"
        numbers = tuple(int(number) for (number,) in connection.execute(kept).fetchall())
        return Rehearsed(pq.read_table(target), numbers)


def _sample(connection: duckdb.DuckDBPyConnection, opened: Opened, judge: Judge, rows: int, target: Path) -> Any:
    """The first rows that break no rule, as they arrived; rows of any kind where there are none."""
    import pyarrow.parquet as pq

    names = list(opened.columns)
    values = ", ".join(f"{opened.columns[name].sql} AS c{n}" for n, name in enumerate(names))
    for which in ("WHERE reason IS NULL", ""):
        query = f"SELECT {values} FROM {judge.judged(opened.relation, opened.columns)} {which} LIMIT {rows}"
        connection.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet)")
        found = pq.read_table(target).rename_columns(names)
        if found.num_rows:
            break
    return found


def _staged(
    connection: duckdb.DuckDBPyConnection, copy: pa.Table, opened: Opened, feed: Feed, judge: Judge, scratch: Path
) -> Staged:
    """The copy as the gate would have read it: from a file of the same columns, some of which are text now."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = scratch / "copy.parquet"
    pq.write_table(copy, path)
    columns = {}
    for place, (name, was) in enumerate(opened.columns.items()):
        now_text = was.kind != "text" and pa.types.is_string(copy.schema.field(name).type)
        columns[name] = Arriving(f"a{place}", "text") if now_text else _at(was, place)
    relation = text_or_typed(path, len(columns))
    again = Opened(relation, relation, columns, unreadable("the copy cannot be read"))
    return stage_files(connection, [path], feed, judge, scratch, opener=lambda *_: again)


def _at(was: Arriving, place: int) -> Arriving:
    return Arriving(f"a{place}", was.kind, was.nulls, was.decimal_comma, was.dates_are_iso)


@contextmanager
def _engine_failures() -> Iterator[None]:
    """The engine's own words may quote rows, so only the kind of its failure is passed on."""
    import duckdb

    try:
        yield
    except duckdb.Error as failure:
        raise AcequiaError("engine_failed", f"the engine stopped in a rehearsal: {type(failure).__name__}") from None
