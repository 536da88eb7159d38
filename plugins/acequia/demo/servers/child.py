"""Servers that need a process of their own: started under a guard, so that none outlives us."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from acequia.demo.servers import guard
from acequia.errors import AcequiaError

LOOPBACK = "127.0.0.1"


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    log: Path,
    environ: Mapping[str, str] | None = None,
    stop: signal.Signals = signal.SIGTERM,
    user: tuple[int, int] | None = None,
) -> Iterator[None]:
    """Run the command until the block ends, in the folder of the log, which is removed then.

    Enters once the command listens on the port; `internal` if it does not.
    """
    identity = f"{user[0]}:{user[1]}" if user else "-"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is our own
            [sys.executable, "-IS", str(Path(guard.__file__)), str(int(stop)), identity, str(log.parent), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env={**os.environ, **(environ or {})},
            start_new_session=True,  # an interrupt at the terminal reaches us first; the guard is stopped in order
        )
    try:
        wait_for_port(port, process, log)
        yield
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(2 * guard.PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Return once something listens on the port."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.03)
    raise AcequiaError("internal", f"a demonstration server did not start; see {log.name}")
