"""Every entity has a kind, and the documents of both countries are told from what only looks like them."""

from __future__ import annotations

from typing import get_args

import pytest

from acequia.agreement.privacy import Kind
from acequia.protect.kinds import kind_of, mark_of
from acequia.protect.recognizers import recognizers
from acequia.protect.recognizers.stock import foreign
from acequia.protect.scrub import find


def test_every_entity_has_a_kind_and_a_mark() -> None:
    entities = {entity for found in recognizers("en", "BW") for entity in found.supported_entities}
    assert len(entities) > 90
    assert {kind_of(entity) for entity in entities} <= set(get_args(Kind))
    assert all(mark_of(entity).startswith("<") for entity in entities)
    assert {kind_of(entity) for entity in ("BW_OMANG", "UY_CEDULA", "US_SSN")} == {"national_id"}
    assert (kind_of("UY_PASSPORT"), kind_of("BW_PLATE"), kind_of("UY_RUT")) == ("passport", "plate", "tax_id")
    assert kind_of("UNHEARD_OF") == "id"


def test_numbers_of_other_countries_are_foreign() -> None:
    assert "US_SSN" in foreign("BW")
    assert "US_SSN" not in foreign("US")
    assert "EMAIL_ADDRESS" not in foreign("BW")


def entities(text: str, language: str, country: str) -> set[str]:
    return {finding.entity for finding in find(text, language=language, country=country)}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("text", "entity", "is_one"),
    [
        ("BN0123456", "BW_PASSPORT", True),
        ("bn 0123456", "BW_PASSPORT", True),
        ("passport:BN0123456;", "BW_PASSPORT", True),
        ("BN012345", "BW_PASSPORT", False),
        ("XBN0123456", "BW_PASSPORT", False),
        ("B 123 ABC", "BW_PLATE", True),
        ("B123ABC", "BW_PLATE", True),
        ("car B-123-ABC,", "BW_PLATE", True),
        ("B 12 ABC", "BW_PLATE", False),
        ("C123456", "UY_PASSPORT", True),
        ("pasaporte D 123456.", "UY_PASSPORT", True),
        ("C1234567", "UY_PASSPORT", False),
        ("SAB 1234", "UY_PLATE", True),
        ("sab1234", "UY_PLATE", True),
        ('{"chapa":"SAB-1234"}', "UY_PLATE", True),
        ("con 1500", "UY_PLATE", False),
        ("SABC 1234", "UY_PLATE", False),
    ],
)
def test_passports_and_plates(text: str, entity: str, is_one: bool, language: str) -> None:
    for country in ("BW", "UY"):
        assert (entity in entities(text, language, country)) is is_one
