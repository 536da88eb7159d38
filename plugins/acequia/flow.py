"""What the rooms hand to each other: references to files, with counts. Rows themselves never travel in memory.

The type says how dangerous the data is: `Raw -> Protected -> Cells -> Disclosed -> Published`. Each is a small frozen
record that is written as JSON beside the file it describes, so that the next step can run in another process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from acequia.errors import AcequiaError
from acequia.period import Period


class Reference(BaseModel):
    """A frozen record that can be stored beside the file it speaks of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def save(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f"{path.name}.{os.getpid()}.partial")
        staged.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        staged.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        return cls.model_validate_json(path.read_bytes())


class DeliveryId(Reference):
    """One delivery: what a partner sent for one feed and period. Version 2 is other content for the same period."""

    partner: str
    feed: str
    period: str
    version: int

    def __str__(self) -> str:
        """As it is written everywhere: `pula_mobile.events.2026-11-16.v1`."""
        return f"{self.partner}.{self.feed}.{self.period}.v{self.version}"

    @classmethod
    def parse(cls, text: str) -> DeliveryId:
        """Read what `str` wrote."""
        try:
            partner, feed, period, version = text.split(".")
            return cls(partner=partner, feed=feed, period=period, version=int(version.removeprefix("v")))
        except ValueError:
            raise AcequiaError("usage", "not a delivery, such as pula_mobile.events.2026-11-16.v1") from None

    @property
    def folder(self) -> Path:
        """The delivery's relative folder in landing, workspace and receipts."""
        return Path(self.partner) / self.feed / self.period / f"v{self.version}"

    def of_period(self) -> Period:
        """The period as a value."""
        return Period.parse(self.period)


class Count(Reference):
    """Rows in = rows out + rows set aside, by reason. Anything else stops the delivery."""

    rows_in: int
    rows_out: int
    set_aside: Mapping[str, int] = {}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        aside = sum(self.set_aside.values())
        if self.rows_in != self.rows_out + aside:
            raise AcequiaError(
                "rows_unaccounted",
                f"{self.rows_in} rows in, {self.rows_out} out, {aside} set aside: they do not add up",
            )
        return self


class LandedFile(Reference):
    """One raw file in landing: `stored` is its key below the landing root (encrypted); size and hash are of the plain
    bytes. The name that it had is kept in landing alone, encrypted: it is the partner's text, and may hold a person's
    name. `name` is filled only in records from before that. Of a file that came encrypted and
    was opened, `sent_bytes` and `sent_sha256` are of the encrypted bytes, as the partner sent them.
    """

    name: str = ""
    stored: str
    bytes: int
    sha256: str
    sent_bytes: int | None = None
    sent_sha256: str | None = None


class Arrived(Reference):
    """What the source held, encrypted in landing; `refusal` is the code and text of what is wrong with it, if anything.

    Bytes are landed even when they are refused: nothing that a partner sent is lost. `arrival` is the digest of what
    was listed at the source, by which a file put there again is told from one looked at again; `sent_at` when the last
    of it appeared there, by the source's own clock, None where that does not say; `signed_by` the id of the key of the
    partner's that signed every manifest, None when one is not signed. `landing_key` is the fingerprint of the key that
    the files are encrypted with and nothing else is; empty where landing has one key for all.
    """

    files: tuple[LandedFile, ...]
    content_sha256: str
    manifest: Mapping[str, object] | None = None
    refusal: tuple[str, str] | None = None
    arrival: str = ""
    sent_at: datetime | None = None
    signed_by: str | None = None
    landing_key: str = ""


class Raw(Reference):
    """What arrived, encrypted in landing. One row per event of a person: the most dangerous kind. `corrections` are
    rows that the partner corrected after they were set aside, in the order in which they came.
    """

    delivery: DeliveryId
    files: tuple[LandedFile, ...]
    content_sha256: str
    manifest: Mapping[str, object] | None = None
    corrections: tuple[LandedFile, ...] = ()


