"""Lineage as the pipeline sees it: each step tells what it did, and can tell it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from acequia.agreement.load import Signed
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, Disclosed, Protected, Published, Raw, Validated
from acequia.ledger.database import open_database, reading, writing
from acequia.lineage import names, outbox, store
from acequia.settings import Settings


def now() -> datetime:
    """The clock of events, unless another is handed in."""
    return datetime.now(UTC)


def open_lineage(settings: Settings, clock: Callable[[], datetime] = now) -> Lineage:
    """Open the tables beside the ledger.

    Raises:
        AcequiaError: `store_unreachable` if the database does not answer.
    """
    return Lineage(open_database(settings), settings.home / "lineage", settings.lake, settings.openlineage_url, clock)


@dataclass(frozen=True)
class Lineage:
    """Takes what happened, as OpenLineage events: into tables, `lineage/events.jsonl`, and an endpoint if one is set.

    The same step told twice is one event.
    """

    engine: Engine
    folder: Path
    lake: str
    url: str = ""
    clock: Callable[[], datetime] = now

    def received(self, signed: Signed, feed_name: str, raw: Raw) -> None:
        """Files became raw bytes in landing."""
        from acequia.lineage import build

        self._tell(build.received(signed, feed_name, raw, self.clock()))

    def protected(self, signed: Signed, feed_name: str, raw: Raw, protected: Protected) -> None:
        """Raw bytes became protected rows."""
        from acequia.lineage import build

        self._tell(build.protected(signed, feed_name, raw, protected, self.clock()))

    def validated(self, signed: Signed, feed_name: str, protected: Protected, validated: Validated) -> None:
        """Protected rows were judged."""
        from acequia.lineage import build

        self._tell(build.validated(signed, feed_name, protected, validated, self.clock()))

    def published(self, signed: Signed, feed_name: str, disclosed: Disclosed, release: Published) -> None:
        """Cells became a table."""
        from acequia.lineage import build

        self._tell(
            build.published(
                signed,
                feed_name,
                disclosed,
                release,
                self.clock(),
                lake=self.lake,
                versions=self._versions(signed, feed_name, disclosed),
                schema=_schema(Path(disclosed.path)),
            )
        )

    def refused(self, signed: Signed, feed_name: str, delivery: DeliveryId, error: AcequiaError) -> None:
        """A delivery was refused."""
        from acequia.lineage import build

        self._tell(build.refused(signed, feed_name, delivery, error, self.clock()))

    def forward(self) -> int:
        """Send to the endpoint what it has not got yet, even if it failed a moment ago; how many events went."""
        return outbox.forward(self.engine, self.url, self._pause, now=True)

    @property
    def file(self) -> Path:
        """The file of events, one JSON object a line."""
        return self.folder / "events.jsonl"

    @property
    def _pause(self) -> Path:
        return self.folder / "endpoint-failed"

    def _tell(self, event: dict[str, Any]) -> None:
        with writing(self.engine) as connection:
            store.ingest(connection, event)
        outbox.file_events(self.engine, self.file)
        outbox.forward(self.engine, self.url, self._pause)

    def _versions(self, signed: Signed, feed_name: str, disclosed: Disclosed) -> dict[str, str]:
        workspace = str(names.workspace(signed.agreement.partner, feed_name))
        with reading(self.engine) as connection:
            found = {str(part): store.newest_version(connection, workspace, str(part)) for part in disclosed.deliveries}
        return {delivery: version for delivery, version in found.items() if version}


def _schema(path: Path) -> dict[str, str]:
    """Columns and types of a Parquet file, from its footer."""
    import pyarrow.parquet

    if not path.exists():
        return {}
    schema = pyarrow.parquet.read_schema(path)
    return {field.name: str(field.type) for field in schema}
