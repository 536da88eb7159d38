"""Drafts an agreement file from a sample delivery: names and types, never values. Every column starts as `drop`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.engine.duck import quoted
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    import duckdb

# What a column's values can be read as, narrowest first. A number with a leading zero or plus is a code, not a number.
_GUESSES = (
    ("integer", "regexp_full_match(text, '-?(0|[1-9][0-9]*)(\\.0+)?')"),
    ("number", "regexp_full_match(text, '-?(0|[1-9][0-9]*)?(\\.[0-9]+)?([eE][+-]?[0-9]+)?') AND text <> '-'"),
    ("date", "regexp_full_match(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}') AND TRY_CAST(text AS DATE) IS NOT NULL"),
    ("timestamp", "TRY_CAST(text AS TIMESTAMP) IS NOT NULL"),
    ("boolean", "lower(text) IN ('true', 'false')"),
)

_HEAD = """\
# Drafted from a sample. Decide what each column's treatment is: every one is dropped until you say otherwise.
# docs/agreement.md lists every key and choice; `acequia check {name}` shows what is missing.
partner: {name}
name: {name}
country: {country}
terms:
  version: "0.1"
  legal_basis: TO DECIDE
  purposes: [official_statistics]
  signed_on: 2026-01-01
  expires_on: 2026-12-31
  raw_kept_days: 14
  protected_kept_days: 400
  contacts: {{partner: data@{mail}.example, steward: steward@office.example, dpo: dpo@office.example}}
  recipients: [statistics_office]
feeds:
  {feed}:
    delivery:
      source: {{type: folder, path: "{{period}}/{file}"}}
      format: {format}
      schedule: "0 6 * * *"
      timezone: UTC
      period: day
      due_within_hours: 24
    columns:
"""

_TAIL = """\
    tables:
      rows_by_period:
        describe: One row per period.
        by: []
        measures:
          rows_count: {count: rows}
        protect:
          contributor: rows
          min_contributors: 10
"""


def draft(name: str, feed: str, country: str, sample: Path) -> str:
    """The text of an agreement file for deliveries like the sample (CSV, JSONL or Parquet)."""
    import duckdb

    kind, reader = _reader(sample)
    with duckdb.connect() as con:
        try:
            con.execute(f"CREATE TEMP TABLE sample AS FROM {reader} LIMIT 10000", [str(sample)])
            names = [row[0] for row in con.execute("DESCRIBE sample").fetchall()]
            columns = [_column(con, name) for name in names]
        except duckdb.Error:
            raise AcequiaError("usage", f"the sample cannot be read as {kind}") from None
    head = _HEAD.format(
        name=name, country=country, feed=feed, mail=name.replace("_", "-"), file=f"*{sample.suffix}", format=kind
    )
    return head + "".join(columns) + _TAIL


def _reader(sample: Path) -> tuple[str, str]:
    suffixes = [suffix for suffix in sample.suffixes if suffix != ".gz"]
    known = {
        ".csv": ("csv", "read_csv(?, all_varchar=true)"),
        ".jsonl": ("jsonl", "read_json(?, format='newline_delimited')"),
        ".parquet": ("parquet", "read_parquet(?)"),
    }
    if not suffixes or suffixes[-1] not in known:
        raise AcequiaError("usage", "the sample must end in .csv, .csv.gz, .jsonl or .parquet")
    return known[suffixes[-1]]


def _column(con: duckdb.DuckDBPyConnection, name: str) -> str:
    tests = ", ".join(f"bool_and({test})" for _, test in _GUESSES)
    texts = f"SELECT CAST({quoted(name)} AS VARCHAR) AS text FROM sample"  # noqa: S608 - a quoted name, no value
    rows, filled, *fits = con.execute(f"SELECT count(*), count(text), {tests} FROM ({texts})").fetchall()[0]  # noqa: S608
    kind = next((word for (word, _), fit in zip(_GUESSES, fits, strict=True) if fit), "string")
    optional = ", nullable: true" if filled < rows else ""
    key = name if name.isidentifier() else json.dumps(name, ensure_ascii=False)
    return f"      {key}: {{type: {kind}, treat: drop{optional}}}\n"
