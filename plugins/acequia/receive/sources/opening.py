"""Which source an agreement names, opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from acequia.agreement.delivery import (
    Delivery,
    FolderSource,
    HttpsSource,
    S3Source,
    SftpSource,
    SqlSource,
    UploadSource,
)
from acequia.errors import AcequiaError
from acequia.keys import KeyStore
from acequia.period import Period
from acequia.receive.connections import Resolver
from acequia.receive.manifest import NAME, SIGNED_NAME
from acequia.receive.names import Pattern
from acequia.receive.sources.source import Source
from acequia.receive.uploads import FOLDER, Shelf

OF_AN_EXTRACT = ("{period}.parquet", "{period}/*.parquet", "{period}.*", "extract*.parquet")


@contextmanager
def open_source(
    terms: Delivery,
    period: Period,
    connect: Resolver,
    inbox: Path,
    *,
    feed_name: str = "",
    keys: KeyStore | None = None,
) -> Iterator[Source]:
    """The source as agreed, closed when the block ends.

    Args:
        terms: how the feed is delivered.
        period: which delivery.
        connect: finds connections.
        inbox: `ACEQUIA_HOME/inbox/<partner>`, where a folder source without connection lies; uploads lie beside it.
        feed_name: the feed's id, by which its uploads are found.
        keys: open uploads; None for whoever only looks.
    """
    agreed = terms.source
    with ExitStack() as stack:
        if isinstance(agreed, FolderSource):
            yield _folder(terms, agreed, period, connect, inbox)
            return
        if isinstance(agreed, UploadSource):
            from acequia.receive.sources.uploaded import UploadedFiles

            shelf = Shelf.of(inbox.parents[1] / FOLDER, inbox.name, feed_name, period)
            yield UploadedFiles(shelf, pattern_of(terms, period), keys)
            return
        connection = connect(agreed.connection)
        if isinstance(agreed, S3Source):
            from acequia.receive.buckets import s3_client
            from acequia.receive.sources.s3 import BucketFiles

            yield BucketFiles(s3_client(connection), agreed.bucket, pattern_of(terms, period))
        elif isinstance(agreed, SftpSource):
            from acequia.receive.sources.sftp import sftp_files

            yield stack.enter_context(sftp_files(connection, pattern_of(terms, period)))
        elif isinstance(agreed, HttpsSource):
            from acequia.receive.sources.https import https_files

            yield stack.enter_context(https_files(connection, pattern_of(terms, period), _manifests(terms)))
        else:
            from acequia.receive.sources.sql import queried_rows

            yield stack.enter_context(queried_rows(connection, agreed.query, period))


def files_given(terms: Delivery, period: Period, folder: Path) -> Source:
    """A folder that someone hands over instead of the source, laid out as the source is, or with fewer folders."""
    from acequia.receive.sources.folder import FolderFiles

    if not folder.is_dir():
        raise AcequiaError("usage", "the folder given is not there")
    if terms.source.type == "sql":
        patterns = tuple(Pattern.of(template, period) for template in OF_AN_EXTRACT)
    else:
        patterns = pattern_of(terms, period).shorter()
    return FolderFiles(folder, patterns, atomic=True)


def pattern_of(terms: Delivery, period: Period) -> Pattern:
    """The agreed path; where encryption is agreed, also of files that are encrypted."""
    if isinstance(terms.source, SqlSource):
        raise AcequiaError("internal", "a sql source has no path")
    return Pattern.of(terms.source.path, period, encrypted=terms.encryption != "none")


def _manifests(terms: Delivery) -> tuple[str, ...]:
    """The endings of manifests that can be agreed, the first that is there counts."""
    if terms.manifest == "none":
        return ()
    return {"none": (NAME,), "required": (SIGNED_NAME, NAME), "optional": (SIGNED_NAME, NAME)}[terms.signature]


def _folder(terms: Delivery, agreed: FolderSource, period: Period, connect: Resolver, inbox: Path) -> Source:
    from acequia.receive.sources.folder import FolderFiles

    root = inbox
    if agreed.connection is not None:
        connection = connect(agreed.connection)
        connection.require("path")
        root = Path(str(connection.path))
        if not root.is_dir():
            raise AcequiaError("source_unreachable", "the connection's folder is not there; is it mounted?")
    return FolderFiles(root, (pattern_of(terms, period),))
