"""Short-lived folders for plain bytes. Each is locked; one whose process died is removed by the next to come."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_OLD_S = 60.0


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A new folder below `root` (mode 0700), removed with all it holds when the block ends."""
    sweep(root)
    folder, lock = _locked(root)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(lock)


def _locked(root: Path) -> tuple[Path, int]:
    """A new folder with its lock. Another process may sweep between our making and our locking it: then once more."""
    while True:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            folder = Path(tempfile.mkdtemp(dir=root))
            lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return folder, lock
        os.close(lock)


def sweep(root: Path) -> int:
    """Remove the folders that no living process holds. Returns how many."""
    swept = 0
    for folder in root.iterdir() if root.is_dir() else ():
        try:
            lock = os.open(folder / ".lock", os.O_RDWR)
        except (FileNotFoundError, NotADirectoryError):
            _remove_empty(folder)  # being made, or being removed, right now; or whoever did it was killed
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
            swept += 1
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
    return swept


def _remove(folder: Path) -> None:
    """Remove a folder, its lock last: as long as anything is in it, whoever comes next can see that nobody holds it."""
    for path in list(folder.iterdir()) if folder.is_dir() else ():
        if path.name == ".lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _remove_empty(folder: Path) -> None:
    """An empty folder that is a minute old is nobody's: a lock is made at once after its folder."""
    with suppress(OSError):
        if folder.stat().st_mtime < time.time() - _OLD_S:
            folder.rmdir()


def sweep_staged(root: Path, *, older_than_s: float = 86_400.0) -> int:
    """Remove what writers that were killed left beside their targets below `root`. Returns how many files.

    A file is written beside its target and renamed at once, so one that is a day old is nobody's.
    """
    before, swept = time.time() - older_than_s, 0
    for path in root.rglob("*") if root.is_dir() else ():
        staged = path.name.endswith(".partial") or path.name.startswith(".incoming-")
        with suppress(OSError):
            if staged and path.is_file() and path.stat().st_mtime <= before:
                path.unlink()
                swept += 1
    return swept
