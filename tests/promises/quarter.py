"""Five invented partners with twenty feeds through a quarter: what they put out, and what we must have seen of it.

Nothing of the product is used here. `Play` is the world outside: folders at the partners, with the times at which their
files appeared. It also tells, for the oracle, what anyone who looks at given moments sees.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from tests.promises import oracle

FIRST, LAST = date(2026, 9, 1), date(2026, 11, 30)
HOUR = 3600
AREAS = (1, 2, 3)


@dataclass(frozen=True)
class Feed:
    """One feed: `terms` for the oracle by the day from which they hold."""

    partner: str
    name: str
    terms: tuple[tuple[date, oracle.Terms], ...]
    manifest: bool
    watched_days: int
    calendar: str | None

    @property
    def kind(self) -> str:
        return self.terms[0][1].kind

    @property
    def zone(self) -> str:
        return self.terms[0][1].zone

    def of(self, first: date) -> oracle.Terms:
        """The terms for a period that begins on this day."""
        return [terms for since, terms in self.terms if since <= first or since == self.terms[0][0]][-1]

    def periods(self) -> Iterator[tuple[date, ...]]:
        """The days of each period that ends inside the quarter."""
        days = oracle.period_days(self.kind, FIRST)
        while days[-1] <= LAST:
            yield tuple(days)
            days = oracle.period_days(self.kind, days[-1] + oracle.ONE_DAY)


@dataclass(frozen=True)
class Content:
    """What files hold. `flaw` is what is wrong with them, `hidden` a manifest that has not come yet."""

    rows: tuple[tuple[int, int], ...]
    flaw: str = ""

    @property
    def fate(self) -> tuple[str, str]:
        codes = {"": ("taken", ""), "wrong_value": ("turned_away", "rows_invalid"),
                 "no_column": ("turned_away", "column_missing"), "empty": ("turned_away", "file_empty"),
                 "half": ("turned_away", "file_not_sent"), "wrong_sum": ("turned_away", "checksum_differs"),
                 "hidden": ("", "")}  # fmt: skip
        return codes[self.flaw]

    @property
    def data(self) -> tuple[object, ...]:
        """What makes two contents the same bytes."""
        return (self.rows, self.flaw if self.flaw in ("no_column", "empty", "half", "wrong_value") else "")


@dataclass(frozen=True)
class Put:
    """The partner puts files out at a moment (epoch seconds)."""

    at: float
    feed: Feed
    days: tuple[date, ...]
    content: Content


@dataclass
class Seen:
    """What we know of one period: deeds, and which put was looked at last."""

    deeds: list[oracle.Deed] = field(default_factory=list)
    put: Put | None = None
    newest: Content | None = None
    stands: Content | None = None
    every: set[tuple[object, ...]] = field(default_factory=set)
    withdrawn: set[tuple[object, ...]] = field(default_factory=set)


@dataclass
class Play:
    """The world outside, as far as it has gone."""

    root: Path
    puts: list[Put]
    seen: dict[tuple[Feed, tuple[date, ...]], Seen] = field(default_factory=dict)
    out: dict[tuple[Feed, tuple[date, ...]], Put] = field(default_factory=dict)

    def go_on_until(self, now: float) -> None:
        """Everything that partners did until then lies in their folders."""
        while self.puts and self.puts[0].at <= now:
            put = self.puts.pop(0)
            write(self.root / put.feed.partner, put)
            self.out[put.feed, put.days] = put

    def looked(self, now: float, blind: Sequence[Feed] = ()) -> None:
        """We look at everything but some feeds."""
        for (feed, days), put in self.out.items():
            known = self.seen.setdefault((feed, days), Seen())
            if feed not in blind and put is not known.put and put.content.fate[0] and watched(feed, days, now):
                known.put = put
                notice(known, put, now)

    def withdrawn(self, feed: Feed, days: tuple[date, ...], now: float) -> None:
        known = self.seen[feed, days]
        known.deeds.append(oracle.Deed("withdrawn_all", now))
        known.withdrawn |= known.every
        known.stands = None


def watched(feed: Feed, days: tuple[date, ...], now: float) -> bool:
    """Whether a period is over, is looked for still, and is covered by the terms."""
    terms = feed.of(days[0])
    if days[0] < terms.starts or days[-1] > terms.ends:
        return False
    over = oracle.day_begins(feed.zone, days[-1] + oracle.ONE_DAY)
    until = oracle.day_begins(feed.zone, days[-1] + timedelta(days=1 + feed.watched_days))
    return over <= now < until


def notice(known: Seen, put: Put, now: float) -> None:
    fate, code = put.content.fate
    if put.content.data in known.withdrawn:
        known.deeds.append(oracle.Deed("withdrawn_again", now))
    elif known.newest and known.newest.data == put.content.data:
        known.deeds.append(oracle.Deed("again", now))
        if known.newest.flaw == "wrong_sum":  # the manifest alone was wrong
            known.deeds.append(oracle.Deed("fate", now, 0, fate, code))
            known.stands = put.content if fate == "taken" else known.stands
        known.newest = put.content
    else:
        known.deeds.append(oracle.Deed("sent", now, put.at, fate, code))
        known.every.add(put.content.data)
        known.newest = put.content
        known.stands = put.content if fate == "taken" else known.stands


# Files.


def write(inbox: Path, put: Put) -> None:
    """Replace what lies there for the period; every file appears at the moment of the put."""
    feed, content = put.feed, put.content
    folder = inbox / feed.name / oracle.label(feed.kind, put.days[0])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    half = len(content.rows) // 2
    parts = {"a.csv": content.rows[:half], "b.csv": content.rows[half:]}
    listed = []
    for name, rows in parts.items():
        data = text(rows, content.flaw if name == "b.csv" else "").encode()
        sha256 = hashlib.sha256(b"other" if content.flaw == "wrong_sum" else data).hexdigest()
        listed.append({"name": name, "bytes": len(data), "sha256": sha256})
        if not (content.flaw == "half" and name == "b.csv"):
            (folder / name).write_bytes(data)
    if feed.manifest and content.flaw != "hidden":
        (folder / "manifest.json").write_text(json.dumps({"files": listed}))
    for path in folder.iterdir():
        os.utime(path, (put.at, put.at))


def text(rows: Sequence[tuple[int, int]], flaw: str) -> str:
    if flaw == "empty":
        return ""
    columns = "area" if flaw == "no_column" else "area,amount"
    lines = [f"{area}" if flaw == "no_column" else f"{area},{amount}" for area, amount in rows]
    if flaw == "wrong_value":
        lines[0] = "9,1"
    return "\n".join([columns, *lines]) + "\n"


# The plan of the quarter.


def feeds(reference: Path) -> list[Feed]:
    """Twenty feeds of five partners. The second one's terms change in October; two agreements begin or end inside."""
    places = {
        "north_bw": ("Africa/Gaborone", "Pacific/Kiritimati", "botswana"),
        "sur_cl": ("America/Santiago", "America/Santiago", "chile"),
        "oeste_es": ("Europe/Madrid", "Europe/Madrid", "spain"),
        "east_us": ("America/New_York", "Pacific/Pago_Pago", "united_states"),
        "peak_np": ("Asia/Kathmandu", "America/Montevideo", None),
    }
    found = []
    for number, (partner, (zone, other, country)) in enumerate(places.items()):
        free = holidays(reference, country)
        starts = date(2026, 9, 14) if partner == "peak_np" else date(2026, 1, 1)
        ends = date(2026, 10, 31) if partner == "oeste_es" else date(2027, 12, 31)
        for name, kind, where, due, grace, weekdays in (
            ("tolls", "day", zone, 30, 24, ("saturday", "sunday") if partner == "sur_cl" else ("sunday",)),
            ("sales", "week", other, 48, 72, None),
            ("meters", "month", zone, 24 * 5, 24 * 7, None),
            ("wages", "quarter" if number == 4 else "month", other, 24 * 10, 0, None),
        ):
            made = oracle.Terms(kind, where, due + number, grace, starts, ends, weekdays or oracle.WEEK,
                                free | {FIRST + timedelta(days=4 + number)})  # fmt: skip
            versions = ((starts, made),)
            if partner == "sur_cl":
                later = oracle.Terms(kind, where, due + 6, grace + 12, date(2026, 10, 1), ends, weekdays or oracle.WEEK,
                                     free)  # fmt: skip
                versions = (*versions, (date(2026, 10, 1), later))
            watched_days = 25 if name == "tolls" else 60
            found.append(Feed(partner, name, versions, name in ("sales", "wages"), watched_days, country))
    return found


