"""From judged rows to protected rows: distinct values first, then one ordered statement."""

# ruff: noqa: S608  (statements are built from positions, and from names and texts that are quoted)

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.columns import Column, Lookup, Pseudonym
from acequia.agreement.model import Feed
from acequia.agreement.privacy import Kind
from acequia.engine.duck import literal, quoted
from acequia.errors import AcequiaError
from acequia.protect.distinct import replaced, written
from acequia.protect.forms import form_of
from acequia.protect.parsing import KIND_OF, text
from acequia.protect.pseudonyms import pseudonyms
from acequia.protect.reference import read_reference
from acequia.protect.rules import Judge
from acequia.protect.staging import Staged
from acequia.protect.treatments import TREATMENTS, Place

if TYPE_CHECKING:
    import duckdb

_ROW_GROUP = 122_880


@dataclass(frozen=True)
class Means:
    """What treatments need beside the values: the key of pseudonyms, the language and country of texts, the reference
    tables, a folder for distinct values, and how much of each kind must be found in texts for any to be kept (percent).
    """

    key: bytes = field(repr=False)
    language: str
    country: str
    reference: Path
    scratch: Path
    targets: Mapping[Kind, float]


def write_protected(
    connection: duckdb.DuckDBPyConnection, staged: Staged, judge: Judge, feed: Feed, means: Means, target: Path
) -> tuple[int, Mapping[str, str]]:
    """Write the rows that break no rule, treated, in the order of files and rows.

    Returns:
        How many rows there are, and the type of each column in the words of the agreement.
    """
    others = {name: f"rows.{reading.value}" for name, reading in judge.readings.items()}
    selected, joined, types = [], [], {}
    for number, (name, key) in enumerate(feed.kept.items()):
        column = feed.columns[key]
        value = others[column.from_ or key]
        becomes = _becomes(connection, staged, column, value, means, number)
        if becomes:
            joined.append(f"LEFT JOIN {becomes} AS m{number} ON m{number}.value = {_compared(column, value)}")
        treated = TREATMENTS[column.treatment](column, Place(value, f"m{number}.becomes", others))
        if treated is not None:
            selected.append(f"{treated.sql} AS {quoted(name)}")
            types[name] = treated.type
    query = (
        f"SELECT {', '.join(selected)} FROM {staged.relation} AS rows {' '.join(joined)} "
        "WHERE rows.reason IS NULL ORDER BY rows.file, rows.row"
    )
    # Level 1 is as small as level 3 for pseudonyms, and takes a fifth of the time.
    options = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {_ROW_GROUP}"
    done = connection.execute(f"COPY ({query}) TO {literal(str(target))} ({options})").fetchone()
    return (int(done[0]) if done else 0), types


def _becomes(
    connection: duckdb.DuckDBPyConnection, staged: Staged, column: Column, value: str, means: Means, number: int
) -> str | None:
    """The relation of what the column's distinct values become, for the treatments that need one."""
    target = means.scratch / f"becomes-{number}.parquet"
    if isinstance(column.treat, Lookup):
        return written(read_reference(means.reference, column.treat.table).lookup(column.treat.value), target)
    values = f"SELECT {_compared(column, value)} AS value FROM {staged.relation} AS rows WHERE rows.reason IS NULL"
    if column.treatment == "pseudonym":
        return replaced(connection, values, _pseudonyms(column, means), target, ordered=False)
    if column.treat == "scrub_text":
        from acequia.protect.scrub import available, scrub_texts

        if not available(means.language):
            raise AcequiaError("engine_failed", f"texts in the language {means.language} cannot be scrubbed here")
        scrub = partial(scrub_texts, language=means.language, country=means.country, targets=means.targets)
        return replaced(connection, values, scrub, target)
    return None


def _pseudonyms(column: Column, means: Means) -> Callable[[list[str]], list[str]]:
    form = form_of(column.holds, means.country)
    if not isinstance(column.treat, Pseudonym):
        return pseudonyms(means.key, form)
    from acequia.protect.same_format import codes

    return codes(means.key, form, whole_numbers=column.type == "integer")


def _compared(column: Column, value: str) -> str:
    """The text by which a value is looked up."""
    form = text(value, KIND_OF[column.type])
    return f"trim({form})" if column.treatment == "lookup" else form
