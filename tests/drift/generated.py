"""Agreements with generated columns, files for them, and drifts whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import yaml
from hypothesis import strategies as st

ROWS = 120
START = "2026-01-01"
START_OF = {"1.0": START, "1.1": "2026-03-01"}

# Every column that can be: what is agreed of it, and its values. Values of no two of those with a set are alike.
Made = Callable[[np.random.Generator], list[str]]


def _times(pattern: str) -> Made:
    begin = datetime(2026, 2, 1)  # noqa: DTZ001 - local times
    return lambda rng: [
        (begin + timedelta(minutes=int(n))).strftime(pattern) for n in rng.integers(0, 28 * 1440 - 1, ROWS)
    ]


def _of(*values: str) -> Made:
    return lambda rng: [str(value) for value in rng.choice(values, ROWS)]


CATALOGUE: dict[str, tuple[dict[str, Any], Made]] = {
    "rider": (
        {"type": "string", "treat": "pseudonym", "matches": r"r\d{4}"},
        lambda rng: [f"r{n:04d}" for n in rng.integers(0, 40, ROWS)],
    ),
    "zone": ({"type": "string", "treat": "keep", "one_of": ["north", "south", "east"]}, _of("north", "south", "east")),
    "fare": (
        {"type": "number", "treat": "keep", "between": [0, 500]},
        lambda rng: [f"{n / 4:.2f}" for n in rng.integers(4, 1900, ROWS)],
    ),
    "begun_at": ({"type": "timestamp", "treat": {"truncate_to": "day"}, "as": "day"}, _times("%Y-%m-%d %H:%M:%S")),
    "channel": ({"type": "string", "treat": "keep", "one_of": ["app", "street"]}, _of("app", "street")),
    "seats": (
        {"type": "integer", "treat": "keep", "between": [1, 9]},
        lambda rng: [str(n) for n in rng.integers(1, 9, ROWS)],
    ),
    "plate": (
        {"type": "string", "treat": "drop", "matches": "[A-Z]{3}[0-9]{3}"},
        lambda rng: [f"{''.join(rng.choice(list('ABCDEF'), 3))}{n:03d}" for n in rng.integers(0, 999, ROWS)],
    ),
    "remark": ({"type": "string", "treat": "drop", "required": False}, _of("all well here", "a long way", "rain")),
}
ALWAYS = ("rider", "zone", "fare")

# Names that a partner could give the same columns, and columns that nobody agreed on.
OTHER_NAMES = {
    "rider": "RIDER_ID", "zone": "Zone", "fare": "fare_amount", "begun_at": "begun-at", "channel": "chanel",
    "seats": "seats_n", "plate": "Plate",
}  # fmt: skip
STRANGE: dict[str, Made] = {
    "weather": _of("dry", "wet", "snowing"),
    "surcharge": lambda rng: [f"{n}.5" for n in rng.integers(600, 900, ROWS)],
    "vehicle model": _of("Kia 2", "Fiat U", "BYD"),
}
# The same values written in another way: what is written, and what the agreement must then say.
RETYPED: dict[str, tuple[Callable[[str], str], dict[str, Any]]] = {
    "begun_at": (
        lambda text: datetime.fromisoformat(text).strftime("%d/%m/%Y %H:%M:%S"),
        {"type": "timestamp", "parse": "%d/%m/%Y %H:%M:%S"},
    ),
    "seats": (lambda text: f"{text}.5", {"type": "number", "parse": None}),
}


@dataclass(frozen=True)
class Case:
    """The agreed columns, and a drift: new names, columns that went, that came, that are written otherwise."""

    columns: tuple[str, ...]
    renamed: dict[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    order: int | None = None
    block: bool = False

    def truth(self) -> set[tuple[str, str | None, str | None]]:
        """What a proposal must say, and nothing else: kind, agreed name, name in the file."""
        told: set[tuple[str, str | None, str | None]] = {("renamed", old, new) for old, new in self.renamed.items()}
        told |= {("missing", name, None) for name in self.gone}
        told |= {("added", None, name) for name in self.added}
        return told | {("retyped", name, self.renamed.get(name)) for name in self.retyped}

    def rows(self, seed: int, *, drifted: bool) -> pd.DataFrame:
        """The rows of a delivery, by agreed names; with the drift also what came new."""
        rng = np.random.default_rng(seed)
        rows = pd.DataFrame({name: CATALOGUE[name][1](rng) for name in self.columns})
        for name in self.added if drifted else ():
            rows[name] = STRANGE[name](rng)
        return rows

    def csv(self, seed: int, *, drifted: bool) -> str:
        """The delivery as the partner writes it."""
        rows = self.rows(seed, drifted=drifted)
        if drifted:
            for name in self.retyped:
                rows[name] = rows[name].map(RETYPED[name][0])
            rows = rows.drop(columns=list(self.gone)).rename(columns=self.renamed)
            if self.order is not None:
                rows = rows[list(np.random.default_rng(self.order).permutation(rows.columns))]
        return str(rows.to_csv(index=False))

    def agreement(self) -> str:
        """The file of version 1.0, with comments, columns in flow style or as blocks."""
        columns = {name: CATALOGUE[name][0] for name in self.columns}
        kept = [name for name in ("zone", "channel") if name in columns]
        said = yaml.safe_dump(_head(kept), sort_keys=False, allow_unicode=True)
        lines = []
        for name, column in columns.items():
            if self.block:
                block = yaml.safe_dump(column, sort_keys=False).rstrip().replace("\n", "\n        ")
                lines.append(f"      {name}:    # about {name}\n        {block}\n")
            else:
                flow = yaml.safe_dump(column, default_flow_style=True, sort_keys=False, width=1000).strip()
                lines.append(f"      {name}: {flow}    # about {name}\n")
        return "# An agreement.\n" + said.replace("    columns: {}\n", "    columns:\n" + "".join(lines))


def _head(kept: list[str]) -> dict[str, Any]:
    measures = {"rides_count": {"count": "rows"}, "fare_sum": {"sum": "fare"}}
    protect = {"contributor": "rider", "min_contributors": 1}  # drift is looked at here, and all that came is told
    return {
        "partner": "trams",
        "name": "Trams",
        "country": "UY",
        "terms": {
            "version": "1.0",
            "legal_basis": "Transport Act s.3",
            "purposes": ["official_statistics"],
            "signed_on": START,
            "expires_on": "2027-12-31",
            "raw_kept_days": 30,
            "protected_kept_days": 400,
            "contacts": {"partner": "d@trams.example", "steward": "s@stats.example", "dpo": "dpo@stats.example"},
            "recipients": ["statistics_office"],
        },
        "feeds": {
            "rides": {
                "delivery": {
                    "source": {"type": "folder", "path": "rides-{period}.csv"},
                    "format": "csv",
                    "schedule": "0 6 2 * *",
                    "timezone": "America/Montevideo",
                    "period": "month",
                    "due_within_hours": 48,
                    "settle_seconds": 0,
                },
                "columns": {},
                "tables": {
                    "rides_by_zone": {
                        "describe": "One row per zone.",
                        "by": kept,
                        "measures": measures,
                        "protect": protect,
                    },
                    "rides_by_zone_quarter": {
                        "describe": "One row per zone.",
                        "over": "quarter",
                        "release": "each_delivery",
                        "by": ["zone"],
                        "measures": measures,
                        "protect": protect,
                    },
                },
            }
        },
    }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Some columns, and a drift of any kind, alone or with others."""
    chosen = draw(st.sets(st.sampled_from([name for name in CATALOGUE if name not in ALWAYS]), min_size=2))
    columns = tuple(name for name in CATALOGUE if name in chosen or name in ALWAYS)
    case = Case(columns, block=draw(st.booleans()))
    nameable = sorted(set(columns) & OTHER_NAMES.keys())
    renamed = draw(st.sets(st.sampled_from(nameable), max_size=3))
    goes = sorted({"channel", "seats", "plate"} & set(columns) - renamed)
    gone = draw(st.sets(st.sampled_from(goes), max_size=2)) if goes else set()
    written = sorted(RETYPED.keys() & set(columns) - gone - (renamed & {"seats"}))
    retyped = draw(st.sets(st.sampled_from(written))) if written else set()
    added = draw(st.sets(st.sampled_from(sorted(STRANGE)), max_size=2))
    order = draw(st.none() | st.integers(0, 1000))
    return replace(
        case,
        renamed={name: OTHER_NAMES[name] for name in sorted(renamed)},
        gone=tuple(sorted(gone)),
        added=tuple(sorted(added)),
        retyped=tuple(sorted(retyped)),
        order=order,
    )
