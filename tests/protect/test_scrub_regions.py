"""A region that libphonenumber is not asked for would have found nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator

import phonenumbers
import pytest

from acequia.protect.recognizers.regions import Digits

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
SERVED = ("BW", "UY", "US", "GB", "DE", "FR", "IL", "IN", "CA", "BR", "ZA")
KINDS = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE,
         phonenumbers.PhoneNumberType.TOLL_FREE, phonenumbers.PhoneNumberType.PREMIUM_RATE)  # fmt: skip
FORMATS = (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL,
           phonenumbers.PhoneNumberFormat.NATIONAL)  # fmt: skip


def numbers(region: str) -> Iterator[str]:
    """Numbers of the region as they are written there, from abroad, and with the country's code alone."""
    for kind in KINDS:
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        for form in FORMATS:
            yield phonenumbers.format_number(number, form)
        international = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
        yield from (international, f"00{international}", f"011{international}")
        yield phonenumbers.format_out_of_country_calling_number(number, "US")


def written(rng: random.Random, number: str) -> str:
    """Somewhere in a text, often with other digits close by."""
    sign = rng.choice(("", "", " ", "-", ".", "/", "  ", " x", "~", " #", " int "))
    close = rng.choice(("", "", "12", "2026", "123456789012", "7 8", "(0)", "ext 5"))
    before, after = rng.choice((("", close), (close, ""), (close, close)))
    text = f"{before}{sign if before else ''}{number}{sign if after else ''}{after}"
    if rng.random() < 0.2:
        text = text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    return rng.choice(("{}", "call {} now", "a{}", "{}b", "ref 12, {}.")).format(text)


@pytest.mark.parametrize("asked", [*SERVED, *random.Random(1).sample(REGIONS, 12)])
def test_a_region_that_is_not_asked_has_no_number(asked: str) -> None:
    rng = random.Random(asked)
    sources = (asked, asked, *rng.sample(REGIONS, 6))
    texts = [written(rng, number) for source in sources for number in numbers(source)]
    texts += [written(rng, "".join(rng.choices("0123456789", k=rng.randint(5, 12)))) for _ in range(60)]
    for text in texts:
        held = Digits(text)
        found = list(phonenumbers.PhoneNumberMatcher(text, asked, leniency=1))
        if any(asked in phonenumbers.region_codes_for_country_code(one.number.country_code or 0) for one in found):
            assert held.has_number(asked), text
        assert not found or held.has_number(asked) or held.dials_abroad(asked), text
