"""Sentences made up: seeded, labelled in the right places, and what is held back is held back."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import get_args

import pytest

from acequia.agreement.privacy import Kind
from acequia.protect.person_names import WORD, plain
from acequia.protect.recognizers.documents import is_cedula, is_omang, is_rut
from acequia.training.measuring import SPLITS
from acequia.training.names import LISTS, held, pool
from acequia.training.sentences import BOTH_HELD, LANGUAGES, LEARNED, Labelled, sentences

PROJECT = Path(__file__).resolve().parents[2]


def some(many: int, language: str, split: object = LEARNED, seed: int = 1) -> list[Labelled]:
    return list(itertools.islice(sentences(seed, language, split), many))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_seed_gives_the_same_sentences(language: str) -> None:
    assert some(200, language) == some(200, language)
    assert some(50, language) != some(50, language, seed=2)
    assert some(50, language) != some(50, language, BOTH_HELD)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", SPLITS.values(), ids=list(SPLITS))
def test_labels_stand_where_they_should(language: str, split: object) -> None:
    kinds = {*get_args(Kind), "place"}
    for made in some(400, language, split):
        at = 0
        for start, end, kind in made.spans:
            assert at <= start < end <= len(made.text)
            assert kind in kinds
            assert made.text[start:end] == made.text[start:end].strip()
            at = end
        assert "<" not in made.text.replace("<", "", 1) or "@" in made.text  # no slot was left unfilled


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_planted_and_many_texts_hold_no_name(language: str) -> None:
    made = some(3_000, language)
    assert {kind for one in made for *_, kind in one.spans} == {*get_args(Kind), "place"}
    nameless = sum(not any(kind in ("name", "place") for *_, kind in one.spans) for one in made)
    assert 0.25 < nameless / len(made) < 0.6


def test_no_name_is_on_both_sides() -> None:
    learned, back = pool(False), pool(True)
    for part in ("given", "family", "places"):
        for origin, names in getattr(learned, part).items():
            others = getattr(back, part)[origin]
            assert names
            assert others
            assert not {plain(name) for name in names} & {plain(name) for name in others}
            assert not any(map(held, names))
            assert all(map(held, others))


def test_no_shape_is_on_both_sides() -> None:
    from acequia.training import sentences as made

    for language in LANGUAGES:
        for section in ("person", "place", "none"):
            lines = made._sections(f"sentences_{language}.txt", "# ")[section]
            learned, back = made._side(lines, False), made._side(lines, True)
            assert len(back) >= 5
            assert not set(learned) & set(back)
            assert sorted((*learned, *back)) == sorted(lines)


def test_numbers_pass_the_checks_of_the_two_countries() -> None:
    from random import Random

    from acequia.training.numbers import national_id, tax_id

    rng = Random(4)
    for _ in range(300):
        number = national_id(rng, "en")
        assert is_omang(number) or is_cedula(number)
        assert is_rut(tax_id(rng, "es"))


def test_the_places_of_the_reference_tables_are_listed() -> None:
    listed = {
        plain(place.replace("_", " "))
        for path in LISTS.glob("places_*.txt")
        for place in path.read_text(encoding="utf-8").split()
    }
    for table, column in (("cell_to_district", "district"), ("uruguay_departments", "department")):
        with (PROJECT / f"config/reference/{table}.csv").open(encoding="utf-8") as file:
            assert {plain(row[column]) for row in csv.DictReader(file)} <= listed


def test_names_keep_their_letters() -> None:
    for names in pool(False).family.values():
        assert all(WORD.search(name) for name in names)
