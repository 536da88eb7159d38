"""What else names entries of the ledger: receipts, certificates, the signed head, and whatever was kept elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger import certificates, head
from acequia.ledger.chain import TOKEN
from acequia.ledger.claims import Planned
from acequia.ledger.receipts import TYPE, folder_of, verify_receipt
from acequia.ledger.signing import Jwks, canonical, claims_of, type_of

WRONG = "receipt_wrong"


@dataclass(frozen=True)
class Anchor:
    """That an entry of this number had this hash, says `source`."""

    source: str
    seq: int
    hash: str


@dataclass
class Witnesses:
    """What was found of what names entries: `anchors`, and what is wrong, as kind and words."""

    home: Path
    jwks: Jwks
    anchors: list[Anchor] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    told: dict[Path, str] = field(default_factory=dict)

    def look(self, receipts: list[Path], certified: list[Path], handed: tuple[Path, ...]) -> None:
        """Verify the files that were there, and those that were handed in."""
        for path in certified:
            self._certificate(path)
        for path in receipts:
            self._receipt(path)
        self._head()
        for path in handed:
            self._handed(path)

    def differing(self, planned: Mapping[str, tuple[str, int]]) -> Iterator[tuple[str, int | None]]:
        """Receipts that no entry gives reason for, or that say something else: in words, and their entry.

        Args:
            planned: by path below the receipts' folder: the digest of its claims, and the entry.
        """
        root = self.home / "receipts"
        for path, digest in self.told.items():
            name = path.relative_to(root).as_posix()
            if name not in planned:
                yield f"receipt {name}: no entry gives reason for it", None
            elif planned[name][0] != digest:
                yield f"receipt {name}: it says something else than the ledger", planned[name][1]

    def missing(self, planned: Mapping[str, tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """Receipts that are not there: in words, and their entry."""
        for name, (_, seq) in planned.items():
            if not (self.home / "receipts" / name).exists():
                yield f"receipt {name} is missing; `acequia housekeeping` writes it again", seq

    def _receipt(self, path: Path) -> None:
        name = path.relative_to(self.home / "receipts").as_posix()
        try:
            claims = verify_receipt(path, self.jwks).claims
            if path.parent != folder_of(self.home, DeliveryId.parse(claims["delivery"])):
                self.wrong.append((WRONG, f"receipt {name}: it belongs to another delivery than its folder's"))
            else:
                self.told[path] = digest_of(claims)
            self._note(f"receipt {name}", claims["ledger"])
        except AcequiaError as error:
            self.wrong.append((WRONG, f"receipt {name}: {error.what}"))

    def _certificate(self, path: Path) -> None:
        name = path.relative_to(certificates.root_of(self.home)).as_posix()
        try:
            self._note(f"certificate {name}", certificates.verify_certificate(path, self.jwks).claims["ledger"])
        except AcequiaError as error:
            self.wrong.append(("certificate_wrong", f"certificate {name}: {error.what}"))

    def _head(self) -> None:
        try:
            found = head.read(self.home, self.jwks)
        except AcequiaError as error:
            self.wrong.append(("head_wrong", f"the signed head (ledger/head.jws): {error.what}"))
            return
        if found:
            self._note("the signed head", found)

    def _handed(self, path: Path) -> None:
        """A head, a receipt or a certificate that was kept elsewhere: it speaks for the ledger as it was then."""
        content = path.read_bytes().decode("ascii", "replace").strip()
        kind = type_of(content)
        name = f"what was handed in ({path.name})"
        try:
            if kind not in (TOKEN, TYPE, certificates.TYPE):
                raise AcequiaError("receipt_invalid", "this is no signed head, receipt or certificate")
            claims = claims_of(content, str(kind), self.jwks)[0]
            self._note(name, claims if kind == TOKEN else claims["ledger"])
        except AcequiaError as error:
            self.wrong.append(("handed_in_wrong", f"{name}: {error.what}"))

    def _note(self, source: str, said: dict[str, Any]) -> None:
        self.anchors.append(Anchor(source, int(said["seq"]), str(said["hash"])))


def place_of(planned: Planned) -> str:
    """Where a receipt lies, below the receipts' folder."""
    return f"{DeliveryId.parse(planned.claims['delivery']).folder.as_posix()}/{planned.name}"


def digest_of(claims: Any) -> str:
    """What a receipt says, apart from which one it follows."""
    told = {name: value for name, value in claims.items() if name != "prev"}
    return hashlib.sha256(canonical(told).encode()).hexdigest()
