"""Call, message and data events of a mobile operator in Botswana."""

from __future__ import annotations

from typing import Any

import numpy as np

from acequia.simulate.people import Indices
from acequia.simulate.shape import Draw, by_share, pick, words

# District: (prefix of its cells, how many, share of the traffic, region). Districts are real, the rest is invented.
DISTRICTS: dict[str, tuple[str, int, float, str]] = {
    "Gaborone": ("GC", 60, 0.30, "south"),
    "Kweneng": ("KW", 45, 0.13, "south"),
    "Central": ("CE", 70, 0.15, "north"),
    "Francistown": ("FT", 28, 0.12, "north"),
    "South-East": ("SE", 18, 0.08, "south"),
    "North-West": ("NW", 30, 0.06, "north"),
    "Kgatleng": ("KG", 15, 0.05, "south"),
    "Southern": ("SO", 25, 0.05, "south"),
    "Selebi-Phikwe": ("SP", 12, 0.02, "north"),
    "North-East": ("NE", 10, 0.013, "north"),
    "Lobatse": ("LO", 8, 0.012, "south"),
    "Jwaneng": ("JW", 5, 0.008, "south"),
    "Ghanzi": ("GH", 8, 0.004, "south"),
    "Kgalagadi": ("KL", 8, 0.002, "south"),
    "Sowa": ("SW", 2, 0.001, "north"),
}
KINDS, KIND_SHARES = ("call", "sms", "data"), np.array([0.36, 0.14, 0.5])


def cells() -> dict[str, tuple[str, str]]:
    """Every cell of the network: its district and region, as config/reference/cell_to_district.csv has them."""
    return {
        f"{prefix}-{number:03d}": (district, region)
        for district, (prefix, many, _, region) in DISTRICTS.items()
        for number in range(1, many + 1)
    }


def events(draw: Draw) -> Any:
    """One row per event of a subscriber."""
    import pyarrow as pa

    places = draw.places()
    subscribers = draw.plant(draw.active(draw.population.size(draw.rows)), places)
    kind = pick(draw.rng, draw.rows, KIND_SHARES)
    duration = np.exp(draw.rng.normal(np.where(kind == 0, 4.3, 5.6), 1.1)).astype(np.int64) + 1
    duration = np.where(kind == 1, 0, np.minimum(duration, 86_400))
    duration[draw.some(0.004)] = -1  # the switch writes -1 where a call was never answered
    return pa.table(
        {
            "msisdn": draw.population.phone(subscribers),
            "imei": draw.population.imei(subscribers),
            "started_at": draw.moments(),
            "cell_id": _whereabouts(draw, subscribers),
            "duration_s": duration,
            "kind": words(KINDS, kind),
            "note": draw.notes(places, 0.03),
        }
    )


def _whereabouts(draw: Draw, subscribers: Indices) -> Any:
    """People are at their home cell mostly, elsewhere sometimes; within a district the first cells are the busiest."""
    weights = []
    for _, many, share, _ in DISTRICTS.values():
        rank = 1 / np.sqrt(np.arange(1, many + 1))
        weights.append(share * rank / rank.sum())
    home = by_share(draw.population.share(subscribers, "home"), np.concatenate(weights))
    away = pick(draw.rng, draw.rows, np.concatenate(weights))
    return words(list(cells()), np.where(draw.rng.random(draw.rows) < 0.75, home, away))
