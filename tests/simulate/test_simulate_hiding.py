"""Hiding places: whoever is planted can be found again by whoever looks closely, in every place, and only so."""

from __future__ import annotations

from pathlib import Path

import pytest

from acequia.agreement.load import find
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.simulate.feeds import planted
from acequia.simulate.hiding import FILE_NAME, PLACES, WHAT, mentions, require_known
from acequia.simulate.leaks import leaked
from acequia.simulate.write import write

CONFIG = Path(__file__).resolve().parents[2] / "config" / "partners"
FEEDS = (("pula_mobile", "events"), ("ceibo_pay", "transactions"))


@pytest.mark.parametrize(("partner", "feed"), FEEDS)
@pytest.mark.parametrize("place", PLACES)
def test_the_search_finds_who_hides_in_each_place(place: str, partner: str, feed: str) -> None:
    people = planted(3, partner, feed, "2026-11-10", ["plain"] * 15)
    for mention in mentions(people, [place]):
        found = leaked(mention.text.encode(), people)
        assert f"{mention.what} of person {mention.person}" in found, mention.what


def test_every_person_has_one_mention_of_each_kind() -> None:
    people = planted(3, "ceibo_pay", "transactions", "2026-11-10", list(PLACES))
    written = mentions(people, list(PLACES))
    assert len(written) == len(people) * len(WHAT) == 2 * len(PLACES) * len(WHAT)
    assert {mention.place for mention in written} == set(PLACES)
    assert written == mentions(people, list(PLACES)), "the same arguments give the same texts"


def test_what_is_hidden_is_in_the_delivery_and_in_its_files_names(tmp_path: Path) -> None:
    agreement = find(CONFIG, "rambla_market").agreement
    period = Period.parse("2026-W46", "week")
    one = write(agreement, "scanner", period, out=tmp_path / "1", rows=900, seed=1, hide=("all",))
    two = write(agreement, "scanner", period, out=tmp_path / "2", rows=900, seed=1, hide=("all",))
    assert [path.read_bytes() for path in one.files] == [path.read_bytes() for path in two.files]
    assert len(one.planted) == 2 * (len(PLACES) + 1)
    assert any(one.planted[-1].name in path.name for path in one.files)
    import pyarrow.parquet as pq

    notes = {text for path in one.files if path.suffix == ".parquet" for text in
             pq.read_table(path).column("delivery_note").to_pylist()}  # fmt: skip
    assert {mention.text for mention in mentions(one.planted, (*PLACES, FILE_NAME))} <= notes


def test_an_unknown_place_is_told_with_those_there_are() -> None:
    with pytest.raises(AcequiaError, match="mojibake"):
        require_known(["under_the_bed"])
