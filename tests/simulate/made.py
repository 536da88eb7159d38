"""Deliveries that the tests of the simulator share, and what they break of their agreement, judged in plain pandas."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from acequia.agreement.columns import Column
from acequia.agreement.load import load
from acequia.agreement.model import Agreement, Feed
from acequia.period import Period
from acequia.simulate.write import Written, write

PARTNERS = Path(__file__).resolve().parents[2] / "config" / "partners"
PERIODS = {"day": "2026-11-16", "week": "2026-W47", "month": "2026-10"}
ROWS = 2_000


def agreement_of(partner: str) -> Agreement:
    return load(PARTNERS / f"{partner}.yaml").agreement


def period_of(feed: Feed) -> Period:
    return Period.parse(PERIODS[feed.delivery.period])


def written(partner: str, feed: str, out: Path, rows: int = ROWS, seed: int = 1, bad: str | None = None) -> Written:
    agreement = agreement_of(partner)
    return write(agreement, feed, period_of(agreement.feed(feed)), out=out, rows=rows, seed=seed, bad=bad)


def frame(delivery: Written, feed: Feed) -> pd.DataFrame:
    """The data files as their format says, columns of text as text."""
    files = [file for file in delivery.files if file != delivery.manifest]
    texts = {name: str for name, column in feed.arriving.items() if column.type == "string"}
    read = {
        "csv": lambda file: pd.read_csv(file, dtype=texts),
        "jsonl": lambda file: pd.DataFrame([json.loads(line) for line in file.open(encoding="utf-8")]),
        "parquet": pd.read_parquet,
    }[feed.delivery.format]
    return pd.concat([read(file) for file in files], ignore_index=True)


def breaks(values: pd.Series, column: Column) -> pd.Series:
    """Which rows break the column's rules, in plain pandas."""
    null = values.isna()
    given_ = values[~null]
    wrong = pd.Series(False, index=values.index) if column.may_be_null else null.copy()
    if column.type in ("integer", "number"):
        given_ = pd.to_numeric(given_)
        if column.type == "integer":
            wrong |= (given_ % 1 != 0).reindex(values.index, fill_value=False)
    if column.type in ("timestamp", "date"):
        pd.to_datetime(given_)
    if column.between:
        wrong |= (~given_.between(*column.between)).reindex(values.index, fill_value=False)
    if column.one_of:
        wrong |= (~given_.isin(column.one_of)).reindex(values.index, fill_value=False)
    if column.matches:
        wrong |= (~given_.str.fullmatch(column.matches)).reindex(values.index, fill_value=False)
    return wrong


def days(values: pd.Series, feed: Feed) -> pd.Series:
    moments = pd.to_datetime(values)
    if moments.dt.tz is not None:
        moments = moments.dt.tz_convert(feed.delivery.timezone).dt.tz_localize(None)
    return moments.dt.floor("D")
