"""Landing: the restricted store of raw bytes, encrypted with age, in a folder or in S3.

Keys are relative paths such as `pula_mobile/events/2026-11-16/3f0c…/1.9a41….k1.age`. What is stored under a key
never changes: keys name their content, so putting twice is the same as putting once. They name the age identity that
opens it as well: see `content_keys`.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from acequia.errors import AcequiaError
from acequia.keys import KeyStore
from acequia.receive.buckets import MISSING, code_of, naming_errors, s3_client
from acequia.receive.connections import Connection
from acequia.receive.content_keys import SHARED, hold, of_object, opened

if TYPE_CHECKING:
    from pyrage import x25519

_STAGED = ".incoming-"


class Landing:
    """The store at `root`, a folder's path or `s3://bucket/prefix`, read with the identities in the key store."""

    def __init__(self, root: str, keys: KeyStore, connection: Connection | None = None) -> None:
        self.root, self.keys, self.connection = root, keys, connection
        self._opened: _Store | None = None

    def key(self, folder: str, name: str) -> str:
        """The key of a file of that name (without `.age`) in a content's folder, encrypted as the others there are."""
        return hold(self.keys, folder, _fresh).object(name)

    def put(self, key: str, source: Path) -> None:
        """Encrypt a file into landing, whole or not at all. A key that is there already is left as it is."""
        import pyrage

        _check(key)
        sealed = source.with_name(f"{source.name}.{secrets.token_hex(4)}.sealed")
        try:
            pyrage.encrypt_file(str(source), str(sealed), [self._identity(key).to_public()])
            self.store(key, sealed)
        finally:
            sealed.unlink(missing_ok=True)

    def store(self, key: str, sealed: Path, *, anew: bool = False) -> None:
        """Put what was encrypted for that key. It may be moved, so do not use it afterwards.

        Args:
            key: where to.
            sealed: the encrypted file.
            anew: put it also where something is, which cannot be opened: the key was made just now.
        """
        _check(key)
        if anew or not self.exists(key):
            self._store().put(key, sealed)

    def fetch(self, key: str, target: Path) -> None:
        """Decrypt a file out of landing, streaming; `target` appears when it is whole.

        Errors: `landing_missing`, also when its key was destroyed; `key_missing` when this key store cannot open it or
        it was tampered with.
        """
        import pyrage
        from pyrage import x25519

        _check(key)
        partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.partial")
        sealed = self._store().get(key, partial.with_suffix(".sealed"))
        try:
            pyrage.decrypt_file(str(sealed), str(partial), [x25519.Identity.from_str(opened(self.keys, key))])
            partial.replace(target)
        except (pyrage.DecryptError, OSError) as error:
            if getattr(error, "errno", None) is not None:
                raise  # the disk's own trouble, not the content's
            raise AcequiaError("key_missing", "a file in landing does not open with this installation's key") from None
        finally:
            partial.unlink(missing_ok=True)
            partial.with_suffix(".sealed").unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        """Whether the key is there."""
        _check(key)
        return self._store().exists(key)

    def delete(self, key: str) -> None:
        """Remove the key, with every version that a bucket keeps of it. A key that is not there is no error."""
        _check(key)
        self._store().delete(key)

    def list(self, prefix: str = "") -> tuple[str, ...]:
        """The keys that begin with the prefix, in order."""
        return tuple(sorted(self._store().keys(prefix)))

    def _store(self) -> _Store:
        if self._opened is None:
            remote = self.root.startswith("s3://")
            self._opened = _Bucket(self.root, s3_client(self.connection)) if remote else _Folder(Path(self.root))
        return self._opened

    @property
    def makes_keys(self) -> bool:
        """Whether the key store is one in which keys can be made at all."""
        return getattr(self.keys, "makes_keys", True)

    def shared(self) -> str:
        """The identity of what has no key of its own."""
        return self.keys.text(SHARED, _fresh)

    def _identity(self, key: str) -> x25519.Identity:
        from pyrage import x25519

        own = of_object(key)
        return x25519.Identity.from_str(self.keys.text(own.name, _fresh) if own else self.shared())


