"""Objects of a bucket. An object is seen whole or not at all, so nothing has to settle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acequia.receive.buckets import MISSING, code_of, naming_errors
from acequia.receive.names import Pattern, joined, matches_folder
from acequia.receive.sources.source import Bounded, Found, Listing, bounded, changed, is_manifest

CHUNK = 1 << 20


@dataclass(frozen=True)
class BucketFiles:
    """The objects of `bucket` whose keys match the pattern."""

    client: Any
    bucket: str
    pattern: Pattern
    atomic: bool = True

    def listing(self) -> Listing:
        """What is there now."""
        files: list[Found] = []
        manifests: list[Found] = []
        for item in self._objects():
            folder, _, name = item["Key"].rpartition("/")
            if not self._is_in(folder):
                continue
            kept_as = self.pattern.kept_as(folder, name)
            at = item["LastModified"].timestamp()
            found = Found(item["Key"], folder, name, kept_as, item["Size"], _fingerprint(item), time.time() - at, at)
            if is_manifest(name, self.pattern):
                manifests.append(found)
            elif self.pattern.takes(name):
                files.append(found)
        return bounded(Listing(tuple(files), tuple(manifests)))

    def fetch(self, found: Found, target: Path, at_most: int) -> None:
        """Download the object, provided that it is still the one that was listed."""
        from botocore.exceptions import ClientError

        with (
            naming_errors("source", "an object could not be read from the partner's bucket"),
            target.open("wb") as file,
        ):
            copy = Bounded(file, at_most)
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=found.place, IfMatch=_etag(found))
            except ClientError as error:
                if code_of(error) in MISSING | {"412", "PreconditionFailed"}:
                    raise changed() from None
                raise
            for chunk in answer["Body"].iter_chunks(CHUNK):
                copy.write(chunk)

    def _objects(self) -> Iterator[dict[str, Any]]:
        prefix = joined(self.pattern.fixed)
        with naming_errors("source", "the partner's bucket could not be listed"):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"{prefix}/" if prefix else ""
            )
            for page in pages:
                yield from page.get("Contents", ())

    def _is_in(self, folder: str) -> bool:
        """Whether a key's folder has the pattern's segments, no more and no fewer."""
        segments = folder.split("/") if folder else []
        fixed = len(self.pattern.fixed)
        return (
            tuple(segments[:fixed]) == self.pattern.fixed
            and len(segments) - fixed == len(self.pattern.varying)
            and all(map(matches_folder, self.pattern.varying, segments[fixed:]))
        )


def _fingerprint(item: dict[str, Any]) -> str:
    """The ETag is that of the content; with the time it tells an object that was put there once more."""
    return f"{item['ETag']}|{item['LastModified'].isoformat()}"


def _etag(found: Found) -> str:
    return found.fingerprint.rpartition("|")[0]
