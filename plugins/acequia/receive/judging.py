"""What is wrong with a delivery that was fetched, and what its manifests say of it, without a name of the partner's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from acequia.agreement.delivery import Delivery
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.receive.fetching import Sealed, is_encrypted, wanted_name
from acequia.receive.manifest import compare, compare_plain, require_about
from acequia.receive.settle import Group


@dataclass(frozen=True)
class Taken:
    """Everything that was fetched, with its manifests; `too_large` when files were left at the source."""

    files: tuple[Sealed, ...] = ()
    groups: tuple[Group, ...] = ()
    too_large: bool = False
    arrival: str = ""
    sent_at: datetime | None = None

    def of(self, group: Group) -> Iterator[Sealed]:
        """The files that a manifest is about."""
        own = {found.place for found in group.files}
        return (file for file in self.files if file.found.place in own)

    @property
    def signed_by(self) -> str | None:
        """Who signed it: the ids of the keys, in order; None unless every file's manifest is signed."""
        kids = {group.signed_by for group in self.groups}
        return ",".join(sorted(map(str, kids))) if kids and None not in kids else None


def require_of_period(groups: tuple[Group, ...], terms: Delivery, period: Period) -> None:
    """Where the path is the same for every period, the manifest of another one says that ours has not come yet."""
    varies = "{" in getattr(terms.source, "path", "{")
    if not varies and any(group.manifest and group.manifest.period not in (None, period.label) for group in groups):
        raise AcequiaError("delivery_missing", "what is there is, by its manifest, of another period")


def refusal(taken: Taken, terms: Delivery, partner: str, feed_name: str, period: Period) -> AcequiaError | None:
    """The first reason why this delivery is not what was agreed."""
    try:
        for group in taken.groups:
            if group.error:
                raise group.error
            if group.manifest:
                require_about(group.manifest, partner, feed_name, period)
        _require_agreed_files(taken, terms)
        for group in taken.groups:
            if group.manifest:
                compare(group.manifest, {file.found.name: file.sent for file in taken.of(group)})
            elif terms.manifest == "required":
                raise AcequiaError("manifest_missing", "the files came without the agreed manifest")
        _require_opened(taken, terms)
    except AcequiaError as error:
        return error
    return None


def said(taken: Taken) -> Mapping[str, object] | None:
    """The manifests as one, by the files' numbers in landing; None stands for a file that did not arrive."""
    spoken = [(group, group.manifest) for group in taken.groups if group.manifest]
    if not spoken:
        return None
    numbers = {file.found.place: number for number, file in enumerate(taken.files, 1)}
    files = []
    for group, manifest in spoken:
        kept = {file.found.name: numbers[file.found.place] for file in taken.of(group)}
        for file in manifest.files:
            files.append({"number": kept.get(file.name), **file.model_dump(exclude_none=True, exclude={"name"})})
    about = spoken[0][1].model_dump(include={"period", "feed", "agreement"}, exclude_none=True)
    return {**about, "files": sorted(files, key=lambda file: (file["number"] is None, file["number"] or 0))}


def _require_agreed_files(taken: Taken, terms: Delivery) -> None:
    if taken.too_large:
        raise AcequiaError("file_too_large", f"the delivery exceeds what is agreed ({terms.bytes_at_most:,} bytes)")
    renamed = sum(file.name != wanted_name(file.found, terms) for file in taken.files)
    if renamed:
        raise AcequiaError("name_escapes", f"{renamed} file(s) have names that cannot be kept")
    empty = sum(not file.bytes for file in taken.files)
    if empty:
        raise AcequiaError("file_empty", f"{empty} of {len(taken.files)} file(s) are empty")


def _require_opened(taken: Taken, terms: Delivery) -> None:
    """Last, so that a file that was altered on the way is told by its manifest, where there is one."""
    of = f"of {len(taken.files)}"
    for number, file in enumerate(taken.files, 1):
        if terms.encryption == "required" and not is_encrypted(file.found, terms):
            raise AcequiaError("encryption_missing", f"file {number} {of} is not encrypted, as is agreed")
        if file.error:
            raise AcequiaError(file.error.code, f"file {number} {of}: {file.error.what}")
    for group in taken.groups:
        if group.manifest:
            compare_plain(group.manifest, {file.found.name: file.sha256 for file in taken.of(group) if file.was_opened})
