"""Short-lived folders for plain bytes. Each is locked; one whose process died is removed by the next to come."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A new folder below `root` (mode 0700), removed with all it holds when the block ends."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep(root)
    folder = Path(tempfile.mkdtemp(dir=root))
    lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(root: Path) -> int:
    """Remove the folders that no living process holds. Returns how many."""
    swept = 0
    for folder in root.iterdir() if root.is_dir() else ():
        try:
            lock = os.open(folder / ".lock", os.O_RDWR)
        except (FileNotFoundError, NotADirectoryError):
            continue  # being made, or being removed, right now
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
    return swept
