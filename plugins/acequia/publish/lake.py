"""The lake: curated tables in Iceberg, one commit for each delivery, and the open release of each."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.agreement.load import Signed
from acequia.agreement.tables import Table
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from acequia.flow import Disclosed, Published
from acequia.publish import catalog as holdings
from acequia.publish import changes, dcat, erasure, housekeeping, open_release
from acequia.publish.commit import facts_for, replace_period, snapshot_of, split
from acequia.publish.content import digest, read_cells
from acequia.publish.files import Files, storage_options, storing
from acequia.publish.lock import database_lock, file_lock, insist
from acequia.publish.query import MAX_ROWS, query
from acequia.publish.release import Release, lineage, period_folder
from acequia.publish.shape import columns_of, described, lake_schema
from acequia.receive.connections import Connection
from acequia.scratch import scratch_folder
from acequia.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table as LakeTable


@dataclass(frozen=True)
class Lake:
    """Where the lake is. Nothing is opened before it is needed.

    Attributes:
        catalog_uri: SQLAlchemy URL of the catalog; `root`: a folder's path or `s3://…`, which holds `warehouse/`
            (Iceberg) and `open/` (releases).
        home: for locks and the scratch space of queries.
        storage: S3 options by pyiceberg's names.
        run: an id of the run that publishes, for the snapshots; by default one made from what is published.
    """

    catalog_uri: str = field(repr=False)
    root: str
    home: Path
    storage: Mapping[str, str] = field(default_factory=dict, repr=False)
    memory_limit: str = "4GB"
    run: str = ""

    @property
    def warehouse(self) -> str:
        """The folder of the Iceberg tables, as a URL."""
        return f"{self.root}/warehouse" if self.root.startswith("s3://") else f"file://{self.root}/warehouse"

    @cached_property
    def files(self) -> Files:
        """The plain files below `root`."""
        return Files(self.root, self.storage)

    @cached_property
    def catalog(self) -> SqlCatalog:
        """The Iceberg catalog; its tables are made when they are not there."""
        from pyiceberg.catalog.sql import SqlCatalog
        from sqlalchemy.exc import DBAPIError

        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        options = {
            "uri": self.catalog_uri,
            "warehouse": self.warehouse,
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
            "pool_pre_ping": "true",
            **self.storage,
        }
        with storing("catalog"):
            for _ in range(3):
                try:
                    return SqlCatalog("acequia", **options)
                except DBAPIError:
                    time.sleep(0.2)  # another process is making the catalog's tables at this moment
            return SqlCatalog("acequia", **options)

    def close(self) -> None:
        """Give back the connections to the catalog."""
        if "catalog" in self.__dict__:
            self.catalog.engine.dispose()

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Be the only writer of a table: on this machine with SQLite, anywhere with PostgreSQL."""
        if self.catalog_uri.startswith("postgresql"):
            return database_lock(self.catalog.engine, name)
        return file_lock(self.home / "locks", f"lake-{name}")

    def publish(self, disclosed: Disclosed, signed: Signed, feed_name: str) -> Published:
        """Replace one period of a table by these cells, in one commit, and write the open release.

        The same content again changes nothing: `changed` is False, `snapshot_id` that of the earlier commit (or, where
        it has expired, of the table as it stands). A call that was killed anywhere is completed by the next.
        """
        feed, partner = signed.agreement.feed(feed_name), signed.agreement.partner
        spec = feed.tables[disclosed.table]
        rows = read_cells(disclosed, spec)
        content, name = digest(rows), f"{partner}.{disclosed.table}"
        columns = columns_of(rows.schema, feed, spec)
        told = described(signed, feed_name, disclosed.table, disclosed.period, columns)
        facts = facts_for(disclosed, signed, content, self.run)
        schema = lake_schema(rows.schema, columns)
        with storing(f"{name} {disclosed.period}"), self.lock(name):
            open_release.refuse_erased(self.files, partner, disclosed.table, disclosed.period, content)
            snapshot_id, changed = insist(lambda: replace_period(self, name, rows, schema, told, facts))
            release = Release(
                partner=partner,
                partner_name=signed.agreement.name,
                table=disclosed.table,
                period=disclosed.period,
                describe=spec.describe,
                columns=columns,
                recipients=spec.recipients or signed.agreement.terms.recipients,
                legal_basis=signed.agreement.terms.legal_basis,
                provisional=disclosed.provisional,
                lineage=lineage(disclosed, signed, content, snapshot_id),
                structure=disclosed.structure,
                certificate=disclosed.certificate,
            )
            folder = open_release.write(self.files, release, rows)
            self.write_hint(self.load(name))
        return Published(
            table=name,
            period=disclosed.period,
            snapshot_id=snapshot_id,
            changed=changed,
            content_sha256=content,
            release=folder,
        )

    def changes(self, name: str, period: str, before: str, after: str, table: Table) -> dict[str, Any] | None:
        """What the release with the content hash `after` changed against the one with `before`, from both as they were
        released; written beside `latest.json`, too. None where the earlier one was erased, or is the same.
        """
        partner, table_name = split(name)
        if before == after:
            return None
        with storing(f"{name} {period}"), scratch_folder(self.home / "scratch") as scratch:
            old, new = (changes.released(self.files, partner, table_name, period, each) for each in (before, after))
            if old is None or new is None:
                return None
            with closing(connect(self.memory_limit, scratch)) as connection:
                found = changes.between(connection, old, new, table)
            changes.tell(self.files, name, period, before, after, found)
        return found

    def withdraw(self, name: str, period: str, because: str) -> int | None:
        """Take a period out of a table. Its history and releases stay until they expire or are erased; `latest.json`
        says that it is withdrawn. Returns the snapshot, or None where the table holds no such period.
        """
        from pyiceberg.expressions import EqualTo

        partner, table_name = split(name)
        facts = {"acequia.what": "withdrawn", "acequia.period": period, "acequia.because": because}
        held = EqualTo(term="period", value=period)
        with storing(f"{name} {period}"), self.lock(name):
            table = self.load(name)
            gone = not table.scan(row_filter=held, selected_fields=("period",)).to_arrow().num_rows
            if not gone:
                insist(lambda: self.load(name).delete(held, snapshot_properties=facts))
                table = self.load(name)
                self.write_hint(table)
            if open_release.latest(self.files, partner, table_name, period):
                pointer = {"table": name, "period": period, "status": "withdrawn", "because": because}
                folder = period_folder(partner, table_name, period)
                open_release.point(self.files, folder, pointer)
                self.files.delete(f"{folder}/{changes.FILE}")
            return None if gone else snapshot_of(table)

    def load(self, name: str) -> LakeTable:
        """The Iceberg table as it stands; `unknown_name` where there is none."""
        from pyiceberg.exceptions import NoSuchTableError

        try:
            return self.catalog.load_table(split(name))
        except NoSuchTableError:
            raise AcequiaError("unknown_name", "the lake has no table of that name; see `acequia tables`") from None

    def write_hint(self, table: LakeTable) -> None:
        """Name the newest metadata in `version-hint.text`, for readers that know only the table's path."""
        newest = table.metadata_location.rsplit("/", 1)[1].removesuffix(".metadata.json").encode()
        path = "warehouse/" + f"{table.location()}/metadata/version-hint.text".removeprefix(f"{self.warehouse}/")
        if self.files.read(path) != newest:
            self.files.write(path, newest)

    def tables(self, namespaces: Collection[str] | None = None) -> list[holdings.TableInfo]:
        """Every published table, by name; of these partners only, where given."""
        return holdings.tables(self, namespaces)

    def table(self, name: str) -> holdings.TableInfo:
        """One table; `unknown_name` where there is none."""
        return holdings.table(self, name)

    def history(self, name: str) -> list[holdings.Vintage]:
        """The changes of a table that have not expired, oldest first."""
        return holdings.history(self, name)

    def read(
        self, name: str, *, period: str | None = None, snapshot: int | None = None, as_of: dt.datetime | None = None
    ) -> pa.Table:
        """Rows of a table as it stands, or as it stood at a snapshot or a moment."""
        return holdings.read(self, name, period=period, snapshot=snapshot, as_of=as_of)

    def query(
        self,
        sql: str,
        namespaces: Collection[str] | None = None,
        *,
        limit: int | None = None,
        max_rows: int = MAX_ROWS,
        as_of: dt.datetime | None = None,
    ) -> pa.Table:
        """The answer to one SELECT over the tables as they stand, or stood at a moment; see `query.query`."""
        return query(self, sql, namespaces, limit=limit, max_rows=max_rows, as_of=as_of)

    def keep(
        self, name: str, *, snapshots_older_than: dt.timedelta, orphans_older_than: dt.timedelta
    ) -> housekeeping.Kept:
        """A night's housekeeping of one table: expire, compact, collect."""
        return housekeeping.keep(
            self, name, snapshots_older_than=snapshots_older_than, orphans_older_than=orphans_older_than
        )

    def erase(
        self,
        name: str,
        *,
        period: str | None = None,
        where: Mapping[str, Any] | None = None,
        because: str,
        keep: str | None = None,
    ) -> erasure.Erased:
        """Remove rows for good: from table, history, disk and open releases; the proof in counts."""
        return erasure.erase(self, name, period=period, where=where, because=because, keep=keep)

    def write_catalogue(self) -> str:
        """Write `open/catalog.jsonld` (DCAT-AP) of every table and release. Returns its path below the lake."""
        return dcat.write_catalogue(self)


def open_lake(settings: Settings, connection: Connection | None = None) -> Lake:
    """The lake of these settings. The catalog is a file of its own beside a SQLite ledger, or in its PostgreSQL."""
    if any(sign in settings.lake for sign in "#?%"):
        raise AcequiaError("usage", "the path of the lake holds #, ? or %, which its tables cannot be named by")
    database = settings.database
    if database.startswith("sqlite"):
        uri = f"sqlite:///{settings.home / 'catalog.db'}?timeout=60"
    else:
        uri = database.replace("postgresql://", "postgresql+psycopg2://", 1)
    storage = storage_options(connection, os.environ) if settings.lake.startswith("s3://") else {}
    return Lake(uri, settings.lake, settings.home, storage, settings.memory_limit, os.environ.get("ACEQUIA_RUN", ""))
