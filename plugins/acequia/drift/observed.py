"""What the columns of a file look like beside the agreed ones: shares and counts, never a value.

The beginning of the file is read, by the gate's own rules. Needs no ledger and no key: a partner can do it as well.
"""

# ruff: noqa: S608  (statements are built from positions, numbers, and texts through `literal`)

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.columns import Column, ColumnType, Rows
from acequia.agreement.model import Feed
from acequia.engine.duck import literal
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.protect.rules import compiled
from acequia.receive.formats.delimited import first_record, open_delimited
from acequia.receive.formats.opened import ROW, Arriving, Opened
from acequia.receive.formats.opening import names_in, open_file
from acequia.receive.formats.text import head

if TYPE_CHECKING:
    import duckdb

ROWS_AT_MOST = 20_000
COLUMNS_AT_MOST = 2000
_PAIRS_AT_MOST = 5000
_PAIRS_AT_ONCE = 60
_ANY_PERIOD = Period.parse("2026")

_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d")
# What values may be that do not fit, the plainest first: type, and how times are written.
GUESSES: tuple[tuple[ColumnType, str | None], ...] = (
    ("integer", None),
    ("number", None),
    ("date", None),
    ("timestamp", None),
    *(("date", day) for day in _DAYS),
    *(("timestamp", f"{day} {time}") for day in _DAYS for time in ("%H:%M:%S", "%H:%M")),
    ("timestamp", "%Y-%m-%dT%H:%M:%S%z"),
    ("boolean", None),
)  # fmt: skip


