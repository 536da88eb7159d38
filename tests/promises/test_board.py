"""The board against a real ledger: versions of an agreement, pauses, service levels, and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from acequia.agreement.load import versions
from acequia.cli import cli
from acequia.flow import Count, DeliveryId, LandedFile
from acequia.ledger.book import Ledger
from acequia.opening import ledger_of
from acequia.pauses import pause
from acequia.period import Period
from acequia.promises.board import Promise, board
from acequia.promises.service import service_level
from acequia.settings import Settings
from tests.pipeline.world import make_world

PARTNER, FEED = "ceibo_pay", "transactions"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = make_world(tmp_path).settings
    for path in made.partners.glob("*.yaml"):
        if path.stem != PARTNER:
            path.unlink()
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(settings: Settings, clock: Clock) -> Ledger:
    return replace(ledger_of(settings), clock=clock)


def promises(settings: Settings, book: Ledger, first: date, last: date, now: datetime = NOW) -> dict[str, Promise]:
    found = board([versions(settings.partners, PARTNER)], settings.reference, book, first, last, now)
    return {one.period.label: one for one in found}


def arrive(book: Ledger, day: str, content: str, sent_at: datetime, arrival: str) -> DeliveryId:
    file = LandedFile(stored=f"{day}/{content}/1.age", bytes=1, sha256=content * 64)
    return book.register(
        PARTNER, FEED, Period.parse(day), content_sha256=content * 64, agreement_version="1.0",
        agreement_sha256="0" * 64, files=[file], arrival=arrival * 64, sent_at=sent_at,
    )  # fmt: skip


def accept(book: Ledger, delivery: DeliveryId) -> None:
    book.accept(delivery, count=Count(rows_in=1, rows_out=1), made_by="0" * 64)


def test_the_story_of_a_week(settings: Settings, book: Ledger, clock: Clock) -> None:
    due = promises(settings, book, date(2026, 11, 9), date(2026, 11, 9))["2026-11-09"].due_at
    assert due is not None
    clock.now = due + timedelta(days=2)
    early = arrive(book, "2026-11-09", "a", due, "1")
    undecided = promises(settings, book, date(2026, 11, 9), date(2026, 11, 9))["2026-11-09"]
    assert (undecided.state, undecided.decided, undecided.stands) == ("on_time", False, None)
    accept(book, early)
    on_time = promises(settings, book, date(2026, 11, 9), date(2026, 11, 9))["2026-11-09"]
    assert (on_time.state, on_time.decided, on_time.stands, on_time.sent_at) == ("on_time", True, 1, due)
    clock.now += timedelta(hours=1)
    arrive(book, "2026-11-09", "a", clock.now, "2")
    again = promises(settings, book, date(2026, 11, 9), date(2026, 11, 9))["2026-11-09"]
    assert (again.state, again.repeats, again.versions) == ("duplicate", 1, 1)
    clock.now += timedelta(hours=1)
    worse = arrive(book, "2026-11-09", "b", clock.now, "3")
    book.refuse(worse, code="checks_failed", reason="a test", who_acts="partner", made_by="0" * 64)
    held = promises(settings, book, date(2026, 11, 9), date(2026, 11, 9))["2026-11-09"]
    assert (held.state, held.newest_refused, held.stands, held.code) == ("duplicate", True, 1, None)
    accept(book, arrive(book, "2026-11-09", "c", clock.now, "4"))
    corrected = promises(settings, book, date(2026, 11, 9), date(2026, 11, 9))["2026-11-09"]
    assert (corrected.state, corrected.stands, corrected.versions, corrected.punctuality) == (
        "corrected",
        3,
        3,
        "on_time",
    )


def test_a_corrected_manifest_is_no_repetition(settings: Settings, book: Ledger, clock: Clock) -> None:
    day = date(2026, 11, 9)
    refused = arrive(book, day.isoformat(), "a", NOW - timedelta(days=20), "1")
    book.refuse(refused, code="manifest_missing", reason="a test", who_acts="partner", made_by="0" * 64)
    assert promises(settings, book, day, day)[day.isoformat()].state == "partial"
    clock.now += timedelta(hours=1)
    accept(book, arrive(book, day.isoformat(), "a", clock.now, "2"))
    found = promises(settings, book, day, day)[day.isoformat()]
    assert (found.state, found.versions, found.repeats) == ("on_time", 1, 1)


def test_each_period_goes_by_the_version_in_force(settings: Settings, book: Ledger) -> None:
    file = settings.partners / f"{PARTNER}.yaml"
    old = file.read_text()
    (settings.partners / PARTNER).mkdir()
    (settings.partners / PARTNER / "1.0.yaml").write_text(old)
    assert "due_within_hours: 24" in old and "version: '1.0'" in old and "signed_on: 2026-03-01" in old
    new = old.replace("due_within_hours: 24", "due_within_hours: 10").replace("version: '1.0'", "version: '2.0'")
    file.write_text(new.replace("signed_on: 2026-03-01", "signed_on: 2026-03-01\n  effective_from: 2026-11-11"))
    found = promises(settings, book, date(2026, 11, 10), date(2026, 11, 11))
    assert [(one.agreement_version, one.due_at and one.due_at.isoformat()) for one in found.values()] == [
        ("1.0", "2026-11-12T03:00:00+00:00"),
        ("2.0", "2026-11-12T13:00:00+00:00"),
    ]
    before = promises(settings, book, date(2026, 2, 27), date(2026, 3, 1))
    assert [one.state for one in before.values()] == ["not_due", "not_due", "missing"]


def test_a_paused_feed_keeps_its_states_and_says_so(settings: Settings, book: Ledger) -> None:
    before = promises(settings, book, date(2026, 11, 1), date(2026, 11, 20))
    pause(book, PARTNER, who="steward", because="a test")
    after = promises(settings, book, date(2026, 11, 1), date(2026, 11, 20))
    assert {label: replace(one, paused=True) for label, one in before.items()} == after


def test_how_promises_were_kept(settings: Settings, book: Ledger, clock: Clock) -> None:
    days = promises(settings, book, date(2026, 10, 5), date(2026, 10, 9))
    for number, (label, one) in enumerate(days.items()):
        assert one.due_at is not None
        if number < 4:  # in time, two and five hours late, refused; the fifth never comes
            sent = one.due_at + timedelta(hours=[0, 2, 5, 0][number])
            delivery = arrive(book, label, "abcd"[number], sent, "1234"[number])
            if number < 3:
                accept(book, delivery)
            else:
                book.refuse(delivery, code="checks_failed", reason="x", who_acts="partner", made_by="0" * 64)
    (level,) = service_level(promises(settings, book, date(2026, 10, 5), date(2026, 10, 9)).values())
    assert level.as_row() == {
        "partner": PARTNER, "feed": FEED, "month": "2026-10", "due": 5, "on_time": 1, "late": 2, "missing": 1,
        "refused": 1, "on_time_pct": 20.0, "hours_late_median": 3.5,
    }  # fmt: skip


def test_the_command(settings: Settings, book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACEQUIA_HOME", str(settings.home))
    monkeypatch.setenv("ACEQUIA_CONFIG", str(settings.config))
    (settings.partners / "broken_one.yaml").write_text("partner: [")
    asked = ["calendar", "--from", "2026-10-05", "--to", "2026-10-06", "--json"]
    told = CliRunner().invoke(cli, asked, standalone_mode=False)
    rows = json.loads(told.stdout)
    assert [(row["period"], row["state"]) for row in rows] == [("2026-10-05", "missing"), ("2026-10-06", "missing")]
    assert "broken_one is left out: agreement_invalid" in told.stderr
    few = CliRunner().invoke(cli, [*asked[:-1], "--state", "late"], standalone_mode=False)
    assert few.stdout.strip() == "Nothing."
