"""Opening one delivered file by the agreed format."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.model import Feed
from acequia.errors import AcequiaError
from acequia.receive.formats.apart import SECONDS, apart
from acequia.receive.formats.columnar import names_of as names_of_parquet
from acequia.receive.formats.columnar import open_parquet
from acequia.receive.formats.delimited import first_record, open_delimited
from acequia.receive.formats.lines import keys_of, open_lines
from acequia.receive.formats.opened import Opened
from acequia.receive.formats.sheet import names_of as names_of_sheet
from acequia.receive.formats.sheet import open_sheet
from acequia.receive.formats.text import head, plain_text, unified

if TYPE_CHECKING:
    import duckdb


NAMES_AT_MOST = 10_000


def open_file(connection: duckdb.DuckDBPyConnection, path: Path, feed: Feed, scratch: Path) -> Opened:
    """Open a plain landed file as a relation of the agreed columns; rows are read later, by `opened.stage`.

    Args:
        connection: of the engine.
        path: the file in scratch, decrypted, still packed.
        feed: as agreed: format, options, columns, bounds.
        scratch: where an unpacked or recoded copy goes; it must stay until the rows are read.

    Raises:
        AcequiaError: the file is refused; no message holds a value, or a name that is not agreed.
    """
    terms, agreed = feed.delivery, feed.arriving
    if not path.stat().st_size:
        raise AcequiaError("file_empty", "the file holds nothing")
    copy = scratch / f"{path.name}.plain"
    if terms.format == "parquet":
        return open_parquet(
            connection, path, agreed, bytes_at_most=terms.bytes_at_most, rows_at_most=terms.rows_between[1]
        )
    if terms.format == "xlsx":
        return open_sheet(path, agreed, terms.options, copy, bytes_at_most=terms.bytes_at_most)
    text = plain_text(path, copy, encoding=terms.options.encoding, bytes_at_most=terms.bytes_at_most)
    if terms.format == "csv":
        return open_delimited(connection, text, agreed, terms.options, scratch)
    # Inside JSON a line end is always written as an escape, so the raw ones can be made alike.
    plain = unified(text, scratch / f"{path.name}.lines") if text.cr else text
    return open_lines(connection, plain, agreed)


def names_in(connection: duckdb.DuckDBPyConnection, path: Path, feed: Feed, scratch: Path) -> list[str]:
    """The names of the columns of a file, as they stand in its beginning; none where it has no header.

    They are the partner's text: show them to the partner alone.

    Raises:
        AcequiaError: the beginning of the file cannot be read.
    """
    import duckdb

    terms = feed.delivery
    try:
        if terms.format == "parquet":
            return list(names_of_parquet(connection, path))
        if terms.format == "xlsx":
            named = terms.options.header
            return apart(names_of_sheet, path, terms.options, scratch=scratch, seconds=SECONDS) if named else []
        text = head(path, scratch / f"{path.name}.head", terms.options.encoding, terms.bytes_at_most)
        if terms.format == "jsonl":
            return list(islice(keys_of(connection, text), NAMES_AT_MOST))
        return first_record(text.path, terms.options)[0][:NAMES_AT_MOST] if terms.options.header else []
    except duckdb.Error:
        raise AcequiaError("file_unreadable", "the beginning of the file cannot be read") from None
