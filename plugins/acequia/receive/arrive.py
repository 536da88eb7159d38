"""The room itself: pull one delivery from its source into landing, encrypted, and say what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.errors import CODES, REFUSED, AcequiaError
from acequia.flow import Arrived, LandedFile
from acequia.period import Period
from acequia.receive.connections import Resolver
from acequia.receive.landing import Landing
from acequia.receive.manifest import compare, require_about
from acequia.receive.names import is_plain
from acequia.receive.settle import Group, grouped, listed, require_same, settled
from acequia.receive.sources.opening import files_given, open_source
from acequia.receive.sources.source import Found, Source, changed, too_large

CHUNK = 1 << 20
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
    with _placed(f"{partner}.{feed_name} {period}"), open_source(terms, period, connect, inbox) as source:
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
        from_dir: take the files from this folder instead of the source.
        given: take the files from here instead, where they are whole.

    Errors: `delivery_missing`, `delivery_unfinished`, `source_…`, `connection_…`, `path_escapes`, `store_…`.
    """
    with _placed(f"{partner}.{feed_name} {period}"):
        if given is None and from_dir is not None:
            given = files_given(terms, period, from_dir)
        if given is not None:
            taken = _take(given, terms, period, landing, scratch, complete=True)
        else:
            with open_source(terms, period, connect, inbox) as source:
                taken = _take(source, terms, period, landing, scratch, complete=False)
        content = content_sha256({file.name: file.says for file in taken.files})
        refusal = _refusal(taken, terms, feed_name, period)
        by_content = given is not None or terms.source.type == "sql"  # looked at again, it is no repetition
        return Arrived(
            files=tuple(_landed(taken, f"{partner}/{feed_name}/{period}/{content[:16]}", landing, scratch)),
            content_sha256=content,
            manifest=_said(taken),
            refusal=refusal and (refusal.code, refusal.what),
            arrival=content if by_content else taken.arrival,
            sent_at=None if by_content else taken.sent_at,
        )


def content_sha256(files: Mapping[str, str]) -> str:
    """What names a delivery's content: the hash over `<SHA-256>  <name>` of its files, in any order."""
    return hashlib.sha256("".join(sorted(f"{sha256}  {name}\n" for name, sha256 in files.items())).encode()).hexdigest()


@dataclass(frozen=True)
class Sealed:
    """One file of the delivery under the name that it is kept by; `copy` is encrypted, None if it was not taken."""

    found: Found
    name: str
    bytes: int
    sha256: str
    copy: Path | None

    @property
    def says(self) -> str:
        """What stands for the content."""
        return self.sha256 if self.copy else f"not taken: {self.found.bytes} bytes"


@dataclass(frozen=True)
class Taken:
    """Everything that was fetched, with its manifests; `too_large` when files were left at the source."""

    files: tuple[Sealed, ...] = ()
    groups: tuple[Group, ...] = ()
    too_large: bool = False
    arrival: str = TOO_MANY
    sent_at: datetime | None = None


def _take(source: Source, terms: Delivery, period: Period, landing: Landing, scratch: Path, *, complete: bool) -> Taken:
    """Fetch and encrypt everything, once it is whole."""
    try:
        listing = listed(source, terms, complete=complete)
    except AcequiaError as error:
        if error.code == "file_too_large":
            return Taken(too_large=True)
        raise
    groups = grouped(source, terms, listing, scratch)
    _require_of_period(groups, terms, period)
    settled(source, terms, listing, groups)
    files = tuple(_fetched(source, listing.files, terms.bytes_at_most, landing, scratch))
    if not source.atomic:
        require_same(source, listing)
    return Taken(files, groups, any(file.copy is None for file in files), listing.arrival, listing.sent_at)


def _fetched(source: Source, files: Sequence[Found], at_most: int, landing: Landing, scratch: Path) -> Iterator[Sealed]:
    left = at_most if sum(file.bytes or 0 for file in files) <= at_most else -1
    plain = scratch / "arriving"
    for number, (found, name) in enumerate(zip(files, _names(files), strict=True)):
        try:
            if left < 0:
                raise too_large(at_most)
            source.fetch(found, plain, left)
            size, sha256 = _digest(plain)
            if found.bytes not in (None, size):
                raise changed()
            copy = scratch / f"{number:05d}.sealed"
            landing.seal(plain, copy)
        except AcequiaError as error:
            if error.code != "file_too_large":
                raise
            left = -1
            yield Sealed(found, name, found.bytes or 0, "", None)
        else:
            left -= size
            yield Sealed(found, name, size, sha256, copy)
        finally:
            plain.unlink(missing_ok=True)


