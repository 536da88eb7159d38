"""Sent again, put back, withdrawn: what the ledger makes of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger.book import Ledger
from acequia.period import Period
from tests.ledger.deeds import FEED, ONE, PARTNER, count, files_of, refuse, register, run_through, sha

SENT = datetime(2026, 11, 17, 5, 59, tzinfo=UTC)


def arrive(
    ledger: Ledger, content: str, arrival: str, sent_at: datetime | None = None, period: str = "2026-11-16"
) -> DeliveryId:
    return ledger.register(
        PARTNER, FEED, Period.parse(period), content_sha256=sha(content), agreement_version="1.2",
        agreement_sha256=sha("agreement 1.2"), files=files_of(content), arrival=sha(arrival), sent_at=sent_at,
        signed_by="key-1",
    )  # fmt: skip


def kinds(ledger: Ledger, delivery: DeliveryId) -> list[str]:
    return [entry.kind for entry in ledger.history(delivery)]


def test_looking_again_at_what_lies_there_is_nothing(ledger: Ledger) -> None:
    first = arrive(ledger, "A", "one", SENT)
    assert arrive(ledger, "A", "one", SENT) == first
    assert kinds(ledger, first) == ["received"]
    (row,) = ledger.deliveries()
    assert (row.sent_at, row.arrival, row.signed_by) == ("2026-11-17T05:59:00.000000Z", sha("one"), "key-1")
    assert (row.repeats, row.last_repeat_at, row.withdrawn_at) == (0, None, None)


def test_the_same_bytes_put_there_again_are_a_repetition_each_told_once(ledger: Ledger) -> None:
    first = run_through(ledger, "A", "2026-11-16")
    arrive(ledger, "A", "one")  # a ledger of before did not know how it had come: this is no repetition
    assert (ledger.deliveries()[0].repeats, ledger.deliveries()[0].arrival) == (0, sha("one"))
    for arrival in ("two", "two", "three", "two"):
        assert arrive(ledger, "A", arrival) == first
    assert kinds(ledger, first)[-3:] == ["arrival_known", "repeated", "repeated"]
    assert ledger.history(first)[-1].said["stands"] == str(first)
    (row,) = ledger.deliveries()
    assert (row.repeats, row.arrival, row.last_repeat_at) == (2, sha("three"), ledger.history(first)[-1].at)
    assert ledger.arrivals(PARTNER, FEED, "2026-11-16") == {sha("one"), sha("two"), sha("three")}
    assert ledger.receipt("repeated", first).name == "05-repeated.jws"
    assert ledger.verify() == []


def test_what_lay_there_before_counts_as_new_when_it_is_put_back(ledger: Ledger) -> None:
    arrive(ledger, "A", "one")
    second = arrive(ledger, "B", "two")
    assert ledger.arrivals(PARTNER, FEED, "2026-11-16") == frozenset()  # nothing was decided: it is to be taken up
    refuse(ledger, second)
    assert ledger.arrivals(PARTNER, FEED, Period.parse("2026-11-16")) == {sha("two")}
    assert arrive(ledger, "A", "one").version == 3
    assert ledger.arrivals(PARTNER, FEED, "2026-11-17") == frozenset()


def test_nothing_is_sent_after_it_was_received(ledger: Ledger) -> None:
    arrive(ledger, "A", "one", datetime(2099, 1, 1, tzinfo=UTC))
    (row,) = ledger.deliveries()
    assert row.sent_at == row.received_at


def test_withdrawn_bytes_stay_withdrawn_and_no_older_version_comes_back(ledger: Ledger) -> None:
    run_through(ledger, "A")
    second = run_through(ledger, "B")
    ledger.withdraw(second, who="steward", because="sent by mistake")
    ledger.withdraw(second, who="steward", because="told twice")
    assert kinds(ledger, second).count("withdrawn") == 1
    assert ledger.accepted(PARTNER, FEED) == ()
    assert ledger.deliveries()[1].status == "withdrawn"
    for tell in (
        lambda: ledger.accept(second, count=count(), made_by=ONE),
        lambda: refuse(ledger, second),
    ):
        with pytest.raises(AcequiaError) as error:
            tell()
        assert error.value.code == "delivery_withdrawn"
    assert register(ledger, "B") == second
    third = run_through(ledger, "C")
    assert ledger.accepted(PARTNER, FEED) == (third,)
    assert register(ledger, "B") == second  # also when something newer came since
    ledger.withdraw(second, who="steward", because="by law", erase=True)
    assert ledger.state(second).erased
    assert ledger.accepted(PARTNER, FEED) == (third,)
    assert ledger.receipt("withdrawn", second).exists()
    assert ledger.verify() == []


def test_what_lies_at_the_source_is_still_known_after_something_was_brought_by_hand(ledger: Ledger) -> None:
    arrive(ledger, "A", "one")
    refuse(ledger, arrive(ledger, "B", "two"))
    refuse(ledger, arrive(ledger, "C", "C"))  # by hand: the arrival is the content
    assert ledger.arrivals(PARTNER, FEED, "2026-11-16") == {sha("C"), sha("two")}
    refuse(ledger, arrive(ledger, "D", "C"))  # rows of what was brought by hand were corrected
    assert ledger.arrivals(PARTNER, FEED, "2026-11-16") == {sha("C"), sha("two")}
    refuse(ledger, arrive(ledger, "A", "one"))
    assert ledger.arrivals(PARTNER, FEED, "2026-11-16") == {sha("one")}
