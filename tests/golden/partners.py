"""What each demo partner's agreement says, once more by hand: feed -> (rows after the gate, tables)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

from tests.golden.independent import Row, Wanted, band, csv_rows, every, in_zone, json_rows, looked_up


def pula_events(path: Path) -> list[Row]:
    """Events of the day with a duration of 0 to 86,400 s."""
    district = looked_up("cell_to_district", "district")
    return [
        {
            "msisdn": row["msisdn"],
            "started_hour": datetime.fromisoformat(row["started_at"]).replace(minute=0, second=0),
            "district": district.get(row["cell_id"], "_U"),
            "duration_s": int(row["duration_s"]),
            "kind": row["kind"],
        }
        for row in csv_rows(path)
        if 0 <= int(row["duration_s"]) <= 86_400
    ]


PULA_EVENTS = {
    "active_subscribers_by_district_hour": Wanted(
        by=("district", "started_hour"),
        measures={
            "subscribers_count": ("distinct", lambda row: row["msisdn"]),
            "events_count": ("count", every),
            "duration_s_sum": ("sum", lambda row: row["duration_s"]),
        },
        contributor="msisdn",
        least=15,
        dominance=(1, 50, None),
        base=5,
        total_over="district",
    ),
    "active_subscribers_by_district_month": Wanted(
        by=("district",),
        measures={
            "subscribers_count": ("distinct", lambda row: row["msisdn"]),
            "calls_count": ("count", lambda row: row["kind"] == "call"),
            "call_s_mean": ("mean", lambda row: row["duration_s"], lambda row: row["kind"] == "call"),
        },
        contributor="msisdn",
        least=15,
        base=5,
    ),
}


def ceibo_transactions(path: Path) -> list[Row]:
    """Completed payments of one peso or more, of the local day."""
    department = looked_up("uruguay_departments", "department")
    region = looked_up("uruguay_departments", "region")
    return [
        {
            "made_on": in_zone(row["made_at"], -3).replace(hour=0, minute=0, second=0),
            "sender": row["sender_document"],
            "receiver": row["receiver_document"],
            "sender_birth_band": band(row["sender_birth_year"], (1960, 1975, 1990, 2000)),
            "department": department.get(row["sender_department"], "_U"),
            "region": region.get(row["sender_department"], "_U"),
            "kind": row["kind"],
            "amount_uyu": min(row["amount_uyu"], 150_000),
            "fee_uyu": row["fee_uyu"],
        }
        for row in json_rows(path)
        if 1 <= row["amount_uyu"] <= 1_000_000 and row["status"] == "completed"
    ]


CEIBO_TRANSACTIONS = {
    "payments_by_department_kind": Wanted(
        by=("made_on", "department", "kind"),
        measures={
            "payments_count": ("count", every),
            "senders_count": ("distinct", lambda row: row["sender"]),
            "amount_uyu_sum": ("sum", lambda row: row["amount_uyu"]),
            "fee_pct": ("ratio", lambda row: round(100 * row["fee_uyu"], 6), lambda row: row["amount_uyu"]),
        },
        contributor="sender",
        least=10,
        dominance=(2, 60, ("amount_uyu_sum",)),
        base=5,
    ),
    "transfers_between_people_by_region": Wanted(
        by=("made_on", "region"),
        measures={
            "transfers_count": ("count", every),
            "amount_uyu_sum": ("sum", lambda row: row["amount_uyu"]),
        },
        contributor="sender",
        least=10,
        dominance=(1, 50, None),
        base=5,
        total_over="region",
        where=lambda row: row["receiver"] is not None and row["kind"] in ("transfer", "remittance"),
    ),
    "active_senders_by_birth_band_month": Wanted(
        by=("sender_birth_band",),
        measures={
            "senders_count": ("distinct", lambda row: row["sender"]),
            "amount_uyu_median": ("median", lambda row: row["amount_uyu"]),
        },
        contributor="sender",
        least=20,
        base=5,
    ),
}


def rambla_scanner(path: Path) -> list[Row]:
    """Lines that sold something."""
    department, product = looked_up("shop_to_department", "department"), looked_up("product_to_class", "coicop_class")
    return [
        {
            "receipt": row["receipt"],
            "sold_on": in_zone(row["sold_at"], -3).replace(hour=0, minute=0, second=0),
            "department": department.get(row["shop"], "_U"),
            "household": row["card_number"],
            "age_band": band(int(row["holder_age"]), (18, 30, 45, 60, 75)) if row["holder_age"] else None,
            "ean": row["ean"],
            "coicop_class": product.get(row["ean"], "_U"),
            "quantity": float(row["quantity"]),
            "price": float(row["price_uyu"]),
            "turnover": float(row["quantity"]) * float(row["price_uyu"]),
            "is_promotion": row["is_promotion"] == "true",
        }
        for row in csv_rows(path)
        if 0.001 <= float(row["quantity"]) <= 1000
    ]


RAMBLA_SCANNER = {
    "unit_values_by_product_week": Wanted(
        by=("coicop_class", "ean"),
        measures={
            "unit_value_uyu": ("ratio", lambda row: row["turnover"], lambda row: row["quantity"]),
            "regular_uyu_mean": ("mean", lambda row: row["price"], lambda row: not row["is_promotion"]),
            "turnover_uyu_sum": ("sum", lambda row: row["turnover"]),
            "promotion_pct": ("mean", lambda row: 100 if row["is_promotion"] else 0),
        },
        contributor="receipt",
        least=10,
        dominance=(3, 50, None),
        base=5,
    ),
    "turnover_by_department_day": Wanted(
        by=("department", "sold_on"),
        measures={
            "turnover_uyu_sum": ("sum", lambda row: row["turnover"]),
            "receipts_count": ("distinct", lambda row: row["receipt"]),
            "line_uyu_median": ("median", lambda row: row["turnover"]),
        },
        contributor="receipt",
        least=10,
        base=5,
        grid={
            "department": sorted(set(looked_up("shop_to_department", "department").values())),
            "sold_on": [datetime.fromisoformat(f"2026-11-{day}") for day in range(16, 23)],
        },
    ),
    "households_by_age_month": Wanted(
        by=("age_band",),
        measures={
            "households_count": ("distinct", lambda row: row["household"]),
            "turnover_uyu_sum": ("sum", lambda row: row["turnover"]),
        },
        contributor="household",
        least=20,
        dominance=(1, 25, None),
        base=5,
        where=lambda row: row["household"] is not None,
    ),
}


def kgale_trips(path: Path) -> list[Row]:
    """Trips driven and paid: 0 < duration <= 3 h, distance and fare above 0; no rating but 1 to 5."""
    area = looked_up("ride_zones", "area")
    rows = [
        {
            "rider": row["rider_phone"],
            "pickup_hour": datetime.fromisoformat(row["pickup_at"]).hour,
            "duration_s": int((datetime.fromisoformat(row["dropoff_at"])
                               - datetime.fromisoformat(row["pickup_at"])).total_seconds()),
            "pickup_area": area.get(row["pickup_zone"], "_U"),
            "dropoff_area": area.get(row["dropoff_zone"], "_U"),
            "distance": float(row["distance_km"]),
            "fare": round(float(row["fare_bwp"]) * 2) / 2,
        }
        for row in csv_rows(path)
        if row["rating"] is None or 1 <= int(row["rating"]) <= 5
    ]  # fmt: skip
    return [row for row in rows if 0 < row["duration_s"] <= 10_800 and row["distance"] > 0 and row["fare"] > 0]


AREAS = sorted(set(looked_up("ride_zones", "area").values()))
KGALE_TRIPS = {
    "trips_by_area_hour": Wanted(
        by=("pickup_area", "pickup_hour"),
        measures={
            "trips_count": ("count", every),
            "speed_kmh": ("ratio", lambda row: row["distance"] * 3600, lambda row: row["duration_s"]),
            "fare_bwp_mean": ("mean", lambda row: row["fare"]),
        },
        contributor="rider",
        least=10,
        dominance=(1, 50, None),
        base=5,
    ),
    "flows_by_area": Wanted(
        by=("pickup_area", "dropoff_area"),
        measures={
            "trips_count": ("count", every),
            "distance_km_sum": ("sum", lambda row: row["distance"]),
            "riders_count": ("distinct", lambda row: row["rider"]),
        },
        contributor="rider",
        least=10,
        base=5,
        grid={"pickup_area": AREAS, "dropoff_area": AREAS},
    ),
}


def kgale_driver_hours(path: Path) -> list[Row]:
    """Each driver and day once: an exact repetition is set aside."""
    district = looked_up("ride_zones", "district")
    once = {tuple(row.values()): row for row in reversed(csv_rows(path))}
    return [
        {
            "driver": row["driver_omang"],
            "worked_week": date.fromisoformat(row["worked_on"]),
            "home_district": district.get(row["home_zone"], "_U"),
            "gender": row["gender"],
            "birth_band": band(int(row["birth_year"]), (1970, 1980, 1990, 2000)),
            "online_min": int(row["online_min"]),
            "driving_min": int(row["driving_min"]),
            "trips": min(int(row["trips"]), 60),
            "pay_bwp": float(row["pay_bwp"]),
        }
        for row in once.values()
    ]


KGALE_DRIVER_HOURS = {
    "driver_hours_by_district_gender": Wanted(
        by=("home_district", "gender"),
        measures={
            "drivers_count": ("distinct", lambda row: row["driver"]),
            "online_min_sum": ("sum", lambda row: row["online_min"]),
            "pay_bwp_per_h": ("ratio", lambda row: row["pay_bwp"] * 60, lambda row: row["online_min"]),
            "trips_per_h": ("ratio", lambda row: row["trips"] * 60, lambda row: row["driving_min"]),
        },
        contributor="driver",
        least=5,
        dominance=(1, 40, ("online_min_sum",)),
        base=5,
    ),
    "driver_pay_by_birth_band_quarter": Wanted(
        by=("birth_band",),
        measures={
            "drivers_count": ("distinct", lambda row: row["driver"]),
            "pay_bwp_day_mean": ("mean", lambda row: row["pay_bwp"]),
        },
        contributor="driver",
        least=5,
    ),
}

FEEDS: Mapping[tuple[str, str], tuple[Callable[[Path], list[Row]], Mapping[str, Wanted]]] = {
    ("pula_mobile", "events"): (pula_events, PULA_EVENTS),
    ("ceibo_pay", "transactions"): (ceibo_transactions, CEIBO_TRANSACTIONS),
    ("rambla_market", "scanner"): (rambla_scanner, RAMBLA_SCANNER),
    ("kgale_rides", "trips"): (kgale_trips, KGALE_TRIPS),
    ("kgale_rides", "driver_hours"): (kgale_driver_hours, KGALE_DRIVER_HOURS),
}
