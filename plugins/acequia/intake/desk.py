"""What a partner may do with its uploads, without HTTP: the rules, the files on disk, the ledger that is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.agreement.load import find
from acequia.agreement.sources import UploadSource
from acequia.errors import AcequiaError
from acequia.intake import partial as uploading
from acequia.intake.finishing import finish, is_whole_manifest
from acequia.intake.partial import Partial, Told, Writing
from acequia.intake.protocol import Checksum
from acequia.intake.refusals import Refusal, not_found, too_large
from acequia.keys import KeyStore
from acequia.ledger.book import Ledger
from acequia.pauses import paused
from acequia.period import Period
from acequia.receive import envelope
from acequia.receive.manifest import NAME, SIGNED_NAME
from acequia.receive.names import is_plain
from acequia.receive.signed import TOKEN_AT_MOST
from acequia.receive.sources.opening import pattern_of
from acequia.receive.sources.source import FILES_AT_MOST, is_manifest
from acequia.receive.uploads import FOLDER, Shelf
from acequia.settings import Settings

OPEN_AT_MOST = 50  # uploads of one partner under way at once


@dataclass(frozen=True)
class Place:
    """A feed and period of a partner, as its agreement has it."""

    partner: str
    feed: str
    period: Period
    terms: Delivery
    shelf: Shelf


@dataclass(frozen=True)
class Desk:
    """Takes uploads in. Moments are seconds since 1970."""

    settings: Settings
    ledger: Ledger
    keys: KeyStore
    clock: Callable[[], float] = time.time

    @property
    def uploads(self) -> Path:
        """The folder of all uploads."""
        return self.settings.home / FOLDER

    def place(self, partner: str, feed: str, label: str) -> Place:
        """A feed and period. Refused with 404 if nothing is uploaded there, with 403 if the agreement does not hold."""
        try:
            newest = find(self.settings.partners, partner).agreement.feed(feed).delivery
            period = Period.parse(label, newest.period)
            agreement = find(self.settings.partners, partner, period).agreement
            terms = agreement.feed(feed).delivery
        except AcequiaError as error:
            if error.code in ("unknown_name", "usage"):
                raise not_found() from None
            raise
        if not isinstance(terms.source, UploadSource):
            raise not_found()
        try:
            agreement.require_in_force(period)
        except AcequiaError as error:
            raise Refusal(403, error.code, error.what) from None
        return Place(partner, feed, period, terms, Shelf.of(self.uploads, partner, feed, period))

    def create(self, place: Place, name: str, length: int) -> tuple[Partial, Told]:
        """Begin an upload, within every bound."""
        if paused(self.ledger, place.partner, place.feed):
            raise Refusal(503, "feed_paused", "the feed is paused")
        _require_agreed_name(place, name)
        uploading.expire(self.uploads, self.clock(), place.partner)
        under_way = uploading.under_way(self.uploads, place.partner)
        if len(under_way) >= OPEN_AT_MOST:
            raise Refusal(429, "too_many_uploads", f"{OPEN_AT_MOST} uploads are under way: end or delete one")
        _require_room(place, name, length, [told for told in map(told_if_there, under_way) if told])
        told = Told(
            feed=place.feed,
            period=place.period.label,
            name=name,
            length=length,
            offset=0,
            expires=self.clock() + uploading.KEPT_S,
        )
        partial = uploading.begin(self.uploads, place.partner, told)
        if length == 0:
            partial.bytes.touch(mode=0o600)
            with partial.held():
                self.finish(place, partial, told)
        return partial, told

    def find(self, place: Place, number: str) -> tuple[Partial, Told]:
        """An upload under way at this place. Refused with 404 without one, with 410 once it is left alone too long."""
        partial = uploading.find(self.uploads, place.partner, number)
        told = partial.told()
        if (told.feed, told.period) != (place.feed, place.period.label):
            raise not_found()
        if told.expires <= self.clock():
            raise Refusal(410, "upload_expired", "the upload was left alone for too long: begin again")
        return partial, told

    def offset(self, place: Place, number: str) -> tuple[int, int, float | None]:
        """How many bytes of how many an upload has, and when it expires: never, once it is whole.

        One whose server was killed before its last step is ended now.
        """
        try:
            partial, told = self.find(place, number)
        except Refusal as refusal:
            kept = [kept for kept in (*place.shelf.waiting(), *place.shelf.delivered()) if kept.upload == number]
            if refusal.status != 404 or not kept:
                raise
            return kept[0].bytes, kept[0].bytes, None
        if told.offset < told.length:
            return told.offset, told.length, told.expires
        with partial.held():
            self.finish(place, partial, told)
        return told.length, told.length, None

    def drop(self, place: Place, number: str) -> None:
        """Remove an upload that is under way, or waits for its delivery. What was delivered stays: 404."""
        try:
            partial, _ = self.find(place, number)
        except Refusal:
            if not place.shelf.drop(number):
                raise
            return
        with partial.held():
            partial.discard()

    def begin_writing(self, partial: Partial, offset: int, checksum: Checksum | None) -> Writing:
        """Take the next bytes; the caller holds the upload. Refused with 409 when they are not the next."""
        told = partial.told()
        if offset != told.offset:
            raise Refusal(409, "offset_differs", f"the upload has {told.offset} bytes: go on from there")
        return Writing(partial, told, checksum, self.clock())

    def finish(self, place: Place, partial: Partial, told: Told) -> None:
        """End an upload that is whole; the caller holds it."""
        recipients = envelope.recipients(self.settings, self.keys)
        finish(partial, told, place.shelf, place.terms, recipients, self.clock())

    def complete(self, place: Place) -> bool:
        """The partner says that the delivery is all there; whether anything new was. Where a manifest says it, 409."""
        if place.terms.manifest == "required":
            names = {kept.name for kept in place.shelf.waiting()}
            if not any(is_manifest(name, pattern_of(place.terms, place.period)) for name in names):
                raise Refusal(409, "manifest_missing", "the agreed manifest completes the delivery: upload it last")
        return place.shelf.complete()


def told_if_there(partial: Partial) -> Told | None:
    """What is known of an upload; None if it was ended meanwhile."""
    try:
        return partial.told()
    except Refusal:
        return None


def _require_agreed_name(place: Place, name: str) -> None:
    """Only names that the agreement lets the gate take: another would be kept, and never looked at."""
    pattern = pattern_of(place.terms, place.period)
    if not is_plain(name):
        raise Refusal(400, "name_escapes", "use a plain file name, without folders or '..'")
    if is_manifest(name, pattern):
        _require_agreed_manifest(place.terms, name)
    elif not pattern.takes(name):
        raise Refusal(400, "name_not_agreed", f"the agreement has files named {pattern.name}, and no other")
    elif place.terms.encryption == "required" and not name.endswith(".age"):
        raise Refusal(400, "encryption_missing", "encrypt the file with age, and send it as NAME.age")


def _require_agreed_manifest(terms: Delivery, name: str) -> None:
    signed = name.endswith(SIGNED_NAME)
    if terms.manifest == "none":
        raise Refusal(400, "manifest_invalid", "no manifest is agreed")
    if terms.signature == "none" and signed:
        raise Refusal(400, "manifest_invalid", f"no signature is agreed: send {NAME}")
    if terms.signature == "required" and not signed:
        raise Refusal(400, "signature_missing", f"a signature is agreed: send {SIGNED_NAME}")


def _require_room(place: Place, name: str, length: int, under_way: list[Told]) -> None:
    """A delivery, with all that is on its way to it, is bounded by what is agreed."""
    if is_whole_manifest(name) and length > TOKEN_AT_MOST:
        raise too_large(f"a manifest has at most {TOKEN_AT_MOST:,} bytes")
    own = [told for told in under_way if (told.feed, told.period) == (place.feed, place.period.label)]
    others = {kept.name: kept.bytes for kept in place.shelf.waiting() if kept.name != name}
    if len(others) + len(own) >= FILES_AT_MOST:
        raise too_large(f"a delivery has at most {FILES_AT_MOST:,} files")
    if sum(others.values()) + sum(told.length for told in own) + length > place.terms.bytes_at_most:
        raise too_large(f"the delivery would exceed what is agreed ({place.terms.bytes_at_most:,} bytes)")
