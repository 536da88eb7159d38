"""The room itself: pull one delivery from its source into landing, encrypted, and say what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.agreement.promises import SigningKey
from acequia.errors import CODES, REFUSED, AcequiaError
from acequia.flow import Arrived, LandedFile
from acequia.period import Period
from acequia.receive.connections import Resolver
from acequia.receive.fetching import digest, fetched
from acequia.receive.judging import Taken, refusal, require_of_period, said
from acequia.receive.landing import Landing
from acequia.receive.sealing import Sealing
from acequia.receive.settle import grouped, listed, require_same, settled
from acequia.receive.signed import Trust
from acequia.receive.sources.opening import files_given, open_source
from acequia.receive.sources.source import Source

UNTOLD = "0" * 64
TOO_MANY = hashlib.sha256(b"more files than a delivery may have").hexdigest()


def look(
    terms: Delivery, *, partner: str, feed_name: str, period: Period, connect: Resolver, inbox: Path
) -> str | None:
    """The arrival digest of what lies at the source and can be received, without a download; None if nothing does.

    It is what `Arrived.arrival` will be, except where only the content tells (a sql source): that is `UNTOLD`. Files
    that still grow count: `receive` waits for them.

    Errors: `source_unreachable`, `source_denied`, `path_escapes`, `connection_unknown`, `connection_invalid`.
    """
    with (
        placed(f"{partner}.{feed_name} {period}"),
        open_source(terms, period, connect, inbox, feed_name=feed_name) as source,
    ):
        return arrival_of(source, terms)


def arrival_of(source: Source, terms: Delivery) -> str | None:
    """What `look` says of an open source."""
    try:
        listing = listed(source, terms)
    except AcequiaError as error:
        if error.code in ("delivery_missing", "delivery_unfinished"):
            return None
        if CODES[error.code].exit_code == REFUSED:
            return TOO_MANY  # it is for `receive` to refuse it, on the record
        raise
    return UNTOLD if terms.source.type == "sql" else listing.arrival


def receive(
    terms: Delivery,
    *,
    partner: str,
    feed_name: str,
    period: Period,
    connect: Resolver,
    landing: Landing,
    inbox: Path,
    scratch: Path,
    from_dir: Path | None = None,
    given: Source | None = None,
    signing_keys: Mapping[str, SigningKey] | None = None,
) -> Arrived:
    """Pull the period's files into landing. What is refused is landed too, and `refusal` says why.

    Args:
        terms: how the feed is delivered.
        partner: the partner's id.
        feed_name: the feed's id.
        period: which delivery.
        connect: finds connections.
        landing: where the encrypted bytes go, under keys that name their content.
        inbox: the folder of folder sources that name no connection.
        scratch: a private folder for plain bytes; one file at a time lies there in clear.
        signing_keys: the partner's keys by id, of which one must have signed the manifest where that is agreed.
        from_dir: take the files from this folder instead of the source.
        given: take the files from here instead, where they are whole.

    Errors: `delivery_missing`, `delivery_unfinished`, `source_…`, `connection_…`, `path_escapes`, `store_…`.
    """
    sealing, trust = Sealing(landing), Trust(period, signing_keys or {})
    with placed(f"{partner}.{feed_name} {period}"):
        if given is None and from_dir is not None:
            given = files_given(terms, period, from_dir)
        if given is not None:
            taken = _take(given, terms, trust, sealing, scratch, complete=True)
        else:
            opened = open_source(terms, period, connect, inbox, feed_name=feed_name, keys=landing.keys)
            with opened as source:
                taken = _take(source, terms, trust, sealing, scratch, complete=False)
        content = content_sha256({file.name: file.says for file in taken.files})
        wrong = refusal(taken, terms, partner, feed_name, period)
        by_content = given is not None or terms.source.type == "sql"  # looked at again, it is no repetition
        return Arrived(
            files=tuple(_landed(taken, f"{partner}/{feed_name}/{period}/{content[:16]}", sealing, scratch)),
            content_sha256=content,
            manifest=said(taken),
            refusal=wrong and (wrong.code, wrong.what),
            arrival=content if by_content else taken.arrival,
            sent_at=None if by_content else taken.sent_at,
            signed_by=taken.signed_by,
            landing_key=sealing.fingerprint,
        )


def content_sha256(files: Mapping[str, str]) -> str:
    """What names a delivery's content: the hash over `<SHA-256>  <name>` of its files, in any order."""
    return hashlib.sha256("".join(sorted(f"{sha256}  {name}\n" for name, sha256 in files.items())).encode()).hexdigest()


def _take(source: Source, terms: Delivery, trust: Trust, sealing: Sealing, scratch: Path, *, complete: bool) -> Taken:
    """Fetch and encrypt everything, once it is whole."""
    try:
        listing = listed(source, terms, complete=complete)
    except AcequiaError as error:
        if error.code == "file_too_large":
            return Taken(too_large=True, arrival=TOO_MANY)
        raise
    groups = grouped(source, terms, listing, scratch, trust)
    require_of_period(groups, terms, trust.period)
    settled(source, terms, listing, groups)
    files = tuple(fetched(source, listing.files, terms, sealing.landing.keys, sealing, scratch))
    if not source.atomic:
        require_same(source, listing)
    return Taken(files, groups, any(file.copy is None for file in files), listing.arrival, listing.sent_at)


def _landed(taken: Taken, folder: str, sealing: Sealing, scratch: Path) -> Iterator[LandedFile]:
    """Store the files under their number and content. A name is the partner's text, and may hold a person's."""
    for number, file in enumerate(taken.files, 1):
        if file.copy is not None:
            key = sealing.land(folder, f"{number}.{file.sha256[:16]}", file.copy)
            file.copy.unlink(missing_ok=True)
            sent = {"sent_bytes": file.sent[0], "sent_sha256": file.sent[1]} if file.was_opened else {}
            yield LandedFile(stored=key, bytes=file.bytes, sha256=file.sha256, **sent)
    if taken.files:
        _keep_names(taken, folder, sealing, scratch)


def _keep_names(taken: Taken, folder: str, sealing: Sealing, scratch: Path) -> None:
    """The names that the files had, and what their manifests said, encrypted beside them: for whoever must ask back."""
    manifests = [group.manifest.model_dump(exclude_none=True) for group in taken.groups if group.manifest]
    told = {"files": [file.found.kept_as for file in taken.files], "manifests": manifests}
    plain = scratch / "names"
    try:
        plain.write_text(json.dumps(told, sort_keys=True), encoding="utf-8")
        sealing.put(folder, f"_names.{digest(plain)[1][:16]}.json", plain)
    finally:
        plain.unlink(missing_ok=True)


@contextmanager
def placed(where: str) -> Iterator[None]:
    """Say of every error which delivery it is about."""
    try:
        yield
    except AcequiaError as error:
        raise AcequiaError(error.code, error.what, where=error.where or where, do=error.what_to_do) from None
