"""What the entries of a delivery add up to. Pure: the tables `delivery` and `release` are this, stored.

A delivery is decided in *turns*: it is accepted or refused under one reading of the agreement (`made_by`), and decided
again when the agreement changes. What was published counts to the turn in which it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from acequia.flow import Count, DeliveryId
from acequia.ledger.chain import Entry
from acequia.ledger.signing import canonical

Status = Literal["received", "accepted", "published", "refused", "withdrawn"]


@dataclass(frozen=True)
class Release:
    """One publication of a table and window, by a delivery in one of its turns."""

    seq: int
    partner: str
    table_name: str
    window_label: str
    delivery: str
    turn: int
    cells: int
    withheld: int
    provisional: bool
    snapshot_id: int
    content_sha256: str


@dataclass(frozen=True)
class State:
    """Where a delivery stands.

    `finished`: nothing is left to do under `made_by`. `count` is None until accepted. `landed_in` is the folder of its
    files in landing. `raw_deleted_at` is None while raw bytes may be there. `sent_at` is when it was sent by the
    source's clock, or else when it was received; `arrivals` are the comings of these bytes, in order, as far as they
    are known, of which `repeats` were repetitions. `erased`: it was withdrawn from the history, too.
    `original_sha256` names the content of its files without corrections of rows, `handed_out` is how often the rows
    that it set aside were.
    """

    delivery: DeliveryId
    content_sha256: str
    agreement_version: str
    agreement_sha256: str
    landed_in: str
    files: int
    bytes: int
    received_at: str
    raw_since: str
    protected_since: str
    last_seq: int
    status: Status = "received"
    finished: bool = False
    code: str | None = None
    reason: str | None = None
    who_acts: str | None = None
    what_to_do: str | None = None
    made_by: str | None = None
    turn: int = 0
    count: Count | None = None
    releases: tuple[Release, ...] = ()
    readings: int = 0
    landings: int = 1
    protections: int = 1
    raw_deleted_at: str | None = None
    protected_deleted_at: str | None = None
    sent_at: str = ""
    arrivals: tuple[str, ...] = ()
    repeats: int = 0
    last_repeat_at: str | None = None
    signed_by: str | None = None
    withdrawn_at: str | None = None
    erased: bool = False
    original_sha256: str = ""
    handed_out: int = 0

    @property
    def is_accepted(self) -> bool:
        """Whether its rows count to the tables."""
        return self.status in ("accepted", "published")

    @property
    def current(self) -> tuple[Release, ...]:
        """The last publication of each table and window in this turn, ordered; none once it was withdrawn."""
        if self.withdrawn_at is not None:
            return ()
        last = {(part.table_name, part.window_label): part for part in self.releases if part.turn == self.turn}
        return tuple(last[key] for key in sorted(last))


def state_of(entries: Iterable[Entry]) -> State | None:
    """The state that a delivery's entries, in order, lead to; None if there are none."""
    state = None
    for entry in entries:
        state = after(state, entry)
    return state


def after(state: State | None, entry: Entry) -> State:
    """The state after one more entry."""
    if state is None:
        return _received(entry)
    return replace(_CHANGES.get(entry.kind, _nothing)(state, entry), last_seq=entry.seq)


def _received(entry: Entry) -> State:
    said = entry.said
    corrects = said.get("corrects", {})
    return State(
        delivery=DeliveryId.parse(str(entry.delivery)),
        content_sha256=said["content_sha256"],
        agreement_version=said["agreement_version"],
        agreement_sha256=said["agreement_sha256"],
        landed_in=said["landed_in"],
        files=len(said["files"]),
        bytes=sum(file["bytes"] for file in said["files"]),
        received_at=entry.at,
        raw_since=corrects.get("raw_since", entry.at),
        protected_since=entry.at,
        last_seq=entry.seq,
        original_sha256=corrects.get("original_sha256", said["content_sha256"]),
        sent_at=min(said.get("sent_at") or entry.at, entry.at),
        arrivals=_arrivals(said),
        signed_by=said.get("signed_by"),
    )


def _arrivals(said: Mapping[str, Any]) -> tuple[str, ...]:
    return (said["arrival"],) if said.get("arrival") else ()


def _nothing(state: State, entry: Entry) -> State:
    return state


def _read_again(state: State, entry: Entry) -> State:
    said = entry.said
    return replace(
        state,
        agreement_version=said["agreement_version"],
        agreement_sha256=said["agreement_sha256"],
        readings=state.readings + 1,
    )


def _landed_again(state: State, entry: Entry) -> State:
    return replace(state, landings=state.landings + 1, raw_since=entry.at, raw_deleted_at=None)


def _arrival_known(state: State, entry: Entry) -> State:
    return replace(state, arrivals=(*state.arrivals, *_arrivals(entry.said)))


