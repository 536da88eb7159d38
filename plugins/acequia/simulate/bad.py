"""Every kind of bad delivery: which code refuses it, which feeds can have it, and how it is made.

`KINDS` is the table that tests and documentation use. A kind without a code is not refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from acequia.agreement.model import Agreement, Feed
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.simulate import bad_files, bad_rows
from acequia.simulate.manifest import save


class Kind(NamedTuple):
    """What is wrong, the code expected (None: accepted), and what a feed needs to have it."""

    describe: str
    code: str | None
    needs: Callable[[Feed], bool] = lambda feed: True


def _file(feed: Feed) -> bool:
    return feed.delivery.source.type != "sql"


def _csv(feed: Feed) -> bool:
    return _file(feed) and feed.delivery.format == "csv" and feed.delivery.options.header


def _not_csv(feed: Feed) -> bool:
    return _file(feed) and feed.delivery.format in ("jsonl", "parquet")


def _text(feed: Feed) -> bool:
    return _file(feed) and feed.delivery.format in ("csv", "jsonl")


def _gzip(feed: Feed) -> bool:
    return _file(feed) and getattr(feed.delivery.source, "path", "").endswith(".gz")


def _manifest(feed: Feed) -> bool:
    return feed.delivery.manifest != "none"


def _bounded(feed: Feed) -> bool:
    return feed.delivery.rows_between[1] < 3_000_000


ABOUT: dict[str, Kind] = {
    "missing": Kind("nothing arrives", "delivery_missing"),
    "unfinished": Kind("the upload stopped under its temporary name", "delivery_missing", _file),
    "empty": Kind("a file of 0 bytes", "file_empty", _file),
    "truncated": Kind("the file ends in its middle", "file_truncated", _gzip),
    "not_the_format": Kind("the server's login page instead of the file", "file_unreadable", _not_csv),
    "archive_bomb": Kind("a file that unpacks to a thousand times its size", "archive_bomb", _gzip),
    "wrong_encoding": Kind("text in another encoding than agreed", "encoding_wrong", _text),
    "header_missing": Kind("the first row where the header should be", "column_unlisted", _csv),
    "header_repeated": Kind("the header once more among the rows", "header_repeated", _csv),
    "column_repeated": Kind("two columns of one name", "column_repeated", _csv),
    "column_missing": Kind("a required column is absent", "column_missing", _file),
    "column_unlisted": Kind("a column that nobody agreed on", "column_unlisted", _file),
    "wrong_checksum": Kind("other bytes than the manifest names", "checksum_differs", _manifest),
    "file_unlisted": Kind("a file that the manifest does not list", "file_unlisted", _manifest),
    "file_not_sent": Kind("the manifest lists a file that is not there", "file_not_sent", _manifest),
    # It comes last: at a server its absence means that the upload goes on; with `run --from` it is `manifest_missing`.
    "manifest_missing": Kind("no manifest", "delivery_unfinished", lambda feed: feed.delivery.manifest == "required"),
    "manifest_invalid": Kind("a manifest that breaks off", "manifest_invalid", _manifest),
    "name_escapes": Kind("the manifest names a file in another folder", "name_escapes", _manifest),
    "too_few_rows": Kind("fewer rows than agreed", "rows_outside_range"),
    "too_many_rows": Kind("more rows than agreed", "rows_outside_range", _bounded),
    "wrong_type": Kind("words where numbers or times belong", "rows_invalid", _file),
    "null_required": Kind("nothing in a column that must be filled", "rows_invalid"),
    "out_of_range": Kind("numbers outside the agreed range", "rows_invalid", bad_rows.has_range),
    "not_in_set": Kind("words outside the agreed set", "rows_invalid", bad_rows.has_set),
    "outside_period": Kind("rows of the period before", "rows_invalid",
                           lambda feed: _file(feed) and feed.rows.period_column is not None),
    "before_agreement": Kind("a period before the agreement starts", "period_outside_agreement"),
    "after_agreement": Kind("a period after the agreement ended", "agreement_expired"),
    "duplicates": Kind("some rows twice: set aside where the agreement says so", None),
    "corrected": Kind("the same period again with corrected numbers", None),
}  # fmt: skip
KINDS: dict[str, str | None] = {kind: about.code for kind, about in ABOUT.items()}
SPOILT_SHARE = 0.1
"""The share of rows that a bad kind breaks: more than any agreement of the demo tolerates."""


def kinds_of(feed: Feed) -> dict[str, str | None]:
    """The kinds that this feed can have, each with its code."""
    return {kind: about.code for kind, about in ABOUT.items() if about.needs(feed)}


def require_fits(bad: str | None, feed: Feed) -> None:
    """Refuse a kind that is unknown (`unknown_name`) or that this feed cannot have (`usage`)."""
    if bad is None:
        return
    if bad not in ABOUT:
        raise AcequiaError("unknown_name", f"no such kind of bad delivery; there are {', '.join(ABOUT)}")
    if not ABOUT[bad].needs(feed):
        raise AcequiaError("usage", f"this feed cannot have {bad}; it can have {', '.join(kinds_of(feed))}")


def other_period(bad: str | None, agreement: Agreement, period: Period) -> Period:
    """The period that is delivered for: outside the agreement where that is what is bad."""
    terms = agreement.terms
    if bad == "before_agreement":
        return Period.holding(period.kind, (terms.starts_on or terms.signed_on) - timedelta(days=1))
    if bad == "after_agreement":
        return Period.holding(period.kind, terms.expires_on + timedelta(days=1))
    return period


def other_size(bad: str | None, feed: Feed, rows: int) -> int:
    """How many rows are written: one too few or too many where that is what is bad."""
    lowest, highest = feed.delivery.rows_between
    return {"too_few_rows": lowest - 1, "too_many_rows": highest + 1}.get(bad or "", rows)


def spoil_rows(bad: str | None, feed: Feed, table: Any) -> Any:
    """Break the rows of one part, if that is what is bad."""
    change = bad_rows.CHANGES.get(bad or "")
    return change(table, feed, max(1, int(table.num_rows * SPOILT_SHARE))) if change else table


def spoil_files(bad: str | None, feed: Feed, files: list[Path]) -> list[Path]:
    """Break the last file before the manifest is written: the partner's own export went wrong."""
    change = bad_files.CHANGES.get(bad or "")
    if bad == "unfinished" and change:
        return [change(file, feed) for file in files]
    return [*files[:-1], change(files[-1], feed)] if change else files


def spoil_transport(bad: str | None, feed: Feed, files: list[Path], manifest: Path) -> tuple[list[Path], Path | None]:
    """Break what happens after the manifest was written: files and manifest no longer fit."""
    listed = json.loads(manifest.read_text(encoding="utf-8"))
    last = files[-1]
    if bad in ("manifest_missing", "unfinished"):
        manifest.unlink()
        return files, None
    if bad == "manifest_invalid":
        manifest.write_text(manifest.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    elif bad == "wrong_checksum":
        data = last.read_bytes()
        last.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif bad == "file_unlisted":
        extra = last.with_name(last.name.replace("-", "-extra-", 1))
        extra.write_bytes(last.read_bytes())
        return [*files, extra], manifest
    elif bad == "file_not_sent":
        absent = {**listed["files"][-1], "name": last.name.replace("-", "-lost-", 1)}
        save({**listed, "files": [*listed["files"], absent]}, manifest)
    elif bad == "name_escapes":
        climbing = {**listed["files"][-1], "name": f"../../{last.name}"}
        save({**listed, "files": [*listed["files"][:-1], climbing]}, manifest)
    return files, manifest
