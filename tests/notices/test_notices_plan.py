"""What is due to be told, when, to whom: by the calendar and the ledger, at chosen moments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia import pauses
from acequia.notices.awaited import reminders
from acequia.notices.notice import ABOUT, COMMON
from tests.notices.office import CHANGES, FEED, PARTNER, Office, sha

# The day 2026-11-16 ends in Montevideo at 03:00 UTC; its delivery is due at 15:00, missing from 15:00 of the 18th.
DAY = "2026-11-16"


def only(office: Office, period: str = DAY) -> list[tuple[str, str]]:
    return [(kind, role) for kind, label, role in office.kinds() if label == period]


@pytest.fixture
def young(office: Office) -> Office:
    """The agreement begins with the period, so that nothing else is missing."""
    office.agree(terms__signed_on="2026-11-16")
    return office


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-11-17T08:59:59", []),
        ("2026-11-17T09:00:00", [("before_due", "partner")]),
        ("2026-11-17T15:00:00", [("before_due", "partner")]),
        ("2026-11-17T15:00:01", [("late", "partner"), ("late", "steward")]),
        ("2026-11-18T15:00:00", [("late", "partner"), ("late", "steward")]),
        ("2026-11-18T15:00:01", [("delayed", "consumers"), ("missing", "partner"), ("missing", "steward")]),
        ("2027-01-16T02:59:59", [("delayed", "consumers"), ("missing", "partner"), ("missing", "steward")]),
        ("2027-01-16T03:00:00", []),  # sixty days after the end of the period it is looked for no more
    ],
)
def test_what_has_not_come(young: Office, moment: str, told: list[tuple[str, str]]) -> None:
    young.clock.set(moment)
    assert only(young) == told


def test_never_reminds_of_a_period_that_is_not_over(young: Office) -> None:
    young.agree(terms__signed_on="2026-11-16", notices={"before_due_hours": 700})
    young.clock.set("2026-11-17T02:59:59")
    assert only(young) == []
    young.clock.set("2026-11-17T03:00:00")
    assert only(young) == [("before_due", "partner")]


def test_no_reminder_where_none_is_agreed(young: Office) -> None:
    young.agree(terms__signed_on="2026-11-16", notices={"before_due_hours": 0})
    young.clock.set("2026-11-17T14:00:00")
    assert only(young) == []


def test_what_arrived_is_not_asked_for(young: Office) -> None:
    young.clock.set("2026-11-17T14:00:00")
    young.arrived(DAY)
    for moment in ("2026-11-17T14:00:00", "2026-11-17T16:00:00", "2026-12-17T16:00:00"):
        young.clock.set(moment)
        assert only(young) == []


def test_a_paused_feed_is_not_reminded(young: Office) -> None:
    young.clock.set("2026-11-17T09:00:00")
    pauses.pause(young.ledger, PARTNER, FEED, who="steward", because="works on the server")
    young.clock.set("2026-11-20T09:00:00")
    assert {notice[0] for notice in young.kinds()} == {"paused"}
    assert {notice[2] for notice in young.kinds()} == {"partner", "steward", "dpo"}
    pauses.resume(young.ledger, PARTNER, FEED, who="steward", because="done")
    assert {notice[0] for notice in young.kinds()} >= {"resumed", "missing"}
    assert "paused" not in {notice[0] for notice in young.kinds()}


def test_missing_is_told_with_growing_gaps(young: Office) -> None:
    """At once, after 1, 3, 7, 14 and 30 days; each reminder once, and only the newest of them."""
    young.agree(terms__signed_on="2026-11-16", terms__expires_on="2026-11-16", feeds__rides__delivery__watched_days=120)
    begun, told = young.clock.set("2026-11-18T15:00:01"), []
    while young.clock.go(hours=6) < begun + timedelta(days=130):
        for notice in young.notices("missing"):
            if notice.role == "partner" and notice.number not in {number for number, _ in told}:
                told.append((notice.number, (young.clock() - begun) // timedelta(days=1)))
    assert told == [("1", 0), ("2", 1), ("3", 3), ("4", 7), ("5", 14), ("6", 30), ("7", 60), ("8", 90)]


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_reminders_come_with_gaps_that_never_shrink(missing_for: timedelta) -> None:
    days = reminders(missing_for)
    gaps = [after - before for before, after in zip(days, days[1:], strict=False)]
    assert days[0] == 0
    assert timedelta(days=days[-1]) <= missing_for
    assert gaps == sorted(gaps)
    assert len(days) <= 6 + missing_for.days // 30


def test_only_the_newest_reminder_after_an_outage(young: Office) -> None:
    young.clock.set("2026-11-26T00:00:00")
    found = [notice for notice in young.notices("missing") if notice.period == DAY and notice.role == "partner"]
    assert [notice.number for notice in found] == ["4"]
    assert found[0].facts["time"] == 4


# What was done


def test_accepted_and_refused(young: Office) -> None:
    young.clock.set("2026-11-17T06:00:00")
    delivery = young.refused(DAY, "A")
    young.accepted(DAY, "B", differences={"against": str(delivery), "added": 3, "removed": 1, "changed": 2})
    assert only(young) == [("accepted", "partner"), ("refused", "partner"), ("refused", "steward")]
    (told,) = young.notices("accepted")
    assert (told.facts["rows_in"], told.facts["rows_set_aside"], told.facts["version"]) == (1234, 4, 2)
    refused = young.notices("refused")[0]
    assert refused.facts["code"] == "checks_failed"
    assert refused.facts["watched_until"] == "2027-01-16T03:00:00Z"


def test_a_new_reading_with_the_old_outcome_is_no_news(young: Office) -> None:
    delivery = young.accepted(DAY)
    before = young.notices("accepted")[0].key
    young.accepted(DAY, made_by=sha("other terms"))
    assert [notice.key for notice in young.notices("accepted")] == [before]
    young.ledger.refuse(delivery, code="checks_failed", reason="r", who_acts="partner", made_by=sha("third terms"))
    assert young.notices("accepted") == []
    assert {notice.number for notice in young.notices("refused")} == {"v1.t3"}
    young.accepted(DAY)
    assert [notice.number for notice in young.notices("accepted")] == ["v1.t4"]


def test_repeated_bytes(young: Office) -> None:
    young.accepted(DAY)
    young.arrived(DAY, arrival="put there again")
    (told,) = young.notices("repeated")
    assert (told.role, told.facts["stands"]) == ("partner", 1)


def test_published_then_restated_then_taken_out(young: Office) -> None:
    first = young.accepted(DAY, "A")
    young.published(first, content="one")
    assert [(n.role, n.recipients) for n in young.notices("published")] == [("consumers", ("ministry_of_transport",))]
    second = young.accepted(DAY, "B")
    young.published(second, content="two", changes=CHANGES)
    restated = young.notices("restated")
    assert {notice.role for notice in restated} == {"partner", "steward", "consumers"}
    assert restated[0].facts["changes"] == {
        "cells": CHANGES["cells"],
        "measures": {"rides_count": {"total_pct": 1.2, "largest_pct": 12.5}},
    }
    for version in (first, second):
        young.ledger.withdraw(version, who="partner", because="a wrong extract")
    young.ledger.taken_out(second, "rides_by_line", DAY, because="nothing counts to it")
    assert sorted(notice.role for notice in young.notices("withdrawn")) == ["consumers", "partner", "steward"]
    assert {notice.role for notice in young.notices("removed")} == {"steward", "consumers"}
    third = young.accepted(DAY, "C")
    young.published(third, content="three")
    assert len(young.notices("published")) == 2  # what was taken out is not restated: it is there again


def test_a_restatement_that_no_reader_sees_is_not_told(young: Office) -> None:
    young.published(young.accepted(DAY, "A"), content="one")
    nothing = {
        "cells": {**CHANGES["cells"], **dict.fromkeys(("added", "removed", "changed", "newly_withheld", "opened"), 0)}
    }
    young.published(young.accepted(DAY, "B"), content="two", changes=nothing)
    assert young.notices("restated") == []


def test_provisional_cells_are_announced_once_and_when_final(young: Office) -> None:
    month = "2026-11"
    for day, content, provisional in (("16", "one", True), ("17", "two", True), ("18", "three", False)):
        young.clock.go(minutes=1)
        delivery = young.accepted(f"2026-11-{day}", content)
        young.published(
            delivery, month, content=content, provisional=provisional, changes=CHANGES if day > "16" else None
        )
    assert [notice.facts["provisional"] for notice in young.notices("published")] == [True, False]
    assert young.notices("restated") == []
    young.published(young.accepted("2026-11-16", "four"), month, content="four", changes=CHANGES)
    assert len(young.notices("restated")) == 3


def test_the_same_release_again_is_no_news(young: Office) -> None:
    young.published(young.accepted(DAY, "A"), content="one")
    young.published(young.accepted(DAY, "A", made_by=sha("other")), content="one")
    assert len(young.notices("published")) == 1


def test_deeds_of_long_ago_are_not_told(young: Office) -> None:
    young.clock.set("2026-11-17T06:00:00")
    young.published(young.accepted(DAY))
    young.clock.set("2027-01-16T05:59:59")
    assert {kind for kind, _ in only(young)} == {"accepted", "published"}
    young.clock.set("2027-01-16T06:00:01")
    assert only(young) == []
    # What is done today with a delivery of long ago is news.
    young.ledger.withdraw(young.arrived(DAY), who="partner", because="wrong")
    assert {kind for kind, _ in only(young)} == {"withdrawn"}


# The agreement


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2027-10-01", None),
        ("2027-10-02", "ending.90"),
        ("2027-10-31", "ending.90"),
        ("2027-11-01", "ending.60"),
        ("2027-12-01", "ending.30"),
        ("2027-12-24", "ending.7"),
        ("2027-12-31", "ending.7"),
        ("2028-01-01", "ended"),
        ("2028-02-29", "ended"),
        ("2028-03-02", None),
    ],
)
def test_the_agreement_ends(office: Office, day: str, told: str | None) -> None:
    office.clock.set(f"{day}T12:00:00")
    found = office.notices("ending") + office.notices("ended")
    number = {"ended": "2027-12-31"}.get(told or "", f"2027-12-31.{str(told).partition('.')[2]}")
    assert {notice.number for notice in found} == ({number} if told else set())
    assert {notice.role for notice in found} == ({"partner", "steward", "dpo"} if told else set())


def test_the_agreement_has_not_ended_before_it_has_where_the_feed_is(office: Office) -> None:
    office.clock.set("2028-01-01T02:59:59")  # New Year's Eve in Montevideo
    assert office.notices("ended") == []
    office.clock.set("2028-01-01T03:00:00")
    assert len(office.notices("ended")) == 3


def test_a_renewed_agreement_begins_anew(office: Office) -> None:
    office.clock.set("2027-12-30T12:00:00")
    assert len(office.notices("ending")) == 3
    office.agree(terms__version="2.0", terms__expires_on="2029-12-31")
    assert office.notices("ending") == []


# Whoever is told


def test_one_office_with_two_roles_is_told_once(young: Office) -> None:
    young.agree(terms__signed_on="2026-11-16", terms__contacts__steward="data@nandu.example")
    young.clock.set("2026-11-17T16:00:00")
    assert [due.endpoint.role for due in young.due()] == ["partner"]


def test_webhooks_are_told_besides(young: Office) -> None:
    young.agree(terms__signed_on="2026-11-16", notices={"webhooks": {"partner": "one", "consumers": "two"}})
    young.clock.set("2026-11-18T16:00:00")
    found = {(due.notice.kind, due.endpoint.channel, due.endpoint.target) for due in young.due()}
    assert ("missing", "webhook", "one") in found
    assert ("missing", "mail", "data@nandu.example") in found
    assert ("delayed", "webhook", "two") in found
    assert ("delayed", "mail", "data@transport.example") in found
    assert not [one for one in found if one[2] == "bank@central.example"]  # it may not read the table


def test_every_key_is_one_of_its_own_and_fits(young: Office) -> None:
    _everything(young)
    keys = [due.key for due in young.due()]
    assert len(keys) == len(set(keys)) > 15
    assert max(map(len, keys)) < 300


def test_every_notice_has_its_facts(young: Office) -> None:
    _everything(young)
    for due in young.due():
        assert set(due.notice.facts) >= COMMON | ABOUT[due.notice.kind].facts, due.notice.kind


def _everything(office: Office) -> None:
    office.clock.set("2026-11-17T06:00:00")
    office.published(office.accepted(DAY, "A"), content="one")
    office.arrived(DAY, "A", arrival="again")
    second = office.accepted(DAY, "B")
    office.published(second, content="two", changes=CHANGES)
    office.refused("2026-11-17")
    pauses.pause(office.ledger, PARTNER, "other", who="x", because="y")
    office.ledger.withdraw(second, who="partner", because="wrong")
    office.ledger.taken_out(second, "rides_by_line", DAY, because="z")
    office.clock.set("2026-11-22T06:00:00")
