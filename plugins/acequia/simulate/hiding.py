"""Where people hide in free text: one writing per hiding place, so that a test knows what of whom stands where.

Each hiding place takes a value (a phone, a document, an e-mail address or a name) as people write it, and gives it back
in the way in which exports, chat programs and careless hands leave it. Everything is a pure function of the value and
a number that chooses among the ways.
"""

from __future__ import annotations

import base64
import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from acequia.errors import AcequiaError
from acequia.simulate.people import Person

What = Literal["phone", "national_id", "email", "name"]
WHAT: tuple[What, ...] = ("phone", "national_id", "email", "name")

_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d"
_DOTS = "\u00b7\u2022\u2024\u2027\u30fb\uff0e\u2219"
_SPACES = "\u00a0\u2002\u2007\u2009\u202f\u3000\t"


def _plain(value: str, turn: int) -> str:
    return value


def _lines(value: str, turn: int) -> str:
    """Broken at a sign between its parts, else in its middle; an address before its @."""
    line = ("\n", "\r\n")[turn % 2]
    for sign in "@ -.":
        place = value.find(sign, 2)
        if place > 0:
            return value[:place] + line + (value[place:] if sign == "@" else value[place + 1 :])
    return value[: len(value) // 2] + line + value[len(value) // 2 :]


def _json(value: str, turn: int) -> str:
    held: object = {"ref": turn, "contact": value} if turn % 2 else {"contact": {"values": [value, None]}}
    return json.dumps(held)


def _json_escapes(value: str, turn: int) -> str:
    return '{"contact": "' + "".join(f"\\u{ord(sign):04x}" for sign in value) + '"}'


def _base64(value: str, turn: int) -> str:
    packed = base64.b64encode if turn % 2 else base64.urlsafe_b64encode
    said = packed((value if turn % 4 < 2 else f"contact={value};lang=en").encode()).decode()
    return said if turn % 3 else said.rstrip("=")


def _base64_ids(value: str, turn: int) -> str:
    """In clear, among codes that look like Base64 and say nothing."""
    code = base64.b64encode(hashlib.sha256(f"{turn}".encode()).digest()[:15]).decode()
    return f"{code} {value} {code[::-1]}" if turn % 2 else f"id={code}; {value}"


def _zero_width(value: str, turn: int) -> str:
    sign = _ZERO_WIDTH[turn % len(_ZERO_WIDTH)]
    step = 1 + turn % 3
    return sign.join(value[start : start + step] for start in range(0, len(value), step))


def _full_width(value: str, turn: int) -> str:
    """Digits in full width; each second time letters and signs too."""
    return "".join(
        chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" and (sign.isdigit() or turn % 2) else sign for sign in value
    )


def _other_digits(value: str, turn: int) -> str:
    """Arabic-Indic, Persian or Devanagari digits."""
    zero = (0x0660, 0x06F0, 0x0966)[turn % 3]
    return "".join(chr(zero + int(sign)) if sign in "0123456789" else sign for sign in value)


def _entities(value: str, turn: int) -> str:
    """Every sign, or only what is neither letter nor digit and what has an accent, as an HTML entity."""
    number = ("&#{};".format, "&#x{:x};".format)[turn % 2]
    every = turn % 4 < 2
    return "".join(number(ord(sign)) if every or not (sign.isascii() and sign.isalnum()) else sign for sign in value)


def _percent(value: str, turn: int) -> str:
    from urllib.parse import quote, quote_plus

    return "?contact=" + (quote_plus(value) if turn % 2 else quote(value, safe="")) + "&x=1"


def _dashes(value: str, turn: int) -> str:
    """Blanks and dashes between digits as dashes of all kinds; dots as dots of all kinds."""
    if "@" in value:
        return value
    dash, dot = _DASHES[turn % len(_DASHES)], _DOTS[turn % len(_DOTS)]
    return value.replace(" ", dash).replace("-", dash).replace(".", dot)


def _dots(value: str, turn: int) -> str:
    """Blanks and dashes as dots of all kinds, the full stop first."""
    if "@" in value:
        return value
    dot = ("." + _DOTS)[turn % (len(_DOTS) + 1)]
    return value.replace(" ", dot).replace("-", dot).replace(".", dot)


def _spaces(value: str, turn: int) -> str:
    return value.replace(" ", _SPACES[turn % len(_SPACES)]).replace("-", _SPACES[turn % len(_SPACES)])


def _case(value: str, turn: int) -> str:
    ways: tuple[Callable[[str], str], ...] = (
        str.lower, str.upper, str.swapcase,
        lambda text: "".join(sign.upper() if n % 2 else sign.lower() for n, sign in enumerate(text)),
    )  # fmt: skip
    return ways[turn % 4](value)


def _mojibake(value: str, turn: int) -> str:
    """UTF-8 that was read as Latin-1, or as Windows-1252 where that has all its signs."""
    data = value.encode()
    return data.decode("latin-1") if turn % 2 else data.decode("cp1252", errors="ignore")


def _decomposed(value: str, turn: int) -> str:
    return unicodedata.normalize(("NFD", "NFKD")[turn % 2], value)


class Place(NamedTuple):
    """A hiding place: in words, and how a value is written there."""

    describe: str
    write: Callable[[str, int], str]


PLACES: Mapping[str, Place] = {
    "plain": Place("as people write it, all usual ways in turn", _plain),
    "lines": Place("broken over two lines of a cell", _lines),
    "json": Place("in a JSON object", _json),
    "json_escapes": Place("in a JSON object, every sign escaped", _json_escapes),
    "base64": Place("packed as Base64, with or without padding", _base64),
    "base64_ids": Place("among codes that look like Base64", _base64_ids),
    "zero_width": Place("with signs of no width between", _zero_width),
    "full_width": Place("digits, or all signs, in full width", _full_width),
    "other_digits": Place("Arabic, Persian or Devanagari digits", _other_digits),
    "entities": Place("as HTML entities", _entities),
    "percent": Place("percent-encoded, as in an address of the web", _percent),
    "dashes": Place("dashes of all kinds", _dashes),
    "dots": Place("dots of all kinds", _dots),
    "spaces": Place("blanks of all kinds", _spaces),
    "case": Place("mixed case", _case),
    "mojibake": Place("UTF-8 read as another encoding", _mojibake),
    "decomposed": Place("accents as signs of their own", _decomposed),
}
FILE_NAME = "file_name"
"""One more hiding place, which is not in a cell: the name of a data file."""


def require_known(places: Sequence[str]) -> tuple[str, ...]:
    """The hiding places, `all` meaning every one. Errors: `unknown_name`."""
    wanted = tuple(dict.fromkeys((*PLACES, FILE_NAME) if "all" in places else places))
    if unknown := [place for place in wanted if place not in PLACES and place != FILE_NAME]:
        known = ", ".join((*PLACES, FILE_NAME))
        raise AcequiaError("unknown_name", f"no such hiding place: {', '.join(unknown)}; there are all, {known}")
    return wanted


@dataclass(frozen=True)
class Mention:
    """One planted writing: what of which person (a place in the list of planted people) is hidden where, and how the
    text reads.
    """

    person: int
    what: What
    place: str
    text: str


_SENTENCES: Mapping[str, Mapping[What, tuple[str, ...]]] = {
    "BW": {
        "phone": ("pls call back on {} after 17:00", "tel {}", "{}", "customer left number {} at the desk"),
        "national_id": ("Omang {} checked", "ID no. {} seen", "{}", "verified against {} by the agent"),
        "email": ("send the bill to {} today", "mail {}", "{}", "cc {} and close"),
        "name": ("spoke to {}, line restored", "customer {} complains about roaming", "Mr {} will come again"),
    },
    "UY": {
        "phone": ("llamar al {} después de las 17", "tel {}", "{}", "el cliente dejó el número {} en la caja"),
        "national_id": ("CI {} verificada", "documento {} visto", "{}", "cotejado con {} por el agente"),
        "email": ("mandar la factura a {} hoy", "correo {}", "{}", "copiar a {} y cerrar"),
        "name": ("hablé con {}, quedó resuelto", "la clienta {} reclama el cobro", "el señor {} vuelve mañana"),
    },
}


def mentions(people: Sequence[Person], places: Sequence[str]) -> list[Mention]:
    """One mention of each kind for each person, the places in turn; first all phones, then all documents, and so on."""
    cells = [place for place in places if place in PLACES]
    written = []
    for what in WHAT if cells else ():
        for number, person in enumerate(people):
            place = cells[number % len(cells)]
            # Drawn apart for each, so that every way of writing meets every way of hiding and every sentence.
            form, turn, around = _drawn(person, what)
            ways, sentences = _WRITTEN[what](person), _SENTENCES[person.country][what]
            value = PLACES[place].write(ways[form % len(ways)], turn)
            written.append(Mention(number, what, place, sentences[around % len(sentences)].format(value)))
    return written


def _drawn(person: Person, what: What) -> tuple[int, int, int]:
    """Three numbers that depend on who it is and what of them."""
    digest = hashlib.sha256(f"{person.phone} {person.email} {what}".encode()).digest()
    return digest[0] * 256 + digest[1], digest[2] * 256 + digest[3], digest[4]


def _phones(person: Person) -> tuple[str, ...]:
    """The phone with the signs that people put between and around its parts."""
    dial, local = person.phone[1:4], person.phone[4:]
    a, b, c = local[:2], local[2:5], local[5:]
    more: tuple[str, ...] = (
        f"(+{dial}) {a} {b} {c}", f"+{dial}-{a}-{b}-{c}", f"({dial}) {local}", f"tel:+{dial}{local}",
        f"00 {dial} {a} {b} {c}", f"{a}.{b}.{c}", f"{a}/{b}{c}", f"+{dial}.{local}", f"+ {dial} {a} {b} {c}",
        f"{local[:4]} {local[4:]}", f"{local[:4]}-{local[4:]}",
    )  # fmt: skip
    if person.country == "UY":
        more = (*more, f"0{a}.{b}.{c}", f"+{dial} (0){a} {b} {c}", f"(0{a}) {b} {c}")
    return (*person.phone_forms(), *more)


def _ids(person: Person) -> tuple[str, ...]:
    """The national ID with dots, dashes and strokes."""
    digits = person.national_id
    a, b, c = digits[:3], digits[3:6], digits[6:]
    if person.country == "BW":
        return (*person.id_forms(), f"{a}-{b}-{c}", f"{a}.{b}.{c}", f"{digits[:4]}/{digits[4]}/{digits[5:]}")
    dotted = f"{digits[0]}.{digits[1:4]}.{digits[4:7]}"
    more = (f"{dotted}/{digits[7]}", f"{digits[:7]}/{digits[7]}", f"{dotted}{digits[7]}")
    return (*person.id_forms(), *more, f"{dotted.replace('.', ' ')}-{digits[7]}")


def _emails(person: Person) -> tuple[str, ...]:
    """The address with a tag, at a subdomain, in brackets, in capitals."""
    local, domain = person.email.split("@")
    tagged, below = f"{local}+bills@{domain}", f"{local}@mail.{domain}"
    return (person.email, tagged, below, f"<{person.email}>", person.email.upper(), f"mailto:{person.email}",
            f"{local}+a.b@post.mail.{domain}")  # fmt: skip


def _names(person: Person) -> tuple[str, ...]:
    return (person.name, f"{person.surname}, {person.name.split(' ', 1)[0]}")


_WRITTEN: Mapping[What, Callable[[Person], tuple[str, ...]]] = {
    "phone": _phones,
    "national_id": _ids,
    "email": _emails,
    "name": _names,
}
