"""What the ledger answers, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import exc, text

from acequia.agreement.delivery import Delivery
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.keys import FileKeyStore
from acequia.ledger.book import Ledger, open_ledger
from acequia.period import Period
from acequia.settings import Settings
from tests.ledger import deeds
from tests.ledger.deeds import ONE, TWO, count, publish, refuse, register, run_through


@contextmanager
def stops(code: str) -> Iterator[None]:
    with pytest.raises(AcequiaError) as caught:
        yield
    assert caught.value.code == code


def labels(found: tuple[DeliveryId, ...]) -> list[str]:
    return [f"{part.period}.v{part.version}" for part in found]


def test_a_delivery_goes_from_received_to_published(ledger: Ledger) -> None:
    delivery = register(ledger)
    assert str(delivery) == "pula_mobile.events.2026-11-16.v1"
    state = ledger.state(delivery)
    assert (state.status, state.finished, state.count, state.made_by) == ("received", False, None, None)
    assert (state.agreement_version, state.landed_in) == (
        "1.2",
        f"pula_mobile/events/2026-11-16/{deeds.sha('A')[:16]}",
    )

    ledger.accept(delivery, count=count(), made_by=ONE)
    state = ledger.state(delivery)
    assert (state.status, state.count, state.made_by, state.finished) == ("accepted", count(), ONE, False)

    publish(ledger, delivery)
    assert ledger.state(delivery).status == "published"
    assert not ledger.state(delivery).finished
    ledger.finish(delivery)
    assert ledger.state(delivery).finished

    (row,) = ledger.deliveries()
    assert row.as_row() == {
        "partner": "pula_mobile",
        "feed": "events",
        "period": "2026-11-16",
        "version": 1,
        "status": "published",
        "code": None,
        "rows_in": 100,
        "rows_set_aside": 3,
        "cells": 12,
        "withheld": 3,
        "tables": "subscribers_by_district",
        "received_at": "2026-11-17T06:00:00.000000Z",
    }
    assert row.set_aside == {"null:msisdn": 3}
    assert ledger.length() == 4
    assert ledger.verify() == []


def test_the_same_content_is_the_same_delivery_and_other_content_the_next_version(ledger: Ledger) -> None:
    assert [register(ledger, content).version for content in "AABBA"] == [1, 1, 2, 2, 3]
    assert register(ledger, "A", "2026-11-17").version == 1
    assert register(ledger, "A", feed="trips").version == 1
    assert ledger.length() == 5


def test_an_accepted_correction_takes_the_place_of_the_version_before(ledger: Ledger) -> None:
    first = run_through(ledger, "A")
    second = register(ledger, "B")
    assert [row.status for row in ledger.deliveries()] == ["published", "received"]
    assert labels(ledger.accepted("pula_mobile", "events")) == ["2026-11-16.v1"]

    refuse(ledger, second)
    assert labels(ledger.accepted("pula_mobile", "events")) == ["2026-11-16.v1"]
    third = run_through(ledger, "C")
    assert [row.status for row in ledger.deliveries()] == ["corrected", "refused", "published"]
    assert ledger.accepted("pula_mobile", "events") == (third,)
    assert ledger.state(first).status == "published"


def test_accepted_deliveries_count_to_the_window_of_their_period(ledger: Ledger) -> None:
    for period in ("2026-W49", "2026-W44", "2026-W45", "2026-W40"):
        ledger.accept(register(ledger, "A", period, feed="weeks"), count=count(), made_by=ONE)
    november = ledger.accepted("pula_mobile", "weeks", Period.parse("2026-11"))
    assert labels(november) == ["2026-W45.v1"]  # W44's Thursday is in October, W49's in December
    assert labels(ledger.accepted("pula_mobile", "weeks")) == [
        "2026-W40.v1",
        "2026-W44.v1",
        "2026-W45.v1",
        "2026-W49.v1",
    ]
    assert ledger.accepted("pula_mobile", "weeks", Period.parse("2026-W44", "week")) == november[:0] + (
        DeliveryId(partner="pula_mobile", feed="weeks", period="2026-W44", version=1),
    )
    assert ledger.accepted("pula_mobile", "other") == ()


def test_a_refusal_says_why_and_who_acts(sqlite_ledger: Ledger) -> None:
    delivery = register(sqlite_ledger)
    refuse(sqlite_ledger, delivery)
    state = sqlite_ledger.state(delivery)
    assert (state.status, state.code, state.reason) == ("refused", "checks_failed", "2 of 9 checks failed")
    assert (state.who_acts, state.what_to_do) == ("partner", "Correct the data; the failed checks are in the receipt.")
    assert sqlite_ledger.accepted("pula_mobile", "events") == ()
    assert sqlite_ledger.deliveries()[0].code == "checks_failed"


def test_under_another_agreement_a_refused_delivery_may_be_published(sqlite_ledger: Ledger) -> None:
    delivery = register(sqlite_ledger)
    refuse(sqlite_ledger, delivery, made_by=ONE)
    assert register(sqlite_ledger, terms="1.3") == delivery
    assert sqlite_ledger.state(delivery).agreement_version == "1.3"
    sqlite_ledger.accept(delivery, count=count(), made_by=TWO)
    publish(sqlite_ledger, delivery)
    sqlite_ledger.finish(delivery)
    state = sqlite_ledger.state(delivery)
    assert (state.status, state.code, state.made_by, state.turn) == ("published", None, TWO, 2)
    assert [entry.kind for entry in sqlite_ledger.history(delivery)] == [
        "received",
        "refused",
        "agreement_read_again",
        "accepted",
        "published",
        "finished",
    ]


def test_an_agreement_put_back_is_another_turn(sqlite_ledger: Ledger) -> None:
    delivery = register(sqlite_ledger)
    for made_by in (ONE, TWO, ONE):
        sqlite_ledger.accept(delivery, count=count(), made_by=made_by)
        publish(sqlite_ledger, delivery)
        sqlite_ledger.finish(delivery)
    state = sqlite_ledger.state(delivery)
    assert (state.turn, state.made_by, state.finished, len(state.current)) == (3, ONE, True, 1)
    assert sqlite_ledger.verify() == []


def test_a_manifest_sent_later_lets_the_same_content_pass(sqlite_ledger: Ledger) -> None:
    delivery = register(sqlite_ledger)
    refuse(sqlite_ledger, delivery, code="manifest_missing")
    sqlite_ledger.accept(delivery, count=count(), made_by=ONE)
    assert sqlite_ledger.state(delivery).status == "accepted"


def test_every_fact_told_twice_is_recorded_once(ledger: Ledger) -> None:
    for _ in range(3):
        delivery = run_through(ledger)
        assert ledger.length() == 4
    ledger.raw_deleted(delivery, files=1)
    ledger.raw_deleted(delivery, files=0)
    ledger.protected_deleted(delivery, files=2)
    ledger.protected_deleted(delivery, files=2)
    assert ledger.length() == 6
    assert ledger.verify() == []


def test_a_repeated_release_changes_nothing_even_if_the_lake_says_unchanged(sqlite_ledger: Ledger) -> None:
    delivery = register(sqlite_ledger)
    sqlite_ledger.accept(delivery, count=count(), made_by=ONE)
    disclosed = deeds.disclosed_of(delivery, "2026-11-16")
    sqlite_ledger.published(delivery, disclosed, deeds.release_of(disclosed, changed=True))
    before = sqlite_ledger.history(delivery)
    sqlite_ledger.published(delivery, disclosed, deeds.release_of(disclosed, changed=False))
    assert sqlite_ledger.history(delivery) == before


def test_a_release_after_the_end_is_finished_again(sqlite_ledger: Ledger) -> None:
    delivery = run_through(sqlite_ledger)
    publish(sqlite_ledger, delivery, "2026-11", table="by_month")  # housekeeping closes the month
    assert not sqlite_ledger.state(delivery).finished
    sqlite_ledger.finish(delivery)
    assert sqlite_ledger.state(delivery).finished
    assert sqlite_ledger.deliveries()[0].tables == ("by_month", "subscribers_by_district")
    assert sqlite_ledger.receipt("published", delivery).name == "04-published.jws"
    assert sqlite_ledger.verify() == []


def test_released_windows_leave_out_the_provisional(ledger: Ledger) -> None:
    delivery = register(ledger)
    ledger.accept(delivery, count=count(), made_by=ONE)
    publish(ledger, delivery, "2026-10", table="monthly")
    publish(ledger, delivery, "2026-11", table="monthly", provisional=True)
    assert ledger.released_windows("pula_mobile", "monthly") == {"2026-10"}
    publish(ledger, delivery, "2026-11", table="monthly")
    assert ledger.released_windows("pula_mobile", "monthly") == {"2026-10", "2026-11"}
    assert ledger.released_windows("pula_mobile", "other") == set()
    assert ledger.released_windows("other", "monthly") == set()


def test_lists_are_by_partner_and_feed(ledger: Ledger) -> None:
    register(ledger, "A", "2026-11-17", feed="trips")
    for period in ("2026-11-17", "2026-11-16"):
        register(ledger, "A", period)
    assert [(row.feed, row.period) for row in ledger.deliveries("pula_mobile")] == [
        ("events", "2026-11-16"),
        ("events", "2026-11-17"),
        ("trips", "2026-11-17"),
    ]
    assert [row.feed for row in ledger.deliveries(feed="trips")] == ["trips"]
    assert ledger.deliveries("nobody") == []


def test_an_unknown_delivery_is_an_error(sqlite_ledger: Ledger) -> None:
    stranger = DeliveryId(partner="pula_mobile", feed="events", period="2026-11-16", version=9)
    for call in (
        lambda: sqlite_ledger.state(stranger),
        lambda: sqlite_ledger.finish(stranger),
        lambda: sqlite_ledger.accept(stranger, count=count(), made_by=ONE),
    ):
        with stops("unknown_name"):
            call()
    assert sqlite_ledger.length() == 0


def test_file_names_are_nowhere_in_the_ledger(sqlite_ledger: Ledger) -> None:
    delivery = run_through(sqlite_ledger)
    assert "Boitumelo" not in "".join(entry.body + entry.key for entry in sqlite_ledger.history(delivery))


@pytest.mark.parametrize("change", ["UPDATE entry SET kind = 'x'", "DELETE FROM entry", "TRUNCATE entry"])
def test_entries_refuse_to_be_changed(ledger: Ledger, change: str) -> None:
    run_through(ledger)
    if ledger.engine.dialect.name == "sqlite" and change.startswith("TRUNCATE"):
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(exc.DBAPIError, match="append-only"), ledger.engine.begin() as connection:
        connection.execute(text(change))
    assert ledger.verify() == []


def test_a_time_is_past_after_midnight_of_the_feeds_zone_and_the_grace(settings: Settings, keys: FileKeyStore) -> None:
    terms = Delivery.model_validate(
        {
            "source": {"type": "folder", "path": "in/{period}.csv"},
            "format": "csv",
            "schedule": "0 6 * * *",
            "timezone": "America/Montevideo",
            "period": "day",
            "due_within_hours": 30,
        }
    )
    for at, past in (("2026-12-02T09:00:00", False), ("2026-12-02T09:00:01", True)):  # 00:00 -03 + 30 h = 09:00 UTC
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        ledger = open_ledger(settings, keys, lambda moment=moment: moment)  # type: ignore[misc]
        assert ledger.is_past(date(2026, 12, 1), terms) is past


def test_raw_bytes_are_due_after_the_agreed_days(ledger: Ledger) -> None:
    delivery = run_through(ledger)  # received on 2026-11-17
    told = ("pula_mobile", "events")
    assert ledger.due_for_deletion("raw", *told, date(2026, 11, 30), 14) == ()
    assert ledger.due_for_deletion("raw", *told, date(2026, 12, 1), 14) == (delivery,)
    assert ledger.due_for_deletion("raw", "pula_mobile", "trips", date(2026, 12, 1), 14) == ()
    assert ledger.due_for_deletion("protected", *told, date(2026, 12, 1), 400) == ()
    ledger.raw_deleted(delivery, files=1, proof={"found_after": 0})
    assert ledger.due_for_deletion("raw", *told, date(2026, 12, 1), 14) == ()
    assert ledger.due_for_deletion("protected", *told, date(2027, 12, 22), 400) == (delivery,)
    ledger.protected_deleted(delivery, files=1)
    assert ledger.due_for_deletion("protected", *told, date(2027, 12, 22), 400) == ()
    (row,) = ledger.deliveries()
    assert row.raw_deleted_at
    assert row.protected_deleted_at


def test_bytes_kept_for_no_day_wait_for_the_verdict(sqlite_ledger: Ledger) -> None:
    delivery, today = register(sqlite_ledger), date(2026, 11, 17)
    assert sqlite_ledger.due_for_deletion("raw", "pula_mobile", "events", today, 0) == ()
    assert sqlite_ledger.due_for_deletion("raw", "pula_mobile", "events", date(2026, 11, 18), 0) == (delivery,)
    refuse(sqlite_ledger, delivery)
    assert sqlite_ledger.due_for_deletion("raw", "pula_mobile", "events", today, 0) == (delivery,)


def test_bytes_that_land_again_after_their_deletion_are_due_again(settings: Settings, keys: FileKeyStore) -> None:
    days = iter(range(1, 30))
    ledger = open_ledger(settings, keys, lambda: datetime(2026, 11, next(days), 6, tzinfo=UTC))
    delivery = register(ledger)
    ledger.raw_deleted(delivery, files=1)
    assert register(ledger) == delivery  # on the 3rd: the source still had the file
    assert ledger.due_for_deletion("raw", "pula_mobile", "events", date(2026, 11, 16), 14) == ()
    assert ledger.due_for_deletion("raw", "pula_mobile", "events", date(2026, 11, 17), 14) == (delivery,)
    assert ledger.state(delivery).raw_deleted_at is None
    ledger.raw_deleted(delivery, files=1)
    register(ledger)
    ledger.raw_deleted(delivery, files=1)
    assert [entry.kind for entry in ledger.history(delivery)].count("raw_deleted") == 3
    assert ledger.verify() == []


def test_bytes_that_two_versions_share_are_due_with_the_younger(placed: Settings, keys: FileKeyStore) -> None:
    days = iter(range(1, 30))
    ledger = open_ledger(placed, keys, lambda: datetime(2026, 11, next(days), 6, tzinfo=UTC))
    first, second, third = (register(ledger, content) for content in "ABA")
    told = ("pula_mobile", "events")
    assert ledger.due_for_deletion("raw", *told, date(2026, 11, 16), 14) == (second,)
    assert ledger.due_for_deletion("raw", *told, date(2026, 11, 17), 14) == (first, second, third)


def test_protected_rows_made_again_are_due_again(settings: Settings, keys: FileKeyStore) -> None:
    days = iter(range(1, 30))
    ledger = open_ledger(settings, keys, lambda: datetime(2026, 11, next(days), 6, tzinfo=UTC))
    delivery = register(ledger)
    ledger.accept(delivery, count=count(), made_by=ONE)
    ledger.protected_deleted(delivery, files=1)
    ledger.accept(delivery, count=count(), made_by=TWO)  # on the 4th
    assert ledger.due_for_deletion("protected", "pula_mobile", "events", date(2026, 11, 13), 10) == ()
    assert ledger.due_for_deletion("protected", "pula_mobile", "events", date(2026, 11, 14), 10) == (delivery,)
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://nobody:secret@127.0.0.1:1/none", "store_unreachable"),
        ("mysql://127.0.0.1/ledger", "usage"),
        ("no url at all", "usage"),
    ],
)
def test_a_database_that_does_not_answer_is_an_error_without_its_password(
    settings: Settings, keys: FileKeyStore, url: str, code: str
) -> None:
    with pytest.raises(AcequiaError) as caught:
        open_ledger(replace(settings, database=url), keys)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)
