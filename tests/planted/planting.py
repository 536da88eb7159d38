"""Deliveries with hidden people through the whole pipeline, and what of whom is still there afterwards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, Protected
from acequia.simulate.hiding import FILE_NAME, PLACES, Mention, mentions
from acequia.simulate.leaks import leaked, readings
from acequia.simulate.people import Person, plain
from acequia.simulate.write import Written
from tests.pipeline.test_privacy import leaks
from tests.pipeline.world import World

ROWS = 900
EVERYWHERE = (*PLACES, FILE_NAME)
IN_LATIN_1 = (
    "plain",
    "lines",
    "json",
    "json_escapes",
    "base64",
    "base64_ids",
    "entities",
    "percent",
    "case",
    FILE_NAME,
)
FEEDS = (
    ("pula_mobile", "events", "note"),
    ("ceibo_pay", "transactions", "memo"),
    ("rambla_market", "scanner", "delivery_note"),
    ("kgale_rides", "trips", "feedback"),
    ("kgale_rides", "driver_hours", "remark"),
)
ENCODINGS = ("utf-8", "utf-16", "latin-1")
_PSEUDONYM = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass(frozen=True)
class Case:
    """One delivery: of which feed, for which period, from which seed, in which encoding."""

    number: int
    partner: str
    feed: str
    column: str
    period: str
    encoding: str

    @property
    def hide(self) -> tuple[str, ...]:
        """Where people hide in it: what its encoding can write."""
        return IN_LATIN_1 if self.encoding == "latin-1" else EVERYWHERE


def case(number: int) -> Case:
    """The feeds in turn; those that are text files in each encoding in turn."""
    (partner, feed, column), turn = FEEDS[number % len(FEEDS)], number // len(FEEDS)
    months = f"{2026 + (turn + 4) // 12}-{(turn + 4) % 12 + 1:02d}"
    days = f"2026-{10 + turn // 28:02d}-{turn % 28 + 1:02d}"
    period = {"rambla_market": f"2026-W{20 + turn:02d}", "kgale_rides": months}.get(partner, days)
    encoding = ENCODINGS[turn % 3] if feed in ("events", "transactions") else "utf-8"
    return Case(number, partner, feed, column, period, encoding)


@dataclass
class Tally:
    """How many writings were planted, and which survived in the protected texts, by (what, hiding place)."""

    planted: Counter[tuple[str, str]] = field(default_factory=Counter)
    survived: Counter[tuple[str, str]] = field(default_factory=Counter)
    shapes: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    structured: list[str] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    def recall(self, *what: str, places: Sequence[str] = tuple(PLACES)) -> float:
        """The share that was found, of these kinds in these hiding places."""

        def of(counter: Counter[tuple[str, str]]) -> int:
            return sum(n for (kind, place), n in counter.items() if kind in what and place in places)

        return 1 - of(self.survived) / max(of(self.planted), 1)

    def misses(self, *what: str) -> str:
        """What survived, by kind and place, with the shape of one writing: for whoever reads the failed test."""
        lines = [
            f"{kind} {place}: {many} of {self.planted[kind, place]} {self.shapes.get((kind, place), '')}"
            for (kind, place), many in sorted(self.survived.items())
            if kind in what
        ]
        return "\n".join(lines)


def send(world: World, one: Case, tally: Tally) -> Written:
    """Deliver and run one case, and count who is still there."""
    _agree_on(world, one)
    written = world.deliver(one.partner, one.feed, one.period, rows=ROWS, seed=1000 + one.number, hide=one.hide)
    tally.people += written.planted
    outcome = world.run(one.partner, one.feed, one.period)
    texts = protected_texts(world, outcome.delivery, one.column)
    for mention in mentions(written.planted, one.hide):
        person = written.planted[mention.person]
        tally.planted[mention.what, mention.place] += 1
        if any(holds(text, mention, person) for text in texts):
            tally.survived[mention.what, mention.place] += 1
            shapes = tally.shapes.setdefault((mention.what, mention.place, person.country), [])
            shapes.append(re.sub(r"\d", "9", mention.text).encode("unicode_escape").decode())
    tally.structured += structured(world, outcome.delivery, written.planted, one.column)
    world.clear(one.partner)
    return written


def _agree_on(world: World, one: Case) -> None:
    """Write the encoding into the agreement, where the feed is one of text files."""
    path = world.settings.partners / f"{one.partner}.yaml"
    agreement = yaml.safe_load(path.read_text())
    delivery = agreement["feeds"][one.feed]["delivery"]
    if delivery["format"] in ("csv", "jsonl"):
        delivery["options"] = {"encoding": one.encoding}
        path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))


def protected_texts(world: World, delivery: DeliveryId, column: str) -> list[str]:
    """The distinct texts of a protected column; none if it was dropped."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    protected = Protected.load(world.settings.workspace / delivery.folder / "protected.json")
    if column not in protected.columns:
        return []
    found = pc.unique(pq.read_table(protected.path, columns=[column]).column(0)).to_pylist()
    return [text for text in found if text is not None]


def holds(text: str, mention: Mention, person: Person) -> bool:
    """Whether a cell gives away what was planted, in any reading, also where it is glued to other signs."""
    for reading in readings(text.encode()):
        digits = re.sub(r"\D", "", reading)
        folded = plain(reading).casefold()
        there = {
            "phone": person.phone[4:] in digits,
            "national_id": person.national_id in digits,
            "email": person.email.partition("@")[0].casefold() in re.sub(r"\s", "", folded),
            "name": plain(person.surname).casefold() in folded,
        }
        if there[mention.what]:
            return True
    return False


def structured(world: World, delivery: DeliveryId, people: Sequence[Person], text_column: str) -> list[str]:
    """What of whom stands in the protected columns other than the free text."""
    import pyarrow.parquet as pq

    table = pq.read_table(world.settings.workspace / delivery.folder / "protected.parquet")
    if text_column in table.column_names:
        table = table.drop_columns([text_column])
    said = "\n\n\n\n".join(str(value) for column in table.itercolumns() for value in set(column.to_pylist()))
    return [f"{delivery}: {hit}" for hit in leaked(_PSEUDONYM.sub("", said).encode(), people)]


def searched(
    world: World, people: Sequence[Person], skip: tuple[str, ...] = ("landing", "inbox"), inside: bool = True
) -> list[tuple[str, str]]:
    """(file, what of whom) wherever something of a planted person stands in the home: in files, or in their names.

    Names are searched in landing too. Without `inside`, protected rows are left out: their free text is counted apart.
    """
    home = world.settings.home
    found = leaks(home, people, skip=skip)
    names = [path.relative_to(home) for path in home.rglob("*")]
    named = "\n\n\n\n".join(str(name) for name in names if name.parts[0] != "inbox")
    found += [("the name of a file", hit) for hit in leaked(named.encode(), people)]
    return [hit for hit in found if inside or not hit[0].endswith("protected.parquet")]


__all__ = ["FEEDS", "AcequiaError", "Case", "Tally", "case", "holds", "searched", "send", "structured"]
