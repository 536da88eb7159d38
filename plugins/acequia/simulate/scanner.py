"""Receipt lines of a supermarket chain in Uruguay."""

from __future__ import annotations

from typing import Any

import numpy as np

from acequia.simulate.money import DEPARTMENTS
from acequia.simulate.shape import Draw, pick, words

# Product: (COICOP 2018 class, the class's name, price in pesos, sold by weight)
PRODUCTS: dict[str, tuple[str, float, bool]] = {
    "rice 1 kg": ("01.1.1", 62, False),
    "wheat flour 1 kg": ("01.1.1", 48, False),
    "spaghetti 500 g": ("01.1.1", 55, False),
    "sliced bread 600 g": ("01.1.1", 118, False),
    "bread rolls": ("01.1.1", 155, True),
    "crackers 200 g": ("01.1.1", 74, False),
    "beef mince": ("01.1.2", 345, True),
    "beef short ribs": ("01.1.2", 390, True),
    "chicken, whole": ("01.1.2", 199, True),
    "pork shoulder": ("01.1.2", 289, True),
    "ham, sliced": ("01.1.2", 520, True),
    "hake fillet": ("01.1.3", 430, True),
    "tinned tuna 170 g": ("01.1.3", 98, False),
    "milk 1 l": ("01.1.4", 49, False),
    "yoghurt 1 l": ("01.1.4", 112, False),
    "cheese, semi-hard": ("01.1.4", 480, True),
    "grated cheese 80 g": ("01.1.4", 86, False),
    "eggs, dozen": ("01.1.4", 145, False),
    "butter 200 g": ("01.1.5", 139, False),
    "sunflower oil 900 ml": ("01.1.5", 109, False),
    "bananas": ("01.1.6", 79, True),
    "apples": ("01.1.6", 99, True),
    "oranges": ("01.1.6", 52, True),
    "mandarins": ("01.1.6", 65, True),
    "potatoes": ("01.1.7", 49, True),
    "onions": ("01.1.7", 45, True),
    "tomatoes": ("01.1.7", 119, True),
    "lettuce": ("01.1.7", 58, False),
    "pumpkin": ("01.1.7", 44, True),
    "lentils 400 g": ("01.1.7", 82, False),
    "sugar 1 kg": ("01.1.8", 57, False),
    "dulce de leche 500 g": ("01.1.8", 132, False),
    "chocolate bar 100 g": ("01.1.8", 105, False),
    "ice cream 1 l": ("01.1.8", 310, False),
    "salt 500 g": ("01.1.9", 33, False),
    "mayonnaise 500 ml": ("01.1.9", 115, False),
    "pizza, frozen": ("01.1.9", 225, False),
    "orange juice 1 l": ("01.2.1", 92, False),
    "ground coffee 250 g": ("01.2.2", 290, False),
    "yerba mate 1 kg": ("01.2.3", 219, False),
    "tea bags 25": ("01.2.3", 68, False),
    "cocoa powder 400 g": ("01.2.4", 138, False),
    "mineral water 2 l": ("01.2.5", 62, False),
    "cola 2.25 l": ("01.2.6", 142, False),
    "grapefruit soda 2.25 l": ("01.2.6", 128, False),
    "grappa 1 l": ("02.1.1", 330, False),
    "table wine 1 l": ("02.1.2", 125, False),
    "tannat 750 ml": ("02.1.2", 345, False),
    "lager 1 l": ("02.1.3", 139, False),
    "cigarettes 20": ("02.3.0", 205, False),
    "washing powder 800 g": ("05.6.1", 149, False),
    "bleach 1 l": ("05.6.1", 59, False),
    "dish soap 750 ml": ("05.6.1", 88, False),
    "paper towels 3": ("05.6.1", 115, False),
    "toothpaste 90 g": ("13.1.2", 99, False),
    "shampoo 400 ml": ("13.1.2", 189, False),
    "toilet paper 4": ("13.1.2", 109, False),
    "hand soap 3": ("13.1.2", 92, False),
}
FIRST_CODE = 200_000_100_000
"""GS1 leaves the prefix 2 to shops for their own codes: none of these is a real product's."""
SHOPS: dict[str, tuple[str, float]] = {}  # shop: (ISO code of its department, weight), filled below
for _code, _many in {"UY-MO": 14, "UY-CA": 7, "UY-MA": 4, "UY-CO": 2, "UY-SA": 2, "UY-PA": 2, "UY-SJ": 2, "UY-RV": 1,
                     "UY-RO": 1, "UY-SO": 1, "UY-FD": 1, "UY-TA": 1}.items():  # fmt: skip
    for _number in range(1, _many + 1):
        SHOPS[f"{_code[3:]}{_number:02d}"] = (_code, DEPARTMENTS[_code][2] / _many / (1 + 0.15 * _number))
