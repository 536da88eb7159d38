"""Whatever stands between the digits of a number, it is one number."""

from __future__ import annotations

import pytest

from acequia.protect.scrub import scrub_texts
from acequia.protect.sightings import kinds_of_values

SEPARATORS = (",", "'", ":", "|", "´", "’", ";", "`", ", ", " | ", "_", "*", "~", " - ", "--", ")(", "\t", "\u2028")


@pytest.mark.parametrize("between", SEPARATORS)
@pytest.mark.parametrize("language", ["en", "es"])
def test_one_number(between: str, language: str) -> None:
    texts = [
        f"tel {between.join(('71', '123', '456'))}",
        f"tel {between.join(('099', '123', '456'))}",
        f"id {between.join(('1234', '1', '2345'))} seen",
    ]
    for country in ("BW", "UY"):
        for result in scrub_texts(texts, language=language, country=country):
            assert not any(sign.isdigit() for sign in result), result


@pytest.mark.parametrize("between", SEPARATORS)
def test_one_number_in_a_kept_column(between: str) -> None:
    told = kinds_of_values([f"ring {between.join(('71', '123', '456'))}"], language="en", country="BW")
    assert "phone" in told[0]


@pytest.mark.parametrize("text", ["total 12,500 and 3,750", "room 12, 30 people, 45 chairs", "paid 1,250.00 at 10:30"])
def test_numbers_of_few_digits_stay(text: str) -> None:
    assert scrub_texts([text], language="en", country="BW") == [text]