@dataclass(frozen=True)
class Fit:
    """How the values of a column that arrived fit an agreed one: shares (0..1) of those that are not empty.

    `typed`: can be read as the agreed type; `whole`: break none of its rules. `values`: rows by agreed value (`one_of`,
    if those are few), by which two columns of the same values can be told apart.
    """

    typed: float
    whole: float
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One column that arrived: its place from 1, the name as the partner wrote it, how many of the rows looked at hold
    a value, and how these fit agreed columns. `guess` is the plainest type that nearly all of them are.
    """

    place: int
    name: str
    rows: int
    filled: int
    fits: Mapping[str, Fit]
    guess: tuple[ColumnType, str | None] = ("string", None)


@dataclass(frozen=True)
class Observed:
    """The columns of a file, in order. `named`: the file says their names. `header_fits`: the share of agreed columns
    that the first line itself fits, by place, as a row of data would; `repeats`: rows that hold the names again.
    `ordered`: the places mean something, as they do not for the keys of JSON objects.
    """

    columns: tuple[Seen, ...]
    rows: int
    named: bool = True
    header_fits: float = 0.0
    repeats: int = 0
    ordered: bool = True


def observe(connection: duckdb.DuckDBPyConnection, path: Path, feed: Feed, scratch: Path) -> Observed:
    """Look at the beginning of a delivered file, at most 20,000 rows.

    Args:
        connection: of the engine.
        path: the file in scratch, in clear, still packed.
        feed: as agreed.
        scratch: where an unpacked copy of the beginning goes.

    Raises:
        AcequiaError: the file cannot be read at all; no message holds a value or a name.
    """
    import duckdb

    try:
        names, opened = _opened(connection, path, feed, scratch)
        reading = _Reading(connection, feed, opened.columns, names)
        reading.take(opened)
        return reading.observed()
    except duckdb.Error:
        raise AcequiaError("file_unreadable", "the beginning of the file cannot be read") from None


def _opened(
    connection: duckdb.DuckDBPyConnection, path: Path, feed: Feed, scratch: Path
) -> tuple[list[str] | None, Opened]:
    """The names, if the file says them, and the file opened so that every column is taken as it comes, by place."""
    terms = feed.delivery
    named = terms.options.header or terms.format in ("parquet", "jsonl")
    if terms.format == "csv":
        text = head(path, scratch / f"{path.name}.beginning", terms.options.encoding, terms.bytes_at_most)
        first, _ = first_record(text.path, terms.options)
        options = terms.options.model_copy(update={"header": False})
        return (first if named else None), open_delimited(connection, text, _any(len(first)), options, scratch)
    if terms.format == "xlsx":
        first = names_in(connection, path, _with(feed, {}, header=True), scratch)
        return (first if named else None), open_file(
            connection, path, _with(feed, _any(len(first)), header=False), scratch
        )
    names = names_in(connection, path, feed, scratch)
    return names, open_file(connection, path, _with(feed, dict.fromkeys(names, _ANY)), scratch)


_ANY = Column.model_construct(type="string", treat="drop", required=False)


def _any(width: int) -> dict[str, Column]:
    if width > COLUMNS_AT_MOST:
        raise AcequiaError("file_unreadable", f"the file has more than {COLUMNS_AT_MOST} columns")
    return {f"column {place}": _ANY for place in range(1, width + 1)}


def _with(feed: Feed, columns: Mapping[str, Column], *, header: bool | None = None) -> Feed:
    """The feed as if other columns were agreed."""
    delivery = feed.delivery
    if header is not None:
        options = delivery.options.model_copy(update={"header": header})
        delivery = delivery.model_copy(update={"options": options})
    return feed.model_copy(update={"columns": dict(columns), "delivery": delivery, "rows": Rows()})


class _Reading:
    """The beginning of a file as a table `seen`, and questions to it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        feed: Feed,
        columns: Mapping[str, Arriving],
        names: Sequence[str] | None,
    ) -> None:
        self.connection, self.feed, self.names = connection, feed, names
        self.columns = list(columns.values())

    def take(self, opened: Opened) -> None:
        """Keep the first rows. A first line of names is a row here, since every line was opened as one."""
        first = int(self.names is not None and self.feed.delivery.format in ("csv", "xlsx"))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE seen AS SELECT * FROM {opened.numbered} "
            f"WHERE {ROW} > {first} AND {ROW} <= {ROWS_AT_MOST + first}"
        )

    def observed(self) -> Observed:
        """All that is told."""
        (rows,) = self.connection.execute("SELECT count(*) FROM seen").fetchall()[0]
        names = self.names if self.names is not None else list(self.feed.arriving)
        names = [*names, *(f"column {n}" for n in range(len(names) + 1, len(self.columns) + 1))][: len(self.columns)]
        stripped = [name.strip() for name in names]
        pairs = self._pairs(stripped)
        fits = self._fits(pairs, self.feed.arriving, "seen")
        odd = [place for place in range(len(stripped)) if _is_odd(stripped[place], self.feed, fits[place])]
        guesses = self._guesses(odd)
        filled = self._filled()
        seen = tuple(
            Seen(place + 1, name, rows, filled[place], fits[place], guesses.get(place, ("string", None)))
            for place, name in enumerate(stripped)
        )
        named, ordered = self.names is not None, self.feed.delivery.format != "jsonl"
        header_fits = self._header_fits(stripped) if named and ordered else 0.0
        return Observed(seen, rows, named, header_fits, self._repeats(names) if named else 0, ordered)

    def _pairs(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """Which column is held against which agreed one: its own, else each that did not arrive."""
        agreed = self.feed.arriving
        missing = [name for name in agreed if name not in names]
        own = [(place, name) for place, name in enumerate(names) if name in agreed]
        others = [(place, other) for place, name in enumerate(names) if name not in agreed for other in missing]
        return own + others[:_PAIRS_AT_MOST]

    def _fits(
        self, pairs: Sequence[tuple[int, str]], wanted: Mapping[str, Column], relation: str
    ) -> dict[int, dict[str, Fit]]:
        found: dict[int, dict[str, Fit]] = {place: {} for place in range(len(self.columns))}
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            part = pairs[start : start + _PAIRS_AT_ONCE]
            for (place, name), fit in zip(part, self._judged(part, wanted, relation), strict=True):
                if fit is not None:
                    found[place][name] = fit
        return found

    def _judged(
        self, pairs: Sequence[tuple[int, str]], wanted: Mapping[str, Column], relation: str
    ) -> Iterator[Fit | None]:
        """The gate's own rules, each agreed column read from a column that arrived; None where all is empty."""
        columns = {f"{n}": wanted[name] for n, (_, name) in enumerate(pairs)}
        arriving = {f"{n}": self.columns[place] for n, (place, _) in enumerate(pairs)}
        judge = compiled(_with(self.feed, columns), _ANY_PERIOD, self.connection)
        asked = []
        for key, reading in judge.readings.items():
            broken = [rule for rule in judge.rules if rule.column == key and rule.name != "null"]
            there = f"{reading.given} IS NOT NULL"
            typed = " OR ".join(f"coalesce({rule.broken}, false)" for rule in broken if rule.name == "type") or "false"
            whole = " OR ".join(f"coalesce({rule.broken}, false)" for rule in broken) or "false"
            asked.append(f"count({reading.given}), count(*) FILTER ({there} AND NOT ({typed}))")
            asked.append(f"count(*) FILTER ({there} AND NOT ({whole}))")
        judged = judge.judged(relation, arriving)
        numbers = self.connection.execute(f"SELECT {', '.join(asked)} FROM {judged}").fetchall()[0]
        for n, reading in enumerate(judge.readings.values()):
            filled, typed_rows, whole_rows = numbers[3 * n : 3 * n + 3]
            values = self._values(judged, reading.value, reading.column) if filled else {}
            yield Fit(typed_rows / filled, whole_rows / filled, values) if filled else None

    def _values(self, judged: str, value: str, column: Column) -> dict[str, int]:
        """Rows by agreed value: only those that the agreement names come out."""
        if column.one_of is None or len(column.one_of) > 100:
            return {}
        grouped = f"SELECT CAST({value} AS VARCHAR), count(*) FROM {judged} GROUP BY 1"
        known = {str(one).lower() if isinstance(one, bool) else str(one) for one in column.one_of}
        return {text: int(many) for text, many in self.connection.execute(grouped).fetchall() if text in known}

    def _filled(self) -> list[int]:
        nulls = [f"count(nullif(trim(CAST({column.sql} AS VARCHAR)), ''))" for column in self.columns]
        return [int(many) for many in self.connection.execute(f"SELECT {', '.join(nulls)} FROM seen").fetchall()[0]]

    def _guesses(self, places: Sequence[int]) -> dict[int, tuple[ColumnType, str | None]]:
        wanted = {
            str(n): Column.model_construct(type=kind, treat="drop", required=False, parse=parse)
            for n, (kind, parse) in enumerate(GUESSES)
        }
        fits = self._fits([(place, name) for place in places for name in wanted], wanted, "seen")
        return {
            place: next((GUESSES[int(n)] for n, fit in fits[place].items() if fit.typed >= 0.99), ("string", None))
            for place in places
        }

    def _header_fits(self, names: Sequence[str]) -> float:
        """The share of agreed columns, those of any text apart, that the first line fits by place as a row would."""
        agreed = self.feed.arriving
        telling = [
            (place, name)
            for place, (name, column) in enumerate(list(agreed.items())[: len(names)])
            if column.type != "string" or column.one_of or column.matches
        ]
        if not telling or set(names) & set(agreed) or len(names) > len(agreed):
            return 0.0
        texts = ", ".join(f"{literal(name)} AS {self.columns[place].sql}" for place, name in enumerate(names))
        fits = self._fits(telling, agreed, f"(SELECT {texts})")
        return sum(fits[place].get(name, Fit(0, 0)).whole for place, name in telling) / len(telling)

    def _repeats(self, names: Sequence[str]) -> int:
        if not names or self.feed.delivery.format not in ("csv", "xlsx"):
            return 0
        same = " AND ".join(
            f"trim({column.sql}) = {literal(name.strip())}" for column, name in zip(self.columns, names, strict=False)
        )
        return int(self.connection.execute(f"SELECT count(*) FROM seen WHERE {same}").fetchall()[0][0])


def _is_odd(name: str, feed: Feed, fits: Mapping[str, Fit]) -> bool:
    """Whether it must be asked what the values are: of a column that is not agreed, or that does not fit its own."""
    return name not in feed.arriving or (name in fits and fits[name].typed < 0.5)
