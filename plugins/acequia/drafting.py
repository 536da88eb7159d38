"""Drafts an agreement file from a sample: names, types and proposals, never values. Every column starts as `drop`."""

from __future__ import annotations

import json
from pathlib import Path

from acequia.scanning import Looks, format_of, scan

_HEAD = """\
# Drafted from a sample. Decide what each column's treatment is: every one is dropped until you say otherwise. What
# stands behind # is proposed by what the values look like (`acequia scan`).
# docs/agreement.md lists every key and choice; `acequia check {name}` shows what is missing.
partner: {name}
name: {name}
country: {country}
language: {language}
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


def draft(name: str, feed: str, country: str, language: str, sample: Path, scratch: Path) -> str:
    """The text of an agreement file for deliveries like the sample (CSV, JSONL, Parquet or XLSX).

    Raises:
        AcequiaError: `usage` if the sample cannot be read.
    """
    columns = scan(sample, country=country, language=language, scratch=scratch)
    head = _HEAD.format(
        name=name,
        country=country,
        language=language,
        feed=feed,
        mail=name.replace("_", "-"),
        file=f"*{sample.suffix}",
        format=format_of(sample),
    )
    wide = max((len(_column(looks)) for looks in columns), default=0)
    lines = [f"{_column(looks):<{wide}}  # {looks.treat}: {looks.because}\n" for looks in columns]
    return head + "".join(lines) + _TAIL


def _column(looks: Looks) -> str:
    optional = ", nullable: true" if looks.filled < looks.rows else ""
    holds = f", holds: {looks.holds}" if looks.holds else ""
    key = looks.column if looks.column.isidentifier() else json.dumps(looks.column, ensure_ascii=False)
    return f"      {key}: {{type: {looks.type}, treat: drop{holds}{optional}}}"
