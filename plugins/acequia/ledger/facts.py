"""Which fact is to be recorded, given what is known of a delivery. Pure; `None` means that it is on record already.

Each fact has a natural key, so that a step that was killed and is run again adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from acequia.errors import CODES
from acequia.flow import Count, DeliveryId, Disclosed, LandedFile, Published, Risk, Scanned
from acequia.ledger.chain import Draft
from acequia.ledger.projection import State


def _key(kind: str, delivery: DeliveryId, *parts: object) -> str:
    return "/".join([kind, str(delivery), *(str(part) for part in parts)])


def received(
    delivery: DeliveryId, content_sha256: str, version: str, sha256: str, files: Sequence[LandedFile]
) -> Draft:
    """A new delivery. Its files are named by number: a name is the partner's text, and may hold anything."""
    folders = {str(PurePosixPath(file.stored).parent) for file in files}
    body = {
        "content_sha256": content_sha256,
        "agreement_version": version,
        "agreement_sha256": sha256,
        "files": [{"number": n, "bytes": file.bytes, "sha256": file.sha256} for n, file in enumerate(files, 1)],
        "landed_in": folders.pop() if len(folders) == 1 else "",
    }
    return Draft("received", _key("received", delivery), body)


def came_again(state: State, version: str, sha256: str) -> list[Draft]:
    """The same content once more: worth a note only if the agreement's text changed, or the raw files were gone."""
    drafts = []
    if sha256 != state.agreement_sha256:
        body = {"agreement_version": version, "agreement_sha256": sha256}
        kind = "agreement_read_again"
        drafts.append(Draft(kind, _key(kind, state.delivery, state.readings + 1, sha256[:16]), body))
    if state.raw_deleted_at is not None:
        drafts.append(Draft("landed_again", _key("landed_again", state.delivery, state.landings + 1), {}))
    return drafts


def accepted(
    state: State, count: Count, made_by: str, scanned: Sequence[Scanned] = (), risk: Risk | None = None
) -> Draft | None:
    """The delivery passed every check under this reading of the agreement; the leak scan found so much, tolerated;
    its protected rows tell people apart so well.
    """
    if state.is_accepted and state.made_by == made_by and state.count == count:
        return None
    body = {"count": count.model_dump(mode="json"), **_reading(state, made_by)}
    if scanned:
        body["scanned"] = [one.model_dump(mode="json", exclude={"tolerated"}) for one in scanned]
    if risk:
        body["risk"] = json.loads(risk.model_dump_json())
    return Draft("accepted", _key("accepted", state.delivery, state.turn + 1, made_by[:16]), body)


def refused(state: State, code: str, reason: str, who_acts: str, made_by: str) -> Draft | None:
    """The delivery was refused. What to do is recorded with it, as it was said then."""
    if state.status == "refused" and (state.made_by, state.code, state.reason) == (made_by, code, reason):
        return None
    what_to_do = CODES[code].what_to_do if code in CODES else ""
    body = {
        "code": code,
        "reason": reason,
        "who_acts": who_acts,
        "what_to_do": what_to_do,
        **_reading(state, made_by),
    }
    return Draft("refused", _key("refused", state.delivery, state.turn + 1, made_by[:16]), body)


def published(state: State, disclosed: Disclosed, release: Published) -> Draft | None:
    """One table and window went out."""
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
    if state.finished:
        return None
    return Draft("finished", _key("finished", state.delivery, state.turn, len(state.releases)), {})


def raw_deleted(state: State, files: int, proof: Mapping[str, object]) -> Draft | None:
    """Its raw bytes are gone from landing."""
    if state.raw_deleted_at is not None:
        return None
    body = {"files": files, "proof": dict(proof)}
    return Draft("raw_deleted", _key("raw_deleted", state.delivery, state.landings), body)


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
