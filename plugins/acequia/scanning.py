"""Looks at a file that nobody has agreed on yet: what each column's values look like, and what to do with them.

Names of columns, types, kinds and shares come out; values never do.
"""

# ruff: noqa: S608  (statements are built from names and texts that are quoted)

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.agreement.columns import Column, ColumnType
from acequia.agreement.delivery import FormatOptions
from acequia.agreement.model import Feed
from acequia.agreement.personal import looks_personal
from acequia.agreement.privacy import Kind
from acequia.engine.duck import connect, literal, quoted
from acequia.errors import AcequiaError
from acequia.protect.sightings import STOPPED_FOR, kinds_of_values
from acequia.protect.whole_numbers import AT_MOST, kind_of_column

if TYPE_CHECKING:
    import duckdb

# What a column's values can be read as, narrowest first. A number with a leading zero or plus is a code, not a number.
_GUESSES: tuple[tuple[ColumnType, str], ...] = (
    ("integer", "regexp_full_match(text, '-?(0|[1-9][0-9]*)(\\.0+)?')"),
    ("number", "regexp_full_match(text, '-?(0|[1-9][0-9]*)?(\\.[0-9]+)?([eE][+-]?[0-9]+)?') AND text <> '-'"),
    ("date", "regexp_full_match(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}') AND TRY_CAST(text AS DATE) IS NOT NULL"),
    ("timestamp", "TRY_CAST(text AS TIMESTAMP) IS NOT NULL"),
    ("boolean", "lower(text) IN ('true', 'false')"),
)
_VALUES_AT_MOST = 20_000
_MEMORY, _BYTES_AT_MOST = "1GB", 20 * 2**30
_MOSTLY, _FEW_VALUES, _WORDS, _SENTENCE = 50.0, 50, 3, 4.5
_FOLLOWED = frozenset({"phone", "national_id", "tax_id", "passport", "card", "account", "id"})
_TIMES: dict[str, str] = {"timestamp": "{truncate_to: hour}", "date": "{truncate_to: month}"}


@dataclass(frozen=True)
class Looks:
    """One column: its type, its rows and those that hold a value, what the values look like (percent of rows that hold
    one, by kind), what the column as a whole seems to hold, and the treatment that is proposed.
    """

    column: str
    type: ColumnType
    rows: int
    filled: int
    found: dict[Kind, float]
    holds: Kind | None
    treat: str
    because: str

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        seen = ", ".join(f"{kind} {share:.3g} %" for kind, share in self.found.items())
        return {"column": self.column, "type": self.type, "rows": self.rows, "filled": self.filled,
                "looks_like": seen, "holds": self.holds, "proposed": self.treat, "because": self.because}  # fmt: skip


def scan(file: Path, *, country: str, language: str, scratch: Path) -> list[Looks]:
    """One record per column of a CSV, JSONL, Parquet or XLSX file (the first two may be compressed).

    Of each column all values are typed, and up to 20,000 different ones are read by the engine; shares are of rows.

    Args:
        file: the file; its ending says how it is written.
        country: ISO 3166-1 alpha-2, whose telephone numbers and documents are looked for.
        language: `en` or `es`, of the texts.
        scratch: a folder for plain bytes, gone afterwards.

    Raises:
        AcequiaError: `usage` if the file cannot be read; no message holds a value.
    """
    import duckdb

    kind = format_of(file)
    with closing(connect(_MEMORY, scratch)) as connection:
        try:
            relation = _sheet(file, scratch) if kind == "xlsx" else _READERS[kind].format(literal(str(file)))
            connection.execute(f"CREATE TEMP TABLE looked AS FROM {relation}")
            names = [str(row[0]) for row in connection.execute("DESCRIBE looked").fetchall()]
            return [_looks(connection, name, country, language) for name in names]
        except duckdb.Error:
            raise AcequiaError("usage", f"the file cannot be read as {kind}") from None


def scan_as(file: Path, feed: Feed, *, country: str, language: str, scratch: Path) -> list[Looks]:
    """The same of a file that is laid out as a feed's deliveries are; `treat` is then what is agreed.

    Raises:
        AcequiaError: the file is refused, as a delivery would be; no message holds a value.
    """
    import duckdb

    from acequia.receive.formats.opening import open_file

    with closing(connect(_MEMORY, scratch)) as connection:
        opened = open_file(connection, file, feed, scratch)
        chosen = ", ".join(f"{arriving.sql} AS {quoted(name)}" for name, arriving in opened.columns.items())
        try:
            connection.execute(f"CREATE TEMP TABLE looked AS SELECT {chosen} FROM {opened.relation}")
            found = [_looks(connection, name, country, language) for name in opened.columns]
        except duckdb.Error as failure:
            raise opened.explain(connection, str(failure)) from None
    return [replace(looks, treat=_agreed(feed.columns[looks.column]), because="agreed") for looks in found]


def _agreed(column: Column) -> str:
    return (
        column.treat
        if isinstance(column.treat, str)
        else json.dumps(column.treat.model_dump(mode="json")).replace('"', "")
    )


def format_of(file: Path) -> str:
    """How a file is written, by its ending."""
    suffixes = [suffix.lower() for suffix in file.suffixes if suffix.lower() != ".gz"]
    found = suffixes[-1].removeprefix(".") if suffixes else ""
    if found not in (*_READERS, "xlsx"):
        raise AcequiaError("usage", "the file must end in .csv, .csv.gz, .jsonl, .jsonl.gz, .parquet or .xlsx")
    return found


