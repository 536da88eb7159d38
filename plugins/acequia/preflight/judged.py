"""What preflight says: the server's verdict, with places of rows, and what it could not judge. No value of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from acequia.drift.proposal import Drift
from acequia.errors import CODES
from acequia.flow import Check, Count

Unjudged = Literal[
    "look_back", "repetition", "planted_people", "longer_windows", "noise", "manifest", "encryption", "written_checks"
]


@dataclass(frozen=True)
class Reason:
    """Why rows would be set aside: how many, and where the first of them stand, as (file, row) from 1."""

    rule: str
    column: str
    rows: int
    first: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Forecast:
    """What one table would publish of this delivery alone: cells, and how many of them withheld, by reason."""

    table: str
    cells: int
    withheld: Mapping[str, int]

    @property
    def published(self) -> int:
        """The cells that would be told."""
        return self.cells - sum(self.withheld.values())


@dataclass(frozen=True)
class Columns:
    """How the columns of a file differ from the agreed ones. The names in it are the partner's own: they are shown
    where the partner looks, and nowhere else.
    """

    file: int
    drift: Drift


@dataclass(frozen=True)
class Judged:
    """The verdict: what `acequia run` would say of the same files. `code` is None where they would be accepted; `files`
    are the names of the data files, in the order of their numbers, `failed` the checks that failed in words.
    """

    partner: str
    feed: str
    period: str
    agreement: str
    files: tuple[str, ...]
    code: str | None = None
    what: str = ""
    count: Count | None = None
    reasons: tuple[Reason, ...] = ()
    checks: tuple[Check, ...] = ()
    failed: tuple[str, ...] = ()
    tables: tuple[Forecast, ...] = ()
    columns: tuple[Columns, ...] = ()
    not_judged: tuple[Unjudged, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the server would accept it."""
        return self.code is None

    @property
    def exit_code(self) -> int:
        """That of `acequia run`."""
        return 0 if self.code is None else CODES[self.code].exit_code

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        said = asdict(self) | {"accepted": self.accepted, "exit_code": self.exit_code}
        said["count"] = self.count and self.count.model_dump(mode="json")
        said["checks"] = [check.model_dump(mode="json", exclude={"describe"}) for check in self.checks]
        said["columns"] = [{"file": one.file, **one.drift.as_json()} for one in self.columns]
        said["tables"] = [asdict(one) | {"published": one.published} for one in self.tables]
        return said
