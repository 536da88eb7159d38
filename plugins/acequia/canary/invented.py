"""Who is planted: invented people, a pure function of the feed and a number, and the ways in which they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, cast

from acequia.agreement.privacy import Kind
from acequia.simulate.people import Country, Person, Population, plain

SEED = 267598
_BLOCK = 512
_ONE_IN = 3
_WRITINGS = 6
Names = Literal["mixed", "listed", "unlisted"]
UNLISTED: Mapping[Country, tuple[str, ...]] = {
    "BW": ("Setlhomo", "Ketshephaone", "Lubona", "Mbako", "Mavis", "Gadifele", "Mmamorago", "Batisani", "Kushata",
           "Thabologo", "Dipogiso", "Lwapi"),
    "UY": ("Yésica", "Braian", "Maicol", "Zelmar", "Mirtha", "Waldemar", "Dahiana", "Clorinda", "Eulogio", "Basilisa",
           "Nicomedes", "Sixto"),
}  # fmt: skip
"""Given names that no list of the scrubber has; no family name of who is invented is on one either."""
PLANTED: tuple[Kind, ...] = ("name", "phone", "email", "national_id")
"""The kinds that are planted. Of others that an agreement names no recall is measured."""


@dataclass(frozen=True)
class Mark:
    """One value that was planted: as it was `written`, and the `sign` by which it is known where it comes out: digits,
    or a word in small letters without accents.
    """

    kind: Kind
    written: str
    sign: str
    unlisted: bool = False

    @property
    def told(self) -> str:
        """Under which kind it is counted: names of which the lists have no word can be counted apart."""
        return f"{self.kind}, unlisted" if self.unlisted else self.kind


@dataclass(frozen=True)
class Crowd:
    """As many invented people as are needed, for one feed of a country."""

    feed: str
    country: str
    language: str

    def marks(self, kind: Kind, number: int, names: Names = "mixed") -> list[Mark]:
        """A value of that kind of person `number` in all its writings, another one first for each number.

        Given names are on the scrubber's lists, or on none; mixed, one in three is on none. Only where all are on none
        are they counted apart.
        """
        person, round_ = self._person(number), number // _WRITINGS  # in each round other writings are those of no list
        if names == "unlisted" or (names == "mixed" and (round_ + number) % _ONE_IN == 0):
            given = UNLISTED[person.country]
            person = replace(person, name=f"{given[(round_ + number) // _ONE_IN % len(given)]} {person.surname}")
        marks = [replace(mark, unlisted=names == "unlisted") for mark in _MARKS[kind](self, person, number)]
        if kind == "name" and names == "listed":
            marks = [mark for mark in marks if "." not in mark.written]  # an initial is no word of a list
        turn = number % len(marks)
        return marks[turn:] + marks[:turn]

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that can be invented for the country: documents are known of Botswana and Uruguay."""
        return tuple(kind for kind in PLANTED if kind != "national_id" or self.country in ("BW", "UY"))

    def phones(self, person: Person, number: int) -> tuple[str, ...]:
        """The writings of a person's telephone number, the international ones first."""
        if self.country == person.country:
            return person.phone_forms()
        return _other_phones(self.country, number)

    def _person(self, number: int) -> Person:
        country = self.country if self.country in ("BW", "UY") else "UY" if self.language == "es" else "BW"
        return _block(self.feed, cast(Country, country), number // _BLOCK)[number % _BLOCK]


@lru_cache(maxsize=8)
def _block(feed: str, country: Country, block: int) -> list[Person]:
    """So many people at once, which takes as long as one."""
    import numpy as np

    numbers = np.arange(block * _BLOCK, (block + 1) * _BLOCK, dtype=np.int64)
    crowd = Population(SEED, feed, country)
    parts = (crowd.name, crowd.phone, crowd.national_id, crowd.email, crowd.imei)
    return [Person(country, *told) for told in zip(*(part(numbers).to_pylist() for part in parts), strict=True)]


def _name(_: Crowd, person: Person, __: int) -> list[Mark]:
    given, surname = person.name.split(" ", 1)
    turned, short = f"{surname}, {given}", f"{given[0]}. {surname}"
    ways = (person.name, plain(person.name), person.name.upper(), turned, short, person.name.lower())
    return [Mark("name", way, plain(surname).lower()) for way in ways]


def _phone(crowd: Crowd, person: Person, number: int) -> list[Mark]:
    ways = crowd.phones(person, number)
    sign = "".join(sign for sign in ways[0] if sign.isdigit())[-7:]
    return [Mark("phone", way, sign) for way in ways]


def _email(_: Crowd, person: Person, __: int) -> list[Mark]:
    ways = (person.email, person.email.upper(), f"<{person.email}>")
    return [Mark("email", way, person.email.partition("@")[0]) for way in ways]


def _national_id(_: Crowd, person: Person, __: int) -> list[Mark]:
    return [Mark("national_id", way, person.national_id) for way in person.id_forms()]


_MARKS: Mapping[Kind, Callable[[Crowd, Person, int], list[Mark]]] = {
    "name": _name,
    "phone": _phone,
    "email": _email,
    "national_id": _national_id,
}


def _other_phones(country: str, number: int) -> tuple[str, ...]:
    """Mobile numbers of a country that nobody simulates: the example that is published for it, with other last digits
    as long as they are valid.
    """
    import phonenumbers

    form = phonenumbers.PhoneNumberFormat
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        return (f"+1202555{number % 10_000:04d}",)
    shown = example.national_number or 0
    changed = phonenumbers.PhoneNumber(
        country_code=example.country_code, national_number=shown - shown % 1000 + number % 1000
    )
    best = changed if phonenumbers.is_valid_number(changed) else example
    return tuple(phonenumbers.format_number(best, way) for way in (form.E164, form.INTERNATIONAL, form.NATIONAL))


SENTENCES: Mapping[str, Mapping[Kind, tuple[str, ...]]] = {
    "en": {
        "name": (
            "Spoke to {}, line restored",
            "{} was not at home, will try again",
            "customer {} wants a copy of the bill",
            "handed over to {} at the desk",
            "changed the address for {} as asked",
            "complaint by {} about the charge",
            "bill copy promised, {} comes on monday",
        ),
        "phone": (
            "call back on {} after five",
            "her number is {}",
            "{} is switched off",
            "pls ring {}, thanks",
            "moved the contract from {} to the family plan",
        ),
        "email": ("write to {} please", "bill to {}", "{} bounced twice"),
        "national_id": ("ID {} seen", "identity checked: {}", "document {} is a copy", "registered under {}"),
    },
    "es": {
        "name": (
            "Hablé con {}, quedó resuelto",
            "{} no estaba, se vuelve mañana",
            "la clienta {} pide copia de la factura",
            "entregado a {} en mostrador",
            "cambio de dirección para {} según lo pedido",
            "reclamo de {} por el cobro",
            "quedó pendiente la copia, {} pasa el lunes",
        ),
        "phone": (
            "llamar al {} después de las cinco",
            "el número es {}",
            "{} está apagado",
            "avisar al {}, gracias",
            "se pasó el contrato de {} al plan familiar",
        ),
        "email": ("escribir a {} por favor", "factura a {}", "{} rebotó dos veces"),
        "national_id": (
            "CI {} a la vista",
            "documento verificado: {}",
            "el documento {} es copia",
            "registrado con {}",
        ),
    },
}
