"""Plain files of the lake (open releases, pointers), in a folder or in S3, written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.receive.connections import Connection


def storage_options(connection: Connection | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The S3 options as pyiceberg names them, from a connection or from the usual environment of S3 clients.

    Without keys in either, the store's own client looks for them (a role of the machine).
    """
    if connection is not None:
        found = {
            "s3.endpoint": connection.endpoint_url,
            "s3.access-key-id": connection.access_key,
            "s3.secret-access-key": connection.secret_key,
            "s3.region": connection.region,
        }
    else:
        found = {
            "s3.endpoint": environ.get("ACEQUIA_LAKE_ENDPOINT") or environ.get("AWS_ENDPOINT_URL"),
            "s3.access-key-id": environ.get("AWS_ACCESS_KEY_ID"),
            "s3.secret-access-key": environ.get("AWS_SECRET_ACCESS_KEY"),
            "s3.session-token": environ.get("AWS_SESSION_TOKEN"),
            "s3.region": environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
        }
    options = {key: str(value) for key, value in found.items() if value}
    options.setdefault("s3.region", "us-east-1")  # unset, every start would ask AWS where the bucket lies
    return options


@contextmanager
def storing(where: str) -> Iterator[None]:
    """Turn failures of disk, S3 and catalog database into `store_unreachable`, which is tried again."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (OSError, SQLAlchemyError) as error:
        kind = type(error).__name__
        raise AcequiaError(
            "store_unreachable", f"the lake could not be read or written ({kind})", where=where
        ) from None


@dataclass(frozen=True)
class Files:
    """Files below `root`, a folder's path or `s3://bucket/prefix`. Paths are relative and written with `/`."""

    root: str
    storage: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the files lie in a folder of this machine."""
        return not self.root.startswith("s3://")

    @cached_property
    def filesystem(self) -> Any:
        """The Arrow file system that holds them."""
        from pyarrow import fs

        if self.is_local:
            return fs.LocalFileSystem()
        return fs.S3FileSystem(
            endpoint_override=self.storage.get("s3.endpoint"),
            access_key=self.storage.get("s3.access-key-id"),
            secret_key=self.storage.get("s3.secret-access-key"),
            session_token=self.storage.get("s3.session-token"),
            region=self.storage.get("s3.region"),
        )

    def place(self, path: str) -> str:
        """The full path as the file system takes it."""
        return f"{self.root.removeprefix('s3://')}/{path}"

    def read(self, path: str) -> bytes | None:
        """The bytes, or None where there is no such file."""
        try:
            with self.filesystem.open_input_file(self.place(path)) as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        from pyarrow.fs import FileType

        return bool(self.filesystem.get_file_info(self.place(path)).type == FileType.File)

    def listing(self, path: str) -> list[str]:
        """The files below a folder, with their paths below the root, in order; none where there is no such folder."""
        from pyarrow.fs import FileSelector, FileType

        top = self.place(path)
        found = self.filesystem.get_file_info(FileSelector(top, recursive=True, allow_not_found=True))
        skip = len(self.place(""))
        return sorted(entry.path[skip:] for entry in found if entry.type == FileType.File)

    def write(self, path: str, content: bytes) -> None:
        """Write or replace one file; readers see the old bytes or the new ones, never half."""
        if self.is_local:
            target = Path(self.place(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            staged = target.with_name(f".{target.name}.{os.getpid()}.partial")
            staged.write_bytes(content)
            staged.replace(target)
            return
        with self.filesystem.open_output_stream(self.place(path)) as stream:
            stream.write(content)

    def write_folder(self, path: str, content: Mapping[str, bytes]) -> None:
        """Write a folder once. Locally it appears whole by a rename, its files read-only; in S3 the last file named
        comes last, and a folder without it is not there.
        """
        if not self.is_local:
            for name, part in content.items():
                self.write(f"{path}/{name}", part)
            return
        target = Path(self.place(path))
        staged = target.with_name(f".{target.name}.{os.getpid()}.partial")
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        for name, part in content.items():
            file = staged / name
            file.write_bytes(part)
            file.chmod(file.stat().st_mode & 0o444)
        try:
            staged.replace(target)
        except OSError:
            shutil.rmtree(staged, ignore_errors=True)
            if not target.is_dir():  # another process was first, with the same content
                raise

    def delete(self, path: str) -> None:
        """Remove one file; fine if it is gone."""
        try:
            self.filesystem.delete_file(self.place(path))
        except FileNotFoundError:
            return

    def delete_folder(self, path: str) -> int:
        """Remove every file below a folder, and the folder. Returns how many files."""
        found = self.listing(path)
        for file in found:
            self.delete(file)
        if self.is_local:
            shutil.rmtree(self.place(path), ignore_errors=True)
        return len(found)