class RuleOutcome(Reference):
    """What the gate measured for one rule of the agreement, before the treatment: rows that break it."""

    column: str
    rule: str
    rows_failing: int


class Scanned(Reference):
    """What the leak scan found in one kept column: `rows` of the `of` rows that hold a value look like this kind of
    personal data. `tolerated` where the agreement allows it.
    """

    column: str
    kind: str
    rows: int
    of: int
    tolerated: bool


class Below(Reference):
    """How many people and rows are in classes of fewer people than a threshold."""

    people: int
    rows: int


class Trail(Reference):
    """So many of the people looked at are the only ones with so many points of their own trail."""

    points: int
    people: int
    unique: int


class Diversity(Reference):
    """The least diversity of a sensitive column in any class, and the people in classes of one value."""

    column: str
    distinct_l: int
    entropy_l: float
    people_alike: int


class Risk(Reference):
    """How well protected rows tell one person from another, by classes of rows alike in every quasi-identifier.

    `k` is the number of people in the smallest class, `k_rows` the least number of rows in one; `below` counts by
    threshold; `unique_by` the people whose value of one column nobody else has. Rows of nobody are those without a
    `person`; nothing else counts them. See `protect.risk`.
    """

    person: str
    quasi_identifiers: tuple[str, ...]
    rows: int
    rows_of_nobody: int
    people: int
    classes: int
    k: int
    k_rows: int
    below: Mapping[int, Below]
    unique_by: Mapping[str, int]
    trails: tuple[Trail, ...] = ()
    diversity: tuple[Diversity, ...] = ()

    @property
    def unique(self) -> int:
        """People who are alone in one of their classes."""
        return self.below[2].people


class Mix(Reference):
    """What a protected column is made of: rows where it is `empty`, and rows by agreed value, where those are few."""

    empty: int
    values: Mapping[str, int] = {}


class Protected(Reference):
    """One row per event; no column that the agreement drops; identifiers only as pseudonyms."""

    delivery: DeliveryId
    path: str
    sha256: str
    columns: Mapping[str, str]
    count: Count
    rules: tuple[RuleOutcome, ...] = ()
    set_aside_stored: str | None = None
    scanned: tuple[Scanned, ...] = ()
    risk: Risk | None = None
    mix: Mapping[str, Mix] = {}
    pseudonyms: str = ""
    made_by: str = ""


class Check(Reference):
    """One check of a validation: numbers are counts, never values of the data. One that fails refuses the delivery,
    unless its `severity` is to warn.
    """

    name: str
    column: str | None
    passed: bool
    rows_failing: int | None = None
    describe: str = ""
    severity: Literal["stop", "warn"] = "stop"


class Validated(Reference):
    """What Great Expectations said of a delivery."""

    delivery: DeliveryId
    passed: bool
    checks: tuple[Check, ...]
    count: Count
    docs: str | None = None
    made_by: str = ""


class Cells(Reference):
    """One row per cell of a table and window, with the contributors behind it: still restricted."""

    table: str
    period: str
    deliveries: tuple[DeliveryId, ...]
    path: str
    sha256: str
    cells: int
    provisional: bool = False


class Disclosed(Reference):
    """Cells after disclosure control: a withheld cell keeps its key, loses its numbers and says why.

    `pattern` says how further cells were chosen, `structure` is the shape that the public is told, `certificate` what
    the auditor found.
    """

    table: str
    period: str
    deliveries: tuple[DeliveryId, ...]
    path: str
    sha256: str
    cells: int
    withheld: Mapping[str, int] = {}
    provisional: bool = False
    rules: Mapping[str, object] = {}
    pattern: Mapping[str, object] = {}
    structure: Mapping[str, object] = {}
    certificate: Mapping[str, object] = {}


class Published(Reference):
    """Where the cells went: `changed` is False when the lake already held the same content."""

    table: str
    period: str
    snapshot_id: int
    changed: bool
    content_sha256: str
    release: str | None = None