def _repeated(state: State, entry: Entry) -> State:
    return replace(_arrival_known(state, entry), repeats=state.repeats + 1, last_repeat_at=entry.at)


def _withdrawn(state: State, entry: Entry) -> State:
    first = state.withdrawn_at or entry.at
    erased = state.erased or entry.said["erase"]
    return replace(state, status="withdrawn", withdrawn_at=first, erased=erased, finished=False)


def _handed_out(state: State, entry: Entry) -> State:
    return replace(state, handed_out=state.handed_out + 1)


def _decided(state: State, entry: Entry) -> State:
    """What a turn begins with. Protected rows that were deleted have been made again by now."""
    fresh = replace(
        state, turn=state.turn + 1, made_by=entry.said["made_by"], finished=False, count=None,
        code=None, reason=None, who_acts=None, what_to_do=None,
    )  # fmt: skip
    if state.protected_deleted_at is None:
        return fresh
    return replace(fresh, protections=state.protections + 1, protected_since=entry.at, protected_deleted_at=None)


def _accepted(state: State, entry: Entry) -> State:
    return replace(_decided(state, entry), status="accepted", count=Count(**entry.said["count"]))


def _refused(state: State, entry: Entry) -> State:
    said = entry.said
    return replace(
        _decided(state, entry), status="refused", finished=True,
        code=said["code"], reason=said["reason"], who_acts=said["who_acts"], what_to_do=said["what_to_do"],
    )  # fmt: skip


def release_of(state: State, entry: Entry) -> Release:
    """The release that a `published` entry records, for a delivery in this state."""
    said = entry.said
    return Release(
        seq=entry.seq,
        partner=state.delivery.partner,
        table_name=said["table"],
        window_label=said["period"],
        delivery=str(state.delivery),
        turn=state.turn,
        cells=said["cells"],
        withheld=sum(said["withheld"].values()),
        provisional=said["provisional"],
        snapshot_id=said["snapshot_id"],
        content_sha256=said["content_sha256"],
    )


def _published(state: State, entry: Entry) -> State:
    released = replace(state, releases=(*state.releases, release_of(state, entry)))
    # A release that a killed run left behind is on record, but decides nothing that was refused since.
    return replace(released, status="published", finished=False) if state.is_accepted else released


def _finished(state: State, entry: Entry) -> State:
    return replace(state, finished=True)


def _raw_deleted(state: State, entry: Entry) -> State:
    return replace(state, raw_deleted_at=entry.at)


def _protected_deleted(state: State, entry: Entry) -> State:
    return replace(state, protected_deleted_at=entry.at)


_CHANGES = {
    "agreement_read_again": _read_again,
    "landed_again": _landed_again,
    "arrival_known": _arrival_known,
    "repeated": _repeated,
    "withdrawn": _withdrawn,
    "withdrawal_done": _finished,
    "set_aside_given": _handed_out,
    "accepted": _accepted,
    "refused": _refused,
    "published": _published,
    "finished": _finished,
    "raw_deleted": _raw_deleted,
    "protected_deleted": _protected_deleted,
}


def row_of(state: State) -> dict[str, Any]:
    """The state as a row of the table `delivery`."""
    count, current = state.count, state.current
    return {
        "partner": state.delivery.partner,
        "feed": state.delivery.feed,
        "period": state.delivery.period,
        "version": state.delivery.version,
        "content_sha256": state.content_sha256,
        "status": state.status,
        "finished": state.finished,
        "code": state.code,
        "reason": state.reason,
        "who_acts": state.who_acts,
        "what_to_do": state.what_to_do,
        "made_by": state.made_by,
        "turn": state.turn,
        "agreement_version": state.agreement_version,
        "agreement_sha256": state.agreement_sha256,
        "files": state.files,
        "bytes": state.bytes,
        "rows_in": count.rows_in if count else None,
        "rows_out": count.rows_out if count else None,
        "set_aside": canonical(dict(count.set_aside) if count else {}),
        "tables": canonical(sorted({part.table_name for part in current})),
        "cells": sum(part.cells for part in current),
        "withheld": sum(part.withheld for part in current),
        "received_at": state.received_at,
        "raw_since": state.raw_since,
        "raw_deleted_at": state.raw_deleted_at,
        "protected_since": state.protected_since,
        "protected_deleted_at": state.protected_deleted_at,
        "sent_at": state.sent_at,
        "arrival": state.arrivals[-1] if state.arrivals else "",
        "repeats": state.repeats,
        "last_repeat_at": state.last_repeat_at,
        "withdrawn_at": state.withdrawn_at,
        "signed_by": state.signed_by,
        "last_seq": state.last_seq,
    }
