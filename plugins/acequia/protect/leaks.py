"""The leak scan: no delivery passes the gate with personal data in a column that keeps what people wrote.

Every distinct value of every protected text column is read, not a sample; what counts is the share of rows. There are
three looks:

- values: what each text holds (`sightings`). Text that was scrubbed is read again where it still holds digits or an
  `@`; pseudonyms, lookups and bands are made by the gate itself and are not read.
- columns of numbers: a column is taken for documents or telephone numbers if nine in ten of its values, and at least
  twenty, are valid ones (`whole_numbers` says why that is proof).
- pairs of neighbouring columns of few digits ("71", "123456"), put together and judged as a whole, by the same share.

A finding above the agreement's tolerance refuses the delivery. What is told is the column, the kind and the number of
rows; never a value.
"""

# ruff: noqa: S608  (statements are built from names and texts that are quoted)

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.columns import NUMBERS, Column
from acequia.agreement.model import Feed
from acequia.agreement.privacy import Kind
from acequia.engine.duck import literal, quoted
from acequia.errors import AcequiaError
from acequia.flow import Scanned
from acequia.protect.distinct import relation
from acequia.protect.sightings import LEAKS, kinds_of_values
from acequia.protect.whole_numbers import AT_LEAST, AT_MOST, kind_of_column

if TYPE_CHECKING:
    import duckdb

READ = ("keep", "first", "scrub_text")
_BATCH = 1 << 14
_PLACEHOLDER = "<[A-Z]+>"
_MAY_STILL_HOLD = r"(?:\d\D{0,3}){5}\d|@|(?:[0-9A-Fa-f]{1,4}:){2}"
_SMALLEST, _FEW = 100_000, 7

WORDS: Mapping[str, str] = {
    "name": "names of people",
    "phone": "telephone numbers",
    "email": "e-mail addresses",
    "national_id": "identity documents",
    "tax_id": "tax numbers",
    "passport": "passport numbers",
    "plate": "number plates",
    "card": "payment cards or devices",
    "account": "bank accounts",
    "ip": "network addresses",
}


def scanned_columns(feed: Feed) -> dict[str, Column]:
    """The text columns that are read, by their names after the gate."""
    kept = {name: feed.columns[key] for name, key in feed.kept.items()}
    return {name: column for name, column in kept.items() if column.type == "string" and column.treatment in READ}


def scan(
    connection: duckdb.DuckDBPyConnection, protected: Path, feed: Feed, *, language: str, country: str, scratch: Path
) -> tuple[Scanned, ...]:
    """Read the protected rows in scratch; one record per column and kind that was found, tolerated ones too.

    Args:
        connection: of the engine.
        protected: the protected rows, still in scratch.
        feed: as agreed.
        language: of the texts.
        country: whose telephone numbers and documents are looked for.
        scratch: where distinct values lie meanwhile.

    Raises:
        AcequiaError: `engine_failed` if reading a value fails.
    """
    look = _Look(connection, relation(protected), feed, language, country, scratch)
    found = [*look.at_texts(), *look.at_numbers(), *look.at_neighbours()]
    return tuple(sorted(found, key=lambda one: (one.column, one.kind)))


def refuse_leaks(found: Sequence[Scanned]) -> None:
    """Stop for what is above the agreed tolerance, all of it at once.

    Raises:
        AcequiaError: `personal_data_found`.
    """
    wrong = [one for one in found if not one.tolerated]
    if wrong:
        told = "; ".join(
            f"{one.column}: {WORDS.get(one.kind, one.kind)} in {one.rows} of {one.of} rows" for one in wrong
        )
        raise AcequiaError("personal_data_found", f"columns that are kept hold personal data: {told}")


def allowed(column: Column) -> frozenset[Kind]:
    """The kinds that may stand in a kept column by agreement: those of `may_hold`, and what it is said to hold where it
    is kept for a reason all the same.
    """
    kept = column.holds if column.treat == "keep" and column.keep_because is not None else None
    return frozenset([*(column.may_hold or ()), *([kept] if kept else [])])


def is_tolerated(kind: Kind, rows: int, of: int, columns: Sequence[Column], feed: Feed) -> bool:
    """Whether so many of the rows that hold a value may hold this kind, by what is agreed for the columns."""
    if any(kind in allowed(column) for column in columns):
        return True
    if kind == "name":
        listed = any(column.one_of is not None for column in columns)  # the agreement names the values: they were read
        return listed or rows * 100 <= feed.privacy.names_at_most_pct * of
    return kind not in LEAKS or rows * 100 <= feed.privacy.leaks_at_most_pct * of


