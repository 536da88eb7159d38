"""What those who tell people of the ledger ask of it, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore
from acequia.ledger import telling
from acequia.ledger.book import Ledger, open_ledger
from acequia.ledger.chain import Draft, Place
from acequia.settings import Settings
from tests.ledger.conftest import ticking
from tests.ledger.deeds import FEED, PARTNER, publish, refuse, register, run_through

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def noted(*keys: str) -> list[tuple[Place, Draft]]:
    return [(Place(PARTNER, FEED, "2026-11-16"), Draft("notice", key, {"to": "partner"})) for key in keys]


def test_news_are_of_deliveries_that_moved(placed: Settings, keys: FileKeyStore) -> None:
    run_through(open_ledger(placed, keys, ticking("2026-11-17T06:00:00")), "A", "2026-11-16")
    later = open_ledger(placed, keys, ticking("2026-11-20T06:00:00"))
    second = register(later, "B", "2026-11-17")
    refuse(later, second)
    since = datetime(2026, 11, 19, tzinfo=UTC)
    found = telling.news(later.engine, PARTNER, ("accepted", "refused"), since)
    assert [(entry.delivery, entry.kind) for entry in found] == [(str(second), "refused")]
    both = telling.news(later.engine, PARTNER, ("accepted", "refused"), LONG_AGO)
    assert [entry.kind for entry in both] == ["accepted", "refused"]
    assert telling.news(later.engine, "another", ("accepted",), LONG_AGO) == []
    first = register(later, "A", "2026-11-16")
    publish(later, first, table="another")  # what was said of it before is among the news again
    assert [entry.kind for entry in telling.news(later.engine, PARTNER, ("accepted",), since)] == ["accepted"]


def test_notes_of_a_partner_since_then(ledger: Ledger) -> None:
    ledger.note(Place(PARTNER, "*"), Draft("paused", "paused/1", {"who": "x", "because": "y"}))
    ledger.note(Place("another", "*"), Draft("paused", "paused/2", {"who": "x", "because": "y"}))
    assert [entry.key for entry in telling.noted(ledger.engine, PARTNER, ("paused",), LONG_AGO)] == ["paused/1"]
    assert telling.noted(ledger.engine, PARTNER, ("paused",), ledger.clock() + timedelta(days=1)) == []
    assert telling.noted(ledger.engine, PARTNER, ("resumed",), LONG_AGO) == []


def test_releases_in_order(ledger: Ledger) -> None:
    run_through(ledger, "A", "2026-11-16")
    run_through(ledger, "B", "2026-11-17")
    assert [part.window_label for part in telling.releases(ledger.engine, PARTNER)] == ["2026-11-16", "2026-11-17"]


def test_many_notes_at_once(ledger: Ledger) -> None:
    keys = [f"notice/{number}" for number in range(1200)]
    telling.note_each(ledger, noted(*keys[:600], keys[0]))
    telling.note_each(ledger, noted(*keys))
    telling.note_each(ledger, [])
    assert telling.known(ledger.engine, [*keys, "notice/none"]) == frozenset(keys)
    assert telling.known(ledger.engine, []) == frozenset()
    assert ledger.length() == 1200
    assert ledger.verify() == []


def test_all_of_them_or_none(ledger: Ledger) -> None:
    telling.note_each(ledger, noted("notice/1"))
    with pytest.raises((ValueError, TypeError, AcequiaError)):
        telling.note_each(
            ledger, [*noted("notice/2"), (Place(PARTNER, FEED), Draft("notice", "n/3", {"at": float("nan")}))]
        )
    assert telling.known(ledger.engine, ["notice/1", "notice/2", "n/3"]) == {"notice/1"}
    assert ledger.verify() == []


def test_pauses_are_found_without_reading_every_notice(sqlite_ledger: Ledger) -> None:
    """SQLite's own plan: it has no figures of the tables, and goes by what the indexes cover."""
    asked = "SELECT * FROM entry WHERE delivery IS NULL AND kind IN ('paused', 'resumed') ORDER BY seq"
    with sqlite_ledger.engine.connect() as connection:
        plan = " ".join(row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {asked}")))
    assert "(delivery=? AND kind=?)" in plan
