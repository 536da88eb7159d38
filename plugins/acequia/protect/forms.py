"""The normal form of a value, by what it holds: two ways of writing one number or document are one person.

Nothing is lost and nothing is an error: a value that is not what its column should hold keeps the form of any text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from acequia.agreement.privacy import Kind

Form = Callable[[str], str]

_DOCUMENTS = ("national_id", "tax_id", "passport", "plate", "card", "account")
_PLAIN = re.compile(r"[0-9A-Z]+")
_BETWEEN = re.compile(r"[^0-9A-Za-z]+")


def form_of(holds: Kind | None, country: str) -> Form:
    """The function that brings values of this kind into their normal form, in a country (ISO 3166)."""
    if holds == "phone":
        from acequia.protect.phones import phone_form

        return _of_float(phone_form(country))
    if holds in _DOCUMENTS:
        return _of_float(national_id) if holds == "national_id" else document
    return {"email": email, "name": name}.get(holds or "", normal)


def _of_float(form: Form) -> Form:
    """Also of whole numbers that a table wrote as floats, as it does where some are missing: `71123456.0`."""
    return lambda value: form(value[:-2] if value.endswith(".0") and value[:-2].isdecimal() else value)


def normal(value: str) -> str:
    """Any text: Unicode's normal form NFKC without blanks at either end. `１７８５０` in full width is `17850`."""
    return value.strip() if value.isascii() else unicodedata.normalize("NFKC", value).strip()


def email(value: str) -> str:
    """In small letters, without what has no width."""
    return normal(normal(_visible(value)).casefold())


def document(value: str) -> str:
    """Capital letters and digits alone: `1.234.567-2` is `12345672`. A text without any keeps its form."""
    if _PLAIN.fullmatch(value):
        return value
    if value.isascii():
        return _BETWEEN.sub("", value).upper() or normal(value)
    folded = unicodedata.normalize("NFKC", value).upper()
    return "".join(_digit(sign) for sign in folded if sign.isalnum()) or normal(value)


def national_id(value: str) -> str:
    """A document; one of digits alone without the zeros before it, which a table of numbers loses."""
    found = document(value)
    return found.lstrip("0") or found if found.isdecimal() else found


def name(value: str) -> str:
    """Small letters without accents, one blank between words: `JOSÉ  Peña` is `jose pena`."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", _visible(value)).casefold())
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return " ".join(bare.split()) or normal(value)


def _visible(value: str) -> str:
    """Without signs of no width (soft hyphens, joiners, marks of direction)."""
    if value.isascii():
        return value
    return "".join(sign for sign in value if unicodedata.category(sign) != "Cf")


def _digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


__all__ = ["Form", "form_of", "normal"]
