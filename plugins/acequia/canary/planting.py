"""Who is planted where: identifiers in columns that are treated, sentences in free text, bare values in kept text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from acequia.agreement.columns import Column
from acequia.agreement.model import Feed
from acequia.agreement.privacy import Kind
from acequia.canary.invented import SENTENCES, Crowd, Mark, Names
from acequia.protect.leaks import allowed

if TYPE_CHECKING:
    import pyarrow as pa

Spot = Literal["treated", "text", "kept"]
OF_EACH: dict[Spot, int] = {"treated": 5, "text": 30, "kept": 12}
"""How many are planted of each kind in each column."""

_TREATED = frozenset({"drop", "pseudonym", "lookup"})
_KEPT = frozenset({"keep", "first"})
_HINTS: tuple[tuple[Kind, str], ...] = (
    ("phone", r"phone|msisdn|mobile|\btel|celular|móvil"),
    ("email", r"e?mail|correo"),
    ("national_id", r"omang|cedula|cédula|document|national|\bci\b"),
    ("name", r"name|nombre|apellido|holder"),
)


@dataclass(frozen=True)
class Plant:
    """One planted value: its row in the copy (from 0), the column as it arrives, what kind of place that is."""

    row: int
    column: str
    spot: Spot
    mark: Mark
    text: str


def spot_of(feed: Feed, name: str) -> Spot | None:
    """What kind of place an arriving column is; None if nobody can hide there: numbers, times, closed lists of values.

    Several columns may be made of one that arrives; the most open decides.
    """
    column = feed.columns[name]
    made = {column.treatment} | {other.treatment for other in feed.columns.values() if other.from_ == name}
    if column.one_of is not None or column.type not in ("string", "integer"):
        return None
    if column.type == "string" and "scrub_text" in made:
        return "text"
    if column.type == "string" and made & _KEPT:
        return "kept"
    return "treated" if made <= _TREATED else None


def plan(feed: Feed, names: Sequence[str], crowd: Crowd) -> list[Plant]:
    """Every value to plant. Each person stands in one place only, and a row holds one value of a column at most."""
    plants: list[Plant] = []
    for name in names:
        spot = spot_of(feed, name)
        if spot is not None:
            first = len(plants)
            of_column = _of_column(feed.columns[name], name, spot, crowd, first)
            plants += [Plant(row, name, spot, mark, text) for row, (mark, text) in enumerate(of_column)]
    return plants


def _of_column(column: Column, name: str, spot: Spot, crowd: Crowd, first: int) -> Iterator[tuple[Mark, str]]:
    number = first
    for kind in _kinds(column, name, spot, crowd):
        for names in _names(kind, spot):
            for turn in range(OF_EACH[spot]):
                mark = _fitting(column, crowd.marks(kind, number, names))
                yield mark, _written(mark, spot, crowd.language, turn)
                number += 1


def _names(kind: Kind, spot: Spot) -> tuple[Names, ...]:
    """In kept text the scan promises to see listed names alone: the others are planted too, and counted apart."""
    return ("listed", "unlisted") if kind == "name" and spot == "kept" else ("mixed",)


def _kinds(column: Column, name: str, spot: Spot, crowd: Crowd) -> Sequence[Kind]:
    """In a treated column what it holds, by the agreement or by its name; elsewhere all that the agreement forbids."""
    known = crowd.kinds()
    if column.type == "integer":
        known = tuple(kind for kind in known if kind in ("phone", "national_id"))
    if spot != "treated":
        return [kind for kind in known if kind not in allowed(column)]
    hinted = column.holds or next((kind for kind, hint in _HINTS if re.search(hint, name.lower())), None)
    return [hinted] if hinted in known else known


def _fitting(column: Column, marks: Sequence[Mark]) -> Mark:
    """The writing that the column's rule lets in, if there is one; else the row will be set aside."""
    if column.type == "integer":
        digits = re.sub(r"\D", "", marks[0].written)
        return Mark(marks[0].kind, digits.lstrip("0") or "0", marks[0].sign)
    return next((mark for mark in marks if column.matches is None or _matches(column.matches, mark.written)), marks[0])


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:  # RE2 knows some that Python does not
        return False


def _written(mark: Mark, spot: Spot, language: str, turn: int) -> str:
    if spot != "text":
        return mark.written
    sentences = SENTENCES[language][mark.kind]
    return sentences[turn % len(sentences)].format(mark.written)


def planted(sample: pa.Table, plants: Sequence[Plant]) -> pa.Table:
    """The sample with the values in their places; its rows are repeated where there are more plants than rows."""
    import pyarrow as pa

    rows = 1 + max((plant.row for plant in plants), default=0)
    copy = sample.take(pa.array([row % sample.num_rows for row in range(rows)])) if sample.num_rows else sample
    for name in dict.fromkeys(plant.column for plant in plants):
        place = copy.column_names.index(name)
        values = copy.column(place).cast(pa.string()).to_pylist()
        for plant in plants:
            if plant.column == name and plant.row < len(values):
                values[plant.row] = plant.text
        copy = copy.set_column(place, name, pa.array(values, pa.string()))
    return copy
