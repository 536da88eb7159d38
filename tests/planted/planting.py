"""Deliveries with hidden people through the real gate, and what of whom is still there afterwards."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from acequia.flow import Protected
from acequia.opening import landing_of
from acequia.simulate.hiding import WHAT, Mention, mentions
from acequia.simulate.leaks import cleared, leaked, readings
from acequia.simulate.people import Person, plain
from acequia.simulate.write import Written
from tests.pipeline.world import World

FEEDS = (
    ("pula_mobile", "events"),
    ("ceibo_pay", "transactions"),
    ("rambla_market", "scanner"),
    ("kgale_rides", "trips"),
    ("kgale_rides", "driver_hours"),
)
NOTES = {"events": "note", "transactions": "memo", "scanner": "delivery_note", "trips": "feedback",
         "driver_hours": "remark"}  # fmt: skip
_PSEUDONYM = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass
class Tally:
    """How many writings were planted, and which survived, by (what, hiding place)."""

    planted: Counter[tuple[str, str]] = field(default_factory=Counter)
    survived: Counter[tuple[str, str]] = field(default_factory=Counter)
    shapes: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def recall(self, *what: str, places: tuple[str, ...] | None = None) -> float:
        """The share that was found, of these kinds (in these hiding places)."""

        def of(counter: Counter[tuple[str, str]]) -> int:
            return sum(n for (kind, place), n in counter.items() if kind in what and (not places or place in places))

        return 1 - of(self.survived) / max(of(self.planted), 1)

    def add(self, written: Written, texts: list[str], hide: tuple[str, ...]) -> None:
        """Count a delivery, by the protected cells of its free text."""
        country = written.planted[0].country
        for mention in placed(written, hide):
            key = (mention.what, mention.place)
            self.planted[key] += 1
            if any(holds(text, mention, written.planted[mention.person]) for text in texts):
                self.survived[key] += 1
                self.shapes.setdefault((*key, country), shape(mention.text))


def placed(written: Written, hide: tuple[str, ...]) -> list[Mention]:
    """The mentions that the delivery's free text holds."""
    return mentions(written.planted, hide)


def protected_texts(world: World, delivery: object, column: str) -> list[str]:
    """The distinct texts of a protected column."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    folder = world.settings.workspace / delivery.folder  # type: ignore[attr-defined]
    protected = Protected.load(folder / "protected.json")
    if column not in protected.columns:
        return []
    found = pc.unique(pq.read_table(protected.path, columns=[column]).column(0)).to_pylist()
    return [text for text in found if text is not None]


def holds(text: str, mention: Mention, person: Person) -> bool:
    """Whether a cell gives away what was planted, in any reading, also where it is glued to other signs."""
    for reading in readings(text.encode()):
        if mention.what in ("phone", "national_id"):
            digits = re.sub(r"\D", "", cleared(reading))
            if (person.phone[4:] if mention.what == "phone" else person.national_id) in digits:
                return True
        elif mention.what == "email":
            if person.email.partition("@")[0] in re.sub(r"\s", "", cleared(reading)).casefold():
                return True
        elif plain(person.surname).casefold() in plain(cleared(reading)).casefold():
            return True
    return False


def shape(text: str) -> str:
    """How a text reads, without its digits and letters: for the report of what was missed."""
    return "".join("9" if sign.isdigit() else sign for sign in text)


def structured(path: Path, people: tuple[Person, ...], text_column: str) -> list[str]:
    """What of whom stands in the protected columns other than the free text."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    if text_column in table.column_names:
        table = table.drop_columns([text_column])
    said = "\n\n\n\n".join(str(value) for column in table.itercolumns() for value in set(column.to_pylist()))
    return leaked(_PSEUDONYM.sub("", said).encode(), people)


def searched(world: World, people: list[Person], skip: tuple[str, ...] = ("landing", "inbox")) -> list[tuple[str, str]]:
    """(file, what of whom) wherever something of a planted person stands in the home, names of files included."""
    from tests.pipeline.test_privacy import leaks

    home = world.settings.home
    found = leaks(home, people, skip=skip)
    for path in home.rglob("*"):
        if path.relative_to(home).parts[0] != "inbox":
            found += [(f"name of a file in {path.relative_to(home).parts[0]}", hit)
                      for hit in leaked(str(path.relative_to(home)).encode(), people)]  # fmt: skip
    return found


__all__ = ["FEEDS", "NOTES", "WHAT", "Tally", "holds", "landing_of", "placed", "protected_texts", "searched", "shape",
           "structured"]  # fmt: skip
