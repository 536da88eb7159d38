"""Searches for planted people as the ledger keeps them: counts by column and kind, under the terms that held."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from acequia.agreement.load import Signed
from acequia.agreement.model import Feed
from acequia.canary.look import Tally, below, look, recall
from acequia.errors import REFUSED, AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger.book import Ledger
from acequia.ledger.chain import Draft, Entry, Place
from acequia.ledger.signing import canonical
from acequia.period import Period
from acequia.protect.rehearsal import Setting
from acequia.receive.landing import Landing

KIND = "canary"
FIRST = "first"


@dataclass(frozen=True)
class Canary:
    """One search. `recall` and `targets` are percent by kind; `below` are the kinds that miss their target."""

    partner: str
    feed: str
    delivery: str
    on: str
    agreement_version: str
    made_by: str
    recall: Mapping[str, float]
    targets: Mapping[str, float]
    below: tuple[str, ...]
    places: tuple[Tally, ...]

    @property
    def planted(self) -> int:
        """How many values were planted."""
        return sum(tally.planted for tally in self.places)

    def as_row(self) -> dict[str, Any]:
        """For printing: one line."""
        told = {"partner": self.partner, "feed": self.feed, "on": self.on, "delivery": self.delivery}
        survived = sum(tally.survived for tally in self.places)
        state = f"below target: {', '.join(self.below)}" if self.below else "as agreed"
        return told | {"planted": self.planted, "survived": survived, "recall_pct": dict(self.recall), "state": state}

    def as_json(self) -> dict[str, Any]:
        """For programs: everything."""
        return asdict(self) | {"places": [tally.as_row() for tally in self.places]}

    def require(self) -> None:
        """Stop where fewer were found than is agreed.

        Raises:
            AcequiaError: `canary_below_target`.
        """
        if self.below:
            told = ", ".join(f"{kind} {self.recall[kind]:g} % of {self.targets[kind]:g} %" for kind in self.below)
            place = f"{self.partner}.{self.feed}"
            raise AcequiaError("canary_below_target", f"of planted people too few were found: {told}", where=place)


@dataclass(frozen=True)
class Subject:
    """A feed under its terms, and what a search of it needs. `scratch` opens a folder for plain bytes; `holds_for` says
    whether the terms are in force for a period, since under others its columns may be other ones.
    """

    signed: Signed
    feed_name: str
    made_by: str
    landing: Landing
    ledger: Ledger
    reference: Path
    memory_limit: str
    scratch: Callable[[], AbstractContextManager[Path]]
    holds_for: Callable[[Period], bool] = lambda _: True

    @property
    def partner(self) -> str:
        """The partner's id."""
        return self.signed.agreement.partner

    @property
    def feed(self) -> Feed:
        """The feed as agreed."""
        return self.signed.agreement.feed(self.feed_name)


def search(subject: Subject, delivery: DeliveryId, *, on: date | None = None, occasion: str = "") -> Canary:
    """Plant people in a copy of a landed delivery, look who comes through the gate, and note it in the ledger.

    Args:
        subject: the feed.
        delivery: whose first file is copied, in part.
        on: the day that is noted; by default that of the ledger's clock.
        occasion: what makes the note the only one of its kind under these terms. By default it is the delivery and the
            result: the same search again notes nothing.

    Raises:
        AcequiaError: `landing_missing` if the delivery's raw files are deleted; `internal` if its copy does not pass
            the gate. Not for what was found: see `Canary.require`.
    """
    agreement = subject.signed.agreement
    setting_of = (agreement.country, agreement.language, subject.reference, subject.memory_limit)
    with subject.scratch() as scratch:
        file = scratch / "file-1"
        subject.landing.fetch(_first_file(subject, delivery), file)
        try:
            feed_id = f"{subject.partner}.{subject.feed_name}"
            tallies = look(file, feed_id, subject.feed, delivery.of_period(), Setting(*setting_of, scratch))
        except AcequiaError as error:
            if error.exit_code == REFUSED:  # it passed the gate before: the copy is at fault, not the partner
                raise AcequiaError("internal", f"the copy with planted people was refused: {error.code}") from None
            raise
    return _noted(subject, delivery, tallies, (on or subject.ledger.clock().date()).isoformat(), occasion)


