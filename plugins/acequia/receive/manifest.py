"""The partner's manifest: the list of files with sizes and SHA-256, uploaded last.

`manifest.json` beside the files, or `<file>.manifest.json` for one file; `manifest.jws`, `<file>.manifest.jws` signed:

    {"files": [{"name": "events-1.csv.gz", "bytes": 5120, "sha256": "…", "rows": 100}], "period": "2026-11-21"}

Bytes and SHA-256 are those of the file as it is sent: of an encrypted one, the encrypted bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.receive.names import is_plain

NAME, SUFFIX = "manifest.json", ".manifest.json"
SIGNED_NAME, SIGNED_SUFFIX = "manifest.jws", ".manifest.jws"
BYTES_AT_MOST, FILES_AT_MOST = 1_000_000, 10_000

# In one case throughout, as every tool writes it: a letter whose case differs is a bit that was flipped.
Sha256 = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64}|[0-9A-F]{64})$"), AfterValidator(str.lower)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class ListedFile(_Strict):
    """One file as the partner sent it; `rows` without the header, `plain_sha256` of what an encrypted file holds."""

    name: str
    bytes: Annotated[int, Field(ge=0)]
    sha256: Sha256
    rows: Annotated[int, Field(ge=0)] | None = None
    plain_sha256: Sha256 | None = None


class Manifest(_Strict):
    """What the partner says was sent. `agreement` is the partner's id, by which its agreement goes."""

    files: tuple[ListedFile, ...] = Field(min_length=1, max_length=FILES_AT_MOST)
    period: str | None = None
    feed: str | None = None
    agreement: str | None = None

    @field_validator("files", mode="before")
    @classmethod
    def _as_tuple(cls, files: Any) -> Any:
        return tuple(files) if isinstance(files, list) else files

    @property
    def by_name(self) -> Mapping[str, ListedFile]:
        """The files by name."""
        return {file.name: file for file in self.files}


def parse(raw: bytes) -> Manifest:
    """Read a manifest. Errors: `manifest_invalid`, and `name_escapes` for a name that is not a plain file name."""
    if len(raw) > BYTES_AT_MOST:
        raise AcequiaError("manifest_invalid", f"the manifest is larger than {BYTES_AT_MOST:,} bytes")
    try:
        said = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise AcequiaError("manifest_invalid", "the manifest is not JSON in UTF-8 with each key once") from None
    try:
        manifest = Manifest.model_validate(said)
    except ValidationError as error:
        raise AcequiaError("manifest_invalid", f"the manifest is not as agreed: {_places(error)}") from None
    if len(manifest.by_name) != len(manifest.files):
        raise AcequiaError("manifest_invalid", "the manifest lists a file twice")
    unsafe = sum(not is_plain(file.name) for file in manifest.files)
    if unsafe:
        raise AcequiaError("name_escapes", f"the manifest lists {unsafe} name(s) that are not plain file names")
    return manifest


def require_about(manifest: Manifest, partner: str, feed: str, period: Period) -> None:
    """Refuse a manifest of another agreement, feed or period. One that does not say of which is of ours."""
    if manifest.agreement not in (None, partner):
        raise AcequiaError("manifest_of_another_agreement", f"the manifest is not of the agreement {partner}")
    if manifest.feed not in (None, feed):
        raise AcequiaError("manifest_of_another_feed", f"the manifest is not of the feed {feed}")
    if manifest.period not in (None, period.label):
        raise AcequiaError("manifest_of_another_period", f"the manifest is not of the period {period}")


def compare(manifest: Manifest, sent: Mapping[str, tuple[int, str]]) -> None:
    """Check what arrived (name -> bytes, SHA-256) against the manifest.

    Errors, the first that applies: `file_unlisted`, `file_not_sent`, `checksum_differs`.
    """
    listed = manifest.by_name
    unlisted = len(sent.keys() - listed.keys())
    if unlisted:
        raise AcequiaError("file_unlisted", f"{unlisted} file(s) arrived that the manifest does not list")
    absent = [name for name in listed if name not in sent]
    if absent:
        raise AcequiaError(
            "file_not_sent", f"{len(absent)} listed file(s) did not arrive: {_places_of(absent, manifest)}"
        )
    differ = [name for name in listed if (listed[name].bytes, listed[name].sha256) != sent[name]]
    if differ:
        size = sum(listed[name].bytes != sent[name][0] for name in differ)
        what = f"{size} differ in size already" if size else "the sizes are right"
        raise AcequiaError(
            "checksum_differs",
            f"{len(differ)} file(s) are not what is listed ({what}): {_places_of(differ, manifest)}",
        )


def compare_plain(manifest: Manifest, opened: Mapping[str, str]) -> None:
    """Check what encrypted files hold (name -> SHA-256) against the manifest, where it says it: `checksum_differs`."""
    wanted = {name: file.plain_sha256 for name, file in manifest.by_name.items() if file.plain_sha256}
    differ = [name for name, sha256 in wanted.items() if opened.get(name, sha256) != sha256]
    if differ:
        raise AcequiaError(
            "checksum_differs",
            f"{len(differ)} file(s) hold, decrypted, not what is listed: {_places_of(differ, manifest)}",
        )


def _places_of(names: list[str], manifest: Manifest) -> str:
    """Which entries of the manifest's list. Names are the partner's own words, and stay out of ledger and logs."""
    places = [str(number) for number, file in enumerate(manifest.files, 1) if file.name in names]
    return f"number {', '.join(places[:5])}{', …' if len(places) > 5 else ''} of {len(manifest.files)} in the manifest"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _refuse(_: str) -> NoReturn:
    raise ValueError


def _places(error: ValidationError) -> str:
    """Where it is wrong. A key that we do not know is not repeated."""
    said = []
    for part in error.errors()[:5]:
        unknown = part["type"] == "extra_forbidden"
        place = ".".join(str(step) for step in (part["loc"][:-1] if unknown else part["loc"])) or "the manifest"
        said.append(f"{place}: {'an unknown key' if unknown else part['msg']}")
    return "; ".join(said)
