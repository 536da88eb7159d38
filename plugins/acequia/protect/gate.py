"""The gate: raw rows in, protected rows out; what is set aside goes back to landing, encrypted, with its reasons.

Raw values live in scratch alone. Each file is read once, judged and typed on the way into Parquet in scratch; distinct
values are treated next; then one ordered statement joins and writes the protected rows. Memory stays bounded: DuckDB
spills, and what Python holds is one batch of distinct values.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from acequia.agreement.model import Feed
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from acequia.flow import Count, Protected, Raw
from acequia.keys import KeyStore
from acequia.protect.aside import set_aside
from acequia.protect.leaks import refuse_leaks, scan
from acequia.protect.mix import measure_mix
from acequia.protect.pseudonyms import epoch_of, feed_key, has_pseudonyms, manner
from acequia.protect.risk import measure
from acequia.protect.rules import compiled
from acequia.protect.staging import stage_files
from acequia.protect.treating import Means, write_protected
from acequia.receive.landing import Landing


def protect(
    raw: Raw,
    feed: Feed,
    *,
    country: str,
    language: str,
    landing: Landing,
    keys: KeyStore,
    reference: Path,
    memory_limit: str,
    scratch: Path,
    out: Path,
) -> Protected:
    """Open a delivery, judge every row, treat every column, and write the protected rows to `out`.

    One row of `out` per row that arrived and breaks no rule, in the order of files and rows; the same delivery gives
    the same bytes. Rows that break one are written, as they arrived, to landing beside the delivery's files.

    Raises:
        AcequiaError: a file is refused (see `receive.formats`), a kept column holds personal data, a reference table
            is missing or invalid, or the engine fails. No message holds a value.
    """
    plain = scratch / "protected.parquet"
    finds_duplicates = feed.rows.duplicates == "set_aside"
    with _engine_failures(), closing(connect(memory_limit, scratch)) as connection:
        judge = compiled(feed, raw.delivery.of_period(), connection)
        files, corrections = _fetched(raw, landing, scratch)
        staged = stage_files(connection, files, feed, judge, scratch, corrections=corrections)
        _require_rows(raw, staged.rows_by_file)
        aside = set_aside(connection, staged, judge, finds_duplicates, scratch / "set_aside.parquet")
        key = _key(raw, feed, keys)
        means = Means(key, language, country, reference, scratch, feed.privacy.recall_at_least_pct)
        rows_out, columns = write_protected(connection, staged, judge, feed, means, plain)
        scanned = scan(connection, plain, feed, language=language, country=country, scratch=scratch)
        refuse_leaks(scanned)
        risk = measure(connection, plain, feed, columns)
        mix = measure_mix(connection, plain, feed)
    count = Count(rows_in=staged.rows, rows_out=rows_out, set_aside=aside.by_reason)
    stored = _put_aside(aside.path, raw, landing) if aside.path else None
    digest = _sha256(plain)
    _move(plain, out)
    return Protected(
        delivery=raw.delivery,
        path=str(out),
        sha256=digest,
        columns=columns,
        count=count,
        rules=aside.outcomes,
        set_aside_stored=stored,
        scanned=scanned,
        risk=risk,
        mix=mix,
        pseudonyms=manner(feed, raw.delivery.of_period()),
    )


def _require_rows(raw: Raw, rows_by_file: tuple[int, ...]) -> None:
    """Refuse a delivery whose manifest says other numbers of rows than were read; not every manifest says them."""
    listed: Any = (raw.manifest or {}).get("files", ())
    for file in listed:
        number, rows = file.get("number"), file.get("rows")
        if None in (number, rows) or not 0 < number <= len(rows_by_file) or rows == rows_by_file[number - 1]:
            continue
        read = rows_by_file[number - 1]
        what = f"file {number} of {len(rows_by_file)} holds {read:,} rows, and its manifest says {rows:,}"
        raise AcequiaError("rows_differ", what)


def _key(raw: Raw, feed: Feed, keys: KeyStore) -> bytes:
    """The key of the epoch that the delivery counts to; a feed without pseudonyms makes none."""
    if not has_pseudonyms(feed):
        return b""
    epoch = epoch_of(raw.delivery.of_period(), feed.privacy.rotate)
    return feed_key(keys, raw.delivery.partner, raw.delivery.feed, epoch)


def _put_aside(path: Path, raw: Raw, landing: Landing) -> str:
    """Into landing, under a name that says its content: other terms may set aside other rows of the same delivery."""
    folder = raw.files[0].stored.rpartition("/")[0]
    key = landing.key(folder, f"_set_aside.{_sha256(path)[:16]}.parquet")
    landing.put(key, path)
    path.unlink()
    return key


def _fetched(raw: Raw, landing: Landing, scratch: Path) -> tuple[list[Path], list[Path]]:
    """The delivery's files in clear, and the rows of them that came back corrected."""
    if not raw.files:
        raise AcequiaError("file_not_sent", "the delivery holds no file")
    paths = [scratch / f"file-{number}" for number in range(1, len(raw.files) + 1)]
    corrections = [scratch / f"corrections-{number}" for number in range(1, len(raw.corrections) + 1)]
    for file, path in zip((*raw.files, *raw.corrections), (*paths, *corrections), strict=True):
        landing.fetch(file.stored, path)
    return paths, corrections


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(source: Path, target: Path) -> None:
    """Into place whole or not at all, also over the border of a file system."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        shutil.move(source, staged)
        staged.chmod(0o600)
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)


@contextmanager
def _engine_failures() -> Iterator[None]:
    """The engine's own words may quote rows, so only the kind of its failure is passed on."""
    import duckdb

    try:
        yield
    except duckdb.Error as failure:
        raise AcequiaError("engine_failed", f"the engine stopped while protecting: {type(failure).__name__}") from None
