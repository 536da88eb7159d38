"""Brings a delivery to where the partner's server looks: a folder (SFTP, HTTPS), a bucket, a database.

Data go first, the manifest last, each under a temporary name until it is whole.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from acequia.agreement.delivery import SqlSource
from acequia.agreement.model import Agreement, Feed
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.simulate import bad as spoil
from acequia.simulate.feeds import parts, planted
from acequia.simulate.write import Written


def into_folder(written: Written, out: Path, root: Path) -> tuple[Path, ...]:
    """Copy what `write` put below `out` to the same places below `root`, the folder that a server serves."""
    arrived = []
    for file in written.files:
        target = root / file.relative_to(out)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = target.with_name(f".{target.name}.uploading")
        shutil.copyfile(file, staged)
        staged.replace(target)
        arrived.append(target)
    return tuple(arrived)


def into_bucket(written: Written, out: Path, client: Any, bucket: str) -> tuple[str, ...]:
    """Put the files as objects, with their path below `out` as key. An object appears whole or not at all."""
    keys = []
    for file in written.files:
        key = file.relative_to(out).as_posix()
        client.upload_file(str(file), bucket, key)
        keys.append(key)
    return tuple(keys)


def into_database(
    agreement: Agreement, feed_name: str, period: Period, *, url: str, rows: int, seed: int, bad: str | None = None
) -> Written:
    """Write the rows into the table that the feed's query reads, made if need be; the period's earlier rows go.

    All in one transaction: whoever reads sees the earlier rows or the new ones. What is returned names no files.
    """
    import sqlalchemy as sa

    feed = agreement.feed(feed_name)
    spoil.require_fits(bad, feed)
    period = spoil.other_period(bad, agreement, period)
    rows = 0 if bad == "missing" else spoil.other_size(bad, feed, rows)
    table = table_of(feed)
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            table.metadata.create_all(connection)
            at = table.c[_period_column(feed)]
            connection.execute(sa.delete(table).where(at >= period.start, at < period.end))
            for part in parts(agreement, feed_name, period, rows=rows, seed=seed) if rows else ():
                spoilt = spoil.spoil_rows(bad, feed, part)
                for batch in spoilt.to_batches(max_chunksize=10_000):
                    connection.execute(sa.insert(table), batch.to_pylist())
    finally:
        engine.dispose()
    people = tuple(planted(seed, agreement.partner, feed_name, period)[:rows])
    return Written((), None, people, rows, period)


def table_of(feed: Feed) -> Any:
    """The partner's own table: the agreed columns by their types. All may be null: bad deliveries need it."""
    import sqlalchemy as sa

    source = feed.delivery.source
    found = re.search(r"\bFROM\s+([a-z_]+)", source.query) if isinstance(source, SqlSource) else None
    if found is None:
        raise AcequiaError("usage", "this feed is not read from a table of a database")
    types: dict[str, Any] = {
        "string": sa.String, "integer": sa.Integer, "number": sa.Float(53), "timestamp": sa.DateTime, "date": sa.Date,
        "boolean": sa.Boolean,
    }  # fmt: skip
    columns = [sa.Column(name, types[column.type], nullable=True) for name, column in feed.arriving.items()]
    return sa.Table(found.group(1), sa.MetaData(), *columns)


def _period_column(feed: Feed) -> str:
    if feed.rows.period_column is None:
        raise AcequiaError("usage", "a simulated database feed needs rows.period_column")
    return feed.rows.period_column