_READERS = {
    "csv": "read_csv({}, all_varchar=true)",
    "jsonl": "read_json({}, format='newline_delimited')",
    "parquet": "read_parquet({}, hive_partitioning=false)",
}


def _sheet(file: Path, scratch: Path) -> str:
    """The first sheet, its first row the header, as text."""
    from openpyxl import load_workbook

    from acequia.receive.formats.sheet import open_sheet

    try:
        with file.open("rb") as content, closing(load_workbook(content, read_only=True, data_only=True)) as book:
            head = next(book.worksheets[0].iter_rows(values_only=True, max_row=1), ())
    except Exception:  # noqa: BLE001 - the library's errors may quote cells
        raise AcequiaError("usage", "the file cannot be read as xlsx") from None
    names = [str(cell).strip() for cell in head if cell is not None]
    columns = {name: Column(type="string", treat="drop", required=False) for name in names}
    opened = open_sheet(file, columns, FormatOptions(), scratch / "sheet.parquet", bytes_at_most=_BYTES_AT_MOST)
    chosen = ", ".join(f"{arriving.sql} AS {quoted(name)}" for name, arriving in opened.columns.items())
    return f"(SELECT {chosen} FROM {opened.relation})"


def _looks(connection: duckdb.DuckDBPyConnection, name: str, country: str, language: str) -> Looks:
    tests = ", ".join(f"bool_and({test})" for _, test in _GUESSES)
    texts = f"(SELECT CAST({quoted(name)} AS VARCHAR) AS text FROM looked)"
    words = "coalesce(avg(length(text) - length(replace(text, ' ', '')) + 1), 0)"
    told = f"count(*), count(text), count(DISTINCT text), {words}, {tests}"
    rows, filled, different, words_each, *fits = connection.execute(f"SELECT {told} FROM {texts}").fetchall()[0]
    kind: ColumnType = next((word for (word, _), fit in zip(_GUESSES, fits, strict=True) if fit), "string")
    found = _found(connection, texts, kind, country, language)
    holds = _holds(name, kind, found) if words_each < _SENTENCE else None
    shape = _Shape(
        few=different <= min(_FEW_VALUES, filled // 2), text=words_each >= _WORDS, own=different == filled > 1
    )
    treat, because = _proposed(name, kind, holds, found, shape)
    return Looks(name, kind, rows, filled, found, holds, treat, because)


def _found(
    connection: duckdb.DuckDBPyConnection, texts: str, kind: ColumnType, country: str, language: str
) -> dict[Kind, float]:
    """Percent of the filled rows by kind, the most frequent first. A column of numbers is judged as a whole."""
    if kind in ("integer", "number"):
        query = f"SELECT DISTINCT split_part(text, '.', 1) AS value FROM {texts} WHERE text IS NOT NULL"
        values = connection.execute(f"FROM ({query}) ORDER BY hash(value), value LIMIT {AT_MOST}").fetchall()
        whole = kind_of_column([value for (value,) in values if value.isdigit()], country)
        return {whole: 100.0} if whole else {}
    if kind != "string":
        return {}
    query = f"SELECT text, count(*) AS times FROM {texts} WHERE text IS NOT NULL GROUP BY text"
    rows = connection.execute(f"FROM ({query}) ORDER BY hash(text), text LIMIT {_VALUES_AT_MOST}").fetchall()
    counts: Counter[Kind] = Counter()
    for kinds, (_, times) in zip(_kinds([text for text, _ in rows], country, language), rows, strict=True):
        counts.update(dict.fromkeys(kinds & STOPPED_FOR, times))
    of = sum(times for _, times in rows)
    return {found: 100 * many / of for found, many in sorted(counts.items(), key=lambda one: (-one[1], one[0]))}


def _kinds(values: Sequence[str], country: str, language: str) -> Iterator[frozenset[Kind]]:
    try:
        yield from kinds_of_values(values, language=language, country=country)
    except Exception:  # noqa: BLE001 - messages of recognizers quote the text
        raise AcequiaError("engine_failed", "the values could not be read by the engine") from None


def _holds(name: str, kind: ColumnType, found: dict[Kind, float]) -> Kind | None:
    """What the column is made of: the most frequent kind, if it is in most rows; a name, if its own name says so."""
    first = next(iter(found), None)
    if first is not None and found[first] >= _MOSTLY:
        return first
    said = looks_personal(name, Column(type=kind, treat="drop")) or ""
    return "name" if "name" in found and ("name" in said or "nombre" in said or "apellido" in said) else None


@dataclass(frozen=True)
class _Shape:
    """Of a column's values: few different ones, sentences, another one in each row."""

    few: bool
    text: bool
    own: bool


def _proposed(
    name: str, kind: ColumnType, holds: Kind | None, found: dict[Kind, float], shape: _Shape
) -> tuple[str, str]:
    """A treatment, as the agreement writes it, and why."""
    if holds is not None:
        return ("pseudonym", f"tells people apart by {holds}") if holds in _FOLLOWED else ("drop", f"holds {holds}")
    if kind == "string" and (found or (shape.text and not shape.few)):
        return "scrub_text", "people write it" + (", and it names people" if found else "")
    if kind in _TIMES:
        return _TIMES[kind], "an exact time can tell who it was"
    if personal := looks_personal(name, Column(type=kind, treat="drop")):
        if shape.own:
            return "drop", f"{personal}, and each row has its own"
        return "pseudonym" if kind in ("string", "integer") else "drop", personal
    if kind != "string":
        return "keep", "a number" if kind != "boolean" else "yes or no"
    return ("keep", "few values") if shape.few else ("drop", "many values; a lookup, if it is needed")
