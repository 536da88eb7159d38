"""Reads a file in a process of its own, whose memory and time are bounded: whatever it does there, we go on.

It is for formats whose libraries hold much of a file in memory. A file that was made to fill it costs that process.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from acequia.errors import AcequiaError

Result = TypeVar("Result")
BYTES_AT_MOST = 4 * 2**30
SECONDS, BYTES_A_SECOND = 120, 100_000
_CHILD = "from acequia.receive.formats.apart import child; child()"


def apart(
    work: Callable[..., Result], *arguments: Any, scratch: Path, seconds: float, bytes_at_most: int | None = None
) -> Result:
    """What `work(*arguments)` returns or refuses, computed in a process of its own.

    Args:
        work: a function of a module.
        arguments: what it is given; they and its result are pickled.
        scratch: a private folder.
        seconds: how long it may take.
        bytes_at_most: how much address space it may take, where the system can bound it; 4 GiB by default.

    Raises:
        AcequiaError: what `work` raises; `file_unreadable` where it passed its bounds or died.
    """
    answer = scratch / f"apart-{os.urandom(4).hex()}"
    asked = pickle.dumps((work, arguments, bytes_at_most or BYTES_AT_MOST, seconds, str(answer)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        subprocess.run(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", _CHILD],
            input=asked,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=seconds,
            check=False,
        )
        found = pickle.loads(answer.read_bytes())  # noqa: S301 - our own process wrote it, into our own folder
    except (subprocess.TimeoutExpired, FileNotFoundError, EOFError, pickle.UnpicklingError):
        raise AcequiaError(
            "file_unreadable", "the file cannot be read within the memory and time it is given"
        ) from None
    finally:
        answer.unlink(missing_ok=True)
    if isinstance(found, AcequiaError):
        raise found
    return found  # type: ignore[no-any-return]


def child() -> None:
    """The other process: read from standard input what to do, and write to a file what came of it."""
    work, arguments, bytes_at_most, seconds, answer = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our parent wrote it
    _bound(bytes_at_most, seconds)
    try:
        found = work(*arguments)
    except AcequiaError as error:
        found = error
    except MemoryError:
        os._exit(1)
    Path(answer).write_bytes(pickle.dumps(found))


def _bound(bytes_at_most: int, seconds: float) -> None:
    import resource

    # Not every system can bound memory. Time is bounded twice: this process must end if its parent is killed.
    for limit, at_most in ((resource.RLIMIT_AS, bytes_at_most), (resource.RLIMIT_CPU, int(seconds) + 1)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (at_most, resource.getrlimit(limit)[1]))