def require(subject: Subject, delivery: DeliveryId) -> None:
    """See that planted people are found as often as agreed under these terms; who never looked looks now.

    Raises:
        AcequiaError: `canary_below_target`, also where no raw delivery is landed any more to look in.
    """
    last = latest(subject.ledger, subject.partner, subject.feed_name, subject.made_by)
    if last is None:
        chosen = landed(subject, delivery)
        if chosen is None:
            said = "nobody was planted under these terms yet, and no raw delivery is landed any more to do it"
            raise AcequiaError("canary_below_target", said, where=f"{subject.partner}.{subject.feed_name}")
        last = search(subject, chosen, occasion=FIRST)
    last.require()


def landed(subject: Subject, wanted: DeliveryId | None = None) -> DeliveryId | None:
    """The delivery wanted if its raw files are there, else the newest accepted one under these terms whose are."""
    rows = [
        row
        for row in subject.ledger.deliveries(subject.partner, subject.feed_name)
        if row.raw_deleted_at is None and row.status in ("accepted", "published")
    ]
    there = [DeliveryId(partner=r.partner, feed=r.feed, period=r.period, version=r.version) for r in rows]
    there = [one for one in there if subject.holds_for(one.of_period())]
    if wanted in there:
        return wanted
    return there[-1] if there else None


def listed(ledger: Ledger, partner: str | None = None, feed: str | None = None) -> list[Canary]:
    """Every search of these feeds, the oldest first."""
    entries = ledger.notes(KIND)
    return [_read(entry) for entry in entries if partner in (None, entry.partner) and feed in (None, entry.feed)]


def latest(ledger: Ledger, partner: str, feed: str, made_by: str | None = None) -> Canary | None:
    """The last search of a feed, or the last one under some terms; None if there is none."""
    found = [one for one in listed(ledger, partner, feed) if made_by in (None, one.made_by)]
    return found[-1] if found else None


def _first_file(subject: Subject, delivery: DeliveryId) -> str:
    folder = subject.ledger.state(delivery).landed_in
    keys = [key for key in subject.landing.list(f"{folder}/") if not key.rpartition("/")[2].startswith("_")]
    if not keys:
        raise AcequiaError(
            "landing_missing", "the delivery's raw files are not in landing any more", where=str(delivery)
        )
    return keys[0]


def _noted(subject: Subject, delivery: DeliveryId, tallies: Sequence[Tally], on: str, occasion: str) -> Canary:
    found, targets = recall(tallies), dict(subject.feed.privacy.recall_at_least_pct)
    result = {
        "delivery": str(delivery),
        "made_by": subject.made_by,
        "agreement_version": subject.signed.agreement.terms.version,
        "agreement_sha256": subject.signed.sha256,
        "recall": found,
        "targets": targets,
        "below": list(below(found, targets)),
        "places": [asdict(tally) for tally in tallies],
    }
    if not occasion and (last := latest(subject.ledger, subject.partner, subject.feed_name)) is not None:
        again = _of(subject.partner, subject.feed_name, result | {"on": last.on})
        if last == again:
            return last
    digest = hashlib.sha256(canonical(result).encode()).hexdigest()[:16]
    key = f"{KIND}/{subject.partner}.{subject.feed_name}/{subject.made_by[:16]}/{occasion or digest}"
    subject.ledger.note(Place(subject.partner, subject.feed_name), Draft(KIND, key, result | {"on": on}))
    return _of(subject.partner, subject.feed_name, result | {"on": on})


def _read(entry: Entry) -> Canary:
    return _of(str(entry.partner), str(entry.feed), entry.said)


def _of(partner: str, feed: str, said: Mapping[str, Any]) -> Canary:
    told = {name: said[name] for name in ("delivery", "on", "agreement_version", "made_by", "recall", "targets")}
    places = tuple(Tally(**tally) for tally in said["places"])
    return Canary(partner, feed, **told, below=tuple(said["below"]), places=places)
