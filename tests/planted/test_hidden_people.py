"""People who hide in every way that we could think of, in deliveries of every demo feed: who comes through the gate.

Twelve deliveries in the ordinary run; `ACEQUIA_PLANTED=100` sends a hundred, as bench/planted.py does.
"""

from __future__ import annotations

import os

import pytest

from acequia.agreement.privacy import TARGETS
from acequia.simulate.hiding import PLACES
from tests.pipeline.world import World, make_world
from tests.planted.planting import Tally, case, searched, send

DELIVERIES = int(os.environ.get("ACEQUIA_PLANTED", "12"))
pytestmark = pytest.mark.timeout(60 + 20 * DELIVERIES)
# A name that is packed or split is nobody's promise: docs/detection.md speaks of names as people write them.
AS_WRITTEN = ("plain", "json", "base64_ids", "case")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def tally(world: World) -> Tally:
    counted = Tally()
    for number in range(DELIVERIES):
        send(world, case(number), counted)
    return counted


def test_everybody_is_planted_everywhere(tally: Tally) -> None:
    assert {place for _, place in tally.planted} == set(PLACES)
    assert min(tally.planted.values()) >= DELIVERIES


def test_nothing_of_anybody_is_left_in_structured_columns(tally: Tally) -> None:
    assert tally.structured == []


@pytest.mark.parametrize("what", ["phone", "national_id", "email"])
def test_numbers_and_addresses_in_free_text_are_found(tally: Tally, what: str) -> None:
    assert tally.recall(what) >= 0.995, tally.misses(what)


def test_names_are_found_as_often_as_promised(tally: Tally) -> None:
    assert tally.recall("name", places=AS_WRITTEN) >= TARGETS["name"] / 100, tally.misses("name")


def test_nothing_of_anybody_is_anywhere_else(tally: Tally, world: World) -> None:
    """Lake, ledger, receipts, certificates, lineage, Data Docs, records, and the names of all files."""
    assert searched(world, tally.people, inside=False) == []
