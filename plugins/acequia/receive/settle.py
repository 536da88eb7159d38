"""Waiting until what lies at a source is whole: manifests first, then sizes that no longer change."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acequia.agreement.delivery import Delivery
from acequia.errors import CODES, REFUSED, AcequiaError
from acequia.receive.manifest import BYTES_AT_MOST, NAME, SIGNED_NAME, SIGNED_SUFFIX, SUFFIX, Manifest, parse
from acequia.receive.signed import TOKEN_AT_MOST, Trust
from acequia.receive.sources.source import Found, Listing, Source

SIGNATURE_FOLLOWS_S = 300  # whoever signs a manifest may upload both forms, the signed one last


@dataclass(frozen=True)
class Group:
    """A manifest, or what is wrong with it, and the files that it is about; `signed_by` names a key of the partner."""

    files: tuple[Found, ...]
    manifest: Manifest | None = None
    error: AcequiaError | None = None
    signed_by: str | None = None


def listed(source: Source, terms: Delivery, *, complete: bool = False) -> Listing:
    """What is there; `delivery_missing` for nothing, `delivery_unfinished` when an agreed manifest is still to come.

    With `complete`, nothing is to come any more: the lack of a manifest is for the caller to judge.
    """
    listing = source.listing()
    if not listing.files:
        raise AcequiaError("delivery_missing", "nothing is there for the period")
    if complete or terms.manifest != "required":
        return listing
    covering = [_of_file(file, listing, terms) for file in listing.files]
    if None in covering:
        raise AcequiaError("delivery_unfinished", "files are there, but not yet the manifest, which comes last")
    if terms.signature == "required" and any(found and _may_follow(found) for found in covering):
        what = "the manifest is there, but not yet its signed form, manifest.jws, which is agreed"
        raise AcequiaError("delivery_unfinished", what)
    return listing


def settled(source: Source, terms: Delivery, listing: Listing, groups: Sequence[Group]) -> None:
    """Return when nothing grows any more; `delivery_unfinished` when something changed meanwhile.

    There is no need to wait where files appear whole, where every file has the size that its manifest says, or where
    nothing has changed for long enough.
    """
    if source.atomic or not terms.settle_seconds or _as_listed(groups) or _is_old(listing, terms.settle_seconds):
        return
    time.sleep(terms.settle_seconds)
    require_same(source, listing)


def require_same(source: Source, listing: Listing) -> None:
    """Refuse, as `delivery_unfinished`, when the source holds something else than a moment ago."""
    if _state(source.listing()) != _state(listing):
        raise AcequiaError("delivery_unfinished", "a file is still growing, or files are still being added")


def grouped(source: Source, terms: Delivery, listing: Listing, scratch: Path, trust: Trust) -> tuple[Group, ...]:
    """Every file with the manifest that speaks of it: its own before its folder's, a signed one before others.

    None where none is agreed.
    """
    if terms.manifest == "none":
        return (Group(listing.files),)
    covers: dict[Found | None, list[Found]] = {}
    for file in listing.files:
        covers.setdefault(_of_file(file, listing, terms), []).append(file)
    return tuple(
        Group(tuple(files)) if found is None else _read(source, terms, found, tuple(files), scratch, trust)
        for found, files in covers.items()
    )


def _of_file(file: Found, listing: Listing, terms: Delivery) -> Found | None:
    """Its manifest. Of both forms the one that is agreed counts; the other is looked at only where that is absent."""
    beside = {found.name: found for found in listing.manifests if found.folder == file.folder}
    plain, signed = (file.name + SUFFIX, NAME), (file.name + SIGNED_SUFFIX, SIGNED_NAME)
    names = (*plain, *signed) if terms.signature == "none" else (*signed, *plain)
    return next((beside[name] for name in names if name in beside), None)


def _is_signed(found: Found) -> bool:
    return found.name.endswith((SIGNED_NAME, SIGNED_SUFFIX))


def _may_follow(found: Found) -> bool:
    """Whether a manifest is so young that its signed form may still come."""
    return not _is_signed(found) and found.age_s is not None and found.age_s < SIGNATURE_FOLLOWS_S


def _read(
    source: Source, terms: Delivery, found: Found, files: tuple[Found, ...], scratch: Path, trust: Trust
) -> Group:
    copy = scratch / "manifest"
    try:
        _require_agreed_form(found, terms)
        source.fetch(found, copy, TOKEN_AT_MOST if _is_signed(found) else BYTES_AT_MOST)
        if not _is_signed(found):
            return Group(files, manifest=parse(copy.read_bytes()))
        manifest, kid = trust.opened(copy.read_bytes())
        return Group(files, manifest=manifest, signed_by=kid)
    except AcequiaError as error:
        if error.code == "file_too_large":
            error = AcequiaError("manifest_invalid", f"the manifest is larger than {BYTES_AT_MOST:,} bytes")
        if CODES[error.code].exit_code != REFUSED:
            raise
        return Group(files, error=error)
    finally:
        copy.unlink(missing_ok=True)


def _require_agreed_form(found: Found, terms: Delivery) -> None:
    if terms.signature == "required" and not _is_signed(found):
        raise AcequiaError("signature_missing", "the manifest came without the agreed signature")
    if terms.signature == "none" and _is_signed(found):
        raise AcequiaError("manifest_invalid", "the manifest is signed, and no signature is agreed: send manifest.json")


def _as_listed(groups: Sequence[Group]) -> bool:
    return all(
        group.manifest is not None
        and {name: file.bytes for name, file in group.manifest.by_name.items()}
        == {file.name: file.bytes for file in group.files}
        for group in groups
    )


def _is_old(listing: Listing, seconds: int) -> bool:
    return all(file.age_s is not None and file.age_s >= seconds for file in (*listing.files, *listing.manifests))


def _state(listing: Listing) -> Mapping[str, tuple[int | None, str]]:
    return {file.place: (file.bytes, file.fingerprint) for file in (*listing.files, *listing.manifests)}
