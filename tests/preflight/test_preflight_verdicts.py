"""The verdict of preflight is the server's: code, words, counts by reason, checks, and cells withheld."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acequia.agreement.load import find
from acequia.simulate.bad import kinds_of
from tests.pipeline.world import World
from tests.preflight.served import by_preflight, by_server

PARTNERS = Path(__file__).resolve().parents[2] / "config" / "partners"
FEEDS = (
    ("pula_mobile", "events", "2026-11-10"),
    ("ceibo_pay", "transactions", "2026-11-10"),
    ("rambla_market", "scanner", "2026-W46"),
    ("kgale_rides", "trips", "2026-10"),
    ("kgale_rides", "driver_hours", "2026-10"),
)
# Nothing is there to be judged, or it takes a million rows: tests/validate has the bound itself.
LEFT_OUT = {"missing", "too_many_rows"}
QUICK = {
    "pula_mobile": ("good", "truncated", "out_of_range", "file_not_sent", "archive_bomb"),
    "ceibo_pay": ("good", "column_unlisted", "not_the_format"),
    "rambla_market": ("good", "wrong_type", "column_missing"),
    "kgale_rides": ("good", "too_few_rows"),
}


def cases() -> Iterator[object]:
    for partner, feed, period in FEEDS:
        for kind in ("good", *kinds_of(find(PARTNERS, partner).agreement.feed(feed))):
            if kind not in LEFT_OUT:
                slow = () if kind in QUICK[partner] and feed != "driver_hours" else (pytest.mark.stack,)
                yield pytest.param(partner, feed, period, kind, marks=slow, id=f"{feed}-{kind}")


@pytest.mark.parametrize(("partner", "feed", "period", "kind"), list(cases()))
def test_preflight_says_what_the_server_says(world: World, partner: str, feed: str, period: str, kind: str) -> None:
    written = world.deliver(partner, feed, period, rows=1200, bad=None if kind == "good" else kind)
    inbox = world.settings.home / "inbox" / partner
    files = sorted(path for path in inbox.rglob("*") if path.is_file())
    period = written.period.label
    there = by_preflight(world, partner, feed, period, files)
    assert world.landed() == [] and world.statuses() == {}, "preflight wrote into the installation"
    here = by_server(world, partner, feed, period, inbox)
    assert there == here
    expected = None if kind == "good" else kinds_of(find(PARTNERS, partner).agreement.feed(feed))[kind]
    assert here.code in (expected, "manifest_missing" if kind == "manifest_missing" else expected)
