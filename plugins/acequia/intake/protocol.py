"""The tus 1.0 protocol's headers (https://tus.io/protocols/resumable-upload), read strictly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

from acequia.intake.refusals import CHECKSUM_MISMATCH, Refusal

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,expiration,termination"
ALGORITHMS = {"sha256": hashlib.sha256, "sha1": lambda: hashlib.sha1(usedforsecurity=False)}
OFFSET_STREAM = "application/offset+octet-stream"
_NUMBER = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)


@dataclass(frozen=True)
class Checksum:
    """What the client says that its bytes hash to. SHA-1 finds what the line damages, and no more; tus demands it."""

    algorithm: str
    digest: bytes

    def require(self, found: bytes) -> None:
        """Refuse bytes that hash to something else."""
        if not hmac.compare_digest(found, self.digest):
            raise Refusal(CHECKSUM_MISMATCH, "checksum_differs", "the bytes that arrived have another checksum")


def require_version(headers: Mapping[str, str]) -> None:
    """Refuse clients of another version of tus."""
    if headers.get("tus-resumable") != VERSION:
        raise Refusal(412, "tus_version", f"Tus-Resumable: {VERSION} is needed", {"Tus-Version": VERSION})


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that is a number of bytes."""
    said = headers.get(name, "")
    if not _NUMBER.fullmatch(said):
        raise Refusal(400, "header_invalid", f"{name} is not a number of bytes")
    return int(said)


def length(headers: Mapping[str, str]) -> int:
    """The size of the upload, which must be known from the start."""
    if "upload-defer-length" in headers:
        raise Refusal(400, "header_invalid", "Upload-Defer-Length is not supported: the size must be known")
    return number(headers, "upload-length")


def filename(headers: Mapping[str, str]) -> str:
    """The file's name, out of the metadata."""
    for pair in headers.get("upload-metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base64.b64decode(value, validate=True).decode("utf-8")
            except ValueError:
                break
    raise Refusal(400, "name_missing", "Upload-Metadata does not name the file: filename and its name in Base64")


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """What the bytes of this request hash to, if the client says it."""
    said = headers.get("upload-checksum")
    if said is None:
        return None
    algorithm, _, value = said.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Refusal(400, "header_invalid", f"Upload-Checksum knows {' and '.join(ALGORITHMS)}")
    return Checksum(algorithm, _decoded(value, ALGORITHMS[algorithm]().digest_size, "Upload-Checksum"))


def content_digest(headers: Mapping[str, str]) -> Checksum | None:
    """The same of a plain PUT, by RFC 9530: `Content-Digest: sha-256=:…:`."""
    said = headers.get("content-digest") or headers.get("repr-digest")
    if said is None:
        return None
    found = re.fullmatch(r"sha-256=:([A-Za-z0-9+/=]{44}):", said)
    if not found:
        raise Refusal(400, "header_invalid", "Content-Digest is sha-256=: the digest in Base64 :")
    return Checksum("sha256", _decoded(found[1], 32, "Content-Digest"))


def expires(moment: float) -> str:
    """A moment (seconds since 1970) as HTTP writes it."""
    return formatdate(moment, usegmt=True)


def _decoded(value: str, size: int, name: str) -> bytes:
    try:
        digest = base64.b64decode(value, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != size:
        raise Refusal(400, "header_invalid", f"{name} is not a digest in Base64")
    return digest