LINES_A_RECEIPT = 6


def codes() -> list[str]:
    """The EAN-13 of each product, in the order of `PRODUCTS`, and of one that is too new for the reference table."""
    bodies = [FIRST_CODE + 7 * number for number in range(len(PRODUCTS) + 1)]
    return [f"{body}{ean_check_digit(body)}" for body in bodies]


def ean_check_digit(body: int) -> int:
    """GS1 General Specifications: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(str(body))))
    return (10 - total % 10) % 10


def scanner(draw: Draw) -> Any:
    """One row per line of a receipt."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = draw.places()
    receipts = max(1, draw.rows // LINES_A_RECEIPT)
    receipt = np.sort(np.concatenate([np.arange(receipts), draw.rng.integers(0, receipts, draw.rows)])[: draw.rows])
    shops = pick(draw.rng, receipts, np.array([weight for _, weight in SHOPS.values()]))[receipt]
    customers = draw.plant(draw.active(draw.population.size(draw.rows, 9), 200.0)[receipt], places)
    has_card = draw.population.share(customers, "card") < 0.62
    has_card[places] = True
    product, quantity, price = _basket(draw)
    age = 18 + (draw.population.share(customers, "age") * 70).astype(np.int64)
    return pa.table(
        {
            "receipt": _receipt_numbers(draw, receipt),
            "sold_at": _sold_at(draw, receipt),
            "shop": words(list(SHOPS), shops),
            "till_operator": draw.population.name(1_000_000 + shops * 9 + receipt % 9),
            "card_number": pc.if_else(pa.array(has_card), _cards(customers), None),
            "card_holder": pc.if_else(pa.array(has_card), draw.population.name(customers), None),
            "holder_document": pc.if_else(pa.array(has_card), draw.population.national_id(customers), None),
            "holder_email": pc.if_else(pa.array(has_card), draw.population.email(customers), None),
            # Exported through a data frame: whole numbers turn into floats as soon as one is missing.
            "holder_age": pc.if_else(pa.array(has_card), pa.array(age.astype(np.float64)), None),
            "ean": words(codes(), np.where(draw.rng.random(draw.rows) < 0.003, len(PRODUCTS), product)),
            "quantity": quantity,
            "price_uyu": price,
            "is_promotion": draw.rng.random(draw.rows) < 0.12,
            "delivery_note": draw.notes(places, 0.02),
        }
    )


def _basket(draw: Draw) -> tuple[Any, Any, Any]:
    """Product, quantity and unit price of each line; prices creep up by a quarter percent a week."""
    prices = np.array([price for _, price, _ in PRODUCTS.values()])
    weighed = np.array([by_weight for *_, by_weight in PRODUCTS.values()])
    product = pick(draw.rng, draw.rows, 1 / np.sqrt(prices))
    weeks = (draw.period.start.toordinal() - 739_000) / 7
    price = prices[product] * 1.0025**weeks * draw.rng.choice([0.9, 0.97, 1.0, 1.0, 1.0, 1.04], draw.rows)
    price = np.round(price, 1)
    quantity = np.where(
        weighed[product],
        np.round(np.exp(draw.rng.normal(-0.2, 0.5, draw.rows)), 3),
        1 + np.floor(draw.rng.exponential(0.6, draw.rows)),
    )
    quantity[draw.some(0.006)] = 0.0  # a line that the till operator voided
    return product, quantity, price


def _sold_at(draw: Draw, receipt: Any) -> Any:
    """All lines of a receipt at one moment; written with a time zone, as UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first_line = np.searchsorted(receipt, receipt, side="left")
    moments = draw.moments().take(first_line)
    return pc.assume_timezone(moments, str(draw.zone)).cast(pa.timestamp("us", tz="UTC"))


def _receipt_numbers(draw: Draw, receipt: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    first = int(draw.rng.integers(10_000_000, 80_000_000))
    return pc.binary_join_element_wise(pa.scalar("T"), pa.array(first + receipt).cast(pa.string()), "")


def _cards(customers: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(pa.scalar("2999"), pa.array(100_000_000 + customers * 7).cast(pa.string()), "")
