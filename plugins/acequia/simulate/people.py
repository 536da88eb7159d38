"""Invented people: names, phones, national IDs, e-mails, devices, each a pure function of seed, partner and a number.

Nobody real is meant. Given names are common, family names are put together from syllables; Uruguayan identity numbers
begin with 7, 8 or 9 (not issued by 2026), devices carry the IMEI prefix of test equipment, addresses lie at
example.com. Check digits are right, so that whatever looks for such numbers finds them.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Country = Literal["BW", "UY"]
Indices = NDArray[np.int64]
PLANTED = 6
"""How many people are planted in each delivery."""


def _listed(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_GIVEN: dict[Country, tuple[str, ...]] = {
    "BW": _listed(
        "Kagiso Mpho Lesego Tebogo Boitumelo Onalenna Thabo Kgomotso Goitseone Keabetswe Lorato Masego Oratile Refilwe "
        "Tshepo Tumelo Gorata Bonolo Amantle Dineo Katlego Modise Naledi Sethunya Thato Unami Wame Yarona Gaone"
    ),
    "UY": _listed(
        "Lucía Martín Sofía Nicolás Agustín Valentina Joaquín Camila Ramón Inés Andrés Julián Belén Tomás Verónica "
        "Matías Jimena Germán Rocío Iñaki Zoé Álvaro Noelia Fermín Graciela Hernán Úrsula Danilo Pilar"
    ),
}
_SYLLABLES: dict[Country, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "BW": (
        _listed("Mo Ma Ke Le Se Di Bo Ra Kga Tlha Phe Tsho"),
        _listed("bo the lo ke ntsi la pha ro tsho ga"),
        _listed("kwanelo tshengwa lhabeng ntlhena pudisho tswerelo gorosane mongwetsi nyanelwe ditsepa"),
    ),
    "UY": (
        _listed("Barru Echa Goñi Iturra Peña Quiro Sarra Uru Vidar Zubi Lama Ferra"),
        _listed("me go be lu za gue ro le vi do"),
        _listed("ndívar rrigoz rrelún zábala güeñiz ndóriz jarán lántez níbar tegui"),
    ),
}
_TOWERS: dict[Country, tuple[str, int, int, int]] = {  # dialling code, first mobile number, how many, digits
    "BW": ("267", 71_000_000, 7_000_000, 8),
    "UY": ("598", 91_000_000, 9_000_000, 8),
}


@dataclass(frozen=True)
class Person:
    """One invented person. `phone` is international, `national_id` all digits (Omang or cédula)."""

    country: Country
    name: str
    phone: str
    national_id: str
    email: str
    imei: str

    @property
    def surname(self) -> str:
        """The family name, which no real person bears."""
        return self.name.split(" ", 1)[1]

    def phone_forms(self) -> tuple[str, ...]:
        """The phone as people write it."""
        dial, local = _TOWERS[self.country][0], self.phone[4:]
        a, b, c = local[:2], local[2:5], local[5:]
        home: tuple[str, ...] = (
            local,
            f"{a} {b} {c}",
            f"{a}-{b}-{c}",
            f"{a} {local[2:4]} {local[4:6]} {local[6:]}",
            f"{local[:3]} {local[3:]}",
        )
        if self.country == "UY":
            home = (*home, *(f"0{form}" for form in home))
        return (
            f"+{dial}{local}",
            f"+{dial} {a} {b} {c}",
            f"+{dial} {local}",
            f"{dial}{local}",
            f"00{dial}{local}",
            *home,
        )

    def id_forms(self) -> tuple[str, ...]:
        """The national ID as people write it."""
        digits = self.national_id
        if self.country == "UY":
            dotted = f"{digits[0]}.{digits[1:4]}.{digits[4:7]}"
            return (
                digits,
                f"{dotted}-{digits[7]}",
                f"{digits[:7]}-{digits[7]}",
                f"{dotted.replace('.', ' ')} {digits[7]}",
            )
        return (digits, f"{digits[:4]} {digits[4]} {digits[5:]}", f"{digits[:3]} {digits[3:6]} {digits[6:]}",
                f"{digits[:4]}-{digits[4]}-{digits[5:]}")  # fmt: skip

    def name_forms(self) -> tuple[str, ...]:
        """The name as people write it: other case, without accents, turned round, the family name alone."""
        given = self.name.split(" ", 1)[0]
        ways = (self.name, f"{self.surname}, {given}", f"{self.surname} {given}", self.surname)
        with_plain = dict.fromkeys((*ways, *map(plain, ways)))
        return tuple(dict.fromkeys(form for way in with_plain for form in (way, way.upper(), way.lower())))

    def forms(self) -> tuple[str, ...]:
        """Every text that would give this person away: what a leak test looks for, in all bytes it can find."""
        return (*self.name_forms(), *self.phone_forms(), *self.id_forms(), self.email, self.email.upper(), self.imei)


class Population:
    """The customers of one partner under one seed. Person `n` is the same in every feed and period.

    Each method takes an array of numbers and gives an Arrow string array; all are vectorised.
    """

    def __init__(self, seed: int, partner: str, country: Country) -> None:
        self.seed, self.partner, self.country = seed, partner, country

    def size(self, rows: int, rows_a_person: int = 4) -> int:
        """How many of them show up in a delivery of so many rows."""
        return min(2_000_000, max(40, rows // rows_a_person))

    def share(self, people: Indices, salt: str) -> NDArray[np.float64]:
        """A fixed number in [0, 1) of each person: where they live, how old they are."""
        return self._spread(people, salt, 1_000_003) / 1_000_003

    def name(self, people: Indices) -> Any:
        """Given and family name, with accents where the language has them."""
        return _per_person(people, lambda n: self._names(n, str))

    def email(self, people: Indices) -> Any:
        """An address at example.com that holds the name."""
        return _per_person(people, self._emails)

    def phone(self, people: Indices) -> Any:
        """Mobile number with country code, `+26771234567`."""
        dial, first, many, _ = _TOWERS[self.country]
        return _joined(f"+{dial}", first + self._spread(people, "phone", many))

    def national_id(self, people: Indices) -> Any:
        """Omang (9 digits, the fifth 1 or 2) or cédula (7 digits and a check digit)."""
        if self.country == "UY":
            seven = 7_000_000 + self._spread(people, "id", 3_000_000)
            return _joined("", seven * 10 + cedula_check_digit(seven))
        eight = 10_000_000 + self._spread(people, "id", 90_000_000)
        return _joined("", (eight // 10_000) * 100_000 + (1 + eight % 2) * 10_000 + eight % 10_000)

    def imei(self, people: Indices) -> Any:
        """15 digits with Luhn check digit; the prefix 00101 stands for test equipment."""
        body = 101_000_000_000 + self._spread(people, "imei", 10**9)
        return _joined("00", body * 10 + luhn_check_digit(body))

    def person(self, number: int) -> Person:
        """All about one of them."""
        one = np.array([number], dtype=np.int64)
        name, phone, national_id, email, imei = (
            attribute(one)[0].as_py() for attribute in (self.name, self.phone, self.national_id, self.email, self.imei)
        )
        return Person(self.country, name, phone, national_id, email, imei)

    def _spread(self, people: Indices, salt: str, many: int) -> Indices:
        """A one-to-one shuffle of 0..many-1, so that two people below `many` never share a number."""
        key = hashlib.sha256(f"{self.seed}/{self.partner}/{salt}".encode()).digest()
        step, start = int.from_bytes(key[:4], "big") % many, int.from_bytes(key[4:8], "big") % many
        while math.gcd(step, many) != 1:
            step += 1
        return (people * step + start) % many

    def _names(self, people: Indices, spell: Callable[[str], str], between: str = " ") -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        given, (first, middle, last) = _GIVEN[self.country], _SYLLABLES[self.country]
        # Numbers modulo the product of four list lengths: as many different names as there are combinations.
        left = self._spread(people, "name", len(given) * len(first) * len(middle) * len(last))
        parts = []
        for words in (given, first, middle, last):
            left, chosen = np.divmod(left, len(words))
            parts.append(pa.array([spell(word) for word in words]).take(pa.array(chosen)))
        family = pc.binary_join_element_wise(*parts[1:], "")
        return pc.binary_join_element_wise(parts[0], family, between)

    def _emails(self, people: Indices) -> Any:
        import pyarrow.compute as pc

        local = self._names(people, lambda word: plain(word).lower(), ".")
        # The number keeps two people of one name apart.
        return pc.binary_join_element_wise(local, _joined("", people % 10_000), "@example.com", "")


def cedula_check_digit(seven: Indices) -> Indices:
    """Weights 2, 9, 8, 7, 6, 3, 4; what is missing to the next ten (Dirección Nacional de Identificación Civil)."""
    total = sum(weight * ((seven // 10**place) % 10) for place, weight in enumerate((4, 3, 6, 7, 8, 9, 2)))
    return np.asarray((10 - total % 10) % 10, dtype=np.int64)


def luhn_check_digit(body: Indices) -> Indices:
    """ISO/IEC 7812-1: every second digit from the right is doubled."""
    total, double, left = np.zeros_like(body), True, body
    while np.any(left):
        left, digit = np.divmod(left, 10)
        digit = digit * 2 if double else digit
        total, double = total + digit // 10 + digit % 10, not double
    return np.asarray((10 - total % 10) % 10, dtype=np.int64)


def plain(text: str) -> str:
    """Without accents: what a careless export makes of a name."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def generator(seed: int, partner: str, feed: str, period: str, part: str | int = "") -> np.random.Generator:
    """The random numbers of one feed and period: independent of every other's, the same on every machine."""
    digest = hashlib.sha256(f"{seed}/{partner}/{feed}/{period}/{part}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def planted_numbers(seed: int, partner: str, feed: str, period: str, many: int = PLANTED) -> Sequence[int]:
    """Who of the population is planted in this delivery."""
    return sorted(int(n) for n in generator(seed, partner, feed, period, "planted").choice(10_000, many, replace=False))


def _per_person(people: Indices, attribute: Callable[[Indices], Any]) -> Any:
    import pyarrow as pa

    different, place = np.unique(people, return_inverse=True)
    return attribute(different).take(pa.array(place))


def _joined(prefix: str, numbers: Indices) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.cast(pa.array(numbers, type=pa.int64()), pa.string())
    return pc.binary_join_element_wise(pa.scalar(prefix), text, "") if prefix else text
