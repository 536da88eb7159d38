"""Verifying all receipts of a folder together: their chains are whole, or what is missing is named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger.certificates import is_certificate, verify_certificate
from acequia.ledger.receipts import NAME, Verified, verify_receipt
from acequia.ledger.signing import Jwks, read_jwks


@dataclass(frozen=True)
class Kept:
    """A valid receipt, where it lies below the folder, and what it says."""

    place: str
    found: Verified

    @property
    def delivery(self) -> DeliveryId:
        """The delivery that it is about."""
        return DeliveryId.parse(str(self.found.claims["delivery"]))

    @property
    def number(self) -> int:
        """Which of the delivery's receipts it is."""
        return int(self.found.claims["number"])

    @property
    def seq(self) -> int:
        """The entry of the ledger that it is made of."""
        return int(self.found.claims["ledger"]["seq"])


@dataclass
class Folder:
    """What a folder holds: `chains` in words, `findings` as where and what."""

    receipts: list[Kept] = field(default_factory=list)
    certificates: int = 0
    chains: list[dict[str, Any]] = field(default_factory=list)
    findings: list[tuple[str, str]] = field(default_factory=list)


def verify_folder(root: Path, jwks: Path) -> Folder:
    """Verify every receipt and certificate below a folder, and the chains that the receipts form.

    That the last ones of a delivery were left out cannot be seen in a folder, unless a later version names them.

    Raises:
        AcequiaError: `receipt_invalid` if the file of public keys is none, or is damaged.
    """
    keys, folder = read_jwks(jwks), Folder()
    for path in sorted(root.rglob("*.jws")):
        _take(path, path.relative_to(root).as_posix(), keys, folder)
    folder.findings += _twice(folder.receipts)
    folder.findings += _forked(folder.receipts)
    periods: dict[tuple[str, str, str], list[Kept]] = defaultdict(list)
    for kept in folder.receipts:
        periods[kept.delivery.partner, kept.delivery.feed, kept.delivery.period].append(kept)
    for place, found in sorted(periods.items()):
        gaps = list(_gaps(found))
        folder.findings += gaps
        versions = sorted({kept.delivery.version for kept in found})
        folder.chains.append(
            {
                "chain": f"{place[0]}.{place[1]} {place[2]}",
                "versions": versions,
                "receipts": len(found),
                "whole": not gaps,
            }
        )
    return folder


def _take(path: Path, place: str, keys: Jwks, folder: Folder) -> None:
    try:
        if is_certificate(path):
            verify_certificate(path, keys)
            folder.certificates += 1
            return
        kept = Kept(place, verify_receipt(path, keys, chain=False))
        folder.receipts.append(kept)
        if NAME.fullmatch(path.name) and _is_place(path.parent) and not _is_own(path.parent, kept.delivery):
            folder.findings.append((place, "it belongs to another delivery than its folder's"))
    except AcequiaError as error:
        folder.findings.append((place, error.what))


def _is_place(folder: Path) -> bool:
    """Whether a folder is named like a delivery's: `<partner>/<feed>/<period>/v1`."""
    version = folder.name
    return version.startswith("v") and version[1:].isdecimal()


def _is_own(folder: Path, delivery: DeliveryId) -> bool:
    parts = delivery.folder.parts
    there = folder.parts[-len(parts) :]
    return there == parts[-len(there) :]


def _twice(receipts: Sequence[Kept]) -> Iterator[tuple[str, str]]:
    seen: dict[tuple[str, int], Kept] = {}
    for kept in receipts:
        first = seen.setdefault((str(kept.delivery), kept.number), kept)
        if first is not kept:
            same = first.found.sha256 == kept.found.sha256
            what = f"it is the same as {first.place}" if same else f"it and {first.place} are two different receipts"
            yield kept.place, f"{what} {kept.number} of {kept.delivery}" if not same else what


def _forked(receipts: Sequence[Kept]) -> Iterator[tuple[str, str]]:
    """Two receipts that name one entry of the ledger by different hashes: the office has, or had, two ledgers."""
    hashes: dict[int, Kept] = {}
    for kept in receipts:
        first = hashes.setdefault(kept.seq, kept)
        if first.found.claims["ledger"] != kept.found.claims["ledger"]:
            what = f"it and {first.place} name entry {kept.seq} of the ledger, but not the same one: it was rewritten"
            yield kept.place, what


def _gaps(found: Sequence[Kept]) -> Iterator[tuple[str, str]]:
    versions: dict[int, dict[int, Kept]] = defaultdict(dict)
    for kept in found:
        versions[kept.delivery.version].setdefault(kept.number, kept)
    for version, numbered in sorted(versions.items()):
        for number in range(1, max(numbered) + 1):
            if number not in numbered:
                delivery = next(iter(numbered.values())).delivery
                yield str(delivery), f"receipt {number} of {delivery} is missing"
            elif number > 1 and number - 1 in numbered:
                yield from _follows(numbered[number], numbered[number - 1])
        if 1 in numbered:
            yield from _begins(numbered[1], version, versions.get(version - 1, {}))


def _follows(kept: Kept, before: Kept) -> Iterator[tuple[str, str]]:
    if kept.found.claims["prev"] != before.found.sha256:
        yield kept.place, f"it does not follow {before.place}, which has the number before it"
    elif kept.seq <= before.seq:
        yield kept.place, f"it is older than {before.place}, which it says that it follows"


def _begins(first: Kept, version: int, before: dict[int, Kept]) -> Iterator[tuple[str, str]]:
    """The first receipt of a version follows one of the version before it."""
    prev = first.found.claims["prev"]
    if prev is None and version > 1 and any(kept.seq < first.seq for kept in before.values()):
        yield first.place, f"it says that nothing came before it, and receipts of version {version - 1} are here"
    elif prev is not None and prev not in {kept.found.sha256 for kept in before.values()}:
        yield first.place, f"the receipt of version {version - 1} that it follows is missing"
