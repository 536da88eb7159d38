"""Judges one crooked file as preflight does, in a process of its own: what it says, how long it took, and its memory.

The process is forked after the libraries are loaded, so that what is measured is the file and not the imports.
"""

from __future__ import annotations

import os
import resource
import signal
import traceback
from dataclasses import dataclass
from pathlib import Path

from tests.malformed import crooked

MEMORY_LIMIT = "500MB"
RSS_AT_MOST = 2 * 2**30
"""Of the process and its children; DuckDB's limit of 500 MB, the libraries (350 MB), and what a workbook may take."""


@dataclass(frozen=True)
class Verdict:
    """`code` is None for acceptance; anything but an `AcequiaError` stands in `trouble`."""

    code: str | None
    what: str
    trouble: str
    seconds: float
    rss: int
    left: tuple[str, ...]


def preload() -> None:
    import openpyxl  # noqa: F401
    import presidio_analyzer  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    from acequia.protect.language import engine
    from acequia.validate.arbiter import preload as load

    load()
    engine("en")


def judge(agreement: Path, form: str, file: Path, scratch: Path, deadline: int) -> Verdict:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _child(agreement, form, file, scratch, deadline, write)
    os.close(write)
    with os.fdopen(read, encoding="utf-8", errors="replace") as pipe:
        said = pipe.read()
    _, status, used = os.wait4(child, 0)
    code, _, what = said.partition("\n")
    trouble = "" if not status and code and code != "trouble" else f"status {status}: {what}"
    left = tuple(str(path.relative_to(scratch)) for path in scratch.rglob("*"))
    rss = used.ru_maxrss * 1024
    return Verdict(None if code == "accepted" else code, what, trouble, used.ru_utime + used.ru_stime, rss, left)


def _child(agreement: Path, form: str, file: Path, scratch: Path, deadline: int, write: int) -> None:
    os.environ["TMPDIR"] = str(scratch)
    import tempfile

    tempfile.tempdir = None
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(deadline)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        from acequia.preflight import Asked, preflight

        asked = Asked((file,), agreement, form, crooked.PERIOD, memory_limit=MEMORY_LIMIT)
        found = preflight(asked)
        said = f"{found.code or 'accepted'}\n{found.what}"
    except BaseException:  # noqa: BLE001 - whatever it is, the parent fails by it
        said = f"trouble\n{traceback.format_exc()}"
    os.write(write, said.encode())
    os._exit(0)
