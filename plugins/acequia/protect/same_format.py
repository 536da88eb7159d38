"""Codes in the form of what they stand for: FF1 of NIST SP 800-38G, with AES-256, over many values at once.

A whole number becomes another one, in a domain of 18 digits whatever its length; a text of 6 to 36 digits becomes one
of as many digits, with blanks and points in their places. Any other text becomes an ordinary pseudonym: fewer digits
could be tried out, and letters would be told. Whoever holds the key can turn a code back into its value, which is not
so with an ordinary pseudonym.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from acequia.protect.forms import Form
from acequia.protect.pseudonyms import pseudonyms

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Digits = npt.NDArray[np.uint8]
    Numbers = npt.NDArray[np.uint64]

FEWEST, MOST = 6, 36  # below a million values NIST allows no FF1; above, two halves would pass 64 bits
_WHOLE = 18  # digits of the domain of whole numbers
_TEXT, _POSITIVE, _NEGATIVE, _GREAT = b"text", b"positive", b"negative", b"great"
_SIGNS = r"[ +./(),:;#*_-]*"
LAYOUT = rf"{_SIGNS}([0-9]{_SIGNS}){{{FEWEST},{MOST}}}"
_LAYOUT = re.compile(LAYOUT)
_BETWEEN = re.compile("[^0-9]+")
_GREATEST = 2**63 - 1


def codes(key: bytes, form: Form, *, whole_numbers: bool) -> Callable[[list[str]], list[str]]:
    """A function from values to their codes, in the same order.

    Args:
        key: of the epoch; FF1's own key is derived from it.
        form: the values' normal form.
        whole_numbers: values are decimal whole numbers of 64 bits, and so are their codes.
    """
    cipher = hashlib.blake2b(b"acequia same format 1", key=key, digest_size=32).digest()
    if whole_numbers:
        return lambda values: [str(code) for code in _whole(cipher, [int(value) for value in values])]
    ordinary = pseudonyms(key)
    return lambda values: _texts(cipher, [form(value) for value in values], ordinary)


def _texts(cipher: bytes, texts: list[str], ordinary: Callable[[list[str]], list[str]]) -> list[str]:
    import numpy as np

    made, rest = list(texts), []
    by_length: dict[int, list[int]] = defaultdict(list)
    signs: dict[int, list[str]] = defaultdict(list)
    for place, text in enumerate(texts):
        if _LAYOUT.fullmatch(text):
            bare = text if text.isdecimal() else _BETWEEN.sub("", text)
            by_length[len(bare)].append(place)
            signs[len(bare)].append(bare)
        else:
            rest.append(place)
    for length, places in by_length.items():
        digits = np.frombuffer("".join(signs[length]).encode(), np.uint8).reshape(-1, length) - 48
        coded = (encrypted(cipher, digits, tweak=_TEXT) + 48).tobytes().decode()
        for n, place in enumerate(places):
            made[place] = _laid_out(texts[place], coded[n * length : (n + 1) * length])
    for place, code in zip(rest, ordinary([texts[place] for place in rest]), strict=True):
        made[place] = code
    return made


def _laid_out(text: str, digits: str) -> str:
    if len(text) == len(digits):
        return digits
    if text[0] == "+" and len(text) == len(digits) + 1:
        return f"+{digits}"
    taken = iter(digits)
    return "".join(next(taken) if "0" <= sign <= "9" else sign for sign in text)


def _whole(cipher: bytes, values: list[int]) -> list[int]:
    """Codes of whole numbers: the sign stays, 18 digits become 18 digits, longer ones longer ones of 64 bits.

    An image outside the domain is encrypted again until it is inside (cycle walking), which keeps values apart.
    """
    made = [0] * len(values)
    parts: dict[tuple[bool, bool], list[int]] = defaultdict(list)
    for place, value in enumerate(values):
        parts[value < 0, abs(value) >= 10**_WHOLE].append(place)
    for (negative, great), places in parts.items():
        digits = _WHOLE + great
        tweak = (_NEGATIVE if negative else _POSITIVE) + (_GREAT if great else b"")
        bounds = (10**_WHOLE if great else int(negative), _GREATEST + negative)  # there is no negative zero
        numbers = [abs(values[place]) for place in places]
        for place, code in zip(places, _walked(cipher, numbers, digits, tweak, bounds), strict=True):
            made[place] = -code if negative else code
    return made


def _walked(cipher: bytes, numbers: Sequence[int], digits: int, tweak: bytes, bounds: tuple[int, int]) -> list[int]:
    (lowest, greatest), found = bounds, list(numbers)
    open_places = list(range(len(found)))
    while open_places:
        coded = encrypted(cipher, _digits([found[place] for place in open_places], digits), tweak=tweak)
        for place, row in zip(open_places, _texts_of(coded), strict=True):
            found[place] = int(row)
        open_places = [place for place in open_places if not lowest <= found[place] <= greatest]
    return found


def _digits(numbers: Sequence[int], digits: int) -> Digits:
    import numpy as np

    text = "".join(str(number).zfill(digits) for number in numbers)
    return np.frombuffer(text.encode(), np.uint8).reshape(-1, digits) - 48


def _texts_of(digits: Digits) -> list[str]:
    text, length = (digits + 48).tobytes().decode(), digits.shape[1]
    return [text[start : start + length] for start in range(0, len(text), length)]


def encrypted(key: bytes, numerals: Digits, *, tweak: bytes = b"", radix: int = 10) -> Digits:
    """FF1.Encrypt (NIST SP 800-38G, algorithm 7) of rows of numerals, one row per value, all of one length.

    Args:
        key: of AES, 16, 24 or 32 bytes.
        numerals: `count` x `length`, each below the radix; the greater half must stay below 2^62.
        tweak: the same for all rows.
        radix: of the numerals.
    """
    import numpy as np

    length = numerals.shape[1]
    u, v = length // 2, length - length // 2
    wide = math.ceil(math.ceil(v * math.log2(radix)) / 8)
    taken = 4 * math.ceil(wide / 4) + 4
    if radix**v >= 2**62 or taken > 16 or radix**length < 10**6:
        raise ValueError("outside the lengths that this FF1 is for")
    moduli = (radix**u, radix**v)
    head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    head += length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    block_of = _blocks(key, head, tweak + bytes(-(len(tweak) + wide + 1) % 16), wide)
    a, b = _number(numerals[:, :u], radix), _number(numerals[:, u:], radix)
    for turn in range(10):
        modulus = moduli[turn % 2]
        y = _modulo(block_of(turn, b)[:, :taken], modulus)
        a, b = b, (a + y) % np.uint64(modulus)
    return np.hstack([_numerals(a, u, radix), _numerals(b, v, radix)])


def _blocks(key: bytes, head: bytes, tweak: bytes, wide: int) -> Callable[[int, Numbers], Digits]:
    """The function from a round and the numbers B to the last block of AES-CBC-MAC over P || Q, for each."""
    import numpy as np
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    encryptor: Any = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - CBC-MAC is built of it

    def aes(blocks: Digits) -> Digits:
        return np.frombuffer(encryptor.update(np.ascontiguousarray(blocks).tobytes()), np.uint8).reshape(-1, 16)

    first = aes(np.frombuffer(head, np.uint8).reshape(1, 16))

    def of(turn: int, numbers: Numbers) -> Digits:
        count = len(numbers)
        q = np.empty((count, len(tweak) + 1 + wide), np.uint8)
        q[:, : len(tweak)] = np.frombuffer(tweak, np.uint8)
        q[:, len(tweak)] = turn
        q[:, len(tweak) + 1 :] = numbers.astype(">u8").view(np.uint8).reshape(count, 8)[:, 8 - wide :]
        chained = np.broadcast_to(first, (count, 16))
        for start in range(0, q.shape[1], 16):
            chained = aes(chained ^ q[:, start : start + 16])
        return chained

    return of


def _modulo(blocks: Digits, modulus: int) -> Numbers:
    """The big-endian numbers of rows of bytes, modulo, in steps of as many bytes as 64 bits have room for."""
    import numpy as np

    m, found = np.uint64(modulus), np.zeros(len(blocks), np.uint64)
    step = max((64 - modulus.bit_length()) // 8, 0)
    if step == 0:
        return _modulo_by_bits(blocks, modulus)
    for start in range(0, blocks.shape[1], step):
        part = np.zeros(len(blocks), np.uint64)
        some = blocks[:, start : start + step]
        for column in range(some.shape[1]):
            part = (part << np.uint64(8)) | some[:, column]
        found = ((found << np.uint64(8 * some.shape[1])) | part) % m
    return found


def _modulo_by_bits(blocks: Digits, modulus: int) -> Numbers:
    """The same for a modulus that leaves no room for a byte: two bits at a time."""
    import numpy as np

    m, found = np.uint64(modulus), np.zeros(len(blocks), np.uint64)
    for column in range(blocks.shape[1]):
        byte = blocks[:, column].astype(np.uint64)
        for shift in (6, 4, 2, 0):
            found = ((found << np.uint64(2)) | ((byte >> np.uint64(shift)) & np.uint64(3))) % m
    return found


def _number(numerals: Digits, radix: int) -> Numbers:
    import numpy as np

    found = np.zeros(len(numerals), np.uint64)
    for column in range(numerals.shape[1]):
        found = found * np.uint64(radix) + numerals[:, column]
    return found


def _numerals(numbers: Numbers, length: int, radix: int) -> Digits:
    import numpy as np

    found = np.empty((len(numbers), length), np.uint8)
    for column in reversed(range(length)):
        numbers, found[:, column] = numbers // np.uint64(radix), numbers % np.uint64(radix)
    return found
