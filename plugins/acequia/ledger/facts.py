"""Which fact is to be recorded, given what is known of a delivery. Pure; `None` means that it is on record already.

Each fact has a natural key, so that a step that was killed and is run again adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from acequia.errors import CODES, AcequiaError
from acequia.flow import Count, DeliveryId, Disclosed, LandedFile, Mix, Published, Risk, Scanned
from acequia.ledger.chain import Draft
from acequia.ledger.projection import State


def _key(kind: str, delivery: DeliveryId, *parts: object) -> str:
    return "/".join([kind, str(delivery), *(str(part) for part in parts)])


@dataclass(frozen=True)
class Sent:
    """How a delivery came: `arrival` tells one coming from another (empty: it cannot be told), `sent_at` is when by the
    source's clock (None: it does not say), `signed_by` the partner's key. And how it is kept: `landing_key` is the
    fingerprint of the key that its raw bytes alone lie under (empty: one key for all), `kept_days` for how many days
    `raw` bytes and `protected` rows are kept.
    """

    arrival: str = ""
    sent_at: datetime | None = None
    signed_by: str | None = None
    landing_key: str = ""
    kept_days: Mapping[str, int] | None = None

    def said(self) -> dict[str, str]:
        """What is known of it, for an entry."""
        at = self.sent_at.astimezone(UTC).isoformat(timespec="microseconds") if self.sent_at else ""
        told = {"arrival": self.arrival, "sent_at": at.replace("+00:00", "Z"), "signed_by": self.signed_by or ""}
        return {name: value for name, value in told.items() if value}

    def kept(self) -> dict[str, object]:
        """How it is kept, for an entry."""
        told = {"landing_key": self.landing_key, "kept_days": dict(self.kept_days or {})}
        return {name: value for name, value in told.items() if value}


def received(
    delivery: DeliveryId,
    content_sha256: str,
    version: str,
    sha256: str,
    files: Sequence[LandedFile],
    sent: Sent = Sent(),  # noqa: B008 - frozen
    corrects: Mapping[str, object] | None = None,
) -> Draft:
    """A new delivery; `corrects` if it is one that came before, with some of its rows replaced.

    Its files are named by number: a name is the partner's text, and may hold anything.
    """
    folders = {str(PurePosixPath(file.stored).parent) for file in files}
    body = {
        "content_sha256": content_sha256,
        "agreement_version": version,
        "agreement_sha256": sha256,
        "files": [_landed(number, file) for number, file in enumerate(files, 1)],
        "landed_in": folders.pop() if len(folders) == 1 else "",
        **sent.said(),
        **sent.kept(),
        **({"corrects": dict(corrects)} if corrects else {}),
    }
    return Draft("received", _key("received", delivery), body)


def _landed(number: int, file: LandedFile) -> dict[str, object]:
    """A file by its number. Of one that came encrypted also what was sent, as the partner knows it."""
    said: dict[str, object] = {"number": number, "bytes": file.bytes, "sha256": file.sha256}
    if file.sent_sha256:
        said |= {"sent_bytes": file.sent_bytes, "sent_sha256": file.sent_sha256}
    return said


def came_again(state: State, version: str, sha256: str, sent: Sent = Sent(), stands: str = "") -> list[Draft]:  # noqa: B008
    """The same content once more: worth a note only if it was put there again, if the agreement's text changed, or if
    the raw files were gone. `stands` is the period's accepted delivery, if there is one.
    """
    drafts = _arrived_again(state, sent, stands)
    if sha256 != state.agreement_sha256:
        body = {"agreement_version": version, "agreement_sha256": sha256}
        kind = "agreement_read_again"
        drafts.append(Draft(kind, _key(kind, state.delivery, state.readings + 1, sha256[:16]), body))
    if state.raw_deleted_at is not None:
        drafts.append(Draft("landed_again", _key("landed_again", state.delivery, state.landings + 1), sent.kept()))
    return drafts


def _arrived_again(state: State, sent: Sent, stands: str) -> list[Draft]:
    """A coming that was not known. Where none was, the first may be the very one that the old entry speaks of."""
    if not sent.arrival or sent.arrival in state.arrivals:
        return []
    kind = "repeated" if state.arrivals else "arrival_known"
    told = {"status": state.status, "stands": stands} if kind == "repeated" else {}
    return [Draft(kind, _key(kind, state.delivery, sent.arrival[:16]), {**sent.said(), **told})]


def withdrawn(state: State, who: str, because: str, *, erase: bool) -> Draft | None:
    """It was taken back: its rows count no more. A second time only says more if history is to be erased, too."""
    if state.withdrawn_at is not None and (state.erased or not erase):
        return None
    body = {"who": who, "because": because, "erase": erase}
    return Draft("withdrawn", _key("withdrawn", state.delivery, "erased" if erase else "kept"), body)


def taken_out(state: State, table: str, window: str, because: str) -> Draft | None:
    """A table's window left the lake with it: nothing else counts to it, or it cannot be computed without it."""
    key = _key("taken_out", state.delivery, table, window, state.turn)
    return Draft("taken_out", key, {"table": table, "period": window, "because": because})


def withdrawal_done(state: State, body: Mapping[str, object]) -> Draft | None:
    """Nothing of it is left in any table (and, if its history was to be erased, anywhere)."""
    if state.finished:
        return None
    return Draft("withdrawal_done", _key("withdrawal_done", state.delivery, "erased" if state.erased else "kept"), body)