@dataclass(frozen=True)
class _Look:
    """One look at the protected rows; `rows` is SQL."""

    connection: duckdb.DuckDBPyConnection
    rows: str
    feed: Feed
    language: str
    country: str
    scratch: Path

    def at_texts(self) -> Iterator[Scanned]:
        for name, column in scanned_columns(self.feed).items():
            counts: Counter[Kind] = Counter()
            for values, times in self._distinct(name, column):
                for kinds, many in zip(self._kinds(values, name), times, strict=True):
                    counts.update(dict.fromkeys(kinds, many))
            for kind, many in counts.items():
                yield self._seen(name, kind, many, self._filled(quoted(name)), column)

    def at_numbers(self) -> Iterator[Scanned]:
        """Columns whose values are large enough; most columns of amounts and counts end here, at the cost of a sum.

        Zeros and negative numbers stand for "none" and say nothing of the others.
        """
        kept = {name: self.feed.columns[key] for name, key in self.feed.kept.items()}
        numbers = {n: c for n, c in kept.items() if c.type in NUMBERS and c.treatment in ("keep", "top_code")}
        if not numbers:
            return
        sums = ", ".join(
            f"coalesce(count_if({quoted(name)} >= {_SMALLEST}) >= {AT_LEAST} * count_if({quoted(name)} > 0), false)"
            for name in numbers
        )
        (large,) = self.connection.execute(f"SELECT {sums} FROM {self.rows}").fetchall()
        for (name, column), is_large in zip(numbers.items(), large, strict=True):
            if is_large:
                text = f"CAST(TRY_CAST({quoted(name)} AS BIGINT) AS VARCHAR)"
                whole = f" AND {quoted(name)} = floor({quoted(name)})" if column.type == "number" else ""
                text = f"CASE WHEN {quoted(name)} > 0{whole} THEN {text} END"
                yield from self._as_a_whole(name, text, column)

    def at_neighbours(self) -> Iterator[Scanned]:
        kept = {name: self.feed.columns[key] for name, key in self.feed.kept.items()}
        texts = [(n, c) for n, c in kept.items() if c.type == "string" and c.treat == "keep" and c.one_of is None]
        for (first, one), (second, other) in zip(texts, texts[1:], strict=False):
            both = [f"(length({q}) <= {_FEW} AND TRY_CAST({q} AS UINTEGER) IS NOT NULL)"
                    for q in (quoted(first), quoted(second))]  # fmt: skip
            text = f"CASE WHEN {' AND '.join(both)} THEN {quoted(first)} || {quoted(second)} END"
            yield from self._as_a_whole(f"{first} and {second}, put together", text, one, other)

    def _as_a_whole(self, name: str, text: str, *columns: Column) -> Iterator[Scanned]:
        """A sample of the distinct values that is the same each time."""
        values = f"SELECT DISTINCT {text} AS value FROM {self.rows}"
        query = f"SELECT value FROM ({values}) WHERE value IS NOT NULL ORDER BY hash(value), value LIMIT {AT_MOST}"
        kind = kind_of_column([value for (value,) in self.connection.execute(query).fetchall()], self.country)
        if kind is not None:
            filled = self._filled(text)
            yield self._seen(name, kind, filled, filled, *columns)

    def _distinct(self, name: str, column: Column) -> Iterator[tuple[list[str], list[int]]]:
        """The column's distinct values in ascending order, and how many rows hold each, batch by batch."""
        import pyarrow.parquet as pq

        value, which = quoted(name), "value IS NOT NULL"
        if column.treatment == "scrub_text":
            value = f"regexp_replace({value}, {literal(_PLACEHOLDER)}, ';', 'g')"
            which = f"regexp_matches(value, {literal(_MAY_STILL_HOLD)})"
        values = f"SELECT {value} AS value FROM {self.rows}"
        query = f"SELECT value, count(*) AS times FROM ({values}) WHERE {which} GROUP BY value ORDER BY value"
        target = self.scratch / "scanned.parquet"
        self.connection.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet)")
        try:
            with pq.ParquetFile(target) as file:
                for batch in file.iter_batches(_BATCH):
                    yield batch.column(0).to_pylist(), batch.column(1).to_pylist()
        finally:
            target.unlink(missing_ok=True)

    def _kinds(self, values: list[str], name: str) -> list[frozenset[Kind]]:
        try:
            return kinds_of_values(values, language=self.language, country=self.country)
        except Exception:  # noqa: BLE001 - fail closed, and say nothing: messages of recognizers quote the text
            raise AcequiaError("engine_failed", f"column {name} could not be scanned for personal data") from None

    def _filled(self, value: str) -> int:
        (count,) = self.connection.execute(f"SELECT count({value}) FROM {self.rows}").fetchall()[0]
        return int(count)

    def _seen(self, name: str, kind: Kind, rows: int, of: int, *columns: Column) -> Scanned:
        agreed = is_tolerated(kind, rows, of, columns, self.feed)
        return Scanned(column=name, kind=kind, rows=rows, of=of, tolerated=agreed)
