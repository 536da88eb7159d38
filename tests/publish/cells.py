"""Disclosed cells and agreements for the tests of this room, and processes that publish them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from acequia.agreement.load import Signed, load
from acequia.flow import DeliveryId, Disclosed
from acequia.publish.lake import Lake, open_lake
from acequia.settings import Settings

PARTNER, FEED, TABLE = "kalahari_cabs", "trips", "trips_by_district_hour"
NAME = f"{PARTNER}.{TABLE}"

AGREEMENT = """\
partner: kalahari_cabs
name: Kalahari Cabs (Pty) Ltd
country: BW
terms:
  version: "{version}"
  legal_basis: Statistics Act s.12
  purposes: [official_statistics]
  signed_on: 2026-01-01
  expires_on: 2029-12-31
  raw_kept_days: 14
  protected_kept_days: 400
  contacts: {{partner: data@cabs.example, steward: steward@stats.example, dpo: dpo@stats.example}}
  recipients: [ministry_of_transport, statistics_office]
feeds:
  trips:
    delivery:
      source: {{type: folder, path: "{{period}}.csv"}}
      format: csv
      schedule: "0 6 * * *"
      timezone: Africa/Gaborone
      period: day
      due_within_hours: 30
    columns:
      driver_id:   {{type: string, treat: pseudonym}}
      started_at:  {{type: timestamp, treat: {{truncate_to: hour}}, as: started_hour,
                     describe: Hour in which the trip began.}}
      zone:        {{type: string, treat: {{lookup: zones}}, as: district}}
      distance_km: {{type: number, treat: keep}}
    tables:
      trips_by_district_hour:
        describe: One row per district and hour.
        by: [district, started_hour]
        measures:
          trips_count:     {{count: rows}}
          distance_km_sum: {{sum: distance_km, describe: "Distance driven, in all.", unit: km}}
{more}        protect: {{contributor: driver_id, min_contributors: 3}}
        recipients: [ministry_of_transport]
"""


def signed(folder: Path, version: str = "1.0", more: str = "") -> Signed:
    """The agreement, with further measures as lines of YAML."""
    path = folder / version / f"{PARTNER}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    indented = "".join(f"          {line}\n" for line in more.splitlines())
    path.write_text(AGREEMENT.format(version=version, more=indented), encoding="utf-8")
    return load(path)


def cell(district: str | None, hour: int, trips: int | None, period: str, **other: Any) -> dict[str, Any]:
    """One row; `trips` None is a withheld cell."""
    hidden = trips is None
    return {
        "period": period,
        "district": district,
        "started_hour": dt.datetime.fromisoformat(f"{period}T{hour:02}:00:00"),
        "trips_count": trips,
        "distance_km_sum": None if hidden else trips * 1.5,
        "contributors_count": None if hidden else max(trips // 2, 3),
        "cell_status": "withheld" if hidden else "published",
        "withheld_because": "min_contributors" if hidden else None,
        "provisional": False,
        "delivery": f"{PARTNER}.{FEED}.{period}.v1",
        **other,
    }


def day(period: str, trips: int = 10) -> list[dict[str, Any]]:
    """A day of four cells, one of them withheld."""
    return [
        cell("Gaborone", 6, trips, period),
        cell("Gaborone", 7, trips + 1, period),
        cell("Maun", 6, None, period),
        cell("Molepolole, east", 6, trips + 2, period),
    ]


SCHEMA = pa.schema(
    [
        ("period", pa.string()),
        ("district", pa.string()),
        ("started_hour", pa.timestamp("us")),
        ("trips_count", pa.int64()),
        ("distance_km_sum", pa.float64()),
        ("contributors_count", pa.int64()),
        ("cell_status", pa.string()),
        ("withheld_because", pa.string()),
        ("provisional", pa.bool_()),
        ("delivery", pa.string()),
    ]
)


def disclosed(
    folder: Path,
    period: str,
    rows: list[dict[str, Any]],
    *,
    version: int = 1,
    schema: pa.Schema = SCHEMA,
    table: str = TABLE,
    provisional: bool = False,
) -> Disclosed:
    """Write the cells as the room before writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"disclosed.{table}.{period}.v{version}.{os.getpid()}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return Disclosed(
        table=table,
        period=period,
        deliveries=(DeliveryId(partner=PARTNER, feed=FEED, period=period, version=version),),
        path=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        cells=len(rows),
        withheld={"min_contributors": sum(row["cell_status"] == "withheld" for row in rows)},
        provisional=provisional,
        rules={"min_contributors": 3, "dominance": {"n": 1, "k_pct": 50}},
    )


def days(count: int, start: str = "2026-03-01") -> list[str]:
    """Labels of so many days on end."""
    first = dt.date.fromisoformat(start)
    return [(first + dt.timedelta(days=n)).isoformat() for n in range(count)]


def _kill_before_commit() -> None:
    from pyiceberg.catalog.sql import SqlCatalog

    SqlCatalog.commit_table = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment,method-assign]


def _kill_after_commit() -> None:
    from acequia.publish import open_release

    open_release.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]


def _kill_inside_release() -> None:
    from acequia.publish.files import Files

    def half(self: Files, path: str, content: dict[str, bytes]) -> None:
        for name, part in list(content.items())[:2]:
            target = Path(self.place(path)).with_name(".half.partial") / name if self.is_local else None
            if target:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(part)
            else:
                self.write(f"{path}/{name}", part)
        os.kill(os.getpid(), signal.SIGKILL)

    Files.write_folder = half  # type: ignore[method-assign]


def _without_lock() -> None:
    from contextlib import nullcontext

    Lake.lock = lambda *_: nullcontext()  # type: ignore[method-assign]


_HOW = {
    "before_commit": _kill_before_commit,
    "after_commit": _kill_after_commit,
    "inside_release": _kill_inside_release,
    "without_lock": _without_lock,
}


def work(folder: str, environ: dict[str, str], connection: Any, labels: list[str], how: tuple[str, ...]) -> None:
    """Publish these days in a process of its own; add each one's snapshot and whether it changed to a file."""
    for one in how:
        _HOW[one]()
    lake, terms = open_lake(Settings.from_environment(environ), connection), signed(Path(folder) / "agreements")
    with (Path(folder) / f"said.{os.getpid()}").open("w") as said:
        for label in labels:
            published = lake.publish(disclosed(Path(folder), label, day(label)), terms, FEED)
            said.write(json.dumps([label, published.snapshot_id, published.changed]) + "\n")
    lake.close()
