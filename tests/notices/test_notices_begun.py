"""What was due before an installation knew of a feed is not asked for: nobody here was to await it."""

from __future__ import annotations

import yaml

from tests.notices.office import AGREEMENT, FEED, PARTNER, Office


def anew(office: Office) -> None:
    """A second feed, which this office never saw."""
    other = yaml.safe_load(AGREEMENT)["feeds"][FEED]
    other["tables"] = {"others_by_line": other["tables"]["rides_by_line"]}
    office.agree(feeds__others=other)


def asked_for(office: Office) -> set[tuple[str, str | None]]:
    return {(one.notice.feed, one.notice.period) for one in office.due() if one.notice.kind in ("late", "missing")}


def test_a_new_feed_counts_from_the_first_round_that_knows_it(office: Office) -> None:
    anew(office)
    office.clock.set("2026-11-17T16:00:00")
    assert {feed for feed, _ in asked_for(office)} == {FEED}, "it was never seen, so nothing of it is overdue"
    office.send()
    office.clock.go(days=1)
    assert {period for feed, period in asked_for(office) if feed == "others"} == {"2026-11-17"}
    office.clock.go(days=3)
    assert {period for feed, period in asked_for(office) if feed == "others"} == {
        "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20",
    }  # fmt: skip


def test_it_is_noted_once_and_the_ledger_is_whole(office: Office) -> None:
    anew(office)
    office.send()
    length = office.ledger.length()
    office.clock.go(hours=1)
    office.send()
    assert office.ledger.length() == length
    assert office.ledger.verify(whole=True) == []


def test_a_delivery_that_came_before_any_round_is_the_beginning(office: Office) -> None:
    anew(office)
    office.clock.set("2026-11-10T20:00:00")
    office.ledger.register(
        PARTNER, "others", office.accepted("2026-11-10").of_period(), content_sha256="a" * 64, agreement_version="1.0",
        agreement_sha256=office.versions[-1].sha256, files=(), arrival="b" * 64,
    )  # fmt: skip
    office.clock.set("2026-11-14T20:00:00")
    assert {period for feed, period in asked_for(office) if feed == "others"} == {
        "2026-11-11", "2026-11-12", "2026-11-13"
    }  # fmt: skip
