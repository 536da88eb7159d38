"""A real monthly feed whose columns drift, against the figures known for it and a computation in pandas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from acequia import pipeline
from acequia.opening import lake_of, open_work
from acequia.settings import Settings

pytestmark = pytest.mark.real
MONTHS = ("2019-01", "2019-02", "2019-03", "2020-01", "2020-02", "2020-03")


@pytest.fixture(scope="module")
def published(taxi_files: Path, real_settings: Settings) -> Settings:
    for month in MONTHS:
        pipeline.run(open_work(real_settings, "nyc_taxi", "trips", month), taxi_files)
    return real_settings


def valid_trips(taxi_files: Path, month: str) -> pd.DataFrame:
    times = ["pickup_datetime", "dropoff_datetime"]
    trips = pd.read_csv(taxi_files / f"yellow_tripdata_sample_{month}.csv", parse_dates=times)
    trips["hours"] = (trips.dropoff_datetime - trips.pickup_datetime).dt.total_seconds() / 3600
    inside = trips.pickup_datetime.dt.strftime("%Y-%m") == month
    good = (trips.hours > 0) & (trips.hours <= 3) & (trips.trip_distance > 0) & (trips.fare_amount > 0)
    return trips[inside & good]


def test_the_published_figures_of_january_2020(published: Settings) -> None:
    months = lake_of(published).read("nyc_taxi.trips_by_month").to_pandas().set_index("period")
    assert months.trips_count["2020-01"] == 9_847
    assert months.distance_mi_sum["2020-01"] == pytest.approx(28_634.18, abs=0.005)
    assert months.speed_mph["2020-01"] == pytest.approx(13.2516, abs=0.00005)


@pytest.mark.parametrize("month", MONTHS)
def test_every_cell_equals_pandas(published: Settings, taxi_files: Path, month: str) -> None:
    zones = pd.read_csv(published.reference / "taxi_zones.csv", keep_default_na=False)
    borough = dict(zip(zones.LocationID, zones.Borough, strict=True))
    trips = valid_trips(taxi_files, month)
    trips = trips.assign(
        borough=trips.pickup_location_id.map(borough).fillna("_U"), hour=trips.pickup_datetime.dt.floor("h")
    )
    expected = trips.groupby(["borough", "hour"]).agg(
        trips=("hours", "size"), distance=("trip_distance", "sum"), hours=("hours", "sum")
    )
    found = lake_of(published).read("nyc_taxi.trips_by_borough_hour", period=month).to_pandas()
    found["pickup_hour"] = found["pickup_hour"].dt.tz_localize(None).astype("datetime64[ns]")
    found = found.set_index(["pickup_borough", "pickup_hour"]).sort_index()
    assert len(found) == len(expected)
    joined = found.join(expected.rename_axis(["pickup_borough", "pickup_hour"]), how="inner")
    assert len(joined) == len(expected)
    assert (joined.trips_count == joined.trips).all()
    assert (joined.distance_mi_sum - joined.distance).abs().max() < 1e-6
    assert (joined.speed_mph * joined.hours / joined.distance - 1).abs().max() < 1e-8
