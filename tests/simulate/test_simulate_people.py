"""Invented people: check digits, one-to-one numbers, every spelling, and the search for them."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.simulate.feeds import FEEDS, planted
from acequia.simulate.leaks import leaked
from acequia.simulate.people import PLANTED, Person, Population, cedula_check_digit, luhn_check_digit, plain
from acequia.simulate.scanner import ean_check_digit

MANY = np.arange(5_000, dtype=np.int64)


def is_luhn(text: str) -> bool:
    digits = [int(sign) for sign in reversed(text)]
    return sum(d if place % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for place, d in enumerate(digits)) % 10 == 0


def is_cedula(text: str) -> bool:
    return (sum(int(d) * w for d, w in zip(text, (2, 9, 8, 7, 6, 3, 4, 1), strict=True)) % 10) == 0


@pytest.mark.parametrize(("seven", "check"), [(1_234_567, 2), (1_111_111, 1), (9_999_999, 9)])
def test_known_cedulas_have_their_check_digit(seven: int, check: int) -> None:
    assert cedula_check_digit(np.array([seven]))[0] == check


def test_known_numbers_have_their_luhn_and_ean_digits() -> None:
    assert luhn_check_digit(np.array([49_015_420_323_751]))[0] == 8  # the example of 3GPP TS 23.003
    assert ean_check_digit(400_638_133_393) == 1


@pytest.mark.parametrize("country", ["BW", "UY"])
def test_numbers_are_valid_and_nobody_shares_one(country: str) -> None:
    people = Population(7, "somebody", country)  # type: ignore[arg-type]
    ids, phones, devices = (column(MANY).to_pylist() for column in (people.national_id, people.phone, people.imei))
    for column in (ids, phones, devices):
        assert len(set(column)) == len(MANY)
    assert all(map(is_luhn, devices))
    if country == "UY":
        assert all(is_cedula(number) and number[0] in "789" for number in ids)
        assert all(re.fullmatch(r"\+5989[1-9]\d{6}", phone) for phone in phones)
    else:
        assert all(re.fullmatch(r"\d{4}[12]\d{4}", number) for number in ids)
        assert all(re.fullmatch(r"\+2677[1-7]\d{6}", phone) for phone in phones)


def test_the_first_ten_thousand_have_different_names_and_addresses() -> None:
    people = Population(7, "somebody", "UY")
    assert len(set(people.name(np.arange(10_000)).to_pylist())) == 10_000
    assert len(set(people.email(np.arange(10_000)).to_pylist())) == 10_000


@given(st.integers(0, 2_000_000), st.sampled_from(["BW", "UY"]))
@settings(max_examples=50, deadline=None)
def test_a_person_is_the_same_alone_and_among_others(number: int, country: str) -> None:
    people = Population(1, "somebody", country)  # type: ignore[arg-type]
    among = np.array([3, number, 99, number], dtype=np.int64)
    one = people.person(number)
    assert people.name(among).to_pylist()[1] == people.name(among).to_pylist()[3] == one.name
    assert people.phone(among).to_pylist()[1] == one.phone


@pytest.mark.parametrize(("partner", "feed"), FEEDS)
def test_each_delivery_has_its_own_planted_people(partner: str, feed: str) -> None:
    one = planted(1, partner, feed, "2026-11")
    assert len({person.name for person in one}) == len({plain(person.surname) for person in one}) == PLANTED
    assert one == planted(1, partner, feed, "2026-11")
    assert one != planted(1, partner, feed, "2026-12")
    assert one != planted(2, partner, feed, "2026-11")


PERSON = Person("UY", "Germán Zubigueñíbar", "+59894123456", "71234569", "german.zubi1@example.com", "001010000000016")


@pytest.mark.parametrize("form", PERSON.forms())
def test_every_form_of_a_person_is_found(form: str) -> None:
    assert leaked(f"log line: {form}, and so on".encode(), [PERSON])
    assert leaked(json.dumps({"text": f"<{form}>"}).encode(), [PERSON])


@pytest.mark.parametrize(
    "harmless",
    [
        "94123456ab0c",
        "f94123456",
        "1594123456",
        "German",
        "Zubi",
        "71234568",
        "nothing at all",
        "2026-11-16 94 12 34 57",
    ],
)
def test_what_only_looks_alike_is_not_found(harmless: str) -> None:
    assert not leaked(harmless.encode(), [PERSON])


def test_what_is_found_is_said_without_the_value() -> None:
    assert leaked(b"tel. 094 123 456", [PERSON]) == ["phone of person 0"]
