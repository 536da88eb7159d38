"""Trips and working hours of the drivers of a ride-hailing company in Botswana."""

from __future__ import annotations

from typing import Any

import numpy as np

from acequia.simulate.people import Indices
from acequia.simulate.shape import Draw, by_share, pick, words

# Zone of the company: (area, district, share of the trips, km east and north of the middle of Gaborone)
ZONES: dict[str, tuple[str, str, float, float, float]] = {
    "GZ-01": ("Gaborone Central", "Gaborone", 0.17, 0.0, 0.0),
    "GZ-02": ("Gaborone Central", "Gaborone", 0.11, 1.2, -0.8),
    "GZ-03": ("Gaborone North", "Gaborone", 0.10, 1.5, 4.0),
    "GZ-04": ("Gaborone North", "Gaborone", 0.07, 3.2, 9.0),
    "GZ-05": ("Gaborone West", "Gaborone", 0.10, -4.0, 0.5),
    "GZ-06": ("Gaborone South", "Gaborone", 0.08, 0.6, -4.5),
    "GZ-07": ("Gaborone Airport", "Gaborone", 0.05, -1.0, 11.0),
    "SE-01": ("Tlokweng", "South-East", 0.06, 6.5, -1.5),
    "KW-01": ("Mogoditshane", "Kweneng", 0.07, -7.0, 2.5),
    "FT-01": ("Francistown Central", "Francistown", 0.08, 150.0, 380.0),
    "FT-02": ("Francistown West", "Francistown", 0.05, 146.0, 381.0),
    "NW-01": ("Maun", "North-West", 0.04, -260.0, 520.0),
    "NW-02": ("Maun Airport", "North-West", 0.02, -258.0, 523.0),
}
# km/h by hour of the day: mornings and evenings are slow.
SPEEDS = np.array(
    [44, 45, 46, 46, 44, 40, 30, 21, 22, 27, 29, 28, 26, 27, 28, 26, 23, 19, 22, 28, 33, 37, 40, 42], dtype=float
)
STATUSES, STATUS_SHARES = ("completed", "cancelled"), np.array([0.94, 0.06])
GENDERS, GENDER_SHARES = ("female", "male"), np.array([0.24, 0.76])


def trips(draw: Draw) -> Any:
    """One row per trip that was asked for."""
    import pyarrow as pa

    places = draw.places()
    riders = draw.plant(draw.active(draw.population.size(draw.rows, 5)), places)
    drivers = draw.plant(1_000_000 + draw.active(_fleet(draw), 30.0), places[::-1])
    pickup_at = draw.moments()
    pickup, dropoff, distance = _journeys(draw)
    hour = (pickup_at.cast("int64").to_numpy() // 3_600) % 24
    seconds = distance / (SPEEDS[hour] * np.exp(draw.rng.normal(0, 0.18, draw.rows))) * 3_600 + draw.rng.integers(
        40, 180, draw.rows
    )
    status = pick(draw.rng, draw.rows, STATUS_SHARES)
    seconds, distance = np.where(status == 0, seconds, 0), np.where(status == 0, distance, 0.0)
    fare = np.where(status == 0, np.round(12 + 5.4 * distance + 0.011 * seconds, 2), 0.0)
    seconds[draw.some(0.003)] *= -1  # a telephone whose clock jumped
    rating = draw.rng.choice([5, 4, 3, 2, 1], draw.rows, p=[0.71, 0.18, 0.06, 0.02, 0.03])
    unrated = draw.rng.random(draw.rows) > 0.45
    zeros = draw.some(0.004)  # an old version of the app writes 0 for "not rated"
    rating[zeros], unrated[zeros] = 0, False
    return pa.table(
        {
            "trip_id": [f"R{draw.period.start:%y%m}{number:08d}" for number in _numbers(draw)],
            "driver_omang": draw.population.national_id(drivers),
            "rider_name": draw.population.name(riders),
            "rider_phone": draw.population.phone(riders),
            "rider_email": draw.population.email(riders),
            "pickup_at": pickup_at,
            "dropoff_at": pa.array(pickup_at.to_numpy() + seconds.astype("timedelta64[s]")),
            "pickup_zone": words(list(ZONES), pickup),
            "dropoff_zone": words(list(ZONES), dropoff),
            "status": words(STATUSES, status),
            "distance_km": np.round(distance, 2),
            "fare_bwp": fare,
            "rating": pa.array(rating, mask=unrated),
            "feedback": draw.notes(places, 0.04),
        }
    )


def driver_hours(draw: Draw) -> Any:
    """One row per driver and day worked."""
    import pyarrow as pa

    places = draw.places()
    start, days = draw.period.start, (draw.period.end - draw.period.start).days
    fleet = max(10, draw.rows // 22)
    # Each driver and day once: numbers without repetition, as long as there are enough days.
    worked = np.sort(_without_repetition(draw, fleet * days))
    day, driver = worked // fleet % days, 1_000_000 + worked % fleet
    drivers = draw.plant(driver, places)
    online = np.clip(draw.rng.normal(520, 150, draw.rows), 30, 1_200).astype(np.int64)
    driving = (online * draw.rng.uniform(0.25, 0.7, draw.rows)).astype(np.int64)
    trips_driven = np.maximum(driving // 19, 0)
    pay = np.round(driving * 1.35 * np.exp(draw.rng.normal(0, 0.12, draw.rows)), 2)
    home = by_share(draw.population.share(drivers, "home"), np.array([share for _, _, share, *_ in ZONES.values()]))
    return pa.table(
        {
            "driver_omang": draw.population.national_id(drivers),
            "driver_name": draw.population.name(drivers),
            "driver_phone": draw.population.phone(drivers),
            "plate": [f"B {number:03d} AC{chr(65 + number % 26)}" for number in (drivers % 1_000).tolist()],
            "worked_on": pa.array(np.datetime64(start, "D") + day.astype("timedelta64[D]")),
            "home_zone": words(list(ZONES), home),
            "gender": words(GENDERS, by_share(draw.population.share(drivers, "gender"), GENDER_SHARES)),
            "birth_year": 2004 - (draw.population.share(drivers, "age") * 44).astype(np.int64),
            "online_min": online,
            "driving_min": driving,
            "trips": trips_driven,
            "pay_bwp": pay,
            "remark": draw.notes(places, 0.03),
        }
    )


def _fleet(draw: Draw) -> int:
    return max(12, draw.rows // 40)


def _numbers(draw: Draw) -> list[int]:
    return (int(draw.rng.integers(0, 40_000_000)) + np.arange(draw.rows) * 2).tolist()


def _without_repetition(draw: Draw, many: int) -> Indices:
    if draw.rows > many:
        return np.arange(draw.rows, dtype=np.int64)
    return draw.rng.choice(many, draw.rows, replace=False).astype(np.int64)


def _journeys(draw: Draw) -> tuple[Indices, Indices, Any]:
    """Pick-up zone, drop-off zone and road distance in km. No trip leads from one town to another."""
    shares = np.array([share for _, _, share, *_ in ZONES.values()])
    east, north = (np.array([zone[axis] for zone in ZONES.values()]) for axis in (3, 4))
    pickup, dropoff = (pick(draw.rng, draw.rows, shares) for _ in range(2))
    straight = np.hypot(east[pickup] - east[dropoff], north[pickup] - north[dropoff])
    dropoff = np.where(straight > 60, pickup, dropoff)
    straight = np.where(straight > 60, 0.0, straight)
    return pickup, dropoff, straight * 1.3 + draw.rng.gamma(2.0, 0.9, draw.rows) + 0.4
