"""Deliveries reach the places where partners' servers look: whole, data first, manifest last."""

from __future__ import annotations

from pathlib import Path

import boto3
import pandas as pd
import pytest
import sqlalchemy as sa

from acequia.agreement.delivery import SqlSource
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.receive.connections import Connection
from acequia.simulate.deliver import into_bucket, into_database, into_folder
from acequia.simulate.leaks import leaked
from tests.simulate.made import agreement_of, frame, written

OCTOBER, NOVEMBER = Period.parse("2026-10"), Period.parse("2026-11")


def test_a_folder_gets_the_files_at_their_places_and_nothing_half_done(tmp_path: Path) -> None:
    delivery = written("pula_mobile", "events", tmp_path / "made")
    arrived = into_folder(delivery, tmp_path / "made", tmp_path / "server")
    assert arrived[-1] == tmp_path / "server/outbox/events/2026-11-16/manifest.json"
    assert sorted(arrived) == sorted(file for file in (tmp_path / "server").rglob("*") if file.is_file())
    assert [file.read_bytes() for file in arrived] == [file.read_bytes() for file in delivery.files]


def test_a_bucket_gets_the_files_under_their_keys(tmp_path: Path, s3_bucket: tuple[str, Connection]) -> None:
    name, login = s3_bucket
    client = boto3.client("s3", endpoint_url=login.endpoint_url, region_name=login.region,
                          aws_access_key_id=login.access_key, aws_secret_access_key=login.secret_key)  # fmt: skip
    delivery = written("rambla_market", "scanner", tmp_path)
    keys = into_bucket(delivery, tmp_path, client, name)
    assert keys[-1] == "scanner/week=20261116/manifest.json"
    assert {item["Key"] for item in client.list_objects_v2(Bucket=name)["Contents"]} == set(keys)
    body = client.get_object(Bucket=name, Key=keys[0])["Body"].read()
    assert body == delivery.files[0].read_bytes()


def queried(url: str, feed: str, period: Period) -> pd.DataFrame:
    source = agreement_of("kgale_rides").feed(feed).delivery.source
    assert isinstance(source, SqlSource)
    engine = sa.create_engine(url)
    bounds = {"period_start": str(period.start), "period_end": str(period.end)}
    with engine.connect() as connection:
        rows = pd.read_sql(sa.text(source.query), connection, params=bounds)
    engine.dispose()
    return rows


@pytest.mark.parametrize("feed", ["trips", "driver_hours"])
def test_the_agreed_query_finds_what_was_put_into_a_database(feed: str, tmp_path: Path) -> None:
    agreement, url = agreement_of("kgale_rides"), f"sqlite:///{tmp_path / 'kgale.db'}"
    for period in (OCTOBER, NOVEMBER):
        into_database(agreement, feed, period, url=url, rows=300, seed=1)
    found = queried(url, feed, OCTOBER)
    assert len(found) == 300
    files = written("kgale_rides", feed, tmp_path / "files", rows=300)
    assert list(found.columns) == list(frame(files, agreement.feed(feed)).columns)
    assert len(leaked(found.to_csv().encode(), files.planted)) >= 4 * 6


def test_a_second_delivery_takes_the_place_of_the_first(tmp_path: Path) -> None:
    agreement, url = agreement_of("kgale_rides"), f"sqlite:///{tmp_path / 'kgale.db'}"
    into_database(agreement, "trips", OCTOBER, url=url, rows=300, seed=1)
    first = queried(url, "trips", OCTOBER)
    into_database(agreement, "trips", OCTOBER, url=url, rows=300, seed=1, bad="corrected")
    second = queried(url, "trips", OCTOBER)
    assert first.shape == second.shape
    assert not first.equals(second)
    assert into_database(agreement, "trips", OCTOBER, url=url, rows=300, seed=1, bad="missing").rows == 0
    assert queried(url, "trips", OCTOBER).empty


def test_a_feed_of_files_is_not_put_into_a_database(tmp_path: Path) -> None:
    with pytest.raises(AcequiaError) as refusal:
        into_database(agreement_of("ceibo_pay"), "transactions", Period.parse("2026-11-16"),
                      url=f"sqlite:///{tmp_path / 'x.db'}", rows=10, seed=1)  # fmt: skip
    assert refusal.value.code == "usage"
