"""Notices about what the ledger says was done: accepted, refused, repeated, published, withdrawn, paused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from acequia.flow import DeliveryId
from acequia.ledger.chain import Entry
from acequia.ledger.projection import Release
from acequia.notices.notice import Kind, Notice, Role
from acequia.notices.subject import Subject, iso

OF_DELIVERIES = ("accepted", "refused", "repeated", "published", "taken_out", "withdrawn")
OF_FEEDS = ("paused", "resumed")

_CHECKS_AT_MOST = 20
_Window = tuple[str, str]  # a table and the label of a window


def happened(
    subject: Subject, news: Sequence[Entry], notes: Iterable[Entry], releases: Sequence[Release]
) -> Iterator[Notice]:
    """What is due to be told of deeds.

    Args:
        subject: the partner.
        news: entries of `OF_DELIVERIES`, in order, of every delivery that moved.
        notes: entries of `OF_FEEDS`, in order.
        releases: every publication of the partner's tables, in order.
    """
    by_delivery: dict[str, list[Entry]] = {}
    for entry in news:
        by_delivery.setdefault(str(entry.delivery), []).append(entry)
    for name, entries in by_delivery.items():
        delivery = DeliveryId.parse(name)
        yield from _decided(subject, delivery, entries)
        yield from _repeated(subject, delivery, entries)
    yield from _withdrawn(subject, news)
    yield from _released(subject, news, releases)
    yield from _held(subject, notes)


def _decided(subject: Subject, delivery: DeliveryId, entries: Sequence[Entry]) -> Iterator[Notice]:
    """The last decision, by the first of the entries that say the same: a new reading of old outcome is no news."""
    decisions = [(n, entry) for n, entry in enumerate(_of(entries, "accepted", "refused"), 1)]
    runs = [list(run) for _, run in groupby(decisions, key=lambda one: (one[1].kind, one[1].said.get("code")))]
    if not runs or not _is_fresh(subject, runs[-1][0][1]):
        return
    turn, entry = runs[-1][0]
    number = f"v{delivery.version}.t{turn}"
    facts, roles = _refusal(subject, delivery, entry) if entry.kind == "refused" else _acceptance(delivery, entry)
    yield from subject.of_period(
        entry.kind,  # type: ignore[arg-type]
        delivery.feed, delivery.period, number, entry.moment, facts, *roles,
    )  # fmt: skip


def _acceptance(delivery: DeliveryId, entry: Entry) -> tuple[dict[str, Any], tuple[Role, ...]]:
    count = entry.said["count"]
    facts = {
        "version": delivery.version,
        "rows_in": count["rows_in"],
        "rows_set_aside": count["rows_in"] - count["rows_out"],
        "warnings": warnings_of(entry.said),
        "differences": entry.said.get("differences"),
    }
    # A look-back check that warns is the steward's concern as well.
    return facts, ("partner", "steward") if facts["warnings"] else ("partner",)


def _refusal(subject: Subject, delivery: DeliveryId, entry: Entry) -> tuple[dict[str, Any], tuple[Role, ...]]:
    said, feed = entry.said, subject.feed(delivery.feed)
    until = iso(subject.watched_until(feed, delivery.of_period())) if feed else None
    facts = {name: said[name] for name in ("code", "reason", "what_to_do")}
    checks = [str(check["says"]) for check in said.get("checks", ())][:_CHECKS_AT_MOST]
    facts |= {"version": delivery.version, "watched_until": until, "checks": checks, "drift": said.get("drift")}
    return facts, ("partner", "steward")


def _repeated(subject: Subject, delivery: DeliveryId, entries: Sequence[Entry]) -> Iterator[Notice]:
    for entry in _of(entries, "repeated"):
        if _is_fresh(subject, entry):
            number = f"v{delivery.version}.{entry.said['arrival'][:16]}"
            facts = {"version": delivery.version, "stands": _version(entry.said.get("stands"))}
            yield from subject.of_period(
                "repeated", delivery.feed, delivery.period, number, entry.moment, facts, "partner"
            )


def _withdrawn(subject: Subject, news: Sequence[Entry]) -> Iterator[Notice]:
    """A period is withdrawn with all its versions: it is told once, by the newest."""
    newest: dict[tuple[str, str], tuple[int, Entry]] = {}
    for entry in _of(news, "withdrawn"):
        delivery = DeliveryId.parse(str(entry.delivery))
        place = (delivery.feed, delivery.period)
        # Of two entries about a version the first counts: the second only says that its history is erased, too.
        if place not in newest or newest[place][0] < delivery.version:
            newest[place] = (delivery.version, entry)
    for (feed_name, period), (version, entry) in newest.items():
        feed = subject.feed(feed_name)
        if feed is not None and _is_fresh(subject, entry):
            facts = {"version": version, "because": entry.said["because"]}
            yield from subject.of_period(
                "withdrawn", feed_name, period, f"v{version}", entry.moment, facts,
                "partner", "steward", "consumers", recipients=subject.readers(feed, *feed.tables),
            )  # fmt: skip


def _released(subject: Subject, news: Sequence[Entry], releases: Sequence[Release]) -> Iterator[Notice]:
    """Each window of a table: published, published for good, restated since, or taken out.

    Provisional cells that change are announced once, and again when they are final.
    """
    final: set[_Window] = set()
    last: dict[_Window, Release] = {}
    said = {entry.seq: entry for entry in _of(news, "published", "taken_out")}
    out = {seq: (entry.said["table"], entry.said["period"]) for seq, entry in said.items() if entry.kind == "taken_out"}
    by_seq: dict[int, Release | None] = {release.seq: release for release in releases} | dict.fromkeys(out)
    for seq in sorted(by_seq):
        release, entry = by_seq[seq], said.get(seq)
        window = (release.table_name, release.window_label) if release else out[seq]
        before, was_final = last.pop(window, None), window in final
        if release is None:
            final.discard(window)
        else:
            last[window] = release
            final |= set() if release.provisional else {window}
        if entry is not None and _is_fresh(subject, entry):
            yield from _of_window(subject, entry, window, before, release, was_final=was_final)


def _of_window(
    subject: Subject, entry: Entry, window: _Window, before: Release | None, release: Release | None, *, was_final: bool
) -> Iterator[Notice]:
    if release is None:
        yield from _of_table(subject, "removed", entry, window, {}, "steward", "consumers")
        return
    changes = changes_of(entry.said)
    if was_final and changes is not None:
        if differs(changes):
            facts = {"cells": release.cells, "changes": changes}
            yield from _of_table(subject, "restated", entry, window, facts, "partner", "steward", "consumers")
        return
    is_other = was_final and before is not None and before.content_sha256 != release.content_sha256
    becomes_final = not was_final and not release.provisional
    if before is None or is_other or becomes_final:
        told = {name: getattr(release, name) for name in ("cells", "withheld", "provisional")}
        yield from _of_table(subject, "published", entry, window, told, "consumers")


def _of_table(
    subject: Subject, kind: Kind, entry: Entry, window: _Window, facts: Mapping[str, Any], *roles: Role
) -> Iterator[Notice]:
    feed, (table, label) = subject.feed(str(entry.feed)), window
    if feed is None or table not in feed.tables:
        return
    told = {"table": f"{entry.partner}.{table}", **facts}
    yield from subject.of_period(
        kind, str(entry.feed), label, f"{table}.{entry.seq}", entry.moment, told, *roles,
        recipients=subject.readers(feed, table),
    )  # fmt: skip


def _held(subject: Subject, notes: Iterable[Entry]) -> Iterator[Notice]:
    """The last of pauses and resumptions of each feed, or of all: what was paused and goes on is no news any more."""
    last: dict[str, Entry] = {str(entry.feed): entry for entry in notes}
    for feed, entry in last.items():
        if entry.moment >= subject.since:
            facts = {"feed": feed, "because": entry.said["because"]}
            number = entry.key.rpartition("/")[2]
            yield from subject.of_agreement(
                entry.kind,  # type: ignore[arg-type]
                feed, number, entry.moment, facts, "partner", "steward", "dpo",
            )  # fmt: skip


def warnings_of(said: Mapping[str, Any]) -> list[str]:
    """What look-back checks warned of when the delivery was accepted, as texts without values."""
    return [str(warning) for warning in said.get("warnings", ())]


def changes_of(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """How a release differs from the one that stood before it; None where none stood.

    Counts of cells, and of each measure by how many percent its total moved and one cell at most: no total, which could
    be that of one cell.
    """
    found = said.get("changes")
    if found is None:
        return None
    measures = {name: _moved(told) for name, told in found.get("measures", {}).items()}
    return {"cells": found.get("cells"), "measures": measures}


def differs(changes: Mapping[str, Any]) -> bool:
    """Whether readers see anything else than before; what is not known counts as something else."""
    cells = changes["cells"]
    return cells is None or any(cells[kind] for kind in ("added", "removed", "changed", "newly_withheld", "opened"))


def _moved(told: Mapping[str, Any]) -> dict[str, float | None]:
    before, after, largest = (told.get(name) for name in ("total_before", "total_after", "largest_relative_change"))
    total = round(100 * (after - before) / abs(before), 2) if before and after is not None else None
    return {"total_pct": total, "largest_pct": None if largest is None else round(100 * largest, 2)}


def _of(entries: Sequence[Entry], *kinds: str) -> list[Entry]:
    return [entry for entry in entries if entry.kind in kinds]


def _version(stands: str | None) -> int | None:
    return DeliveryId.parse(stands).version if stands else None


def _is_fresh(subject: Subject, entry: Entry) -> bool:
    feed = subject.feed(str(entry.feed))
    return feed is not None and subject.is_fresh(feed, entry.moment)
