"""Whether a column of whole numbers is made of documents, cards or mobile numbers: told by its values as a whole.

One value proves nothing: of random numbers one in ten ends in the right check digit, and one in five of nine digits may
be an Omang. But if of twenty values eighteen are valid, chance explains it less than once in 10^10, and no measure lies
within a country's mobile numbers by itself. So the share of valid ones among the distinct values decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from acequia.agreement.privacy import Kind

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

FEWEST = 20
"""Distinct values below which a column says nothing."""
AT_LEAST = 0.9
"""The share of valid ones among them from which it does."""
SOME_MOBILE = 0.2
"""The share of mobile ones that telephone numbers of a country's people have at least."""
AT_MOST = 1000
"""How many distinct values are looked at."""


def kind_of_column(values: Sequence[str], country: str) -> Kind | None:
    """What nearly all of a column's distinct values are valid numbers of; None if of nothing.

    Args:
        values: digits, at most `AT_MOST` of them.
        country: ISO 3166-1 alpha-2, whose documents and mobile numbers are meant.
    """
    if len(values) < FEWEST:
        return None
    checks: dict[Kind, Callable[[str], bool]] = {
        **DOCUMENTS.get(country, {}),
        "phone": partial(is_phone, country=country),
        "card": is_card,
    }
    for kind, check in checks.items():
        if sum(map(check, values)) >= AT_LEAST * len(values) and (kind != "phone" or _some_mobile(values, country)):
            return kind
    return None


def _some_mobile(values: Sequence[str], country: str) -> bool:
    """Landlines alone prove nothing: of random numbers of their length, half are some town's."""
    return sum(is_mobile(value, country) for value in values) >= SOME_MOBILE * len(values)


def is_omang(digits: str) -> bool:
    """Nine digits of which the fifth is 1 or 2, the holder's sex (Botswana's Department of Civil Registration)."""
    return len(digits) == 9 and digits[4] in "12"  # noqa: PLR2004


def is_cedula(digits: str) -> bool:
    """Six or seven digits and a check digit: weights 2, 9, 8, 7, 6, 3, 4, what is missing to the next ten (Uruguay's
    Dirección Nacional de Identificación Civil). A number has lost its leading zero.
    """
    if len(digits) not in (7, 8):
        return False
    total = _weighted(digits.zfill(8), (2, 9, 8, 7, 6, 3, 4))
    return (10 - total % 10) % 10 == int(digits[-1])


def is_rut(digits: str) -> bool:
    """Twelve digits, the last by weights 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2 modulo 11 (Uruguay's Dirección General
    Impositiva); the first two are 01 to 22.
    """
    if len(digits) != 12 or not 1 <= int(digits[:2]) <= 22:  # noqa: PLR2004
        return False
    return (11 - _weighted(digits, (4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(digits[11])


def is_card(digits: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1) under 13 to 19 digits, as payment cards and devices (IMEI) bear it."""
    if not 13 <= len(digits) <= 19:  # noqa: PLR2004
        return False
    doubled = (int(sign) * (1 + place % 2) for place, sign in enumerate(reversed(digits)))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def is_product(digits: str) -> bool:
    """A GTIN of 13 or 14 digits: weights 1 and 3 in turn, what is missing to the next ten (GS1). No card in use has 13
    digits, and few have 14; of codes of products one in ten passes Luhn's check by chance.
    """
    if len(digits) not in (13, 14):
        return False
    total = sum(int(sign) * (3 if place % 2 else 1) for place, sign in enumerate(reversed(digits)))
    return total % 10 == 0


def is_phone(digits: str, country: str) -> bool:
    """A valid telephone number of the country, with its code or without; a number has lost its leading zero."""
    import phonenumbers

    number = _parsed(digits, country)
    return number is not None and phonenumbers.region_code_for_number(number) == country


def is_mobile(digits: str, country: str) -> bool:
    """A valid mobile number of the country, with its code or without; a number has lost its leading zero."""
    import phonenumbers

    number = _parsed(digits, country)
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return (
        number is not None
        and phonenumbers.region_code_for_number(number) == country
        and phonenumbers.number_type(number) in mobile
    )


def _parsed(digits: str, country: str) -> PhoneNumber | None:
    import phonenumbers

    try:
        return phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))


DOCUMENTS: Mapping[str, Mapping[Kind, Callable[[str], bool]]] = {
    "BW": {"national_id": is_omang},
    "UY": {"national_id": is_cedula, "tax_id": is_rut},
}