def holidays(reference: Path, country: str | None) -> frozenset[date]:
    if country is None:
        return frozenset()
    with (reference / f"holidays_{country}.csv").open(encoding="utf-8") as lines:
        return frozenset(date.fromisoformat(row["date"]) for row in csv.DictReader(lines))


def plan(every: Sequence[Feed], seed: int) -> list[Put]:
    """What partners do, in order of time: most come in time, some late, never, twice, broken, corrected."""
    chance, puts = random.Random(seed), []
    for feed in every:
        for days in feed.periods():
            terms = feed.of(days[0])
            due = terms.due(days)
            if due is None and chance.random() > 0.15:
                continue
            over = oracle.day_begins(feed.zone, days[-1] + oracle.ONE_DAY)
            puts += [Put(at, feed, days, content) for at, content in story(chance, feed, due or over + 9 * HOUR, over)]
    return sorted(puts, key=lambda put: put.at)


def story(chance: random.Random, feed: Feed, due: float, over: float) -> list[tuple[float, Content]]:
    """What one period's delivery goes through."""
    good = Content(rows(chance))
    early, late = due - chance.random() * min(due - over, 20 * HOUR), due + chance.random() * 4 * 24 * HOUR
    soon = chance.randrange(5, 90) * HOUR
    flaws = ["wrong_value", "no_column", "empty", *(["half", "wrong_sum", "hidden"] if feed.manifest else [])]
    stories = [
        (46, [(early, good)]),
        (4, [(due, good)]),
        (2, [(due + 1, good)]),
        (12, [(late, good)]),
        (3, [(due + 40 * 24 * HOUR, good)]),
        (8, []),
        (7, [(early, good), (early + soon, good)]),
        (7, [(early, good), (late + soon, Content(rows(chance)))]),
        (2, [(early, good), (early + soon, Content(rows(chance))), (late + 2 * soon, good)]),
        (3, [(early, good), (early + soon, Content(rows(chance), chance.choice(flaws[:2])))]),
    ]
    broken = Content(good.rows, chance.choice(flaws))
    fixed = good if broken.flaw in ("wrong_sum", "hidden", "half") else Content(rows(chance))
    stories += [(4, [(early, broken)]), (6, [(early, broken), (early + soon, fixed)])]
    return chance.choices([what for _, what in stories], [weight for weight, _ in stories])[0]


def rows(chance: random.Random) -> tuple[tuple[int, int], ...]:
    """Rows of area and amount; no two draws are the same."""
    return tuple((chance.choice(AREAS), chance.randrange(1, 10**6)) for _ in range(chance.randrange(6, 14)))
