"""What else notes hold of people: phones, identity numbers, addresses, cards; invented, with right check digits."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

from acequia.simulate.people import cedula_check_digit, luhn_check_digit

_DOMAINS = ("example.com", "example.org", "mail.example.co.bw", "correo.example.com.uy", "example.net")


def phone(rng: random.Random, language: str) -> str:
    """A mobile or a landline of the language's country, now and then of the other, as people write them."""
    uruguay = (language == "es") is (rng.random() < 0.9)  # noqa: PLR2004
    return _uruguayan(rng) if uruguay else _motswana(rng)


def national_id(rng: random.Random, language: str) -> str:
    """An Omang or a cédula."""
    if (language == "es") is (rng.random() < 0.9):  # noqa: PLR2004
        import numpy as np

        seven = rng.randint(1_000_000, 9_899_999)
        check = int(cedula_check_digit(np.array([seven]))[0])
        text = f"{seven}"
        return rng.choice((
            f"{text}{check}", f"{text[0]}.{text[1:4]}.{text[4:]}-{check}", f"{text}-{check}",
            f"{text[0]} {text[1:4]} {text[4:]} {check}",
        ))  # fmt: skip
    digits = f"{rng.randint(1000, 9999)}{rng.choice('12')}{rng.randint(0, 9999):04}"
    return rng.choice(
        (digits, digits, f"{digits[:4]} {digits[4]} {digits[5:]}", f"{digits[:3]} {digits[3:6]} {digits[6:]}")
    )


def tax_id(rng: random.Random, language: str) -> str:
    """A RUT."""
    while True:
        digits = f"{rng.randint(1, 21):02}{rng.randint(1, 999_999):06}001"
        total = sum(w * int(d) for w, d in zip((4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), digits, strict=True))
        check = (11 - total % 11) % 11
        if check < 10:  # noqa: PLR2004
            text = f"{digits}{check}"
            return rng.choice((text, f"{text[:2]} {text[2:5]} {text[5:8]} {text[8:11]} {text[11]}"))


def passport(rng: random.Random, language: str) -> str:
    """BN and seven digits (Botswana), a letter and six (Uruguay)."""
    if language == "es":
        return f"{rng.choice('ABCD')}{rng.randint(100_000, 999_999)}"
    return f"BN{rng.randint(0, 9_999_999):07}"


def plate(rng: random.Random, language: str) -> str:
    """`B 123 ABC` (Botswana), `SBA 1234` (Uruguay)."""
    letters = "".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=3))
    gap = rng.choice((" ", " ", "", "-"))
    if language == "es":
        return f"{rng.choice('ABCDEFGHIJKLMNOPQRS')}{letters[1:]}{gap}{rng.randint(1000, 9999)}"  # by department
    return f"B{gap}{rng.randint(100, 999)}{gap}{letters}"


def card(rng: random.Random, language: str) -> str:
    """Sixteen digits with a Luhn check digit."""
    import numpy as np

    body = rng.choice((4_000_00, 5_100_00, 5_400_00)) * 10**9 + rng.randint(0, 10**9 - 1)
    text = f"{body}{int(luhn_check_digit(np.array([body]))[0])}"
    gap = rng.choice(("", " ", "-"))
    return gap.join(text[place : place + 4] for place in range(0, 16, 4))


def account(rng: random.Random, language: str) -> str:
    """An IBAN of Spain, Germany or the United Kingdom."""
    country, body = rng.choice((
        ("ES", f"{rng.randint(0, 10**20 - 1):020}"),
        ("DE", f"{rng.randint(0, 10**18 - 1):018}"),
        ("GB", f"{rng.choice(('NWBK', 'BARC'))}{rng.randint(0, 10**14 - 1):014}"),
    ))  # fmt: skip
    checked = "".join(str(int(sign, 36)) for sign in f"{body}{country}00")
    text = f"{country}{98 - int(checked) % 97:02}{body}"
    return text if rng.random() < 0.6 else " ".join(text[at : at + 4] for at in range(0, len(text), 4))  # noqa: PLR2004


