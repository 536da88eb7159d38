"""Drafts an agreement file from a sample delivery: names and types, never values. Every column starts as `drop`."""

from __future__ import annotations

import json
from pathlib import Path

from acequia.errors import AcequiaError

# What a column's arriving values can be read as, narrowest first.
_GUESSES = (("integer", "BIGINT"), ("number", "DOUBLE"), ("timestamp", "TIMESTAMP"), ("boolean", "BOOLEAN"))

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
            rows = con.from_query(f"SELECT * FROM {reader} LIMIT 10000", params=[str(sample)])
            columns = [_column(con, rows, column) for column in rows.columns]
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


def _column(con: object, rows: object, column: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    kind = "string"
    for word, sql in _GUESSES:
        tried = f"count({quoted}), count(try_cast({quoted} AS {sql}))"
        filled, readable = rows.aggregate(tried).fetchone()  # type: ignore[attr-defined]
        if filled and filled == readable:
            kind = word
            break
    nulls = rows.aggregate(f"count(*) - count({quoted})").fetchone()[0]  # type: ignore[attr-defined]
    optional = ", nullable: true" if nulls else ""
    key = column if column.isidentifier() else json.dumps(column, ensure_ascii=False)
    return f"      {key}: {{type: {kind}, treat: drop{optional}}}\n"
