"""Notices about what the ledger says was done: accepted, refused, repeated, published, withdrawn, paused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from acequia.flow import DeliveryId
from acequia.ledger.chain import Entry
from acequia.ledger.projection import Release
from acequia.notices.notice import EVERY_FEED, Notice
from acequia.notices.subject import Subject, iso

OF_DELIVERIES = ("accepted", "refused", "repeated", "published", "withdrawn")
OF_FEEDS = ("paused", "resumed")


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
        yield from _withdrawn(subject, delivery, entries)
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


def _acceptance(delivery: DeliveryId, entry: Entry) -> tuple[dict[str, Any], tuple[Any, ...]]:
    count = entry.said["count"]
    facts = {
        "version": delivery.version,
        "rows_in": count["rows_in"],
        "rows_set_aside": count["rows_in"] - count["rows_out"],
        "warnings": warnings_of(entry.said),
    }
    # A look-back check that warns is the steward's concern as well.
    return facts, ("partner", "steward") if facts["warnings"] else ("partner",)


def _refusal(subject: Subject, delivery: DeliveryId, entry: Entry) -> tuple[dict[str, Any], tuple[Any, ...]]:
    said, feed = entry.said, subject.feed(delivery.feed)
    until = iso(subject.watched_until(feed, delivery.of_period())) if feed else None
    facts = {name: said[name] for name in ("code", "reason", "what_to_do")}
    return {"version": delivery.version, "watched_until": until, **facts}, ("partner", "steward")


def _repeated(subject: Subject, delivery: DeliveryId, entries: Sequence[Entry]) -> Iterator[Notice]:
    for entry in _of(entries, "repeated"):
        if _is_fresh(subject, entry):
            number = f"v{delivery.version}.{entry.said['arrival'][:16]}"
            facts = {"version": delivery.version, "stands": _version(entry.said.get("stands"))}
            yield from subject.of_period(
                "repeated", delivery.feed, delivery.period, number, entry.moment, facts, "partner"
            )


def _withdrawn(subject: Subject, delivery: DeliveryId, entries: Sequence[Entry]) -> Iterator[Notice]:
    feed = subject.feed(delivery.feed)
    for entry in _of(entries, "withdrawn")[:1]:
        if feed is not None and _is_fresh(subject, entry):
            facts = {"version": delivery.version, "because": entry.said["because"]}
            yield from subject.of_period(
                "withdrawn", delivery.feed, delivery.period, f"v{delivery.version}", entry.moment, facts,
                "partner", "steward", "consumers", recipients=subject.readers(feed, *feed.tables),
            )  # fmt: skip


def _released(subject: Subject, news: Sequence[Entry], releases: Sequence[Release]) -> Iterator[Notice]:
    before: dict[tuple[str, str], Release] = {}
    final: set[tuple[str, str]] = set()
    said = {entry.seq: entry for entry in _of(news, "published")}
    for release in releases:
        window = (release.table_name, release.window_label)
        earlier, was_final = before.get(window), window in final
        before[window] = release
        if not release.provisional:
            final.add(window)
        entry = said.get(release.seq)
        if entry is None or not _is_fresh(subject, entry):
            continue
        if earlier is not None and earlier.content_sha256 == release.content_sha256 and was_final:
            continue
        if was_final:
            yield from _restated(subject, entry, release)
        elif earlier is None or not release.provisional:  # provisional cells that change are announced only once
            yield from _published(subject, entry, release)


def _published(subject: Subject, entry: Entry, release: Release) -> Iterator[Notice]:
    told = {name: getattr(release, name) for name in ("cells", "withheld", "provisional")}
    yield from _of_table(subject, "published", entry, release, told, "consumers")


def _restated(subject: Subject, entry: Entry, release: Release) -> Iterator[Notice]:
    changes = changes_of(entry.said)
    facts = {"cells": release.cells, "changes": changes}
    if changes is None or any(changes.values()):
        yield from _of_table(subject, "restated", entry, release, facts, "partner", "steward", "consumers")


def _of_table(
    subject: Subject, kind: Any, entry: Entry, release: Release, facts: Mapping[str, Any], *roles: Any
) -> Iterator[Notice]:
    feed = subject.feed(str(entry.feed))
    if feed is None or release.table_name not in feed.tables:
        return
    number = f"{release.table_name}.{release.seq}"
    yield from subject.of_period(
        kind, str(entry.feed), release.window_label, number, entry.moment,
        {"table": f"{release.partner}.{release.table_name}", **facts}, *roles,
        recipients=subject.readers(feed, release.table_name),
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
                feed if feed != EVERY_FEED else EVERY_FEED, number, entry.moment, facts, "partner", "steward", "dpo",
            )  # fmt: skip


def warnings_of(said: Mapping[str, Any]) -> list[str]:
    """What look-back checks warned of when the delivery was accepted, as texts without values."""
    return [str(warning) for warning in said.get("warnings", ())]


def changes_of(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """How a release differs from the one before, as the ledger says; None where it does not."""
    found = said.get("changes")
    return dict(found) if found is not None else None


def _of(entries: Sequence[Entry], *kinds: str) -> list[Entry]:
    return [entry for entry in entries if entry.kind in kinds]


def _version(stands: str | None) -> int | None:
    return DeliveryId.parse(stands).version if stands else None


def _is_fresh(subject: Subject, entry: Entry) -> bool:
    feed = subject.feed(str(entry.feed))
    return feed is not None and subject.is_fresh(feed, entry.moment)