def set_aside_given(state: State, who: str, by_reason: Mapping[str, int]) -> Draft:
    """The rows that were set aside were handed out, for the partner. Each time is a fact of its own."""
    body = {"who": who, "rows": sum(by_reason.values()), "by_reason": dict(by_reason)}
    return Draft("set_aside_given", _key("set_aside_given", state.delivery, state.handed_out + 1), body)


def _require_not_withdrawn(state: State) -> None:
    if state.withdrawn_at is not None:
        raise AcequiaError("delivery_withdrawn", "it was withdrawn", where=str(state.delivery))


def accepted(
    state: State,
    count: Count,
    made_by: str,
    scanned: Sequence[Scanned] = (),
    risk: Risk | None = None,
    differences: Mapping[str, object] | None = None,
    mix: Mapping[str, Mix] | None = None,
    warnings: Sequence[str] = (),
) -> Draft | None:
    """The delivery passed every check under this reading of the agreement; the leak scan found so much, tolerated;
    its protected rows tell people apart so well, and differ by so many from those of the version that stood. What they
    are made of is kept for comparing later ones; `warnings` say how it is unlike those before it.
    """
    _require_not_withdrawn(state)
    if state.is_accepted and state.made_by == made_by and state.count == count:
        return None
    body = {"count": count.model_dump(mode="json"), **_reading(state, made_by)}
    if scanned:
        body["scanned"] = [one.model_dump(mode="json", exclude={"tolerated"}) for one in scanned]
    if risk:
        body["risk"] = json.loads(risk.model_dump_json())
    if differences:
        body["differences"] = dict(differences)
    if mix:
        body["mix"] = {name: of.model_dump(mode="json") for name, of in mix.items()}
    if warnings:
        body["warnings"] = list(warnings)
    return Draft("accepted", _key("accepted", state.delivery, state.turn + 1, made_by[:16]), body)


def refused(
    state: State, code: str, reason: str, who_acts: str, made_by: str, found: Mapping[str, object] | None = None
) -> Draft | None:
    """The delivery was refused. What to do is recorded with it, as it was said then, and what was found."""
    _require_not_withdrawn(state)
    if state.status == "refused" and (state.made_by, state.code, state.reason) == (made_by, code, reason):
        return None
    what_to_do = CODES[code].what_to_do if code in CODES else ""
    body = {
        "code": code,
        "reason": reason,
        "who_acts": who_acts,
        "what_to_do": what_to_do,
        **(found or {}),
        **_reading(state, made_by),
    }
    return Draft("refused", _key("refused", state.delivery, state.turn + 1, made_by[:16]), body)


def published(
    state: State, disclosed: Disclosed, release: Published, changes: Mapping[str, object] | None = None
) -> Draft | None:
    """One table and window went out; `changes` is how it differs from the vintage that stood before."""
    body = {
        "table": disclosed.table,
        "period": disclosed.period,
        "cells": disclosed.cells,
        "withheld": dict(disclosed.withheld),
        "provisional": disclosed.provisional,
        "rules": dict(disclosed.rules),
        "deliveries": sorted(str(part) for part in disclosed.deliveries),
        "snapshot_id": release.snapshot_id,
        "content_sha256": release.content_sha256,
        **({"release": release.release} if release.release else {}),
        **({"changes": dict(changes)} if changes else {}),
    }
    for known in state.releases:
        told = (known.table_name, known.window_label, known.snapshot_id, known.content_sha256, known.provisional)
        if known.turn == state.turn and told == _same(disclosed, release):
            return None
    return Draft("published", _key("published", state.delivery, state.turn, *_same(disclosed, release)), body)


def _same(disclosed: Disclosed, release: Published) -> tuple[object, ...]:
    """What makes two releases the same one. Whether the lake changed is not part of it: a second try finds it done."""
    return (disclosed.table, disclosed.period, release.snapshot_id, release.content_sha256, disclosed.provisional)


def finished(state: State) -> Draft | None:
    """Nothing is left to do for the delivery in this turn."""
    if state.finished or state.withdrawn_at is not None:
        return None
    return Draft("finished", _key("finished", state.delivery, state.turn, len(state.releases)), {})


def raw_deletion_begun(state: State, found: Mapping[str, object]) -> Draft | None:
    """Its raw bytes are about to go; noted first, with all that can only be said while they are there."""
    if state.raw_deleted_at is not None:
        return None
    return Draft("raw_deletion_begun", _key("raw_deletion_begun", state.delivery, state.landings), found)


def raw_deleted(state: State, files: int, proof: Mapping[str, object]) -> Draft | None:
    """Its raw bytes are gone from landing."""
    if state.raw_deleted_at is not None:
        return None
    body = {"files": files, "proof": dict(proof)}
    return Draft("raw_deleted", _key("raw_deleted", state.delivery, state.landings), body)


def protected_deletion_begun(state: State, files: int) -> Draft | None:
    """Its protected rows are about to go; how many files there are can only be said while they are there."""
    if state.protected_deleted_at is not None:
        return None
    key = _key("protected_deletion_begun", state.delivery, state.protections)
    return Draft("protected_deletion_begun", key, {"files": files})


def protected_deleted(state: State, files: int, proof: Mapping[str, object]) -> Draft | None:
    """Its protected rows are gone from the workspace."""
    if state.protected_deleted_at is not None:
        return None
    body = {"files": files, "proof": dict(proof)}
    return Draft("protected_deleted", _key("protected_deleted", state.delivery, state.protections), body)


def _reading(state: State, made_by: str) -> dict[str, object]:
    return {
        "made_by": made_by,
        "agreement_version": state.agreement_version,
        "agreement_sha256": state.agreement_sha256,
    }
