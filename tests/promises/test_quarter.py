"""A simulated quarter of twenty feeds: on each morning every state equals the oracle's, and nothing is lost or counted
twice. The watch alone drives it, with a clock of its own, through an outage of ours, a pause and a broken agreement.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import yaml

from acequia.agreement.load import versions
from acequia.ledger.book import Ledger
from acequia.opening import lake_of, ledger_of, open_work
from acequia.pauses import pause, resume
from acequia.period import Period
from acequia.promises.board import Promise, board
from acequia.promises.service import service_level
from acequia.promises.states import STATES
from acequia.receive.connections import resolver
from acequia.settings import Settings
from acequia.upkeep import delete_protected, delete_raw
from acequia.watch.round import Watch
from acequia.withdrawal import withdraw
from tests.promises import oracle
from tests.promises.quarter import FIRST, LAST, Feed, Play, feeds, plan

PROJECT = Path(__file__).resolve().parents[2]
OUTAGE = (date(2026, 11, 10), date(2026, 11, 11))
PAUSED = ("north_bw", "sales", date(2026, 10, 12), date(2026, 10, 20))
BROKEN = ("east_us", date(2026, 10, 5), date(2026, 10, 7))
WITHDRAWALS = (date(2026, 9, 30), date(2026, 10, 15), date(2026, 10, 27), date(2026, 11, 13), date(2026, 11, 20))
MORNINGS = [FIRST + timedelta(days=n) for n in range(1, (LAST - FIRST).days + 14)]

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]


@dataclass
class Clock:
    """Hands out the simulated moment, a little later each time."""

    now: datetime

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class Office:
    """Our side: an installation whose ledger has the simulated clock."""

    settings: Settings
    clock: Clock
    ledger: Ledger
    feeds: list[Feed]

    def round(self) -> None:
        watch = Watch(self.settings, self.ledger, resolver(self.settings))
        done = watch.round(tell=False)
        assert all(ran.result in ("published", "accepted", "repeated", "refused") for ran in done.ran
                   if ran.code != "delivery_withdrawn"), done.ran  # fmt: skip

    def board(self, partners: set[str]) -> list[Promise]:
        agreements = [versions(self.settings.partners, partner) for partner in sorted(partners)]
        return board(agreements, self.settings.reference, self.ledger, FIRST, LAST, self.clock.now)

    def withdraw(self, feed: Feed, days: tuple[date, ...]) -> None:
        period = Period.parse(oracle.label(feed.kind, days[0]))
        work = replace(open_work(self.settings, feed.partner, feed.name, period), ledger=self.ledger)

        def delete(*about: object) -> None:
            delete_protected(*about)  # type: ignore[arg-type]
            delete_raw(*about)  # type: ignore[arg-type]

        withdraw(work, who="steward", because="a test", erase=False, delete=delete)


def agreement(of_partner: list[Feed], number: int) -> str:
    """The agreement file of a partner, in one of its versions."""
    since, terms = of_partner[0].terms[number]
    first = of_partner[0].terms[0][1].starts
    told = {
        "partner": of_partner[0].partner,
        "name": of_partner[0].partner,
        "country": "BW",
        "terms": {
            "version": f"{number + 1}.0",
            "legal_basis": "an invented law",
            "purposes": ["official_statistics"],
            "signed_on": first.isoformat(),
            "expires_on": terms.ends.isoformat(),
            "raw_kept_days": 400,
            "protected_kept_days": 400,
            "contacts": {"partner": "a@partner.example", "steward": "s@office.example", "dpo": "d@office.example"},
            "recipients": ["statistics_office"],
        },
        "feeds": {feed.name: feed_of(feed, feed.terms[number][1]) for feed in of_partner},
    }
    if number:
        told["terms"]["effective_from"] = since.isoformat()  # type: ignore[index]
    return yaml.safe_dump(told, sort_keys=False)


def feed_of(feed: Feed, terms: oracle.Terms) -> dict[str, object]:
    own = sorted(terms.free & {FIRST + timedelta(days=n) for n in range(4, 9)})
    delivery = {
        "source": {"type": "folder", "path": f"{feed.name}/{{period}}/*.csv"},
        "format": "csv",
        "schedule": "0 7 * * *",
        "timezone": terms.zone,
        "period": terms.kind,
        "due_within_hours": terms.due_within_hours,
        "grace_hours": terms.grace_hours,
        "watched_days": feed.watched_days,
        "nothing_due": [day.isoformat() for day in own],
        "manifest": "required" if feed.manifest else "none",
        "settle_seconds": 0,
    }
    if feed.calendar:
        delivery["calendar"] = feed.calendar
    if terms.kind == "day":
        delivery["weekdays"] = list(terms.weekdays)
    measures = {"rows_count": {"count": "rows"}, "amount_sum": {"sum": "amount"}}
    table = {"describe": "invented", "by": ["area"], "measures": measures, "protect": {"none_because": "invented"}}
    tables = {f"{feed.name}_by_area": table}
    if terms.kind == "week":
        tables[f"{feed.name}_by_month"] = {**table, "over": "month", "release": "each_delivery"}
    columns = {
        "area": {"type": "integer", "treat": "keep", "one_of": [1, 2, 3]},
        "amount": {"type": "integer", "treat": "keep"},
    }
    return {"delivery": delivery, "columns": columns, "tables": tables}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    root = tmp_path_factory.mktemp("quarter")
    shutil.copytree(PROJECT / "config" / "reference", root / "config" / "reference")
    partners = root / "config" / "partners"
    partners.mkdir()
    every = feeds(root / "config" / "reference")
    for partner in {feed.partner for feed in every}:
        own = [feed for feed in every if feed.partner == partner]
        newest = len(own[0].terms) - 1
        (partners / f"{partner}.yaml").write_text(agreement(own, newest))
        for number in range(newest):
            (partners / partner).mkdir(exist_ok=True)
            (partners / partner / f"{number + 1}.0.yaml").write_text(agreement(own, number))
    settings = Settings.from_environment({"ACEQUIA_HOME": str(root / "home"), "ACEQUIA_CONFIG": str(root / "config")})
    clock = Clock(datetime(2026, 9, 1, tzinfo=UTC))
    return Office(settings, clock, replace(ledger_of(settings), clock=clock), every)


def test_a_quarter(office: Office) -> None:
    play = Play(office.settings.home / "inbox", plan(office.feeds, seed=20260901))
    states: Counter[str] = Counter()
    chance = random.Random(7)
    for morning in MORNINGS:
        office.clock.now = datetime(morning.year, morning.month, morning.day, 6, tzinfo=UTC)
        now = office.clock.now.timestamp()
        play.go_on_until(now)
        with disturbed(office, morning) as blind:
            if morning not in OUTAGE:
                office.round()
                play.looked(now, blind)
            states += compare(office, play, {feed.partner for feed in office.feeds} - {BROKEN[0]})
        if BROKEN[0] not in {feed.partner for feed in blind}:
            states += compare(office, play, {BROKEN[0]})
        if morning in WITHDRAWALS:
            standing = [key for key, known in play.seen.items() if known.stands]
            feed, days = chance.choice(sorted(standing, key=lambda key: (key[0].partner, key[0].name, key[1])))
            office.withdraw(feed, days)
            play.withdrawn(feed, days, now + 1)
    assert set(states) == set(STATES), "the quarter must hold every state"
    assert office.ledger.verify() == []
    nothing_is_lost_or_counted_twice(office, play)
    tables_equal_a_recomputation(office, play)
    levels(office)


class disturbed:  # noqa: N801 - reads as a word
    """What is wrong on our side this morning; hands out the feeds that we cannot see."""

    def __init__(self, office: Office, morning: date) -> None:
        self.office, self.morning = office, morning
        self.file = office.settings.partners / f"{BROKEN[0]}.yaml"
        self.text = ""

    def __enter__(self) -> list[Feed]:
        partner, name, since, until = PAUSED
        if self.morning == since:
            pause(self.office.ledger, partner, name, who="steward", because="a test")
        if self.morning == until:
            resume(self.office.ledger, partner, name, who="steward", because="a test")
        blind = [feed for feed in self.office.feeds if (feed.partner, feed.name) == (partner, name)]
        blind = blind if since <= self.morning < until else []
        if BROKEN[1] <= self.morning < BROKEN[2]:
            self.text = self.file.read_text()
            self.file.write_text("partner: [unclosed")
            blind += [feed for feed in self.office.feeds if feed.partner == BROKEN[0]]
        return blind

    def __exit__(self, *_: object) -> None:
        if self.text:
            self.file.write_text(self.text)


def compare(office: Office, play: Play, partners: set[str]) -> Counter[str]:
    """Every promise of the quarter, as it stands now, against the oracle."""
    now = office.clock.now.timestamp()
    found = {(one.partner, one.feed, one.period.label): one for one in office.board(partners)}
    expected = dict(told(office, play, now, partners))
    assert found.keys() == expected.keys()
    for key, other in expected.items():
        one = found[key]
        assert (
            one.state, one.stands, one.versions, one.repeats, one.punctuality, one.decided, one.newest_refused,
            one.due_at and one.due_at.timestamp(),
        ) == (
            other.state, other.stands, other.versions, other.repeats, other.punctuality, other.decided,
            other.newest_refused, other.due,
        ), (office.clock.now, key, one, other)  # fmt: skip
    return Counter(one.state for one in found.values())


def told(
    office: Office, play: Play, now: float, partners: set[str]
) -> Iterator[tuple[tuple[str, str, str], oracle.Told]]:
    for feed in office.feeds:
        for days in feed.periods() if feed.partner in partners else ():
            known = play.seen.get((feed, days))
            terms = feed.of(days[0])
            label = oracle.label(feed.kind, days[0])
            yield (feed.partner, feed.name, label), oracle.tell(terms, days, known.deeds if known else (), now + 5)


def nothing_is_lost_or_counted_twice(office: Office, play: Play) -> None:
    """Each version that came is in the ledger once, with the rows that it had."""
    rows = {(row.partner, row.feed, row.period, row.version): row for row in office.ledger.deliveries()}
    sent = Counter(
        (feed.partner, feed.name, oracle.label(feed.kind, days[0]))
        for (feed, days), known in play.seen.items()
        for deed in known.deeds
        if deed.what == "sent"
    )
    assert Counter(key[:3] for key in rows) == sent
    for (feed, days), known in play.seen.items():
        label = oracle.label(feed.kind, days[0])
        standing = [row for key, row in rows.items() if key[:3] == (feed.partner, feed.name, label)
                    and row.status in ("accepted", "published")]  # fmt: skip
        assert [row.rows_in for row in standing] == ([len(known.stands.rows)] if known.stands else [])


def final(play: Play, feed: Feed) -> pd.DataFrame:
    """The rows of all final versions: one row per row of the partner's, with its period and month."""
    parts = [
        pd.DataFrame(known.stands.rows, columns=["area", "amount"]).assign(
            period=oracle.label(feed.kind, days[0]),
            month=f"{days[3 if feed.kind == 'week' else 0]:%Y-%m}",
        )
        for (of, days), known in play.seen.items()
        if of == feed and known.stands
    ]
    return pd.concat(parts) if parts else pd.DataFrame(columns=["area", "amount", "period", "month"])


def tables_equal_a_recomputation(office: Office, play: Play) -> None:
    lake = lake_of(office.settings)
    for feed in office.feeds:
        tables = {"by_area": "period", **({"by_month": "month"} if feed.kind == "week" else {})}
        for table, window in tables.items():
            ours = final(play, feed)
            grouped = ours.groupby([window, "area"])["amount"].agg(["size", "sum"]).reset_index()
            expected = sorted(map(tuple, grouped.to_numpy().tolist()))
            if not expected:
                continue
            read = lake.read(f"{feed.partner}.{feed.name}_{table}").to_pandas()
            found = sorted(map(tuple, read[["period", "area", "rows_count", "amount_sum"]].to_numpy().tolist()))
            assert found == expected, (feed.partner, feed.name, table)


def levels(office: Office) -> None:
    """The service level counts each period that was due once."""
    promises = office.board({feed.partner for feed in office.feeds})
    due = [one for one in promises if one.due_at is not None and one.state != "expected"]
    found = service_level(promises)
    assert sum(level.due for level in found) == len(due)
    assert all(level.due == level.on_time + level.late + level.missing + level.refused for level in found)
