"""What a partner is told of a delivery of its own: the state of the promise, the reasons, and the signed receipts."""

from __future__ import annotations

from typing import Any

from acequia.agreement.load import versions
from acequia.intake import partial as uploading
from acequia.intake.desk import Desk, Place, told_if_there
from acequia.promises.board import Known, Promise, of_feed


def status(desk: Desk, place: Place) -> dict[str, Any]:
    """State, code, reason and receipts of a period, and what lies on its shelf. For JSON."""
    promise = _promise(desk, place)
    rows = [row for row in desk.ledger.deliveries(place.partner, place.feed) if row.period == place.period.label]
    newest = rows[-1] if rows else None
    told = {
        "partner": place.partner,
        "feed": place.feed,
        "period": place.period.label,
        "state": promise.state if promise else "not_due",
        "due_at": promise.due_at.isoformat() if promise and promise.due_at else None,
        "versions": len(rows),
        "stands": promise.stands if promise else None,
    }
    if newest:
        told |= {
            "status": newest.status,
            "code": newest.code,
            "reason": newest.reason,
            "what_to_do": newest.what_to_do,
            "received_at": newest.received_at,
        }
    return told | {"uploads": _uploads(desk, place), "receipts": _receipts(desk, place)}


def _promise(desk: Desk, place: Place) -> Promise | None:
    known = Known.of(desk.ledger, place.partner, place.feed)
    agreed = versions(desk.settings.partners, place.partner)
    last = place.period.last_day
    found = of_feed(agreed, place.feed, desk.settings.reference, known, last, last, desk.ledger.clock())
    return next((promise for promise in found if promise.period == place.period), None)


def _uploads(desk: Desk, place: Place) -> dict[str, Any]:
    """Names are the partner's own, and told to nobody else."""
    under_way = []
    for partial in uploading.under_way(desk.uploads, place.partner):
        told = told_if_there(partial)
        if told and (told.feed, told.period) == (place.feed, place.period.label):
            under_way.append({"id": partial.id, "name": told.name, "offset": told.offset, "length": told.length})
    return {
        "under_way": under_way,
        "waiting": [_said(kept) for kept in place.shelf.waiting()],
        "delivered": [_said(kept) for kept in place.shelf.delivered()],
    }


def _said(kept: Any) -> dict[str, Any]:
    return {"name": kept.name, "bytes": kept.bytes, "sha256": kept.sha256}


def _receipts(desk: Desk, place: Place) -> list[str]:
    """Every receipt of the period, signed, in the order of versions and steps."""
    folder = desk.settings.home / "receipts" / place.partner / place.feed / place.period.label
    files = sorted(folder.glob("v*/*.jws"), key=lambda file: (int(file.parent.name[1:]), file.name))
    return [file.read_text(encoding="ascii").strip() for file in files]
