"""The four partners' side of the demonstration: their servers, what lies there, and how we log in.

Everything lives in a temporary folder outside ACEQUIA_HOME, as a partner's data would, and is gone at the end. The same
seed makes the same bytes, so a second demonstration delivers nothing new.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acequia.agreement.load import find
from acequia.agreement.model import Agreement
from acequia.demo.plan import SEED, Delivery
from acequia.demo.servers.https import https_server
from acequia.demo.servers.s3 import s3_server
from acequia.demo.servers.sftp import sftp_server
from acequia.demo.servers.sql import sql_server
from acequia.opening import ledger_of
from acequia.receive.connections import Connection, variable_of
from acequia.settings import Settings
from acequia.simulate.deliver import into_bucket, into_database, into_folder
from acequia.simulate.write import Written, write

BUCKET = "rambla-outbox"


@dataclass(frozen=True)
class Outboxes:
    """Four partners with their servers running. `put` delivers; `environment` is what Airflow needs to log in."""

    settings: Settings
    folder: Path
    connections: dict[str, Connection]
    database: str
    s3: Any

    def environment(self) -> dict[str, str]:
        """The connections as environment variables: they reach Airflow's processes and no file."""
        return {variable_of(name): connection.as_json() for name, connection in self.connections.items()}

    def put(self, delivery: Delivery) -> None:
        """Deliver; a period that was corrected in an earlier demonstration lies there corrected."""
        corrected = delivery.again and self._versions(delivery) > 1
        self._deliver(delivery, "corrected" if corrected else delivery.bad)

    def put_again(self, delivery: Delivery) -> bool:
        """Deliver other content for the same period, unless an earlier demonstration did."""
        if self._versions(delivery) > 1:
            return False
        self._deliver(delivery, "corrected")
        return True

    def _versions(self, delivery: Delivery) -> int:
        rows = [row.as_row() for row in ledger_of(self.settings).deliveries(delivery.partner, delivery.feed)]
        return sum(row["period"] == delivery.period.label for row in rows)

    def _deliver(self, delivery: Delivery, bad: str | None) -> None:
        agreement = find(self.settings.partners, delivery.partner).agreement
        kind = agreement.feed(delivery.feed).delivery.source.type
        if kind == "sql":
            into_database(
                agreement, delivery.feed, delivery.period, url=self.database, rows=delivery.rows, seed=SEED, bad=bad
            )
            return
        with tempfile.TemporaryDirectory(dir=self.folder) as made:
            written = self._write(agreement, delivery, Path(made), bad)
            if kind == "s3":
                into_bucket(written, Path(made), self.s3, BUCKET)
            else:
                into_folder(written, Path(made), self.folder / kind)

    @staticmethod
    def _write(agreement: Agreement, delivery: Delivery, out: Path, bad: str | None) -> Written:
        return write(agreement, delivery.feed, delivery.period, out=out, rows=delivery.rows, seed=SEED, bad=bad)


@contextmanager
def outboxes(settings: Settings) -> Iterator[Outboxes]:
    """Start the partners' servers; stop them at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="acequia-partners-")))
        sftp = stack.enter_context(sftp_server(folder / "sftp"))
        https = stack.enter_context(https_server(folder / "https", folder / "https-keys"))
        s3 = stack.enter_context(s3_server())
        sql = stack.enter_context(sql_server())
        store, database = s3.bucket(BUCKET), sql.database("kgale")
        yield Outboxes(
            settings=settings,
            folder=folder,
            connections={
                "pula_mobile_sftp": sftp.connection,
                "ceibo_pay_https": https.connection,
                "rambla_market_s3": store,
                "kgale_rides_sql": sql.reader("kgale", "acequia_reader"),
            },
            database=database,
            s3=_client(store),
        )


def _client(connection: Connection) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=connection.endpoint_url,
        region_name=connection.region,
        aws_access_key_id=connection.access_key,
        aws_secret_access_key=connection.secret_key,
    )
