"""Opening one delivered file by the agreed format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.model import Feed
from acequia.errors import AcequiaError
from acequia.receive.formats.columnar import open_parquet
from acequia.receive.formats.delimited import open_delimited
from acequia.receive.formats.lines import open_lines
from acequia.receive.formats.opened import Opened
from acequia.receive.formats.sheet import open_sheet
from acequia.receive.formats.text import plain_text, unified

if TYPE_CHECKING:
    import duckdb


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
