"""Planting, the gate, and the search for whoever came through it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acequia.agreement.model import Feed
from acequia.agreement.privacy import Kind
from acequia.canary.invented import Crowd
from acequia.canary.planting import Plant, plan, planted
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.protect.leaks import allowed
from acequia.protect.rehearsal import Rehearsed, Setting, rehearse
from acequia.protect.sightings import STOPPED_FOR, kinds_of_values
from acequia.simulate.people import plain

ROWS = 400


@dataclass(frozen=True)
class Tally:
    """Of one kind in one arriving column: how many values were planted, and how many came through in clear."""

    column: str
    place: str
    kind: str
    planted: int
    survived: int

    @property
    def recall_pct(self) -> float:
        """How many did not, in percent."""
        return round(100 * (self.planted - self.survived) / self.planted, 2)

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return {**asdict(self), "found": self.planted - self.survived, "recall_pct": self.recall_pct}


def look(file: Path, feed_id: str, feed: Feed, period: Period, setting: Setting) -> tuple[Tally, ...]:
    """Plant people in a copy of a delivered file and take it through the gate; nothing leaves scratch.

    A planted value survives where it stands in its protected row in clear, in any column; in a kept text column only if
    the leak scan does not see it, since what it sees stops the delivery.

    Args:
        file: a delivered file in scratch, decrypted.
        feed_id: partner and feed, such as `pula_mobile.events`; the same people are planted each time.
        feed: as agreed.
        period: of the delivery.
        setting: country, language and bounds.

    Raises:
        AcequiaError: the file is refused, or the engine fails.
    """
    plants: list[Plant] = []

    def change(sample: Any) -> Any:
        plants.extend(plan(feed, sample.column_names, Crowd(feed_id, setting.country, setting.language)))
        return planted(sample, plants)

    rehearsed = rehearse(file, feed, period, change, rows=ROWS, setting=setting)
    out = _in_clear(plants, rehearsed)
    unseen = _unseen(out, feed, setting)
    many = Counter((plant.column, plant.spot, plant.mark.told) for plant in plants)
    left = Counter((plant.column, plant.spot, plant.mark.told) for plant in unseen)
    return tuple(Tally(*key, planted=count, survived=left[key]) for key, count in sorted(many.items()))


def recall(tallies: Sequence[Tally]) -> dict[str, float]:
    """By kind, that of the place where least was found."""
    lowest: dict[str, float] = {}
    for tally in tallies:
        lowest[tally.kind] = min(lowest.get(tally.kind, 100.0), tally.recall_pct)
    return dict(sorted(lowest.items()))


def below(found: Mapping[str, float], targets: Mapping[Kind, float]) -> dict[str, float]:
    """The kinds that were found less often than agreed, with how often they were."""
    return {kind: found[kind] for kind, target in sorted(targets.items()) if kind in found and found[kind] < target}


def _in_clear(plants: Sequence[Plant], rehearsed: Rehearsed) -> list[Plant]:
    """The plants that stand in their own protected row: whoever is set aside does not."""
    cells = dict(
        zip(rehearsed.rows, zip(*(c.to_pylist() for c in rehearsed.table.itercolumns()), strict=True), strict=True)
    )
    found = []
    for plant in plants:
        texts = [str(cell) for cell in cells.get(plant.row, ()) if cell is not None]
        if any(_holds(text, plant.mark.sign) for text in texts):
            found.append(plant)
    return found


def _holds(text: str, sign: str) -> bool:
    if sign.isdigit():
        return sign in re.sub(r"\D", "", text)
    return sign in plain(text).casefold()


def _unseen(plants: Sequence[Plant], feed: Feed, setting: Setting) -> list[Plant]:
    """Those of them that the leak scan would let pass."""
    kept = [plant for plant in plants if plant.spot == "kept"]
    try:
        seen = kinds_of_values([plant.text for plant in kept], language=setting.language, country=setting.country)
    except Exception:  # noqa: BLE001 - fail closed; the engine's messages quote the text
        raise AcequiaError("engine_failed", "planted values could not be scanned") from None
    stopped = {
        (plant.column, plant.row)
        for plant, kinds in zip(kept, seen, strict=True)
        if (kinds & STOPPED_FOR) - allowed(feed.columns[plant.column])
    }
    return [plant for plant in plants if (plant.column, plant.row) not in stopped]