def _names(files: Sequence[Found]) -> list[str]:
    """The names under which files are kept. One that is not plain, or is taken, gets another; it is refused later."""
    names: list[str] = []
    for number, file in enumerate(files, start=1):
        usable = is_plain(file.kept_as) and file.kept_as not in names
        names.append(file.kept_as if usable else f"unnamed-{number}")
    return names


def _digest(file: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _landed(taken: Taken, folder: str, landing: Landing, scratch: Path) -> Iterator[LandedFile]:
    """Store the files under their number and content. A name is the partner's text, and may hold a person's."""
    for number, file in enumerate(taken.files, 1):
        if file.copy is not None:
            key = f"{folder}/{number}.{file.sha256[:16]}.age"
            landing.store(key, file.copy)
            file.copy.unlink(missing_ok=True)
            yield LandedFile(stored=key, bytes=file.bytes, sha256=file.sha256)
    if taken.files:
        _keep_names(taken, folder, landing, scratch)


def _keep_names(taken: Taken, folder: str, landing: Landing, scratch: Path) -> None:
    """The names that the files had, and what their manifests said, encrypted beside them: for whoever must ask back."""
    manifests = [group.manifest.model_dump(exclude_none=True) for group in taken.groups if group.manifest]
    said = {"files": [file.found.kept_as for file in taken.files], "manifests": manifests}
    plain = scratch / "names"
    try:
        plain.write_text(json.dumps(said, sort_keys=True), encoding="utf-8")
        landing.put(f"{folder}/_names.{_digest(plain)[1][:16]}.json.age", plain)
    finally:
        plain.unlink(missing_ok=True)


def _require_of_period(groups: Sequence[Group], terms: Delivery, period: Period) -> None:
    """Where the path is the same for every period, the manifest of another one says that ours has not come yet."""
    varies = "{" in getattr(terms.source, "path", "{")
    if not varies and any(group.manifest and group.manifest.period not in (None, period.label) for group in groups):
        raise AcequiaError("delivery_missing", "what is there is, by its manifest, of another period")


def _refusal(taken: Taken, terms: Delivery, feed_name: str, period: Period) -> AcequiaError | None:
    """The first reason why this delivery is not what was agreed."""
    try:
        for group in taken.groups:
            if group.error:
                raise group.error
            if group.manifest:
                require_about(group.manifest, feed_name, period)
        _require_agreed_files(taken, terms)
        for group in taken.groups:
            if group.manifest:
                compare(group.manifest, {file.found.name: (file.bytes, file.sha256) for file in _of(group, taken)})
            elif terms.manifest == "required":
                raise AcequiaError("manifest_missing", "the files came without the agreed manifest")
    except AcequiaError as error:
        return error
    return None


def _require_agreed_files(taken: Taken, terms: Delivery) -> None:
    if taken.too_large:
        raise AcequiaError("file_too_large", f"the delivery exceeds what is agreed ({terms.bytes_at_most:,} bytes)")
    renamed = sum(file.name != file.found.kept_as for file in taken.files)
    if renamed:
        raise AcequiaError("name_escapes", f"{renamed} file(s) have names that cannot be kept")
    empty = sum(not file.bytes for file in taken.files)
    if empty:
        raise AcequiaError("file_empty", f"{empty} of {len(taken.files)} file(s) are empty")


def _of(group: Group, taken: Taken) -> Iterator[Sealed]:
    own = {found.place for found in group.files}
    return (file for file in taken.files if file.found.place in own)


def _said(taken: Taken) -> Mapping[str, object] | None:
    """The manifests as one, by the files' numbers in landing; None stands for a file that did not arrive."""
    said = [(group, group.manifest) for group in taken.groups if group.manifest]
    if not said:
        return None
    numbers = {file.found.place: number for number, file in enumerate(taken.files, 1)}
    files = []
    for group, manifest in said:
        kept = {file.found.name: numbers[file.found.place] for file in _of(group, taken)}
        for file in manifest.files:
            files.append({"number": kept.get(file.name), **file.model_dump(exclude_none=True, exclude={"name"})})
    about = said[0][1].model_dump(include={"period", "feed"}, exclude_none=True)
    return {**about, "files": sorted(files, key=lambda file: (file["number"] is None, file["number"] or 0))}


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Say of every error which delivery it is about."""
    try:
        yield
    except AcequiaError as error:
        raise AcequiaError(error.code, error.what, where=error.where or where, do=error.what_to_do) from None
