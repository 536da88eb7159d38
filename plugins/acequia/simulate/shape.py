"""What simulated feeds have in common: when things happen, who does them, what people write, which rows are planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from acequia.period import Period
from acequia.simulate.hiding import mentions
from acequia.simulate.people import Indices, Person, Population

# Share of a day's activity by hour: quiet nights, a morning rise, an evening peak.
HOURS = np.array([1, 1, 1, 1, 2, 4, 8, 13, 15, 14, 14, 15, 16, 15, 14, 14, 15, 18, 20, 19, 16, 11, 6, 3], dtype=float)
# Share of a week's activity by day, Monday first.
WEEK = np.array([1.0, 0.98, 1.0, 1.04, 1.15, 1.05, 0.8])

_MENTIONS = {
    "BW": (
        "{name} (Omang {id}) reports dropped calls, call back on {phone} or write to {email}",
        "Spoke to {name} on {phone}, line restored",
        "customer {NAME} wants a copy of the bill sent to {email}",
        "Identity checked: Omang {id}, asked for {name}",
        "pls ring {plain} at {phone} after 17:00",
    ),
    "UY": (
        "{name} (CI {id}) reclama un cobro doble, llamar al {phone} o escribir a {email}",
        "Hablé con {name} al {phone}, quedó resuelto",
        "la clienta {NAME} pide la factura a {email}",
        "Documento verificado: CI {id}, a nombre de {name}",
        "llamar a {plain} tel {phone} después de las 17",
    ),
}
_REMARKS = {
    "BW": (
        "line restored",
        "dropped twice near the dam",
        "asked about roaming prices",
        "wrong number",
        "will call again",
        "noise on the line since Tuesday",
        "moved to the family plan",
        "left the umbrella in the car",
        "paid in cash",
    ),
    "UY": (
        "entregado en mostrador",
        "sin cambio chico",
        "pidió bolsa de papel",
        "cobro duplicado, ya devuelto",
        "dejar en la puerta del garaje",
        "promoción del martes",
        "no había yerba",
        "volverá mañana",
        "envío demorado",
    ),
}


@dataclass(frozen=True)
class Draw:
    """What a feed's simulator is given: so many rows of a period, with its own random numbers.

    `planted` are the people to plant (none in the later files of a large delivery); with `untidy` a small share of the
    rows is wrong in the way such data are, within what the agreement tolerates. `hide` names hiding places: then the
    free text holds what `hiding.mentions` writes.
    """

    rng: np.random.Generator
    period: Period
    rows: int
    zone: ZoneInfo
    population: Population
    planted: Sequence[int]
    untidy: bool
    hide: Sequence[str] = ()

    @property
    def country(self) -> str:
        """Where the people live."""
        return self.population.country

    @property
    def people(self) -> list[Person]:
        """The planted people that fit: one row each at least."""
        return [self.population.person(number) for number in self.planted[: self.rows]]

    def places(self) -> NDArray[np.int64]:
        """The rows of planted people, one after the other in turn; each gets up to as many as there are mentions."""
        fit = len(self.planted[: self.rows])
        many = min(self.rows // max(fit, 1), len(_MENTIONS["BW"])) * fit
        return self.rng.permutation(self.rows)[:many].astype(np.int64)

    def plant(self, subjects: Indices, places: Indices) -> Indices:
        """The subjects of all rows, with the planted people at their places."""
        planted = np.array(subjects)
        if len(places):
            planted[places] = np.resize(np.array(self.planted[: self.rows], dtype=np.int64), len(places))
        return planted

    def notes(self, places: Indices, share: float) -> Any:
        """Free text: null in most rows, a harmless remark in a share, a mention of each planted person."""
        import pyarrow as pa

        remarks = np.array(_REMARKS[self.country], dtype=object)
        texts = np.full(self.rows, None, dtype=object)
        written = self.rng.random(self.rows) < share
        texts[written] = remarks[self.rng.integers(0, len(remarks), int(written.sum()))]
        people = self.people
        hidden = mentions(people, self.hide)
        for turn, place in enumerate(places):
            if not self.hide:
                texts[place] = mention(people[turn % len(people)], turn // len(people), turn)
            elif turn < len(hidden):
                texts[place] = hidden[turn].text
        return pa.array(texts, type=pa.string())

    def active(self, size: int, evenness: float = 60.0) -> Indices:
        """Who acts: few people do much, many do little (a Zipf law flattened at its top)."""
        return zipf(self.rng, self.rows, size, exponent=0.8, shift=evenness)

    def moments(self) -> Any:
        """Sorted local wall times inside the period, to the second, as an Arrow timestamp array without zone."""
        import pyarrow as pa

        start, days = self.period.start, (self.period.end - self.period.start).days
        weights = WEEK[(start.weekday() + np.arange(days)) % 7]
        day = pick(self.rng, self.rows, weights)
        hour = pick(self.rng, self.rows, HOURS)
        seconds = np.sort(day * 86_400 + hour * 3_600 + self.rng.integers(0, 3_600, self.rows))
        return pa.array(np.datetime64(start, "s") + seconds.astype("timedelta64[s]"))

    def some(self, share: float) -> NDArray[np.int64]:
        """Rows to spoil: the share rounded down, none where the agreement tolerates none."""
        return self.rng.permutation(self.rows)[: int(self.rows * share) if self.untidy else 0].astype(np.int64)


def mention(person: Person, way: int, turn: int) -> str:
    """A sentence of the kind that people write into note fields, with what gives this person away."""
    from acequia.simulate.people import plain

    sentences = _MENTIONS[person.country]
    phones, ids = person.phone_forms(), person.id_forms()
    return sentences[way % len(sentences)].format(
        name=person.name, NAME=person.name.upper(), plain=plain(person.name), email=person.email,
        phone=phones[turn % len(phones)], id=ids[turn % len(ids)],
    )  # fmt: skip


def pick(rng: np.random.Generator, rows: int, weights: NDArray[Any]) -> Indices:
    """So many draws of 0..len-1 by weight."""
    return by_share(rng.random(rows), weights)


def by_share(uniform: NDArray[Any], weights: NDArray[Any]) -> Indices:
    """0..len-1 by weight, from numbers in [0, 1) that are given: what does not change from day to day."""
    edges = np.cumsum(weights) / np.sum(weights)
    return np.minimum(np.searchsorted(edges, uniform, side="right"), len(weights) - 1).astype(np.int64)


def zipf(rng: np.random.Generator, rows: int, size: int, *, exponent: float, shift: float = 1.0) -> Indices:
    """Draws of 0..size-1 with weights 1 / (rank + shift) ** exponent (Zipf-Mandelbrot)."""
    return pick(rng, rows, (np.arange(size) + shift) ** -exponent)


def words(choices: Sequence[str], chosen: Indices) -> Any:
    """An Arrow string array of the chosen words."""
    import pyarrow as pa

    return pa.array(choices, type=pa.string()).take(pa.array(chosen))
