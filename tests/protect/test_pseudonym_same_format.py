"""Codes of the same format: FF1 against the published samples and against a plain second writing, and what is coded."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from acequia.protect.forms import normal
from acequia.protect.same_format import codes, encrypted

KEY = bytes(range(32))
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
K128 = "2B7E151628AED2A6ABF7158809CF4F3C"
K192 = K128 + "EF4359D8D580AA4F"
K256 = K192 + "7F036D6F04FC6A94"
TWEAK, TWEAK36 = "39383736353433323130", "3737373770717273373737"
TEXT, TEXT36 = "0123456789", "0123456789abcdefghi"


# NIST, "Samples for FF1" of the Cryptographic Standards and Guidelines examples: nine of nine.
SAMPLES = [
    (K128, "", TEXT, 10, "2433477484"),
    (K128, TWEAK, TEXT, 10, "6124200773"),
    (K128, TWEAK36, TEXT36, 36, "a9tv40mll9kdu509eum"),
    (K192, "", TEXT, 10, "2830668132"),
    (K192, TWEAK, TEXT, 10, "2496655549"),
    (K192, TWEAK36, TEXT36, 36, "xbj3kv35jrawxv32ysr"),
    (K256, "", TEXT, 10, "6657667009"),
    (K256, TWEAK, TEXT, 10, "1001623463"),
    (K256, TWEAK36, TEXT36, 36, "xs8a0azh2avyalyzuwd"),
]


def coded(key: bytes, text: str, tweak: bytes = b"", radix: int = 10) -> str:
    numerals = np.array([[ALPHABET.index(sign) for sign in text]], np.uint8)
    return "".join(ALPHABET[numeral] for numeral in encrypted(key, numerals, tweak=tweak, radix=radix)[0])


@pytest.mark.parametrize(("key", "tweak", "text", "radix", "wanted"), SAMPLES)
def test_the_published_samples(key, tweak, text, radix, wanted):
    assert coded(bytes.fromhex(key), text, bytes.fromhex(tweak), radix) == wanted
    assert plain(bytes.fromhex(key), text, bytes.fromhex(tweak), radix, encrypt=True) == wanted
    assert plain(bytes.fromhex(key), wanted, bytes.fromhex(tweak), radix, encrypt=False) == text


def plain(key: bytes, text: str, tweak: bytes, radix: int, *, encrypt: bool) -> str:
    """FF1 one value at a time, as the standard writes it; also backwards, which the product cannot."""
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
    n, t, u = len(text), len(tweak), len(text) // 2
    v = n - u
    b = math.ceil(math.ceil(v * math.log2(radix)) / 8)
    d = 4 * math.ceil(b / 4) + 4
    a, c = text[:u], text[u:]
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in range(10) if encrypt else reversed(range(10)):
        m = u if i % 2 == 0 else v
        known, other = (c, a) if encrypt else (a, c)
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + int(known, radix).to_bytes(b, "big")
        r = bytes(16)
        for start in range(0, len(p + q), 16):
            r = aes(bytes(x ^ y for x, y in zip(r, (p + q)[start : start + 16], strict=True)))
        y = int.from_bytes(r[:d], "big")
        found = (int(other, radix) + (y if encrypt else -y)) % radix**m
        turned = written(found, m, radix)
        a, c = (c, turned) if encrypt else (turned, a)
    return a + c


def written(number: int, length: int, radix: int) -> str:
    signs = ""
    for _ in range(length):
        number, numeral = divmod(number, radix)
        signs = ALPHABET[numeral] + signs
    return signs


@given(text=st.text(alphabet="0123456789", min_size=6, max_size=36), tweak=st.binary(max_size=40))
def test_every_length_is_as_the_standard_writes_it_and_can_be_turned_back(text, tweak):
    made = coded(KEY, text, tweak)
    assert made == plain(KEY, text, tweak, 10, encrypt=True)
    assert plain(KEY, made, tweak, 10, encrypt=False) == text


@pytest.mark.parametrize("length", [5, 37])
def test_lengths_outside_are_refused(length):
    with pytest.raises(ValueError, match="outside"):
        coded(KEY, "1" * length)


def whole(values: list[int]) -> list[int]:
    return [int(code) for code in codes(KEY, normal, whole_numbers=True)([str(value) for value in values])]


EDGES = [0, 1, -1, 10**17, 10**18 - 1, 10**18, 1 - 10**18, -(10**18), 2**63 - 1, -(2**63), 1 - 2**63, 42, 420]


@given(values=st.lists(st.integers(-(2**63), 2**63 - 1) | st.sampled_from(EDGES), max_size=40, unique=True))
def test_whole_numbers_stay_whole_numbers_and_apart(values):
    made = whole(values)
    assert len(set(made)) == len(values)
    assert all(-(2**63) <= code < 2**63 for code in made)
    assert made == [whole([value])[0] for value in values]
    for value, code in zip(values, made, strict=True):
        assert (code < 0) == (value < 0)
        assert (abs(code) >= 10**18) == (abs(value) >= 10**18)


def test_codes_do_not_tell_how_long_a_number_is():
    assert sum(len(str(code)) >= 17 for code in whole(list(range(1000)))) > 970


def texts(values: list[str]) -> list[str]:
    return codes(KEY, normal, whole_numbers=False)(values)


SIGNS = st.sampled_from([" ", "-", ".", "", "(", ")", "/", "+"])
NUMBERS = st.lists(st.tuples(SIGNS, st.sampled_from("0123456789")), min_size=6, max_size=36).map(
    lambda parts: "".join(sign + digit for sign, digit in parts).strip()
)


@given(values=st.lists(NUMBERS, max_size=20, unique=True))
def test_texts_of_digits_keep_their_layout_and_stay_apart(values):
    made = texts(values)
    assert len(set(made)) == len(values)
    for value, code in zip(values, made, strict=True):
        assert re.sub("[0-9]", "0", value) == re.sub("[0-9]", "0", code)


@given(values=st.lists(NUMBERS | st.text(max_size=40), max_size=20))
def test_codes_are_repeatable_value_by_value(values):
    assert texts(values) == [texts([value])[0] for value in values]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "12345",
        "1" * 37,
        "B 123456",
        "123456x",
        "Ana 12345678",
        "٧١١٢٣٤٥٦",
        "123456\u0660",
        "ñ1234567",
        "12３4567é",
        "1234567①a",
    ],
)
def test_what_is_not_digits_becomes_an_ordinary_pseudonym(value):
    assert re.fullmatch("[0-9a-f]{32}", texts([value])[0])


@given(value=st.text(max_size=40))
def test_no_letter_ever_passes(value):
    assert re.fullmatch(r"[0-9a-f]{32}|[ +./(),:;#*_0-9-]+", texts([value])[0])
