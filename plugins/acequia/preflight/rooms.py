"""The rooms of the server, one after the other, over files on this machine: the same code in the same order.

`pipeline.run` goes the same way with a ledger; tests hold the two against each other, delivery by delivery.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from acequia.aggregate.cells import aggregate
from acequia.aggregate.plan import problems
from acequia.agreement.delivery import Delivery
from acequia.agreement.load import Signed, find
from acequia.agreement.model import Feed
from acequia.disclose.control import disclose
from acequia.disclose.private import is_private
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, Protected, Raw
from acequia.keys import FileKeyStore
from acequia.period import Period
from acequia.preflight.columns import differences
from acequia.preflight.given import data_of, feed_of, given, is_of_manifest, period_of, with_manifests
from acequia.preflight.judged import Forecast, Judged, Unjudged
from acequia.preflight.places import reasons
from acequia.protect.gate import protect
from acequia.receive.arrive import receive
from acequia.receive.connections import Connection
from acequia.receive.landing import Landing
from acequia.receive.names import ENCRYPTED
from acequia.scratch import scratch_folder
from acequia.settings import Settings
from acequia.validate.verdict import failed_in_words, validate, why_failed


@dataclass(frozen=True)
class Asked:
    """What is to be judged: files on this machine, by an agreement file. What is None is found out.

    `manifest` asks for the manifests beside the files to be judged too, and for their lack.
    """

    files: tuple[Path, ...]
    agreement: Path
    feed: str | None = None
    period: str | None = None
    reference: Path | None = None
    expectations: Path | None = None
    manifest: bool = False
    memory_limit: str = field(default_factory=lambda: Settings.from_environment().memory_limit)


_SIGNATURES = frozenset({".sig", ".asc", ".sign", ".gpg", ".p7s", ".minisig"})


def preflight(asked: Asked) -> Judged:
    """Judge the files as the server would.

    Raises:
        AcequiaError: `usage` where it is not clear what is asked; `agreement_invalid`. What the server would say of the
            delivery is in the result, whatever it is.
    """
    files = with_manifests(asked.files) if asked.manifest else asked.files
    _require_readable(files)
    newest = find(asked.agreement.parent, asked.agreement.stem)
    name = asked.feed or feed_of(newest.agreement, files)
    terms = newest.agreement.feed(name).delivery
    period = Period.parse(asked.period, terms.period) if asked.period else period_of(terms, files)
    signed = find(asked.agreement.parent, asked.agreement.stem, period)
    feed, not_judged = _as_here(signed.agreement.feed(name), files, asked)
    told = Judged(
        partner=signed.agreement.partner,
        feed=name,
        period=period.label,
        agreement=signed.agreement.terms.version,
        files=tuple(path.name for path in data_of(files)),
        not_judged=not_judged,
    )
    with _private() as scratch:
        return _Premises(asked, signed, feed, period, scratch).judge(told, files)


def _require_readable(files: tuple[Path, ...]) -> None:
    """Say what a file is that belongs to a delivery, or to another way of signing one, and cannot be judged itself."""
    for path in files:
        if path.suffix == ENCRYPTED:
            raise AcequiaError(
                "usage",
                f"{path.name} is encrypted with age: preflight reads files before they are encrypted, since only the "
                "office can open them",
                do="Give it the file from which this one was made; nothing else is to be checked of an encrypted one.",
            )
        if path.suffix.lower() in _SIGNATURES:
            raise AcequiaError(
                "usage",
                f"{path.name} is a detached signature, which the office does not look at: manifest.jws holds the "
                "manifest and its signature together",
                do="Leave it out. Sign the manifest as docs/partners.md shows, and have it judged with --manifest.",
            )


def _as_here(feed: Feed, files: tuple[Path, ...], asked: Asked) -> tuple[Feed, tuple[Unjudged, ...]]:
    """The feed as far as it can be judged here: the files before they are encrypted, perhaps before their manifest."""
    terms, found = feed.delivery, list[Unjudged](["look_back", "repetition", "planted_people"])
    changed: dict[str, str] = {}
    if terms.manifest != "none" and not asked.manifest and not any(map(is_of_manifest, files)):
        changed |= {"manifest": "optional", "signature": "none"}
        found.append("manifest")
    if terms.encryption != "none":
        changed |= {"encryption": "none"}
        found.append("encryption")
    if any(table.over != "delivery" for table in feed.tables.values()):
        found.append("longer_windows")
    if any(is_private(table) for table in feed.tables.values()):
        found.append("noise")
    if _expectations(asked) is None:
        found.append("written_checks")
    delivery: Delivery = terms.model_copy(update=changed)
    return feed.model_copy(update={"delivery": delivery}), tuple(found)


@dataclass(frozen=True)
class _Premises:
    """Everything that stands for the installation: throw-away keys, landing and workspace in one private folder."""

    asked: Asked
    signed: Signed
    feed: Feed
    period: Period
    scratch: Path

    def judge(self, told: Judged, files: tuple[Path, ...]) -> Judged:
        """What the server would say; a refusal by any room is the verdict."""
        try:
            return self._rooms(told, files)
        except AcequiaError as error:
            differ = differences(data_of(files), self.feed, self.scratch / "names") if error.code in _OF_COLUMNS else ()
            return replace(told, code=error.code, what=error.what, columns=differ)

    def _rooms(self, told: Judged, files: tuple[Path, ...]) -> Judged:
        self.signed.agreement.require_in_force(self.period)
        if wrong := problems(self.feed, self._reference):
            raise AcequiaError("agreement_invalid", "\n  ".join(wrong))
        protected = self._protected(files, told)
        validated = validate(
            protected,
            self.feed,
            expectations=self._expectations(told),
            docs=self.scratch / "docs",
            memory_limit=self.asked.memory_limit,
        )
        told = replace(
            told,
            count=validated.count,
            checks=validated.checks,
            reasons=reasons(protected, self._landing, self.scratch),
        )
        if not validated.passed:
            error, failed = why_failed(validated), failed_in_words(validated)
            return replace(told, code=error.code, what=error.what, failed=failed)
        try:
            return replace(told, tables=tuple(self._forecasts(protected)))
        except AcequiaError as error:
            return replace(told, code=error.code, what=error.what)

    def _protected(self, files: tuple[Path, ...], told: Judged) -> Protected:
        arrived = receive(
            self.feed.delivery,
            partner=told.partner,
            period=self.period,
            feed_name=told.feed,
            connect=_nowhere,
            landing=self._landing,
            inbox=self.scratch,
            scratch=self._folder("arriving"),
            given=given(files, self.feed.delivery, self.period),
            signing_keys=self.signed.agreement.signing_keys,
        )
        if arrived.refusal:
            raise AcequiaError(*arrived.refusal)
        delivery = DeliveryId(partner=told.partner, feed=told.feed, period=self.period.label, version=1)
        raw = Raw(
            delivery=delivery, files=arrived.files, content_sha256=arrived.content_sha256, manifest=arrived.manifest
        )
        return protect(
            raw,
            self.feed,
            country=self.signed.agreement.country,
            language=self.signed.agreement.language,
            landing=self._landing,
            keys=FileKeyStore(self.scratch / "keys"),
            reference=self._reference,
            memory_limit=self.asked.memory_limit,
            scratch=self._folder("protecting"),
            out=self.scratch / "rows" / "protected.parquet",
        )

    def _forecasts(self, protected: Protected) -> Iterator[Forecast]:
        """Each table that this delivery fills alone, as it would be published."""
        for name, table in self.feed.tables.items():
            if table.over != "delivery" or is_private(table):
                continue
            cells = aggregate(
                name,
                table,
                self.feed,
                (protected,),
                self.period,
                provisional=False,
                reference=self._reference,
                memory_limit=self.asked.memory_limit,
                scratch=self._folder("counting"),
                out=self.scratch / "rows" / f"cells.{name}.parquet",
                record_keys=FileKeyStore(self.scratch / "keys").secret("cells"),
            )
            disclosed = disclose(cells, table, out=self.scratch / "rows" / f"disclosed.{name}.parquet")
            yield Forecast(name, disclosed.cells, disclosed.withheld)

    @property
    def _landing(self) -> Landing:
        return Landing(str(self.scratch / "landing"), FileKeyStore(self.scratch / "keys"))

    @property
    def _reference(self) -> Path:
        """The folder given, or the one beside that of the agreement, as in an office's config."""
        beside = self.asked.agreement.absolute().parent
        return self.asked.reference or next(
            (place for place in (beside.parent / "reference", beside / "reference") if place.is_dir()), beside
        )

    def _expectations(self, told: Judged) -> Path:
        found = _expectations(self.asked) or self.scratch / "no-expectations"
        own = found / told.partner / told.feed
        return own if own.is_dir() or (found / told.partner).is_dir() else found

    def _folder(self, name: str) -> Path:
        folder = self.scratch / name
        folder.mkdir(exist_ok=True)
        return folder


_OF_COLUMNS = frozenset({"column_missing", "column_unlisted", "column_repeated", "header_repeated"})


def _expectations(asked: Asked) -> Path | None:
    """The folder given, or the one where an office has it; None where there is none: then they are not judged."""
    config = asked.agreement.absolute().parent.parent
    usual = (config / "expectations", config.parent / "expectations")
    return asked.expectations or next((place for place in usual if place.is_dir()), None)


def _nowhere(name: str) -> Connection:
    raise AcequiaError("usage", f"preflight opens no connection, such as {name}")


@contextmanager
def _private() -> Iterator[Path]:
    """A folder of ours alone, gone at the end; what a killed preflight left goes with the next one's beginning."""
    root = Path(tempfile.gettempdir()) / f"acequia-preflight-{os.getuid()}"
    with suppress(FileExistsError):
        root.mkdir(mode=0o700)
    found = root.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        _refuse(root)
    with scratch_folder(root) as folder:
        yield folder
    with suppress(OSError):  # another preflight works beside us
        root.rmdir()


def _refuse(root: Path) -> NoReturn:
    raise AcequiaError("usage", f"{root} is not a private folder of this user; remove it, or set TMPDIR")
