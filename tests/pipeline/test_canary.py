"""Planted people: looked for once under each terms, on record, and nothing is published where they come through."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from acequia import pipeline, upkeep
from acequia.agreement.privacy import Kind
from acequia.canary import invented, record
from acequia.canary.invented import Mark
from acequia.errors import STOPPED, AcequiaError
from acequia.opening import ledger_of, open_work
from acequia.protect import person_names
from tests.pipeline.world import DAY, World

PARTNER, FEED = "ceibo_pay", "transactions"


def noted(world: World) -> list[record.Canary]:
    return record.listed(ledger_of(world.settings))


def change(world: World, **privacy: Any) -> None:
    path = world.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    agreement["feeds"][FEED]["privacy"] = privacy
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))


@pytest.mark.parametrize(("country", "language"), [("BW", "en"), ("UY", "es")])
def test_one_in_three_of_the_planted_bears_names_of_no_list(country: str, language: str) -> None:
    crowd, known = invented.Crowd("a.b", country, language), person_names.listed().every

    def share(names: invented.Names) -> float:
        marks = [crowd.marks("name", number, names)[0].written for number in range(360)]
        words = [[person_names.plain(part.strip(",.")) for part in written.split()] for written in marks]
        return sum(not known & set(parts) for parts in words) / len(words)

    assert share("unlisted") == 1
    assert share("listed") == 0
    assert share("mixed") == pytest.approx(1 / 3 + 2 / 3 / 6, abs=0.02)  # of one in six an initial is left


@pytest.fixture
def unheard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """People whose names nothing can know: in small letters, on no list, after no word that gives them away."""

    def marks(_: Any, __: Any, number: int) -> list[Mark]:
        name = f"zorv{'abcdefghij'[number % 10]}{'klmnopqrst'[number // 10 % 10]}"
        return [Mark("name", name, name)]

    monkeypatch.setitem(invented._MARKS, "name", marks)
    quiet: dict[Kind, tuple[str, ...]] = {**invented.SENTENCES["es"], "name": ("sin cambio {} chico",)}
    monkeypatch.setattr(invented, "SENTENCES", {"es": quiet})
    monkeypatch.setattr("acequia.canary.planting.SENTENCES", {"es": quiet})


def test_a_feed_is_searched_once_under_its_terms(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    world.deliver(PARTNER, FEED, "2026-11-11")
    world.run(PARTNER, FEED, "2026-11-11")
    (one,) = noted(world)
    assert (one.delivery, one.below) == (f"{PARTNER}.{FEED}.{DAY}.v1", ())
    assert set(one.recall) == {"name", "phone", "email", "national_id"}
    assert {tally.place for tally in one.places} == {"treated", "text"}
    assert {tally.column for tally in one.places} >= {"memo", "sender_document", "sender_name", "merchant_id"}
    assert all(tally.survived == 0 for tally in one.places if tally.place == "treated")
    change(world, names_at_most_pct=4)
    world.run(PARTNER, FEED, DAY)
    assert len(noted(world)) == 2
    assert noted(world)[0].made_by != noted(world)[1].made_by


def test_searching_again_notes_nothing_and_changes_nothing(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    before = (world.tables(), world.statuses(), world.landed(), ledger_of(world.settings).length())
    work = open_work(world.settings, PARTNER, FEED, DAY)
    delivery = ledger_of(world.settings).accepted(PARTNER, FEED)[0]
    assert record.search(work.planted, delivery) == noted(world)[0]
    assert (world.tables(), world.statuses(), world.landed(), ledger_of(world.settings).length()) == before
    assert not any((world.settings.workspace / ".plain").iterdir())


def test_nothing_is_published_where_people_come_through(world: World, unheard_of: None) -> None:
    world.deliver(PARTNER, FEED, DAY)
    for _ in range(2):
        with pytest.raises(AcequiaError) as stopped:
            world.run(PARTNER, FEED, DAY)
        assert (stopped.value.code, stopped.value.exit_code) == ("canary_below_target", STOPPED)
        assert stopped.value.who_acts == "steward"
        assert "name 0 % of 75 %" in stopped.value.what
        assert "zorv" not in str(stopped.value)
    assert world.tables() == {}
    assert world.statuses() == {f"{PARTNER}.{FEED}.{DAY}.v1": "accepted"}
    assert len(noted(world)) == 1
    change(world, recall_at_least_pct={"phone": 99})
    assert len(world.run(PARTNER, FEED, DAY).published) == 2
    assert world.statuses() == {f"{PARTNER}.{FEED}.{DAY}.v1": "published"}
    assert ledger_of(world.settings).verify() == []


def test_a_search_that_was_killed_is_done_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deliver(PARTNER, FEED, DAY)
    with monkeypatch.context() as killed:
        killed.setattr(record, "_noted", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.run(PARTNER, FEED, DAY)
    assert noted(world) == []
    assert world.tables() == {}
    assert world.run(PARTNER, FEED, DAY).published
    assert len(noted(world)) == 1


def test_two_that_search_at_once_are_one_note(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    work = open_work(world.settings, PARTNER, FEED, DAY)
    record.search(work.planted, ledger_of(world.settings).accepted(PARTNER, FEED)[0], occasion=record.FIRST)
    assert len(noted(world)) == 1


def test_without_raw_files_nobody_can_be_looked_for(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    work = open_work(world.settings, PARTNER, FEED, DAY)
    delivery = work.ledger.accepted(PARTNER, FEED)[0]
    upkeep.delete_raw(work, delivery)
    record.require(work.planted, delivery)  # looked for under these terms already
    change(world, names_at_most_pct=4)
    work = open_work(world.settings, PARTNER, FEED, DAY)
    with pytest.raises(AcequiaError, match="no raw delivery is landed") as stopped:
        record.require(work.planted, delivery)
    assert stopped.value.code == "canary_below_target"


def test_housekeeping_searches_once_a_week(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    first = date.fromisoformat(noted(world)[0].on)
    deed = f"{PARTNER}.{FEED}"
    for days, searches in ((0, 1), (6, 1)):
        upkeep.keep(world.settings, today=date.fromordinal(first.toordinal() + days))
        assert len(noted(world)) == searches
    week = date.fromordinal(first.toordinal() + 6)
    change(world, names_at_most_pct=4)
    deeds = upkeep.keep(world.settings, today=week)
    assert [one.what for one in deeds if one.deed == "planted people looked for"] == [deed]
    upkeep.keep(world.settings, today=week)
    assert [one.on for one in noted(world)] == [first.isoformat(), week.isoformat()]


def test_one_feed_that_lets_people_through_stops_no_other(world: World, unheard_of: None) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.deliver("pula_mobile", "events", DAY)
    with pytest.raises(AcequiaError):
        world.run(PARTNER, FEED, DAY)
    change(world, names_at_most_pct=4)
    with pytest.raises(AcequiaError, match=r"ceibo_pay\.transactions: canary_below_target") as told:
        upkeep.keep(world.settings)
    assert told.value.code == "internal"
    assert [one.partner for one in noted(world)] == [PARTNER, PARTNER]


@pytest.mark.parametrize(
    ("partner", "feed", "period"),
    [("pula_mobile", "events", DAY), ("rambla_market", "scanner", "2026-W46"), ("kgale_rides", "trips", "2026-10"),
     ("kgale_rides", "driver_hours", "2026-10")],
)  # fmt: skip
def test_every_demo_feed_finds_what_it_agreed_to(world: World, partner: str, feed: str, period: str) -> None:
    world.deliver(partner, feed, period)
    work = open_work(world.settings, partner, feed, period)
    delivery = pipeline.receive(work)
    pipeline.protect(work, delivery)
    pipeline.validate(work, delivery)
    found = record.search(work.planted, delivery)
    assert found.below == ()
    assert found.planted >= 100


def test_a_kept_column_is_searched_by_the_leak_scan(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    columns = agreement["feeds"][FEED]["columns"]
    columns["memo"] |= {"treat": "keep", "keep_because": "a test", "may_hold": ["email"]}
    agreement["feeds"][FEED]["privacy"] = {"leaks_at_most_pct": 100, "names_at_most_pct": 100}
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    (one,) = noted(world)
    kept = {tally.kind: tally for tally in one.places if tally.place == "kept"}
    kinds = {"name", "name, unlisted", "phone", "national_id"}
    assert set(kept) == kinds, "what a column may hold is not planted in it"
    assert kept["name, unlisted"].survived > kept["name"].survived, "told, since the scan promises nothing for them"
    assert "name, unlisted" in one.recall
    assert one.below == ()
    assert (kept["phone"].survived, kept["national_id"].survived) == (0, 0)
    monkeypatch.setattr("acequia.canary.look.kinds_of_values", lambda values, **_: [frozenset()] * len(values))
    work = open_work(world.settings, PARTNER, FEED, DAY)
    blind = record.search(work.planted, work.ledger.accepted(PARTNER, FEED)[0], occasion="blind")
    assert (blind.recall["phone"], set(blind.below)) == (0, {"name", "national_id", "phone"})


def test_the_ledger_holds_counts_and_no_value(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    (entry,) = ledger_of(world.settings).notes(record.KIND)
    said = json.loads(entry.body)
    about = {"agreement_sha256", "agreement_version", "made_by", "delivery", "on"}
    assert set(said) == about | {"below", "places", "recall", "targets"}
    assert all(set(tally) == {"column", "kind", "place", "planted", "survived"} for tally in said["places"])
    crowd = invented.Crowd(f"{PARTNER}.{FEED}", "UY", "es")
    signs = {mark.sign for number in range(300) for kind in crowd.kinds() for mark in crowd.marks(kind, number)}
    for path in files(world.settings.home):
        content = path.read_bytes().decode("utf-8", "ignore").casefold()
        assert not [path for sign in signs if len(sign) > 8 and sign in content]


def files(home: Path) -> list[Path]:
    kept = ("inbox", "landing", "keys")
    return [path for path in home.rglob("*") if path.is_file() and path.relative_to(home).parts[0] not in kept]
