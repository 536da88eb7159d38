"""What a receipt says, from the entries of its delivery and from nothing else, its time included.

A claim is made of what an entry says; entries of an earlier version of this program say less, and their receipts stay
what they were, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from acequia.ledger.chain import Entry
from acequia.ledger.projection import State, after


@dataclass(frozen=True)
class Planned:
    """A receipt that the ledger gives reason for; `claims` lack only `prev`."""

    number: int
    step: str
    entry: Entry
    claims: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{self.number:02d}-{self.step}.jws"


@dataclass
class Story:
    """A delivery, entry by entry: where it stands, and the receipts that its entries give reason for."""

    state: State | None = None
    first: Mapping[str, Any] = field(default_factory=dict)
    receipts: int = 0
    releases: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    kept_days: Mapping[str, int] = field(default_factory=dict)
    landing_key: str = ""

    def add(self, entry: Entry) -> Planned | None:
        """One more entry; the receipt of it, if it has one."""
        said = entry.said
        self.first = said if self.state is None else self.first
        self.state = after(self.state, entry)
        self.kept_days = said.get("kept_days", self.kept_days)
        if entry.kind in ("received", "landed_again"):
            self.landing_key = said.get("landing_key", "")
        if entry.kind == "published":
            self.releases[entry.seq] = {name: said[name] for name in ("release", "changes") if name in said}
        step = self._step(entry)
        if step is None:
            return None
        self.receipts += 1
        return Planned(self.receipts, step, entry, self._claims(step, self.state, entry, said))

    def _step(self, entry: Entry) -> str | None:
        if entry.kind == "finished":  # not each table by itself: one receipt tells of all that went out
            return "published" if self.state and self.state.current else None
        return entry.kind if entry.kind in _TOLD and entry.kind != "published" else None

    def _claims(self, step: str, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
        delivery = state.delivery
        return {
            "iss": "acequia",
            "iat": int(entry.moment.timestamp()),
            "number": self.receipts,
            "step": step,
            "delivery": str(delivery),
            "partner": delivery.partner,
            "feed": delivery.feed,
            "period": delivery.period,
            "version": delivery.version,
            "content_sha256": state.content_sha256,
            "agreement": {"version": state.agreement_version, "sha256": state.agreement_sha256},
            "ledger": {"seq": entry.seq, "hash": entry.hash},
            **_TOLD[step](self, state, entry, said),
            **self._kept(state),
        }

    def _kept(self, state: State) -> dict[str, Any]:
        """When the bytes and rows were deleted, or will be: on the first day after those that were agreed then."""
        if not self.kept_days:
            return {}
        times = {"raw": (state.raw_since, state.raw_deleted_at)}
        times["protected"] = (state.protected_since, state.protected_deleted_at)
        return {"kept": {what: _days(*times[what], days) for what, days in sorted(self.kept_days.items())}}


def plan(entries: Sequence[Entry]) -> list[Planned]:
    """The receipts that a delivery's entries give reason for, in order."""
    story = Story()
    return [planned for entry in entries if (planned := story.add(entry))]


def _days(since: str, deleted_at: str | None, days: int) -> dict[str, Any]:
    due = datetime.fromisoformat(since).date() + timedelta(days=days)
    return {
        "since": since,
        "days": days,
        "delete_on": None if deleted_at else due.isoformat(),
        "deleted_at": deleted_at,
    }


def _files(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    return {"files": story.first["files"]}


def _received(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: said[name] for name in ("sent_at", "signed_by", "landing_key") if name in said}
    if "corrects" in said:
        told["corrects"] = {name: said["corrects"][name] for name in ("delivery", "rows", "file_sha256")}
    more = {"received_at": entry.at, "bytes": state.bytes} if "kept_days" in said else {}
    return {"files": said["files"], **more, **told}


def _rows(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rows": said["count"],
        **{name: said[name] for name in ("scanned", "warnings", "differences") if name in said},
    }


def _tables(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    told = [
        {
            "table": f"{part.partner}.{part.table_name}",
            "period": part.window_label,
            "cells": part.cells,
            "cells_withheld": part.withheld,
            "provisional": part.provisional,
            "snapshot_id": str(part.snapshot_id),  # 64 bits: JSON numbers lose the last of them in many languages
            "content_sha256": part.content_sha256,
            **story.releases.get(part.seq, {}),
        }
        for part in state.current
    ]
    return {"rows": state.count.model_dump(mode="json") if state.count else None, "tables": told}


def _refusal(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: said[name] for name in ("code", "reason", "who_acts", "what_to_do")}
    told |= {name: said[name] for name in ("checks", "drift") if name in said}
    return {"refusal": told} | ({"rows": said["rows"]} if "rows" in said else {})


def _deletion(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    return {"deleted": {"at": entry.at, "files": said["files"], "proof": said["proof"]}}


def _raw_deletion(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    told = {**_deletion(story, state, entry, said), **_files(story, state, entry, said)}
    return told | ({"landing_key": story.landing_key} if story.landing_key else {})


def _repetition(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    """The same bytes came again: nothing was done, and this is what stands."""
    told = {"at": entry.at, "done": "nothing", "status": said["status"], "stands": said["stands"] or None}
    sent = {name: said[name] for name in ("sent_at", "signed_by") if name in said}
    return {"repetition": told, **sent, **_files(story, state, entry, said)}


def _withdrawal(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    return {"withdrawal": {name: said[name] for name in ("because", "erase")}}


def _withdrawal_done(story: Story, state: State, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    return {"withdrawal": {"erased": said["erased"], "tables": said["tables"]}}


_TOLD = {
    "received": _received,
    "repeated": _repetition,
    "withdrawn": _withdrawal,
    "withdrawal_done": _withdrawal_done,
    "accepted": _rows,
    "published": _tables,
    "refused": _refusal,
    "raw_deleted": _raw_deletion,
    "protected_deleted": _deletion,
}