def _fresh() -> str:
    from pyrage import x25519

    return str(x25519.Identity.generate())


def _check(key: str) -> None:
    parts = key.split("/")
    plain = all(part and not part.startswith(".") and part.isprintable() and "\\" not in part for part in parts)
    if not plain or len(key.encode(errors="replace")) > 1000:
        raise AcequiaError("path_escapes", "a key of landing is not a plain relative path")


class _Store(Protocol):
    def put(self, key: str, sealed: Path) -> None: ...

    def get(self, key: str, target: Path) -> Path:
        """Where the sealed file lies: `target`, or its own place."""
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None: ...

    def keys(self, prefix: str) -> Iterator[str]: ...


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, sealed: Path) -> None:
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = target.with_name(f"{_STAGED}{secrets.token_hex(8)}")
        try:
            _copy_or_link(sealed, staged)
            with staged.open("rb+") as file:
                os.fsync(file.fileno())
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)

    def get(self, key: str, target: Path) -> Path:
        if not self.exists(key):
            raise _missing()
        return self.root / key

    def exists(self, key: str) -> bool:
        return (self.root / key).is_file()

    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)
        for folder in (self.root / key).parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except OSError:
                break  # not empty, or not there

    def keys(self, prefix: str) -> Iterator[str]:
        for file in self.root.rglob("*"):
            key = file.relative_to(self.root).as_posix()
            if key.startswith(prefix) and not file.name.startswith(_STAGED) and file.is_file():
                yield key


def _copy_or_link(sealed: Path, staged: Path) -> None:
    """A second name costs nothing; over a file system's border, or where there are no links, the bytes are copied."""
    try:
        os.link(sealed, staged)
    except OSError:
        shutil.copyfile(sealed, staged)
    staged.chmod(0o600)


class _Bucket:
    def __init__(self, root: str, client: Any) -> None:
        self.bucket, _, folder = root.removeprefix("s3://").partition("/")
        self.folder, self.client = folder.strip("/") and folder.strip("/") + "/", client

    def put(self, key: str, sealed: Path) -> None:
        with naming_errors("store", "landing could not be written"):
            self.client.upload_file(str(sealed), self.bucket, self.folder + key)

    def get(self, key: str, target: Path) -> Path:
        from botocore.exceptions import ClientError

        with naming_errors("store", "landing could not be read"):
            try:
                self.client.download_file(self.bucket, self.folder + key, str(target))
            except ClientError as error:
                if code_of(error) in MISSING:
                    raise _missing() from None
                raise
        return target

    def exists(self, key: str) -> bool:
        from botocore.exceptions import ClientError

        with naming_errors("store", "landing could not be read"):
            try:
                self.client.head_object(Bucket=self.bucket, Key=self.folder + key)
            except ClientError as error:
                if code_of(error) in MISSING:
                    return False
                raise
        return True

    def delete(self, key: str) -> None:
        with naming_errors("store", "landing could not be deleted from"):
            if self.client.get_bucket_versioning(Bucket=self.bucket).get("Status") is None:
                self.client.delete_object(Bucket=self.bucket, Key=self.folder + key)
                return
            for version in self._versions(self.folder + key):
                self.client.delete_object(Bucket=self.bucket, Key=self.folder + key, VersionId=version)

    def keys(self, prefix: str) -> Iterator[str]:
        with naming_errors("store", "landing could not be listed"):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.folder + prefix
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self.folder)

    def _versions(self, key: str) -> Iterator[str]:
        """The versions of an object in a bucket that keeps them: deleting without naming them would only hide it."""
        for page in self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key):
            for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if found["Key"] == key:
                    yield found["VersionId"]


def _missing() -> AcequiaError:
    return AcequiaError("landing_missing", "a raw file is not in landing any more")
