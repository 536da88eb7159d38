"""Transactions of a mobile wallet in Uruguay."""

from __future__ import annotations

from typing import Any

import numpy as np

from acequia.simulate.people import Indices
from acequia.simulate.shape import Draw, by_share, pick, words

# ISO 3166-2 code: (department, region of this example, share of the users). Departments are real.
DEPARTMENTS: dict[str, tuple[str, str, float]] = {
    "UY-AR": ("Artigas", "north", 0.018),
    "UY-CA": ("Canelones", "metropolitan", 0.165),
    "UY-CL": ("Cerro Largo", "east", 0.02),
    "UY-CO": ("Colonia", "west", 0.037),
    "UY-DU": ("Durazno", "centre", 0.014),
    "UY-FS": ("Flores", "centre", 0.006),
    "UY-FD": ("Florida", "centre", 0.017),
    "UY-LA": ("Lavalleja", "east", 0.014),
    "UY-MA": ("Maldonado", "east", 0.068),
    "UY-MO": ("Montevideo", "metropolitan", 0.455),
    "UY-PA": ("Paysandú", "west", 0.03),
    "UY-RN": ("Río Negro", "west", 0.013),
    "UY-RV": ("Rivera", "north", 0.027),
    "UY-RO": ("Rocha", "east", 0.018),
    "UY-SA": ("Salto", "north", 0.033),
    "UY-SJ": ("San José", "metropolitan", 0.031),
    "UY-SO": ("Soriano", "west", 0.018),
    "UY-TA": ("Tacuarembó", "north", 0.02),
    "UY-TT": ("Treinta y Tres", "east", 0.011),
}
# Kind: (share, the amount's middle in pesos, its spread on the log scale, whether a person receives it)
KINDS: dict[str, tuple[float, float, float, bool]] = {
    "merchant": (0.48, 520.0, 0.8, False),
    "transfer": (0.27, 1800.0, 1.0, True),
    "cash_in": (0.12, 3000.0, 0.7, False),
    "cash_out": (0.08, 2500.0, 0.7, False),
    "remittance": (0.05, 6400.0, 0.5, True),
}
STATUSES, STATUS_SHARES = ("completed", "failed", "reversed"), np.array([0.955, 0.033, 0.012])
MERCHANTS = 400


def transactions(draw: Draw) -> Any:
    """One row per transaction."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = draw.places()
    size = draw.population.size(draw.rows)
    senders = draw.plant(draw.active(size), places)
    receivers = draw.plant(draw.active(size), places[::-1])
    homes = by_share(draw.population.share(senders, "home"), np.array([share for *_, share in DEPARTMENTS.values()]))
    kind = pick(draw.rng, draw.rows, np.array([share for share, *_ in KINDS.values()]))
    to_person = np.array([person for *_, person in KINDS.values()])[kind]
    to_person[places] = True  # so that whoever is planted is a receiver too
    amount = _amounts(draw, kind)
    fee = np.round(np.where(kind == 0, 0, 4 + amount * 0.012), 2)
    made_at = pc.strftime(draw.moments(), format="%Y-%m-%dT%H:%M:%S")
    return pa.table(
        {
            "transaction_id": _identifiers(draw),
            "made_at": pc.binary_join_element_wise(made_at, _offset(draw), ""),
            "sender_document": draw.population.national_id(senders),
            "sender_name": draw.population.name(senders),
            "sender_phone": draw.population.phone(senders),
            "sender_email": pc.if_else(pa.array(draw.population.share(senders, "email") < 0.6),
                                       draw.population.email(senders), None),
            "sender_birth_year": 2008 - (draw.population.share(senders, "age") ** 1.3 * 68).astype(np.int64),
            "sender_department": words(list(DEPARTMENTS), homes),
            "receiver_document": pc.if_else(pa.array(to_person), draw.population.national_id(receivers), None),
            "receiver_name": pc.if_else(pa.array(to_person), draw.population.name(receivers), None),
            "merchant_id": pc.if_else(pa.array(kind == 0), _merchants(draw), None),
            "kind": words(list(KINDS), kind),
            "status": words(STATUSES, pick(draw.rng, draw.rows, STATUS_SHARES)),
            "amount_uyu": amount,
            "fee_uyu": fee,
            "memo": draw.notes(places, 0.06),
        }
    )  # fmt: skip


def _amounts(draw: Draw, kind: Indices) -> Any:
    middles = np.array([middle for _, middle, _, _ in KINDS.values()])[kind]
    spreads = np.array([spread for _, _, spread, _ in KINDS.values()])[kind]
    amount = np.minimum(np.exp(draw.rng.normal(np.log(middles), spreads)), 250_000)
    # Prices end in whole pesos, what one owes a friend in tens.
    amount = np.maximum(np.where(kind == 0, np.round(amount), np.round(amount, -1)), 10.0)
    amount[draw.some(0.005)] = 0.0  # a payment opened and left again
    return amount


def _identifiers(draw: Draw) -> Any:
    import pyarrow as pa

    high, low = (draw.rng.integers(0, 16**8, draw.rows) for _ in range(2))
    return pa.array([f"{a:08x}-{b:08x}" for a, b in zip(high.tolist(), low.tolist(), strict=True)])


def _merchants(draw: Draw) -> Any:
    chosen = pick(draw.rng, draw.rows, (np.arange(MERCHANTS) + 8.0) ** -0.9)
    return words([f"M{10_000 + 37 * number}" for number in range(MERCHANTS)], chosen)


def _offset(draw: Draw) -> str:
    from datetime import datetime, time

    text = datetime.combine(draw.period.start, time(12), draw.zone).strftime("%z")
    return f"{text[:3]}:{text[3:]}"