def ip(rng: random.Random, language: str) -> str:
    """An address of version 4, now and then of version 6."""
    if rng.random() < 0.2:  # noqa: PLR2004
        return f"2001:db8::{rng.randint(1, 65535):x}:{rng.randint(1, 65535):x}"
    return ".".join(str(rng.randint(1, 254)) for _ in range(4))


def url(rng: random.Random, language: str) -> str:
    """A page."""
    page = "".join(rng.choices(string.ascii_lowercase, k=6))
    return rng.choice((f"https://www.example.com/{page}", f"www.example.org/{page}/{rng.randint(1, 99)}",
                       f"http://{page}.example.net"))  # fmt: skip


def email(rng: random.Random, language: str) -> str:
    """An address."""
    name = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 9)))
    more = rng.choice(("", f".{rng.choice(string.ascii_lowercase)}", str(rng.randint(1, 99)), f"_{name[:2]}"))
    return f"{name}{more}@{rng.choice(_DOMAINS)}"


def date(rng: random.Random, language: str) -> str:
    """A day with its year, as people write it."""
    year, month, day = rng.randint(1950, 2027), rng.randint(1, 12), rng.randint(1, 28)
    return rng.choice((f"{year}-{month:02}-{day:02}", f"{day:02}/{month:02}/{year}", f"{day}.{month}.{year}",
                       f"{day:02}-{month:02}-{year}"))  # fmt: skip


def document(rng: random.Random, language: str) -> str:
    """Letters and a number: a permit, a licence, a member."""
    return f"{''.join(rng.choices('ABCDEFGHKLMNP', k=2))}-{rng.randint(100_000, 99_999_999)}"


def number(rng: random.Random, language: str) -> str:
    """A long number that says no more of itself: fifteen digits, as devices have."""
    return f"{rng.randint(10**14, 10**15 - 1)}"


MAKERS: dict[str, tuple[str, Callable[[random.Random, str], str]]] = {
    "phone": ("phone", phone), "email": ("email", email), "id": ("national_id", national_id), "tax": ("tax_id", tax_id),
    "passport": ("passport", passport), "plate": ("plate", plate), "card": ("card", card),
    "account": ("account", account), "ip": ("ip", ip), "url": ("url", url), "date": ("date", date),
    "doc": ("id", document), "number": ("number", number),
}  # fmt: skip
"""What a slot of a sentence makes, and of which kind (`agreement.privacy.Kind`) it is."""


def _motswana(rng: random.Random) -> str:
    if rng.random() < 0.15:  # noqa: PLR2004
        line = f"{rng.choice(('39', '31', '36', '24', '53', '59'))}{rng.randint(0, 99999):05}"
        return rng.choice((line, f"{line[:3]} {line[3:]}", f"+267 {line[:3]} {line[3:]}"))
    n = f"7{rng.randint(1, 7)}{rng.randint(0, 999_999):06}"
    return rng.choice((
        n, n, f"{n[:2]} {n[2:5]} {n[5:]}", f"{n[:2]}-{n[2:5]}-{n[5:]}", f"{n[:3]} {n[3:]}", f"+267{n}", f"+267 {n}",
        f"+267 {n[:2]} {n[2:5]} {n[5:]}", f"00267{n}", f"267{n}", f"(+267) {n}", f"{n[:2]} {n[2:4]} {n[4:6]} {n[6:]}",
    ))  # fmt: skip


def _uruguayan(rng: random.Random) -> str:
    if rng.random() < 0.2:  # noqa: PLR2004
        line = f"{rng.choice(('2', '4'))}{rng.randint(2_000_000, 9_999_999)}"
        return rng.choice((line, f"{line[:4]} {line[4:]}", f"{line[:4]} {line[4:6]} {line[6:]}", f"+598 {line}"))
    n = f"9{rng.randint(1, 9)}{rng.randint(0, 999_999):06}"
    return rng.choice((
        f"0{n}", f"0{n}", f"0{n[:2]} {n[2:5]} {n[5:]}", f"0{n[:2]}-{n[2:5]}-{n[5:]}", f"0{n[:2]} {n[2:]}", f"+598{n}",
        f"+598 {n[:2]} {n[2:5]} {n[5:]}", f"00598{n}", f"598{n}", n, f"{n[:2]} {n[2:5]} {n[5:]}",
    ))  # fmt: skip
