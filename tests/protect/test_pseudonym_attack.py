"""An attacker who has the protected rows and not the key tries every mobile number of both countries, and finds nobody.

The attack is real: on hashes without a key it finds everyone, which is tested with it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable

import duckdb
import pytest

from acequia.protect.pseudonyms import feed_key, pseudonyms
from acequia.protect.same_format import codes

MOBILES = {"BW": ("+267", range(71_000_000, 79_000_000)), "UY": ("+598", range(91_000_000, 100_000_000))}
PLANTED = {
    "BW": ["71123456", "72000001", "76543210", "78999999", "71000000"],
    "UY": ["99123456", "91000000", "98765432", "99999999", "94000001"],
}
TRUNCATED = 32  # hexadecimal digits of a pseudonym, which a longer hash would be cut to


def writings(country: str, national: str) -> list[str]:
    """The usual ways to write a mobile number."""
    code = MOBILES[country][0]
    grouped = [
        f"{code} {national[:2]} {national[2:5]} {national[5:]}",
        f"{national[:2]} {national[2:5]} {national[5:]}",
    ]
    trunk = [] if country == "BW" else [f"0{national}", f"0{national[:2]} {national[2:5]} {national[5:]}"]
    return [code + national, code[1:] + national, f"00{code[1:]}{national}", national, *grouped, *trunk]


@pytest.fixture(scope="module")
def numbers() -> Iterable[duckdb.DuckDBPyConnection]:
    """Every mobile number of both countries, once: `n` is the national number, `e164` the usual form."""
    with duckdb.connect(":memory:", config={"memory_limit": "3GB", "threads": 2}) as connection:
        parts = [
            f"SELECT '{code}' AS code, '{country}' AS country, CAST(n AS VARCHAR) AS n "
            f"FROM range({some.start}, {some.stop}) AS of(n)"
            for country, (code, some) in MOBILES.items()
        ]
        connection.execute(f"CREATE VIEW numbers AS {' UNION ALL '.join(parts)}")
        yield connection


BUILT_IN = ("md5", "sha1", "sha256")


def found_by_built_in(connection: duckdb.DuckDBPyConnection, targets: Iterable[str]) -> set[tuple[str, str]]:
    """Who is found by MD5, SHA-1 and SHA-256 of every number in E.164: function and number."""
    connection.execute("CREATE TEMP TABLE targets AS SELECT unnest(?) AS code", [sorted(set(targets))])
    found = set()
    for function in BUILT_IN:
        query = (
            f"SELECT '{function}', code || n FROM numbers "
            f"WHERE left({function}(code || n), {TRUNCATED}) IN (SELECT code FROM targets)"
        )
        found |= set(connection.execute(query).fetchall())
    return found


def found_by_blake2b(targets: Iterable[str]) -> set[str]:
    """Who is found by BLAKE2b of every number, at the length of a pseudonym."""
    wanted, found = {bytes.fromhex(target) for target in targets}, set()
    for code, some in MOBILES.values():
        fresh = hashlib.blake2b(code.encode(), digest_size=TRUNCATED // 2).copy
        for number in some:
            state = fresh()
            state.update(b"%d" % number)
            if state.digest() in wanted:
                found.add(f"{code}{number}")
    return found


GUESSES = [b"", b"\x00" * 32, b"acequia", b"pseudonyms", b"pula_mobile", b"events", b"none", b"secret", b"password",
           b"pula_mobile.events.none", b"pseudonyms.pula_mobile.events.none", b"acequia pseudonyms 1",
           json.dumps(["acequia pseudonyms 2", "pula_mobile", "events", "none"]).encode()]  # fmt: skip
HASHES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "blake2b": lambda key, text: hashlib.blake2b(text, key=key[:64], digest_size=16).digest(),
    "blake2b cut": lambda key, text: hashlib.blake2b(text, key=key[:64]).digest(),
    "salt before": lambda key, text: hashlib.sha256(key + text).digest(),
    "salt behind": lambda key, text: hashlib.sha256(text + key).digest(),
    **{
        f"hmac {name}": lambda key, text, name=name: hmac.digest(key, text, name)  # type: ignore[misc]
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b")
    },
}


def found_by_guessing(people: dict[str, list[str]], targets: Iterable[str]) -> set[tuple[str, str]]:
    """Who is found with keys that somebody might guess. A wrong number is found by no key, so that only the people who
    are in the data need be tried, in every writing: whoever tried all numbers would find just these.
    """
    wanted = set(targets)
    return {
        (name, text)
        for country, some in people.items()
        for national in some
        for text in writings(country, national)
        for key in _derived(GUESSES)
        for name, digest in HASHES.items()
        if digest(key, text.encode()).hex()[:TRUNCATED] in wanted
    }


def _derived(guesses: list[bytes]) -> list[bytes]:
    """Guesses as they are, and as the secret of the derivation that everybody can read in the source."""
    purpose = json.dumps(["acequia pseudonyms 2", "pula_mobile", "events", "none"]).encode()
    made = [hashlib.blake2b(purpose, key=guess[:64], digest_size=32).digest() for guess in guesses]
    return [*guesses, *made]


@pytest.fixture
def protected(gate, feed):
    """What the gate makes of the planted numbers, in every writing."""

    def through(**column: object) -> list[str]:
        made = []
        for country, people in PLANTED.items():
            texts = [text for national in people for text in writings(country, national)]
            agreed = feed({"msisdn": {"type": "string", "treat": "pseudonym", **column}})
            made += gate(agreed, ("msisdn\n" + "\n".join(texts) + "\n").encode(), country=country).column("msisdn")
        return made

    return through


def planted() -> list[str]:
    return [MOBILES[country][0] + national for country, people in PLANTED.items() for national in people]


def unkeyed(function: str) -> set[str]:
    """The planted people as hashes without a key: the positive control, which must be found in the same pass."""
    size = {"digest_size": TRUNCATED // 2} if function == "blake2b" else {}
    return {hashlib.new(function, text.encode(), **size).hexdigest()[:TRUNCATED] for text in planted()}


def test_all_numbers_are_tried_and_only_hashes_without_a_key_are_found(protected, numbers):
    """Every mobile number of both countries, seventeen millions, in E.164, by four functions."""
    as_phones, as_written = protected(holds="phone"), protected()
    people = sum(len(some) for some in PLANTED.values())
    assert (len(set(as_phones)), len(set(as_written))) == (people, people * 7)  # in Botswana 6 writings, in Uruguay 8
    targets = {*as_phones, *as_written}
    control = {(function, text) for function in BUILT_IN for text in planted()}
    assert found_by_built_in(numbers, targets.union(*map(unkeyed, BUILT_IN))) == control
    assert found_by_blake2b(targets | unkeyed("blake2b")) == set(planted())


def test_guessed_keys_find_nobody_and_a_key_that_can_be_guessed_everyone(protected):
    for column in ({}, {"holds": "phone"}):
        assert found_by_guessing(PLANTED, protected(**column)) == set()
    for key in (b"", b"acequia"):
        found = found_by_guessing(PLANTED, pseudonyms(key)(planted()))
        assert {text for _, text in found} == set(planted())


def test_whoever_has_the_key_finds_everyone(protected, keys):
    """Which is why it is kept apart, and can be destroyed."""
    targets = set(protected(holds="phone"))
    key = feed_key(keys, "pula_mobile", "events")
    assert set(pseudonyms(key)(planted())) == targets


def test_codes_of_the_same_format_are_no_numbers_in_the_clear(keys):
    key = feed_key(keys, "pula_mobile", "events")
    made = codes(key, str, whole_numbers=False)(planted())
    assert not set(made) & set(planted())
    assert all(code[0] == "+" and code[1:].isdecimal() and len(code) == 12 for code in made)
